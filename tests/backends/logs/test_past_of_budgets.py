"""Slices and amounts by step: they add up to what is counted over the whole."""

import random
from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from gate.backends import open_backend
from gate.measure import Answer, Cause, CountRequest, Counts, Limits, Spent, Unmeasured
from gate.measure.capabilities import history_of
from gate.measure.history import Series, SeriesAnswer, SeriesRequest, on_the_clock
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import Span
from tests.backends.logs.written import AT, DAY, FAILED, before, settings, write, write_parquet

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
LIMITS = Limits(timeout=timedelta(seconds=60))
COST = Sli(spent="cost")


def both(
    log: Path, span: Span, step: timedelta, sli: Sli = FAILED, slices: Slices | None = None
) -> tuple[SeriesAnswer, Answer]:
    """Return the history of a stretch, and its count."""
    backend = open_backend(settings(log), LIMITS)
    history = history_of(backend)
    assert history is not None
    amount = sli.spent is not None
    (series,) = history.history(
        [SeriesRequest(sli=sli, span=span, step=step, slices=slices, amount=amount, max_age=DAY)]
    )
    request = CountRequest(sli=sli, span=span, slices=slices, amount=amount)
    return series, backend.measure([request], span.end)[0]


def added(values: Sequence[float | None]) -> Fraction:
    """Add up what each step says, as the decimal that it stands for."""
    return sum((Fraction(repr(value)) for value in values if value is not None), Fraction(0))


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_slice_belongs_to_the_step_in_which_it_ends(tmp_path: Path, form: str) -> None:
    slices = Slices(length=5 * MINUTE, target=Fraction(9, 10))
    rows = [
        {"ts": before(0), "status": 500},  # on the end of the last slice
        {"ts": before(15 * 60), "status": 500},  # on the end of the first step
        {"ts": before(15 * 60 - 1), "status": 200},
        {"ts": before(29 * 60), "status": 200},
        {"ts": before(30 * 60), "status": 500},  # before the time
    ]
    log = write(tmp_path / f"a.{form}", rows)

    series, count = both(log, Span(AT - 30 * MINUTE, AT), 15 * MINUTE, slices=slices)

    assert isinstance(series, Series)
    assert (series.total, series.bad) == ((2.0, 2.0), (1.0, 1.0))
    assert isinstance(count, Counts)
    assert [count.total, count.bad] == [4, 2]


@pytest.mark.parametrize(
    ("empty", "total", "bad"),
    [
        (EmptySlice.LEFT_OUT, (None, 1.0, 0.0), (None, 1.0, 0.0)),
        (EmptySlice.GOOD, (2.0, 2.0, 1.0), (0.0, 1.0, 0.0)),
        (EmptySlice.BAD, (2.0, 2.0, 1.0), (2.0, 2.0, 1.0)),
    ],
)
def test_slices_without_events_count_as_the_policy_says(
    tmp_path: Path, empty: EmptySlice, total: tuple[float, ...], bad: tuple[float, ...]
) -> None:
    # Twelve minutes: steps of five, the newest a part of one, in which one whole slice ends.
    slices = Slices(length=2.5 * MINUTE, target=Fraction(1), empty=empty)
    at = AT + 4 * MINUTE
    log = write(tmp_path / "a.jsonl", [{"ts": before(240), "status": 500}, {"ts": before(-241)}])

    series, _ = both(log, Span(AT - 10 * MINUTE, at), 5 * MINUTE, slices=slices)

    assert isinstance(series, Series)
    assert (series.total, series.bad) == (total, bad)


