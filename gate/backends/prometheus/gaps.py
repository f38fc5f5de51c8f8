"""Where a window has no samples, and whether the counters went on meanwhile.

A counter that is not scraped for a while goes on counting, and ``increase()`` has all of it from
the samples before and after: nothing is lost. Where processes restart meanwhile, what they counted
last is. Both look alike in the samples. So the events of each step are asked for, once it is known
that many steps have no sample: what they do not add up to was counted over the holes, and is held
against what is usual at that time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.probe import EPOCH, Probe
from gate.backends.prometheus.query import Query, QueryGrid, Role
from gate.backends.prometheus.query_result import QueryError, QueryResults
from gate.measure import Cause, Suspicion
from gate.measure.coverage import Gaps, StepCoverage, coverage_by_steps
from gate.measure.history import SHORTEST, coverage_step
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.wording import amount, percent_spent, stretch

_HARDLY: Final = Fraction(99, 100)
"""Of a window; where more has samples, it is not worth a question where it has none."""
_SHORTFALL: Final = Fraction(1, 5)
"""Of what is usual; what is counted at the same time of two days varies as much."""
_COUNTERS: Final = (Role.TOTAL, Role.GOOD, Role.SPENT)
_REMEDY: Final = (
    "see whether processes restarted while nothing was scraped: what they counted last is lost"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GapQuestion:
    """What is asked where the probe has found that much of a window has no sample."""

    steps: Query
    """At each step the events of it, or the number of series; absent where there is no sample."""
    grid: QueryGrid
    counts: bool
    """Whether these are events."""

    def points(self, readings: QueryResults) -> Sequence[float | None] | None:
        """Return what came back of each step; None: nothing that could be used."""
        reading = readings(self.steps)
        if isinstance(reading, QueryError) or not any(p is not None for p in reading.points):
            return None
        return reading.points


def gap_question(
    probe: Probe, parts: Mapping[Role, Query], span: Span, readings: QueryResults
) -> GapQuestion | None:
    """Return what to ask of the steps of a window; None: nearly all of it has samples, or none has.

    Args:
        probe: of the window.
        parts: what the count is made of.
        span: the window.
        readings: the answers to the probe.
    """
    counts = [readings(part) for part in probe.coverage]
    numbers = [None if isinstance(count, QueryError) else count.number or 0 for count in counts]
    fewest = min((number for number in numbers if number is not None), default=0)
    if None in numbers or not 0 < fewest < _HARDLY * probe.steps:
        return None
    step = max(coverage_step(span.length), SHORTEST)
    first = EPOCH + ((span.start - EPOCH) // step + 1) * step
    grid = QueryGrid(first, step, max((span.end - first) // step + 1, 1))
    counter = next((parts[role] for role in _COUNTERS if role in parts), None)
    if counter is None:
        present = " + ".join(f"count({series})" for series in probe.instants)
        query = Query(pieces=(present,), length=timedelta(), grid=grid)
        return GapQuestion(steps=query, grid=grid, counts=False)
    steps = counter.moved(step, timedelta()).at_steps(grid)
    return GapQuestion(steps=steps, grid=grid, counts=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenWindow:
    """How much of a window has samples, and what became of the events where it has none."""

    coverage: Fraction
    gaps: Gaps
    suspicions: tuple[Suspicion, ...] = ()
    notes: tuple[str, ...] = ()


def seen_window(
    question: GapQuestion,
    points: Sequence[float | None],
    *,
    coverage: Fraction,
    counted: Fraction,
    slices: Slices | None,
) -> SeenWindow:
    """Return where a window has no samples, and whether what happened then was counted.

    Args:
        question: what was asked.
        points: what came back; something.
        coverage: the share of the window that has samples, 0 to 1, by the finer steps of the probe.
        counted: the events of the window, or what was spent in it.
        slices: given: slices are judged, each by its own samples.
    """
    grid = question.grid
    whole = Span(grid.first - grid.step, grid.last)
    there = [None if point is None else 1.0 for point in points]
    seen = coverage_by_steps(there, whole, fewest=0)
    silent = seen.share - Fraction(len(points) - there.count(None), len(points))
    coverage = min(coverage + silent, Fraction(1))
    holes = seen.gaps.holes
    late = max(1 - coverage - holes, Fraction(0)) if seen.gaps.late else Fraction(0)
    gaps = replace(seen.gaps, late=late)
    window = SeenWindow(coverage=coverage, gaps=gaps)
    if gaps.longest is None or (slices is not None and slices.empty is EmptySlice.BAD):
        return window
    if slices is not None or not question.counts:
        length = slices.length if slices is not None else grid.step
        hidden = holes * Fraction(whole.length / length)
        return replace(
            window, suspicions=(_lost(gaps, gaps.longest, "no slice of it is judged", hidden),)
        )
    over, after = _counted_over_holes(points, seen, whole, counted)
    usual = coverage_by_steps(points, whole, fewest=0).gaps.usual
    usual += after * usual / (holes * len(points))
    if usual - over <= usual * _SHORTFALL:
        longest = stretch(gaps.longest.start, gaps.longest.end, open_=False)
        note = f"no samples from {longest}; the counters went on, so that the count has all of it"
        once = replace(gaps, holes=Fraction(0), longest=None, between=None)
        return SeenWindow(coverage=coverage, gaps=once, notes=(note,))
    what = f"{amount(over)} events are counted over it, where about {amount(usual)} are usual"
    return replace(window, suspicions=(_lost(gaps, gaps.longest, what, usual - over),))


def _counted_over_holes(
    points: Sequence[float | None], seen: StepCoverage, whole: Span, counted: Fraction
) -> tuple[Fraction, int]:
    """Return the events that no step before or after a hole has, and the number of holes.

    The first step after each hole is taken as part of it: some servers count there what happened
    since the sample before the hole (VictoriaMetrics), others what happened in the step.
    """
    between, step = seen.gaps.between, whole.length / len(points)
    beside, holes = Fraction(0), 0
    for place, point in enumerate(points):
        start = whole.start + place * step
        ends_hole = place > 0 and points[place - 1] is None and point is not None
        if ends_hole and between is not None and between.start < start <= between.end:
            holes += 1
        else:
            beside += Fraction(point or 0.0)
    return max(counted - beside, Fraction(0)), holes


def _lost(gaps: Gaps, longest: Span, what: str, hidden: Fraction) -> Suspicion:
    """Return the suspicion that events were lost in the holes of a window."""
    where = stretch(longest.start, longest.end, open_=False)
    if gaps.between != longest:
        where += ", and in other holes"
    share = percent_spent(gaps.holes)
    return Suspicion(
        cause=Cause.LOST,
        reason=f"no samples from {where}, in {share} of the window: {what}",
        remedy=_REMEDY,
        hidden=hidden.limit_denominator(1000),
        within=gaps.between,
    )
