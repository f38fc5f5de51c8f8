"""Series as a server would have scraped them, written as OpenMetrics text, minute by minute.

The events of each minute are kept, so what truly happened in a window is known without a query.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TextIO

END = datetime(2026, 11, 1, tzinfo=UTC)
"""The instant at which tests look back. Fixed, so that the data are the same for ever."""
STEP = timedelta(minutes=1)
LAST = timedelta(days=31) // STEP
"""The tick of `END`. One day more than the windows need, so that these begin within the data."""
START = END - LAST * STEP


def tick_at(instant: datetime) -> int:
    """Return the number of the scrape at this instant, a whole minute; `END` is `LAST`."""
    return (instant - START) // STEP


def always(_tick: int) -> bool:
    """Every minute is scraped."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One counter and everything that happened to it."""

    name: str
    """The name of its samples: ``llm_requests_total``."""
    labels: str
    """``service="peak",code="500"``."""
    events: Sequence[int]
    """By tick: what happened in the minute up to it. The first is from before the history."""
    scraped: Callable[[int], bool] = always
    restarts: frozenset[int] = frozenset()
    """Right after these scrapes the process starts again, and counts from zero."""
    offset: timedelta = timedelta(0)
    """How long after the whole minute it is scraped."""

    def samples(self) -> Iterator[tuple[int, int]]:
        """Yield Unix time and value of every scrape."""
        first = int((START + self.offset).timestamp())
        step, value = int(STEP.total_seconds()), 0
        for tick, happened in enumerate(self.events):
            value += happened
            if self.scraped(tick):
                yield first + tick * step, value
            if tick in self.restarts:
                value = 0

    def happened(self, window: timedelta, at: datetime = END) -> int:
        """Return the events in the window before ``at``, both whole minutes: the truth.

        Of a window that begins before the history, the part since then.
        """
        until = tick_at(at)
        after = max(until - window // STEP, 0)
        return sum(self.events[after + 1 : until + 1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """One gauge."""

    name: str
    labels: str
    values: Sequence[int]
    """By tick."""

    def samples(self) -> Iterator[tuple[int, int]]:
        """Yield Unix time and value of every scrape."""
        first, step = int(START.timestamp()), int(STEP.total_seconds())
        for tick, value in enumerate(self.values):
            yield first + tick * step, value


def write_openmetrics(
    series: Iterable[Counter | Gauge], file: TextIO, later: timedelta = timedelta(0)
) -> None:
    """Write the text that both promtool and VictoriaMetrics read, all of it so much later.

    https://prometheus.io/docs/specs/om/open_metrics_spec/ : timestamps are in seconds, and the
    text ends with ``# EOF``.
    """
    shift = int(later.total_seconds())
    for one in series:
        head = f"{one.name}{{{one.labels}}} "
        file.writelines(f"{head}{value} {time + shift}\n" for time, value in one.samples())
    file.write("# EOF\n")
