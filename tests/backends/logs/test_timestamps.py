"""When a row happened: text, instants, wall clocks and Unix time, and what has no time."""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gate.slo.indicator import Sli
from tests.backends.logs.written import (
    AT,
    Row,
    ask,
    ask_all,
    counts,
    refused,
    request,
    write,
    write_parquet,
)

BERLIN = ZoneInfo("Europe/Berlin")
KATHMANDU = ZoneInfo("Asia/Kathmandu")  # UTC+5:45
EVERY = Sli(bad="false")


def is_at(log: Path, moment: datetime, **more: Any) -> bool:
    """Return whether the log's only row is in the shortest window that has the moment."""
    before = AT - moment
    windows = [before + timedelta(microseconds=1), *([before] if before else [])]
    inside, *outside = ask_all(log, [request(EVERY, window) for window in windows], **more)
    return hasattr(inside, "total") and not any(hasattr(answer, "total") for answer in outside)


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-31T11:00:00Z", "2026-10-31T11:00:00Z"),
        ("2026-10-31 11:00:00Z", "2026-10-31T11:00:00Z"),
        ("2026-10-31T11:00:00.123456Z", "2026-10-31T11:00:00.123456Z"),
        ("2026-10-31T11:00:00.123Z", "2026-10-31T11:00:00.123Z"),
        ("2026-10-31T11:00:00.123456789Z", "2026-10-31T11:00:00.123456Z"),
        ("2026-10-31T13:00:00+02:00", "2026-10-31T11:00:00Z"),
        ("2026-10-31T13:00:00+0200", "2026-10-31T11:00:00Z"),
        ("2026-10-31 13:00:00+02", "2026-10-31T11:00:00Z"),
        ("2026-10-31T05:15:00-05:45", "2026-10-31T11:00:00Z"),
        ("2026-10-31 11:00:00 UTC", "2026-10-31T11:00:00Z"),
        ("2026-10-31 12:00:00 Europe/Berlin", "2026-10-31T11:00:00Z"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00Z"),
    ],
)
@pytest.mark.parametrize("zone", [None, KATHMANDU])
def test_text_with_an_offset_speaks_for_itself(
    tmp_path: Path, form: str, text: str, moment: str, zone: tzinfo | None
) -> None:
    log = write(tmp_path / f"a.{form}", [{"ts": text}])

    assert is_at(log, datetime.fromisoformat(moment), time_zone=zone)


def form_of(text: str) -> str:
    """Return what is shown of a value: no letter and no digit of it."""
    return repr(re.sub("[A-Za-z]", "a", re.sub("[0-9]", "9", text))[:40])


@pytest.mark.variants(3)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("text", ["2026-10-31T11:00:00", "2026-10-31 11:00:00.5"])
def test_a_wall_clock_without_a_zone_is_refused(tmp_path: Path, form: str, text: str) -> None:
    log = tmp_path / f"a.{form}"
    if form == "parquet":
        write_parquet(log, [{"ts": text}], {"ts": "TIMESTAMP"})
        expected = 'the timestamps in "ts" carry no time zone; set the backend\'s time_zone'
    else:
        write(log, [{"ts": text}])
        expected = (
            f'1 row has a timestamp without a time zone in "ts" (of the form {form_of(text)}); '
            "set the backend's time_zone"
        )

    assert refused(ask(log, EVERY)) == expected


