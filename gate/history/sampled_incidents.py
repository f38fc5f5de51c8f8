"""Incidents of sampled SLOs, which have a few samples or none in a quarter of an hour.

A burn rate over a few samples is unreliable: one bad sample of four begins an incident, and four
good ones end it, so that one bad day becomes ten incidents. So the rate is taken over as many
samples as needed, however long they take, and as many must be good to end an incident. It is dated
by the best fit: from the sample to the sample between which most were bad beyond the number that
half of the threshold allows (the maximum of the cumulative sum, as in a CUSUM chart; Page, 1954).
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from gate.dataclass import dataclass
from gate.history.incidents import CALM, WINDOW, Incident, IncidentEnding, steps_of
from gate.measure.history import Series, SeriesRequest

ENOUGH: Final = 5
"""The bad samples of a window at the threshold, so that one more or less changes little: of samples
that fail at a tenth of that rate, fewer than one of 5,000 windows has this many."""


@dataclass(slots=True, kw_only=True)
class _Running:
    """An incident that has begun; steps are positions in the history."""

    earliest: int
    """The earliest step at which it may begin."""
    latest: int
    """The latest step at which it may end."""
    peak: float
    quiet_steps: int = 0
    """Known steps since ``latest``, all of them with a low rate."""
    quiet: float = 0.0
    """Samples in these steps."""
    unknown: int = 0
    """Consecutive unknown steps."""


def find_sampled_incidents(
    series: Series, request: SeriesRequest, *, budget: float, threshold: float
) -> tuple[Incident, ...]:
    """Return the incidents of a sampled SLO, the oldest first; they do not overlap.

    Args:
        series: the samples.
        request: the request that the series answers.
        budget: the share of samples that may be bad, above 0.
        threshold: a burn rate, above 0.
    """
    search = _Search(series, request, budget=budget, threshold=threshold)
    return tuple(search.incident(running, ending) for running, ending in search.stretches())


class _Search:
    def __init__(
        self, series: Series, request: SeriesRequest, *, budget: float, threshold: float
    ) -> None:
        self._series = series
        self._request = request
        self._budget = budget
        self._threshold = threshold
        self._enough = ENOUGH / (budget * threshold)
        """The number of samples in a window."""
        counted = [total for total in series.total if total is not None]
        usual = int(self._enough * len(counted) / (sum(counted) or 1))
        self._patience = max(usual, self._steps(CALM))
        """The number of steps that usually have enough samples: a longer time without data is
        unknown."""

    def stretches(self) -> Iterator[tuple[_Running, IncidentEnding]]:
        """Yield the stretches that begin at the threshold and end after as many quiet samples."""
        running: _Running | None = None
        before = -1
        for place, (first, rate) in enumerate(self._windows()):
            if running is None and rate is not None and rate >= self._threshold:
                running = _Running(earliest=max(first, before + 1), latest=place, peak=rate)
            if running is None:
                continue
            self._go_on(running, place, rate)
            ending = self._ending(running)
            if ending is not None:
                yield running, ending
                before, running = running.latest, None
        if running is not None:
            yield running, IncidentEnding.OPEN

    def _windows(self) -> Iterator[tuple[int, float | None]]:
        """Yield for each step the start of the window that ends with it, and its burn rate.

        None: the step is unknown, or there are too few samples since the start of the history, or
        since the last unknown time.
        """
        first, total, bad, unknown = 0, 0.0, 0.0, 0
        totals, bads = ([n or 0.0 for n in part] for part in (self._series.total, self._series.bad))
        for place, events in enumerate(self._series.total):
            unknown = unknown + 1 if events is None else 0
            if unknown >= self._patience:
                first, total, bad = place + 1, 0.0, 0.0
            total, bad = total + totals[place], bad + bads[place]
            while place - first >= self._steps(WINDOW) and total - totals[first] >= self._enough:
                total, bad, first = total - totals[first], bad - bads[first], first + 1
            enough = events is not None and total >= self._enough
            yield first, bad / (self._budget * total) if enough else None

    def _go_on(self, running: _Running, place: int, rate: float | None) -> None:
        events = self._series.total[place]
        if events is None:
            running.unknown += 1
            return
        running.unknown = 0
        if rate is not None and rate >= self._threshold / 2:
            running.latest, running.quiet, running.quiet_steps = place, 0.0, 0
            running.peak = max(running.peak, rate)
        else:
            running.quiet += events
            running.quiet_steps += 1

    def _ending(self, running: _Running) -> IncidentEnding | None:
        if running.quiet >= self._enough and running.quiet_steps >= self._steps(CALM):
            return IncidentEnding.CALM
        return IncidentEnding.LOST if running.unknown >= self._patience else None

    def _steps(self, length: timedelta) -> int:
        return steps_of(length, self._request.step)

    def incident(self, running: _Running, ending: IncidentEnding) -> Incident:
        """Return the incident, dated by the samples that are bad beyond half of the threshold."""
        series, request, at = self._series, self._request, running.earliest
        part = slice(at, running.latest + 1)
        totals, bads = ([n or 0.0 for n in v[part]] for v in (series.total, series.bad))
        allowed = self._budget * self._threshold / 2
        first, last = _greatest([bad - allowed * n for n, bad in zip(totals, bads, strict=True)])
        last = request.steps - 1 - at if ending is IncidentEnding.OPEN else last
        within = series.bad[at + first : at + last + 1]
        return Incident(
            start=request.end_of(at + first - 1),
            end=request.end_of(at + last),
            ending=ending,
            bad=sum(value or 0.0 for value in within),
            peak=running.peak,
            unknown=sum(
                (
                    request.end_of(at + first + place) - request.end_of(at + first + place - 1)
                    for place, value in enumerate(within)
                    if value is None
                ),
                timedelta(),
            ),
        )


def _greatest(numbers: Sequence[float]) -> tuple[int, int]:
    """Return the first and the last position of the stretch with the largest sum."""
    best, total, first, stretch = numbers[0], 0.0, 0, (0, 0)
    for place, number in enumerate(numbers):
        if total <= 0:
            total, first = 0.0, place
        total += number
        if total > best:
            best, stretch = total, (first, place)
    return stretch
