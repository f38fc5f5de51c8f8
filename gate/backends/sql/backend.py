"""The backend of every SQL engine with a table of requests."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from gate.backends.sql.answering import RowsBackend
from gate.backends.sql.engine import Dialect, Engine, Row, Runner
from gate.backends.sql.prepared import Prepared, draft_all
from gate.backends.sql.rows import RowSource
from gate.backends.sql.settings import TableSettings
from gate.backends.sql.table import Meter, TableRows
from gate.measure import Limits
from gate.slo.indicator import Sli

T = TypeVar("T")
OpenEngine = Callable[[], Engine]


class _Again:
    """Opens an engine for each statement."""

    def __init__(self, open_engine: OpenEngine, dialect: Dialect, most: int | None) -> None:
        self._open, self._most = open_engine, most
        self.dialect = dialect

    def rows(self, statement: str) -> list[Row]:
        """Run a statement; see `Meter`."""
        engine = self._open()
        try:
            return Meter(engine, self._most).rows(statement)
        finally:
            engine.close()


class SqlBackend(RowsBackend):
    """Counts rows of a table. The engine counts, with one statement for all SLOs."""

    def __init__(self, open_engine: OpenEngine, table: TableSettings, limits: Limits) -> None:
        """Prepare; no connection is opened yet.

        Args:
            open_engine: opens a connection, whose time limit begins then.
            table: the rows to count.
            limits: the limits; the amount of data is checked here, the time by the engine.
        """
        super().__init__()
        self._open, self._table = open_engine, table
        self._most = table.max_scan if limits.max_scan is None else limits.max_scan

    def again(self, rows: RowSource) -> Runner:
        """Return the runner that opens the engine for each statement."""
        return _Again(self._open, rows.dialect, self._most)

    def ask(self, slis: Sequence[Sli], by: Sequence[str], work: Callable[[Prepared], T]) -> T:
        """Open the engine for the duration of the work."""
        engine = self._open()
        try:
            drafts = draft_all(engine.parse, slis, by)
            rows = TableRows(engine, self._table, self._most)
            rows.check_together(drafts.expressions)
            return work(drafts.over(rows))
        finally:
            engine.close()
