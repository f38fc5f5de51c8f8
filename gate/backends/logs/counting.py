"""From requests to one statement, and from its one row back to answers; also by timeslices."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction

from gate.backends.logs.amounts import ask_for_amount, spending
from gate.backends.logs.coverage import CountedParts, UsualRows, ask_for_parts, lost_rows
from gate.backends.logs.database import Database, Row
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.keys import ask_for_keys, missing_keys
from gate.backends.logs.slices import SliceCut, ask_for_slices, in_slices, with_whole_slices
from gate.backends.logs.statement import EPOCH, Logs, Statement, repeatable
from gate.backends.logs.suspicions import Doubts, ask_for_doubts, with_suspicions
from gate.backends.logs.timestamps import undated
from gate.dataclass import dataclass
from gate.measure import (
    Answer,
    Cause,
    CountRequest,
    Counts,
    Evidence,
    MeasurementError,
    Spent,
    Unmeasured,
)


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
    wanted = [(with_whole_slices(request), indicator) for request, indicator in wanted]
    starts = tuple(sorted({request.span.start for request, _ in wanted}))
    statement = Statement(logs, at=at, starts=starts)
    lost = statement.undated()
    usual = UsualRows(database, logs)
    questions = [_ask(statement, request, indicator, usual) for request, indicator in wanted]
    keys = ask_for_keys(statement)
    row = statement.run(database)
    if row[lost]:
        raise undated(database, logs.source, logs.timestamp, row[lost])
    faults = missing_keys(database, keys, row)
    answers = [_fault(columns, faults) or _answer(database, columns, row) for columns in questions]
    answers = with_suspicions(database, logs, [c.doubts for c in questions], answers, row)
    return [
        in_slices(database, columns.cut, answer)
        for columns, answer in zip(questions, answers, strict=True)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _RequestColumns:
    """A request and where its numbers stand in the statement's row."""

    request: CountRequest
    indicator: LogIndicator
    query: str
    rows: int
    """Rows in the span."""
    total: int
    """Of these, events; for an amount: all rows."""
    bad: int
    """Of these, bad ones; for an amount: none."""
    spent: tuple[int, ...]
    """What `spending` is made of; empty: events are counted."""
    newest: int | None
    parts: CountedParts | None
    """To see which of them have rows; None: that is not asked."""
    cut: SliceCut | None
    doubts: Doubts | None
    notes: tuple[str, ...]
    usual: UsualRows


def _ask(
    statement: Statement, request: CountRequest, indicator: LogIndicator, usual: UsualRows
) -> _RequestColumns:
    statement.use(indicator)
    span, event = request.span, indicator.event
    amount = ask_for_amount(statement, indicator)
    spent = () if amount is None else amount.aggregates
    newest = statement.sum("max(_at)", event)
    return _RequestColumns(
        request=request,
        indicator=indicator,
        query=repeatable(statement.logs, request, indicator),
        rows=statement.count(span),
        total=statement.count(span, event),
        bad=statement.count(span, event, indicator.bad),
        spent=tuple(statement.aggregate(sql, span) for sql in spent),
        newest=statement.aggregate(f"max(epoch_us({newest}))", span) if request.probe else None,
        parts=ask_for_parts(statement, span) if request.probe else None,
        cut=ask_for_slices(statement, span, request.slices, indicator),
        doubts=ask_for_doubts(statement, request, indicator) if request.probe else None,
        notes=statement.logs.source.notes,
        usual=usual,
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
    if columns.spent:
        return _spent(database, columns, row)
    if not row[columns.total]:
        reason = f"of {row[columns.rows]:,} rows none is an event: total is true of none"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=columns.query)
    return Counts(
        total=Fraction(row[columns.total]),
        bad=Fraction(row[columns.bad]),
        evidence=_evidence(database, columns, row, Fraction(row[columns.total])),
    )


def _spent(database: Database, columns: _RequestColumns, row: Row) -> Answer:
    rows, spent = row[columns.rows], spending([row[place] for place in columns.spent])
    try:
        amount = spent.checked(rows)
    except MeasurementError as refusal:
        return refusal.answer(columns.query)
    missing = rows - spent.count
    notes = (f"spent is NULL in {missing:,} of {rows:,} rows",) if missing else ()
    return Spent(amount=amount, evidence=_evidence(database, columns, row, amount, notes))


def _evidence(
    database: Database,
    columns: _RequestColumns,
    row: Row,
    number: Fraction,
    notes: tuple[str, ...] = (),
) -> Evidence:
    """Return how far a number of events, or an amount, can be trusted."""
    newest = None if columns.newest is None else row[columns.newest]
    seen = None if columns.parts is None else columns.parts.coverage(database, columns.usual)
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
