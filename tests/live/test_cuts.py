"""Whatever happens where a window is cut, its count is that of the whole window, or is in doubt.

Each service of the data has its own gaps, restarts, births and bursts of failures, most of them
where a window is likely to be cut. What happened is known from the generator.
"""

import random
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from gate.measure import Answer, Cause
from gate.slo.indicator import Sli
from tests.live.asking import counts, measure, request_for
from tests.servers.fixtures import Data, made_once
from tests.servers.metrics import prometheus, victoria
from tests.servers.proxy import counting_proxy
from tests.servers.series import LAST, START, STEP, Counter, write_openmetrics

# Short ones are in test_small_servers.py.
pytestmark = pytest.mark.slow

WINDOW = timedelta(days=8)
EVERY = 5
"""Minutes between two scrapes."""
TICKS = WINDOW // timedelta(minutes=1)
FIRST = LAST - TICKS
SERVICES = 30
Gap = tuple[int, int]
"""The ticks that it lies between."""


def _likely_cut(rng: random.Random) -> int:
    """Return a tick at which a window of eight days is cut by many ways of cutting it."""
    return FIRST + TICKS * rng.randrange(1, 32) // 32


def _gap(rng: random.Random, longest: int) -> Gap:
    length = round(10 ** rng.uniform(1, 3.3))
    length, middle = min(length, longest), _likely_cut(rng)
    begin = middle - round(length * rng.random())
    return begin, begin + length


@dataclass(frozen=True, slots=True)
class Replica:
    """One process with its counters of good and of bad requests."""

    good: Counter
    bad: Counter


def _replica(service: int, place: int, rng: random.Random, shared: Sequence[Gap]) -> Replica:
    gaps = [*shared, *(_gap(rng, TICKS) for _ in range(rng.choice((0, 0, 1, 2))))]
    born = _likely_cut(rng) + rng.randint(-9, 9) if rng.random() < 0.2 else FIRST - 60
    dead = _likely_cut(rng) + rng.randint(-9, 9) if rng.random() < 0.2 else LAST + 1
    restarts = frozenset(
        _likely_cut(rng) + rng.randint(-9, 9) for _ in range(rng.choice((0, 1, 2)))
    )
    bursts = {_likely_cut(rng) + rng.randint(-9, 9): rng.randint(100, 900) for _ in range(3)}
    bursts |= {rng.randint(*gap): rng.randint(100, 900) for gap in gaps}

    def alive(tick: int) -> bool:
        return born <= tick < dead

    def scraped(tick: int) -> bool:
        if tick % EVERY != place or not alive(tick):
            return False
        return not any(begin < tick < end for begin, end in gaps)

    def counter(code: str, events: list[int]) -> Counter:
        labels = f'service="s{service}",pod="{place}",code="{code}"'
        events = [each if alive(tick) else 0 for tick, each in enumerate(events)]
        return Counter(
            name="cut_requests_total",
            labels=labels,
            events=events,
            scraped=scraped,
            restarts=restarts,
        )

    bad = [bursts.get(tick, 0) + (rng.random() < 0.01) for tick in range(LAST + 1)]
    good = rng.choices(range(20, 41), k=LAST + 1)
    return Replica(good=counter("200", good), bad=counter("500", bad))


@cache
def replicas(service: int) -> tuple[Replica, ...]:
    rng = random.Random(service)
    shared = [_gap(rng, TICKS // 2) for _ in range(rng.choice((0, 1, 1, 2)))]
    return tuple(_replica(service, place, rng, shared) for place in range(rng.choice((1, 2, 3))))


def seen(counter: Counter) -> int:
    """Return the steps between the samples of a window, which is what a whole query counts."""
    start, end = _time(FIRST), _time(LAST)
    values = [value for time, value in counter.samples() if start <= time <= end]
    return sum(after - before if after >= before else after for before, after in pairwise(values))


@cache
def all_seen() -> Sequence[tuple[int, int]]:
    """Return bad and total of each service."""
    every = [[(seen(r.bad), seen(r.good)) for r in replicas(number)] for number in range(SERVICES)]
    return [(sum(bad for bad, _ in each), sum(map(sum, each))) for each in every]


def _time(tick: int) -> int:
    return int((START + tick * STEP).timestamp())


def write_cuts(path: Path) -> None:
    every = [c for service in range(SERVICES) for r in replicas(service) for c in (r.good, r.bad)]
    with path.open("w", encoding="utf-8") as file:
        write_openmetrics(every, file)


@pytest.fixture(scope="module")
def cuts_data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return made_once("cuts", write_cuts, tmp_path_factory)


def ask(url: str) -> list[Answer]:
    every = [f'service="s{service}"' for service in range(SERVICES)]
    slis = [
        Sli(
            bad=f'sum(increase(cut_requests_total{{{service},code="500"}}[$window]))',
            total=f"cut_requests_total{{{service}}}",
        )
        for service in every
    ]
    return measure(url, [request_for(sli, WINDOW, probe=True) for sli in slis])


def off(number: Fraction, true: float, more: Fraction | None = None) -> float:
    """Return how far a number is from what is true, where so much may be added to it."""
    least, most = float(number), float("inf") if more is None else float(number + more)
    return max(least - true, true - most, 0.0)


def assert_right_or_doubted(answers: Sequence[Answer], true: Sequence[tuple[float, float]]) -> int:
    """Compare with what is true, bad and total; return how many of the counts are in doubt."""
    doubted = 0
    for answer, (bad, total) in zip(answers, true, strict=True):
        counted = counts(answer)
        hidden: Fraction | None = Fraction()
        at_cuts = [each for each in counted.evidence.suspicions if "in pieces" in each.reason]
        for suspicion in at_cuts:
            assert suspicion.cause is Cause.LOST
            hidden, doubted = suspicion.hidden, doubted + 1
        # The server extrapolates each piece by up to 5 minutes of 18 hours or more.
        assert off(counted.bad, bad, hidden) <= 3 + bad * 0.008
        if not at_cuts:
            assert off(counted.total, total, Fraction()) <= 3 + total * 0.002
    return doubted


@pytest.mark.parametrize("most, doubts", [(600, 5), (1200, 4), (3000, 0)])
def test_a_count_in_pieces_is_what_happened_or_in_doubt(
    cuts_data: Data, tmp_path: Path, most: int, doubts: int
) -> None:
    shutil.copytree(cuts_data.blocks, tmp_path / "data")
    flags = [f"--query.max-samples={most}"]
    with prometheus(tmp_path, tmp_path / "data", flags=flags) as server:
        answers = ask(server.url)

    assert assert_right_or_doubted(answers, all_seen()) <= doubts


def too_long(form: str) -> bool:
    """Return whether a query looks back longer than three days at once."""
    return any(int(seconds) > 259_200 for seconds in re.findall(r"\[(\d+)s", form))


def test_victoria_metrics_counts_in_pieces_what_it_counts_at_once(
    cuts_data: Data, tmp_path: Path
) -> None:
    with (
        victoria(tmp_path, cuts_data.text) as server,
        counting_proxy(server.url, refuses=too_long) as proxy,
    ):
        whole = [counts(answer) for answer in ask(server.url)]
        answers = ask(proxy.url)

    true = [(float(each.bad), float(each.total)) for each in whole]
    assert assert_right_or_doubted(answers, true) <= 3
