"""A table in DuckDB behind the contract of an SQL engine, without what `logs` has of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import duckdb

from gate.backends.logs.dialect import DuckDialect
from gate.backends.sql.backend import SqlBackend
from gate.backends.sql.conditions import Conditions
from gate.backends.sql.constants import SqlExpression
from gate.backends.sql.engine import Dialect, Row, ScanSize, SqlColumn
from gate.backends.sql.settings import TableSettings
from gate.measure import Cause, Limits, MeasurementError
from gate.measure.diagnosis import Check, CheckResult

AT: Final = datetime(2026, 10, 31, 12, tzinfo=UTC)
BERLIN: Final = ZoneInfo("Europe/Berlin")
MINUTE: Final = timedelta(seconds=60)


class PlainDialect(DuckDialect):
    """DuckDB's SQL, with what the contract has for engines that do not override it."""

    float_sum = Dialect.float_sum
    count = Dialect.count
    highest = Dialect.highest
    distinct = Dialect.distinct


@dataclass
class Table:
    """Rows in memory, and what was asked of them."""

    connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    statements: list[str] = field(default_factory=list)
    size: ScanSize | None = None
    read: int | None = None
    opened: int = 0
    closed: int = 0

    @property
    def scans(self) -> list[str]:
        """The statements that read rows."""
        return [sql for sql in self.statements if "_at" in sql]


class DuckTable:
    """One run's connection to such a table."""

    name = "Duck"
    dialect = PlainDialect()

    def __init__(self, table: Table) -> None:
        self._table = table
        table.opened += 1

    def relation(self, table: str) -> str:
        return self.dialect.identifier(table)

    def columns(self, table: str) -> Mapping[str, SqlColumn]:
        rows = self._run(f"DESCRIBE {self.dialect.identifier(table)}")
        return {name: self.dialect.column(kind) for name, kind, *_ in rows}

    def types(self, relation: str, expressions: Sequence[str]) -> list[SqlColumn | str]:
        return [self._type(relation, expression) for expression in expressions]

    def _type(self, relation: str, expression: str) -> SqlColumn | str:
        try:
            rows = self._run(f"DESCRIBE SELECT {expression} FROM {relation}")
        except MeasurementError as error:
            return error.reason
        return self.dialect.column(rows[0][1])

    def size(self, _: str) -> ScanSize | None:
        return self._table.size

    def rows(self, statement: str) -> list[Row]:
        self._table.statements.append(statement)
        return self._run(statement)

    def _run(self, statement: str) -> list[Row]:
        try:
            return self._table.connection.execute(statement).fetchall()
        except duckdb.CatalogException:
            raise MeasurementError(Cause.BACKEND_ERROR, "there is no such table") from None
        except duckdb.Error as error:
            kind = type(error).__name__
            raise MeasurementError(Cause.INVALID, f"DuckDB says {kind}") from None

    def parse(self, role: str, text: str) -> SqlExpression:
        return Conditions("postgres").parse(role, text)

    def examine(self, table: str) -> tuple[CheckResult, ...]:
        self.columns(table)
        return (CheckResult(check=Check.VERSION, message="the newest"),)

    def scanned(self) -> int | None:
        return self._table.read

    def close(self) -> None:
        self._table.closed += 1


def table_of(rows: Sequence[Mapping[str, Any]], **types: str) -> Table:
    """Return a table ``requests`` of these rows, whose columns have these types."""
    table = Table()
    table.connection.execute("SET TimeZone = 'UTC'")
    columns = ", ".join(f'"{name}" {kind}' for name, kind in types.items())
    table.connection.execute(f"CREATE TABLE requests ({columns})")
    if rows:
        values = (", ".join(_literal(row.get(name)) for name in types) for row in rows)
        table.connection.execute(f"INSERT INTO requests VALUES ({'), ('.join(values)})")
    return table


def _literal(value: object) -> str:
    return "NULL" if value is None else f"'{value}'"


def settings(**more: Any) -> TableSettings:
    """Return the settings for such a table."""
    return TableSettings(**{"table": "requests", "timestamp": "ts", **more})


def backend(table: Table, /, max_scan: int | None = None, **more: Any) -> SqlBackend:
    """Return the backend for a table."""
    limits = Limits(timeout=MINUTE, max_scan=max_scan)
    return SqlBackend(lambda: DuckTable(table), settings(**more), limits)
