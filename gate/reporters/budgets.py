"""One SLO's budget: the cells of its row in a table, and everything else in sentences."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from gate import wording
from gate.budget.assess import PRESENT
from gate.budget.assessment import Assessment
from gate.budget.forecast import Forecast
from gate.budget.ratio import allowed_downtime, has_no_traffic
from gate.measure import Cause, Unmeasured
from gate.policy.findings import Verdict
from gate.reporters.affordability import affordability
from gate.reporters.page import MUST, Cell, Column, DataTable, Fact, tabulate
from gate.reporters.suspected import suspicion_facts
from gate.slo.objective import CalendarWindow, CompositeSlo, Denominator, RatioSlo, Slo, SpendSlo
from gate.slo.quantities import format_duration

_BAR: Final = 10
"""Cells of a drawn bar."""


def measurement_status(assessment: Assessment) -> str:
    """Say in three words whether the number is there and to be believed."""
    causes = [doubt.cause for doubt in assessment.doubts]
    causes += [suspicion.cause for suspicion in assessment.suspicions]
    if not causes:
        return "measured"
    first = cause(causes[0])
    return f"in doubt: {first}" if assessment.measured else f"not measured: {first}"


def cause(kind: Cause) -> str:
    """Write a cause as words."""
    return kind.replace("_", " ")


def promise(slo: Slo) -> str:
    """Write what was promised: ``99.9%``, ``50,000 USD``."""
    if isinstance(slo, RatioSlo):
        return wording.percent(slo.objective)
    if isinstance(slo, SpendSlo):
        return f"{wording.amount(slo.allowance)} {slo.unit}".rstrip()
    return "composite"


def events(assessment: Assessment) -> str:
    """Write what was counted: ``1,234 of 50,000 USD``, ``12 of 43,190 slices``."""
    slo = assessment.slo
    if isinstance(slo, SpendSlo) and assessment.spent is not None:
        return f"{wording.amount(assessment.spent)} of {promise(slo)}"
    if assessment.total is None:
        return wording.NOTHING
    slices = " slices" if isinstance(slo, RatioSlo) and slo.slices else ""
    return f"{wording.amount(assessment.bad)} of {wording.amount(assessment.total)}{slices}"


def present_burn(assessment: Assessment) -> str:
    """Write the burn rate that stands for "now"."""
    return wording.burn(assessment.burn_rates.get(PRESENT))


def coverage(assessment: Assessment) -> str:
    """Write the share of the window that has data."""
    evidence = assessment.evidence
    return wording.left(evidence.coverage if evidence else None, 0)


def _name(assessment: Assessment) -> Cell:
    advisory = " (advisory)" if assessment.slo.advisory else ""
    return Cell(text=f"{assessment.slo.name}{advisory}", strong=True)


def _window_cell(assessment: Assessment) -> str:
    slo = assessment.slo
    if isinstance(slo, CompositeSlo):
        return wording.NOTHING
    window = slo.window
    return str(window.period) if isinstance(window, CalendarWindow) else str(window)


def _remaining(assessment: Assessment) -> Cell:
    return Cell(text=left(assessment), tone=_budget_tone(assessment))


def left(assessment: Assessment) -> str:
    """Write what is left of a budget; where too little was measured to say so, how much was."""
    if assessment.uncovered is not None:
        return f"{assessment.uncovered} measured"
    return wording.left(assessment.remaining)


def _bar(assessment: Assessment) -> Cell:
    """Draw what is left, never a cell too many."""
    if assessment.remaining is None or assessment.uncovered:
        return Cell(text="")
    full = min(max(int(assessment.remaining * _BAR // 1), 0), _BAR)
    empty = _BAR - full
    tone = _budget_tone(assessment)
    return Cell(text="█" * full + "░" * empty, ascii="#" * full + "." * empty, tone=tone)


def _status_cell(assessment: Assessment) -> Cell:
    return Cell(text=measurement_status(assessment), tone=_trust(assessment))


def _budget_tone(assessment: Assessment) -> Verdict:
    spent = assessment.remaining is not None and assessment.remaining <= 0
    return Verdict.BLOCK if spent else _trust(assessment)


def _trust(assessment: Assessment) -> Verdict:
    if not assessment.measured:
        return Verdict.UNDECIDED
    return Verdict.WARN if assessment.doubts or assessment.suspicions else Verdict.ALLOW


_TO_THE_LEFT_OF_DRAWING: Final[tuple[Column[Assessment], ...]] = (
    Column(title="SLO", cell=_name, right=False, keep=MUST, share=4),
    Column(title="Objective", cell=lambda row: promise(row.slo), keep=5),
    Column(title="Window", cell=_window_cell, right=False, keep=3),
    Column(title="Bad of total", cell=events, keep=6),
    Column(title="Consumed", cell=lambda row: wording.spent(row.consumed), keep=2, secondary=True),
    Column(title="Left", cell=_remaining, keep=MUST),
)
_TO_THE_RIGHT_OF_DRAWING: Final[tuple[Column[Assessment], ...]] = (
    Column(title=f"Burn {format_duration(PRESENT)}", cell=present_burn, keep=4),
    Column(title="Coverage", cell=coverage, keep=1, secondary=True),
    Column(title="Status", cell=_status_cell, right=False, keep=MUST, share=5),
)
BAR: Final[Column[Assessment]] = Column(
    title="", cell=_bar, right=False, keep=0, secondary=True, drawing=True
)
"""Draws what is left."""


def budget_table(
    assessments: Sequence[Assessment], drawing: Column[Assessment] | None = None
) -> DataTable:
    """Return a table of budgets with a column that draws what is left, if there is one."""
    columns = (
        *_TO_THE_LEFT_OF_DRAWING,
        *((drawing,) if drawing is not None else ()),
        *_TO_THE_RIGHT_OF_DRAWING,
    )
    return tabulate(assessments, columns)


_DENOMINATORS: Final = {
    Denominator.PERIOD: "against the whole period",
    Denominator.TO_DATE: "against the events so far",
}


def details(assessment: Assessment) -> Iterator[Fact]:
    """Yield everything worth telling, most pressing first; nothing for what does not apply."""
    label = "in doubt" if assessment.measured else "not measured"
    for doubt in assessment.doubts:
        yield label, f"{cause(doubt.cause)}: {doubt.reason}"
    yield from suspicion_facts(assessment)
    yield "window", ", ".join(_window(assessment))
    if assessment.uncovered is not None:
        yield "left", f"not known: only {assessment.uncovered} are measured"
    elif assessment.remaining is not None:
        yield "left", ", ".join(_left(assessment, assessment.remaining))
        yield from _forecast(assessment, assessment.remaining)
        yield from affordability(assessment)
    if burn_rates := _burn_rates(assessment):
        yield "burn rates", burn_rates
    for note in assessment.evidence.notes if assessment.evidence else ():
        yield "note", note


def _window(assessment: Assessment) -> Iterator[str]:
    slo, span, evidence = assessment.slo, assessment.span, assessment.evidence
    if isinstance(slo, CompositeSlo):
        yield "as its parts: " + " + ".join(
            f"{wording.exact(m.weight)} x {m.slo}" for m in slo.members
        )
        return
    yield str(slo.window)
    if span is not None:
        yield f"{wording.instant(span.start)} to {wording.instant(span.end)}"
    if isinstance(slo, RatioSlo):
        yield from _method(slo)
    if evidence is not None and evidence.coverage is not None:
        yield f"{coverage(assessment)} has data"
    if evidence is not None and evidence.newest is not None:
        yield f"newest sample {wording.instant(evidence.newest)}"


def _method(slo: RatioSlo) -> Iterator[str]:
    if slo.slices is not None:
        length, target = format_duration(slo.slices.length), wording.percent(slo.slices.target)
        yield f"{length} slices with {target} good"
    elif isinstance(slo.window, CalendarWindow):
        yield _DENOMINATORS[slo.denominator]


def _left(assessment: Assessment, remaining: Fraction) -> Iterator[str]:
    slo = assessment.slo
    yield f"{wording.left_or_overspent(remaining)} (consumed {wording.spent(assessment.consumed)})"
    if assessment.error_ratio is not None:
        yield f"error ratio {wording.spent(assessment.error_ratio, 3)}"
    if isinstance(slo, RatioSlo) and slo.slices and assessment.span:
        allowed = allowed_downtime(slo.window.whole(assessment.span.end).length, slo.budget)
        yield wording.downtime(remaining, allowed)
    if assessment.interval:
        low, high = map(wording.left_or_overspent, assessment.interval)
        effect = assessment.design_effect
        stated = f" (design effect {wording.exact(effect)})" if effect > 1 else ""
        yield f"95% interval from {low} to {high}{stated}"
    if assessment.compared != remaining:
        yield f"held against the tiers: {wording.left_or_overspent(assessment.compared)}"


def _forecast(assessment: Assessment, remaining: Fraction) -> Iterator[Fact]:
    span, forecast = assessment.span, assessment.forecast
    if forecast is not None and span is not None and forecast.resets_at == span.end:
        yield "forecast", "none: the period is over"
    elif forecast is not None:
        yield "forecast", forecast_sentence(forecast, remaining)
    elif isinstance(assessment.slo, RatioSlo):
        window = format_duration(PRESENT)
        not_measured = f"the burn rate over {window} was not measured"
        silent = has_no_traffic(assessment.burn_rates.get(PRESENT))
        why = f"there was no traffic in the last {window}" if silent else not_measured
        yield "forecast", f"none, since {why}"


def forecast_sentence(forecast: Forecast, remaining: Fraction) -> str:
    """Say when the budget runs out and whether it lasts until it renews."""
    reset = f"the reset on {wording.instant(forecast.resets_at)}" if forecast.resets_at else None
    if remaining <= 0:
        return f"exhausted already, until {reset}" if reset else "exhausted already"
    if reset and forecast.lasts_until_reset:
        return f"lasts until {reset} at the present rate"
    if forecast.exhausted_at is None:
        return "not exhausted at the present rate"
    before = f", before {reset}" if reset else ""
    return f"exhausted about {wording.instant(forecast.exhausted_at)} at the present rate{before}"


def _burn_rates(assessment: Assessment) -> str:
    said = {doubt.reason for doubt in assessment.doubts}
    rates = sorted(assessment.burn_rates.items(), key=lambda item: item[0])
    return ", ".join(
        _no_rate(format_duration(length), rate)
        if isinstance(rate, Unmeasured)
        else f"{format_duration(length)}={wording.burn(rate)}"
        for length, rate in rates
        if not (isinstance(rate, Unmeasured) and rate.reason in said)
    )


def _no_rate(window: str, why: Unmeasured) -> str:
    if has_no_traffic(why):
        return f"{window}={wording.NOTHING} (no traffic)"
    return f"{window} not measured ({why.reason})"
