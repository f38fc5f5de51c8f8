"""ClickHouse as an engine: whole answers over HTTP, under settings that let none be cut."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from gate.backends.clickhouse.client import Client, answer_of
from gate.backends.clickhouse.dialect import ClickHouseDialect
from gate.backends.clickhouse.refusals import ClickHouseFailure
from gate.backends.clickhouse.replies import Reply
from gate.backends.clickhouse.session import (
    VERSION_QUESTION,
    Session,
    check_version,
    question,
    session_of,
)
from gate.backends.clickhouse.settings import ClickHouseSettings
from gate.backends.clickhouse.truths import truths
from gate.backends.sql.engine import Kind, Row, ScanSize, SqlColumn
from gate.dataclass import dataclass
from gate.http import Clock
from gate.measure import Cause, Limits, MeasurementError
from gate.measure.remedies import hint_for

if TYPE_CHECKING:
    from gate.measure.diagnosis import CheckResult

_HEAD_START: Final = 1.0
"""The server is to give up this many seconds before we do, so that its own words arrive."""
_MERGED: Final = re.compile(
    r"(?:Shared|Replicated)?(?:Replacing|Collapsing|VersionedCollapsing|Summing|Aggregating|Coalescing)MergeTree"
)
"""Engines whose tables have older versions of a row beside its newest one until they are merged."""
_PLAIN: Final = re.compile(r"(?:Shared|Replicated)?MergeTree|Memory|(?:Tiny|Stripe)?Log")
"""Engines whose tables have each row once."""
_UNKNOWN_NAMES: Final = frozenset({46, 47})
_UNFIT: Final = frozenset({Cause.INVALID})
_NO_RIGHT: Final = 497
_EPHEMERAL: Final = "EPHEMERAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class TableName:
    """A table and its database, both quoted for texts and as names."""

    sql: str
    """For FROM."""
    where: str
    """A condition over the columns ``database`` and ``table`` of a system table."""


class ClickHouseEngine:
    """One run's connection to a ClickHouse server. Reads only."""

    def __init__(
        self, settings: ClickHouseSettings, limits: Limits, clock: Clock | None = None
    ) -> None:
        """Prepare; nothing is sent. The run's time begins now.

        Raises:
            UsageError: the url cannot be read at all.
        """
        self.dialect: Final = ClickHouseDialect()
        self._client = Client(settings, clock)
        self._max_scan = limits.max_scan
        self._until = self._client.clock.monotonic() + limits.timeout.total_seconds()
        self._behind = False
        self._read: int | None = None

    @cached_property
    def session(self) -> Session:
        """What the server says of itself and of the user; asked once.

        Raises:
            MeasurementError: there is no answer, or the server is too old.
        """
        outcome = self._client.query(question(), {}, until=self._until)
        if isinstance(outcome, ClickHouseFailure) and outcome.code in _UNKNOWN_NAMES:
            # A version that has not even the columns of the settings.
            version = self._client.query(VERSION_QUESTION, {}, until=self._until)
            ((text,),) = answer_of(version).rows
            check_version(text)
        reply = answer_of(outcome)
        if len(reply.rows) != 1:
            raise MeasurementError(
                Cause.PARTIAL,
                f"{self._client.shown}: {len(reply.rows)} rows came back where 1 must be: the"
                " profile of this user cuts answers" + hint_for("clickhouse-filters"),
            )
        return session_of(reply.rows[0])

    def relation(self, table: str) -> str:
        """Return the table, with FINAL where it may have older versions of rows."""
        name = self.table_name(table)
        engine = self.table_engine(table)
        if engine is not None and _MERGED.fullmatch(engine):
            return f"{name.sql} FINAL"
        if engine is None or not _PLAIN.fullmatch(engine):
            # The setting ``final`` says the same for every table that is read.
            self._behind = True
        return name.sql

    def table_engine(self, table: str) -> str | None:
        """Return the engine of a table; None: the user cannot see one of this name."""
        rows = self.rows(
            f"SELECT engine FROM system.tables WHERE {self.table_name(table).where}".replace(
                " table = ", " name = "
            )
        )
        return rows[0][0] if rows else None

    def table_name(self, table: str) -> TableName:
        """Take the name of a table apart."""
        *database, name = table.split(".", 1)
        quoted = [self.dialect.identifier(part) for part in (*database, name)]
        within = self.dialect.literal(database[0]) if database else "currentDatabase()"
        return TableName(
            sql=".".join(quoted),
            where=f"database = {within} AND table = {self.dialect.literal(name)}",
        )

    def columns(self, table: str) -> Mapping[str, SqlColumn]:
        """Return the columns that this user may read."""
        name = self.table_name(table)
        outcome = self._ask(f"DESCRIBE TABLE {name.sql}")
        if isinstance(outcome, ClickHouseFailure) and outcome.code == _NO_RIGHT:
            # A right to some columns only does not let a table be described.
            chosen = f"SELECT name, type, default_kind FROM system.columns WHERE {name.where}"
            rows = self.rows(chosen)
            if not rows:
                answer_of(outcome)
        else:
            rows = answer_of(outcome).rows
        return {
            row[0]: self.dialect.column(row[1]) for row in rows if row[2] != _EPHEMERAL
        }

    def types(self, relation: str, expressions: Sequence[str]) -> list[SqlColumn | str]:
        """Return the types of expressions; a truth that is kept as UInt8 is a truth."""
        together = self._described(relation, expressions)
        if isinstance(together, ClickHouseFailure):
            if together.cause not in _UNFIT:
                answer_of(together)
            alone = [self._alone(relation, expression) for expression in expressions]
        else:
            alone = list(together)
        unclear = [
            place
            for place, column in enumerate(alone)
            if isinstance(column, SqlColumn) and self.dialect.bare(column.type) == "UInt8"
        ]
        if unclear:
            tree = self.rows(
                f"EXPLAIN AST SELECT {', '.join(f'({expressions[place]})' for place in unclear)}"
            )
            for place, truth in zip(unclear, truths([row[0] for row in tree]), strict=True):
                if truth:
                    alone[place] = SqlColumn(type=alone[place].type, kind=Kind.BOOLEAN)
        return alone

    def size(self, statement: str) -> ScanSize | None:
        """Estimate from the parts and marks of local tables; None for views and other servers."""
        if self._behind:
            return None
        estimates = self.rows(f"EXPLAIN ESTIMATE {statement}")
        names = {match for match in re.findall(r"`((?:[^`\\]|\\.)+)`|([A-Za-z_]\w*)", statement)}
        words = {first or second for first, second in names}
        total = 0
        for database, table, _parts, rows, _marks in estimates:
            where = (
                f"database = {self.dialect.literal(database)} AND table = {self.dialect.literal(table)}"
            )
            widths = self.rows(
                "SELECT c.name, c.data_uncompressed_bytes, t.total_rows FROM system.columns AS c,"
                f" (SELECT total_rows FROM system.tables WHERE {where.replace('table =', 'name =')}) AS t"
                f" WHERE {where}"
            )
            total += sum(
                size * rows // max(every or 0, rows, 1)
                for name, size, every in widths
                if name in words
            )
        return ScanSize(bytes=total, exact=False)

    def rows(self, statement: str) -> list[Row]:
        """Run a statement under the settings that let no part of an answer be missing."""
        return answer_of(self._ask(statement)).rows

    def examine(self, table: str) -> "tuple[CheckResult, ...]":
        """Return what is to be said of the server, the table's engine and the user's rights."""
        from gate.backends.clickhouse.examination import examine  # noqa: PLC0415 - one command only

        return examine(self, table)

    def scanned(self) -> int | None:
        """Return the bytes of columns that the server says it has read for all statements."""
        return self._read

    def close(self) -> None:
        """Stop what still runs, and close the connection."""
        self._client.close()

    def _ask(self, statement: str) -> Reply | ClickHouseFailure:
        left = self._until - self._client.clock.monotonic()
        parameters = self.session.parameters(
            seconds=left - _HEAD_START, max_bytes=self._max_scan, behind=self._behind
        )
        outcome = self._client.query(statement, parameters, until=self._until)
        if isinstance(outcome, Reply):
            if outcome.read is not None:
                self._read = (self._read or 0) + outcome.read
            self._check_nan(outcome)
        return outcome

    def _check_nan(self, reply: Reply) -> None:
        """Refuse what may be NaN, or NULL, where the two are written alike."""
        if self.session.tells_nan:
            return
        floats = [
            place
            for place, name in enumerate(reply.types)
            if self.dialect.kind(name) is Kind.FLOAT
        ]
        if any(row[place] is None for row in reply.rows for place in floats):
            raise MeasurementError(
                Cause.INVALID,
                "a floating-point number is NULL or NaN, and readonly=1 forbids to ask which"
                + hint_for("clickhouse-readonly"),
            )

    def _described(
        self, relation: str, expressions: Sequence[str]
    ) -> tuple[SqlColumn, ...] | ClickHouseFailure:
        chosen = ", ".join(f"({text}) AS c{place}" for place, text in enumerate(expressions))
        outcome = self._ask(f"DESCRIBE TABLE (SELECT {chosen} FROM {relation})")
        if isinstance(outcome, ClickHouseFailure):
            return outcome
        return tuple(self.dialect.column(row[1]) for row in outcome.rows)

    def _alone(self, relation: str, expression: str) -> SqlColumn | str:
        described = self._described(relation, [expression])
        if isinstance(described, ClickHouseFailure):
            if described.cause not in _UNFIT:
                answer_of(described)
            return described.reason
        return described[0]
