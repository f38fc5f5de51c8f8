"""A week of several services whose prompts and models fail as is known, as metrics and as rows.

Seeded and with fixed timestamps: the same everywhere and for ever.
"""

import csv
import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final

import duckdb

from tests.servers.series import LAST, START, STEP, Counter, write_openmetrics

WEEK: Final = timedelta(days=7)
EVERY: Final = 5
"""Minutes between two scrapes."""
_FIRST: Final = LAST - WEEK // STEP
"""The tick at which the week begins; nothing happens up to there."""


@dataclass(frozen=True, slots=True)
class Cell:
    """The requests with one template and one model of a service."""

    template: str
    """Empty: they have no such label."""
    model: str
    per_scrape: float
    """Requests in five minutes, in the mean."""
    failing: float
    """Share of them that fail, by chance and each by itself."""


SERVICES: Final[Mapping[str, tuple[Cell, ...]]] = {
    # v7 fails six times as often as the others, with either model.
    "planted": (
        Cell("v5", "large", 8, 0.01),
        Cell("v5", "small", 8, 0.005),
        Cell("v6", "large", 8, 0.01),
        Cell("v6", "small", 8, 0.005),
        Cell("v7", "large", 4, 0.06),
        Cell("v7", "small", 4, 0.03),
    ),
    # The large model fails eight times as often as the small one, and v7 has most of its traffic.
    "mix": (
        Cell("v6", "large", 3, 0.04),
        Cell("v6", "small", 21, 0.005),
        Cell("v7", "large", 12, 0.04),
        Cell("v7", "small", 4, 0.005),
        Cell("v8", "large", 3, 0.04),
        Cell("v8", "small", 21, 0.005),
    ),
    # Nothing differs; some requests have no template, and one template is hardly used.
    "calm": (
        Cell("v5", "large", 10, 0.01),
        Cell("v6", "large", 10, 0.01),
        Cell("v7", "small", 10, 0.01),
        Cell("v8", "small", 0.2, 0.01),
        Cell("", "small", 5, 0.01),
    ),
}

Counts = tuple[int, int]
"""Requests, and those that failed."""


@cache
def events(service: str) -> Mapping[Cell, tuple[Counts, ...]]:
    """Return what happened with each cell of a service, by scrape of the week."""
    rng = random.Random(service)
    scrapes = WEEK // STEP // EVERY
    return {cell: tuple(_draw(rng, cell) for _ in range(scrapes)) for cell in SERVICES[service]}


def truth(service: str) -> dict[tuple[str, str], Counts]:
    """Return what truly happened in the week, by template and model."""
    return {
        (cell.template, cell.model): (sum(n for n, _ in counts), sum(bad for _, bad in counts))
        for cell, counts in events(service).items()
    }


def by_template(service: str) -> dict[str, Counts]:
    """Return what truly happened in the week, by template."""
    sums: dict[str, Counts] = {}
    for (template, _), (total, bad) in truth(service).items():
        before = sums.get(template, (0, 0))
        sums[template] = before[0] + total, before[1] + bad
    return sums


def write_metrics(path: Path) -> None:
    """Write counters by outcome, and of ``planted`` a histogram: what fails takes over 2 s."""
    with path.open("w", encoding="utf-8") as file:
        write_openmetrics(_counters(), file)


def write_rows(path: Path) -> None:
    """Write the same requests as a log in Parquet, with the template within a block ``prompt``."""
    counts = path.with_suffix(".csv")
    with counts.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["service", "template", "model", "status", "ts", "n"])
        writer.writerows(_lines())
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            f"COPY (SELECT service, {{'template': template}} AS prompt, template AS "
            f"prompt_template, model, status, to_timestamp(ts) AS ts FROM (SELECT *, "
            f"unnest(range(n)) FROM read_csv('{counts}', nullstr = ''))) TO '{path}' "
            "(FORMAT parquet)"
        )


def _draw(rng: random.Random, cell: Cell) -> Counts:
    total = _poisson(rng, cell.per_scrape)
    return total, sum(rng.random() < cell.failing for _ in range(total))


def _poisson(rng: random.Random, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def _counters() -> Iterator[Counter]:
    for service in SERVICES:
        for cell, counts in events(service).items():
            template = f',prompt_template="{cell.template}"' if cell.template else ""
            labels = f'service="{service}",model="{cell.model}"{template}'
            good, bad = [total - bad for total, bad in counts], [bad for _, bad in counts]
            yield _counter("llm_requests_total", f'{labels},code="200"', good)
            yield _counter("llm_requests_total", f'{labels},code="500"', bad)
            if service == "planted":
                every = [total for total, _ in counts]
                yield _counter("llm_seconds_bucket", f'{labels},le="2"', good)
                yield _counter("llm_seconds_bucket", f'{labels},le="+Inf"', every)
                yield _counter("llm_seconds_count", labels, every)


def _counter(name: str, labels: str, counts: list[int]) -> Counter:
    ticks = [0] * (LAST + 1)
    for place, count in enumerate(counts, start=1):
        ticks[_FIRST + place * EVERY] = count
    return Counter(
        name=name,
        labels=labels,
        events=ticks,
        scraped=lambda tick: tick >= _FIRST and tick % EVERY == 0,
    )


def _lines() -> Iterator[tuple[object, ...]]:
    for service in SERVICES:
        for cell, counts in events(service).items():
            for place, (total, bad) in enumerate(counts, start=1):
                at = (START + (_FIRST + place * EVERY) * STEP).timestamp()
                for status, count in (("200", total - bad), ("500", bad)):
                    if count:
                        yield service, cell.template, cell.model, status, int(at), count
