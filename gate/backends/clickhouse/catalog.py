"""The catalog of a ClickHouse server: names of tables, engines, columns and sizes."""

# ruff: noqa: S608 - names and texts are quoted

import re
from collections.abc import Callable, Sequence
from typing import Final

from gate.backends.clickhouse.dialect import ClickHouseDialect
from gate.backends.sql.engine import Row
from gate.backends.sql.settings import table_parts
from gate.dataclass import dataclass

_MERGED: Final = re.compile(
    r"(?:Shared|Replicated)?"
    r"(?:Replacing|Collapsing|VersionedCollapsing|Summing|Aggregating|Coalescing|Graphite)MergeTree"
)
_PLAIN: Final = re.compile(r"(?:Shared|Replicated)?MergeTree|Memory|(?:Tiny|Stripe)?Log")
_ADDED_UP: Final = re.compile(r".*(?:Summing|Aggregating|Graphite)MergeTree")
_WORD: Final = re.compile(r"`((?:[^`\\]|\\.)+)`|([A-Za-z_]\w*)")
_SQL: Final = ClickHouseDialect()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableEngine:
    """The way in which a table stores its rows."""

    name: str
    """The name in ClickHouse: ``ReplicatedReplacingMergeTree``."""

    @property
    def merged(self) -> bool:
        """Whether older versions of a row exist beside its newest one until they are merged."""
        return bool(_MERGED.fullmatch(self.name))

    @property
    def plain(self) -> bool:
        """Whether each row exists once."""
        return bool(_PLAIN.fullmatch(self.name))

    @property
    def added_up(self) -> bool:
        """Whether merging adds up rows, so that one row represents several written rows."""
        return bool(_ADDED_UP.fullmatch(self.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class TableName:
    """A table and its database."""

    sql: str
    """The SQL for FROM."""
    database: str
    """SQL for the name of the database."""
    table: str
    """SQL for the name within the database, as a text."""

    @property
    def engine_question(self) -> str:
        """Query the engine; no row: the table does not exist, or the user may not see it."""
        return (
            "SELECT engine FROM system.tables"
            f" WHERE database = {self.database} AND name = {self.table}"
        )

    @property
    def columns_question(self) -> str:
        """Query name, type and kind of default of the columns that the user may read."""
        return (
            "SELECT name, type, default_kind FROM system.columns"
            f" WHERE database = {self.database} AND table = {self.table} ORDER BY position"
        )

    @property
    def policies_question(self) -> str:
        """Query the names of row policies; few users may."""
        return (
            "SELECT short_name FROM system.row_policies"
            f" WHERE database = {self.database} AND table IN ({self.table}, '')"
        )

    @property
    def plan_question(self) -> str:
        """Query how the table is read by this user, which shows a row policy as a filter."""
        return f"EXPLAIN actions = 1 SELECT count() FROM {self.sql}"

    @property
    def sizes_question(self) -> str:
        """Query rows and bytes of the table, and then the columns and their bytes."""
        return (
            "SELECT ifNull(total_rows, 0), ifNull(total_bytes_uncompressed, 0),"
            " (SELECT groupArray((name, data_uncompressed_bytes)) FROM system.columns"
            f" WHERE database = {self.database} AND table = {self.table})"
            f" FROM system.tables WHERE database = {self.database} AND name = {self.table}"
        )


def table_name(table: str, database: str | None = None) -> TableName:
    """Parse the name of a table.

    Args:
        table: the name in the policy.
        database: the database if the name has none; None: the user's own.
    """
    *given, name = table_parts(table)
    within = given[-1] if given else database
    quoted = [_SQL.identifier(part) for part in (within, name) if part is not None]
    return TableName(
        sql=".".join(quoted),
        database="currentDatabase()" if within is None else _SQL.literal(within),
        table=_SQL.literal(name),
    )


def scan_bytes(
    statement: str, estimates: Sequence[Row], ask: Callable[[str], Sequence[Row]]
) -> int:
    """Return the number of bytes in the columns that a statement would read.

    Args:
        statement: every column whose name occurs in it counts as read.
        estimates: the rows of EXPLAIN ESTIMATE: database, table, parts, rows and marks.
        ask: runs a statement.
    """
    words = {quoted or bare for quoted, bare in _WORD.findall(statement)}
    total = 0
    for database, table, _, rows, _ in estimates:
        name = TableName(sql="", database=_SQL.literal(database), table=_SQL.literal(table))
        for every, size, columns in ask(name.sizes_question):
            # For small parts, which are one file, the sizes of columns are unknown.
            by_column = any(int(width) for _, width in columns)
            width = sum(int(width) for column, width in columns if column in words)
            total += (width if by_column else size) * rows // max(every, rows, 1)
    return total
