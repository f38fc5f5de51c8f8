"""From requests to one statement, and from its one row back to answers; also by timeslices."""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isfinite

from gate.backends.logs.coverage import PartsOfSpan, ask_for_parts, lost_rows
from gate.backends.logs.database import Database, Row
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.keys import ask_for_keys, missing_keys
from gate.backends.logs.statement import EPOCH, MICROSECOND, Logs, Statement, repeatable
from gate.backends.logs.suspicions import Doubts, ask_for_doubts, with_suspicions
from gate.backends.logs.timestamps import undated
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, Spent, Unmeasured
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.quantities import format_duration


def count(
    database: Database,
    logs: Logs,
    wanted: Sequence[tuple[CountRequest, LogIndicator]],
    at: datetime,
) -> list[Answer]:
    """Answer all requests, in order; all of their spans end at the instant ``at``.

    Raises:
        MeasurementError: rows whose time is not known, which no request can place.
        duckdb.Error: the files or the values in them cannot be read.
    """
    starts = tuple(sorted({request.span.start for request, _ in wanted}))
    statement = Statement(logs, at=at, starts=starts)
    lost = statement.undated()
    questions = [_ask(statement, request, indicator) for request, indicator in wanted]
    keys = ask_for_keys(statement)
    row = statement.run(database)
    if row[lost]:
        raise undated(database, logs.source, logs.timestamp, row[lost])
    faults = missing_keys(database, keys, row)
    answers = [_fault(columns, faults) or _answer(database, columns, row) for columns in questions]
    answers = with_suspicions(database, logs, [c.doubts for c in questions], answers, row)
    return count_slices(database, [columns.cut for columns in questions], answers)


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceCut:
    """A request in timeslices, and the names of its numbers in the groups.

    Slices, like spans, leave their start out and include their end. Only those wholly inside the
    span count: half a slice could be bad or good for want of the other half.
    """

    slices: Slices
    first: int
    """The first whole slice, counted from 1970."""
    count: int
    """How many there are."""
    key: str
    total: str
    bad: str


def ask_for_slices(
    statement: Statement, request: CountRequest, indicator: LogIndicator
) -> SliceCut | None:
    """Group by the request's slices; None when it has none."""
    if request.slices is None:
        return None
    span, length = request.span, request.slices.length
    first = -((EPOCH - span.start) // length)
    oldest = (statement.starts[0] - EPOCH) // length - 1
    return SliceCut(
        slices=request.slices,
        first=first,
        count=max(0, (span.end - EPOCH) // length - first),
        key=statement.key(f"greatest({oldest}, (epoch_us(_at) - 1) // {length // MICROSECOND})"),
        total=statement.sum("count(*)", indicator.event),
        bad=statement.sum("count(*)", indicator.event, indicator.bad),
    )


def count_slices(
    database: Database, cuts: Sequence[SliceCut | None], answers: Sequence[Answer]
) -> list[Answer]:
    """Replace the counts of events by counts of slices, where slices are wanted."""
    return [
        _sliced(database, cut, answer) if cut and isinstance(answer, Counts) else answer
        for cut, answer in zip(cuts, answers, strict=True)
    ]


def _sliced(database: Database, cut: SliceCut, events: Counts) -> Answer:
    length, query = format_duration(cut.slices.length), events.evidence.query
    if not cut.count:
        reason = f"no whole slice of {length} fits into the window"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=query)
    judged, failed = _judged(database, cut)
    if not judged:
        reason = f"no whole slice of {length} has an event"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=query)
    empty = cut.count - judged
    return Counts(
        total=Fraction(judged if cut.slices.empty is EmptySlice.LEFT_OUT else cut.count),
        bad=Fraction(failed + (empty if cut.slices.empty is EmptySlice.BAD else 0)),
        evidence=events.evidence,
    )


def _judged(database: Database, cut: SliceCut) -> tuple[int, int]:
    """Return how many slices have an event, and how many of those are bad."""
    good, parts = cut.slices.target.as_integer_ratio()  # compared as whole numbers
    ((judged, failed),) = database.query(
        f"SELECT count(*), count_if((total - bad) * {parts} < {good} * total) "
        f"FROM (SELECT sum({cut.total}) AS total, sum({cut.bad}) AS bad FROM groups "
        f"WHERE {cut.key} BETWEEN {cut.first} AND {cut.first + cut.count - 1} "
        f"GROUP BY {cut.key}) WHERE total > 0"
    )
    return judged, failed


