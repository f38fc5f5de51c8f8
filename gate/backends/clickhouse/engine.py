"""ClickHouse as an engine: complete answers over HTTP, with settings that prevent cut answers."""

# ruff: noqa: S608 - names are quoted, the policy's expressions are checked first

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Final

from gate.backends.clickhouse.catalog import TableEngine, TableName, scan_bytes, table_name
from gate.backends.clickhouse.client import ClickHouseClient, answer_of
from gate.backends.clickhouse.dialect import ClickHouseDialect
from gate.backends.clickhouse.refusals import ClickHouseFailure
from gate.backends.clickhouse.replies import ClickHouseReply
from gate.backends.clickhouse.session import ClickHouseSession, check_version, question, session_of
from gate.backends.clickhouse.settings import ClickHouseSettings
from gate.backends.sql.conditions import Conditions
from gate.backends.sql.constants import SqlExpression
from gate.backends.sql.engine import Dialect, Row, ScanSize, SqlColumn
from gate.http import Clock
from gate.measure import Cause, Limits, MeasurementError
from gate.measure.remedies import hint_for

if TYPE_CHECKING:
    from gate.measure.diagnosis import CheckResult

_HEAD_START: Final = 1.0
"""The server must give up this many seconds before the client, so that its own message arrives."""
_UNKNOWN_NAMES: Final = frozenset({46, 47})
"""The error codes of a version whose ``system.settings`` lacks columns."""
_NO_RIGHT: Final = 497
_EPHEMERAL: Final = "EPHEMERAL"
"""The kind of a column that exists only while rows are written."""


