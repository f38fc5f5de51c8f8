"""A column that had values before and has none any more, while rows have new columns.

Its absence alone is ambiguous: maybe only failures have the column, or nothing failed any more.
"""

from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from typing import Final

from gate.backends.sql.coverage import Parts
from gate.backends.sql.engine import Kind
from gate.backends.sql.rows import RowSource, SqlIndicator
from gate.backends.sql.statement import Statement
from gate.backends.sql.suspicions import Doubts, GoneColumn, gone_columns
from gate.backends.sql.timeline import Timeline
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.slo.objective import Span

_FEWEST: Final = 3
"""The minimum number of missing values: of this many independent ones, none at all happens once in
20 times (e^-3). A new column is required, too, so that fewer are enough than for a value."""
_ALIKE: Final = 5
"""The maximum ratio between the frequency of a new column's values and that of the missing ones;
and the minimum ratio between its frequency now and before, when some processes may have had the new
release."""
_AT_ONCE: Final = 100
"""The number of columns in a statement, so that wide rows need little memory."""
_MOST_SHOWN: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Renamed:
    """A column of an indicator that may have been renamed."""

    indicator: SqlIndicator
    gone: GoneColumn
    span: Span

    def suspicion(self, replacement: "Replacement") -> Suspicion:
        """Suspect that the events with a value in the new columns were judged without it."""
        gone, good, bad = self.gone, replacement.good, replacement.bad
        names = replacement.columns
        listed = ", ".join(f'"{name}"' for name in names[:_MOST_SHOWN])
        more = f" and {len(names) - _MOST_SHOWN} more" if len(names) > _MOST_SHOWN else ""
        return Suspicion(
            cause=Cause.UNMATCHED,
            reason=(
                f'"{gone.column}" has no value in the {gone.rows:,} rows since '
                f"{gone.since:%F %R} UTC, while rows have {listed}{more}, which is new; of the "
                f"events with it {good:,} count as good and {bad:,} as bad"
            ),
            remedy=gone.remedy,
            hidden=Fraction(good),
            doubtful=Fraction(bad),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """The possible replacements of a column, and the number of events with a value in them."""

    columns: tuple[str, ...]
    good: int
    bad: int


def renamed(
    indicator: SqlIndicator, doubts: Doubts, timeline: Timeline, parts: Parts
) -> Iterator[Renamed]:
    """Yield the columns of an indicator that lack values, except those that all rows have."""
    for gone in gone_columns(doubts, timeline, parts):
        if not gone.unmistakable and gone.share * gone.rows >= _FEWEST:
            yield Renamed(indicator=indicator, gone=gone, span=parts.span)


def replacements(rows: RowSource, every: Collection[Renamed]) -> Mapping[Renamed, Replacement]:
    """Return the possible replacements of each column, without columns that have none.

    The rows are read once more for each indicator, and again for new columns.
    """
    if not every or rows.widened is None:
        return {}
    wide = rows.widened()
    by_columns: dict[tuple[SqlIndicator, tuple[str, ...]], list[Renamed]] = {}
    for indicator in dict.fromkeys(each.indicator for each in every):
        some = [each for each in every if each.indicator == indicator]
        for each, names in _new_columns(wide, indicator, some):
            by_columns.setdefault((indicator, names), []).append(each)
    return {
        each: replacement
        for (indicator, names), some in by_columns.items()
        for each, replacement in _counted(wide, indicator, names, some)
    }


def _new_columns(
    wide: RowSource, indicator: SqlIndicator, every: Collection[Renamed]
) -> Iterator[tuple[Renamed, tuple[str, ...]]]:
    """Yield the new columns with values as often as the missing ones; nothing if there are none."""
    others = sorted(wide.columns.keys() - indicator.columns - {wide.timestamp})
    new: dict[Renamed, tuple[str, ...]] = dict.fromkeys(every, ())
    for start in range(0, len(others), _AT_ONCE):
        statement = _statement(wide, indicator, every)
        names = others[start : start + _AT_ONCE]
        statement.columns.update(names)
        values = {name: statement.count_values(_value(wide, name)) for name in names}
        rows = statement.count()
        groups, _ = statement.run([])
        timeline = Timeline(statement, groups, [rows, *values.values()])
        for each in every:
            new[each] += tuple(
                n for n, value in values.items() if _new(each, timeline, value, rows)
            )
    yield from ((each, names) for each, names in new.items() if names)


def _new(each: Renamed, timeline: Timeline, value: str, rows: str) -> bool:
    """Return whether a column may replace the missing one: as frequent, and very rare before."""
    span, since, share = each.span, each.gone.since, each.gone.share
    before, after = (
        Fraction(timeline.sum(value, places), timeline.sum(rows, places))
        for places in map(timeline.places, (Span(span.start, since), Span(since, span.end)))
    )
    return share / _ALIKE <= after <= share * _ALIKE and before * _ALIKE <= after


def _counted(
    wide: RowSource, indicator: SqlIndicator, names: Collection[str], every: Collection[Renamed]
) -> Iterator[tuple[Renamed, Replacement]]:
    statement = _statement(wide, indicator, every)
    statement.columns.update(names)
    there = f"({' OR '.join(f'{_value(wide, name)} IS NOT NULL' for name in names)})"
    events = statement.count(indicator.event, there)
    bad = statement.count(indicator.event, indicator.bad, there)
    groups, _ = statement.run([])
    timeline = Timeline(statement, groups, [events, bad])
    for each in every:
        places = timeline.places(each.span)
        failed = timeline.sum(bad, places)
        good = timeline.sum(events, places) - failed
        yield each, Replacement(columns=tuple(names), good=good, bad=failed)


def _statement(wide: RowSource, indicator: SqlIndicator, every: Collection[Renamed]) -> Statement:
    instants = {
        instant for each in every for instant in (each.span.start, each.gone.since, each.span.end)
    }
    statement = Statement(wide, tuple(sorted(instants)))
    statement.use(indicator)
    statement.cut({})
    return statement


def _value(wide: RowSource, name: str) -> str:
    """Return SQL for a value; an empty text counts as NULL."""
    column = wide.dialect.identifier(name)
    return f"nullif({column}, '')" if wide.columns[name].kind is Kind.TEXT else column
