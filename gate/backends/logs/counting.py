"""From requests to one statement, and from its one row back to answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isfinite

from gate.backends.logs.database import Database, Row
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.jsonl import ask_for_keys, missing_keys
from gate.backends.logs.statement import EPOCH, Logs, Statement, repeatable
from gate.backends.logs.timeslices import SliceCut, ask_for_slices, count_slices
from gate.backends.logs.timestamps import undated
from gate.measure.counts import Answer, Cause, CountRequest, Counts, Evidence, Spent, Unmeasured


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
    coverage: tuple[int, int] | None
    """The place of the number of parts with data, and the number of all parts."""
    cut: SliceCut | None


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
    answers = [_fault(columns, faults) or _answer(columns, row) for columns in questions]
    return count_slices(database, [columns.cut for columns in questions], answers)


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
    return _RequestColumns(
        request=request,
        indicator=indicator,
        query=repeatable(statement.logs, request, indicator),
        rows=statement.count(span),
        total=total,
        value=value,
        lowest=lowest,
        newest=_ask_newest(statement, request, event) if request.probe else None,
        coverage=statement.covered(span) if request.probe else None,
        cut=ask_for_slices(statement, request, indicator),
    )


def _ask_newest(statement: Statement, request: CountRequest, event: str | None) -> int:
    newest = statement.sum("max(_at)", event)
    return statement.aggregate(f"max(epoch_us({newest}))", request.span)


def _fault(columns: _RequestColumns, faults: Mapping[str, str]) -> Answer | None:
    for column in sorted(columns.indicator.columns & faults.keys()):
        return Unmeasured(cause=Cause.INVALID, reason=faults[column], query=columns.query)
    return None


def _answer(columns: _RequestColumns, row: Row) -> Answer:
    if not row[columns.rows]:
        span = columns.request.span
        reason = f"the logs have no row between {span.start:%F %T} and {span.end:%F %T} UTC"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=columns.query)
    if columns.lowest is not None:
        return _spent(columns, row, row[columns.lowest])
    if not row[columns.total]:
        reason = f"of {row[columns.rows]:,} rows none is an event: total is true of none"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=columns.query)
    return Counts(
        total=Fraction(row[columns.total]),
        bad=Fraction(row[columns.value]),
        evidence=_evidence(columns, row),
    )


def _spent(columns: _RequestColumns, row: Row, lowest: int | float | Decimal | None) -> Answer:
    rows, amount = row[columns.rows], row[columns.value]
    if lowest is None:
        reason = f"spent is NULL in all {rows:,} rows"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=columns.query)
    # One row that gives back would hide what others have spent.
    for wrong in (number for number in (amount, lowest) if not isfinite(number) or number < 0):
        what = "adds up to" if wrong is amount else "is, in some row,"
        reason = f"spent {what} {wrong}, which is no amount"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=columns.query)
    missing = rows - row[columns.total]
    notes = (f"spent is NULL in {missing:,} of {rows:,} rows",) if missing else ()
    return Spent(amount=_exact(amount), evidence=_evidence(columns, row, notes))


def _exact(amount: int | float | Decimal) -> Fraction:
    # The shortest decimal that is this double: 0.1 and not 0.1000000000000000055.
    return Fraction(repr(amount)) if isinstance(amount, float) else Fraction(amount)


def _evidence(columns: _RequestColumns, row: Row, notes: tuple[str, ...] = ()) -> Evidence:
    newest = None if columns.newest is None else row[columns.newest]
    coverage = None
    if columns.coverage is not None:
        place, parts = columns.coverage
        coverage = Fraction(row[place], parts)
    return Evidence(
        query=columns.query,
        newest=None if newest is None else EPOCH + timedelta(microseconds=newest),
        coverage=coverage,
        notes=notes,
    )
