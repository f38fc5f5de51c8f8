"""One scan over the logs for what a count does not show: gaps, order, repeats, unknown outcomes."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from gate.backends.logs.database import Database, identifier
from gate.backends.logs.indicators import IndicatorDraft, LogIndicator
from gate.backends.logs.prepare import Prepared, key_of
from gate.backends.logs.source import LogSource
from gate.backends.logs.timestamps import EPOCH, sql_instant
from gate.dataclass import dataclass
from gate.measure import CountRequest
from gate.slo.objective import Span

_IDS: Final = ("request_id", "requestid", "x_request_id", "x-request-id", "req_id", "id")
JUMP: Final = timedelta(minutes=30)
"""Further back than a long answer that is logged at its end under the time of its begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedEvents:
    """The rows in the window of one SLO."""

    rows: int
    unknown: int
    """Of these, events whose outcome is NULL."""
    oldest: datetime | None
    days: tuple[date, ...]
    """With any row, in the logs' time zone, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the scan saw."""

    newest: datetime | None
    """Row at or before the instant."""
    future: int
    """Rows later than our clock."""
    jumps: int
    """Rows that are older than the one before them by more than `JUMP`; at the begin of a file
    that is nothing unusual, nor where only the newest version of a row counts."""
    id: str | None
    """The column that separates requests; None: there is none."""
    repeats: int
    """Rows with an id that another row has already."""
    events: tuple[SurveyedEvents, ...]
    """The events of each request."""


def survey(
    database: Database, ready: Prepared, requests: Sequence[CountRequest], at: datetime
) -> Survey:
    """Scan the logs.

    Args:
        database: that they were prepared in.
        ready: the logs.
        requests: each of an indicator that fits the logs.
        at: the end of every request's span.

    Raises:
        duckdb.Error, MeasurementError: the logs cannot be read.
    """
    source, timestamp = ready.logs.source, ready.logs.timestamp
    key, keys = _id_of(source), [key_of(request.sli) for request in requests]
    inner = {
        "_at": timestamp.sql,
        "_before": f"lag({timestamp.sql}) OVER ()",
        "_id": "NULL" if key is None else f"hash({identifier(key)})",
        **{
            f"_unknown{place}": _unknown(ready.drafts[key], ready.indicators[key])
            for place, key in enumerate(keys)
        },
    }
    columns = {column for key in keys for column in ready.indicators[key].columns}
    used = sorted(columns | {timestamp.column} | ({key} if key else set()))
    outer = [
        *_general(at),
        *(sql for place, request in enumerate(requests) for sql in _of(place, request)),
    ]
    (row,) = database.query(
        f"SELECT {', '.join(outer)} FROM (SELECT {_named(inner)} "
        f"FROM {source.relation(used)} AS rows)"
    )
    newest, future, jumps, repeats, *rest = row
    return Survey(
        newest=_instant(newest),
        future=future,
        jumps=0 if source.always else max(0, jumps - len(source.files) + 1),
        id=key,
        repeats=repeats,
        events=tuple(_events(rest[start : start + 4]) for start in range(0, len(rest), 4)),
    )


def _id_of(source: LogSource) -> str | None:
    spelled = {name.lower(): name for name in source.types if name not in source.faults}
    return next((spelled[name] for name in _IDS if name in spelled), None)


def _unknown(draft: IndicatorDraft, indicator: LogIndicator) -> str:
    texts = [expression.sql for expression in draft.expressions.values()]
    texts += [identifier(draft.sli.column)] if draft.sli.column else []
    unknown = " OR ".join(f"{text} IS NULL" for text in texts)
    return f"({unknown}) AND ({indicator.event or 'true'})"


def _general(at: datetime) -> tuple[str, ...]:
    now = sql_instant(datetime.now(UTC))
    jump = f"INTERVAL {JUMP // timedelta(minutes=1)} MINUTE"
    return (
        f"epoch_us(max(_at) FILTER (_at <= {sql_instant(at)}))",
        f"count(*) FILTER (_at > {now})",
        f"count(*) FILTER (_at < _before - {jump})",
        "count(_id) - count(DISTINCT _id)",
    )


def _of(place: int, request: CountRequest) -> tuple[str, ...]:
    within = _within(request.span)
    return (
        f"count(*) FILTER ({within})",
        f"count(*) FILTER ({within} AND _unknown{place})",
        f"epoch_us(min(_at) FILTER ({within}))",
        f"list_sort(list(DISTINCT _at::DATE) FILTER ({within}))",
    )


def _within(span: Span) -> str:
    return f"_at > {sql_instant(span.start)} AND _at <= {sql_instant(span.end)}"


def _named(columns: Mapping[str, str]) -> str:
    return ", ".join(f"{sql} AS {name}" for name, sql in columns.items())


def _events(row: Sequence[Any]) -> SurveyedEvents:
    rows, unknown, oldest, days = row
    return SurveyedEvents(
        rows=rows, unknown=unknown, oldest=_instant(oldest), days=tuple(days or ())
    )


def _instant(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)
