"""The sums of a history's steps at an instant, by arithmetic alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from gate.budget.assessment import Assessment
from gate.history.events import past_request
from gate.history.past_instants import BudgetAtInstants
from gate.measure import Cause
from gate.measure.history import Series
from gate.slo.indicator import Sli
from gate.slo.objective import RatioSlo, RollingWindow, Span, SpendSlo
from tests.budget.building import AT, DAY, GUARDS, HOUR, MINUTE, MONTH, ratio_slo

WEEK = ratio_slo("0.9", window=RollingWindow(7 * DAY))
MONEY = SpendSlo(name="m", window=WEEK.window, sli=Sli(spent="s"), allowance=Fraction(50), unit="")


def past(
    slo: RatioSlo | SpendSlo, *days: tuple[float, float] | None, at: datetime = AT
) -> BudgetAtInstants:
    """Return the past of so many days, the newest of which ends at an instant."""
    request = past_request(slo, Span(at - len(days) * DAY, at), DAY, max_age=GUARDS.max_age)
    request = replace(request, span=Span(at - len(days) * DAY, at))
    known = [day or (None, None) for day in days]
    series = Series(
        total=tuple(total for total, _ in known), bad=tuple(bad for _, bad in known), query="asked"
    )
    return BudgetAtInstants(slo, series, request, guards=GUARDS)


def at(budget: BudgetAtInstants, days_ago: int) -> Assessment:
    then = budget.at(AT - days_ago * DAY)
    assert then is not None
    return then


def test_a_window_moves_with_the_instant() -> None:
    # A tenth of 7,000 events may fail; 350 do on the second of nine days.
    budget = past(WEEK, (1000, 0), (1000, 350), *[(1000, 0)] * 7)

    assert [at(budget, ago).remaining for ago in (2, 1, 0)] == [Fraction(1, 2), Fraction(1, 2), 1]
    assert at(budget, 2).total == 7000
    assert budget.at(AT - 3 * DAY) is None
    assert budget.at(AT - 1 * DAY - HOUR) is None


def test_parts_of_events_add_up_exactly() -> None:
    budget = past(WEEK, *[(0.1, 0.1)] * 7)

    assert at(budget, 0).total == Fraction(7, 10)


def test_what_was_forgotten_since_is_not_told_as_if_it_had_never_been() -> None:
    budget = past(WEEK, None, None, *[(1000, 1)] * 8)

    assert budget.at(AT - 2 * DAY) is None
    assert at(budget, 1).total == 7000


def test_a_calendar_budget_is_reported_although_its_data_begin_late() -> None:
    start = MONTH.whole(AT).start
    slo = ratio_slo(window=MONTH)
    budget = past(slo, None, *[(1000, 1)] * 9, at=start + 10 * DAY)

    then = budget.at(start + 4 * DAY)
    assert then is not None
    assert (then.total, then.bad) == (Fraction(3000), Fraction(3))
    assert [doubt.cause for doubt in then.doubts] == [Cause.LOW_COVERAGE]
    assert budget.at(start + 4 * DAY + HOUR) is None  # within a step


@pytest.mark.parametrize(("slo", "day"), [(WEEK, (1000, 1)), (MONEY, (1, 1))])
def test_where_half_is_a_hole_nothing_is_left_to_say(
    slo: RatioSlo | SpendSlo, day: tuple[float, float]
) -> None:
    budget = past(slo, day, *[None] * 5, day)

    then = at(budget, 0)
    assert then.uncovered is not None
    assert Cause.MOSTLY_UNCOVERED in [doubt.cause for doubt in then.doubts]


def test_what_is_old_is_reported_to_be_so() -> None:
    budget = past(WEEK, *[(1000, 1)] * 7, None)

    assert [doubt.cause for doubt in at(budget, 1).doubts] == []
    assert Cause.STALE in [doubt.cause for doubt in at(budget, 0).doubts]


def test_without_any_event_there_is_no_budget() -> None:
    assert [doubt.cause for doubt in at(past(WEEK, *[(0, 0)] * 7), 0).doubts] == [Cause.NO_TRAFFIC]


def test_before_anything_is_known_there_is_none_either() -> None:
    start = MONTH.whole(AT).start
    budget = past(ratio_slo(window=MONTH), None, None, (1000, 1), at=start + 3 * DAY)
    then = budget.at(start + 2 * DAY)

    assert then is not None
    assert [doubt.cause for doubt in then.doubts] == [Cause.NO_DATA]
    assert budget.ratio_at(start + 2 * DAY) is None


def test_an_allowance_is_reported_by_what_was_spent() -> None:
    budget = past(MONEY, *[(5, 5)] * 8)

    assert at(budget, 0).spent == 35
    assert at(budget, 0).remaining == Fraction(3, 10)


def test_instants_are_ordered_by_what_is_consumed() -> None:
    week = past(WEEK, (1000, 0), (1000, 350), *[(1000, 0)] * 7)
    start = MONTH.whole(AT).start
    month = past(ratio_slo(window=MONTH), *[(1000, 1)] * 4, at=start + 4 * DAY)

    assert [week.ratio_at(AT - ago * DAY) for ago in (2, 1, 0)] == [0.05, 0.05, 0]
    assert week.ratio_at(AT - 3 * DAY) is None
    assert past(WEEK, *[(0, 0)] * 7).ratio_at(AT) is None
    assert past(MONEY, *[(5, 5)] * 7).ratio_at(AT) == 35
    # The same ratio takes more of a month the more of it has passed.
    rates = [month.ratio_at(start + n * DAY) or 0 for n in (1, 2, 4)]
    assert rates == pytest.approx([rates[0], 2 * rates[0], 4 * rates[0]])


def test_the_newest_step_may_be_a_part_of_one() -> None:
    end = AT + 20 * MINUTE
    request = replace(
        past_request(WEEK, Span(AT - 7 * DAY, end), HOUR, max_age=timedelta()),
        span=Span(AT - 7 * DAY, end),
    )
    steps = request.steps
    series = Series(total=(10.0,) * steps, bad=(1.0,) * steps, query="asked")
    budget = BudgetAtInstants(WEEK, series, request, guards=GUARDS)

    assert steps == 7 * 24 + 1
    assert budget.at(AT) is not None
    assert budget.at(end) is None  # its window begins within a step
