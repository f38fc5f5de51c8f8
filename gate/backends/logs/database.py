"""A DuckDB connection in memory that reads the logs, nothing else, and stops when told to."""

import glob
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import timedelta
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

if TYPE_CHECKING:  # where logs are in a store of objects
    from gate.backends.logs.objects import ObjectFiles

Returned = TypeVar("Returned")
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


_AT_ONCE: Final = 16
"""Objects that are looked at."""
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
        self.max_scan: int | None = None
        """Bytes that the objects of a store may have together; None: any number."""
        self.objects: ObjectFiles | None = None
        """Where the files are objects of a store."""
        self.stuck = False
        """Whether a statement did not stop when told to. Nothing can be asked any more then."""

    def query(self, sql: str, *parameters: object) -> list[Row]:
        """Run one statement and return its rows.

        Raises:
            MeasurementError: the run's time is up.
        """
        # In a thread of its own: in the main one DuckDB would keep Ctrl-C waiting until the end.
        return self.run(lambda: self._fetch(sql, parameters))

    def run(self, task: Callable[[], Returned]) -> Returned:
        """Run what reads logs, within the run's time.

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
            # DuckDB may take a read that fails for the end of a file, or leave a line out.
            if self.objects is not None and self.objects.failure is not None:
                raise self.objects.failure

    @property
    def left(self) -> timedelta:
        """How much of the run's time is left."""
        return timedelta(seconds=max(0, self._end - monotonic()))

    def open(self, file: str) -> BinaryIO:
        """Open a file for a look at some of its bytes.

        Raises:
            OSError: it cannot be read.
        """
        if self.objects is None:
            return Path(file).open("rb")
        return cast("BinaryIO", self.objects.open(file, ahead=1 << 16))

    def looks(self, files: Sequence[str], look: Callable[[str], Returned]) -> list[Returned]:
        """Return what a look at each file shows; at objects many at once, as a store is slow.

        Args:
            files: their names.
            look: at one; may ask this database only about packed files (``.zst``).
        """
        if self.objects is None or any(file.endswith(".zst") for file in files):
            return [look(file) for file in files]

        def look_at_all() -> list[Returned]:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                return list(pool.map(look, files))

        return self.run(look_at_all)

    def size(self, file: str) -> int:
        """Return the bytes of a file.

        Raises:
            OSError: it cannot be read.
        """
        return Path(file).stat().st_size if self.objects is None else self.objects.size(file)

    def refusal(self, error: duckdb.Error) -> MeasurementError:
        """Say why rows could not be read, in words that hold nothing of them."""
        return refusal(error, self.columns, self.files)

    def _too_late(self) -> MeasurementError:
        limit = format_duration(self._timeout)
        return unreadable(f"reading the logs took longer than {limit}")

    def _stop(self, rows: Future[Returned]) -> None:
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

    def add(self, other: "Database") -> None:
        """Read what another database has found, too."""
        self.files = tuple(dict.fromkeys((*self.files, *other.files)))
        if self.objects is not None and other.objects is not None:
            self.objects.listed |= other.objects.listed

    def confine(self, files: Sequence[str]) -> None:
        """From now on read these files only, whatever an expression asks for."""
        self.files = tuple(files)
        if self.objects is None:
            # DuckDB also asks for a name that is escaped, in the hope that it means itself.
            allowed = ", ".join(map(literal, {*files, *map(glob.escape, files)}))
            self._connection.execute(f"SET allowed_paths = [{allowed}]")
        else:  # which has the listed objects only
            self._connection.register_filesystem(self.objects)
            root = literal(self.objects.root)
            self._connection.execute(f"SET allowed_directories = [{root}]")
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