class ClickHouseEngine:
    """One run's connection to a ClickHouse server. Reads only."""

    name = "ClickHouse"

    def __init__(
        self, settings: ClickHouseSettings, limits: Limits, clock: Clock | None = None
    ) -> None:
        """Prepare; nothing is sent yet. The run's time begins now.

        Raises:
            UsageError: the url is not valid, or sqlglot is not installed.
        """
        self._sql: Final = ClickHouseDialect()
        self.dialect: Dialect = self._sql
        self.clock: Final = clock or Clock()
        self._conditions = Conditions(self.dialect.name)
        self._client = ClickHouseClient(settings, self.clock)
        self._database, self._table = settings.database, settings.table.table
        own = settings.table.max_scan
        self._max_scan = own if limits.max_scan is None else limits.max_scan
        self._until = self.clock.monotonic() + limits.timeout.total_seconds()
        self._behind = False
        self._read: int | None = None
        self.opened: datetime | None = None
        """This machine's time when the server reported its own; None: not yet."""

    @cached_property
    def session(self) -> ClickHouseSession:
        """The server's description of itself and of the user; requested once.

        Raises:
            MeasurementError: the server does not answer, or is too old.
        """
        first = question(self._name(self._table))
        outcome = self._client.query(first, {}, until=self._until)
        self.opened = self.clock.now()
        if isinstance(outcome, ClickHouseFailure) and outcome.code in _UNKNOWN_NAMES:
            version = self._client.query("SELECT version()", {}, until=self._until)
            check_version(self._single_row(version)[0])
        return session_of(self._single_row(outcome))

    def relation(self, table: str) -> str:
        """Return the table; if it has older versions of rows, only the newest are read."""
        name, engine = self._name(table), self.table_engine(table)
        if engine is not None and engine.merged and not self.session.may_set("final"):
            # Computed columns are missing in a sub-select, so they are left out.
            return f"(SELECT * FROM {name.sql} FINAL)"
        # Otherwise the setting ``final`` has this effect, also behind views and on other servers.
        plain = engine is not None and (engine.plain or engine.merged)
        self._behind = self._behind or not plain
        return name.sql

    def table_engine(self, table: str) -> TableEngine | None:
        """Return the engine of a table; None: the user sees no table of this name."""
        if table == self._table:
            name = self.session.engine
        else:
            name = "".join(row[0] for row in self.rows(self._name(table).engine_question))
        return TableEngine(name=name) if name else None

    def columns(self, table: str) -> Mapping[str, SqlColumn]:
        """Return the columns that this user may read."""
        if table == self._table and self.session.columns:
            return self._readable(self.session.columns)
        name = self._name(table)
        outcome = self._ask(f"DESCRIBE TABLE {name.sql}")
        if isinstance(outcome, ClickHouseFailure) and outcome.code == _NO_RIGHT:
            # With a right to some columns only, a table cannot be described.
            rows = self.rows(name.columns_question) or answer_of(outcome).rows
        else:
            rows = answer_of(outcome).rows
        return self._readable(rows)

    def types(self, relation: str, expressions: Sequence[str]) -> list[SqlColumn | str]:
        """Return the types of expressions; a comparison has UInt8, like small integers."""
        outcome = self._described(relation, expressions)
        if isinstance(outcome, list):
            return [*outcome]
        return [self._alone(relation, expression) for expression in expressions]

    def size(self, statement: str) -> ScanSize | None:
        """Estimate from the parts of local tables; None for views and tables of other servers."""
        if self._behind:
            return None
        estimates = self.rows(f"EXPLAIN ESTIMATE {statement}")
        return ScanSize(bytes=scan_bytes(statement, estimates, self.rows), exact=False)

    def rows(self, statement: str) -> list[Row]:
        """Run a statement under settings that prevent incomplete answers."""
        return answer_of(self._ask(statement)).rows

    def parse(self, role: str, text: str) -> SqlExpression:
        """Parse an expression of the policy in ClickHouse's dialect."""
        return self._conditions.parse(role, text)

    def examine(self, table: str) -> "tuple[CheckResult, ...]":
        """Return the results for the server, the table's engine and the user."""
        from gate.backends.clickhouse.examination import (  # noqa: PLC0415 - for one command only
            examine,
        )

        session, engine = self.session, self.table_engine(table)
        opened = self.opened or self.clock.now()
        return examine(table, self._name(table), engine, session, now=opened, ask=self.rows)

    def scanned(self) -> int | None:
        """Return the bytes of columns that the server reports as read, for all statements."""
        return self._read

    def close(self) -> None:
        """Stop running statements, and close the connection."""
        self._client.close()

    def _single_row(self, outcome: ClickHouseReply | ClickHouseFailure) -> Row:
        """Return the row of a single-row answer, unless a profile cuts it."""
        rows = answer_of(outcome).rows
        if len(rows) != 1:
            raise MeasurementError(
                Cause.PARTIAL,
                f"{self._client.shown}: {len(rows)} rows came back where 1 must be: the profile of"
                f" this user cuts answers{hint_for('clickhouse-filters')}",
            )
        return rows[0]

    def _readable(self, rows: Sequence[Sequence[str]]) -> Mapping[str, SqlColumn]:
        """Return the readable columns of a list of names, types and kinds of default."""
        return {name: self._sql.column(kind) for name, kind, way, *_ in rows if way != _EPHEMERAL}

    def _name(self, table: str) -> TableName:
        return table_name(table, self._database)

    def _ask(self, statement: str) -> ClickHouseReply | ClickHouseFailure:
        session, left = self.session, self._until - self.clock.monotonic()
        parameters = session.parameters(
            seconds=left - _HEAD_START, max_bytes=self._max_scan, behind=self._behind
        )
        outcome = self._client.query(statement, parameters, until=self._until)
        if isinstance(outcome, ClickHouseReply):
            session.check(outcome, statement)
            self._read = (self._read or 0) + outcome.read if outcome.read else self._read
        return outcome

    def _described(
        self, relation: str, expressions: Sequence[str]
    ) -> list[SqlColumn] | ClickHouseFailure:
        """Return the types, or why one of the expressions is not valid.

        Raises:
            MeasurementError: another failure.
        """
        chosen = ", ".join(f"({text}\n) AS c{place}" for place, text in enumerate(expressions))
        outcome = self._ask(f"DESCRIBE TABLE (SELECT {chosen} FROM {relation})")
        if isinstance(outcome, ClickHouseFailure) and outcome.cause is Cause.INVALID:
            return outcome
        return [self._sql.column(row[1]) for row in answer_of(outcome).rows]

    def _alone(self, relation: str, expression: str) -> SqlColumn | str:
        outcome = self._described(relation, [expression])
        if isinstance(outcome, list):
            return outcome[0]
        return outcome.reason.removeprefix(f"{self._client.shown}: ")
