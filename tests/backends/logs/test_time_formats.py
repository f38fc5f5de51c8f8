"""Every form of a time that can be read in one way only, and those that the policy must name."""

import json
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gate.backends.logs.settings import LogsSettings
from gate.backends.records import TIME_FORMATS
from gate.config.load import load
from gate.errors import PolicyError
from gate.slo.indicator import Sli
from tests.backends.logs.test_timestamps import is_at
from tests.backends.logs.written import ask, counts, refused, write, write_parquet

MOMENT = datetime(2026, 10, 31, 9, 5, 7, tzinfo=UTC)
PARTLY = MOMENT.replace(microsecond=123_000)
EAST = MOMENT.astimezone(timezone(timedelta(hours=5, minutes=45)))
BERLIN = ZoneInfo("Europe/Berlin")
LOCAL = MOMENT.astimezone(BERLIN)
EVERY = Sli(bad="false")
UNIX = int(MOMENT.timestamp())

ZONED = {
    "ISO 8601 with a comma": (PARTLY.strftime("%Y-%m-%dT%H:%M:%S,123Z"), PARTLY),
    "a comma and an offset": (EAST.strftime("%Y-%m-%d %H:%M:%S,123%z"), PARTLY),
    "basic ISO 8601": (MOMENT.strftime("%Y%m%dT%H%M%SZ"), MOMENT),
    "basic with a fraction": (MOMENT.strftime("%Y%m%dT%H%M%S.123Z"), PARTLY),
    "basic with an offset": (EAST.strftime("%Y%m%dT%H%M%S%z"), MOMENT),
    "RFC 3339 in small letters": (MOMENT.strftime("%Y-%m-%dt%H:%M:%Sz"), MOMENT),
    "a blank before the offset": (EAST.strftime("%Y-%m-%d %H:%M:%S %z"), MOMENT),
    "a blank before UTC": (MOMENT.strftime("%Y-%m-%d %H:%M:%S UTC"), MOMENT),
    "a blank before GMT": (MOMENT.strftime("%Y-%m-%d %H:%M:%S GMT"), MOMENT),
    "Go": (
        MOMENT.strftime("%Y-%m-%d %H:%M:%S.123456789 +0000 UTC"),
        PARTLY.replace(microsecond=123_456),
    ),
    "Java": (LOCAL.isoformat() + "[Europe/Berlin]", MOMENT),
    "Java in UTC": (MOMENT.strftime("%Y-%m-%dT%H:%M:%SZ[UTC]"), MOMENT),
    "nine digits and a comma": (
        MOMENT.strftime("%Y-%m-%dT%H:%M:%S,123456999Z"),
        PARTLY.replace(microsecond=123_456),
    ),
    "slashes, the year first": (MOMENT.strftime("%Y/%m/%d %H:%M:%S+00:00"), MOMENT),
    "an access log": (EAST.strftime("%d/%b/%Y:%H:%M:%S %z"), MOMENT),
    "an access log in brackets": (MOMENT.strftime("[%d/%b/%Y:%H:%M:%S %z]"), MOMENT),
    "RFC 2822": (format_datetime(EAST), MOMENT),
    "RFC 2822 of UTC": (format_datetime(MOMENT, usegmt=True), MOMENT),
    "RFC 2822 without the day of the week": (MOMENT.strftime("%d %b %Y %H:%M:%S +0000"), MOMENT),
    "a comment behind it": (MOMENT.strftime("%a, %d %b %Y %H:%M:%S +0000 (UTC)"), MOMENT),
    "a cookie": (MOMENT.strftime("%a, %d-%b-%Y %H:%M:%S GMT"), MOMENT),
    "date": (MOMENT.strftime("%a %b %d %H:%M:%S UTC %Y"), MOMENT),
    "seconds as text": (str(UNIX), MOMENT),
    "seconds with a fraction as text": (f"{UNIX}.123", PARTLY),
    "milliseconds as text": (f"{UNIX}123", PARTLY),
    "microseconds as text": (f"{UNIX}123000", PARTLY),
    "nanoseconds as text": (f"{UNIX}123000000", PARTLY),
    "nanoseconds that a double cannot hold": (f"{UNIX}000001999", MOMENT.replace(microsecond=1)),
}
NAIVE = {
    "Python's logging": (LOCAL.strftime("%Y-%m-%d %H:%M:%S,123"), PARTLY),
    "basic without a zone": (LOCAL.strftime("%Y%m%dT%H%M%S"), MOMENT),
    "Go's log": (LOCAL.strftime("%Y/%m/%d %H:%M:%S"), MOMENT),
    "C's asctime": (LOCAL.strftime("%a %b %d %H:%M:%S %Y"), MOMENT),
}


