"""Spark as an engine: the columns of a table, the size of a scan, and rows."""

# ruff: noqa: S608 - names are quoted, the policy's expressions are checked first

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from gate.backends.spark.connection import not_whole
from gate.backends.spark.dialect import SparkDialect
from gate.backends.spark.refusals import SparkStatementError, no_table
from gate.backends.spark.session import SparkSession
from gate.backends.sql.conditions import Conditions
from gate.backends.sql.constants import SqlExpression
from gate.backends.sql.engine import Dialect, Row, ScanSize, SqlColumn
from gate.backends.sql.settings import table_parts

if TYPE_CHECKING:
    from pyspark.sql.connect.proto import types_pb2

    from gate.measure.diagnosis import CheckResult

_NAMES: Final = {"byte": "tinyint", "short": "smallint", "integer": "int", "long": "bigint"}
"""The protocol's names of types that have another name in SQL."""
_OPTIMIZED: Final = re.compile(r"== Optimized Logical Plan ==\n(.*?)\n\n", re.DOTALL)
_BRANCH: Final = re.compile(r"[ :|+-]*")
"""The prefix of a node in a plan; it grows with the depth."""
_SIZE: Final = re.compile(r"Statistics\(sizeInBytes=([0-9.E+]+) ([KMGTPE]?i?B)")
_SOURCE: Final = re.compile(r"DataSourceExec: .*statistics=\[.*?Bytes=(?:Ine|E)xact\(([0-9]+)\)")
"""In Sail's plan, the nodes that read have sizes."""
_UNITS: Final = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_UNKNOWN: Final = 1 << 60
"""A size from which on Spark does not know the size: it then uses its largest one."""
_OLDEST: Final = (3, 5)


class SparkEngine:
    """One run's Spark session; see `gate.backends.sql.engine.Engine`."""

    name = "Spark"
    dialect: Dialect = SparkDialect()

    def __init__(self, session: SparkSession) -> None:
        self._session = session
        self._conditions = Conditions(self.dialect.name)

    def relation(self, table: str) -> str:
        """Return the quoted name. Rows that a table's format has replaced are not read by Spark."""
        return ".".join(map(self.dialect.identifier, table_parts(table)))

    def columns(self, table: str) -> Mapping[str, SqlColumn]:
        """Return the columns of a table, and the fields of its structs as ``request.status``."""
        columns = dict[str, SqlColumn]()
        for field in self._session.schema(f"SELECT * FROM {self.relation(table)}"):
            columns.update(self._flat(field.name, field.data_type))
        if not columns:  # Sail treats a missing path as a table without columns and rows
            raise no_table()
        return columns

    def types(self, relation: str, expressions: Sequence[str]) -> list[SqlColumn | str]:
        """Return the type of each expression, or Spark's words about it."""
        try:
            fields = self._session.schema(_selected(relation, expressions))
        except SparkStatementError as error:
            if len(expressions) == 1:
                return [error.words]
            return [self.types(relation, [expression])[0] for expression in expressions]
        if len(fields) != len(expressions):
            raise not_whole()
        return [self._column(field.data_type) for field in fields]

    def size(self, statement: str) -> ScanSize | None:
        """Return the size of the tables' files, if Spark knows it beforehand."""
        size = _planned(self._session.costs(statement))
        return None if size is None else ScanSize(bytes=size, exact=False)

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return all of its rows."""
        return self._session.rows(statement)

    def scanned(self) -> int | None:
        """Return the number of bytes that the tasks have read."""
        return self._session.scanned

    def close(self) -> None:
        """End the session."""
        self._session.close()

    def parse(self, role: str, text: str) -> SqlExpression:
        """Parse an expression of the policy."""
        return self._conditions.parse(role, text)

    def examine(self, table: str) -> "tuple[CheckResult, ...]":
        """Return the server's version, and whether the gate supports it."""
        from gate.measure.diagnosis import Check, CheckResult, Level  # noqa: PLC0415 - one command's

        version = self._session.version()
        self.columns(table)
        if version is None:
            return (CheckResult(check=Check.VERSION, message="the server does not say which"),)
        if _number(version) >= _OLDEST:
            return (CheckResult(check=Check.VERSION, message=f"Spark {version}"),)
        return (
            CheckResult(
                check=Check.VERSION,
                level=Level.DOUBT,
                message=f"Spark {version} is older than 3.5, the oldest that is supported",
                remedy="use a cluster with Spark 3.5 or newer",
            ),
        )

    def _flat(self, name: str, data_type: "types_pb2.DataType") -> Iterator[tuple[str, SqlColumn]]:
        yield name, self._column(data_type)
        for field in data_type.struct.fields:
            yield from self._flat(f"{name}.{field.name}", field.data_type)

    def _column(self, data_type: "types_pb2.DataType") -> SqlColumn:
        kind = data_type.WhichOneof("kind") or "unknown"
        name, exactness = _NAMES.get(kind, kind), None
        if kind == "decimal":
            exactness = data_type.decimal.scale
            name = f"decimal({data_type.decimal.precision},{exactness})"
        return SqlColumn(type=name, kind=self.dialect.kind(name), exactness=exactness)


def _planned(plan: str) -> int | None:
    """Return the bytes of all tables in a plan; None: one of them is unknown."""
    if sources := _SOURCE.findall(plan):
        return sum(map(int, sources))
    logical = _OPTIMIZED.search(plan)
    nodes = logical[1].splitlines() if logical else []
    depths = [*(_depth(node) for node in nodes), 0]
    leaves = [
        node
        for node, (own, next_one) in zip(nodes, pairwise(depths), strict=True)
        if next_one <= own
    ]
    sizes = [_bytes(leaf) for leaf in leaves]
    if not sizes or None in sizes:
        return None
    return sum(size for size in sizes if size is not None)


def _depth(node: str) -> int:
    branch = _BRANCH.match(node)
    return branch.end() if branch else 0


def _bytes(node: str) -> int | None:
    said = _SIZE.search(node)
    size = int(float(said[1]) * 1024 ** _UNITS.index(said[2])) if said else _UNKNOWN
    return size if size < _UNKNOWN else None


def _selected(relation: str, expressions: Sequence[str]) -> str:
    names = [f"{expression} AS e{number}" for number, expression in enumerate(expressions)]
    return f"SELECT {', '.join(names)} FROM {relation}"


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall("[0-9]+", version)[:2])
