"""Partitions in the path of the logs: which files are read, and which columns they add."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.backends import open_backend, registration
from gate.backends.logs.partitions import MARGIN, Part, missing_days
from gate.backends.logs.path_columns import parse_path
from gate.measure import Cause, Counts, Limits
from gate.measure.cohorts import CohortBackend, CohortRequest, Cohorts
from gate.measure.remedies import hint_for
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.logs.stored import HOURS, day, rows_of
from tests.backends.logs.written import (
    AT,
    DAY,
    FAILED,
    Row,
    ask,
    before,
    counts,
    refused,
    request,
    settings,
    write,
)

UNREADABLE = b"this is no log\n"
FIRST = datetime(2026, 10, 1, tzinfo=UTC)


def write_days(folder: Path, days: range, name: str, **more: object) -> None:
    for ago in days:
        write(folder / name.format(day=day(ago)), rows_of(ago, **more))


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_only_files_of_the_window_are_read(tmp_path: Path, form: str) -> None:
    write_days(tmp_path, range(5), f"logs/dt={{day}}/a.{form}")
    for ago in (10, 20):
        broken = tmp_path / f"logs/dt={day(ago)}" / f"a.{form}"
        broken.parent.mkdir()
        broken.write_bytes(UNREADABLE)

    path = f"logs/dt=*/*.{form}"
    assert counts(ask(tmp_path, path=path, directory=tmp_path, window=2 * DAY)) == (2 * HOURS, 2)
    refused(
        ask(tmp_path, path=path, directory=tmp_path, window=15 * DAY),
        Cause.INVALID if form == "csv" else Cause.BACKEND_ERROR,
    )


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "csv.gz"])
@pytest.mark.parametrize(
    ("condition", "bad"),
    [
        ("dt = '2026-10-30'", HOURS),
        ("dt < DATE '2026-10-31'", 36),
        ("hour = 7", 2),
        ("model = 'gpt-4/o'", 24),
        ("status >= 500 AND model = 'x'", 2),
        ("model IS NULL", 0),
    ],
)
def test_a_partition_is_a_column(tmp_path: Path, form: str, condition: str, bad: int) -> None:
    for ago in range(3):
        for row, hour in zip(rows_of(ago), range(HOURS), strict=True):
            model = "x" if hour < 12 else "gpt-4%2Fo"
            write(tmp_path / f"dt={day(ago)}/hour={hour:02}/model={model}/a.{form}", [row])

    answer = ask(
        tmp_path,
        Sli(bad=condition),
        2 * DAY,
        path=f"dt=*/hour=*/model=*/*.{form}",
        directory=tmp_path,
    )

    assert counts(answer) == (2 * HOURS, bad)


def test_the_null_of_hive_is_null(tmp_path: Path) -> None:
    write(tmp_path / "model=__HIVE_DEFAULT_PARTITION__" / "a.jsonl", rows_of(1))
    write(tmp_path / "model=x" / "a.jsonl", rows_of(1))

    answer = ask(tmp_path, Sli(bad="model IS NULL"), 2 * DAY, path="model=*/*", directory=tmp_path)

    assert counts(answer) == (2 * HOURS, HOURS)


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    ("folder", "value"),
    [
        ("a b", "a b"),
        ("x+y", "x+y"),
        ("p%2Fq", "p/q"),
        ("%C3%BC", "ü"),
        ("50%", "50%"),
        ("a%ZZb", "a%ZZb"),
        ("caf%E9", "caf%E9"),
        ("k=v", "k=v"),
        ("%5Bz%5D", "[z]"),
    ],
)
def test_what_is_escaped_means_its_character_if_it_is_one(
    tmp_path: Path, folder: str, value: str
) -> None:
    write(tmp_path / f"model={folder}" / "a.jsonl", rows_of(1))
    write(tmp_path / "model=other" / "a.jsonl", rows_of(1))

    answer = ask(
        tmp_path, Sli(bad=f"model = '{value}'"), 2 * DAY, path="model=*/*", directory=tmp_path
    )

    assert counts(answer) == (2 * HOURS, HOURS)


@pytest.mark.variants(2)
@pytest.mark.parametrize("value", ["20261030", "2026-10-30", "2026-10-30-23", "2026-10-30T23"])
def test_a_date_may_be_written_in_several_ways(tmp_path: Path, value: str) -> None:
    write(tmp_path / f"date={value}" / "a.csv", rows_of(1))
    write(tmp_path / "date=backfill" / "a.csv", rows_of(2))

    sli = Sli(bad="date = DATE '2026-10-30'", total="date IS NOT NULL")
    answer = ask(tmp_path, sli, 3 * DAY, path="date=*/*.csv", directory=tmp_path)

    assert counts(answer) == (HOURS, HOURS)


@pytest.mark.variants(2)
@pytest.mark.parametrize("late", [0, 9])
@pytest.mark.parametrize("zone", [-12, 0, 14])
def test_partitions_of_any_zone_count_what_one_file_counts(
    tmp_path: Path, zone: int, late: int
) -> None:
    times = [AT + DAY - timedelta(minutes=37 * place) for place in range(200)]
    rows = [
        {"ts": time.isoformat(), "status": 500 if place % 3 else 200}
        for place, time in enumerate(times)
    ]
    filed: dict[str, list[Row]] = {}
    for time, row in zip(times, rows, strict=True):
        name = f"{time + timedelta(hours=zone + late):dt=%Y-%m-%d/hour=%H}"
        filed.setdefault(name, []).append(row)
    for name, own in filed.items():
        write(tmp_path / "parts" / name / "a.jsonl", own)
    write(tmp_path / "whole.jsonl", rows)
    within = [row for time, row in zip(times, rows, strict=True) if AT - DAY <= time < AT]

    counted = [
        counts(ask(tmp_path, FAILED, DAY, path=path, directory=tmp_path))
        for path in ("parts/dt=*/hour=*/*.jsonl", "parts/{dt=%Y-%m-%d}/*/*.jsonl", "whole.jsonl")
    ]

    assert counted == [(len(within), sum(row["status"] == 500 for row in within))] * 3


def test_a_partition_may_be_declared_to_be_a_number(tmp_path: Path) -> None:
    for shard in (2, 10):
        write(tmp_path / f"shard={shard}" / "a.jsonl", rows_of(1))

    def count(**more: Any) -> tuple[int, int]:
        sli, path = Sli(bad="shard > '3'"), "shard=*/*"
        return counts(ask(tmp_path, sli, 2 * DAY, path=path, directory=tmp_path, **more))

    assert count() == (2 * HOURS, 0)
    declared: Mapping[str, Any] = {"columns": {"shard": "BIGINT"}, "optional": frozenset({"shard"})}
    assert count(**declared) == (2 * HOURS, HOURS)


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_column_of_the_files_and_of_the_path_cannot_be_used(tmp_path: Path, form: str) -> None:
    write(tmp_path / "Model=x" / f"a.{form}", rows_of(1, model="y"))

    def answer(path: str, condition: str) -> Any:
        return ask(tmp_path, Sli(bad=condition), 2 * DAY, path=path, directory=tmp_path)

    assert refused(answer("Model=*/*", "model = 'x'")) == (
        '"Model" is a column of the files, and Model= a folder of the path; write * in the path'
        " instead of the folder's name to use the files' column, or use another name"
    )
    assert counts(answer("Model=*/*", "status >= 500")) == (HOURS, 1)
    assert counts(answer("*/*", "model = 'y'")) == (HOURS, HOURS)


def test_spans_of_an_export_are_of_the_partition_of_their_file(tmp_path: Path) -> None:
    """Rows within a line (records of the type OTLP) have the columns of the path, too."""
    row = {"ts": before(3600), "status": 200}
    for model in ("x", "y"):
        write(tmp_path / f"model={model}" / "a.jsonl", [{"spans": [row, row]}])

    answer = ask(
        tmp_path,
        Sli(bad="model = 'x'"),
        path="model=*/*.jsonl",
        directory=tmp_path,
        unnest=("spans",),
        columns={"ts": "VARCHAR", "status": "BIGINT"},
    )

    assert counts(answer) == (4, 2)


def test_cohorts_may_be_by_a_partition(tmp_path: Path) -> None:
    for model, status in (("x", 200), ("y", 500)):
        rows: list[Row] = [{**row, "status": status} for row in rows_of(1)]
        write(tmp_path / f"model={model}/dt={day(1)}" / "a.parquet", rows)
    backend = open_backend(
        settings(tmp_path, path="model=*/dt=*/*", directory=tmp_path),
        Limits(timeout=timedelta(seconds=30)),
    )

    span = Span(AT - 3 * DAY, AT)
    asked = CohortRequest(sli=FAILED, span=span, step=DAY, by=("model",), most=5)
    assert isinstance(backend, CohortBackend)
    (answer,) = backend.cohorts([asked])

    assert isinstance(answer, Cohorts)
    events = {model: sum(filter(None, group.bad)) for (model,), group in answer.groups.items()}
    assert events == {"x": 0, "y": HOURS}


def test_a_path_with_a_name_two_times_is_refused(tmp_path: Path) -> None:
    reason = refused(ask(tmp_path, path="m=*/M=*/a.csv"))

    assert reason == "m= is in the path two times; write * instead of one of them"


def test_what_is_not_about_a_day_cannot_stand_in_braces(tmp_path: Path) -> None:
    assert refused(ask(tmp_path, path="{%Y/%j}/a.csv")) == (
        "%j in {%Y/%j} of the path is not known; a partition is written with %Y, %m, %d and %H,"
        " such as {%Y/%m/%d}"
    )


def test_braces_without_a_time_are_part_of_a_name(tmp_path: Path) -> None:
    write(tmp_path / "{a}" / "a=b.csv", rows_of(1))

    assert counts(ask(tmp_path, path="{a}/a=*.csv", directory=tmp_path, window=2 * DAY)) == (24, 1)


@pytest.mark.variants(1)
@pytest.mark.parametrize("place", ["absolute", "dot", "folder"])
def test_partitions_are_found_wherever_the_policy_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_days(tmp_path, range(9), "logs/dt={day}/[1]/a.csv")
    prefix = {"absolute": f"{tmp_path}/", "dot": "./", "folder": "../"}[place]
    directory = Path("logs" if place == "folder" else ".")
    (tmp_path / "logs").mkdir(exist_ok=True)

    path = f"{prefix}logs/dt=*/[[]1]/*.csv"
    answer = ask(Path(), path=path, directory=directory, window=DAY)

    assert counts(answer) == (24, 1)


def test_no_partition_of_the_window_is_no_data(tmp_path: Path) -> None:
    write_days(tmp_path, range(20, 22), "dt={day}/a.csv")

    reason = refused(ask(tmp_path, path="dt=*/*", directory=tmp_path), Cause.NO_DATA)

    assert reason == (
        f"{tmp_path}/dt=*/* has no partition of the time from 2026-10-30 12:00 to 2026-10-31 12:00"
        " UTC" + hint_for("no-partition")
    )


def test_a_usual_pause_is_looked_for_in_older_partitions(tmp_path: Path) -> None:
    """A service that sleeps every Saturday misses nothing on a Saturday: 2026-10-31 is one."""
    for ago in range(1, 40):
        if (AT - ago * DAY).isoweekday() != 6:
            times = (AT.replace(hour=0) - ago * DAY + timedelta(minutes=5 * n) for n in range(288))
            rows = [{"ts": time.isoformat(), "status": 200} for time in times]
            write(tmp_path / f"dt={day(ago)}" / "a.csv", rows)

    path: Mapping[str, Any] = {"directory": tmp_path, "probe": True, "window": 2 * DAY}
    pruned = ask(tmp_path, path="dt=*/*", **path)
    whole = ask(tmp_path, path="*/*", **path)

    assert isinstance(pruned, Counts)
    assert isinstance(whole, Counts)
    assert pruned.evidence.suspicions == whole.evidence.suspicions == ()
    assert pruned.evidence.coverage == whole.evidence.coverage


def test_several_windows_read_what_the_longest_needs(tmp_path: Path) -> None:
    write_days(tmp_path, range(9), "dt={day}/a.csv")
    backend = open_backend(
        settings(tmp_path, path="dt=*/*", directory=tmp_path), Limits(timeout=timedelta(seconds=30))
    )

    answers = backend.measure([request(window=DAY), request(window=5 * DAY)], AT)

    assert [counts(answer) for answer in answers] == [(24, 1), (5 * 24, 5)]


@pytest.mark.parametrize(
    ("units", "length"),
    [
        ({"%Y": 2026}, 365 * DAY),
        ({"%Y": 2026, "%m": 2}, 28 * DAY),
        ({"%Y": 2026, "%m": 12}, 31 * DAY),
        ({"%Y": 2026, "%m": 2, "%d": 3}, DAY),
        ({"%Y": 2026, "%m": 2, "%d": 3, "%H": 4}, DAY / 24),
        ({"%m": 2, "%d": 3}, None),
        ({"%Y": 2026, "%m": 13}, None),
        ({"%Y": 9999}, None),
        ({}, None),
    ],
)
def test_a_partition_is_as_long_as_it_says(
    units: Mapping[str, int], length: timedelta | None
) -> None:
    span = Part(units).span

    assert (span and span.length) == length
    assert Part(units).may_have(None)
    assert Part(units).may_have(Span(FIRST, FIRST + DAY)) == (length is None or length == 365 * DAY)


@pytest.mark.parametrize(
    ("ago", "there"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)]
)
def test_a_day_before_and_after_the_window_is_read(ago: int, there: bool) -> None:
    """The first of October in Kiribati (UTC+14) begins ten hours after the last of September."""
    start = FIRST - ago * DAY
    part = Part({"%Y": start.year, "%m": start.month, "%d": start.day})

    assert part.may_have(Span(FIRST, FIRST + DAY)) == there
    assert timedelta(hours=14) < MARGIN


def test_only_whole_days_of_the_window_can_be_missing() -> None:
    window = Span(FIRST + DAY / 2, FIRST + 4.5 * DAY)
    days = [Part({"%Y": 2026, "%m": 10, "%d": number}) for number in (2, 4)]

    assert missing_days(days, window) == [date(2026, 10, 3)]
    assert missing_days([Part({"%Y": 2026, "%m": 10})], window) == []
    assert missing_days([], window) == []
    assert missing_days(days[1:], Span(FIRST, FIRST + 2 * DAY)) == [
        date(2026, 10, 1),
        date(2026, 10, 2),
    ]


@pytest.mark.parametrize(
    ("path", "local"),
    [
        ("logs/dt=*/a.csv", "logs/dt=*/a.csv"),
        ("logs/{%Y/%m/%d}/*.csv", "logs/*/*/*/*.csv"),
        ("s3://bucket/a.csv", None),
    ],
)
def test_files_of_this_machine_are_named_so_that_a_change_that_brings_them_shows(
    path: str, local: str | None
) -> None:
    chosen = settings(Path("x"), path=path, directory=Path("folder"))

    files = registration("logs").files(chosen)

    assert files == (() if local is None else (f"folder/{local}",))


def test_a_backslash_in_a_set_of_characters_means_itself() -> None:
    pattern = parse_path("", r"[a\d]*/[!x]?")

    assert pattern.part("\\1/yz") is not None
    assert pattern.part("7/yz") is None
    assert pattern.part("a/xz") is None
