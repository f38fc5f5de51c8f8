"""A budget's history as a few lines of text."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from gate import wording
from gate.history.burn_down import Line
from gate.history.incidents import Incident
from gate.history.past_budget import Trace
from gate.history.records import Deployment
from gate.reporters.drawing import Logarithmic, signs
from gate.slo.objective import Span

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
