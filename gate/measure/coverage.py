"""The share of a stretch of time with data, and its gaps: at the start, or holes.

A stretch is examined in equal parts; the number of events in each part is known or unknown. A part
without events does not prove a loss of data: a service may be idle at night, or so small that an
hour without users is not unusual.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property
from itertools import accumulate
from math import ceil
from typing import Final

from gate.dataclass import dataclass
from gate.measure.active_times import ends_of_whole_days, runs_without
from gate.slo.objective import Span

FEWEST: Final = 10
"""The minimum usual number of events from which an empty part indicates a loss: of 10 independent
events, none at all happens once in 22,000 times (e^-10), and a month has 720 hours."""
BRIEF: Final = timedelta(minutes=5)
"""The maximum pause between data that is not a gap, whether users or scrapes are missing: a
Prometheus server also looks back as far (--query.lookback-delta)."""
_DAY: Final = timedelta(days=1)
_MOST_PAUSES: Final = 3
"""The maximum number of pauses in a day: a service that is idle at night and at noon has two. With
more pauses, every second hourly file may be lost."""
_PERIODS: Final = (_DAY, 7 * _DAY)
"""The periods after which a service may repeat its behaviour."""
_ALIKE: Final = 2
"""The number of other days or weeks that must be silent, too; for a pause of a day or more, one
week."""
_RARELY: Final = Fraction(1, 5)
"""The share of other days with data at this time of day below which silence is usual."""
_MOST_PARTS: Final = 720


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """The gaps in a span's data; all shares are of the whole span, 0 to 1."""

    late: Fraction
    """The time before the first data: events, or the counting of them, began later than the
    span."""
    holes: Fraction
    """The gaps between data, in which events may have happened uncounted."""
    since: datetime | None = None
    """The start of the data; None: the start of the span."""
    longest: Span | None = None
    """The longest hole; None without holes."""
    between: Span | None = None
    """The span from the start of the first hole to the end of the last; None without holes."""
    usual: Fraction = Fraction(0)
    """The usual number of events in the holes; 0 if only the presence of data is known."""
    counted: bool = False
    """Whether events in the holes were counted anyway: counters kept counting."""

    @property
    def uncounted(self) -> Fraction:
        """The share of holes in which events were not counted."""
        return Fraction(0) if self.counted else self.holes


