"""A PostgreSQL server as an engine that counts rows."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from gate.backends.postgres.dialect import NUMERIC, PostgresDialect, scale_of
from gate.backends.postgres.refusals import PostgresRefusedError, failed
from gate.backends.postgres.session import PostgresSession
from gate.backends.postgres.tables import PostgresTable, Shadows, look_up, shadows
from gate.backends.sql.conditions import Conditions
from gate.backends.sql.constants import SqlExpression
from gate.backends.sql.engine import Kind, Row, ScanSize, SqlColumn

if TYPE_CHECKING:  # for one command only
    from gate.measure.diagnosis import CheckResult

_PAGE: Final = 8192
"""The size of a page in bytes."""
_TYPES: Final = {
    16: "boolean",
    20: "bigint",
    21: "smallint",
    23: "integer",
    25: "text",
    700: "real",
    701: "double precision",
    1043: "character varying",
    1114: "timestamp without time zone",
    1184: "timestamp with time zone",
    NUMERIC: "numeric",
}
"""The numbers of common types (pg_type.dat); others are looked up."""
_AT_ONCE: Final = 500
"""The number of expressions in one statement that asks for their types."""


class PostgresEngine:
    """One run's connection; `gate.backends.sql.engine.Engine` is the contract."""

    name = "PostgreSQL"
    dialect = PostgresDialect()

    def __init__(self, session: PostgresSession, timestamp: str) -> None:
        """Prepare; nothing is sent yet.

        Args:
            session: the connection.
            timestamp: the column with the time, for which ``gate doctor`` searches an index.
        """
        self.session = session
        self.timestamp = timestamp
        self._tables: dict[str, PostgresTable] = {}
        self._conditions: Conditions | None = None

    def relation(self, table: str) -> str:
        """Return the table with its schema; each row exists once."""
        if reason := self._shadows.own():
            raise failed(reason)
        return self._table(table).relation

    def _table(self, name: str) -> PostgresTable:
        if name not in self._tables:
            self._tables[name] = look_up(self.session, name)
        return self._tables[name]

    @cached_property
    def _shadows(self) -> Shadows:
        return shadows(self.session)

    def columns(self, table: str) -> Mapping[str, SqlColumn]:
        """Return the columns; for a domain, its base type."""
        rows = self.session.query(
            "SELECT a.attname::text,"
            " format_type(COALESCE(NULLIF(t.typbasetype, 0), t.oid), NULL),"
            " CASE WHEN t.typbasetype <> 0 THEN t.typtypmod ELSE a.atttypmod END"
            " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
            f" WHERE a.attrelid = {self._table(table).number} AND a.attnum > 0"
            " AND NOT a.attisdropped ORDER BY a.attnum"
        )
        return {
            name: self._column(kind, scale_of(modifier) if modifier >= 0 else None)
            for name, kind, modifier in rows
        }

    def _column(self, type_name: str, scale: int | None) -> SqlColumn:
        kind = self.dialect.kind(type_name)
        return SqlColumn(
            type=type_name, kind=kind, exactness=scale if kind is Kind.DECIMAL else None
        )

    def types(self, relation: str, expressions: Sequence[str]) -> list[SqlColumn | str]:
        """Return the type of each expression; the server parses them and reads no row."""
        reasons = [self._shadows.within(expression) for expression in expressions]
        if any(reasons):
            return [
                reason or self._type(relation, expression)
                for reason, expression in zip(reasons, expressions, strict=True)
            ]
        columns = list[SqlColumn | str]()
        for start in range(0, len(expressions), _AT_ONCE):
            part = expressions[start : start + _AT_ONCE]
            try:
                columns += self._described(relation, part)
            except PostgresRefusedError:
                columns += [self._type(relation, expression) for expression in part]
        return columns

    def _type(self, relation: str, expression: str) -> SqlColumn | str:
        try:
            (column,) = self._described(relation, [expression])
        except PostgresRefusedError as refused:
            return refused.words
        return column

    def _described(self, relation: str, expressions: Sequence[str]) -> Iterator[SqlColumn]:
        listed = ", ".join(f"({expression})" for expression in expressions)
        described = self.session.describe(f"SELECT {listed} FROM {relation} AS rows")
        names = self._names({number for number, _ in described})
        return (self._column(names[number], scale) for number, scale in described)

    def _names(self, numbers: set[int]) -> Mapping[int, str]:
        unusual = sorted(numbers - _TYPES.keys())
        if not unusual:
            return _TYPES
        listed = ", ".join(map(str, unusual))
        rows = self.session.query(
            f"SELECT oid::bigint, format_type(oid, NULL) FROM pg_type WHERE oid IN ({listed})"
        )
        return {**_TYPES, **dict(rows)}

    def size(self, statement: str) -> ScanSize | None:
        """Return the size of the pages that the planner expects; None for a foreign table."""
        ((plan,),) = self.session.query(f"EXPLAIN (FORMAT JSON, VERBOSE) {statement}")
        nodes = list(_nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]))
        if any(node["Node Type"] == "Foreign Scan" for node in nodes):
            return None
        scans = [node for node in nodes if "Relation Name" in node]
        sizes = self._sizes(scans)
        return ScanSize(bytes=sum(map(_bytes_read, scans, sizes)), exact=False)

    def _sizes(self, scans: Sequence[Mapping[str, Any]]) -> list[tuple[int, float]]:
        """Return the bytes and the approximate number of rows of each scan's table."""
        quote = self.dialect.literal
        wanted = ", ".join(
            f"({place}, {quote(scan['Schema'])}, {quote(scan['Relation Name'])})"
            for place, scan in enumerate(scans)
        )
        if not wanted:
            return []
        rows = self.session.query(
            "SELECT pg_relation_size(c.oid), c.reltuples::double precision"
            f" FROM (VALUES {wanted}) AS scan (place, schema, name)"
            " JOIN pg_namespace n ON n.nspname = scan.schema"
            " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = scan.name"
            " ORDER BY scan.place"
        )
        return [(size, count) for size, count in rows]

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return all of its rows."""
        return self.session.query(statement)

    def parse(self, role: str, text: str) -> SqlExpression:
        """Parse an expression of the policy."""
        if self._conditions is None:
            self._conditions = Conditions(self.dialect.name)
        return self._conditions.parse(role, text)

    def examine(self, table: str) -> "tuple[CheckResult, ...]":
        """Return the results about the server, the table and the user's rights."""
        from gate.backends.postgres.examination import (  # noqa: PLC0415 - for one command only
            Examined,
            examine,
        )

        examined = Examined(
            session=self.session,
            table=self._table(table),
            timestamp=self.timestamp,
            shown=table,
        )
        return tuple(examine(examined))

    def scanned(self) -> int | None:
        """Return None: PostgreSQL does not report the bytes that a session has read."""
        return None

    def close(self) -> None:
        """End the connection, and its running statements."""
        self.session.close()


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield a plan's nodes, at any depth."""
    yield plan
    for part in plan.get("Plans", ()):
        yield from _nodes(part)


def _bytes_read(scan: Mapping[str, Any], table: tuple[int, float]) -> int:
    """Return the bytes that a scan is expected to read: all of a table, or a share by an index."""
    size, count = table
    if scan["Node Type"] in {"Seq Scan", "Sample Scan"} or count <= 0:
        return size
    pages = size * min(1.0, scan["Plan Rows"] / count)
    return min(size, (int(pages / _PAGE) + 1) * _PAGE)
