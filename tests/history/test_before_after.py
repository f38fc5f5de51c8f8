"""Failures before and after a deploy: which steps are compared, and what may be said of them."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from gate.history.before_after import BeforeAfter, Difference, before_and_after
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span

START = datetime(2026, 11, 1, tzinfo=UTC)
STEP = timedelta(minutes=5)
SECOND = timedelta(seconds=1)
EVENTS = 1000.0
"""In each step."""


def compare(
    bad: Sequence[float | None],
    deployed: datetime,
    until: datetime | None = None,
    end: timedelta = timedelta(),
) -> BeforeAfter | None:
    span = Span(START, START + len(bad) * STEP - end)
    request = SeriesRequest(sli=Sli(bad="b", total="t"), span=span, step=STEP)
    total = tuple(None if value is None else EVENTS for value in bad)
    series = Series(total=total, bad=tuple(bad), query="q")
    return before_and_after("a", series, request, deployed, until or span.end)


def compared(*args: object, **fields: object) -> BeforeAfter:
    both = compare(*args, **fields)  # type: ignore[arg-type]  # as of `compare`
    assert both is not None
    return both


def at(step: float) -> datetime:
    return START + step * STEP


@pytest.mark.parametrize(
    ("deployed", "before", "since"),
    [
        (at(6), (at(2), at(6)), (at(6), at(10))),  # on a bound: no step is the deploy's
        (at(5.5), (at(1), at(5)), (at(6), at(10))),
        (at(6) - SECOND, (at(1), at(5)), (at(6), at(10))),
        (at(2), (at(0), at(2)), (at(2), at(4))),  # no more before it was looked at
    ],
)
def test_as_much_time_is_compared_before_and_since(
    deployed: datetime, before: tuple[datetime, datetime], since: tuple[datetime, datetime]
) -> None:
    both = compared([float(place) for place in range(10)], deployed)

    assert (both.before_span, both.since_span) == (Span(*before), Span(*since))
    for counts, (start, end) in ((both.before, before), (both.since, since)):
        places = range((start - START) // STEP, (end - START) // STEP)
        assert counts == (EVENTS * len(places), sum(places))


def test_the_next_deploy_ends_the_comparison() -> None:
    both = compared([1.0] * 20, at(8), until=at(11.5))

    assert both.since_span == Span(at(8), at(11))
    assert both.before_span == Span(at(5), at(8))


@pytest.mark.parametrize("deployed", [at(9.5), at(10), at(0), at(0.5)])
def test_without_a_whole_step_on_both_sides_there_is_nothing_to_compare(
    deployed: datetime,
) -> None:
    assert compare([1.0] * 10, deployed) is None


def test_a_step_that_is_not_over_belongs_to_the_time_since() -> None:
    # The newest step is a part of one, as the run found it: it has been seen to its end.
    both = compared([1.0] * 10, at(5), end=2 * SECOND)

    assert both.since_span.end == at(10) - 2 * SECOND


@pytest.mark.parametrize(
    ("before", "since", "difference"),
    [
        (2, 20, Difference.WORSE),
        (20, 2, Difference.BETTER),
        (20, 20, Difference.ALIKE),
        (0, 20, Difference.WORSE),
        (20, 0, Difference.BETTER),
        (0, 0, Difference.UNKNOWN),
    ],
)
def test_what_may_be_said_of_even_failures(
    before: float, since: float, difference: Difference
) -> None:
    both = compared([before] * 30 + [since] * 30, at(30))

    assert both.difference is difference
    low, high = both.interval
    if difference is not Difference.UNKNOWN:
        assert both.ratio is not None
        assert low <= both.ratio <= high


@pytest.mark.parametrize(
    ("bad", "known"),
    [
        ([0.0] * 20 + [0.5] * 20, True),  # 10 failures
        ([0.0] * 20 + [0.5] * 18 + [0.0] * 2, False),  # 9
        ([5.0] * 20 + [None] * 10 + [5.0] * 10, True),  # 10 steps with events
        ([5.0] * 20 + [None] * 11 + [5.0] * 9, False),
    ],
)
def test_of_too_little_it_cannot_be_told_yet(bad: list[float | None], *, known: bool) -> None:
    both = compared(bad, at(20))

    assert (both.difference is not Difference.UNKNOWN) is known
    if not known:
        assert both.ratio is None


def test_a_single_burst_is_less_evidence_than_as_many_failures_here_and_there() -> None:
    even = compared([5.0] * 60 + [10.0] * 60, at(60))
    burst = compared([5.0] * 60 + [5.0] * 59 + [305.0], at(60))

    assert even.since == burst.since
    assert even.difference is Difference.WORSE
    assert burst.difference is Difference.ALIKE
    assert burst.interval[0] < even.interval[0] < even.interval[1] < burst.interval[1]


@pytest.mark.slow
def test_where_nothing_changed_a_difference_is_rarely_seen() -> None:
    rng = random.Random(5)
    seen = 0
    for _ in range(300):
        bad = [float(sum(rng.random() < 0.004 for _ in range(1000))) for _ in range(24)]
        seen += compared(bad, at(12)).difference in {Difference.WORSE, Difference.BETTER}

    # 95% intervals: 15 of 300 are expected, and 28 are 3.4 standard deviations above that.
    assert seen <= 28
