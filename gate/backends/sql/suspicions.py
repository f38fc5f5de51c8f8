"""The numbers of a count, and its doubts: outcomes that are NULL, and columns that are gone."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.backends.sql.amounts import AmountColumns, ask_for_amount
from gate.backends.sql.coverage import Parts
from gate.backends.sql.rows import SqlIndicator
from gate.backends.sql.statement import Statement
from gate.backends.sql.timeline import Timeline
from gate.dataclass import dataclass
from gate.measure import Cause, Counts, Suspicion
from gate.slo.indicator import Slices
from gate.slo.objective import Span

_FEWEST: Final = 10
"""The fewest rows without a value that show that a column has disappeared."""
_NEARLY_ALL: Final = Fraction(99, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """The checks of an indicator's counts, by the names of its numbers on a timeline."""

    rows: str
    total: str
    bad: str
    unknown: str
    values: tuple[tuple[str, str], ...]
    """Each column, with the name of the number of its values."""
    optional: frozenset[str]
    """The columns that only some rows need to have."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """All these names."""
        return (self.rows, self.total, self.bad, self.unknown, *(name for _, name in self.values))


def ask_for_doubts(statement: Statement, indicator: SqlIndicator) -> Doubts | None:
    """Request the numbers that check a count; None: for an amount."""
    if indicator.bad is None or indicator.unknown is None:
        return None
    rows, event = statement.rows, indicator.event
    columns = sorted(indicator.columns - {rows.timestamp})
    return Doubts(
        rows=statement.count(),
        total=statement.count(event),
        bad=statement.count(event, indicator.bad),
        unknown=statement.count(event, indicator.unknown),
        values=tuple(
            (column, statement.count_values(rows.dialect.identifier(column))) for column in columns
        ),
        optional=rows.optional,
    )


def suspicions(
    doubts: Doubts, timeline: Timeline, parts: Parts, counts: Counts
) -> Iterator[Suspicion]:
    """Yield the reasons to doubt a count.

    Args:
        doubts: the names of the numbers.
        timeline: the timeline of the scan.
        parts: the parts of the span; the rest is judged only with the whole span.
        counts: the counts of the span.
    """
    unknown = timeline.sum(doubts.unknown, timeline.places(parts.span))
    if unknown:
        names = ", ".join(f'"{column}"' for column, _ in doubts.values)
        yield Suspicion(
            cause=Cause.UNKNOWN_OUTCOME,
            reason=(
                f"the outcome of {unknown:,} of {int(counts.total):,} events is NULL, by {names}; "
                "they count as bad"
            ),
            remedy="log the outcome, or leave these rows out with total",
            doubtful=Fraction(unknown),
        )
    for gone in gone_columns(doubts, timeline, parts):
        if gone.unmistakable:
            good = timeline.sum(doubts.total, gone.after) - timeline.sum(doubts.bad, gone.after)
            yield Suspicion(
                cause=Cause.UNMATCHED,
                reason=(
                    f'"{gone.column}" has a value in nearly all rows until {gone.since:%F %R} UTC '
                    f"and in none of the {gone.rows:,} rows since; {good:,} of these count as good"
                ),
                remedy=gone.remedy,
                hidden=Fraction(good),
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneColumn:
    """A column that had values, and has none any more."""

    column: str
    optional: bool
    """Whether only some rows need to have it."""
    since: datetime
    share: Fraction
    """The share of rows with a value before."""
    after: range
    """The stretches of time since."""
    rows: int
    """The number of rows since."""

    @property
    def unmistakable(self) -> bool:
        """Whether nearly all rows that must have it had it."""
        return not self.optional and self.rows >= _FEWEST and self.share >= _NEARLY_ALL

    @property
    def remedy(self) -> str:
        """The remedy, in the imperative."""
        return f'see what "{self.column}" is called since then, and name both in the indicator'


def gone_columns(doubts: Doubts, timeline: Timeline, parts: Parts) -> Iterator[GoneColumn]:
    """Yield the columns of an indicator that had values in a span, and have none at its end."""
    places = timeline.places(parts.inner) if parts.inner else range(0)
    for column, values in doubts.values:
        last = timeline.last(places, values)
        if last is None:  # it never had a value, so nothing has disappeared
            continue
        since = parts.end_after(timeline.ends[last])
        border = timeline.after(since)
        before, after = range(places.start, border), range(border, places.stop)
        yield GoneColumn(
            column=column,
            optional=column in doubts.optional,
            since=since,
            share=Fraction(timeline.sum(values, before), timeline.sum(doubts.rows, before)),
            after=after,
            rows=timeline.sum(doubts.rows, after),
        )


def with_doubts(answer: Counts, doubts: tuple[Suspicion, ...], slices: Slices | None) -> Counts:
    """Return the answer with more suspicions; for slices their number is unknown."""
    if slices is not None:
        doubts = tuple(
            replace(
                doubt,
                hidden=None if doubt.hidden else Fraction(0),
                doubtful=None if doubt.doubtful else Fraction(0),
            )
            for doubt in doubts
        )
    every = (*answer.evidence.suspicions, *doubts)
    return replace(answer, evidence=replace(answer.evidence, suspicions=every))


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanColumns:
    """The names of an indicator's numbers."""

    indicator: SqlIndicator
    query: Callable[[Span], str]
    rows: str
    total: str
    """The total events; for an amount all rows."""
    bad: str
    """The bad events; for an amount all rows."""
    newest: str
    """The time of the newest event."""
    amount: AmountColumns | None
    doubts: Doubts | None
    """The names of the doubts' numbers; None: for an amount, or if no evidence was requested."""

    @property
    def numbers(self) -> Iterable[str]:
        """All these names."""
        yield from (self.rows, self.total, self.bad, self.newest)
        yield from () if self.amount is None else self.amount.numbers
        yield from () if self.doubts is None else self.doubts.numbers


def ask_for_columns(statement: Statement, indicator: SqlIndicator, *, probe: bool) -> ScanColumns:
    """Request the numbers that count an indicator, with those of the doubts if it is probed."""
    statement.use(indicator)
    event = indicator.event
    return ScanColumns(
        indicator=indicator,
        query=statement.rows.repeatable(indicator),
        rows=statement.count(),
        total=statement.count(event),
        bad=statement.count(event, indicator.bad),
        newest=statement.newest_of(event),
        amount=ask_for_amount(statement, indicator),
        doubts=ask_for_doubts(statement, indicator) if probe else None,
    )
