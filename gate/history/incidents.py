"""Incidents: stretches of a history in which an SLO's budget burned too fast.

They have hysteresis, so that a burn rate near the threshold makes one incident and not ten: an
incident begins when the burn rate over the trailing `WINDOW` is at or above the threshold, and ends
when that has been below half of the threshold for `CALM`. The trailing window lags, so an incident
is dated from the first to the last step in those windows whose own rate was at or above half of the
threshold.

Steps are multiples on the clock, so that the same events are the same incidents in every run. The
newest step may be incomplete: its failures count, but a low number of them proves nothing yet.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate, repeat
from math import fmod
from typing import Final

from gate.dataclass import dataclass
from gate.measure.history import Series, SeriesRequest

WINDOW: Final = timedelta(minutes=15)
"""The window of the burn rate; at least one step."""
CALM: Final = timedelta(minutes=30)
"""The calm time that ends an incident. It is at least `WINDOW`, so no window has steps of two
incidents."""
_LARGEST_EXACT: Final = 2.0**53
"""All smaller whole numbers are exact as floats."""


class IncidentEnding(StrEnum):
    """How an incident ended."""

    CALM = "calm"
    """The burn rate was seen to be low again."""
    LOST = "lost"
    """The time after it is unknown, for as long as it takes to see an end."""
    OPEN = "open"
    """The incident is still going on at the end of the history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One stretch of one SLO."""

    start: datetime
    end: datetime
    """The end, after ``start``; for an open incident the end of the history."""
    ending: IncidentEnding
    bad: float
    """The bad events from start to end, without those of unknown steps; above 0."""
    peak: float
    """The highest burn rate over the trailing window; at least the threshold."""
    unknown: timedelta
    """The unknown time between start and end."""

    @property
    def duration(self) -> timedelta:
        """The time from start to end, or to the end of the history."""
        return self.end - self.start


@dataclass(slots=True, kw_only=True)
class _Running:
    """An incident that has begun; steps are positions in the history."""

    first: int
    last: int
    peak: float
    quiet: int = 0
    """The number of steps below half of the threshold since the newest step above it."""
    unknown: int = 0
    """The number of unknown steps since then."""

    def ending(self, calm: int) -> IncidentEnding | None:
        if self.quiet >= calm:
            return IncidentEnding.CALM
        return IncidentEnding.LOST if self.unknown >= calm else None


def find_incidents(
    series: Series,
    request: SeriesRequest,
    *,
    budget: float,
    threshold: float,
    window: timedelta = WINDOW,
) -> tuple[Incident, ...]:
    """Return the incidents of an SLO, the oldest first; they do not overlap.

    Args:
        series: the events. An unknown step neither begins nor ends an incident.
        request: the request that the series answers.
        budget: the share of events that may be bad, above 0.
        threshold: a burn rate, above 0.
        window: the window of the burn rate; one step, if that is longer.
    """
    width = steps_of(window, request.step)
    trailing = burn_rates(series, budget, width)
    if ends_in_part(request):
        # The incomplete step and a full window before it: no shorter than for other steps.
        trailing[-1] = burn_rates(series, budget, width + 1, [request.steps - 1])[0]
    half = [rate is not None and rate >= threshold / 2 for rate in burn_rates(series, budget, 1)]
    search = _Search(trailing, half, threshold, width, steps_of(max(CALM, window), request.step))
    incidents = []
    for running, ending in search.stretches(part=ends_in_part(request)):
        last = request.steps - 1 if ending is IncidentEnding.OPEN else running.last
        bad = series.bad[running.first : last + 1]
        unknown = [
            request.end_of(running.first + place) - request.end_of(running.first + place - 1)
            for place, value in enumerate(bad)
            if value is None
        ]
        incidents.append(
            Incident(
                start=request.end_of(running.first - 1),
                end=request.end_of(last),
                ending=ending,
                bad=sum(value or 0.0 for value in bad),
                peak=running.peak,
                unknown=sum(unknown, timedelta()),
            )
        )
    return tuple(incidents)


def ends_in_part(request: SeriesRequest) -> bool:
    """Return whether the newest step of a history is incomplete."""
    return bool(request.span.length % request.step)


def known_steps(series: Series) -> tuple[bool, ...]:
    """Return for each step whether it is known."""
    return tuple(total is not None for total in series.total)


def bad_between(series: Series, request: SeriesRequest, start: datetime, end: datetime) -> Fraction:
    """Return the known bad events of the steps that begin between two instants, or at the first."""
    first = max(-((request.span.start - start) // request.step), 0)
    last = max(-((request.span.start - end) // request.step), 0)
    return Fraction(sum(value or 0.0 for value in series.bad[first:last]))


def burn_rates(
    series: Series,
    budget: float,
    window: int,
    places: Sequence[int] | None = None,
    *,
    idle: float | None = 0.0,
) -> list[float | None]:
    """Return the burn rate over this many steps up to each step; None: the step is unknown.

    What is not known has none.

    Args:
        series: the events.
        budget: the share of events that may be bad, above 0.
        window: the window in steps, at least 1.
        places: the indices of the reported steps, from 0; None: all steps.
        idle: the value of a step without events: 0 in a search for incidents, since it is in none;
            None if a rate of 0 would be reported for it.
    """
    counts = [[value or 0.0 for value in values] for values in (series.total, series.bad)]
    totals, bads = (_sums(values, window, places) for values in counts)
    measured = series.total if places is None else [series.total[place] for place in places]
    return [
        None if raw is None else bad / (budget * total) if total else idle
        for raw, total, bad in zip(measured, totals, bads, strict=True)
    ]


def _sums(values: Sequence[float], window: int, places: Sequence[int] | None) -> list[float]:
    """Return the sums of this many values up to some positions; None: up to all of them.

    For all positions whole numbers are accumulated once, since their sums are exact.
    """
    if places is None:
        sums = list(accumulate(values, initial=0.0))
        if _is_exact(values, sums[-1]):
            firsts = [0.0] * (window - 1) + sums
            return [last - first for first, last in zip(firsts, sums[1:], strict=False)]
        places = range(len(values))
    return [sum(values[max(place - window + 1, 0) : place + 1]) for place in places]


def _is_exact(values: Sequence[float], total: float) -> bool:
    """Return whether all values are whole numbers whose sums are not rounded."""
    exact = total < _LARGEST_EXACT and min(values, default=0.0) >= 0
    return exact and not any(map(fmod, values, repeat(1.0)))


def steps_of(length: timedelta, step: timedelta) -> int:
    """Return how many steps are needed for at least this length."""
    return -(-length // step)


@dataclass(frozen=True, slots=True)
class _Search:
    """The data in which incidents are searched for; the lists are by step."""

    trailing: Sequence[float | None]
    half: Sequence[bool]
    """Whether a step's own burn rate was at least half of the threshold."""
    threshold: float
    window: int
    """The length of the window in steps."""
    calm: int
    """The calm time in steps."""

    def stretches(self, *, part: bool) -> Iterator[tuple[_Running, IncidentEnding]]:
        """Yield the incidents; ``part`` says whether the newest step is incomplete."""
        running: _Running | None = None
        for place, rate in enumerate(self.trailing):
            if running is None and rate is not None and rate >= self.threshold:
                first = next((step for step in self._recent(place) if self.half[step]), place)
                running = _Running(first=first, last=place, peak=rate)
            quiet = rate is None or rate < self.threshold / 2
            if running is None or (part and quiet and place == len(self.trailing) - 1):
                continue
            if rate is None:
                running.unknown += 1
            elif quiet:
                running.quiet += 1
            else:
                running.quiet = running.unknown = 0
                newest = (step for step in reversed(self._recent(place)) if self.half[step])
                running.last = next(newest, place)
                running.peak = max(running.peak, rate)
            ending = running.ending(self.calm)
            if ending is not None:
                yield running, ending
                running = None
        if running is not None:
            yield running, IncidentEnding.OPEN

    def _recent(self, place: int) -> range:
        """Return the steps over which the burn rate of a step is taken."""
        return range(max(place - self.window + 1, 0), place + 1)
