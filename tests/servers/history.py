"""A month in the life of several services, each a case on which gates go wrong.

Seeded and with fixed timestamps: the same everywhere and for ever. What is true of each service
comes from the events themselves, never from a query.
"""

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any, Final

from tests.servers.series import END, LAST, START, STEP, Counter, Gauge, tick_at

BASELINE: Final = 0.0002
"""Share of the diurnal services' requests that fail on an ordinary day: 20% of 99.9%'s budget."""
PEAK_OUTAGE: Final = datetime.fromisoformat("2026-10-27T13:45Z")
TROUGH_OUTAGE: Final = datetime.fromisoformat("2026-10-27T01:45Z")
OUTAGE: Final = timedelta(minutes=30)
YOUNG: Final = timedelta(days=3)
GAP: Final = (END - timedelta(days=22), END - timedelta(days=12))
BORN: Final = END - timedelta(days=20)
"""When the error series of ``born`` and ``born-high`` first appear."""
BUCKETS: Final = ("0.5", "1", "2", "4", "+Inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A service's series, and which events they are about."""

    series: tuple[Counter | Gauge, ...]
    """The series that are scraped."""
    total: tuple[Counter, ...] = ()
    bad: tuple[Counter, ...] = ()
    """Need not be among the scraped ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """The true counts of a window."""

    total: int
    bad: int


def truth(service: str, window: timedelta, at: datetime = END) -> Truth:
    """Return what truly happened to a service in the window that ends at ``at``."""
    case = services()[service]
    total = sum(one.happened(window, at) for one in case.total)
    return Truth(total=total, bad=sum(one.happened(window, at) for one in case.bad))


def mean_of_ratios(
    *together: str, window: timedelta, every: timedelta = timedelta(minutes=5)
) -> Fraction:
    """Return the mean over the slices of the window before `END` of the services' failed share.

    A slice in which nothing happened has none.
    """
    ratios = []
    for place in range(window // every):
        slices = [truth(service, every, END - place * every) for service in together]
        total = sum(one.total for one in slices)
        if total:
            ratios.append(Fraction(sum(one.bad for one in slices), total))
    return sum(ratios, Fraction()) / len(ratios)


def _poisson(rng: random.Random, mean: float) -> int:
    """Draw by Knuth's method, which is good for small means."""
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def _diurnal(tick: int) -> int:
    """Requests in the minute up to this tick: 2 to 38 a second, most of them at 14:00 UTC."""
    hours = (START + tick * STEP - STEP / 2).timestamp() / 3600
    return round(60 * (20 + 18 * math.cos((hours - 14) * math.tau / 24)))


def _steady(_tick: int) -> int:
    return 300


def _never(_tick: int) -> int:
    return 0


def _at(instants: Mapping[datetime, int]) -> Callable[[int], int]:
    """Return failures that happen in the minutes up to these instants only."""
    failures = {tick_at(instant): count for instant, count in instants.items()}
    return lambda tick: failures.get(tick, 0)


def _requests(
    name: str,
    traffic: Callable[[int], int] = _steady,
    failures: Callable[[int], int] = _never,
    **options: Any,
) -> Service:
    """Make a service out of its requests per minute and how many of them failed."""
    failed = [failures(tick) for tick in range(LAST + 1)]
    passed = [traffic(tick) - bad for tick, bad in enumerate(failed)]
    good, bad = (
        Counter(
            name="llm_requests_total",
            labels=f'service="{name}",code="{code}"',
            events=events,
            **options,
        )
        for code, events in (("200", passed), ("500", failed))
    )
    return Service(series=(good, bad), total=(good, bad), bad=(bad,))


def _outage(name: str, begin: datetime) -> Service:
    """Make a service with ordinary failures all month, and half an hour in which all fail."""
    rng = random.Random(name)
    down = range(tick_at(begin) + 1, tick_at(begin + OUTAGE) + 1)

    def failures(tick: int) -> int:
        requests = _diurnal(tick)
        ordinary = min(requests, _poisson(rng, requests * BASELINE))
        return requests if tick in down else ordinary

    return _requests(name, _diurnal, failures)


def _born(name: str, failures: Mapping[datetime, int]) -> Service:
    """Make a service whose error series does not exist before `BORN`."""
    failing = _at(failures)
    good, bad = _requests(name, lambda tick: _steady(tick) + failing(tick), failing).total
    born = tick_at(BORN)
    late = Counter(
        name=bad.name, labels=bad.labels, events=bad.events, scraped=lambda tick: tick >= born
    )
    return Service(series=(good, late), total=(good, late), bad=(late,))


def _flawless() -> Service:
    """Make a service that never had an error, so that its error series does not exist."""
    good, _ = _requests("flawless").total
    return Service(series=(good,), total=(good,))


def _idle() -> Service:
    """Make a service whose counters stand still."""
    return _requests("idle", lambda tick: 0 if tick else 5000, lambda tick: 0 if tick else 12)


def _young() -> Service:
    """Make a service that did not exist before three days ago."""
    birth = tick_at(END - YOUNG)

    def since(count: int, every: int = 1) -> Callable[[int], int]:
        return lambda tick: count if tick > birth and tick % every == 0 else 0

    return _requests("young", since(300), since(2, 60), scraped=lambda tick: tick >= birth)


def _latency() -> Service:
    """Make a service with a duration histogram: bad is slower than 2 s."""
    rng = random.Random("latency")
    within = [[rng.randint(*bounds) for _ in range(LAST + 1)] for bounds in ((20, 40), (10, 30))]
    rest = [[rng.randint(0, 5) for _ in range(LAST + 1)] for _ in range(3)]
    layers = [*within, *rest]
    buckets = [
        Counter(
            name="llm_request_duration_seconds_bucket",
            labels=f'service="latency",le="{bound}"',
            events=[sum(column) for column in zip(*layers[: place + 1], strict=True)],
        )
        for place, bound in enumerate(BUCKETS)
    ]
    count = Counter(
        name="llm_request_duration_seconds_count",
        labels='service="latency"',
        events=buckets[-1].events,
    )
    slow = Counter(
        name="slower than two seconds",
        labels="",
        events=[sum(column) for column in zip(*layers[3:], strict=True)],
    )
    return Service(series=(*buckets, count), total=(count,), bad=(slow,))


def probe_values() -> list[int]:
    """Return the up/down gauge by tick: down for 30 and for 13 minutes, of 43.2 allowed."""
    down = {
        tick_at(begin) + minute
        for begin, length in ((END - timedelta(days=9), 30), (END - timedelta(hours=5), 13))
        for minute in range(1, length + 1)
    }
    return [int(tick not in down) for tick in range(LAST + 1)]


def _spend() -> Counter:
    rng = random.Random("spend")
    cents = [rng.randint(0, 250) for _ in range(LAST + 1)]
    return Counter(name="llm_spend_cents_total", labels='service="spend"', events=cents)


@cache
def services() -> Mapping[str, Service]:
    """Return every case by its ``service`` label."""
    hourly = {START + hour * timedelta(hours=1): 3 for hour in range(31 * 24)}
    apart = {END - timedelta(days=days, minutes=7): 1 for days in (1, 11, 25)}
    restarts = frozenset(tick_at(END - timedelta(hours=hours)) for hours in (2, 50, 51, 400))
    gap = range(tick_at(GAP[0]), tick_at(GAP[1]))
    ended = tick_at(END - timedelta(hours=2))
    minute = timedelta(minutes=1)
    return {
        "peak": _outage("peak", PEAK_OUTAGE),
        "trough": _outage("trough", TROUGH_OUTAGE),
        "resets": _requests("resets", failures=_at(hourly), restarts=restarts),
        "gap": _requests("gap", failures=_at(hourly), scraped=lambda tick: tick not in gap),
        "young": _young(),
        "idle": _idle(),
        "flawless": _flawless(),
        "born": _born("born", {BORN + 5 * minute: 40, BORN + 9 * minute: 60}),
        "born-high": _born("born-high", {BORN: 40_000}),
        "latency": _latency(),
        "stale": _requests(
            "stale",
            lambda tick: 300 if tick <= ended else 0,
            lambda tick: 3 if tick <= ended and tick % 60 == 0 else 0,
            scraped=lambda tick: tick <= ended,
        ),
        "isolated": _requests("isolated", failures=_at(apart)),
        "unaligned": _requests("unaligned", failures=lambda _tick: 3, offset=timedelta(seconds=17)),
        "probe": Service(
            series=(Gauge(name="llm_up", labels='service="probe"', values=probe_values()),)
        ),
        "spend": Service(series=(_spend(),), total=(_spend(),)),
    }
