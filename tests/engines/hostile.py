"""Rows that engines read differently where one does not take care, and what plain Python counts.

Every value of a column is there that SQL has trouble with: NULL, NaN, infinities, empty texts,
quotes, backslashes, umlauts. Rows lie on the bounds of windows and one microsecond beside them,
twice at one instant, before and after all windows, and in the night in which clocks are set back.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

AT = datetime(2026, 10, 26, 12, tzinfo=UTC)
"""The end of every window, a day and a half after clocks were set back in Berlin."""
BERLIN = ZoneInfo("Europe/Berlin")
WINDOWS = tuple(timedelta(hours=hours) for hours in (1, 24, 72))
WHOLE = WINDOWS[-1]
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOLE = (AT - timedelta(hours=30), AT - timedelta(hours=24))
"""When nothing was logged, though it usually is: after the first, up to and without the second."""
EVERY = timedelta(seconds=90)
"""Between two rows, about."""
MODELS = (
    *("gpt-4", "gpt-4", "llama", "Llama", "", None, "grüße", 'say "hi"', "it's", "a\\b", "100%_"),
    *("gpt\u00df", " gpt-4", "NULL"),
)
STATUSES = (200, 200, 200, 200, 200, 200, 429, 500, 503, 499, 0, -1, None)
LATENCIES = (
    *(0.0, 1.5, 1999.999999, 2000.0, 2000.000001, 1e300, -5.0, -0.0),
    *(math.nan, math.inf, -math.inf, None),
)
COSTS = (*map(Decimal, ("0", "0.000001", "0.015625", "1.5", "999999999.999999")), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileRow:
    """One request."""

    ts: datetime
    status: int | None
    latency: float | None
    cost: Decimal | None
    """At most six digits behind the point."""
    refund: int | None
    """The refund of a request; some are below zero."""
    model: str | None
    cached: bool | None
    tenant: str
    variant: str | None = None
    """``candidate`` or ``stable`` of a request that was mirrored."""
    pair: str | None = None
    """The id that both share."""

    @property
    def local(self) -> datetime:
        """The local time in Berlin, without its zone."""
        return self.ts.astimezone(BERLIN).replace(tzinfo=None)

    @property
    def micros(self) -> int:
        """The Unix time; of what was before Unix times have a unit for sure, another early one."""
        if self.ts.year < 1985:
            return 10**15
        return (self.ts - EPOCH) // MICROSECOND

    @property
    def failed(self) -> bool | None:
        """``status >= 500``."""
        return None if self.status is None else self.status >= 500

    @property
    def fast(self) -> bool:
        """Whether the latency is a number of at most 2000."""
        return self.latency is not None and self.latency <= 2000


Test = Callable[[HostileRow], bool | None]
"""A condition: true, false, or None for SQL's NULL."""


def hostile_rows(seed: int = 17) -> list[HostileRow]:
    """Return the rows, in no order."""
    chance = random.Random(seed)
    rows = [_row(chance, at) for at in _instants(chance)]
    rows += _mirrored(chance)
    # The same request, logged twice.
    rows += chance.sample(rows, 20)
    chance.shuffle(rows)
    return rows


def _instants(chance: random.Random) -> Iterator[datetime]:
    at = AT - WHOLE - timedelta(hours=8)
    while at < AT + timedelta(hours=2):
        at += EVERY * chance.uniform(0.2, 1.8)
        if not HOLE[0] < at < HOLE[1]:
            yield at.replace(microsecond=chance.randrange(1_000_000))
    for window in WINDOWS:
        for n in (-1, 0, 0, 1):
            yield AT - window + n * MICROSECOND
            yield AT + n * MICROSECOND
    for hour in range(1, 24):  # the bounds of steps
        for n in (-1, 0, 1):
            yield AT - timedelta(hours=hour) + n * MICROSECOND
    for year in (1969, 1971, 2000, 2100):  # before and after all
        yield datetime(year, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)


