"""A DuckDB connection in memory that reads only the logs, and can be stopped."""

import glob
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, Final, TypeVar, cast

import duckdb

from gate.backends.logs.bounds import Worker, bounded_memory
from gate.backends.logs.refusals import refusal, unreadable
from gate.backends.sql.engine import Row
from gate.backends.sql.rows import invalid
from gate.measure import MeasurementError
from gate.slo.quantities import format_duration

if TYPE_CHECKING:  # for logs in a store of objects
    from gate.backends.logs.objects import ObjectFiles

Returned = TypeVar("Returned")
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    # https://duckdb.org/docs/operations_manual/securing_duckdb/overview
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",  # Python variables are not tables
    "temp_directory": "",  # counts fit into memory; the logs' folder stays unchanged
    "memory_limit": "50%",  # of the machine, or of the container
}
_AGAIN: Final = 0.05
"""Seconds between two interrupts: an interrupt before the statement has begun is lost."""
_AT_ONCE: Final = 16
"""The most objects that are examined at once."""
_GRACE: Final = 2.0
"""Seconds for DuckDB to obey an interrupt. It checks for one between rows, never within a value."""


class Database:
    """The connection of one run. It raises `duckdb.Error` or `MeasurementError`."""

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
        """The files that a refusal may show."""
        self.max_scan: int | None = None
        """The most bytes that the objects of a store may have together; None: no limit."""
        self.objects: ObjectFiles | None = None
        """The objects, if the files are in a store."""
        self.stuck = False
        """Whether a statement did not stop when asked to. No other statement can run any more."""

    def query(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement and return its rows.

        Raises:
            MeasurementError: the run's time is up.
        """
        # In a separate thread: in the main thread DuckDB would delay Ctrl-C until the end.
        return self.run(lambda: self._fetch(sql, parameters))

    def run(self, task: Callable[[], Returned]) -> Returned:
        """Run a function that reads logs, within the run's time.

        Raises:
            MeasurementError: the run's time is up, or an object of a store cannot be read.
        """
        if self.stuck:
            raise self._too_late()
        result = self._worker.submit(task)
        try:
            return result.result(max(0, self._end - monotonic()))
        except TimeoutError:
            raise self._too_late() from None
        finally:
            self._stop(result)
            # DuckDB may take a failed read for the end of a file, or skip a line.
            if self.objects is not None and self.objects.failure is not None:
                raise self.objects.failure

    @property
    def left(self) -> timedelta:
        """The rest of the run's time."""
        return timedelta(seconds=max(0, self._end - monotonic()))

    def open(self, file: str) -> BinaryIO:
        """Open a file to examine some of its bytes.

        Raises:
            OSError: it cannot be read.
        """
        if self.objects is None:
            return Path(file).open("rb")
        return cast("BinaryIO", self.objects.open(file, ahead=1 << 16))

    def looks(self, files: Sequence[str], look: Callable[[str], Returned]) -> list[Returned]:
        """Return the result of examining each file; many objects at once, as a store is slow.

        Args:
            files: their names.
            look: examines a file; it may query this database only about packed files (``.zst``).
        """
        if self.objects is None or any(file.endswith(".zst") for file in files):
            return [look(file) for file in files]

        def look_at_all() -> list[Returned]:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                return list(pool.map(look, files))

        return self.run(look_at_all)

    def size(self, file: str) -> int:
        """Return the size of a file in bytes.

        Raises:
            OSError: it cannot be read.
        """
        return Path(file).stat().st_size if self.objects is None else self.objects.size(file)

    def refusal(self, error: duckdb.Error) -> MeasurementError:
        """Return why rows could not be read, without any of their values."""
        return refusal(error, self.columns, self.files)

    def _too_late(self) -> MeasurementError:
        limit = format_duration(self._timeout)
        return unreadable(f"reading the logs took longer than {limit}")

    def _stop(self, rows: Future[Returned]) -> None:
        """Interrupt the running statement; a statement that does not obey is abandoned."""
        end = monotonic() + _GRACE
        while not rows.done():
            if monotonic() > end:
                self.stuck = True
                return
            self._connection.interrupt()
            wait([rows], _AGAIN)

    def _fetch(self, sql: str, parameters: tuple[object, ...]) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def add(self, other: "Database") -> None:
        """Add the results of another database."""
        self.files = tuple(dict.fromkeys((*self.files, *other.files)))
        if self.objects is not None and other.objects is not None:
            self.objects.listed |= other.objects.listed

    def confine(self, files: Sequence[str]) -> None:
        """Restrict the connection to these files from now on, whatever an expression requests."""
        self.files = tuple(files)
        if self.objects is None:
            # DuckDB also requests the escaped form of a name.
            allowed = ", ".join(map(literal, {*files, *map(glob.escape, files)}))
            self._connection.execute(f"SET allowed_paths = [{allowed}]")
        else:  # which has only the listed objects
            self._connection.register_filesystem(self.objects)
            root = literal(self.objects.root)
            self._connection.execute(f"SET allowed_directories = [{root}]")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")


@contextmanager
def opened(timeout: timedelta, zone: str | None) -> Iterator[Database]:
    """Open a database with the time zone ``zone`` (an IANA name; None: UTC) for a while.

    It may use half of the available memory.
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


@contextmanager
def without_rows(timeout: timedelta) -> Iterator[Database]:
    """Open a database that reads no logs, to parse conditions.

    The process keeps the connection: opening one takes 10 ms, and a policy has many conditions.
    """
    with Worker() as worker:
        yield Database(_kept_connection(), worker, timeout)


@cache
def _kept_connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config=_SETTINGS)


def literal(text: str) -> str:
    """Write a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """Quote a column's name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def file_list(files: Sequence[str]) -> str:
    """Write files for DuckDB, with brackets escaped, which it would read as a pattern."""
    return f"[{', '.join(literal(glob.escape(file)) for file in files)}]"
