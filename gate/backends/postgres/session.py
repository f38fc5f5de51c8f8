"""One connection with a PostgreSQL server: one transaction, which only reads, within a time limit.

psycopg2 and not psycopg 3: it takes 30 ms to import, and psycopg 3 180 ms. It is imported when a
session is opened only.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from contextlib import suppress
from datetime import timedelta
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

import psycopg2
import psycopg2.extensions

from gate.backends.postgres.dialect import NUMERIC, fetched_scale, read_numeric
from gate.backends.postgres.refusals import failed, not_connected, refusal
from gate.backends.sql.engine import Row
from gate.backends.waits import start
from gate.measure import MeasurementError
from gate.redaction import Redactor, redactable
from gate.slo.quantities import format_duration

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

_Value = TypeVar("_Value")
Described = tuple[int, int | None]
"""The number of a type in the catalog, and of a numeric its digits behind the point."""
OLDEST: Final = 12
"""The oldest version that is supported: since then a double is written so that it is read back as
the same (``extra_float_digits``)."""
_GRACE: Final = 2.0
"""Seconds for the server to obey a cancellation."""
_AGAIN: Final = 0.2
"""Seconds between two of them: one that comes before the statement has begun is lost."""
_LONGEST: Final = (1 << 31) - 1
"""Milliseconds; PostgreSQL takes no more for a timeout."""
_SHORTEST_CONNECT: Final = 2
"""Seconds; libpq takes no fewer for ``connect_timeout``."""
_PINNED: Final = {
    # What decides which rows are read, and how a statement is read.
    "TimeZone": "UTC",
    "row_security": "off",  # an error where a policy would hide rows
    "standard_conforming_strings": "on",  # a backslash is a character like any other
    "transform_null_equals": "off",
}
_SERVERS_OWN: Final = {
    # Likewise; only a superuser may set these, and damaged pages are then missing from a count, or
    # are counted as they are.
    "zero_damaged_pages": "off",
    "ignore_checksum_failure": "off",
    "transaction_read_only": "on",
}
_WRITTEN: Final = {
    "DateStyle": "ISO, YMD",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
}
"""How values are written as text."""
_PATH: Final = (
    "concat_ws(', ', 'pg_catalog', NULLIF(current_setting('search_path'), ''), 'pg_temp')"
)
"""PostgreSQL's own functions first, what the user searches after them, and no temporary table in
the place of another."""


class PostgresSession:
    """A connection that is opened with the first statement. What it raises is `MeasurementError`.

    Everything is done in a thread beside: in the main one psycopg2 would keep Ctrl-C waiting.
    """

    def __init__(
        self,
        url: str,
        keywords: Mapping[str, str],
        *,
        shown: str,
        secrets: Sequence[str],
        timeout: timedelta,
    ) -> None:
        """Connect to nothing yet.

        Args:
            url: the address, with the database.
            keywords: libpq's, which go before what the address says.
            shown: how messages name the server.
            secrets: what is blotted out of the server's words.
            timeout: for everything that this session does.
        """
        self._url = url
        self._keywords = keywords
        self._shown = shown
        self._redact = Redactor(redactable(secrets))
        self._timeout = timeout
        self._end = monotonic() + timeout.total_seconds()
        self._connection: Connection | None = None
        self._closed = False
        self._savepoint = ""

    def query(self, statement: str) -> list[Row]:
        """Run a statement and return its rows; after a refusal the session can be used again."""
        return self._do(statement)[0]

    def describe(self, statement: str) -> Sequence[Described]:
        """Return what each column of a SELECT is, without reading any row."""
        return self._do(f"{statement} LIMIT 0")[1]

    def close(self) -> None:
        """End the connection, and what still runs on it. Never raises."""
        self._closed = True
        if (connection := self._connection) is not None:
            # A connection in use lets itself be closed only when its statement has ended.
            wait([start(lambda: _end(connection))], _GRACE)

    def _do(self, statement: str) -> tuple[list[Row], Sequence[Described]]:
        left = self._end - monotonic()
        if self._closed or left <= 0:
            raise self._too_late()
        answer = start(lambda: self._answer(statement))
        try:
            return answer.result(left)
        except TimeoutError:
            raise self._too_late() from None
        finally:
            self._stop(answer)

    def _too_late(self) -> MeasurementError:
        limit = format_duration(self._timeout)
        if self._connection is None:
            return failed(f"no connection to {self._shown} within {limit}", "no-connection")
        return failed(f"the statement took longer than {limit}", "slow-statement")

    def _stop(self, answer: Future[Any]) -> None:
        """Have the server cancel what is still running; what does not obey is left to itself."""
        end = monotonic() + _GRACE
        while not answer.done():
            if self._connection is None or monotonic() > end:
                self._closed = True
                return
            # It makes a connection of its own, which may take long.
            start(self._connection.cancel)
            wait([answer], _AGAIN)

    # In the thread beside.

    def _answer(self, statement: str) -> tuple[list[Row], Sequence[Described]]:
        connection = self._connection or self._connect()
        try:
            return _run(connection, f"{self._savepoint}{statement}")
        except psycopg2.Error as error:
            said = self._refusal(error)
            with suppress(psycopg2.Error):  # the connection may be lost, or closed meanwhile
                if self._savepoint:
                    _run(connection, "ROLLBACK TO SAVEPOINT gate")
                else:
                    _run(connection, "ROLLBACK")
                    self._begin(connection)
            raise said from None

    def _refusal(self, error: psycopg2.Error) -> MeasurementError:
        return refusal(error.pgcode, self._redact(error.diag.message_primary or ""))

    def _connect(self) -> "Connection":
        seconds = max(_SHORTEST_CONNECT, round(self._timeout.total_seconds()))
        keywords: dict[str, Any] = {"connect_timeout": seconds, **self._keywords}
        try:
            connection: Connection = psycopg2.connect(self._url, **keywords)
        except psycopg2.Error as error:
            lines = map(self._redact, str(error).splitlines())
            raise not_connected("\n".join(lines), self._shown) from None
        try:
            self._begin(connection)
        except psycopg2.Error as error:
            raise self._refusal(error) from None
        finally:
            if self._connection is None:
                connection.close()
        return connection

    def _begin(self, connection: "Connection") -> None:
        """Begin the one transaction, with the settings that a count needs.

        They are set within it, and not when the connection is made, since a pooler such as
        PgBouncer refuses settings there; and they are read back.
        """
        version = connection.server_version // 10_000
        if version < OLDEST:
            reason = f"the server has version {version}, and {OLDEST} or later is needed"
            raise failed(reason, "old-database")
        connection.autocommit = True  # the transaction is begun here
        numeric = psycopg2.extensions.new_type((NUMERIC,), "NUMERIC", read_numeric)
        psycopg2.extensions.register_type(numeric, connection)
        limit = min(max(2, self._timeout // timedelta(milliseconds=1)), _LONGEST)
        texts = {
            **_PINNED,
            **_WRITTEN,
            "statement_timeout": str(limit),
            "idle_in_transaction_session_timeout": str(limit),
            "lock_timeout": str(limit // 2),
        }
        chosen = [f"set_config('{name}', '{text}', true)" for name, text in texts.items()]
        own = [f"current_setting('{name}', true)" for name in _SERVERS_OWN]
        path = f"set_config('search_path', {_PATH}, true)"
        # REPEATABLE READ: all statements see the rows of the same moment.
        begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        recovering = "pg_is_in_recovery()"
        columns = ", ".join((*chosen, *own, recovering, path))
        rows, _ = _run(connection, f"{begin}; SELECT {columns}")
        for name, value in zip((*texts, *_SERVERS_OWN), rows[0], strict=False):
            needed = (_PINNED | _SERVERS_OWN).get(name)
            if needed is not None and value not in {needed, None}:
                reason = f"the server has {name} = {value}, and a count needs {needed}"
                raise failed(reason, "pinned-setting")
        # A replica ends the connection, and not the statement, that keeps it from replaying changes
        # within a savepoint (ProcessInterrupts in postgres.c).
        self._savepoint = "" if rows[0][-2] else "SAVEPOINT gate; "
        if not self._closed:  # else nobody waits for the answer any more
            self._connection = connection


def _run(connection: "Connection", statement: str) -> tuple[list[Row], Sequence[Described]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        if cursor.description is None:
            return [], ()
        described = [(each.type_code, fetched_scale(each.scale)) for each in cursor.description]
        return cursor.fetchall(), described


def _end(connection: "Connection") -> None:
    if connection.info.transaction_status == psycopg2.extensions.TRANSACTION_STATUS_ACTIVE:
        connection.cancel()
    connection.close()
