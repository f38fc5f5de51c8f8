"""Services whose every event is known, and the samples that a server would have of them.

Demand comes first: how many good and bad events there were between two scrapes. Pods share it out,
count their part from their start on, and expose it as counters. Whatever happens to the pods, the
counters or the scrapes changes the samples only, and never the truth.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

END: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""The instant at which the gate looks back."""
SCRAPE: Final = timedelta(minutes=2)
WINDOW: Final = timedelta(days=3)
LEAD: Final = timedelta(days=7)
"""How much longer the history is than the window: it has the same days of the week before."""
DENSE: Final = timedelta(hours=12)
"""So long before the window every scrape is kept; of what is older, as by downsampling, only ..."""
KEPT: Final = 5
"""... every fifth."""
FIRST: Final = LEAD // SCRAPE
"""The first tick whose events lie in the window."""
TICKS: Final = (LEAD + WINDOW) // SCRAPE
"""Tick k has the events from scrape k - 1 to scrape k; the last scrape is at `END`."""
OLD: Final = FIRST - DENSE // SCRAPE
HEALTHY: Final = Fraction(1, 2)
"""The policy allows every change above this share of the budget, and none of them below."""

Counts = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counter:
    """One counter of a pod: its name and labels, and which share of the events it counts."""

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    good: float = 0.0
    bad: float = 0.0
    lazy: bool = False
    """It does not exist before its first event, as a labelled counter of most clients."""
    recorded: bool = False
    """No counter of a pod, but what a recording rule says has happened since it last ran."""


Page = tuple[Counter, ...]
"""What a pod exposes."""


@dataclass(slots=True, kw_only=True)
class Pod:
    """A process, from the tick whose events are its first ones to the tick before its end."""

    labels: Mapping[str, str]
    start: int
    stop: int
    pages: dict[int, Page]
    """From which tick on it exposes what; the earliest is the first."""
    share: Floats
    """By tick: its weight among the pods."""
    failing: Floats
    """By tick: its weight where failures are shared out."""
    seen: Mask
    """By tick: whether it is scraped then."""
    crashes: list[int] = field(default_factory=list)
    """In these ticks the process starts again under its labels; their events are lost with it."""
    freezes: int = TICKS
    """From this tick on its counters stand still."""


def pod(labels: Mapping[str, str], page: Page, start: int = 0, stop: int = TICKS) -> Pod:
    """Return a pod that does its share from start to end."""
    alive = np.zeros(TICKS)
    alive[start:stop] = 1
    return Pod(
        labels=labels,
        start=start,
        stop=stop,
        pages={start: page},
        share=alive,
        failing=alive.copy(),
        seen=np.ones(TICKS, dtype=bool),
    )


