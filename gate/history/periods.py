"""Past periods of an SLO's window: their boundaries, and the consumption of each."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil, fsum, gcd
from typing import Final

from gate.budget.coverage import Guards, coverage_cause
from gate.budget.ratio import slices_in
from gate.dataclass import dataclass
from gate.history.events import covered_by_steps
from gate.measure import Cause
from gate.measure.coverage import StepCoverage
from gate.measure.history import MOST_STEPS, SHORTEST, Series
from gate.slo.indicator import Slices
from gate.slo.objective import RatioSlo, RollingWindow, Span, SpendSlo, Window

_MILLISECOND: Final = timedelta(milliseconds=1)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodCut:
    """A stretch of time, divided into periods of steps."""

    bounds: tuple[datetime, ...]
    """The boundaries of the periods, the oldest first; two at least."""
    step: timedelta
    """The length of a step; each period is a whole number of steps."""

    @property
    def span(self) -> Span:
        """The span of all periods together."""
        return Span(self.bounds[0], self.bounds[-1])

    @property
    def spans(self) -> list[Span]:
        """The span of each period."""
        return [Span(start, end) for start, end in pairwise(self.bounds)]

    def places(self, span: Span) -> slice:
        """Return the positions of a period's steps in the whole stretch."""
        first, after = ((at - self.bounds[0]) // self.step for at in (span.start, span.end))
        return slice(first, after)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastPeriod:
    """The events of one period."""

    span: Span
    total: Fraction
    bad: Fraction
    coverage: Fraction
    """The known share of its steps, 0 to 1."""
    doubt: Cause | None
    """The reason why it is not counted; None: it is counted."""

    @property
    def error_ratio(self) -> Fraction:
        """The share of the events that were bad; 0 if there were no events."""
        return self.bad / self.total if self.total else Fraction(0)

    def consumed(self, objective: Fraction) -> Fraction:
        """Return the consumed share of an objective's budget; above 1: missed."""
        return self.error_ratio / (1 - objective)

    def spare(self, objective: Fraction) -> Fraction:
        """Return how many more events could have been bad; below 0: how many were too many."""
        return (1 - objective) * self.total - self.bad


def cut_periods(
    window: Window, count: int, at: datetime, *, slices: Slices | None = None
) -> PeriodCut:
    """Return the newest consecutive periods that have ended before an instant.

    For a rolling window they end now, one window ago and so on; for a calendar window they are the
    last whole periods. A length that cannot be divided evenly into about 720 steps is one step; if
    slices are given, each step is a whole number of slices if possible.
    """
    bounds = [at if isinstance(window, RollingWindow) else window.whole(at).start]
    for _ in range(count):
        end = bounds[0]
        # The instant before the end belongs to the period that ends there.
        bounds.insert(0, window.whole(end - _gap(window)).start)
    lengths = [(end - start) for start, end in pairwise(bounds)]
    return PeriodCut(bounds=tuple(bounds), step=_step(lengths, slices))


def review_periods(
    slo: RatioSlo | SpendSlo, series: Series, cut: PeriodCut, guards: Guards
) -> tuple[PastPeriod, ...]:
    """Return the events of each period of a cut, the oldest first.

    Of spend the total is the allowance, whatever the length of the period, and bad is what was
    spent of it.

    Args:
        slo: the SLO, with the fewest events for which a period counts.
        series: the events of the whole cut, by step.
        cut: the periods.
        guards: the share of a period that must be known to count it; usual silence is known.
    """
    periods = []
    for span in cut.spans:
        steps = cut.places(span)
        total, bad = _sum(series.total[steps]), _sum(series.bad[steps])
        if isinstance(slo, SpendSlo):
            total = slo.allowance
        elif slo.slices is not None:
            # The budget grants a share of all slices, with the unknown ones.
            total = slices_in(span.length, slo.slices.length)
        seen = covered_by_steps(slo, series.total[steps], span, in_runs=series.in_runs)
        doubt = _doubt(slo, total, seen, guards)
        periods.append(
            PastPeriod(span=span, total=total, bad=bad, coverage=seen.share, doubt=doubt)
        )
    return tuple(periods)


def _gap(window: Window) -> timedelta:
    return timedelta() if isinstance(window, RollingWindow) else _MICROSECOND


def _step(lengths: Sequence[timedelta], slices: Slices | None) -> timedelta:
    """Return a step that divides all lengths, which are whole milliseconds."""
    unit, whole = gcd(*(length // _MILLISECOND for length in lengths)), 1
    aimed = max(sum(lengths, timedelta()) / len(lengths) / MOST_STEPS, SHORTEST)
    if slices is not None and not unit % (slices.length // _MILLISECOND):
        unit, whole = unit // (slices.length // _MILLISECOND), slices.length // _MILLISECOND
    least = ceil(unit * whole * _MILLISECOND / aimed)
    parts = next((parts for parts in range(least, 4 * least) if unit % parts == 0), 1)
    return unit * whole * _MILLISECOND / parts


def _sum(values: Sequence[float | None]) -> Fraction:
    return to_digits(fsum(value or 0.0 for value in values))


def to_digits(number: float) -> Fraction:
    """Return the exact number that a sum of floats approximates.

    A whole number as it is, and any other to twelve digits: a cent is a hundredth, and not the
    double next to it.
    """
    return Fraction(number if number.is_integer() else f"{number:.12g}")


def _doubt(
    slo: RatioSlo | SpendSlo, total: Fraction, seen: StepCoverage, guards: Guards
) -> Cause | None:
    if not seen.share:
        return Cause.NO_DATA
    cause = coverage_cause(seen.share, seen.gaps, guards)
    if cause is not None:
        return cause
    if not total:
        return Cause.NO_TRAFFIC
    if isinstance(slo, SpendSlo) or slo.slices is not None:
        return None
    needed = 1 / slo.budget if slo.min_events is None else slo.min_events
    return Cause.LOW_TRAFFIC if total < needed else None
