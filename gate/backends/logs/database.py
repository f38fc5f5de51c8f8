"""A DuckDB connection in memory that reads the logs, nothing else, and stops when told to."""

import glob
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic
from typing import Any, Final

import duckdb

from gate.measure import Cause, MeasurementError
from gate.slo.quantities import format_duration

Row = tuple[Any, ...]


_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    # https://duckdb.org/docs/operations_manual/securing_duckdb/overview
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # no Python variable is a table
    "temp_directory": "",  # counts fit into memory; nothing is written beside the logs
}


_AGAIN: Final = 0.05
"""Seconds between two interrupts: one that comes before the statement has begun is lost."""


class Database:
    """One run's connection. What it raises is `duckdb.Error` or `MeasurementError`."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, worker: Executor, timeout: timedelta
    ) -> None:
        self._connection = connection
        self._worker = worker
        self._timeout = timeout
        self._end = monotonic() + timeout.total_seconds()

    def query(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement and return its rows.

        Raises:
            MeasurementError: the run's time is up.
        """
        # In a thread of its own: in the main one DuckDB would keep Ctrl-C waiting until the end.
        rows = self._worker.submit(self._fetch, sql, parameters)
        try:
            return rows.result(max(0, self._end - monotonic()))
        except TimeoutError:
            limit = format_duration(self._timeout)
            raise unreadable(f"reading the logs took longer than {limit}") from None
        finally:
            while not rows.done():
                self._connection.interrupt()
                wait([rows], _AGAIN)

    def _fetch(self, sql: str, parameters: tuple[object, ...]) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def confine(self, files: Sequence[str]) -> None:
        """From now on read these files only, whatever an expression asks for."""
        # DuckDB also asks for a name that is escaped, in the hope that it means itself.
        allowed = ", ".join(map(literal, {*files, *map(glob.escape, files)}))
        self._connection.execute(f"SET allowed_paths = [{allowed}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")


@contextmanager
def opened(timeout: timedelta, zone: str | None) -> Iterator[Database]:
    """Open a database whose time zone is ``zone`` (an IANA name; None: UTC) for a while."""
    with duckdb.connect(":memory:", config=_SETTINGS) as connection:
        try:
            connection.execute(f"SET TimeZone = {literal(zone or 'UTC')}")
        except duckdb.Error:
            raise invalid(f"DuckDB does not know the time zone {zone}") from None
        with ThreadPoolExecutor(max_workers=1) as worker:
            yield Database(connection, worker, timeout)


def literal(text: str) -> str:
    """Write a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write a column's name so that SQL takes it as it is."""
    return '"' + name.replace('"', '""') + '"'


def file_list(files: Sequence[str]) -> str:
    """Write files for DuckDB, which would take a bracket in a name for a pattern."""
    return f"[{', '.join(literal(glob.escape(file)) for file in files)}]"


_MISFITS = (duckdb.BinderException, duckdb.ConversionException, duckdb.OutOfRangeException)


_PREFIX = re.compile(r"^[A-Z][A-Za-z ]* Error: ")


def invalid(reason: str) -> MeasurementError:
    """Return a refusal for what the policy or the rows' content gets wrong."""
    return MeasurementError(Cause.INVALID, reason)


def unreadable(reason: str) -> MeasurementError:
    """Return a refusal for files that cannot be read."""
    return MeasurementError(Cause.BACKEND_ERROR, reason)


def from_duckdb(error: duckdb.Error) -> MeasurementError:
    """Tell values that do not fit (the policy's or the log's fault) from files that do not read."""
    text = str(error)
    if isinstance(error, _MISFITS) or "JSON transform error" in text:
        return invalid(sentence(text))
    return unreadable(f"the logs cannot be read: {sentence(text)}")


def sentence(text: str) -> str:
    """Return what DuckDB has to say, without its advice, some of which is to ignore errors."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = _PREFIX.sub("", lines[0]).rstrip(".:! ")
    for line in lines[1:]:
        if line.startswith(("Error when converting", "Expected Number", "file = ")):
            said += f"; {line.rstrip('.')}"
    return said
