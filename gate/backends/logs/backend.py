"""The backend: it counts everything in one scan."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar, cast

import duckdb

from gate.backends.logs.database import Database, opened
from gate.backends.logs.dialect import DuckEngine
from gate.backends.logs.prepare import prepare, wider
from gate.backends.logs.refusals import unreadable
from gate.backends.logs.rows import LogRows
from gate.backends.logs.settings import LogsSettings
from gate.backends.logs.source import UNKNOWN_NUMBERS, LargeNumbers, NumberColumns, settle
from gate.backends.logs.timestamps import zone_name
from gate.backends.sql.answering import AnswerRequests, Found, Request, RowsBackend
from gate.backends.sql.counting import RunRequest
from gate.backends.sql.engine import Row, Runner
from gate.backends.sql.kept import grids_of
from gate.backends.sql.prepared import Prepared
from gate.backends.sql.rows import RowSource
from gate.measure import CountRequest, Limits
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span

T = TypeVar("T")


class _Again:
    """Opens DuckDB over files for each statement."""

    def __init__(self, settings: LogsSettings, limits: Limits, rows: LogRows) -> None:
        self._zone = zone_name(settings.records.time_zone)
        self._limits, self._rows = limits, rows
        self.dialect = rows.dialect

    def rows(self, statement: str) -> list[Row]:
        """Run a statement."""
        with opened(self._limits.timeout, self._zone) as database:
            self._rows.confine(database)
            return DuckEngine(database).rows(statement)


class LogsBackend(RowsBackend):
    """Counts rows of request logs."""

    def __init__(self, settings: LogsSettings, limits: Limits) -> None:
        super().__init__()
        self._settings = settings
        self._limits = limits
        self._time: Span | None = None
        """The time of all rows that the requests need; None: any."""

    def _answer(
        self,
        requests: Sequence[Request],
        answer_requests: AnswerRequests[Request, Found],
        by: Sequence[str] = (),
    ) -> list[Found]:
        self._time = time_of(requests) if requests else None
        return super()._answer(requests, answer_requests, by)

    def _older(self, time: Span) -> LogRows:
        """Return the rows of another time, to ask only for their times."""
        zone = zone_name(self._settings.records.time_zone)
        with opened(self._limits.timeout, zone) as database:
            return prepare(database, self._settings, (), zone, time=time)[1]

    def again(self, rows: RowSource) -> Runner:
        """Return what opens DuckDB over the same files for each statement."""
        return _Again(self._settings, self._limits, cast("LogRows", rows))

    def ask(self, slis: Sequence[Sli], by: Sequence[str], work: Callable[[Prepared], T]) -> T:
        """Find the files, and open DuckDB over them until the work is done."""
        try:
            zone = zone_name(self._settings.records.time_zone)
            with opened(self._limits.timeout, zone) as database:
                database.max_scan = self._limits.max_scan
                try:
                    return self._attempt(database, slis, by, work)
                except duckdb.Error as error:
                    raise database.refusal(error) from None
        except (OSError, UnicodeError) as error:
            raise unreadable(f"the logs cannot be read: {error}") from None

    def _attempt(
        self,
        database: Database,
        slis: Sequence[Sli],
        by: Sequence[str],
        work: Callable[[Prepared], T],
        numbers: NumberColumns = UNKNOWN_NUMBERS,
    ) -> T:
        """Do the work; repeat it once if columns must be read in another way."""
        zone = zone_name(self._settings.records.time_zone)
        ready, rows = prepare(
            database, self._settings, slis, zone, by, numbers=numbers, time=self._time
        )
        rows.older = self._older

        def widened(untyped: Callable[[], Iterable[str]]) -> LogRows:
            wide = wider(self._settings, ready, untyped())
            every = prepare(database, wide, slis, zone, numbers=numbers, time=self._time)[1]
            sure = every.columns.keys() - every.source.mixed
            every.columns = {name: every.columns[name] for name in sure}
            return every

        if rows.source.untyped is not None:
            rows.widened = partial(widened, rows.source.untyped)
        try:
            return work(ready)
        except LargeNumbers as large:
            numbers = settle(database, rows.source, large, numbers)
        return self._attempt(database, slis, by, work, numbers)


def time_of(requests: Sequence[Any]) -> Span:
    """Return the time of all rows that requests of one kind can need."""
    spans = [span for request in requests for span in _spans(request)]
    return Span(min(span.start for span in spans), max(span.end for span in spans))


def _spans(request: Any) -> Iterator[Span]:
    request = request.request if isinstance(request, RunRequest) else request
    slices: Slices | None = getattr(request, "slices", None)
    # The first slice may begin before the span.
    early = slices.length if slices is not None else timedelta(0)
    for span in getattr(request, "spans", None) or (request.span,):
        yield Span(span.start - early, span.end)
    if isinstance(request, CountRequest):  # which keeps what a history needs
        yield from (grid.span for grid in grids_of([request]))
