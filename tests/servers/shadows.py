"""Six hours of services with a live deployment and a shadow, of which it is known what happened.

Each minute has a fixed number of requests, so that nothing is drawn at random.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.servers.series import LAST, Counter, write_openmetrics

FIRST: Final = LAST - 6 * 60
"""The tick before which nothing happened; `LAST` is the instant that is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The requests of one deployment in each minute in which it exists."""

    requests: int
    every: int
    """One of so many requests fails: in the mean, and spread evenly; 0: none."""
    runs: tuple[tuple[int, int], ...] = ((360, 0),)
    """From and until how many minutes before the instant it runs and is scraped."""
    busy: tuple[tuple[int, int], ...] = ((360, 0),)
    """The minutes before the instant, from and until, in which it has requests."""
    outage: tuple[int, int] = (0, 0)
    """The minutes before the instant, from and until, in which half of its requests fail."""
    name: str = ""
    """The label's value, where it is another than the role's."""
    born: int | None = 360
    """The minutes before the instant at which the counter of failures appears, with its count since
    the one before; None: it never appears, as nothing fails."""

    def counts(self, tick: int) -> tuple[int, int]:
        """Return the requests of a minute, and the failures among them."""
        ago = LAST - tick
        if not any(start > ago >= end for start, end in self.busy):
            return 0, 0
        start, end = self.outage
        if start > ago >= end:
            return self.requests, self.requests // 2
        before, after = (
            (n * self.requests) // self.every if self.every else 0 for n in (tick, tick + 1)
        )
        return self.requests, after - before

    def scraped(self, tick: int) -> bool:
        """Return whether there is a sample of a minute."""
        ago = LAST - tick
        return any(start >= ago >= end for start, end in self.runs)

    def failures_scraped(self, tick: int) -> bool:
        """Return whether there is a sample of the failures of a minute."""
        return self.scraped(tick) and LAST - tick <= (self.born or 0)


LIVE: Final = Deployment(requests=1_000, every=1_000)
SHADOWED: Final[Mapping[str, tuple[Deployment, Deployment]]] = {
    "equal": (LIVE, LIVE),
    "mirrored-in-part": (LIVE, Deployment(requests=100, every=1_000)),
    "never-failing": (Deployment(requests=1_000, every=0), Deployment(requests=1_000, every=0)),
    "outage": (
        Deployment(requests=1_000, every=1_000, outage=(30, 25)),
        Deployment(requests=1_000, every=1_000, outage=(30, 25)),
    ),
    "worse": (LIVE, Deployment(requests=100, every=50)),
    "scarce": (LIVE, Deployment(requests=10, every=100)),
    "young": (LIVE, Deployment(requests=1_000, every=1_000, runs=((5, 0),))),
    "gone": (LIVE, Deployment(requests=1_000, every=1_000, runs=((360, 20),))),
    "hole": (LIVE, Deployment(requests=1_000, every=1_000, runs=((360, 40), (20, 0)))),
    "not-mirrored": (LIVE, Deployment(requests=1_000, every=1_000, busy=((360, 30),))),
    "never-born": (LIVE, Deployment(requests=1_000, every=0, born=None)),
    "neither-born": (
        Deployment(requests=1_000, every=0, born=None),
        Deployment(requests=1_000, every=0, born=None),
    ),
    "born-late": (LIVE, Deployment(requests=1_000, every=50, born=30)),
    "misspelt": (LIVE, Deployment(requests=1_000, every=1_000, name="shadw")),
}
"""The live deployment of each service, and its shadow."""


def truth(service: str, minutes: int = 60) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the requests and failures of both in the minutes before the instant."""
    live, shadow = (
        [deployment.counts(tick) for tick in range(LAST - minutes + 1, LAST + 1)]
        for deployment in SHADOWED[service]
    )
    return _summed(live), _summed(shadow)


def _summed(counts: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(total for total, _ in counts), sum(bad for _, bad in counts)


def write_metrics(path: Path) -> None:
    """Write counters by outcome."""
    with path.open("w", encoding="utf-8") as file:
        write_openmetrics(_counters(), file)


def _counters() -> Iterator[Counter]:
    for service, deployments in SHADOWED.items():
        for role, deployment in zip(("live", "shadow"), deployments, strict=True):
            counts = [
                deployment.counts(tick) if tick > FIRST else (0, 0) for tick in range(LAST + 1)
            ]
            labels = f'service="{service}",deployment="{deployment.name or role}"'
            name = "llm_requests_total"
            yield Counter(
                name=name,
                labels=f'{labels},code="200"',
                events=[total - bad for total, bad in counts],
                scraped=deployment.scraped,
            )
            if deployment.born is not None:
                yield Counter(
                    name=name,
                    labels=f'{labels},code="500"',
                    events=[bad for _, bad in counts],
                    scraped=deployment.failures_scraped,
                )