@dataclass(frozen=True, slots=True, kw_only=True)
class _RequestColumns:
    """A request and where its numbers stand in the statement's row."""

    request: CountRequest
    indicator: LogIndicator
    query: str
    rows: int
    """Rows in the span."""
    total: int
    """Of these, events; for an amount: rows that have one."""
    value: int
    """Bad events, or the amount."""
    lowest: int | None
    """The smallest of the amounts."""
    newest: int | None
    parts: PartsOfSpan | None
    """To see which of them have rows; None: that is not asked."""
    cut: SliceCut | None
    doubts: Doubts | None
    notes: tuple[str, ...]


def _ask(statement: Statement, request: CountRequest, indicator: LogIndicator) -> _RequestColumns:
    statement.use(indicator)
    span, event, bad, lowest = request.span, indicator.event, indicator.bad, None
    if indicator.amount is None:
        total, value = statement.count(span, event), statement.count(span, event, bad)
    else:
        amount = statement.value(indicator.amount)
        total = statement.aggregate(f"sum({statement.sum(f'count({amount})')})", span)
        lowest = statement.aggregate(f"min({statement.sum(f'min({amount})')})", span)
        add = "fsum" if indicator.inexact else "sum"  # fsum: Kahan's, the error does not grow
        value = statement.aggregate(f"{add}({statement.sum(f'{add}({amount})')})", span)
    newest = statement.sum("max(_at)", event)
    return _RequestColumns(
        request=request,
        indicator=indicator,
        query=repeatable(statement.logs, request, indicator),
        rows=statement.count(span),
        total=total,
        value=value,
        lowest=lowest,
        newest=statement.aggregate(f"max(epoch_us({newest}))", span) if request.probe else None,
        parts=ask_for_parts(statement, span) if request.probe else None,
        cut=ask_for_slices(statement, request, indicator),
        doubts=ask_for_doubts(statement, request, indicator) if request.probe else None,
        notes=statement.logs.source.notes,
    )


def _fault(columns: _RequestColumns, faults: Mapping[str, str]) -> Answer | None:
    for column in sorted(columns.indicator.columns & faults.keys()):
        return Unmeasured(cause=Cause.INVALID, reason=faults[column], query=columns.query)
    return None


def _answer(database: Database, columns: _RequestColumns, row: Row) -> Answer:
    if not row[columns.rows]:
        span = columns.request.span
        reason = f"the logs have no row between {span.start:%F %T} and {span.end:%F %T} UTC"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=columns.query)
    if columns.lowest is not None:
        return _spent(database, columns, row, row[columns.lowest])
    if not row[columns.total]:
        reason = f"of {row[columns.rows]:,} rows none is an event: total is true of none"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=columns.query)
    return Counts(
        total=Fraction(row[columns.total]),
        bad=Fraction(row[columns.value]),
        evidence=_evidence(database, columns, row, Fraction(row[columns.total])),
    )


def _spent(
    database: Database,
    columns: _RequestColumns,
    row: Row,
    lowest: int | float | Decimal | None,
) -> Answer:
    rows, amount = row[columns.rows], row[columns.value]
    if lowest is None:
        reason = f"spent is NULL in all {rows:,} rows"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=columns.query)
    # One row that gives back would hide what others have spent.
    for wrong in (number for number in (amount, lowest) if not isfinite(number) or number < 0):
        where = "in all rows together" if wrong is amount else "in some row"
        what = "below zero" if isfinite(wrong) else "not a number, or infinite"
        reason = f"spent is {what} {where}, which is no amount"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=columns.query)
    missing = rows - row[columns.total]
    notes = (f"spent is NULL in {missing:,} of {rows:,} rows",) if missing else ()
    spent = _exact(amount)
    return Spent(amount=spent, evidence=_evidence(database, columns, row, spent, notes))


def _exact(amount: int | float | Decimal) -> Fraction:
    # The shortest decimal that is this double: 0.1 and not 0.1000000000000000055.
    return Fraction(repr(amount)) if isinstance(amount, float) else Fraction(amount)


def _evidence(
    database: Database,
    columns: _RequestColumns,
    row: Row,
    number: Fraction,
    notes: tuple[str, ...] = (),
) -> Evidence:
    """Return how far a number of events, or an amount, can be trusted."""
    newest = None if columns.newest is None else row[columns.newest]
    seen = None if columns.parts is None else columns.parts.coverage(database)
    request, rows = columns.request, row[columns.rows]
    return Evidence(
        query=columns.query,
        newest=None if newest is None else EPOCH + timedelta(microseconds=newest),
        coverage=None if seen is None else seen.share,
        gaps=None if seen is None else seen.gaps,
        notes=(*columns.notes, *notes),
        suspicions=()
        if seen is None
        else lost_rows(seen, request.span, number / rows, request.slices),
    )
