"""A budget's history as a few lines of text."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from gate import wording
from gate.analysis.report import ServiceReport
from gate.budget.assessment import Assessment
from gate.history.burn_down import Line
from gate.history.consumption import Consumption
from gate.history.incidents import Incident
from gate.history.past_budget import Trace
from gate.history.records import Deployment
from gate.reporters.budgets import cause, promise
from gate.reporters.drawing import Logarithmic, signs
from gate.reporters.page import Block, Facts, Paragraph, Preformatted, Section
from gate.slo.objective import CompositeSlo, RollingWindow, Slo, Span

_CELLS: Final = 60


def text_chart(
    trace: Trace,
    incidents: Sequence[Incident],
    deploys: Sequence[Deployment],
    *,
    ascii_only: bool = False,
) -> str:
    """Draw the remaining budget and the burn rate, one sign per cell, with incidents and deploys.

    Each cell shows its lowest budget and its highest burn rate.
    """
    span = Span(trace.stretches[0].span.start, trace.stretches[-1].span.end)
    lines = []
    if trace.left:
        left = [min(values, default=None) for values in _cells(trace.left, span)]
        first, last = (wording.share_left(share, 0) for _, share in (trace.left[0], trace.left[-1]))
        lines.append(("left", signs(left, ascii_only=ascii_only), f"{first} to {last}"))
    if trace.fast:
        lines.append(_burn(trace, span, ascii_only=ascii_only))
    lines += _marks(span, incidents, deploys)
    dates = f"{wording.day(span.start):<{_CELLS - 6}}{wording.day(span.end):>6}"
    lines.append(("", dates, ""))
    return "\n".join(f"{label:<10} {drawn}  {range_}".rstrip() for label, drawn, range_ in lines)


def _burn(trace: Trace, span: Span, *, ascii_only: bool) -> tuple[str, str, str]:
    fast = [max(values, default=None) for values in _cells(trace.fast, span)]
    peak = max((value for value in fast if value is not None), default=None)
    scale = Logarithmic(max(peak or 0.0, 1.0))
    burn = [None if value is None else scale.share(value) for value in fast]
    nothing = "." if ascii_only else "▁"
    drawn = signs(burn, nothing=nothing, ascii_only=ascii_only)
    highest = "no traffic" if peak is None else f"at most {wording.burn(wording.shown(peak))}"
    return "burn rate", drawn, highest


def _marks(
    span: Span, incidents: Sequence[Incident], deploys: Sequence[Deployment]
) -> Iterator[tuple[str, str, str]]:
    bad = {
        cell
        for incident in incidents
        if incident.end > span.start
        for cell in range(_cell(incident.start, span), _cell(incident.end, span) + 1)
    }
    live = {_cell(deploy.time, span) for deploy in deploys if deploy.time > span.start}
    for label, cells in (("incidents", bad), ("deploys", live)):
        if cells:
            yield label, "".join("^" if cell in cells else " " for cell in range(_CELLS)), ""


def _cells(line: Line, span: Span) -> list[list[float]]:
    """Return the known values of each cell."""
    cells: list[list[float]] = [[] for _ in range(_CELLS)]
    for at, value in line:
        if value is not None and at > span.start:
            cells[_cell(at, span)].append(value)
    return cells


def _cell(at: datetime, span: Span) -> int:
    return min(max(int((at - span.start) / span.length * _CELLS), 0), _CELLS - 1)


_NAMED: Final = 4
"""The maximum number of named incidents that used a budget; the others are summed up."""
Marked = Sequence[tuple[int, Incident]]
"""The incidents of an SLO, each with its number in the service's table."""


def promised(slo: Slo) -> str:
    """Write the objective and its window."""
    if isinstance(slo, CompositeSlo) or slo.window is None:
        return promise(slo)
    return f"{promise(slo)}, {slo.window}"


def missing(service: ServiceReport, slo: Slo) -> str:
    """Return the reason why the history of an SLO cannot be drawn."""
    if isinstance(slo, CompositeSlo):
        return f"No burn rate is drawn: {wording.without_events(slo)}."
    (lost,) = [
        looked_at.unmeasured
        for looked_at in service.incidents.slos
        if looked_at.slo == slo.name and looked_at.unmeasured is not None
    ]
    return f"The history could not be measured: {cause(lost.cause)}, {lost.reason}."


def no_burn_down(assessment: Assessment) -> str:
    """Return the reason why a budget has no burn-down."""
    if assessment.doubts and not assessment.measured:
        return f"The budget could not be measured: {assessment.doubts[0].reason}."
    slo = assessment.slo
    if isinstance(slo, CompositeSlo) or isinstance(slo.window, RollingWindow):
        window = "one window" if isinstance(slo, CompositeSlo) else str(slo.window)
        return (
            f"No burn-down: the remaining budget at an instant needs a history of {window} before"
            " it, and"
            " there is less."
        )
    return "No burn-down: only the present remaining budget of the period is known."


def incidents_of(slo: str, service: ServiceReport) -> Marked:
    """Return the incidents of an SLO, the oldest first."""
    return [
        (number, impact.incident)
        for number, annotated in enumerate(service.incidents.annotated, start=1)
        for impact in annotated.incident.impacts
        if impact.slo == slo
    ]


def numbers_of(slo: str, service: ServiceReport) -> Mapping[str, int]:
    """Return the numbers of an SLO's incidents in the service's table, by their id."""
    name = service.policy.service
    return {
        annotated.incident.id(name): number
        for number, annotated in enumerate(service.incidents.annotated, start=1)
        if any(impact.slo == slo for impact in annotated.incident.impacts)
    }


def eaten(consumed: Consumption, numbers: Mapping[str, int]) -> str:
    """Name the causes that used up a budget: the costliest incidents by number, and others."""

    def written(share: float) -> str:
        return wording.spent(wording.shown(share))

    shares = list(consumed.incidents.items())
    parts = [f"{written(share)} in #{numbers[incident]}" for incident, share in shares[:_NAMED]]
    rest = shares[_NAMED:]
    if rest:
        parts.append(f"{written(sum(share for _, share in rest))} in {len(rest)} more incidents")
    if consumed.chronic:
        parts.append(f"{written(consumed.chronic)} outside incidents")
    if consumed.earlier:
        parts.append(f"{written(consumed.earlier)} before the examined time")
    return f"{written(consumed.consumed)} of the budget: {'; '.join(parts)}"


def history_section(assessment: Assessment, service: ServiceReport) -> Section:
    """Return the section on the history of one budget."""
    slo, trace = assessment.slo, service.traces.get(assessment.slo.name)
    blocks: list[Block] = []
    if trace is None or not trace.fast:
        blocks.append(Paragraph(missing(service, slo)))
    if trace is not None:
        if not trace.left or not assessment.measured:
            blocks.append(Paragraph(no_burn_down(assessment)))
        incidents = [incident for _, incident in incidents_of(slo.name, service)]
        text, ascii_text = (
            text_chart(trace, incidents, service.deploys, ascii_only=ascii_only)
            for ascii_only in (False, True)
        )
        blocks.append(Preformatted(text=text, ascii=ascii_text))
    if slo.name in service.consumption:
        sentence = eaten(service.consumption[slo.name], numbers_of(slo.name, service))
        blocks.append(Facts((("Budget used", sentence),)))
    return Section(title=slo.name, tail=f" ({promised(slo)})", blocks=tuple(blocks))
