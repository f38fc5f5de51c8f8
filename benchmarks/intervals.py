"""How often the interval of ``gate forecast`` holds what comes: python -m benchmarks.intervals.

Histories of services are made up, hour by hour, with what comes after them; the interval is drawn
from the history alone. 90 % of what comes should lie within.
"""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.history.calendar_forecast import StepEvents, expected
from gate.measure.history import Series
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow, Period, RatioSlo

HOUR: Final = timedelta(hours=1)
DAY: Final = 24
MONTH: Final = 30 * DAY
RESET: Final = datetime(2026, 12, 1, tzinfo=UTC)
SLO: Final = RatioSlo(
    name="made-up",
    objective=Fraction(999, 1000),
    sli=Sli(),
    window=CalendarWindow(Period.MONTH, UTC),
)
Failing = Callable[[random.Random, int], Iterator[float]]
"""The share of the requests that fails in each of so many hours."""


def _steady(_rng: random.Random, hours: int) -> Iterator[float]:
    yield from [0.0003] * hours


def _episodes(
    rng: random.Random, hours: int, *, every: float, length: Callable[[], float], share: float
) -> Iterator[float]:
    """Fail a little all the time and much more in episodes that come by chance."""
    worse = [0.0] * hours
    begin = rng.expovariate(1 / every)
    while begin < hours:
        end = begin + length()
        for hour in range(int(begin), min(math.ceil(end), hours)):
            within = min(end, hour + 1) - max(begin, hour)
            worse[hour] = min(1, worse[hour] + within)
        begin += rng.expovariate(1 / every)
    yield from (0.0003 + share * one for one in worse)


def _incidents(rng: random.Random, hours: int) -> Iterator[float]:
    """Two incidents a month, most of them within one to three hours; half of all fails."""
    return _episodes(
        rng, hours, every=MONTH / 2, length=lambda: rng.lognormvariate(0, 0.8), share=0.5
    )


def _releases(rng: random.Random, hours: int) -> Iterator[float]:
    """Three bad releases in two months, which last two days in the mean; ten times as many fail."""
    return _episodes(
        rng, hours, every=MONTH / 1.5, length=lambda: rng.expovariate(1 / 48), share=0.003
    )


def _weekly(_rng: random.Random, hours: int) -> Iterator[float]:
    """Twice as many fail on working days, on which there is three times the traffic."""
    yield from (0.0006 if hour // DAY % 7 < 5 else 0.0003 for hour in range(hours))


SERVICES: Final[dict[str, Failing]] = {
    "steady": _steady,
    "incidents": _incidents,
    "releases": _releases,
    "weekly": _weekly,
}


@dataclass(frozen=True, slots=True)
class Covered:
    """How many of so many intervals held what came, and how wide they were."""

    share: float
    width: float
    """In shares of the budget, the median."""


def coverage(service: str, *, days: int, ahead: int, trials: int) -> Covered:
    """Return how the interval fares for a service with so many days of history and to come."""
    held, widths = 0, []
    for trial in range(trials):
        rng = random.Random(f"{service} {days} {ahead} {trial}")
        hours = (days + ahead) * DAY
        events = list(_events(rng, service, hours))
        past, coming = events[: days * DAY], events[days * DAY :]
        at = RESET - ahead * DAY * HOUR
        gone = MONTH - ahead * DAY
        series = Series(
            total=tuple(one.total for one in past), bad=tuple(one.bad for one in past), query=""
        )
        so_far = _sum(past[-gone:])
        drawn = expected(SLO, so_far, series, HOUR, at)
        whole = _sum([so_far, *coming])
        left = 1 - whole.bad / (0.001 * whole.total)
        held += drawn.low <= left <= drawn.high
        widths.append(drawn.high - drawn.low)
    return Covered(held / trials, sorted(widths)[trials // 2])


def _events(rng: random.Random, service: str, hours: int) -> Iterator[StepEvents]:
    failing = SERVICES[service](rng, hours)
    for hour, share in enumerate(failing):
        rhythm = 1 + 0.7 * math.cos((hour % DAY - 14) * math.tau / DAY)
        weekend = service == "weekly" and hour // DAY % 7 >= 5
        total = round(2000 * rhythm * (1 / 3 if weekend else 1))
        mean = total * share
        noise = rng.gauss(mean, math.sqrt(mean)) if mean > 20 else _poisson(rng, mean)
        yield StepEvents(total=total, bad=min(max(round(noise), 0), total))


def _poisson(rng: random.Random, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def _sum(events: list[StepEvents]) -> StepEvents:
    return StepEvents(total=sum(one.total for one in events), bad=sum(one.bad for one in events))


def main() -> None:
    """Print the table of docs/forecast.md."""
    print("| Service | History | 3 days ahead | 10 days | 20 days |")
    for service in SERVICES:
        for days in (30, 90):
            cells = []
            for ahead in (3, 10, 20):
                found = coverage(service, days=days, ahead=ahead, trials=400)
                cells.append(f"{found.share:.0%} ({found.width:.0%} wide)")
            print(f"| {service} | {days} days | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
