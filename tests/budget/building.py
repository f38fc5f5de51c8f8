"""Building blocks for tests of budgets and policies: one instant, SLOs, answers, assessments."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from gate.budget.assess import assess_ratio, assess_spend
from gate.budget.assessment import Assessment
from gate.budget.coverage import Guards
from gate.budget.impact import Impact
from gate.measure import Answer, Cause, Counts, Evidence, Share, Spent, Unmeasured
from gate.slo.calendar import Period
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import CalendarWindow, RatioSlo, RollingWindow, SpendSlo

AT: Final = datetime(2026, 11, 20, 14, tzinfo=UTC)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
ROLLING: Final = RollingWindow(timedelta(days=30))
MONTH: Final = CalendarWindow(Period.MONTH, UTC)
BERLIN: Final = CalendarWindow(Period.MONTH, ZoneInfo("Europe/Berlin"))
SATURDAYS: Final = CalendarWindow.beginning(
    Period.WEEK,
    ZoneInfo("America/New_York"),
    datetime(2022, 1, 1, 12),  # noqa: DTZ001 - local time
)
"""The week of OpenSLO's example, from Saturday noon: 17:00 UTC in winter, 16:00 in summer."""
GUARDS: Final = Guards(max_age=timedelta(minutes=10), min_coverage=Fraction(9, 10))
MINUTES: Final = Slices(length=MINUTE, target=Fraction("0.95"))

objectives: Final = st.fractions(
    min_value=Fraction(1, 1000), max_value=Fraction(99_999, 100_000), max_denominator=100_000
)
shares: Final = st.fractions(min_value=0, max_value=1, max_denominator=10_000)


def counts_of(totals: st.SearchStrategy[int]) -> st.SearchStrategy[Counts]:
    """Counts with these totals and any number of bad events."""
    return totals.flatmap(
        lambda total: st.integers(0, total).map(lambda bad: counts(bad=bad, total=total))
    )


def evidence(**fields: Any) -> Evidence:
    return replace(Evidence(query="up", newest=AT, coverage=Fraction(1)), **fields)


def counts(*, bad: float | Fraction, total: float | Fraction, **fields: Any) -> Counts:
    return Counts(bad=Fraction(bad), total=Fraction(total), evidence=evidence(**fields))


def share(bad: str | Fraction, error: str | Fraction, **fields: Any) -> Share:
    """A rounded share of bad events."""
    return Share(bad=Fraction(bad), error=Fraction(error), evidence=evidence(**fields))


def lost(
    cause: Cause = Cause.BACKEND_ERROR, reason: str = "http://prom answered 503"
) -> Unmeasured:
    return Unmeasured(cause=cause, reason=reason, query="up")


def ratio_slo(objective: str | Fraction = "0.999", **fields: Any) -> RatioSlo:
    slo = RatioSlo(
        name="availability",
        window=ROLLING,
        sli=Sli(bad="b", total="t"),
        objective=Fraction(objective),
    )
    return replace(slo, **fields)


def ratio(
    answer: Answer,
    windows: Mapping[timedelta, Answer] | None = None,
    *,
    at: datetime = AT,
    impact: Impact | None = None,
    **fields: Any,
) -> Assessment:
    """The budget of `ratio_slo` with these fields."""
    slo = ratio_slo(**fields)
    return assess_ratio(slo, answer, windows or {}, at=at, guards=GUARDS, impact=impact)


def spend(
    amount: Answer | int, *, allowance: int = 100, at: datetime = AT, **fields: Any
) -> Assessment:
    answer = (
        Spent(amount=Fraction(amount), evidence=evidence()) if isinstance(amount, int) else amount
    )
    slo = SpendSlo(
        name="spend",
        window=MONTH,
        sli=Sli(spent="s"),
        allowance=Fraction(allowance),
        unit="USD",
    )
    return assess_spend(replace(slo, **fields), answer, at=at, guards=GUARDS)


def known(value: Fraction | None) -> Fraction:
    """The number, where there must be one."""
    assert value is not None
    return value
