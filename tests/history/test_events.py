"""The past of anything with a budget: what is asked for, what it comes to, and what leaves it."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest

from gate.history.events import as_events, past_coverage, past_request, whole_steps, window_recovery
from gate.measure.history import Measured, Series, SeriesRequest
from gate.slo.calendar import Period
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import CalendarWindow, RatioSlo, RollingWindow, Span, SpendSlo
from tests.budget.building import counts, ratio

AT = datetime(2026, 11, 20, 14, 12, tzinfo=UTC)
"""Two minutes after a bound of five."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
EVENTS = RatioSlo(
    name="a", window=RollingWindow(HOUR), sli=Sli(bad="b", total="t"), objective=Fraction(9, 10)
)
SLICED = RatioSlo(
    name="s",
    window=RollingWindow(HOUR),
    sli=Sli(gauge="up"),
    objective=Fraction(9, 10),
    slices=Slices(length=2 * MINUTE, target=Fraction(1)),
)
MONEY = SpendSlo(
    name="m",
    window=CalendarWindow(Period.MONTH, UTC),
    sli=Sli(spent="usd"),
    allowance=Fraction(720),
    unit="USD",
)


def series(
    total: list[float | None], bad: list[float | None], measured: Measured | None = None
) -> Series:
    return Series(total=tuple(total), bad=tuple(bad), query="asked", measured=measured)


@pytest.mark.parametrize(
    ("slo", "step", "first", "steps"),
    [
        (EVENTS, 5 * MINUTE, -2, 13),
        # Slices of two minutes fit into six, of which a whole number is since 1970 at 13:12.
        (SLICED, 6 * MINUTE, 0, 10),
        (MONEY, 5 * MINUTE, -2, 13),
    ],
)
def test_what_is_requested_begins_on_the_clock_and_ends_now(
    slo: RatioSlo | SpendSlo, step: timedelta, first: int, steps: int
) -> None:
    request = past_request(slo, Span(AT - HOUR, AT), 5 * MINUTE, max_age=MINUTE, mean=True)

    assert (request.step, request.steps) == (step, steps)
    assert request.span == Span(AT - HOUR + first * MINUTE, AT)
    assert request.mean is (slo is EVENTS)
    assert (request.amount, request.max_age) == (slo is MONEY, MINUTE)


def test_a_share_of_all_slices_may_be_bad_also_of_those_without_events() -> None:
    request = past_request(SLICED, Span(AT - 16 * MINUTE, AT), 6 * MINUTE, max_age=MINUTE)
    assert request.span.start == AT - 18 * MINUTE
    late = SeriesRequest(
        sli=SLICED.sli, span=Span(request.span.start, AT + 3 * MINUTE), step=6 * MINUTE
    )

    told = as_events(SLICED, series([3, 0, None, 1], [1, 0, None, 0]), late)

    # Three slices end in six minutes, and one in the three that have passed of the newest step.
    assert list(told.total) == [3, 3, None, 1]
    assert list(told.bad) == [1, 0, None, 0]


def test_an_allowance_is_granted_at_an_even_pace() -> None:
    request = past_request(MONEY, Span(AT - HOUR, AT), HOUR, max_age=MINUTE)

    told = as_events(MONEY, series([7, 0], [7, 0]), request)

    # November has 720 hours; twelve minutes of the newest have passed.
    assert told.total == pytest.approx((1, 0.2))
    assert list(told.bad) == [7, 0]


def test_what_compares_steps_leaves_out_what_is_only_a_part_of_one() -> None:
    request = past_request(EVENTS, Span(AT - 12 * MINUTE, AT), 5 * MINUTE, max_age=MINUTE)
    measured = Measured(sums=(1.0, 2.0, 3.0), events=(1.0, 1.0, 1.0))
    told = series([10, 20, 2], [1, 2, 0], measured)

    whole, asked_for = whole_steps(told, request)

    assert (whole.total, whole.bad) == ((10, 20), (1, 2))
    assert whole.measured == Measured(sums=(1.0, 2.0), events=(1.0, 1.0))
    assert asked_for.span == Span(AT - 12 * MINUTE, AT - 2 * MINUTE)
    assert whole_steps(whole, asked_for) == (whole, asked_for)


@pytest.mark.parametrize(
    ("slo", "totals", "share"),
    [
        (EVENTS, [10.0] * 13, 1),
        # Of a part of a step nothing need be known yet; of ten events none at all is no sign.
        (EVENTS, [*[10.0] * 12, None], 1),
        (EVENTS, [*[0.5] * 5, None, *[0.5] * 7], 1),
        (EVENTS, [*[10.0] * 5, None, None, *[10.0] * 6], Fraction(11, 13)),
        # A slice, or an amount, that is not known is missing however few there are.
        (MONEY, [*[0.5] * 5, None, None, *[0.5] * 6], Fraction(11, 13)),
    ],
)
def test_how_much_is_known_is_reported_by_what_is_usual(
    slo: RatioSlo | SpendSlo, totals: list[float | None], share: Fraction
) -> None:
    request = past_request(slo, Span(AT - HOUR, AT), 5 * MINUTE, max_age=MINUTE)
    told = series(totals, [None if one is None else 0.0 for one in totals])

    assert past_coverage(slo, told, request, Span(AT - HOUR, AT)).share == share


@pytest.mark.parametrize(
    ("counted", "after_one"),
    [(12, Fraction(4, 10)), (10, Fraction(4, 10)), (7, Fraction(4, 7)), (4, 1)],
)
def test_of_the_oldest_step_only_what_is_in_the_window_still_has_to_leave_it(
    counted: int, after_one: Fraction
) -> None:
    # Three of the oldest step's five minutes are in the hour before now, with as many of its 6 bad
    # events as the budget has beside the newest step's 4.
    request = past_request(EVENTS, Span(AT - HOUR, AT), 5 * MINUTE, max_age=MINUTE)
    told = series([10.0] * 13, [6.0, *[0.0] * 11, 4.0])
    assessment = ratio(counts(bad=counted, total=130))

    coming = window_recovery(EVENTS, assessment, told, request)

    assert coming is not None
    assert [coming.left[0], coming.left[-2]] == [after_one] * 2
    assert coming.left[-1] == 0
    assert coming.at + coming.step == AT + 3 * MINUTE
    assert len(coming.left) == 13


def test_what_was_spent_leaves_the_window_like_any_other_event() -> None:
    money = SpendSlo(
        name="m", window=RollingWindow(HOUR), sli=MONEY.sli, allowance=Fraction(100), unit=""
    )
    request = past_request(money, Span(AT - HOUR, AT), 5 * MINUTE, max_age=MINUTE)
    spent: list[float | None] = [0.0, 30.0, *[0.0] * 10, 10.0]
    assessment = ratio(counts(bad=1, total=10))

    coming = window_recovery(money, assessment, series(spent, spent), request)

    assert coming is not None
    assert list(coming.left[:3]) == [1, Fraction(1, 4), Fraction(1, 4)]
