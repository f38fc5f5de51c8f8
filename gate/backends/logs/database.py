"""A DuckDB connection in memory that reads the logs, nothing else, and stops when told to."""

import glob
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Final

import duckdb

from gate.backends.logs.bounds import Worker, bounded_memory
from gate.backends.logs.refusals import refusal, unreadable
from gate.backends.sql.engine import Row
from gate.backends.sql.rows import invalid
from gate.measure import MeasurementError
from gate.slo.quantities import format_duration

_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    # https://duckdb.org/docs/operations_manual/securing_duckdb/overview
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # no Python variable is a table
    "temp_directory": "",  # counts fit into memory; nothing is written beside the logs
    "memory_limit": "50%",  # of the machine's, or of the container's
}


_AGAIN: Final = 0.05
"""Seconds between two interrupts: one that comes before the statement has begun is lost."""


_GRACE: Final = 2.0
"""Seconds for DuckDB to obey an interrupt. It looks for one between rows, never within a value."""


class Database:
    """One run's connection. What it raises is `duckdb.Error` or `MeasurementError`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, worker: Worker, timeout: timedelta
    ) -> None:
        self._connection = connection
        self._worker = worker
        self._timeout = timeout
        self._end = monotonic() + timeout.total_seconds()
        self.columns: frozenset[str] = frozenset()
        """The names that a refusal may show."""
        self.files: tuple[str, ...] = ()
        """Likewise."""
        self.stuck = False
        """Whether a statement did not stop when told to. Nothing can be asked any more then."""

    def query(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement and return its rows.

        Raises:
            MeasurementError: the run's time is up.
        """
        if self.stuck:
            raise self._too_late()
        # In a thread of its own: in the main one DuckDB would keep Ctrl-C waiting until the end.
        rows = self._worker.submit(lambda: self._fetch(sql, parameters))
        try:
            return rows.result(max(0, self._end - monotonic()))
        except TimeoutError:
            raise self._too_late() from None
        finally:
            self._stop(rows)

    def refusal(self, error: duckdb.Error) -> MeasurementError:
        """Say why rows could not be read, in words that hold nothing of them."""
        return refusal(error, self.columns, self.files)

    def _too_late(self) -> MeasurementError:
        limit = format_duration(self._timeout)
        return unreadable(f"reading the logs took longer than {limit}")

    def _stop(self, rows: Future[list[Row]]) -> None:
        """Interrupt what is still running; what does not obey is left to itself."""
        end = monotonic() + _GRACE
        while not rows.done():
            if monotonic() > end:
                self.stuck = True
                return
            self._connection.interrupt()
            wait([rows], _AGAIN)

    def _fetch(self, sql: str, parameters: tuple[object, ...]) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def confine(self, files: Sequence[str]) -> None:
        """From now on read these files only, whatever an expression asks for."""
        self.files = tuple(files)
        # DuckDB also asks for a name that is escaped, in the hope that it means itself.
        allowed = ", ".join(map(literal, {*files, *map(glob.escape, files)}))
        self._connection.execute(f"SET allowed_paths = [{allowed}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")


@contextmanager
def opened(timeout: timedelta, zone: str | None) -> Iterator[Database]:
    """Open a database whose time zone is ``zone`` (an IANA name; None: UTC) for a while.

    It may use half of the memory that there is.
    """
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        connection.execute(f"SET TimeZone = {literal(zone or 'UTC')}")
    except duckdb.Error:
        connection.close()
        raise invalid(f"DuckDB does not know the time zone {zone}") from None
    ((limit,),) = connection.execute("SELECT current_setting('memory_limit')").fetchall()
    with Worker() as worker, bounded_memory(limit):
        database = Database(connection, worker, timeout)
        try:
            yield database
        finally:
            if not database.stuck:  # closing would wait for the statement
                connection.close()


def literal(text: str) -> str:
    """Write a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write a column's name so that SQL takes it as it is."""
    return '"' + name.replace('"', '""') + '"'


def file_list(files: Sequence[str]) -> str:
    """Write files for DuckDB, which would take a bracket in a name for a pattern."""
    return f"[{', '.join(literal(glob.escape(file)) for file in files)}]"
