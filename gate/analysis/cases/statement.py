"""The statements of a case about the budgets of a decision."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from gate.budget.coverage import Guards
from gate.check.measure import burn_windows
from gate.config.stated import UNMEASURED
from gate.errors import UsageError
from gate.measure import Cause
from gate.parsing.values import parse_instant
from gate.policy.policy import Policy
from gate.slo.objective import PlatformSlo, RatioSlo, RollingWindow, SpendSlo
from gate.slo.quantities import format_duration

_SIMPLE: Final = 1000
"""The largest denominator of a share of counted events."""
_LONGEST: Final = 40
"""The maximum number of characters of a number that is read without an exponent."""
_MILLISECOND: Final = timedelta(milliseconds=1)


def stated_impact(impact: Mapping[str, Any]) -> dict[str, Any]:
    """Return the impact of a change as a case states it."""
    detect = timedelta(seconds=impact["detect_seconds"])
    shares = {key: _share(impact[key]) for key in ("canary", "failures")}
    return {**shares, "detect": format_duration(detect)}


def statement(
    slo: RatioSlo | SpendSlo | PlatformSlo, stated: Mapping[str, Any], policy: Policy, at: datetime
) -> Iterator[tuple[str, Any]]:
    """Yield the statements of a case about an SLO, by key."""
    causes = [Cause(doubt["cause"]) for doubt in stated["doubts"]]
    measured = stated["consumed"] is not None
    if not measured:
        if causes[0] not in UNMEASURED:
            raise UsageError(f"{slo.name} is not measured ({causes[0]}), which no case can state")
        yield "unmeasured", str(causes[0])
    elif isinstance(slo, SpendSlo):
        yield "spent", _number(stated["spent"])
    elif isinstance(slo, PlatformSlo) or stated["total"] is None:
        yield "remaining", _share(1 - stated["consumed"])
        if rounding := stated.get("remaining_rounding"):
            left = 1 - stated["consumed"]
            yield "rounding", _share(max(left - rounding[0], rounding[1] - left))
    else:
        yield from (("total", _number(stated["total"])), ("bad", _number(stated["bad"])))
    if not isinstance(slo, SpendSlo) and (rates := dict(_burn_rates(slo, stated, policy))):
        yield "burn_rates", rates
    if measured:
        yield from _evidence(stated, causes, policy.guards_of(slo), at)


def _burn_rates(
    slo: RatioSlo | PlatformSlo, stated: Mapping[str, Any], policy: Policy
) -> Iterator[tuple[str, Any]]:
    """Yield the burn rates that differ from the default of a missing one."""
    measured = stated["consumed"] is not None
    doubts = {doubt["window"]: doubt["cause"] for doubt in stated["burn_rate_doubts"]}
    slices = slo.slices if isinstance(slo, RatioSlo) else None
    for window in burn_windows(policy):
        name = format_duration(window)
        if name not in stated["burn_rates"] or (slices and window < slices.length):
            continue
        rate = stated["burn_rates"][name]
        if rate is None and (measured or doubts[name] != stated["status"]):
            yield name, doubts[name]
        elif rate is not None and (rate or not measured):
            yield name, _number(rate)


def _evidence(
    stated: Mapping[str, Any], causes: list[Cause], guards: Guards, at: datetime
) -> Iterator[tuple[str, Any]]:
    if stated["newest"] is not None:
        age = (at - parse_instant(stated["newest"])) // _MILLISECOND * _MILLISECOND
        if age > timedelta():
            yield "newest", format_duration(age)
    coverage = _coverage(stated, causes, guards)
    if coverage not in {None, "1", "1.0"}:
        yield "coverage", coverage
    if Cause.PARTIAL in causes:
        yield "partial", True
    if stated["suspicions"]:
        yield "suspicions", [_suspicion(suspicion) for suspicion in stated["suspicions"]]


def _coverage(stated: Mapping[str, Any], causes: list[Cause], guards: Guards) -> str | None:
    """Return the share of the window with data; holes, which count twice, make it less."""
    share = stated["coverage"]
    if share is None:
        return None
    if Cause.LOW_COVERAGE in causes and share >= guards.min_coverage:
        return _share(float((guards.min_coverage + guards.floor) / 2))
    if Cause.MOSTLY_UNCOVERED in causes and share >= guards.floor:
        return _share(float(guards.floor / 2))
    return _share(share)


def _suspicion(suspicion: Mapping[str, Any]) -> dict[str, Any]:
    return {"cause": suspicion["cause"]} | {
        key: "any" if suspicion[key] is None else _number(suspicion[key])
        for key in ("hidden", "doubtful")
    }


def _number(value: float) -> str:
    """Write a number that is read back exactly: 4000/3 if it has no finite decimal form."""
    text = _share(value)
    simple = Fraction(value).limit_denominator(_SIMPLE)
    if float(simple) == value and simple != Fraction(text):
        return f"{simple.numerator}/{simple.denominator}"
    return text


def _share(value: float) -> str:
    """Write a number with all its digits, and without an exponent unless it is too long."""
    text = f"{Decimal(repr(value)):f}"
    return text if len(text) <= _LONGEST else repr(value)


_ANY_OBJECTIVE: Final = Fraction(99, 100)
_ANY_WINDOW: Final = RollingWindow(timedelta(days=30))


def stand_in(slo: RatioSlo | SpendSlo | PlatformSlo) -> RatioSlo | SpendSlo:
    """Return an SLO with an objective and a window, even if these come from a platform.

    The statements of a case, a share of the budget and burn rates, are the same for every objective
    and window.
    """
    if not isinstance(slo, PlatformSlo):
        return slo
    objective = slo.objective or (1 + (slo.sla or _ANY_OBJECTIVE)) / 2
    return RatioSlo(
        name=slo.name,
        window=slo.window or _ANY_WINDOW,
        sli=slo.sli,
        objective=objective,
        sla=slo.sla,
        denominator=slo.denominator,
        min_events=slo.min_events,
        advisory=slo.advisory,
        guards=slo.guards,
    )
