"""An indicator under one name as expressions: a histogram uses the boundaries on the server."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Final

from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryResults, QueryValue
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.measure.history import coverage_step
from gate.promql.buckets import Boundary, Buckets, Chosen, choose
from gate.promql.expression import Expression, read_expression
from gate.promql.moving import SECOND, window_text
from gate.slo.indicator import Histogram, Sli

_NATIVE: Final = "counted by a native histogram, which estimates within one of its buckets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An indicator under one name, as expressions."""

    sli: Sli
    lacking: tuple[str, ...] = ()
    """Expressions that count the histograms that lacked a boundary in a part of ``$window``."""
    sum: str | None = None
    """The sum of all values over ``$window``; None: the indicator measures no values."""
    notes: tuple[str, ...] = ()


def count_query(expression: Expression, length: timedelta) -> Query:
    """Return the query for a count over a window."""
    return Query(
        pieces=expression.pieces,
        length=length,
        open_start=any(piece.startswith(":") for piece in expression.pieces),  # a subquery's step
        grain=SECOND if expression.additive else None,
        counters=expression.selectors if _counts_steps(expression) else (),
    )


def _counts_steps(expression: Expression) -> bool:
    """Return whether a count consists of increases over the window, none of them in a subquery."""
    return any(
        "increase" in before and not after.startswith(":")
        for before, after in pairwise(expression.pieces)
    )


def window_query(text: str, length: timedelta) -> Query:
    """Return the query for an expression with ``$window`` that the gate itself wrote."""
    return Query(pieces=tuple(text.split("$window")), length=length)


def lacking_query(text: str, length: timedelta) -> Query:
    """Return the query for the number of histograms without a boundary; the larger half counts."""
    return replace(window_query(text, length), grain=SECOND, largest=True)


def first_expression(name: Sli) -> Expression:
    """Return the expression of a name that best shows whether there is data.

    Raises:
        ExpressionError: it cannot be read.
    """
    text = name.total or name.good or name.spent or name.gauge or ""
    return read_expression(text, name.labels, gauge=name.gauge is not None)


def live_boundaries(histogram: Histogram, name: Sli) -> tuple[Query, Query]:
    """Return the queries for the classic boundaries and the native histograms of the last hour."""
    buckets = Buckets.of(histogram, name.labels)
    return (
        Query(pieces=(buckets.live_boundaries,), length=timedelta(), label="le"),
        Query(pieces=(buckets.live_native,), length=timedelta()),
    )


def boundaries_over(histogram: Histogram, name: Sli, length: timedelta) -> Query:
    """Return the query for the boundaries that were present at any step of a window."""
    text = Buckets.of(histogram, name.labels).boundaries_over
    step = window_text(coverage_step(length))
    pieces = tuple(text.replace("$step", step).split("$window"))
    return Query(pieces=pieces, length=length, label="le")


def guess(name: Sli) -> Resolved:
    """Return the most likely expressions of a name: classic buckets that have the threshold.

    Raises:
        ExpressionError: a selector of it cannot be read.
    """
    if name.histogram is None:
        return Resolved(sli=replace(name, older=()) if name.older else name)
    boundary = Boundary(value=name.histogram.threshold, texts=())
    buckets = Buckets.of(name.histogram, name.labels)
    return _by_boundaries(buckets, Chosen(boundaries=(boundary,)), name)


def resolve_live(histogram: Histogram, name: Sli, readings: QueryResults) -> Resolved | None:
    """Return how to count a histogram with samples in the last hour; None: it has none.

    Raises:
        ExpressionError: a selector of it cannot be read.
        MeasurementError: the server did not answer, or cannot count this threshold.
    """
    classic, native = (read(readings(part)) for part in live_boundaries(histogram, name))
    if not classic.numbers and native.number is None:
        return None
    return _by_what_there_is(histogram, name, classic)


def resolve_ended(
    histogram: Histogram, name: Sli, length: timedelta, readings: QueryResults
) -> Resolved:
    """Return how to count a histogram with samples in the window but none in the last hour.

    Raises:
        ExpressionError, MeasurementError: as `resolve_live`.
    """
    classic = read(readings(boundaries_over(histogram, name, length)))
    return _by_what_there_is(histogram, name, classic)


def _by_what_there_is(histogram: Histogram, name: Sli, classic: QueryValue) -> Resolved:
    buckets = Buckets.of(histogram, name.labels)
    if classic.numbers:
        return _by_boundaries(buckets, choose(histogram, classic.numbers), name)
    native = replace(buckets.up_to_native(histogram), notes=name.notes)
    return Resolved(sli=native, sum=buckets.native_sum, notes=(_NATIVE,))


def _by_boundaries(buckets: Buckets, chosen: Chosen, name: Sli) -> Resolved:
    return Resolved(
        sli=replace(buckets.up_to(chosen.boundaries), notes=name.notes),
        lacking=tuple(buckets.lacking(boundary) for boundary in chosen.boundaries),
        sum=buckets.sum,
        notes=chosen.notes,
    )


def nothing_there(histogram: Histogram, name: Sli) -> MeasurementError:
    """Return the error for a histogram that the server does not have under any name."""
    looked_for = Buckets.of(histogram, name.labels).live_boundaries
    reason = f"no such histogram in the last hour, neither classic nor native: {looked_for}"
    return MeasurementError(Cause.NO_DATA, reason)


def read(reading: QueryResult) -> QueryValue:
    """Return the server's answer to a question about its series.

    Raises:
        MeasurementError: it did not answer, or not completely.
    """
    if isinstance(reading, QueryError):
        raise MeasurementError(reading.cause, reading.reason)
    if reading.warnings:
        reason = f"partial answer: {'; '.join(reading.warnings)}"
        raise MeasurementError(Cause.PARTIAL, reason)
    return reading


def recent(name: Sli) -> Iterator[Query]:
    """Yield the queries that show whether a name has had samples in the last hour.

    Raises:
        ExpressionError: its expression cannot be read.
    """
    if name.histogram is not None:
        yield from live_boundaries(name.histogram, name)
        return
    for selector in first_expression(name).selectors[:1]:
        yield Query(pieces=(f"count(last_over_time({selector}[1h]))",), length=timedelta())
