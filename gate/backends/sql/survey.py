"""A survey of rows: days without rows, order, repeats, unknown outcomes, times in the future."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from gate.backends.sql.groups import Groups
from gate.backends.sql.indicators import key_of
from gate.backends.sql.prepared import Prepared
from gate.backends.sql.rows import RowSource
from gate.backends.sql.statement import Statement
from gate.backends.sql.times import LATEST, instant, microseconds
from gate.dataclass import dataclass
from gate.measure import CountRequest
from gate.measure.history import on_the_clock
from gate.slo.objective import Span

_IDS: Final = ("request_id", "requestid", "x_request_id", "x-request-id", "req_id", "id")
JUMP: Final = timedelta(minutes=30)
"""The limit of disorder: longer than the duration of an answer that is logged at its end under its
start."""
_QUARTER: Final = timedelta(minutes=15)
"""Every time zone's days begin at a whole multiple of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedEvents:
    """The rows in the window of one SLO."""

    rows: int
    unknown: int
    """The number of these events whose outcome is NULL."""
    oldest: datetime | None
    days: tuple[date, ...]
    """The days with rows, in the rows' time zone, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The observations of the scan."""

    newest: datetime | None
    """The newest row at or before the instant, but after the start of the longest window."""
    future: int
    """The number of rows later than our clock."""
    jumps: int | None
    """The number of rows that are older than the one before them by more than `JUMP`; None: rows
    have no order, or only the newest version of a row counts."""
    id: str | None
    """The column that identifies requests; None: no column does."""
    repeats: int
    """The number of rows with an id that another row already has."""
    events: tuple[SurveyedEvents, ...]
    """The events of each request."""


def survey(
    ready: Prepared,
    requests: Sequence[CountRequest],
    at: datetime,
    zone: tzinfo | None,
) -> Survey:
    """Scan the rows.

    Args:
        ready: the rows.
        requests: the requests, whose indicators fit the rows.
        at: the end of every request's span.
        zone: the time zone of days; None: UTC.

    Raises:
        MeasurementError: the rows cannot be read.
    """
    rows, now = ready.rows, datetime.now(UTC)
    bounds = {bound for request in requests for bound in (request.span.start, request.span.end)}
    time = Span(min(bounds), LATEST)
    statement = Statement(rows, tuple(sorted({*bounds, at, now, LATEST})))
    statement.cut({_QUARTER: on_the_clock(Span(time.start, at), _QUARTER)})
    statement.oldest()
    statement.count()
    indicators = [ready.indicators[key_of(request.sli)] for request in requests]
    for indicator in indicators:
        statement.use(indicator)
    unknown = [statement.count(each.event, each.unset) for each in indicators]
    jump = rows.jump(JUMP)
    jumps = None if jump is None else statement.count(jump)
    groups, _ = statement.run([])
    identity = _id_of(rows)
    newest = [n for n in groups[statement.newest()] if n is not None and n <= microseconds(at)]
    return Survey(
        newest=instant(max(newest)) if newest else None,
        future=_sum(groups, statement, statement.count(), Span(now, time.end)),
        jumps=None if jumps is None else max(0, groups.total(jumps) - rows.breaks),
        id=identity,
        repeats=0 if identity is None else _repeats(rows, identity, time),
        events=tuple(
            _events(groups, statement, request.span, name, zone or UTC)
            for request, name in zip(requests, unknown, strict=True)
        ),
    )


def _id_of(rows: RowSource) -> str | None:
    spelled = {name.lower(): name for name in rows.columns if name not in rows.faults}
    return next((spelled[name] for name in _IDS if name in spelled), None)


def _repeats(rows: RowSource, identity: str, time: Span) -> int:
    column = rows.dialect.identifier(identity)
    numbers = f"count({column}) - {rows.dialect.distinct(column)}"
    relation = rows.relation([rows.timestamp, identity])
    statement = f"SELECT {numbers} FROM {relation} AS rows"  # noqa: S608 - quoted names
    if (skipped := rows.chosen(time)) is not None:
        statement += f" WHERE {skipped}"
    ((number,),) = rows.engine.rows(statement)
    return int(number)


def _places(groups: Groups, statement: Statement, span: Span) -> Sequence[bool | None]:
    """Return for each group whether it is in a span; None: it is not."""
    start, end = microseconds(span.start), microseconds(span.end)
    newest = groups[statement.newest()]
    return [True if moment is not None and start < moment <= end else None for moment in newest]


def _sum(groups: Groups, statement: Statement, name: str, span: Span) -> int:
    return int(groups.by(_places(groups, statement, span), [name]).get(True, (0,))[0])


def _events(
    groups: Groups, statement: Statement, span: Span, unknown: str, zone: tzinfo
) -> SurveyedEvents:
    places = _places(groups, statement, span)
    names = [statement.count(), unknown, statement.oldest()]
    rows, without, oldest = groups.by(places, names).get(True, (0, 0, None))
    newest = groups[statement.newest()]
    moments = [moment for moment, there in zip(newest, places, strict=True) if there]
    return SurveyedEvents(
        rows=rows,
        unknown=without,
        oldest=None if oldest is None else instant(oldest),
        days=tuple(sorted({instant(moment).astimezone(zone).date() for moment in moments})),
    )
