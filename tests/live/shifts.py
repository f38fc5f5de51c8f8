"""A fortnight of requests with planted shifts, as a server scrapes them and as logs hold them."""

import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from itertools import accumulate
from pathlib import Path

from tests.servers.series import END

HOUR = timedelta(hours=1)
HOURS = 14 * 24
START = END - HOURS * HOUR
OUTAGE = START + 60 * HOUR
"""In the baseline: for an hour two thirds fail."""
FAILING = END - 30 * HOUR
"""From then on twice as many fail: 5% and 10%, of which chance makes +/- 1.5% in an hour."""
SLOW = (END - 80 * HOUR, END - 50 * HOUR)
"""Means a fifth longer, of which chance makes +/- 3.5% in an hour of 200 requests."""
THRESHOLD = 1.0
SCRAPES = 12
"""An hour."""


@dataclass(frozen=True, slots=True)
class Request:
    """One of them."""

    failed: bool
    seconds: float


@cache
def hours() -> Sequence[Sequence[Request]]:
    """Return the requests of every hour: fewer and faster at night."""
    rng = random.Random("shifts")
    made = []
    for hour in range(HOURS):
        start = START + hour * HOUR
        day = math.cos((start.hour - 14) * math.tau / 24)
        fails = 2 / 3 if start == OUTAGE else 0.1 if start >= FAILING else 0.05
        mean = 0.4 * (1 + 0.3 * day) * (1.2 if SLOW[0] <= start < SLOW[1] else 1)
        made.append(
            [
                Request(rng.random() < fails, rng.gammavariate(4, mean / 4))
                for _ in range(round(200 * (1 + 0.5 * day)))
            ]
        )
    return made


def write_log(path: Path) -> None:
    """Write a line for each request, spread over its hour."""
    with path.open("w", encoding="utf-8") as file:
        for hour, made in enumerate(hours()):
            for place, one in enumerate(made, start=1):
                at = START + hour * HOUR + HOUR * place / len(made)
                row = {"ts": at.isoformat(), "failed": one.failed, "ttft": one.seconds}
                file.write(json.dumps(row) + "\n")


def write_metrics(path: Path) -> None:
    """Write counters and a histogram, scraped every five minutes."""
    good = [sum(one.seconds <= THRESHOLD for one in made) for made in hours()]
    failed = [sum(one.failed for one in made) for made in hours()]
    every = [len(made) for made in hours()]
    series: dict[str, Sequence[float]] = {
        'requests_total{code="500"}': failed,
        'requests_total{code="200"}': [a - b for a, b in zip(every, failed, strict=True)],
        'ttft_seconds_bucket{le="1.0"}': good,
        'ttft_seconds_bucket{le="+Inf"}': every,
        "ttft_seconds_count": every,
        "ttft_seconds_sum": [sum(one.seconds for one in made) for made in hours()],
    }
    with path.open("w", encoding="utf-8") as file:
        for name, amounts in series.items():
            file.writelines(f"{name} {value} {time}\n" for time, value in _scraped(amounts))
        file.write("# EOF\n")


def _scraped(amounts: Sequence[float]) -> Iterator[tuple[int, float]]:
    start, every = int(START.timestamp()), 3600 // SCRAPES
    for hour, before in enumerate(accumulate(amounts[:-1], initial=0.0)):
        for scrape in range(SCRAPES):
            value = before + amounts[hour] * scrape / SCRAPES
            yield start + hour * 3600 + scrape * every, value
    yield start + len(amounts) * 3600, sum(amounts)
