"""Services whose counts are not what happened, and services that only look like it.

Eleven days, scraped every two minutes. What truly happened comes from the events, not from a query.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TextIO

from gate.measure import Cause
from gate.slo.indicator import Sli, Slices
from tests.servers.series import END

STEP: Final = timedelta(minutes=2)
WINDOW: Final = timedelta(days=10)
BEGIN: Final = END - WINDOW - timedelta(days=1)
LAST: Final = (END - BEGIN) // STEP
"""The tick of `END`."""
HOUR: Final = timedelta(hours=1) // STEP
DAY: Final = 24 * HOUR
CHANGE: Final = LAST - 4 * DAY
"""When exporters are upgraded."""
UPGRADE: Final = END - timedelta(days=4)
Events = Callable[[int], int]
"""The number of events in the two minutes up to a tick."""


def steady(count: int, every: int = 1) -> Events:
    """Return so many events in each tick of ``every``."""
    return lambda tick: count if tick % every == 0 else 0


def during(begin: int, end: int, count: int) -> Events:
    """Return so many events in each tick after ``begin``, up to ``end``."""
    return lambda tick: count if begin < tick <= end else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One series."""

    name: str
    labels: str
    events: Events
    begin: int = 0
    """The tick of its first sample."""
    end: int = LAST
    """The tick of its last sample."""
    before: int = 0
    """Its count when it was first seen."""
    lazy: bool = False
    """It is not there before the first event."""
    restarts: frozenset[int] = frozenset()
    """Right after these ticks it begins at zero."""
    gap: range = range(0)
    """Ticks that are not scraped."""

    def samples(self) -> Iterator[tuple[int, int]]:
        """Yield Unix time and value of every scrape."""
        value = self.before
        for tick in range(self.begin, self.end + 1):
            value += self.events(tick) if tick > self.begin or self.lazy else 0
            if tick not in self.gap and not (self.lazy and not value):
                yield int((BEGIN + tick * STEP).timestamp()), value
            if tick in self.restarts:
                value = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """A service, how it is counted, and what there is to say of the count."""

    sli: Sli
    series: tuple[Exported, ...]
    cause: Cause | None = None
    """The cause of the only suspicion; None: there is no reason to suspect anything."""
    hidden: int = 0
    """The number of failures that are not counted, which a suspicion must allow for."""
    most_hidden: int | None = 0
    """It must not allow for more; None: any number is right."""
    doubtful: int = 0
    """The number of good events that are counted as bad."""
    slices: Slices | None = None
    words: str = ""
    """Words that the reason must contain."""
    true_bad: int | None = None
    """The true number of failures, or the true spend; None: it is not compared."""


def write_doubtful(cases: Mapping[str, Doubtful], file: TextIO) -> None:
    """Write every service's series as OpenMetrics text."""
    for name, case in cases.items():
        for exported in case.series:
            labels = ",".join(filter(None, (f'service="{name}"', exported.labels)))
            head = f"{exported.name}{{{labels}}} "
            file.writelines(f"{head}{value} {time}\n" for time, value in exported.samples())
    file.write("# EOF\n")


def between(events: Events, begin: int, end: int = LAST) -> int:
    """Return what happened after ``begin``, up to ``end``."""
    return sum(map(events, range(begin + 1, end + 1)))
