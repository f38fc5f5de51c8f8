"""A condition that matched before and no longer does, while a new value of its column came.

What a row says is never shown: only how many new values there are.
"""

# ruff: noqa: S608 - made of names, numbers and quoted texts

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, Protocol

from gate.backends.logs.database import Database, identifier
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.statement import EPOCH, Logs
from gate.backends.logs.timestamps import sql_instant
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.slo.objective import Span

_FEWEST: Final = 10
"""Events that are missed: of so many that come independently, none at all comes once in 22,000
times (e^-10)."""
_MOST_VALUES: Final = 50
"""Of a column that tells kinds apart; more are ids or words of users."""
_ALIKE: Final = 5
"""How many times as often, or as seldom, the new values may come as what is missed."""


class CountedPart(Protocol):
    """What happened in one part of the time."""

    @property
    def place(self) -> int:
        """Which part, counted from 1970."""
        ...

    @property
    def total(self) -> int:
        """Events."""
        ...

    @property
    def bad(self) -> int:
        """Of these, bad ones."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedLogs:
    """What was counted, and in which parts of time."""

    logs: Logs
    span: Span
    indicator: LogIndicator
    step: timedelta

    def end(self, stretch: CountedPart) -> datetime:
        """Return the instant at which a part ends."""
        return EPOCH + (stretch.place + 1) * self.step


def respelled(
    database: Database, counted: CountedLogs, parts: Sequence[CountedPart]
) -> Iterator[Suspicion]:
    """Suspect new values in the place of those that a condition is about.

    The logs are read once more only where bad events, or good ones, have stopped altogether.
    """
    logs, columns = counted.logs, sorted(counted.indicator.columns)
    texts = [name for name in columns if logs.source.types[name] == "VARCHAR"]
    for bad in (True, False):
        last = _stopped(parts, bad=bad)
        if last is None:
            continue
        since, share = counted.end(last), _share(parts, last, bad=bad)
        after = sum(part.total for part in parts if part.place > last.place)
        for name in (name for name in texts if name != logs.timestamp.column):
            values, events = _new_values(database, counted, name, since, bad=bad)
            if values and share / _ALIKE <= Fraction(events, after) <= share * _ALIKE:
                yield _suspicion(name, values, events, since, bad=bad)


def _stopped(parts: Sequence[CountedPart], *, bad: bool) -> CountedPart | None:
    """Return the last part with such events, if many would be expected since; else None."""
    last = max((i for i, part in enumerate(parts) if _number(part, bad=bad)), default=None)
    if last is None:
        return None
    share = _share(parts, parts[last], bad=bad)
    after = sum(part.total for part in parts[last + 1 :])
    return parts[last] if share * after >= _FEWEST else None


def _share(parts: Sequence[CountedPart], last: CountedPart, *, bad: bool) -> Fraction:
    before = [part for part in parts if part.place <= last.place]
    events = sum(part.total for part in before)
    return Fraction(sum(_number(part, bad=bad) for part in before), events)


def _number(part: CountedPart, *, bad: bool) -> int:
    return part.bad if bad else part.total - part.bad


def _new_values(
    database: Database, counted: CountedLogs, name: str, since: datetime, *, bad: bool
) -> tuple[int, int]:
    """Return how many values came only since then, and how many events they have.

    Those count the other way: as good where bad ones are missed.
    """
    logs, indicator = counted.logs, counted.indicator
    column, event = identifier(name), indicator.event or "true"
    other = f"NOT {indicator.bad}" if bad else indicator.bad
    used = sorted(indicator.columns | {logs.timestamp.column})
    start, end, border = map(sql_instant, (counted.span.start, counted.span.end, since))
    source = f'SELECT *, {logs.timestamp.sql} AS "@" FROM {logs.source.relation(used)} AS rows'
    rows = database.query(
        f'SELECT count(*) FILTER ("@" <= {border}), count(*) FILTER ({other}) '
        f"FROM ({source}) AS rows "
        f'WHERE "@" > {start} AND "@" <= {end} AND {event} AND {column} IS NOT NULL '
        f"GROUP BY {column} LIMIT {_MOST_VALUES + 1}"
    )
    if len(rows) > _MOST_VALUES:
        return 0, 0
    new = [events for before, events in rows if not before and events]
    return len(new), sum(new)


def _suspicion(name: str, values: int, events: int, since: datetime, *, bad: bool) -> Suspicion:
    kind, other = ("bad", "good") if bad else ("good", "bad")
    noun = "a new value" if values == 1 else f"{values} new values"
    return Suspicion(
        cause=Cause.UNMATCHED,
        reason=(
            f'no event is {kind} since {since:%F %R} UTC, while "{name}" has {noun}, in '
            f"{events:,} events that count as {other}"
        ),
        remedy=f'see what values "{name}" has since then, and name them in the indicator',
        hidden=Fraction(events if bad else 0),
        doubtful=Fraction(0 if bad else events),
    )
