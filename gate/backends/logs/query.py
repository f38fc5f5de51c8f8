"""The SQL of a single request, for a person to repeat with any DuckDB."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from gate.backends.logs.database import literal
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.statement import Logs, in_span
from gate.slo.measurement import CountRequest


def repeatable(logs: Logs, request: CountRequest, indicator: Indicator) -> str:
    """Return SQL that gives the request's total and bad events, or its amount.

    For a request in timeslices these are all events of its span.
    """
    used = sorted(indicator.columns | {logs.timestamp.column})
    rows = f"SELECT *, {logs.timestamp.sql} AS _at FROM {logs.source.shown(used)} AS rows"
    return (
        f"SET TimeZone = {literal(logs.zone or 'UTC')}; "
        f"SELECT {_columns(indicator)} FROM ({rows}) AS rows WHERE {in_span(request.span)}"
    )


def _columns(indicator: Indicator) -> str:
    if indicator.amount is not None:
        return f"sum({indicator.amount}) AS spent"
    event = indicator.event or "true"
    return f"count_if({event}) AS total, count_if({event} AND {indicator.bad}) AS bad"
