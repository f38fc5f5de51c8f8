"""Steps without rows: where nothing happened, and where nothing is known."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gate.backends import open_backend
from gate.measure import CountRequest, Counts, Limits
from gate.measure.capabilities import history_of
from gate.measure.coverage import coverage_by_steps
from gate.measure.history import Series, SeriesRequest, clock_start, on_the_clock
from gate.slo.objective import Span
from tests.backends.logs.written import AT, DAY, FAILED, settings, write

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MONTH = 30 * DAY
LIMITS = Limits(timeout=timedelta(seconds=60))
Rate = Callable[[datetime], float]
"""Requests an hour, at an instant."""


def requests(rate: Rate, days: int = 30, *, even: bool = False) -> Iterator[datetime]:
    """Yield when requests come: by chance, or evenly, at the rate of each hour."""
    rng = random.Random(f"{rate.__name__} {days}")
    for hour in range(days * 24):
        start = AT - days * DAY + hour * HOUR
        number = rate(start)
        if even:
            yield from (start + HOUR * (n + 0.5) / number for n in range(int(number)))
            continue
        moment = rng.expovariate(number) if number else 1.0
        while moment < 1:
            yield start + moment * HOUR
            moment += rng.expovariate(number)


def log_of(path: Path, moments: Iterator[datetime] | list[datetime]) -> Path:
    rows: list[dict[str, Any]] = [
        {"ts": moment.isoformat(), "status": 500 if n % 9 == 0 else 200}
        for n, moment in enumerate(moments)
    ]
    return write(path, rows)


def ask(
    log: Path,
    window: timedelta,
    step: timedelta,
    *,
    at: datetime = AT,
    max_age: timedelta = timedelta(),
) -> Series:
    history = history_of(open_backend(settings(log), LIMITS))
    assert history is not None
    span = on_the_clock(Span(at - window, at), step)
    (answer,) = history.history([SeriesRequest(sli=FAILED, span=span, step=step, max_age=max_age)])
    assert isinstance(answer, Series), answer
    assert [total is None for total in answer.total] == [bad is None for bad in answer.bad]
    return answer


def unknown(series: Series) -> list[int]:
    return [place for place, total in enumerate(series.total) if total is None]


def by_day(at: datetime) -> float:
    return 60.0 if 7 <= at.hour < 19 else 0.0


def in_office_hours(at: datetime) -> float:
    return by_day(at) if at.weekday() < 5 else 0.0


def few_by_day(at: datetime) -> float:
    return 8.0 if 6 <= at.hour < 22 else 0.5


def a_few_a_day(_: datetime) -> float:
    return 0.2


def nightly_batch(at: datetime) -> float:
    return 500.0 if at.hour == 3 else 0.0


def busy(_: datetime) -> float:
    return 120.0


@pytest.mark.crossed
@pytest.mark.parametrize(
    "rate", [by_day, in_office_hours, few_by_day, a_few_a_day, nightly_batch, busy]
)
@pytest.mark.parametrize("window", [30 * DAY, 28 * DAY, 7 * DAY, 3 * DAY])
def test_where_nothing_is_lost_everything_is_known(
    tmp_path: Path, rate: Rate, window: timedelta
) -> None:
    moments = sorted(requests(rate))
    log = log_of(tmp_path / "a.jsonl", [AT - 31 * DAY, *moments, AT])

    series = ask(log, window, 5 * MINUTE)

    assert unknown(series) == []
    assert sum(total or 0 for total in series.total) == 1 + sum(at > AT - window for at in moments)


def test_a_service_that_sleeps_most_of_the_time_is_known_all_the_time(tmp_path: Path) -> None:
    moments = sorted(requests(few_by_day))
    series = ask(log_of(tmp_path / "a.jsonl", [AT - 31 * DAY, *moments, AT]), MONTH, 5 * MINUTE)

    silent = sum(total == 0 for total in series.total)
    assert silent > 0.57 * len(series.total)
    assert unknown(series) == []


@pytest.mark.crossed
@pytest.mark.parametrize("window", [90 * DAY, 30 * DAY, 28 * DAY, 7 * DAY, 2 * DAY])
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_a_lost_file_of_an_hour_is_unknown_and_all_around_it_known(
    tmp_path: Path, form: str, window: timedelta
) -> None:
    lost = Span(AT - 27 * HOUR, AT - 26 * HOUR)
    moments = [
        moment
        for moment in requests(busy, window // DAY + 1, even=True)
        if not lost.start < moment <= lost.end
    ]
    series = ask(log_of(tmp_path / f"a.{form}", moments), window, 15 * MINUTE)

    places = (lost.start - (AT - window)) // (15 * MINUTE)
    assert unknown(series) == [*range(places, places + 4)]


@pytest.mark.variants(1)
@pytest.mark.parametrize("minutes", [0, 7, 31, 59])
def test_the_same_hour_is_unknown_whenever_one_looks(tmp_path: Path, minutes: int) -> None:
    lost = Span(AT - 27 * HOUR, AT - 26 * HOUR)
    moments = [m for m in requests(busy, 9, even=True) if not lost.start < m <= lost.end]
    log = log_of(tmp_path / "a.jsonl", moments)
    at = AT - minutes * MINUTE

    series = ask(log, 7 * DAY, 5 * MINUTE, at=at)

    first = clock_start(at - 7 * DAY, 5 * MINUTE)
    assert [first + place * 5 * MINUTE for place in unknown(series)] == [
        lost.start + place * 5 * MINUTE for place in range(12)
    ]


@pytest.mark.crossed
@pytest.mark.parametrize("rate", [by_day, in_office_hours, few_by_day, busy])
@pytest.mark.parametrize("lost", [30, 5, 1, 0])
def test_the_history_misses_what_the_count_misses(tmp_path: Path, rate: Rate, lost: int) -> None:
    gap = Span(AT - 100 * HOUR, AT - (100 - lost) * HOUR)  # from 8 o'clock on a Tuesday
    moments = [m for m in sorted(requests(rate)) if not gap.start < m <= gap.end]
    log = log_of(tmp_path / "a.jsonl", [AT - 31 * DAY, *moments, AT])
    request = CountRequest(sli=FAILED, span=Span(AT - MONTH, AT), probe=True)

    (count,) = open_backend(settings(log), LIMITS).measure([request], AT)
    series = ask(log, MONTH, HOUR)

    assert isinstance(count, Counts)
    seen = coverage_by_steps(series.total, Span(AT - MONTH, AT))
    assert seen.share == count.evidence.coverage
    assert count.evidence.gaps is not None
    assert (seen.gaps.holes, seen.gaps.longest) == (
        count.evidence.gaps.holes,
        count.evidence.gaps.longest,
    )
    assert (seen.share < 1) == (lost > (1 if rate is few_by_day else 0))


def test_before_the_first_row_of_the_whole_log_nothing_is_known(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.jsonl", [AT - 100 * MINUTE, AT])

    assert unknown(ask(log, 3 * HOUR, HOUR)) == [0]
    # A row before the time that is asked about is enough to know that nothing happened since.
    assert unknown(ask(log, HOUR, 5 * MINUTE)) == []


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_rows_before_and_after_the_time_make_its_silence_known(tmp_path: Path, form: str) -> None:
    log = log_of(tmp_path / f"a.{form}", [AT - 9 * HOUR, AT - 5 * HOUR, AT + HOUR])

    assert ask(log, 3 * HOUR, HOUR).total == (0.0, 0.0, 0.0)


def test_a_time_without_rows_that_usually_has_many_is_unknown(tmp_path: Path) -> None:
    moments = [m for m in requests(busy, 2, even=True) if not AT - 9 * HOUR < m <= AT - 5 * HOUR]
    log = log_of(tmp_path / "a.jsonl", moments)

    assert unknown(ask(log, 2 * HOUR, HOUR, at=AT - 6 * HOUR)) == [0, 1]


def test_of_a_single_row_the_rate_is_not_known(tmp_path: Path) -> None:
    log = log_of(tmp_path / "a.jsonl", [AT - 2 * HOUR])

    assert unknown(ask(log, HOUR, HOUR, at=AT, max_age=3 * HOUR)) == []
    assert unknown(ask(log, HOUR, HOUR, at=AT)) == [0]


@pytest.mark.parametrize(
    ("max_age", "expected"), [(0, [9, 10, 11]), (5, [10, 11]), (9, [11]), (14, [])]
)
def test_after_the_newest_row_silence_is_believed_as_long_as_a_sample_may_be_old(
    tmp_path: Path, max_age: int, expected: list[int]
) -> None:
    log = log_of(tmp_path / "a.jsonl", [AT - 2 * HOUR, AT - 16 * MINUTE])

    assert unknown(ask(log, HOUR, 5 * MINUTE, max_age=(max_age + 2) * MINUTE)) == expected


def test_the_newest_row_is_that_of_the_log_and_not_of_the_events(tmp_path: Path) -> None:
    rows = [
        {"ts": (AT - HOUR * n / 4).isoformat(), "status": 200, "ours": n > 6} for n in range(13)
    ]
    log = write(tmp_path / "a.jsonl", rows)
    history = history_of(open_backend(settings(log), LIMITS))
    assert history is not None
    sli = type(FAILED)(bad=FAILED.bad, total="ours")

    (series,) = history.history([SeriesRequest(sli=sli, span=Span(AT - 3 * HOUR, AT), step=HOUR)])

    assert isinstance(series, Series)
    assert series.total == (4.0, 1.0, 0.0)


def test_a_log_without_a_row_knows_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ts,status\n")
    write(tmp_path / "b.parquet", [{"ts": AT.isoformat(), "status": 200}])
    import duckdb  # noqa: PLC0415

    empty = tmp_path / "empty.parquet"
    duckdb.execute(f"COPY (SELECT * FROM '{tmp_path}/b.parquet' LIMIT 0) TO '{empty}'")

    assert unknown(ask(empty, 3 * HOUR, HOUR)) == [0, 1, 2]