@pytest.mark.crossed
@pytest.mark.variants(10)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize("name", ZONED)
def test_a_form_that_can_be_read_in_one_way_is_read(tmp_path: Path, form: str, name: str) -> None:
    text, moment = ZONED[name]
    log = tmp_path / f"a.{form}"
    if form == "parquet":
        write_parquet(log, [{"ts": text}], {"ts": "VARCHAR"})
    else:
        write(log, [{"ts": text}])

    assert is_at(log, moment)
    assert is_at(log, moment, time_zone=BERLIN)


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv"])
@pytest.mark.parametrize("name", NAIVE)
def test_a_wall_clock_in_any_form_needs_the_zone(tmp_path: Path, form: str, name: str) -> None:
    text, moment = NAIVE[name]
    log = write(tmp_path / f"a.{form}", [{"ts": text}])

    assert is_at(log, moment, time_zone=BERLIN)
    reason = refused(ask(log, EVERY))
    assert "without a time zone" in reason
    assert reason.endswith("set the backend's time_zone")


def test_forms_may_change_from_row_to_row(tmp_path: Path) -> None:
    rows = [{"ts": text} for text, _ in ZONED.values()]

    assert counts(ask(write(tmp_path / "a.jsonl", rows), EVERY)) == (len(rows), 0)


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize(
    "time_format",
    [
        *("%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%y %I:%M:%S %p", "%d.%m.%Y %H:%M:%S"),
        *("%Y%m%d%H%M%S", "%d-%b-%Y %H:%M:%S", "%Y-%j %H:%M:%S", "%B %d, %Y @ %H:%M:%S"),
        *("%d/%m/%Y %H:%M:%S %z", "%d/%m/%Y %H:%M:%S,%f"),
    ],
)
def test_the_policys_format_decides_what_could_be_read_in_two_ways(
    tmp_path: Path, form: str, time_format: str
) -> None:
    moment = datetime(2026, 10, 9, 9, 5, 7, tzinfo=UTC)
    text = moment.strftime(time_format)
    log = tmp_path / f"a.{form}"
    if form == "parquet":
        write_parquet(log, [{"ts": text}], {"ts": "VARCHAR"})
    else:
        write(log, [{"ts": text}])

    assert is_at(log, moment, time_format=time_format, time_zone=UTC)


@pytest.mark.slow
def test_the_day_and_the_month_are_distinguished_by_the_format(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [{"ts": "05/10/2026 09:00:00"}])
    october, may = datetime(2026, 10, 5, 9, tzinfo=UTC), datetime(2026, 5, 10, 9, tzinfo=UTC)

    assert is_at(log, october, time_format="%d/%m/%Y %H:%M:%S", time_zone=UTC)
    assert is_at(log, may, time_format="%m/%d/%Y %H:%M:%S", time_zone=UTC)
    assert "time_format" in refused(ask(log, EVERY, time_zone=UTC))


