"""Two days of counters that restart, are born, end and are not scraped for a while.

What happened is known by increments: each between two samples, at the instant of the later one.
"""

import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import accumulate, pairwise
from pathlib import Path

from tests.servers.series import END

DAYS = timedelta(days=2)
START = END - DAYS
SECOND = timedelta(seconds=1)
Sample = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class Scrape:
    """When counters are scraped."""

    every: int
    """Seconds."""
    phase: float
    """Seconds after the whole minute."""


SCRAPES = (Scrape(15, 7), Scrape(30, 7.25), Scrape(60, 7), Scrape(30, 0))


@dataclass(frozen=True, slots=True)
class Scraped:
    """The samples of one counter."""

    labels: str
    samples: Sequence[Sample]

    def increments(self) -> Iterator[Sample]:
        """Yield what was counted between two samples, at the later one."""
        for (_, before), (time, value) in pairwise(self.samples):
            yield time, value - before if value >= before else value

    def counted_by(self, instants: Sequence[datetime]) -> list[int]:
        """Return what was counted up to each instant, with what happens in it."""
        times, counts = self._sums()
        return [counts[bisect_right(times, instant)] for instant in instants]

    def _sums(self) -> tuple[list[datetime], list[int]]:
        increments = list(self.increments())
        times = [time for time, _ in increments]
        return times, list(accumulate((count for _, count in increments), initial=0))


def _never(_time: datetime) -> bool:
    return False


def _scraped(
    name: str,
    scrape: "Scrape",
    *,
    missed: Callable[[datetime], bool] = _never,
    restarts: Sequence[datetime] = (),
    born: datetime = START,
    ended: datetime = END,
    first: int = 0,
) -> list[Scraped]:
    """Return the counters of a service: what went well, and what did not."""
    counters = []
    for code, most in (("200", 40), ("500", 3)):
        rng = random.Random(f"{name} {code} {scrape}")
        samples, value, down = list[Sample](), first, sorted(restarts)
        time = START + scrape.phase * SECOND
        while time <= ended:
            while down and down[0] <= time:
                down.pop(0)
                value = 0
            value += rng.randint(0, most) if samples else 0
            if born <= time and not missed(time):
                samples.append((time, value))
            time += scrape.every * SECOND
        labels = f'service="{name}",code="{code}",every="{scrape.every}",phase="{scrape.phase}"'
        counters.append(Scraped(labels, samples))
    return counters


def _within(start: float, hours: float) -> Callable[[datetime], bool]:
    """Return whether a time is so many hours after the start, and no more than so many later."""
    begin = START + timedelta(hours=start)
    return lambda time: begin <= time < begin + timedelta(hours=hours)


@cache
def services(scrape: Scrape) -> dict[str, list[Scraped]]:
    """Return the counters by service, scraped as it says."""
    rng = random.Random(f"restarts {scrape}")
    restarts = [START + timedelta(seconds=rng.randrange(172_800)) for _ in range(40)]
    twice = [START + timedelta(hours=30, minutes=2), START + timedelta(hours=30, minutes=3.5)]
    return {
        "steady": _scraped("steady", scrape),
        "restarts": _scraped("restarts", scrape, restarts=[*restarts, *twice]),
        "born": _scraped("born", scrape, born=START + timedelta(hours=9.07)),
        "born-high": _scraped(
            "born-high", scrape, born=START + timedelta(hours=9.07), first=10_000_000
        ),
        "ended": _scraped("ended", scrape, ended=START + timedelta(hours=31.03)),
        "missed": _scraped("missed", scrape, missed=_within(20.01, 0.4)),
        "unseen": _scraped(
            "unseen", scrape, missed=_within(12.02, 9), restarts=[START + timedelta(hours=40)]
        ),
        "restarted-unseen": _scraped(
            "restarted-unseen",
            scrape,
            missed=_within(12.02, 9),
            restarts=[START + timedelta(hours=14)],
        ),
    }


def write(path: Path) -> None:
    """Write all counters as OpenMetrics text."""
    with path.open("w", encoding="utf-8") as file:
        for scrape in SCRAPES:
            for counters in services(scrape).values():
                for counter in counters:
                    for time, value in counter.samples:
                        file.write(
                            f"hits_total{{{counter.labels}}} {value} {time.timestamp():.3f}\n"
                        )
        file.write("# EOF\n")
