"""The budget of one SLO: the cells of its row in a table, and the other facts in sentences."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate import wording
from gate.budget.assessment import Assessment
from gate.budget.ratio import allowed_downtime
from gate.measure import Cause, Granted
from gate.policy.rounding import compared_between
from gate.reporters.pace import affordability, burn_rates_text, forecast_facts
from gate.reporters.page import Fact
from gate.reporters.reasons import suspicion_facts
from gate.slo.objective import (
    Bound,
    CalendarWindow,
    CompositeSlo,
    Denominator,
    PlatformSlo,
    RatioSlo,
    RollingWindow,
    Slo,
    SpendSlo,
)
from gate.slo.quantities import format_duration

_BAR: Final = 10
"""The number of cells in a drawn bar."""


def cause(kind: Cause) -> str:
    """Write a cause as words."""
    return kind.replace("_", " ")


def promise(slo: Slo) -> str:
    """Write the objective: ``99.9%``, ``50,000 USD``."""
    if isinstance(slo, RatioSlo):
        return wording.percent(slo.objective)
    if isinstance(slo, SpendSlo):
        return f"{wording.amount(slo.allowance)} {slo.unit}".rstrip()
    return "the platform's" if isinstance(slo, PlatformSlo) else "composite"


def events(assessment: Assessment) -> str:
    """Write the counts: ``1,234 of 50,000 USD``, ``12 of 43,190 slices``."""
    slo = assessment.slo
    if isinstance(slo, SpendSlo) and assessment.spent is not None:
        return f"{wording.amount(assessment.spent)} of {promise(slo)}"
    if assessment.total is None:
        return wording.NOTHING
    if in_seconds(assessment):
        bad, total = (_time(number) for number in (assessment.bad, assessment.total))
        return f"{bad} of {total}"
    slices = " slices" if isinstance(slo, RatioSlo) and slo.slices else ""
    return f"{wording.amount(assessment.bad)} of {wording.amount(assessment.total)}{slices}"


def in_seconds(assessment: Assessment) -> bool:
    """Return whether time was counted instead of events."""
    evidence = assessment.evidence
    return evidence is not None and evidence.granted is Granted.SECONDS


def _time(seconds: Fraction | None) -> str:
    return wording.describe_time(timedelta(seconds=float(seconds or 0)))


def coverage(assessment: Assessment) -> str:
    """Write the share of the window with data."""
    evidence = assessment.evidence
    return wording.left(evidence.coverage if evidence else None, 0)


def left(assessment: Assessment) -> str:
    """Write what is left of a budget, or how much was measured if that was too little."""
    if assessment.uncovered is not None:
        return f"{assessment.uncovered} measured"
    if assessment.rounding is not None:
        return wording.left_between(*compared_between(assessment))
    return wording.left_or_overspent(assessment.compared)


_DENOMINATORS: Final = {
    Denominator.PERIOD: "against the whole period",
    Denominator.TO_DATE: "against the events so far",
}


def details(
    assessment: Assessment,
    *,
    window: bool = True,
    doubts: bool = True,
    headroom: bool = True,
    notes: bool = True,
) -> Iterator[Fact]:
    """Yield all relevant facts, the most pressing first; facts that do not apply are left out.

    Args:
        assessment: the assessment of the SLO.
        window: whether to show its window, if nothing else shows it.
        doubts: whether to show its doubts, if nothing else shows them.
        headroom: whether to say what the budget covers.
        notes: whether to show its notes, if nothing else shows them.
    """
    if doubts:
        label = "in doubt" if assessment.measured else "not measured"
        for doubt in assessment.doubts:
            yield label, f"{cause(doubt.cause)}: {doubt.reason}"
    yield from suspicion_facts(assessment)
    if window and (text := window_text(assessment)):
        yield "window", text
    if assessment.uncovered is not None:
        yield "budget", f"not known: only {assessment.uncovered} are measured"
    elif assessment.remaining is not None:
        yield "budget", ", ".join(_left(assessment, assessment.remaining))
        yield from _compared(assessment)
        yield from forecast_facts(assessment, assessment.remaining)
        yield from affordability(assessment, headroom=headroom)
    yield from _platform(assessment)
    if burn_rates := burn_rates_text(assessment):
        yield "burn rates", burn_rates
    for note in assessment.evidence.notes if assessment.evidence and notes else ():
        yield "note", note


def window_text(assessment: Assessment) -> str:
    """Write the start of the window, and how the SLO is counted."""
    return ", ".join(_window(assessment))


def _window(assessment: Assessment) -> Iterator[str]:
    slo, span, evidence = assessment.slo, assessment.span, assessment.evidence
    if isinstance(slo, CompositeSlo):
        yield "that of its members: " + " + ".join(
            f"{wording.exact(m.weight)} x {m.slo}" for m in slo.members
        )
        return
    if isinstance(slo.window, CalendarWindow) and span is not None:
        yield f"{slo.window}, since {wording.instant(span.start)}"
    if isinstance(slo, RatioSlo):
        yield from _method(slo)
    if evidence is not None and evidence.coverage is not None and evidence.coverage < 1:
        yield f"{coverage(assessment)} of it has data"


def _platform(assessment: Assessment) -> Iterator[Fact]:
    """Yield the report of a platform, its time, and how the platform counts its own budget."""
    evidence, slo = assessment.evidence, assessment.slo
    definition = None if evidence is None else evidence.definition
    if evidence is None or definition is None:
        return
    time = " of time" if in_seconds(assessment) else ""
    what = f"counts{time}" if assessment.ratio_error is None else f"a rounded share{time}"
    parts = [f'{definition.platform} reported {what} for "{definition.name}"']
    if evidence.newest is not None:
        parts.append(f"as of {wording.instant(evidence.newest)}")
    if isinstance(slo, RatioSlo) and isinstance(slo.window, CalendarWindow):
        own = Denominator.TO_DATE if definition.to_date else Denominator.PERIOD
        parts.append(f"its own budget is {_DENOMINATORS[own]}")
    yield "platform", ", ".join(parts)


def _method(slo: RatioSlo) -> Iterator[str]:
    if slo.slices is not None:
        length, target = format_duration(slo.slices.length), wording.percent(slo.slices.target)
        yield f"{length} slices with {target} good"
    elif isinstance(slo.window, CalendarWindow):
        yield _DENOMINATORS[slo.denominator]


def _left(assessment: Assessment, remaining: Fraction) -> Iterator[str]:
    slo, consumed = assessment.slo, wording.spent(assessment.consumed)
    over = f"overspent by {wording.overspent(remaining)}"
    window = None if isinstance(slo, CompositeSlo) else slo.window
    within = f" over {window}" if isinstance(window, RollingWindow) else ""
    how_much = over if remaining < 0 else f"{wording.left(remaining)} left"
    if assessment.rounding is None:
        yield f"{how_much}{within} (consumed {consumed})"
    else:
        yield f"{wording.budget_between(*assessment.rounding)}{within}"
    if assessment.ratio_error:
        yield wording.share_of_bad(assessment.error_ratio or Fraction(0), assessment.ratio_error)
    elif assessment.error_ratio is not None:
        yield f"error ratio {wording.spent(assessment.error_ratio, 3)}"
    by_time = isinstance(slo, RatioSlo) and (slo.slices is not None or in_seconds(assessment))
    if isinstance(slo, RatioSlo) and by_time and assessment.span:
        allowed = allowed_downtime(slo.window.whole(assessment.span.end).length, slo.budget)
        least = "" if assessment.rounding is None else "at least "
        left_for_sure = assessment.rounding[0] if assessment.rounding else remaining
        yield f"{least}{wording.downtime(left_for_sure, allowed)}"
    if assessment.interval:
        low, high = map(wording.left_or_overspent, assessment.interval)
        effect = assessment.design_effect
        stated = f" (design effect {wording.exact(effect)})" if effect > 1 else ""
        yield f"95% interval from {low} to {high}{stated}"


def _compared(assessment: Assessment) -> Iterator[Fact]:
    """Yield the value that the tiers are compared with if it is not the measured one, and why."""
    if assessment.compared == assessment.remaining:
        return
    ends = {Bound.PESSIMISTIC: "lower bound", Bound.OPTIMISTIC: "upper bound"}
    terms = [ends[assessment.bound]] if assessment.bound in ends else []
    if assessment.stated_cost is not None:
        terms.append(f"after the impact of {wording.spent(assessment.stated_cost)}")
    compared = wording.left_or_overspent(assessment.compared)
    yield "for the tiers", f"{compared} ({', '.join(terms)})"
