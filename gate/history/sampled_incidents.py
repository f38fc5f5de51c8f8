"""Incidents of sampled SLOs, of which a quarter of an hour has a handful of samples, or none.

A burn rate over those few says little: one bad sample of four is an incident, and four good ones
are the end of it, so that one bad day becomes ten incidents. So it is taken over as many samples as
are needed, however long they take to come, and as many must be good to end an incident. It is
dated by what fits best: from the sample to the sample between which the most were bad beyond what
half of the threshold allows (the maximum of the cumulative sum, as in a CUSUM chart; Page, 1954).
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from gate.dataclass import dataclass
from gate.history.incidents import CALM, WINDOW, Incident, IncidentEnding, steps_of
from gate.measure.history import Series, SeriesRequest

ENOUGH: Final = 5
"""Bad samples that a window has at the threshold, so that one more or less changes little: of
samples that go wrong at a tenth of that pace, this many do in fewer than one of 5,000 windows."""


@dataclass(slots=True, kw_only=True)
class _Running:
    """An incident that has begun; steps by their place in the history."""

    earliest: int
    """From which on it may be dated."""
    latest: int
    """Up to which, likewise."""
    peak: float
    quiet_steps: int = 0
    """Steps since ``latest`` of which something is known, all of them with a low rate."""
    quiet: float = 0.0
    """Samples in them."""
    unknown: int = 0
    """Steps of which nothing is known, one after the other."""


def find_sampled_incidents(
    series: Series, request: SeriesRequest, *, budget: float, threshold: float
) -> tuple[Incident, ...]:
    """Return the incidents of a sampled SLO, the oldest first; they do not overlap.

    Args:
        series: what happened, sample by sample.
        request: what the series answers.
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
        """Samples of a window."""
        counted = [total for total in series.total if total is not None]
        usual = int(self._enough * len(counted) / (sum(counted) or 1))
        self._patience = max(usual, self._steps(CALM))
        """In how many steps there usually are enough samples: nothing is known for longer where
        that many have no data."""

    def stretches(self) -> Iterator[tuple[_Running, IncidentEnding]]:
        """Yield what begins at the threshold and ends after as many quiet samples."""
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
        """Yield for each step where the window begins that ends with it, and its burn rate.

        None: nothing is known of the step, or there are not yet enough samples since the beginning
        of the history, or of what is known again.
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
        """Return it, dated by the samples that are bad beyond what half of the threshold allows."""
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
    """Return the first and the last place of the stretch whose sum is greatest."""
    best, total, first, stretch = numbers[0], 0.0, 0, (0, 0)
    for place, number in enumerate(numbers):
        if total <= 0:
            total, first = 0.0, place
        total += number
        if total > best:
            best, stretch = total, (first, place)
    return stretch
