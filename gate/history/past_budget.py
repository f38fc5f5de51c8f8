"""What happened to one budget over a history: its burn-down, thinned to what a picture can show."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, groupby
from typing import Final

from gate.budget.assess import PRESENT
from gate.budget.assessment import Assessment
from gate.dataclass import dataclass
from gate.history.incidents import burn_rates, steps_of
from gate.measure.history import SHORTEST, Series, SeriesRequest, newest_steps
from gate.slo.objective import RatioSlo, Slo, Span

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


def burn_down_request(slo: Slo, at: datetime) -> SeriesRequest | None:
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


def burn_down(series: Series, request: SeriesRequest, assessment: Assessment) -> BurnDown | None:
    """Return how the budget came down to what was measured; None where too little was, or is known.

    Each bad event takes the share that it takes of the budget as measured at the instant of the
    run: bad events after a step, by that, is what was left more then.

    Args:
        series: the history, up to the instant of the run.
        request: what it answers; what lies before the window is not looked at.
        assessment: the budget of the SLO at that instant.
    """
    if assessment.remaining is None or assessment.consumed is None or assessment.span is None:
        return None
    if assessment.uncovered is not None:
        return None
    first = max(-((request.span.start - assessment.span.start) // request.step), 0)
    totals, bad = series.total[first:], [value or 0.0 for value in series.bad[first:]]
    if all(total is None for total in totals):
        return None
    share = float(assessment.consumed / assessment.bad) if assessment.bad else 0.0
    later = accumulate(reversed(bad), initial=0.0)
    left = [float(assessment.remaining) + events * share for events in later]
    left.reverse()
    return BurnDown(
        start=request.span.start + first * request.step,
        step=request.step,
        full=left[0],
        left=tuple(
            None if total is None else value for total, value in zip(totals, left[1:], strict=True)
        ),
    )


DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_BY_THE_HOUR: Final = 3 * DAY
"""Up to this length a table has a row for each hour, beyond for each day."""
BUCKETS: Final = 150
"""Each becomes at most two points of a line."""
Line = tuple[tuple[datetime, float | None], ...]
"""Values at instants, the oldest first; None: from there on nothing is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A day or an hour (UTC) in numbers; None: not known."""

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

    left: Line
    """The share of the budget of the window that was left; empty where that is not known."""
    fast: Line
    """The burn rate over `PRESENT`; None, too, where there was no event in it."""
    slow: Line
    """The burn rate over a `DAY`; likewise."""
    unknown: tuple[Span, ...]
    """Of which nothing is known; shorter ones than a line could show are not told."""
    stretches: tuple[Stretch, ...]


def trace(series: Series, request: SeriesRequest, assessment: Assessment, budget: float) -> Trace:
    """Return what happened to a budget.

    Args:
        series: the history up to the instant of the run.
        request: what it answers.
        assessment: the budget of the SLO at that instant, measured or not.
        budget: the share of events that may be bad, above 0.
    """
    steps, step = request.steps, request.step
    ends = _Ends(request.span.start, step)
    spent = burn_down(series, request, assessment)
    fast = burn_rates(series, budget, steps_of(PRESENT, step), idle=None)
    places = range((steps - 1) % _every(steps), steps, _every(steps))
    slow = burn_rates(series, budget, steps_of(DAY, step), places, idle=None)
    return Trace(
        left=() if spent is None else _left(spent),
        fast=tuple((ends.at(place), value) for place, value in thin(fast)),
        slow=tuple((ends.at(place), rate) for place, rate in zip(places, slow, strict=True)),
        unknown=tuple(_unknown(series, request)),
        stretches=tuple(_stretches(series, request, spent, fast)),
    )


def thin(values: Sequence[float | None], buckets: int = BUCKETS) -> list[tuple[int, float | None]]:
    """Return of each bucket the lowest and the highest value with its place, in order.

    A bucket of which nothing is known has its first place, and None. Few values are all kept.
    """
    width = -(-len(values) // buckets)
    if width <= 2:  # noqa: PLR2004 - of two, both are kept
        return list(enumerate(values))
    points: list[tuple[int, float | None]] = []
    for first in range(0, len(values), width):
        places = range(first, min(first + width, len(values)))
        measured = [(value, place) for place in places if (value := values[place]) is not None]
        if not measured:
            points.append((first, None))
            continue
        ends = {min(measured)[1], max(measured)[1]}
        points += [(place, values[place]) for place in sorted(ends)]
    return points


@dataclass(frozen=True, slots=True)
class _Ends:
    start: datetime
    step: timedelta

    def at(self, place: int) -> datetime:
        """Return when the step of this place ended; -1: when the first began."""
        return self.start + (place + 1) * self.step


def _every(steps: int) -> int:
    return max(steps // BUCKETS, 1)


def _left(spent: BurnDown) -> Line:
    """Return the line from the start of the window; its last value is what is left now."""
    ends, points = _Ends(spent.start, spent.step), thin(spent.left)
    last = len(spent.left) - 1
    if points[-1][0] != last:
        points.append((last, spent.left[last]))
    return ((spent.start, spent.full), *((ends.at(place), value) for place, value in points))


def _unknown(series: Series, request: SeriesRequest) -> Iterator[Span]:
    ends, place = _Ends(request.span.start, request.step), 0
    for missing, group in groupby(series.total, key=lambda total: total is None):
        count = sum(1 for _ in group)
        if missing and count >= _every(request.steps):
            yield Span(ends.at(place - 1), ends.at(place + count - 1))
        place += count


def _stretches(
    series: Series, request: SeriesRequest, spent: BurnDown | None, fast: Sequence[float | None]
) -> Iterator[Stretch]:
    start, step = request.span.start, request.step
    unit = _HOUR if request.span.length <= _BY_THE_HOUR else DAY
    midnight = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + (start - midnight) // unit * unit
    while at < request.span.end:
        # A step belongs to the day or the hour in which it begins.
        first, last = (
            min(max(-((start - edge) // step), 0), request.steps) for edge in (at, at + unit)
        )
        part = slice(first, last)
        yield Stretch(
            span=Span(max(at, start), min(at + unit, request.span.end)),
            total=_sum(series.total[part]),
            bad=_sum(series.bad[part]),
            left=None if spent is None else _left_after(spent, start, last),
            peak=max((rate for rate in fast[part] if rate is not None), default=None),
        )
        at += unit


def _left_after(spent: BurnDown, start: datetime, steps: int) -> float | None:
    """Return what was left so many steps after the start of the history."""
    place = steps - 1 - (spent.start - start) // spent.step
    return spent.left[place] if 0 <= place < len(spent.left) else None


def _sum(values: Sequence[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return sum(measured) if measured else None
