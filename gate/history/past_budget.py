"""The history of one budget, thinned to the resolution of a picture."""

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta
from itertools import groupby
from typing import Final

from gate.budget.face_value import PRESENT
from gate.dataclass import dataclass
from gate.history.burn_down import (
    BUCKETS,
    BudgetHistory,
    BudgetLine,
    Line,
    bound_of,
    sampled,
    share_of,
    thin,
)
from gate.history.incidents import burn_rates, steps_of
from gate.measure.active_times import sum_of_known
from gate.measure.history import Series, SeriesRequest
from gate.slo.objective import Slo, Span

DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_BY_THE_HOUR: Final = 3 * DAY
"""The longest time for which a table has a row for each hour; beyond it has a row for each day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """The figures of a day or an hour (UTC); None: unknown."""

    span: Span
    total: float | None
    bad: float | None
    left: float | None
    """The share of the budget that was left at its end."""
    peak: float | None
    """The highest burn rate over `PRESENT`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One SLO's history."""

    left: Line = ()
    """The share of the window's budget that was left; empty: unknown."""
    compared: Line = ()
    """For a sampled SLO the bound that was compared with thresholds, at the same instants."""
    fast: Line = ()
    """The burn rate over `PRESENT`; None: unknown, or no events."""
    slow: Line = ()
    """The burn rate over a `DAY`; None: unknown, or no events."""
    unknown: tuple[Span, ...] = ()
    """The unknown times; times too short for a line are left out."""
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortSteps:
    """The events in short steps, as `as_events` counts them."""

    series: Series
    request: SeriesRequest
    """The request, which ends at the instant of the run."""
    budget: float
    """The share of the events that may be bad, above 0."""


def trace(slo: Slo, history: BudgetHistory | None, span: Span, steps: ShortSteps | None) -> Trace:
    """Return the history of a budget.

    Args:
        slo: the SLO of the budget.
        history: the budget at earlier instants; None: unknown.
        span: the time of the history, up to the instant of the run.
        steps: the short steps, from the start of the span on or earlier; None: unknown.
    """
    drawn = () if history is None else _known_part(history.line(BUCKETS))
    lines = _Rates() if steps is None else _rates(steps)
    return Trace(
        left=tuple((at, share_of(budget)) for at, budget in drawn),
        compared=tuple((at, bound_of(budget)) for at, budget in drawn) if sampled(slo) else (),
        fast=lines.fast,
        slow=lines.slow,
        unknown=() if steps is None else tuple(_unknown(steps.series, steps.request)),
        stretches=tuple(_stretches(history, span, steps, lines.peaks)),
    )


def _known_part(line: BudgetLine) -> BudgetLine:
    """Return a line from its first known value on; empty if it has none before now."""
    first = next((place for place, (_, budget) in enumerate(line) if budget), len(line))
    return line[first:] if first < len(line) - 1 else []


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rates:
    fast: Line = ()
    slow: Line = ()
    peaks: Sequence[float | None] = ()
    """The burn rates of every step over `PRESENT`."""


def _rates(steps: ShortSteps) -> _Rates:
    series, request = steps.series, steps.request
    count, step = request.steps, request.step
    fast = burn_rates(series, steps.budget, steps_of(PRESENT, step), idle=None)
    every = _every(count)
    places = range((count - 1) % every, count, every)
    slow = burn_rates(series, steps.budget, steps_of(DAY, step), places, idle=None)
    return _Rates(
        fast=tuple((request.end_of(place), value) for place, value in thin(fast)),
        slow=tuple((request.end_of(place), rate) for place, rate in zip(places, slow, strict=True)),
        peaks=fast,
    )


def _every(steps: int) -> int:
    return max(steps // BUCKETS, 1)


def _unknown(series: Series, request: SeriesRequest) -> Iterator[Span]:
    place = 0
    for missing, group in groupby(series.total, key=lambda total: total is None):
        count = sum(1 for _ in group)
        if missing and count >= _every(request.steps):
            yield Span(request.end_of(place - 1), request.end_of(place + count - 1))
        place += count


def _stretches(
    history: BudgetHistory | None,
    span: Span,
    steps: ShortSteps | None,
    peaks: Sequence[float | None],
) -> Iterator[Stretch]:
    unit = _HOUR if span.length <= _BY_THE_HOUR else DAY
    midnight = span.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + (span.start - midnight) // unit * unit
    while at < span.end:
        part = Span(max(at, span.start), min(at + unit, span.end))
        places = slice(0) if steps is None else _places(steps.request, part)
        yield Stretch(
            span=part,
            total=None if steps is None else sum_of_known(steps.series.total[places]),
            bad=None if steps is None else sum_of_known(steps.series.bad[places]),
            left=None if history is None else share_of(history.at(part.end)),
            peak=max((rate for rate in peaks[places] if rate is not None), default=None),
        )
        at += unit


def _places(request: SeriesRequest, part: Span) -> slice:
    """Return the steps that begin in a stretch of time."""
    first, last = (
        min(max(-((request.span.start - edge) // request.step), 0), request.steps)
        for edge in (part.start, part.end)
    )
    return slice(first, last)
