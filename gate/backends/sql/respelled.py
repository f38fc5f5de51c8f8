"""A condition that matched before and no longer does, while its column got a new value.

The values of rows are never shown, only the number of new values.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.backends.sql.coverage import Parts
from gate.backends.sql.engine import Kind
from gate.backends.sql.rows import RowSource, SqlIndicator
from gate.backends.sql.statement import Statement, TooManyGroupsError
from gate.backends.sql.suspicions import Doubts
from gate.backends.sql.timeline import Timeline
from gate.backends.sql.times import microseconds, within
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.slo.objective import Span

_FEWEST: Final = 10
"""The minimum number of missing events: of this many independent events, none at all happens once
in 22,000 times (e^-10)."""
_MOST_VALUES: Final = 50
"""The maximum number of values of a column that separates kinds; with more, they are ids or words
of users."""
_ALIKE: Final = 5
"""The maximum ratio between the frequencies of the new values and of the missing events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """A search for new values of a column since an instant, in the events of a span.

    It considers events with the opposite outcome: good ones if bad events are missing.
    """

    indicator: SqlIndicator
    column: str
    bad: bool
    """Whether bad events are missing; otherwise, good ones are."""
    span: Span
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """A kind of events that has stopped completely, although many would be expected since."""

    lookups: tuple[Lookup, ...]
    """One for each column that may explain it."""
    share: Fraction
    """The share of all events before."""
    after: int
    """The number of events since."""

    def suspicions(self, values: Mapping[Lookup, tuple[int, int]]) -> Iterator[Suspicion]:
        """Suspect new values in place of those in the condition.

        Args:
            values: the number of new values, and the number of their events.
        """
        for lookup in self.lookups:
            number, events = values[lookup]
            share = Fraction(events, self.after)
            if number and self.share / _ALIKE <= share <= self.share * _ALIKE:
                yield _suspicion(lookup, number, events)


def stopped(
    rows: RowSource, indicator: SqlIndicator, doubts: Doubts, timeline: Timeline, parts: Parts
) -> Iterator[Stopped]:
    """Yield the kinds of events, bad or good, that have stopped in a span."""
    texts = [
        name
        for name in sorted(indicator.columns)
        if rows.columns[name].kind is Kind.TEXT and name != rows.timestamp
    ]
    places = timeline.places(parts.inner) if texts and parts.inner else range(0)
    for bad in (True, False):
        names = (doubts.bad,) if bad else (doubts.total, doubts.bad)
        last = timeline.last(places, *names)
        if last is None:
            continue
        since = parts.end_after(timeline.ends[last])
        before, after = _split(places, timeline.after(since))
        number, *less = (timeline.sum(name, before) for name in names)
        share = Fraction(number - sum(less), timeline.sum(doubts.total, before))
        events = timeline.sum(doubts.total, after)
        if share * events >= _FEWEST:
            lookups = (
                Lookup(indicator=indicator, column=name, bad=bad, span=parts.span, since=since)
                for name in texts
            )
            yield Stopped(lookups=tuple(lookups), share=share, after=events)


def _split(places: range, border: int) -> tuple[range, range]:
    return range(places.start, border), range(border, places.stop)


def new_values(rows: RowSource, lookups: Collection[Lookup]) -> Mapping[Lookup, tuple[int, int]]:
    """Return the number of values that came only since then, and the number of their events.

    The rows are read once more for each indicator, column and kind of events.
    """
    alike: dict[tuple[SqlIndicator, str, bool], list[Lookup]] = {}
    for lookup in lookups:
        alike.setdefault((lookup.indicator, lookup.column, lookup.bad), []).append(lookup)
    return {
        lookup: values
        for some in alike.values()
        for lookup, values in zip(some, _new_values(rows, some), strict=True)
    }


def _new_values(rows: RowSource, lookups: Collection[Lookup]) -> Iterator[tuple[int, int]]:
    """Answer lookups that differ only in time."""
    indicator, name, bad = next((each.indicator, each.column, each.bad) for each in lookups)
    instants = {
        instant
        for lookup in lookups
        for instant in (lookup.span.start, lookup.since, lookup.span.end)
    }
    statement = Statement(rows, tuple(sorted(instants)))
    statement.use(indicator)
    statement.cut({})
    other = f"NOT {indicator.bad}" if bad else indicator.bad
    value = statement.value(rows.dialect.identifier(name))
    counted = within(statement.time)
    if indicator.event is not None:
        counted += f" AND {statement.value(indicator.event)}"
    key = statement.key(f"CASE WHEN {counted} THEN {value} END")
    events = statement.count(indicator.event)
    others = statement.count(indicator.event, other)
    try:
        # The values and the uncounted events in each stretch, and in all stretches together.
        groups, _ = statement.run([], len(statement.bounds) * (_MOST_VALUES + 2))
    except TooManyGroupsError:
        for lookup in lookups:
            yield from [(0, 0)] if len(lookups) == 1 else _new_values(rows, [lookup])
        return
    columns = (groups[column] for column in (statement.newest(), key, events, others))
    by_group = list(zip(*columns, strict=True))
    for lookup in lookups:
        values = _values(by_group, lookup)
        new = [number for before, number in values if not before and number]
        yield (0, 0) if len(values) > _MOST_VALUES else (len(new), sum(new))


def _values(
    groups: Sequence[tuple[int | None, str | None, int, int]], lookup: Lookup
) -> Collection[tuple[int, int]]:
    """Return for each value its events before, and those with the opposite outcome."""
    start, since, end = map(microseconds, (lookup.span.start, lookup.since, lookup.span.end))
    values: dict[str, tuple[int, int]] = {}
    for newest, value, events, others in groups:
        if newest is not None and start < newest <= end and value is not None and events:
            before, number = values.get(value, (0, 0))
            values[value] = before + (events if newest <= since else 0), number + others
    return values.values()


def _suspicion(lookup: Lookup, values: int, events: int) -> Suspicion:
    kind, other = ("bad", "good") if lookup.bad else ("good", "bad")
    noun = "a new value" if values == 1 else f"{values} new values"
    return Suspicion(
        cause=Cause.UNMATCHED,
        reason=(
            f'no event is {kind} since {lookup.since:%F %R} UTC, while "{lookup.column}" has '
            f"{noun}, in {events:,} events that count as {other}"
        ),
        remedy=(
            f'see what values "{lookup.column}" has since then, and name them in the indicator'
        ),
        hidden=Fraction(events if lookup.bad else 0),
        doubtful=Fraction(0 if lookup.bad else events),
    )