def test_a_format_is_read_in_the_zone_of_the_log(tmp_path: Path) -> None:
    log = write(tmp_path / "a.csv", [{"ts": "31/10/2026 10:05:07"}])

    assert is_at(log, MOMENT, time_format="%d/%m/%Y %H:%M:%S", time_zone=BERLIN)


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
@pytest.mark.parametrize(
    ("name", "number", "moment"),
    [
        ("unix-s", UNIX, MOMENT),
        ("unix-ms", UNIX * 1000 + 123, PARTLY),
        ("unix-us", UNIX * 10**6 + 123_000, PARTLY),
        ("unix-ns", UNIX * 10**9 + 123_000_999, PARTLY),
    ],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_the_unit_of_unix_time_may_be_named(
    tmp_path: Path, *, form: str, name: str, number: int, moment: datetime, quoted: bool
) -> None:
    log = tmp_path / f"a.{form}"
    value = str(number) if quoted else number
    if form == "parquet":
        write_parquet(log, [{"ts": value}], {"ts": "VARCHAR" if quoted else "BIGINT"})
    else:
        write(log, [{"ts": value}])

    assert is_at(log, moment, time_format=name)
    for other in {"unix-s", "unix-ms", "unix-us", "unix-ns"} - {name}:
        reason = refused(ask(log, EVERY, time_format=other))
        assert reason.startswith(f'1 row has no {other} in "ts"')
        assert reason.endswith("correct time_format")


@pytest.mark.parametrize("name", ["clf", "rfc2822", "iso8601"])
def test_a_form_that_has_a_name_is_read_and_no_other(tmp_path: Path, name: str) -> None:
    texts = {
        "clf": ZONED["an access log"][0],
        "rfc2822": ZONED["RFC 2822"][0],
        "iso8601": ZONED["ISO 8601 with a comma"][0],
    }
    for other, text in texts.items():
        log = write(tmp_path / f"{other}.jsonl", [{"ts": text}])
        if other == name:
            assert counts(ask(log, EVERY, time_format=name)) == (1, 0)
        else:
            assert f"no {name} in" in refused(ask(log, EVERY, time_format=name))


def test_a_format_is_not_for_instants(tmp_path: Path) -> None:
    log = write_parquet(tmp_path / "a.parquet", [{"ts": MOMENT.isoformat()}])

    assert refused(ask(log, EVERY, time_format="unix-ms")) == (
        'time_format is for texts and numbers, and "ts" is TIMESTAMP WITH TIME ZONE; leave it out'
    )


@pytest.mark.variants(1)
@pytest.mark.parametrize("fraction", ["000000000", "000000500", "999999999"])
def test_nanoseconds_with_a_zone_are_read_and_not_rounded_up(tmp_path: Path, fraction: str) -> None:
    text = f"2026-10-31T09:05:07.{fraction}Z"
    log = write_parquet(tmp_path / "a.parquet", [{"ts": text}], {"ts": "TIMESTAMPTZ_NS"})
    moment = MOMENT.replace(microsecond=int(fraction[:6]))

    assert is_at(log, moment)


@pytest.mark.slow
def test_the_digits_of_a_date_in_a_column_of_numbers_are_read_by_the_format(tmp_path: Path) -> None:
    log = write_parquet(tmp_path / "a.parquet", [{"ts": 20261031090507}], {"ts": "BIGINT"})

    assert is_at(log, MOMENT, time_format="%Y%m%d%H%M%S", time_zone=UTC)
    assert "time_format" in refused(ask(log, EVERY, time_zone=UTC))


NESTED = {"time": MOMENT.isoformat(), "path": "/chat", "deep": {"unix ns": UNIX * 10**9 + 1999}}


@pytest.mark.crossed
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("timestamp", "moment"),
    [
        ("request.time", MOMENT),
        ("Request.TIME", MOMENT),
        ("request.deep.unix ns", MOMENT.replace(microsecond=1)),
    ],
)
def test_a_timestamp_within_a_column_is_read(
    tmp_path: Path, form: str, timestamp: str, moment: datetime
) -> None:
    log = write(tmp_path / f"a.{form}", [{"request": NESTED, "status": 500}])

    assert is_at(log, moment, timestamp=timestamp)
    assert counts(ask(log, Sli(bad="request.path = '/chat'"), timestamp=timestamp)) == (1, 1)


def test_a_timestamp_within_a_text_of_json_is_read(tmp_path: Path) -> None:
    log = write(tmp_path / "a.csv", [{"request": json.dumps(NESTED), "status": 500}])

    assert is_at(log, MOMENT, timestamp="request.time")