@pytest.mark.crossed
@pytest.mark.parametrize("kind", ["text", "TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_S"])
@pytest.mark.parametrize(
    ("zone", "wall", "offset"),
    [
        (UTC, "2026-10-31T11:00:00", 0),
        (BERLIN, "2026-10-31T11:00:00", 60),
        (BERLIN, "2026-10-24T11:00:00", 120),
        (KATHMANDU, "2026-10-31T11:00:00", 345),
        (ZoneInfo("America/New_York"), "2026-10-31T01:00:00", -240),
        # Clocks go back at 3:00: 2:30 happens twice, and is taken as its second pass.
        (BERLIN, "2026-10-25T02:30:00", 60),
        (BERLIN, "2026-10-25T01:59:59", 120),
        (BERLIN, "2026-10-25T03:00:00", 60),
        # Clocks go forward at 2:00: 2:30 does not exist, and is taken as 3:30.
        (BERLIN, "2026-03-29T02:30:00", 60),
        (BERLIN, "2026-03-29T03:00:00", 120),
    ],
)
def test_a_wall_clock_is_read_in_the_zone_of_the_log(
    tmp_path: Path, kind: str, zone: tzinfo, wall: str, offset: int
) -> None:
    log = tmp_path / ("a.jsonl" if kind == "text" else "a.parquet")
    if kind == "text":
        write(log, [{"ts": wall}])
    else:
        write_parquet(log, [{"ts": wall}], {"ts": kind})
    moment = datetime.fromisoformat(wall).replace(tzinfo=timezone(timedelta(minutes=offset)))

    assert is_at(log, moment, time_zone=zone)


def test_a_zone_that_has_no_name_is_refused(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [{"ts": "2026-10-31T11:00:00"}])

    reason = refused(ask(log, time_zone=timezone(timedelta(hours=1))))

    assert reason == "the time zone UTC+01:00 has no name; use one such as Europe/Berlin"


def test_a_zone_that_duckdb_does_not_know_is_refused(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [{"ts": "2026-10-31T11:00:00"}])
    with Path("/usr/share/zoneinfo/UTC").open("rb") as file:
        own = ZoneInfo.from_file(file, key="Own/Zone")

    assert refused(ask(log, time_zone=own)) == "DuckDB does not know the time zone Own/Zone"


MOMENT = datetime(2026, 10, 31, 11, 0, 0, 250_000, tzinfo=UTC)
UNIX = 1_793_444_400  # of the whole second


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (f"{UNIX}", MOMENT.replace(microsecond=0)),
        (f"{UNIX}.25", MOMENT),
        (f"{UNIX}.250001", MOMENT.replace(microsecond=250_001)),
        (f"{UNIX}250", MOMENT),
        (f"{UNIX}250000", MOMENT),
        (f"{UNIX}250001", MOMENT.replace(microsecond=250_001)),
        (f"{UNIX}250000000", MOMENT),
    ],
)
def test_a_number_is_unix_time_in_the_unit_that_fits(
    tmp_path: Path, form: str, number: str, moment: datetime
) -> None:
    log = tmp_path / f"a.{form}"
    log.write_text(f'{{"ts": {number}}}\n' if form == "jsonl" else f"ts,x\n{number},1\n")

    assert is_at(log, moment)


@pytest.mark.variants(3)
@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("INTEGER", f"{UNIX}"),
        ("UINTEGER", f"{UNIX}"),
        ("BIGINT", f"{UNIX}000"),
        ("UBIGINT", f"{UNIX}000000"),
        ("HUGEINT", f"{UNIX}000000"),
        ("BIGINT", f"{UNIX}000000000"),
        ("DOUBLE", f"{UNIX}.0"),
        ("DECIMAL(18,6)", f"{UNIX}.000000"),
    ],
)
def test_a_number_in_parquet_is_too(tmp_path: Path, kind: str, number: str) -> None:
    log = write_parquet(tmp_path / "a.parquet", [{"ts": number}], {"ts": kind})

    assert is_at(log, MOMENT.replace(microsecond=0))


