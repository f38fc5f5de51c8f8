"""The requests for a history that shows what was left of a budget at instants of the past."""

from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from gate.budget.coverage import Guards
from gate.history.burn_down_plan import BurnDownPlan, plan_burn_down
from gate.slo.calendar import Period
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import (
    CalendarWindow,
    CompositeSlo,
    Member,
    RollingWindow,
    Slo,
    Span,
    SpendSlo,
    Window,
)
from tests.budget.building import AT, BERLIN, DAY, HOUR, MINUTE, MONTH, ratio_slo

AGE = 10 * MINUTE
GUARDS = Guards(max_age=AGE, min_coverage=Fraction(9, 10))
KOLKATA = ZoneInfo("Asia/Kolkata")


def planned(
    slo: Slo, at: datetime = AT, last: timedelta | None = None, *others: Slo
) -> BurnDownPlan:
    plan = plan_burn_down(slo, {one.name: one for one in others}, at, guards=GUARDS, last=last)
    assert plan is not None
    return plan


def rolling(length: timedelta) -> Slo:
    return ratio_slo(window=RollingWindow(length))


@pytest.mark.parametrize(
    ("length", "step"),
    [
        (30 * DAY, HOUR),
        (28 * DAY, HOUR),
        (7 * DAY, 15 * MINUTE),
        (90 * DAY, 3 * HOUR),
        (365 * DAY, 24 * HOUR),
        (6 * HOUR, 5 * MINUTE),
        (90 * MINUTE, 5 * MINUTE),
        (10 * MINUTE, MINUTE),
        (17 * MINUTE, MINUTE),
        (100 * MINUTE, 5 * MINUTE),
    ],
)
def test_a_rolling_window_is_made_of_whole_steps_and_needs_one_window_more(
    length: timedelta, step: timedelta
) -> None:
    plan = planned(rolling(length))
    (request,) = plan.requests.values()

    assert (plan.span, plan.step) == (Span(AT - length, AT), step)
    assert not length % plan.step
    assert request.span.end == AT
    assert timedelta() <= AT - 2 * length - request.span.start < plan.step
    assert request.max_age == AGE


def test_a_longer_look_back_needs_that_and_one_window_in_no_more_steps_than_a_server_bears() -> (
    None
):
    month, short = planned(rolling(7 * DAY), AT, 30 * DAY), planned(rolling(HOUR), AT, 300 * DAY)

    assert (month.span.length, month.step) == (30 * DAY, 15 * MINUTE)
    assert month.requests["availability"].span.length == 37 * DAY
    assert short.step == HOUR


@pytest.mark.parametrize(
    ("window", "step"),
    [
        (MONTH, HOUR),
        (BERLIN, HOUR),
        (CalendarWindow(Period.MONTH, KOLKATA), 30 * MINUTE),
        (CalendarWindow(Period.QUARTER, ZoneInfo("UTC")), 2 * HOUR),
        (CalendarWindow(Period.QUARTER, ZoneInfo("Asia/Kathmandu")), 15 * MINUTE),
        (CalendarWindow(Period.YEAR, ZoneInfo("Europe/Berlin")), HOUR),
        (
            CalendarWindow.beginning(
                Period.WEEK,
                ZoneInfo("UTC"),
                datetime(2026, 1, 1, 9, 7),  # noqa: DTZ001 - local time
            ),
            MINUTE,
        ),
    ],
)
def test_a_calendar_period_begins_with_a_step(window: Window, step: timedelta) -> None:
    plan = planned(ratio_slo(window=window))
    (request,) = plan.requests.values()

    assert plan.step == step
    assert plan.span == request.span == window.counted(AT)


def test_of_a_calendar_period_no_more_is_shown_than_is_looked_back() -> None:
    plan = planned(ratio_slo(window=MONTH), AT, 3 * DAY)

    assert plan.span == Span(AT - 3 * DAY, AT)
    assert plan.requests["availability"].span == MONTH.counted(AT)


def test_steps_are_made_of_whole_slices() -> None:
    week, minutes = RollingWindow(7 * DAY), Slices(length=7 * MINUTE, target=Fraction(1))

    assert planned(ratio_slo(window=week, slices=minutes)).step == 14 * MINUTE
    assert (
        planned(ratio_slo(window=week, slices=replace(minutes, length=20 * MINUTE))).step
        == 20 * MINUTE
    )


def test_spend_is_requested_as_an_amount() -> None:
    money = SpendSlo(name="m", window=MONTH, sli=Sli(spent="s"), allowance=Fraction(5), unit="USD")

    assert planned(money).requests["m"].amount


def test_a_composite_asks_for_its_members_in_steps_of_which_all_their_windows_are_made() -> None:
    week = replace(ratio_slo(window=RollingWindow(7 * DAY)), name="week")
    indian = replace(ratio_slo(window=CalendarWindow(Period.MONTH, KOLKATA)), name="month")
    both = CompositeSlo(
        name="both",
        members=(Member(slo="week", weight=Fraction(1)), Member(slo="month", weight=Fraction(2))),
    )
    plan = planned(both, AT, None, week, indian)

    # Kolkata is 5:30 ahead. Its months began on 31 October, and, for what is shown before that, on
    # none earlier: seven days ago it was November.
    begin = datetime.fromisoformat("2026-10-31T18:30:00Z")
    assert plan.span == Span(begin, AT)
    assert plan.step == 30 * MINUTE
    assert plan.requests["month"].span.start == begin
    assert plan.requests["week"].span.start == begin - 7 * DAY


def test_a_period_that_has_hardly_begun_has_no_past() -> None:
    begin = MONTH.whole(AT).start
    slo = ratio_slo(window=MONTH)

    assert planned(slo, begin + 12 * MINUTE).step == MINUTE
    for age in (timedelta(), timedelta(milliseconds=500)):
        assert plan_burn_down(slo, {}, begin + age, guards=GUARDS) is None


@pytest.mark.parametrize(
    "slo",
    [
        rolling(timedelta(seconds=90, milliseconds=7)),
        ratio_slo(slices=Slices(length=7 * MINUTE, target=Fraction(1))),
    ],
)
def test_a_window_that_no_step_divides_has_no_past(slo: Slo) -> None:
    assert plan_burn_down(slo, {}, AT, guards=GUARDS) is None
