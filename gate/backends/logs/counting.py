"""From requests to one statement, and from its one row back to answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import isfinite

from gate.backends.logs.database import Database, Row
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.keys import ask_for_keys, lacking_keys
from gate.backends.logs.query import repeatable
from gate.backends.logs.statement import Logs, Statement, covered, in_span, widest
from gate.backends.logs.timeslices import count_slices
from gate.backends.logs.timestamps import undated
from gate.slo.measurement import (
    Answer,
    Cause,
    CountRequest,
    Counts,
    Evidence,
    Spent,
    Unmeasured,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request and where its numbers stand in the statement's row."""

    request: CountRequest
    indicator: Indicator
    query: str
    rows: int
    """Rows in the span."""
    total: int
    """Of these, events; for an amount: rows that have one."""
    value: int
    """Bad events, or the amount."""
    newest: int | None
    coverage: tuple[int, int] | None
    """The place of the number of parts with data, and the number of all parts."""


def count(
    database: Database, logs: Logs, wanted: Sequence[tuple[CountRequest, Indicator]]
) -> list[Answer]:
    """Answer all requests, in order.

    Raises:
        Refusal: rows whose time is not known, which no request can place.
        duckdb.Error: the files or the values in them cannot be read.
    """
    statement = Statement(logs, widest([request.span for request, _ in wanted]))
    lost = statement.undated()
    asked = [_ask(statement, request, indicator) for request, indicator in wanted]
    keys = ask_for_keys(statement) if logs.source.keyed else {}
    (row,) = database.query(statement.sql(numbered=logs.source.keyed))
    if row[lost]:
        raise undated(database, logs.source, logs.timestamp, row[lost])
    lacking = lacking_keys(database, logs.source, keys, row)
    answers = [lacking.answer(one.indicator) or _answer(one, row) for one in asked]
    return count_slices(database, logs, wanted, answers)


def _ask(statement: Statement, request: CountRequest, indicator: Indicator) -> Asked:
    statement.use(indicator)
    span, event, bad = request.span, indicator.event, indicator.bad
    if indicator.amount is None:
        total, value = statement.count(span, event), statement.count(span, event, bad)
    else:
        total, value = _ask_amount(statement, request, indicator.amount, indicator.inexact)
    return Asked(
        request=request,
        indicator=indicator,
        query=repeatable(statement.logs, request, indicator),
        rows=statement.count(span),
        total=total,
        value=value,
        newest=_ask_newest(statement, request, event) if request.probe else None,
        coverage=_ask_coverage(statement, request) if request.probe else None,
    )


def _ask_amount(
    statement: Statement, request: CountRequest, amount: str, inexact: bool
) -> tuple[int, int]:
    name, within = statement.value(amount), in_span(request.span)
    add = "fsum" if inexact else "sum"  # fsum: Kahan's, its error does not grow with the rows
    return (
        statement.aggregate(f"count({name}) FILTER (WHERE {within})"),
        statement.aggregate(f"{add}({name}) FILTER (WHERE {within})"),
    )


def _ask_newest(statement: Statement, request: CountRequest, event: str | None) -> int:
    parts = [in_span(request.span)] + ([statement.value(event)] if event else [])
    return statement.aggregate(f"epoch_us(max(_at) FILTER (WHERE {' AND '.join(parts)}))")


def _ask_coverage(statement: Statement, request: CountRequest) -> tuple[int, int]:
    sql, parts = covered(request.span)
    return statement.aggregate(sql), parts


def _answer(asked: Asked, row: Row) -> Answer:
    if not row[asked.rows]:
        span = asked.request.span
        reason = f"the logs have no row between {span.start:%F %T} and {span.end:%F %T} UTC"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=asked.query)
    if asked.indicator.amount is not None:
        return _spent(asked, row)
    if not row[asked.total]:
        reason = f"of {row[asked.rows]:,} rows none is an event: total is true of none"
        return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=asked.query)
    return Counts(
        total=Fraction(row[asked.total]),
        bad=Fraction(row[asked.value]),
        evidence=_evidence(asked, row),
    )


def _spent(asked: Asked, row: Row) -> Answer:
    rows, valued, amount = row[asked.rows], row[asked.total], row[asked.value]
    if not valued:
        reason = f"spent is NULL in all {rows:,} rows"
        return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=asked.query)
    if not isfinite(amount) or amount < 0:
        reason = f"spent adds up to {amount}, which is no amount"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=asked.query)
    notes = (f"spent is NULL in {rows - valued:,} of {rows:,} rows",) if valued < rows else ()
    return Spent(amount=_exact(amount), evidence=_evidence(asked, row, notes))


def _exact(amount: int | float | Decimal) -> Fraction:
    # The shortest decimal that is this double: 0.1 and not 0.1000000000000000055.
    return Fraction(repr(amount)) if isinstance(amount, float) else Fraction(amount)


def _evidence(asked: Asked, row: Row, notes: tuple[str, ...] = ()) -> Evidence:
    newest = None if asked.newest is None else row[asked.newest]
    coverage = None
    if asked.coverage is not None:
        place, parts = asked.coverage
        coverage = Fraction(row[place] or 0, parts)
    return Evidence(
        query=asked.query,
        newest=None if newest is None else _EPOCH + timedelta(microseconds=newest),
        coverage=coverage,
        notes=notes,
    )