@pytest.mark.slow
def test_a_timestamp_within_objects_of_several_shapes_is_read(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [{"request": "a"}, {"request": NESTED}])

    refused(ask(log, EVERY, timestamp="request.time"))
    log = write(tmp_path / "a.jsonl", [{"request": ["a"]}, {"request": NESTED}])
    assert (
        refused(ask(log, EVERY, timestamp="request.time")) == '1 row has no value in "request.time"'
    )


def test_a_column_with_a_dot_in_its_name_comes_first(tmp_path: Path) -> None:
    rows = [{"request.time": MOMENT.isoformat(), "request": {"time": "x"}}]

    assert is_at(write(tmp_path / "a.jsonl", rows), MOMENT, timestamp="request.time")


def test_a_field_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [{"request": NESTED, "x": 1}])

    assert refused(ask(log, EVERY, timestamp="request.tiem")) == (
        '"request" has no field "tiem" for the timestamp "request.tiem"; it has: time, deep, path'
    )
    assert "it is of type DOUBLE" in refused(ask(log, EVERY, timestamp="x.time"))
    assert 'no column "reqest.time"' in refused(ask(log, EVERY, timestamp="reqest.time"))


def test_mongodbs_dates_are_read(tmp_path: Path) -> None:
    log = write(tmp_path / "a.jsonl", [{"ts": {"$date": MOMENT.isoformat()}}])

    assert is_at(log, MOMENT, timestamp="ts.$date")


def settings_of(folder: Path, block: str) -> LogsSettings:
    file = folder / "gate.yaml"
    file.write_text(
        f"version: 1\nservice: chat\nbackend: {{type: logs, path: a.jsonl, {block}}}\n"
        "slos: [{name: a, objective: 99%, window: 1d, sli: {bad: x}}]\n"
        "tiers: [{name: all, otherwise: true, allow: all}]\n"
    )
    read = load(str(file), {}).settings
    assert isinstance(read, LogsSettings)
    return read


@pytest.mark.variants(2)
@pytest.mark.parametrize("name", [*TIME_FORMATS, "%Y-%m-%d %H:%M:%S %z", "%d/%b/%y %I %p %Z"])
def test_a_policy_may_name_the_format(tmp_path: Path, name: str) -> None:
    settings = settings_of(tmp_path, f'timestamp: "@timestamp", time_format: "{name}"')

    assert settings.records.time_format == name
    assert settings.records.timestamp == "@timestamp"


@pytest.mark.variants(5)
@pytest.mark.parametrize(
    ("block", "message"),
    [
        ('time_format: "%d/%m/%Y %H:%M"', "the format has no zone; add time_zone, or %z"),
        ('time_format: "%d/%m/%Y %z"', "lacks the day or the hour"),
        ('time_format: "%m/%Y %H:%M %z"', "lacks the day or the hour"),
        ('time_format: "%c %z"', "%c cannot be read; write its parts, such as %Y-%m-%d"),
        ('time_format: "%Y-%m-%dT%H:%M:%S%Q"', "%Q cannot be read"),
        ('time_format: "%Y-%m-%dT%H:%M:%S%"', "% cannot be read"),
        ("time_format: dd/mm/yyyy", "is none of iso8601, rfc2822, clf, unix-s"),
    ],
)
def test_a_format_that_cannot_be_read_is_refused_when_the_policy_is(
    tmp_path: Path, block: str, message: str
) -> None:
    with pytest.raises(PolicyError) as error:
        settings_of(tmp_path, f"timestamp: ts, {block}")

    assert message in str(error.value)


@pytest.mark.variants(2)
@pytest.mark.parametrize("name", ['a "name"', "a, name", "a (name)", "$date"])
def test_a_field_may_have_any_name(tmp_path: Path, name: str) -> None:
    request = {"before": 1, name: MOMENT.isoformat(), "after": {name: 2}}
    log = write(tmp_path / "a.jsonl", [{"request": request}])

    assert is_at(log, MOMENT, timestamp=f"request.{name}")
