"""A DuckDB connection in memory that loads nothing from the network and stops when told to."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final

import duckdb

from gate.backends.logs.refusal import invalid, unreadable
from gate.slo.duration import format_duration

Row = tuple[Any, ...]

_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    # https://duckdb.org/docs/operations_manual/securing_duckdb/overview
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # no Python variable is a table
}
_AGAIN: Final = 0.05
"""Seconds between two interrupts: one that falls between two statements is lost."""


class Database:
    """One run's connection. What it raises is `duckdb.Error` or `Refusal`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, timeout: timedelta) -> None:
        self._connection = connection
        self._timeout = timeout
        self.expired = False

    def query(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement and return its rows.

        Raises:
            Refusal: the run's time is up.
        """
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except (duckdb.InterruptException, RuntimeError) as error:
            if self.expired:
                limit = format_duration(self._timeout)
                raise unreadable(f"reading the logs took longer than {limit}") from error
            if isinstance(error, duckdb.Error):
                raise
            raise KeyboardInterrupt from error  # DuckDB turns Ctrl-C into a RuntimeError

    def watch(self, done: threading.Event) -> None:
        """Interrupt whatever runs once the time is up, until ``done``."""
        if done.wait(self._timeout.total_seconds()):
            return
        self.expired = True
        while not done.wait(_AGAIN):
            self._connection.interrupt()


@contextmanager
def opened(timeout: timedelta, zone: str | None) -> Iterator[Database]:
    """Open a database whose time zone is ``zone`` (an IANA name; None: UTC) for a while."""
    with duckdb.connect(":memory:", config=_SETTINGS) as connection:
        database, done = Database(connection, timeout), threading.Event()
        watcher = threading.Thread(target=database.watch, args=(done,), daemon=True)
        watcher.start()
        try:
            _settle(connection, zone or "UTC")
            yield database
        finally:
            done.set()
            watcher.join()


def _settle(connection: duckdb.DuckDBPyConnection, zone: str) -> None:
    try:
        connection.execute(f"SET TimeZone = {literal(zone)}")
    except duckdb.Error:
        raise invalid(f"DuckDB does not know the time zone {zone}") from None
    connection.execute("SET lock_configuration = true")


def literal(text: str) -> str:
    """Write a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Write a column's name so that SQL takes it as it is."""
    return '"' + name.replace('"', '""') + '"'