NO_GAPS: Final = Gaps(late=Fraction(0), holes=Fraction(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCoverage:
    """The share of a span with data."""

    share: Fraction
    """0 to 1; a part without events counts if that is usual."""
    gaps: Gaps
    missing: tuple[Span, ...] = ()
    """The stretches without data that usually have data, the oldest first: before the first data,
    between data and after the last."""


def coverage_by_steps(
    events: Sequence[float | None],
    span: Span,
    *,
    fewest: float = FEWEST,
    most: int = _MOST_PARTS,
    excused: Callable[[Span], bool] = lambda _: False,
) -> StepCoverage:
    """Return the share of a span with data, and its gaps.

    Args:
        events: the events in each of the equal parts of the span, the oldest first, at least one;
            None: unknown.
        span: the span of the parts.
        fewest: the usual number of events from which their absence is a gap; 0 if the numbers only
            show that there is data.
        most: the maximum number of parts; more are combined.
        excused: returns whether a stretch of the span is usually without data, from the time before
            the span; called only for stretches that the span itself does not explain.
    """
    parts = _coarse(events, most)
    measured = [place for place, number in enumerate(parts) if number is not None]
    if not measured:
        return StepCoverage(share=Fraction(0), gaps=NO_GAPS, missing=(span,))
    first, last, count = measured[0], measured[-1], len(parts)
    usual = _Usual(parts, first, last, span.length / count, fewest)
    expected = dict(usual.missed_in(run) for run in runs_without(parts))

    def instant(place: int) -> datetime:
        return span.start + span.length * place / count

    missed = {
        run: number
        for run, number in expected.items()
        if number and number >= fewest and not excused(Span(instant(run.start), instant(run.stop)))
    }
    between = [run for run in missed if first < run.start and run.stop <= last]
    brief = {run for run in between if len(run) * usual.step < BRIEF}
    missed = {run: number for run, number in missed.items() if run not in brief}
    holes = [run for run in between if run not in brief]
    late = first if range(first) in missed else 0
    longest = max(holes, key=len, default=None)
    return StepCoverage(
        share=1 - Fraction(sum(map(len, missed)), count),
        missing=tuple(Span(instant(run.start), instant(run.stop)) for run in missed),
        gaps=Gaps(
            late=Fraction(late, count),
            holes=Fraction(sum(map(len, holes)), count),
            since=instant(first) if late else None,
            longest=None
            if longest is None
            else Span(instant(longest.start), instant(longest.stop)),
            between=Span(instant(holes[0].start), instant(holes[-1].stop)) if holes else None,
            usual=Fraction(ceil(sum(missed[run] for run in holes))),
        ),
    )


def usual_within(events: Sequence[float | None], span: Span, gap: Span) -> float:
    """Return the usual number of events in a stretch of time, from other times.

    Args:
        events: the events in each of the equal parts of a span, the oldest first; None: unknown.
        span: the span of the parts.
        gap: the stretch, which may lie after the span.
    """
    measured = [place for place, number in enumerate(events) if number is not None]
    if not measured:
        return 0.0
    step = span.length / len(events)
    run = range((gap.start - span.start) // step, -((span.start - gap.end) // step))
    usual = _Usual(events, measured[0], measured[-1], step, FEWEST).by_part(run)
    overlaps = (
        min(gap.end, span.start + (place + 1) * step) - max(gap.start, span.start + place * step)
        for place in run
    )
    return sum(number * (overlap / step) for number, overlap in zip(usual, overlaps, strict=True))


def _coarse(events: Sequence[float | None], most: int) -> list[float | None]:
    width = -(-len(events) // most)
    if width == 1:
        return list(events)
    return [_sum(events[start : start + width]) for start in range(0, len(events), width)]


def _sum(values: Sequence[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return sum(measured) if measured else None


@dataclass(frozen=True)
class _Usual:
    """The usual number of events at a time, from other times."""

    parts: Sequence[float | None]
    first: int
    """The index of the first part with data."""
    last: int
    step: timedelta
    fewest: float
    """The number of missing events that is not yet a gap."""
    _periods: dict[int, Sequence[tuple[int, int, float]]] = field(default_factory=dict)

    def missed_in(self, run: range) -> tuple[range, float]:
        """Return the part of a silent stretch that usually has data, and its usual events.

        Silence at its ends that other days have, too, does not belong to the range.
        """
        numbers = self.by_part(run)
        there = [place for place, number in zip(run, numbers, strict=True) if number]
        return range(there[0], there[-1] + 1) if there else run, sum(numbers)

    def by_part(self, run: range) -> list[float]:
        """Return the usual number of events in each part of a stretch without data."""
        even = self._mean([range(self.first, self.last + 1)])
        if even * len(run) < self.fewest:
            return [even] * len(
                run
            )  # with few events, the parts around a gap do not show the usual number
        before = range(self.first, min(run.start, len(self.parts)))
        mean = self._mean([before, range(run.stop, self.last + 1)])
        if self.pauses > _MOST_PAUSES:
            return [mean] * len(run)
        return [
            0.0 if place in self._moved else min(self._at_the_time_of(place, run), default=mean)
            for place in run
        ]

    @cached_property
    def _moved(self) -> frozenset[int]:
        if not self.pauses:
            return frozenset()
        return ends_of_whole_days(self.parts, range(self.first, self.last + 1), self.step)

    @cached_property
    def pauses(self) -> int:
        """The number of silent pauses on most days; a pause over midnight counts once."""
        day = max(round(_DAY / self.step), 1)
        times = [self.parts[self.first + place : self.last + 1 : day] for place in range(day)]
        few = self._mean([range(self.first, self.last + 1)]) * float(_RARELY)
        silent = [bool(some) and _mean(some) < few for some in times]
        return sum(
            here and not before for before, here in zip([silent[-1], *silent], silent, strict=False)
        )

    @cached_property
    def _sums(self) -> Sequence[float]:
        """The sums of events before each part."""
        return list(accumulate((number or 0.0 for number in self.parts), initial=0.0))

    def _mean(self, stretches: Sequence[range]) -> float:
        count = sum(map(len, stretches))
        events = sum(self._sums[part.stop] - self._sums[part.start] for part in stretches if part)
        return events / count if count else 0.0

    def _at_the_time_of(self, place: int, run: range) -> Iterator[float]:
        """Yield the usual numbers at the same time of other days, and of other weeks."""
        for period in _PERIODS:
            least = 1 if period > _DAY <= len(run) * self.step else _ALIKE
            count, there, events = self._alike(place, run, period / self.step)
            if count >= least:
                yield events / count if there >= _RARELY * count else 0.0

    def _alike(self, place: int, run: range, distance: float) -> tuple[int, int, float]:
        """Return the number of parts that are whole periods away, and of those with data.

        The sum of their events comes third. The parts of the stretch itself are left out.
        """
        if distance.is_integer():
            whole = int(distance)
            count, there, events = self._each(whole)[place % whole]
            start, stop = max(run.start, self.first), min(run.stop, self.last + 1)
            own = self.parts[start : max(start, stop)][(place - start) % whole :: whole]
            less, fewer, without = _summary(own)
            return count - less, there - fewer, events - without
        periods = int(len(self.parts) / distance) + 1
        places = (place + round(n * distance) for n in range(-periods, periods + 1))
        alike = [
            self.parts[other]
            for other in places
            if self.first <= other <= self.last and other not in run
        ]
        return _summary(alike)

    def _each(self, period: int) -> Sequence[tuple[int, int, float]]:
        """Return the same for each part of a period, from all parts."""
        if period not in self._periods:
            parts = self.parts[self.first : self.last + 1]
            counts = [_summary(parts[place::period]) for place in range(period)]
            start = self.first % period
            self._periods[period] = counts[-start:] + counts[:-start] if start else counts
        return self._periods[period]


def _mean(some: Sequence[float | None]) -> float:
    return sum(number or 0.0 for number in some) / len(some) if some else 0.0


def _summary(some: Sequence[float | None]) -> tuple[int, int, float]:
    """Return the number of parts, of parts with data, and of their events."""
    return (
        len(some),
        sum(number is not None for number in some),
        sum(number or 0.0 for number in some),
    )