@dataclass(slots=True, kw_only=True)
class History:
    """One service with all that happened to it."""

    seed: int
    rng: np.random.Generator
    service: str
    prefix: str
    """Of the names of its metrics."""
    objective: Fraction
    good: Counts
    """By tick, over all pods: the truth."""
    bad: Counts
    pods: list[Pod]
    change: int
    """The tick at which a mutation sets in."""
    offset: float
    """Seconds by which it is scraped before the full tick."""
    copies: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    """Pods, by their place, of which a second target serves the same page under other labels."""
    unserved: Mask = field(default_factory=lambda: np.zeros(TICKS, dtype=bool))
    """By tick: whether nothing reaches any pod."""

    @property
    def total(self) -> int:
        """The events in the window."""
        return int(self.good[FIRST:].sum() + self.bad[FIRST:].sum())

    @property
    def failures(self) -> int:
        """The bad events in the window."""
        return int(self.bad[FIRST:].sum())

    @property
    def remaining(self) -> Fraction:
        """The share of the budget that is left: 1 - e / (b n) of e bad events among n."""
        return 1 - Fraction(self.failures, self.total) / (1 - self.objective)

    @property
    def blocks(self) -> bool:
        """Whether the policy forbids a change by what has happened."""
        return self.remaining <= HEALTHY

    def samples(self) -> Iterator["Samples"]:
        """Yield every series."""
        merged: dict[tuple[str, tuple[tuple[str, str], ...]], list[Points]] = defaultdict(list)
        for place, (member, good, bad) in enumerate(zip(self.pods, *self._shares(), strict=True)):
            labels = [member.labels, *(other for copied, other in self.copies if copied == place)]
            for counter, points in _exposed(member, good, bad):
                for target in labels:
                    every = {"service": self.service, **target, **counter.labels}
                    merged[counter.name, tuple(sorted(every.items()))].append(points)
        for (name, pairs), parts in merged.items():
            ticks = np.concatenate([part[0] for part in parts])
            values = np.concatenate([part[1] for part in parts])
            yield Samples(name=name, labels=dict(pairs), times=self._times(ticks), values=values)

    def _times(self, ticks: Counts) -> Floats:
        last = END.timestamp() - self.offset
        return np.asarray(last - (TICKS - 1 - ticks) * SCRAPE.total_seconds(), dtype=float)

    def _shares(self) -> tuple[list[Counts], list[Counts]]:
        """Return the good and the bad events of each pod."""
        good = self._shared_out(self.good, [member.share for member in self.pods])
        return good, self._shared_out(self.bad, [member.failing for member in self.pods])

    def _shared_out(self, events: Counts, weights: Sequence[Floats]) -> list[Counts]:
        table = np.array(weights).T
        sums = table.sum(axis=1, keepdims=True)
        served = np.where(self.unserved | (sums[:, 0] == 0), 0, events)
        probabilities = np.where(sums > 0, table / np.where(sums > 0, sums, 1), 1 / len(weights))
        parts = self.rng.multinomial(served, probabilities)
        return [parts[:, place] for place in range(len(weights))]


Points = tuple[Counts, Counts]
"""Ticks and values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """One series."""

    name: str
    labels: Mapping[str, str]
    times: Floats
    """Unix seconds, in order."""
    values: Counts


def _exposed(member: Pod, good: Counts, bad: Counts) -> Iterator[tuple[Counter, Points]]:
    """Yield the counters of a pod, each with the scrapes on which it is seen."""
    begins = sorted(member.pages)
    for begin, end in zip(begins, [*begins[1:], member.stop], strict=True):
        for counter in member.pages[begin]:
            values = _values(member, counter, good, bad)
            there = member.seen.copy()
            there[:begin] = False
            there[min(end, member.stop) :] = False
            if counter.lazy:
                there &= values > 0
            there[:OLD] &= np.arange(OLD) % KEPT == 0
            ticks = np.flatnonzero(there)
            if len(ticks):
                yield counter, (ticks, values[ticks])


def _values(member: Pod, counter: Counter, good: Counts, bad: Counts) -> Counts:
    """Return what a counter shows at every tick of the pod's life."""
    good, bad = good.copy(), bad.copy()
    for events in (good, bad):
        events[: member.start] = 0
        events[member.freezes :] = 0
        events[member.crashes] = 0
    if counter.recorded:
        return _whole(counter.good * good + counter.bad * bad)
    values = np.zeros(TICKS, dtype=np.int64)
    bounds = [member.start, *sorted(member.crashes), TICKS]
    for begin, end in pairwise(bounds):
        so_far = counter.good * good[begin:end].cumsum() + counter.bad * bad[begin:end].cumsum()
        values[begin:end] = _whole(so_far)
    return values


def _whole(numbers: Floats) -> Counts:
    return np.floor(numbers + 1e-9).astype(np.int64)


def write_openmetrics(histories: Iterable[History], file: TextIO) -> int:
    """Write the series of many services as one text that servers take; return its samples.

    Of the histories only the truth is kept: the pods of 1,000 take gigabytes.
    """
    count = 0
    for history in histories:
        for series in history.samples():
            pairs = ",".join(f'{name}="{value}"' for name, value in series.labels.items())
            head = f"{series.name}{{{pairs}}} "
            rows = zip(series.values.tolist(), series.times.tolist(), strict=True)
            file.write("".join([f"{head}{value} {time:.0f}\n" for value, time in rows]))
            count += len(series.times)
        history.pods.clear()
    file.write("# EOF\n")
    return count