@pytest.mark.slow
@hypothesis_settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(-300, 4_000), st.booleans()), min_size=1, max_size=60),
    minutes=st.integers(1, 9),
    slices_of_a_step=st.integers(1, 4),
    empty=st.sampled_from(EmptySlice),
    late=st.integers(0, 1_000),
    on_clock=st.booleans(),
)
def test_the_slices_of_all_steps_are_those_of_the_whole(
    *,
    rows: list[tuple[int, bool]],
    minutes: int,
    slices_of_a_step: int,
    empty: EmptySlice,
    late: int,
    on_clock: bool,
) -> None:
    slices = Slices(length=minutes * MINUTE, target=Fraction(2, 3), empty=empty)
    step = slices_of_a_step * slices.length
    written = [{"ts": before(second), "status": 500 if bad else 200} for second, bad in rows]
    span = Span(AT - HOUR, AT + timedelta(seconds=late))
    with TemporaryDirectory() as folder:
        log = write(Path(folder) / "a.jsonl", written)
        series, count = both(
            log, on_the_clock(span, step) if on_clock else span, step, slices=slices
        )

    assert isinstance(series, Series)
    expected = [count.total, count.bad] if isinstance(count, Counts) else [Fraction(0)] * 2
    assert [added(series.total), added(series.bad)] == expected


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_what_is_spent_is_reported_by_step_and_adds_up_to_the_whole(
    tmp_path: Path, form: str
) -> None:
    rng = random.Random(form)
    cents = [rng.randrange(1, 10**7) for _ in range(3_000)]
    rows = [{"ts": before(n * 29), "cost": cost / 10**6} for n, cost in enumerate(cents)]
    log = write(tmp_path / f"a.{form}", rows)

    series, spent = both(log, Span(AT - DAY, AT), HOUR, COST)

    assert isinstance(series, Series)
    assert series.total == series.bad
    by_hour = [Fraction(0)] * 24
    for n, cost in enumerate(cents):
        if n * 29 < 24 * 3600:
            by_hour[23 - n * 29 // 3600] += Fraction(cost, 10**6)
    assert [Fraction(repr(amount)) for amount in series.total] == by_hour
    assert isinstance(spent, Spent)
    assert spent.amount == sum(by_hour)


@pytest.mark.parametrize(
    ("kind", "values"),
    [("DECIMAL(18,6)", ["0.000001", "1234.567890"]), ("BIGINT", ["123456789012", "1"])],
)
def test_amounts_of_exact_types_are_reported_exactly(
    tmp_path: Path, kind: str, values: list[str]
) -> None:
    rows = [{"ts": before(1 + n * 3600), "cost": value} for n, value in enumerate(values)]
    log = write_parquet(tmp_path / "a.parquet", rows, {"cost": kind})

    series, spent = both(log, Span(AT - 2 * HOUR, AT), HOUR, COST)

    assert isinstance(series, Series)
    assert [Fraction(repr(amount)) for amount in series.bad] == [*map(Fraction, values[::-1])]
    assert isinstance(spent, Spent)
    assert spent.amount == added(series.total)


def test_the_order_in_which_fractions_are_added_makes_no_difference(tmp_path: Path) -> None:
    amounts = [0.1, 1e11, 0.2, -0.0, 3e-7, 2.0**41, 0.7]
    spans = []
    for name, chosen in (("a", amounts), ("b", amounts[::-1])):
        rows = [{"ts": before(n), "cost": amount} for n, amount in enumerate(chosen)]
        _, spent = both(write(tmp_path / f"{name}.jsonl", rows), Span(AT - DAY, AT), DAY, COST)
        assert isinstance(spent, Spent)
        spans.append(spent.amount)

    assert spans[0] == spans[1] == Fraction(repr(0.1 + 1e11 + 0.2 + 3e-7 + 2.0**41 + 0.7))


def test_a_step_without_an_amount_spent_nothing(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"ts": before(60), "cost": 1.5},
        {"ts": before(4_000), "cost": None},
        {"ts": before(10_000), "cost": 2},
    ]
    series, _ = both(write(tmp_path / "a.jsonl", rows), Span(AT - 4 * HOUR, AT), HOUR, COST)

    assert isinstance(series, Series)
    assert series.total == (None, 2.0, 0.0, 1.5)


@pytest.mark.parametrize(
    ("costs", "cause", "reason"),
    [
        ([None, None], Cause.NO_DATA, "spent is NULL in all 2 rows"),
        ([5, -1], Cause.INVALID, "spent is below zero in some row; an amount must be 0 or more"),
    ],
)
def test_what_is_not_an_amount_has_no_history(
    tmp_path: Path, costs: list[float | None], cause: Cause, reason: str
) -> None:
    rows = [{"ts": before(600 * n), "cost": cost} for n, cost in enumerate(costs)]
    log = write(tmp_path / "a.csv", [*rows, {"ts": before(9_000), "cost": 1}])

    series, spent = both(log, Span(AT - HOUR, AT), HOUR / 2, COST)

    assert isinstance(series, Unmeasured)
    assert (series.cause, series.reason) == (cause, reason)
    assert isinstance(spent, Unmeasured)
    assert spent.cause is cause
