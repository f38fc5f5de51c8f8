"""Histories that are counted in request logs."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.backends import open_backend
from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Records
from gate.measure import Cause, Limits, Unmeasured
from gate.measure.capabilities import history_of
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.logs.written import AT, DAY, FAILED, before, write

HOUR = timedelta(hours=1)
LIMITS = Limits(timeout=timedelta(seconds=60))


def ask(
    path: Path, *asked: tuple[Sli, timedelta, timedelta], mean: bool = False
) -> list[SeriesAnswer]:
    settings = LogsSettings(path=path.name, directory=path.parent, records=Records(timestamp="ts"))
    history = history_of(open_backend(settings, LIMITS))
    assert history is not None
    return history.history(
        [
            SeriesRequest(sli=sli, span=Span(AT - window, AT), step=step, mean=mean)
            for sli, window, step in asked
        ]
    )


def series(answer: SeriesAnswer) -> Series:
    assert isinstance(answer, Series), answer
    return answer


def row(ago: timedelta, status: int = 200, ms: int = 5) -> dict[str, object]:
    return {"ts": before(ago.total_seconds()), "status": status, "ms": ms}


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_step_leaves_its_start_out_and_includes_its_end(tmp_path: Path, form: str) -> None:
    rows = [
        row(3 * HOUR),  # on the span's start: before it
        row(2 * HOUR, 500),  # on the end of the first step
        row(2 * HOUR - timedelta(seconds=1)),
        row(timedelta(0), 503),  # on the span's end
        row(-HOUR, 500),  # after it
    ]
    log = write(tmp_path / f"requests.{form}", rows)

    found = series(ask(log, (FAILED, 3 * HOUR, HOUR))[0])

    assert found.total == (1.0, 1.0, 1.0)
    assert found.bad == (1.0, 0.0, 1.0)


def test_several_indicators_spans_and_steps_are_reported_each_by_itself(tmp_path: Path) -> None:
    rows = [row(timedelta(minutes=m), 500 if m % 30 == 0 else 200, m) for m in range(240)]
    log = write(tmp_path / "requests.jsonl", rows)
    slow = Sli(column="ms", threshold=119, total="status = 200")  # type: ignore[arg-type]  # whole

    failed, late, short = ask(
        log, (FAILED, 4 * HOUR, HOUR), (slow, 4 * HOUR, HOUR), (FAILED, HOUR, HOUR / 2)
    )

    assert series(failed).bad == (2.0, 2.0, 2.0, 2.0)
    assert series(late).bad == (58.0, 58.0, 0.0, 0.0)
    assert series(late).total == (58.0, 58.0, 58.0, 58.0)
    assert series(short).bad == (1.0, 1.0)


@pytest.mark.slow
@given(st.lists(st.tuples(st.integers(0, 86_399), st.booleans()), max_size=40))
def test_the_steps_add_up_to_the_rows_of_the_span(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, bool]]
) -> None:
    log = write(
        tmp_path_factory.mktemp("logs") / "requests.jsonl",
        [row(timedelta(seconds=s), 500 if failed else 200) for s, failed in rows] or [row(2 * DAY)],
    )

    found = series(ask(log, (FAILED, DAY, HOUR))[0])

    assert sum(total or 0 for total in found.total) == len(rows)
    assert sum(bad or 0 for bad in found.bad) == sum(failed for _, failed in rows)


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("bad", "reason"),
    [("statuss >= 500", "statuss"), ("status::VARCHAR::DATE > DATE '2026-01-01'", "DATE")],
)
def test_what_spoils_one_history_spoils_no_other(tmp_path: Path, bad: str, reason: str) -> None:
    log = write(tmp_path / "requests.jsonl", [row(HOUR / 2, 500)])

    spoilt, fine = ask(log, (Sli(bad=bad), HOUR, HOUR), (FAILED, HOUR, HOUR))

    assert isinstance(spoilt, Unmeasured)
    assert reason in spoilt.reason or spoilt.cause is Cause.INVALID
    assert series(fine).bad == (1.0,)


def test_rows_without_a_readable_time_are_in_no_step(tmp_path: Path) -> None:
    log = write(tmp_path / "requests.jsonl", [row(HOUR), {"ts": "yesterday", "status": 500}])

    (found,) = ask(log, (FAILED, DAY, HOUR))

    assert isinstance(found, Unmeasured)
    assert "no readable timestamp" in found.reason


def test_a_file_without_the_key_is_no_history_of_it(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [row(HOUR, 500)])
    write(tmp_path / "b.jsonl", [{"ts": before(60), "code": 200}])

    (found,) = ask(tmp_path / "*.jsonl", (FAILED, DAY, HOUR))

    assert isinstance(found, Unmeasured)
    assert found.cause is Cause.INVALID


LATE = Sli(column="ms", threshold=119, total="status = 200")  # type: ignore[arg-type]  # whole


@pytest.mark.variants(1)
@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_the_mean_of_a_column_is_of_the_events_that_have_a_value(tmp_path: Path, form: str) -> None:
    rows = [
        row(HOUR / 2, 200, 100),
        row(HOUR / 3, 200, 50),
        row(HOUR / 4, 500, 9_999),  # no event
        {**row(HOUR / 5), "ms": None},  # an event of which nothing was measured
        {**row(3 * HOUR / 2), "ms": None},
    ]
    log = write(tmp_path / f"requests.{form}", rows)

    late, failed = ask(log, (LATE, 3 * HOUR, HOUR), (FAILED, 3 * HOUR, HOUR), mean=True)

    assert series(late).measured == Measured(sums=(None, None, 150.0), events=(None, None, 2))
    assert series(late).total == (None, 1.0, 3.0)
    assert series(failed).measured is None


def test_no_mean_is_reported_where_none_was_requested(tmp_path: Path) -> None:
    log = write(tmp_path / "requests.jsonl", [row(HOUR / 2)])

    assert series(ask(log, (LATE, HOUR, HOUR))[0]).measured is None


def test_a_value_without_end_spoils_the_mean_and_not_the_counts(tmp_path: Path) -> None:
    rows = [{**row(HOUR / 2), "ms": value} for value in (1.5, float("nan"), 200.0)]
    log = write(tmp_path / "requests.parquet", rows)

    found = series(ask(log, (LATE, HOUR, HOUR), mean=True)[0])

    assert isinstance(found.measured, Unmeasured)
    assert found.measured.cause is Cause.INVALID
    assert found.total == (3.0,)
