"""How past periods are cut, and what each consumed."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.coverage import Guards
from gate.history.periods import PastPeriod, PeriodCut, cut_periods, review_periods
from gate.measure import Cause
from gate.measure.history import Series
from gate.slo.calendar import Period
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow, RatioSlo, RollingWindow, Span
from tests.budget.building import SATURDAYS

AT = datetime(2026, 11, 15, 10, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
GUARDS = Guards(max_age=HOUR, min_coverage=Fraction(9, 10))
SLO = RatioSlo(
    name="a", objective=Fraction(99, 100), window=RollingWindow(10 * HOUR), sli=Sli(), min_events=5
)


def starts(found: PeriodCut) -> list[str]:
    return [f"{at:%Y-%m-%dT%H:%M}" for at in found.bounds]


def test_rolling_windows_stand_back_to_back_up_to_now() -> None:
    found = cut_periods(RollingWindow(timedelta(days=30)), 2, AT)

    assert starts(found) == ["2026-09-16T10:30", "2026-10-16T10:30", "2026-11-15T10:30"]
    assert found.step == HOUR


def test_calendar_periods_are_the_last_whole_ones_in_their_zone() -> None:
    found = cut_periods(CalendarWindow(Period.MONTH, ZoneInfo("Europe/Berlin")), 3, AT)

    # Summer time ended on October 25th: that month began an hour earlier in UTC.
    assert starts(found) == [
        *("2026-07-31T22:00", "2026-08-31T22:00", "2026-09-30T22:00", "2026-10-31T23:00")
    ]
    assert found.step == HOUR


def test_calendar_periods_are_cut_where_they_begin() -> None:
    found = cut_periods(SATURDAYS, 3, AT)

    # Summer time ended in New York on November 1st, in a week of 169 hours: steps divide an hour.
    assert starts(found) == [
        *("2026-10-24T16:00", "2026-10-31T16:00", "2026-11-07T17:00", "2026-11-14T17:00")
    ]
    assert found.step == HOUR / 5  # 720 steps of a week would have 14 minutes


@pytest.mark.parametrize(
    ("period", "count", "first", "step"),
    [
        ("day", 2, "2026-11-13T00:00", timedelta(minutes=5)),
        ("week", 2, "2026-10-26T00:00", timedelta(minutes=14)),
        ("quarter", 4, "2025-10-01T00:00", 3 * HOUR),
        ("year", 2, "2024-01-01T00:00", 12 * HOUR),
    ],
)
def test_periods_of_every_kind_have_about_720_steps(
    period: str, count: int, first: str, step: timedelta
) -> None:
    found = cut_periods(CalendarWindow(Period(period), UTC), count, AT)

    assert starts(found)[0] == first
    assert len(found.spans) == count
    assert found.step == step


@given(st.integers(1, 10**10), st.integers(1, 12))
def test_every_period_is_a_whole_number_of_steps(milliseconds: int, count: int) -> None:
    window = timedelta(milliseconds=milliseconds)
    found = cut_periods(RollingWindow(window), count, AT)

    assert found.step > timedelta()
    assert [span.length for span in found.spans] == [window] * count
    assert {span.length % found.step for span in found.spans} == {timedelta()}
    assert found.span.length // found.step <= 4 * 720 * count
    places = [found.places(span) for span in found.spans]
    assert places[0].start == 0
    assert [one.stop for one in places[:-1]] == [one.start for one in places[1:]]
    assert places[-1].stop == found.span.length // found.step


def look(total: list[float | None], bad: list[float | None]) -> tuple[PastPeriod, ...]:
    bounds = tuple(AT + place * 10 * HOUR for place in range(len(total) // 10 + 1))
    series = Series(total=tuple(total), bad=tuple(bad), query="asked")
    return review_periods(SLO, series, PeriodCut(bounds=bounds, step=HOUR), GUARDS)


def test_each_period_has_its_own_events_and_its_share_of_the_budget() -> None:
    first, second = look([100.0] * 20, [*[1.0] * 10, *[3.0] * 10])

    assert first.span == Span(AT, AT + 10 * HOUR)
    assert [first.total, first.bad, first.coverage] == [1000, 10, 1]
    assert first.doubt is None
    # 1% may fail.
    assert [one.consumed(SLO.objective) for one in (first, second)] == [1, 3]
    assert [first.spare(Fraction(95, 100)), second.spare(SLO.objective)] == [40, -20]


@pytest.mark.parametrize(
    ("total", "coverage", "doubt"),
    [
        ([100.0] * 9 + [None], 0.9, None),
        # A hole counts twice.
        ([100.0] * 5 + [None] + [100.0] * 4, 0.9, Cause.LOW_COVERAGE),
        ([100.0] * 5 + [None] * 3 + [100.0] * 2, 0.7, Cause.MOSTLY_UNCOVERED),
        ([100.0] * 8 + [None] * 2, 0.8, Cause.LOW_COVERAGE),
        ([None] * 10, 0, Cause.NO_DATA),
        ([0.0] * 10, 1, Cause.NO_TRAFFIC),
        ([0.4] * 10, 1, Cause.LOW_TRAFFIC),
        ([0.5] * 10, 1, None),
    ],
)
def test_periods_of_which_too_little_is_known_are_marked(
    total: list[float | None], coverage: float, doubt: Cause | None
) -> None:
    (found,) = look(total, [None if one is None else 0.0 for one in total])

    assert (float(found.coverage), found.doubt) == (coverage, doubt)
    assert found.error_ratio == 0


def test_without_min_events_one_failure_must_not_be_the_whole_budget() -> None:
    slo = RatioSlo(name="a", objective=Fraction(99, 100), window=SLO.window, sli=Sli())
    pieces = PeriodCut(bounds=(AT, AT + HOUR), step=HOUR)

    def doubt(total: float) -> Cause | None:
        series = Series(total=(total,), bad=(0.0,), query="asked")
        return review_periods(slo, series, pieces, GUARDS)[0].doubt

    assert (doubt(99), doubt(100)) == (Cause.LOW_TRAFFIC, None)
