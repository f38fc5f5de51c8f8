"""The share of a stretch of time with data, and its gaps: at the start, or holes.

A stretch is examined in equal parts; the number of events in each part is known or unknown. A part
without events does not prove a loss of data: a service may be idle at night, or so small that an
hour without users is not unusual.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from math import ceil
from statistics import median, mode
from typing import Final

from gate.dataclass import dataclass
from gate.measure.active_times import UsualEvents, runs_without, sum_of_known
from gate.slo.objective import Span

FEWEST: Final = 10
"""The minimum usual number of events from which an empty part indicates a loss: of 10 independent
events, none at all happens once in 22,000 times (e^-10), and a month has 720 hours."""
BRIEF: Final = timedelta(minutes=5)
"""The maximum pause between data that is not a gap, whether users or scrapes are missing: a
Prometheus server also looks back as far (--query.lookback-delta)."""
_MOST_PARTS: Final = 720
_FEWEST_PAUSES: Final = 5
"""The fewest distances between samples that show how far apart they usually are."""
_REGULAR: Final = Fraction(9, 10)
"""The share of distances between samples that are alike if scrapes are regular."""
_LONGEST_INTERVAL: Final = timedelta(hours=1)
"""The longest interval of scrapes. A longer regular pause is a gap: a server that runs for ten
minutes every few hours has no data on the time in between."""


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
    usual = UsualEvents(parts, first, last, span.length / count, fewest)
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


def between_samples(places: Sequence[int], step: timedelta) -> frozenset[int]:
    """Return the steps without samples in which none is missing: scrapes are further apart.

    That is usual for pauses of at most five minutes (`BRIEF`), and for longer ones if nearly all
    pauses are as long: then it is the interval of the scrapes.

    Args:
        places: the numbers of the steps with samples, in order.
        step: the length of a step.
    """
    pauses = list(pairwise(places))
    longest = max(BRIEF // step, _usual_pause(places, step))
    return frozenset(
        place
        for start, stop in pauses
        if stop - start <= longest
        for place in range(start + 1, stop)
    )


def where_sampled_rarely(
    samples: Sequence[float | None], step: timedelta
) -> Sequence[float | None]:
    """Return the steps with data, where samples are regular and more than five minutes apart.

    Steps between two regular samples have data. Empty: samples are closer together, or irregular.

    Args:
        samples: the samples of a series in each step; None: no sample.
        step: the length of a step.
    """
    places = [place for place, number in enumerate(samples) if number]
    if not places:
        return ()
    pause, number = _usual_pause(places, step), median(filter(None, samples))
    if pause * step / number <= BRIEF or (pause > 1 and number > 1):
        return ()  # several samples in a step and none in the next are not regular
    # Up to the first sample and after the last, less than an interval has passed.
    ends = [range(places[0]), range(places[-1] + 1, len(samples))]
    silent = {place for end in ends if len(end) < pause for place in end}
    silent |= between_samples(places, step)
    return [1.0 if place in silent else number for place, number in enumerate(samples)]


def _usual_pause(places: Sequence[int], step: timedelta) -> int:
    """Return the longest usual distance between steps with samples; 0: no distance is usual.

    Regular scrapes are two distances apart, which differ by one: 1 and 2 steps of five minutes for
    an interval of seven.
    """
    pauses = [stop - start for start, stop in pairwise(places)]
    if len(pauses) < _FEWEST_PAUSES or (usual := mode(pauses)) * step > _LONGEST_INTERVAL:
        return 0
    fewer, times, more = (pauses.count(usual + further) for further in (-1, 0, 1))
    if times + max(fewer, more) < _REGULAR * len(pauses):
        return 0
    return usual + 1 if more > fewer and more >= (1 - _REGULAR) * len(pauses) else usual


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
    usual = UsualEvents(events, measured[0], measured[-1], step, FEWEST).by_part(run)
    overlaps = (
        min(gap.end, span.start + (place + 1) * step) - max(gap.start, span.start + place * step)
        for place in run
    )
    return sum(number * (overlap / step) for number, overlap in zip(usual, overlaps, strict=True))


def _coarse(events: Sequence[float | None], most: int) -> list[float | None]:
    width = -(-len(events) // most)
    if width == 1:
        return list(events)
    return [sum_of_known(events[start : start + width]) for start in range(0, len(events), width)]
