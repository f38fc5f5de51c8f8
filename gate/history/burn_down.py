"""How the budget of one window was spent: from its start down to what is left now."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final

from gate.budget.assessment import Assessment
from gate.measure.history import Series, SeriesRequest
from gate.measure.steps import SHORTEST, newest_steps
from gate.slo.objective import RatioSlo, Slo

_CELLS: Final = 20
"""Of a burn-down in a line of text."""


_SECOND: Final = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnDown:
    """Shares of the budget that were left, step by step; floats, as every history."""

    start: datetime
    """Of the first step."""
    step: timedelta
    full: float
    """What was left at the start: 1, but for what a server extrapolates; less where the window
    began before the first step."""
    left: tuple[float | None, ...]
    """What was left at the end of each step, below 0 where it was overspent; None: not known what
    happened in the step. The last step ends at the instant of the run."""


def sketched(slo: Slo, at: datetime) -> SeriesRequest | None:
    """Return what to ask for a burn-down of the window in 20 steps.

    None where the SLO's events cannot be told step by step, or the window has hardly begun.
    """
    if not isinstance(slo, RatioSlo) or slo.slices is not None:
        return None
    span = slo.window.counted(at)
    step = max(span.length // _CELLS // _SECOND * _SECOND, SHORTEST)
    if span.length < step:
        return None
    return SeriesRequest(sli=slo.sli, span=newest_steps(span, step), step=step)


def burn_down(series: Series, request: SeriesRequest, known: Assessment) -> BurnDown | None:
    """Return how the budget came down to what was measured; None where nothing was, or is known.

    Each bad event takes the share that it takes of the budget as measured at the instant of the
    run: bad events after a step, by that, is what was left more then.

    Args:
        series: the history, up to the instant of the run.
        request: what it answers; what lies before the window is not looked at.
        known: the budget of the SLO at that instant.
    """
    if known.remaining is None or known.consumed is None or known.span is None:
        return None
    first = max(-((request.span.start - known.span.start) // request.step), 0)
    totals, bad = series.total[first:], [value or 0.0 for value in series.bad[first:]]
    if all(total is None for total in totals):
        return None
    share = float(known.consumed / known.bad) if known.bad else 0.0
    later = accumulate(reversed(bad), initial=0.0)
    left = [float(known.remaining) + events * share for events in later]
    left.reverse()
    return BurnDown(
        start=request.span.start + first * request.step,
        step=request.step,
        full=left[0],
        left=tuple(
            None if total is None else value for total, value in zip(totals, left[1:], strict=True)
        ),
    )
