"""The same past, computed from the flights with numpy and without any code of the gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.flights.history import Flight

STEP: Final = 300
_TRAILING: Final = 3
"""Steps: 15 minutes."""
_CALM: Final = 6
"""Steps: half an hour."""


@dataclass(frozen=True, slots=True)
class FoundIncident:
    """A stretch in which too many flights failed."""

    start: datetime
    end: datetime
    bad: int


class Flights:
    """All flights as arrays: planned departures in seconds since 1970, and which failed."""

    def __init__(self, flights: Sequence[Flight]) -> None:
        times = [int(flight.time.timestamp()) for flight in flights]
        self.times: NDArray[np.int64] = np.array(times, dtype=np.int64)
        failed = np.array([flight.failed for flight in flights], dtype=np.int64)
        self.bad_before: NDArray[np.int64] = np.concatenate(([0], np.cumsum(failed)))

    def counts(self, at: datetime, window: timedelta) -> tuple[int, int]:
        """Return the flights, and those that failed, after ``at - window`` and up to ``at``."""
        edges = np.array([(at - window).timestamp(), at.timestamp()])
        first, last = np.searchsorted(self.times, edges, side="right")
        return int(last - first), int(self.bad_before[last] - self.bad_before[first])

    def left(self, at: datetime, window: timedelta, budget: float) -> float:
        """Return the share of the budget that is left at an instant."""
        total, bad = self.counts(at, window)
        return 1 - bad / (budget * total)

    def burn(self, at: datetime, window: timedelta, budget: float) -> float:
        """Return the burn rate over a window; 0 where there was no flight."""
        total, bad = self.counts(at, window)
        return bad / (budget * total) if total else 0.0

    def incidents(
        self, start: datetime, end: datetime, budget: float, threshold: float
    ) -> list[FoundIncident]:
        """Return all incidents that begin between two instants on the clock of the steps."""
        edges = np.arange(start.timestamp(), end.timestamp() + STEP, STEP)
        places = np.searchsorted(self.times, edges, side="right")
        total, bad = np.diff(places), np.diff(self.bad_before[places])
        rate = _rates(_trailing(total), _trailing(bad), budget)
        high = _rates(total, bad, budget) >= threshold / 2
        found, place = list[FoundIncident](), 0
        while place < len(rate):
            if rate[place] < threshold:
                place += 1
                continue
            first = place
            last = _last_of(rate, first, threshold)
            steps = np.flatnonzero(high[max(first - _TRAILING + 1, 0) : last + 1])
            low = steps[0] + max(first - _TRAILING + 1, 0)
            top = steps[-1] + max(first - _TRAILING + 1, 0)
            found.append(
                FoundIncident(
                    start=datetime.fromtimestamp(edges[low], UTC),
                    end=datetime.fromtimestamp(edges[top + 1], UTC),
                    bad=int(bad[low : top + 1].sum()),
                )
            )
            place = last + _CALM + 1
        return found


def _last_of(rate: NDArray[np.float64], first: int, threshold: float) -> int:
    """Return the last step of an incident that is not calm."""
    last = first
    for place in range(first, len(rate)):
        if rate[place] >= threshold / 2:
            last = place
        elif place - last >= _CALM:
            break
    return last


def _trailing(values: NDArray[np.int64]) -> NDArray[np.int64]:
    sums = np.concatenate(([0], np.cumsum(values)))
    firsts = np.maximum(np.arange(len(values)) - _TRAILING + 1, 0)
    trailing: NDArray[np.int64] = sums[1:] - sums[firsts]
    return trailing


def _rates(total: NDArray[np.int64], bad: NDArray[np.int64], budget: float) -> NDArray[np.float64]:
    rates: NDArray[np.float64] = np.where(total > 0, bad / (budget * np.maximum(total, 1)), 0.0)
    return rates