def test_a_border_is_met_to_the_microsecond_in_unix_nanoseconds(tmp_path: Path) -> None:
    ends = [f"{UNIX}000000000", f"{UNIX}000001000"]
    rows = [{"ts": number} for number in ends]
    log = write_parquet(tmp_path / "a.parquet", rows, {"ts": "BIGINT"})

    assert counts(ask(log, EVERY, AT - MOMENT.replace(microsecond=0))) == (1, 0)


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("zone", [None, BERLIN])
@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "infinity",
        "-infinity",
        "epoch",
        "2026-10-31",
        "2026-10-31Z",
        "2026-13-31T11:00:00Z",
        "31/10/2026 11:00:00",
        "10-31-26 11:00:00",
        "26-10-31 11:00:00",
        "2026-10-31 11:00:00 CST",
        "Oct 31 11:00:00",
        "20261031110000",
        "202610311100",
        "2026-10-31T25:00:00Z",
        "11:00:00Z",
    ],
)
def test_a_text_that_tells_no_instant_is_an_error_and_no_row_is_left_out(
    tmp_path: Path, form: str, zone: tzinfo | None, text: str
) -> None:
    rows = [{"ts": "2026-10-31T11:00:00Z"}, {"ts": text}]

    reason = refused(ask(write(tmp_path / f"a.{form}", rows), EVERY, time_zone=zone))

    assert reason == (
        f'1 row has no readable timestamp in "ts" (of the form {form_of(text)}); '
        "ISO 8601, Unix time, the form of access logs (CLF) and RFC 2822 are read; for any other "
        "set time_format, for example %d/%m/%Y %H:%M:%S"
    )


@pytest.mark.variants(3)
@pytest.mark.parametrize(
    "number", ["0", "-1", "1793444", "1e30", "202610311100", "20261031110000", "NaN", "Infinity"]
)
def test_a_number_that_tells_no_instant_is_an_error(tmp_path: Path, number: str) -> None:
    log = tmp_path / "a.jsonl"
    log.write_text(f'{{"ts": {UNIX}}}\n{{"ts": {number}}}\n')

    assert "1 row has no readable timestamp" in refused(ask(log, EVERY))


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_row_without_a_time_is_an_error_however_old_the_window(tmp_path: Path, form: str) -> None:
    rows: list[Row] = [
        {"ts": "2026-10-31T11:00:00Z", "x": 1},
        {"ts": None, "x": 2},
        {"ts": None, "x": 3},
    ]

    reason = refused(ask(write(tmp_path / f"a.{form}", rows), EVERY, timedelta(minutes=1)))

    assert reason == '2 rows have no value in "ts"'


@pytest.mark.variants(5)
@pytest.mark.parametrize("kind", ["DATE", "TIME", "BOOLEAN", "FLOAT", "TINYINT", "INTEGER[]"])
def test_a_column_of_another_type_tells_no_instant(tmp_path: Path, kind: str) -> None:
    values = {"DATE": "2026-10-31", "TIME": "11:00:00", "BOOLEAN": True, "INTEGER[]": [1]}
    log = write_parquet(tmp_path / "a.parquet", [{"ts": values.get(kind, 1)}], {"ts": kind})

    assert refused(ask(log, EVERY)) == (f'the column "ts" is of type {kind}, which has no time')


@pytest.mark.parametrize(
    ("first", "second"),
    [("TIMESTAMP", "TIMESTAMPTZ"), ("VARCHAR", "TIMESTAMPTZ"), ("TIMESTAMP", "VARCHAR")],
)
def test_files_that_disagree_about_their_timestamps_are_refused(
    tmp_path: Path, first: str, second: str
) -> None:
    for name, kind in (("a", first), ("b", second)):
        rows = [{"ts": "2026-10-31T11:00:00Z"}]
        write_parquet(tmp_path / f"{name}.parquet", rows, {"ts": kind})

    reason = refused(ask(tmp_path / "*.parquet", EVERY, time_zone=BERLIN))

    assert reason.startswith('the files disagree about "ts": ')


def test_the_name_of_the_column_is_the_policys(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [{"@timestamp": "2026-10-31T11:00:00Z"}])

    assert counts(ask(log, EVERY, timestamp="@Timestamp")) == (1, 0)
