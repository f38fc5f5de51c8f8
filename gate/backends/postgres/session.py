"""One connection to a PostgreSQL server: one read-only transaction within a time limit.

It uses psycopg2 instead of psycopg 3: it takes 30 ms to import, and psycopg 3 180 ms. It is
imported only when a session is opened.
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
"""The number of a type in the catalog, and for a numeric its scale."""
OLDEST: Final = 12
"""The oldest supported version: since then a double is written so that the same number is read back
(``extra_float_digits``)."""
_GRACE: Final = 2.0
"""Seconds for the server to obey a cancellation."""
_AGAIN: Final = 0.2
"""The seconds between two cancellations: one that comes before the start of the statement is
lost."""
_LONGEST: Final = (1 << 31) - 1
"""The largest timeout of PostgreSQL in milliseconds."""
_SHORTEST_CONNECT: Final = 2
"""The smallest ``connect_timeout`` of libpq in seconds."""
_PINNED: Final = {
    # Settings that decide which rows are read, and how a statement is read.
    "TimeZone": "UTC",
    "row_security": "off",  # an error if a policy would hide rows
    "standard_conforming_strings": "on",  # a backslash is an ordinary character
    "transform_null_equals": "off",
}
_SERVERS_OWN: Final = {
    # These, too, decide on rows: only a superuser may set them, and damaged pages are then missing
    # from a count, or are counted as they are.
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
"""Settings that decide how values are written as text."""
_PATH: Final = (
    "concat_ws(', ', 'pg_catalog', NULLIF(current_setting('search_path'), ''), 'pg_temp')"
)
"""PostgreSQL's own functions first, then the user's search path, and no temporary table in place of
another."""


class PostgresSession:
    """A connection that is opened with the first statement. It raises `MeasurementError`.

    All work is done in a separate thread: in the main thread, psycopg2 would delay Ctrl-C.
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
        """Prepare; nothing is connected yet.

        Args:
            url: the address, with the database.
            keywords: the parameters of libpq, which override the address.
            shown: the server in messages.
            secrets: texts to redact in the server's words.
            timeout: the time limit of everything in this session.
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
        """Return the description of each column of a SELECT, without reading any row."""
        return self._do(f"{statement} LIMIT 0")[1]

    def close(self) -> None:
        """End the connection, and its running statements. Never raises."""
        self._closed = True
        if (connection := self._connection) is not None:
            # A connection in use can only be closed when its statement has ended.
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
        """Let the server cancel the running statement; a statement that goes on is abandoned."""
        end = monotonic() + _GRACE
        while not answer.done():
            if self._connection is None or monotonic() > end:
                self._closed = True
                return
            # It opens a connection of its own, which may take long.
            start(self._connection.cancel)
            wait([answer], _AGAIN)

    # Runs in the separate thread.

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
        """Begin the single transaction, with the settings that a count needs.

        They are set within it instead of when the connection is made, since a pooler such as
        PgBouncer refuses settings there; and they are read back.
        """
        version = connection.server_version // 10_000
        if version < OLDEST:
            reason = f"the server has version {version}, and {OLDEST} or later is needed"
            raise failed(reason, "old-database")
        connection.autocommit = True  # this begins the transaction
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
        # Within a savepoint, a replica ends the connection, not the statement, that keeps it from
        # replaying changes (ProcessInterrupts in postgres.c).
        self._savepoint = "" if rows[0][-2] else "SAVEPOINT gate; "
        if not self._closed:  # otherwise the answer is no longer needed
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