def _row(chance: random.Random, at: datetime) -> HostileRow:
    return HostileRow(
        ts=at,
        status=chance.choice(STATUSES),
        latency=chance.choice(LATENCIES),
        cost=chance.choice(COSTS),
        refund=chance.choice((0, 1, -1, 10**12, None)),
        model=chance.choice(MODELS),
        cached=chance.choice((True, False, None)),
        tenant=chance.choice(("chat", "chat", "other")),
    )


def _mirrored(chance: random.Random) -> Iterator[HostileRow]:
    """Yield requests and their copies, of which one has no partner, no id, or two outcomes."""
    for number in range(120):
        at = AT - timedelta(hours=20) + timedelta(minutes=10 * number + 1)
        sides: tuple[str, ...] = ("candidate", "stable")
        if number % 10 == 0:
            sides = sides[: 1 if number % 20 else 0] or ("stable",)
        if number % 30 == 7:
            sides = ("candidate", *sides)
        for side in sides:
            pair = None if number % 40 == 9 else "" if number % 40 == 19 else f"r-{number}'"
            row = _row(chance, at + timedelta(seconds=chance.randrange(20)))
            yield HostileRow(
                ts=row.ts,
                status=chance.choice((200, 200, 200, 500)),
                latency=row.latency,
                cost=row.cost,
                refund=row.refund,
                model=row.model,
                cached=row.cached,
                tenant=row.tenant,
                variant=side,
                pair=pair,
            )


# What plain Python counts


def within(rows: Sequence[HostileRow], start: datetime, end: datetime) -> list[HostileRow]:
    """Return the rows of a span, which leaves its start out and includes its end."""
    return [row for row in rows if start < row.ts <= end]


def is_bad(row: HostileRow, bad: Test) -> bool:
    """Return whether a row is bad: what is unknown may have failed."""
    return bad(row) is not False


def is_event(row: HostileRow, bad: Test, total: Test | None) -> bool:
    """Return whether a row counts: of unknown ones those that are bad do."""
    if total is None:
        return True
    told = total(row)
    return is_bad(row, bad) if told is None else told


def counted(rows: Sequence[HostileRow], bad: Test, total: Test | None = None) -> tuple[int, int]:
    """Return how many events there are, and how many of them are bad."""
    events = [row for row in rows if is_event(row, bad, total)]
    return len(events), sum(is_bad(row, bad) for row in events)


def sliced(
    rows: Sequence[HostileRow],
    span: tuple[datetime, datetime],
    length: timedelta,
    target: Fraction,
    case: tuple[Test, Test | None],
) -> tuple[int, int]:
    """Return how many slices of a span have an event, and of how many too few events are good."""
    parts, ratios = pieces(rows, span[0], length), []
    for place in range((span[1] - span[0]) // length):
        events, failures = counted(parts[place], *case)
        if events:
            ratios.append(Fraction(events - failures, events))
    return len(ratios), sum(ratio < target for ratio in ratios)


def silent_share(rows: Sequence[HostileRow], start: datetime, end: datetime) -> Fraction:
    """Return the share of the quarters of an hour that have no row."""
    quarter = timedelta(minutes=15)
    parts, number = pieces(rows, start, quarter), (end - start) // quarter
    return Fraction(sum(not parts[place] for place in range(number)), number)


def pieces(
    rows: Sequence[HostileRow], start: datetime, length: timedelta
) -> Mapping[int, list[HostileRow]]:
    """Return the rows of each stretch from ``start`` on, which leaves its start out, by place."""
    parts = defaultdict[int, list[HostileRow]](list)
    for row in rows:
        parts[(row.ts - start - MICROSECOND) // length].append(row)
    return parts


def spent(rows: Sequence[HostileRow]) -> Fraction:
    """Return the sum of the costs that are known."""
    return sum((Fraction(row.cost) for row in rows if row.cost is not None), Fraction(0))
