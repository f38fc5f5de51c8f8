"""How Spark's SQL is written, for Spark 3.5 and later, Databricks and Sail."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from gate.backends.sql.engine import Dialect, Kind, SqlColumn

_KINDS: Final = {
    "boolean": Kind.BOOLEAN,
    "tinyint": Kind.INTEGER,
    "smallint": Kind.INTEGER,
    "int": Kind.INTEGER,
    "bigint": Kind.INTEGER,
    "decimal": Kind.DECIMAL,
    "float": Kind.FLOAT,
    "double": Kind.FLOAT,
    "string": Kind.TEXT,
    "varchar": Kind.TEXT,
    "char": Kind.TEXT,
    "timestamp": Kind.INSTANT,
    "timestamp_ntz": Kind.LOCAL_TIME,
}
"""https://spark.apache.org/docs/latest/sql-ref-datatypes.html. A date has no time of the day."""
_TURN: Final = timedelta(hours=3)
"""More than any clock is set back at once, and less than lies between two of its changes."""
_EXACT: Final = "1e15D"
"""Below it a double is shown with all of its digits before the point."""
_HIGH, _LOW = 12, 52
"""Bits behind the point: those of the first whole number, and those of the second."""


class SparkDialect(Dialect):
    """Spark's SQL in a session as `gate.backends.spark.session` sets it: ANSI mode, time in UTC."""

    name = "spark"

    def kind(self, type_name: str) -> Kind:
        """Return what a type is, by its name in ``DESCRIBE``: ``decimal(12,4)``."""
        return _KINDS.get(type_name.lower().partition("(")[0], Kind.OTHER)

    def identifier(self, name: str) -> str:
        """Quote a name."""
        return "`" + name.replace("`", "``") + "`"

    def literal(self, text: str) -> str:
        """Quote a text. A doubled quote would be two texts before Spark 4.3, which are joined."""
        escaped = text.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"

    def microseconds(self, value: str, column: SqlColumn, zone: tzinfo | None) -> str:
        """Return SQL for when it is.

        Java, which knows the zones, takes the first pass of an hour that a clock goes through
        twice. So the offset that holds some hours later is tried, too: if the clock shows the same
        with it, that is the second pass.
        """
        if column.kind is Kind.INSTANT:
            return f"unix_micros({value})"
        shown = f"CAST({value} AS TIMESTAMP)"
        if zone is None or zone is UTC:
            return f"unix_micros({shown})"
        name = self.literal(str(zone))
        first = f"to_utc_timestamp({shown}, {name})"
        later = f"({first} + {_interval(_TURN)})"
        second = f"({shown} - (from_utc_timestamp({later}, {name}) - {later}))"
        same = f"from_utc_timestamp({second}, {name}) = {shown}"
        return f"unix_micros(CASE WHEN {same} THEN {second} ELSE {first} END)"

    def until(self, value: str, column: SqlColumn, moment: datetime, zone: tzinfo | None) -> str:
        """Return a condition by which partitions and row groups are skipped."""
        return f"{value} <= {_constant(column, moment, zone, _TURN)}"

    def after(self, value: str, column: SqlColumn, moment: datetime, zone: tzinfo | None) -> str:
        """Return a condition by which partitions and row groups are skipped."""
        return f"{value} > {_constant(column, moment, zone, -_TURN)}"

    def floor_divide(self, number: str, by: int) -> str:
        """Divide whole numbers; ``div`` alone would round towards zero."""
        return f"(({number} - pmod({number}, {by})) div {by})"

    def divide(self, number: str, by: int) -> str:
        """Divide with ``div`` alone."""
        return f"({number} div {by})"

    def to_double(self, value: str) -> str:
        """Return a number as a floating-point one."""
        return f"CAST({value} AS DOUBLE)"

    def to_text(self, value: str, column: SqlColumn) -> str:
        """Return a value as text."""
        text = f"CAST({value} AS STRING)"
        if column.kind is Kind.FLOAT:
            whole = f"TRY_CAST({value} AS BIGINT)"
            short = f"abs({value}) < {_EXACT} AND {whole} = {value}"
            text = f"CASE WHEN {short} THEN CAST({whole} AS STRING) ELSE {text} END"
        return f"COALESCE({text}, '')"

    def fixed_point(self, value: str) -> str:
        """Return a float as a whole number of 2^-64.

        By two whole numbers, of which each is exact: Spark makes a decimal of a double by the
        digits that it would show.
        """
        scaled = f"(CAST({value} AS DOUBLE) * {2**_HIGH}D)"
        whole = f"CAST(floor({scaled}) AS BIGINT)"
        rest = f"CAST(({scaled} - floor({scaled})) * {2**_LOW}D AS BIGINT)"
        return (
            f"(CAST({whole} AS DECIMAL(20, 0)) * CAST({2**_LOW} AS DECIMAL(16, 0))"
            f" + CAST({rest} AS DECIMAL(16, 0)))"
        )

    def summable(self, value: str, column: SqlColumn) -> str:
        """Return a whole number with room for the sum, which Sail would let wrap around."""
        return f"CAST({value} AS DECIMAL(20, 0))" if column.kind is Kind.INTEGER else value


def _interval(length: timedelta) -> str:
    return f"INTERVAL '{length // timedelta(hours=1)}' HOUR"


def _constant(column: SqlColumn, moment: datetime, zone: tzinfo | None, margin: timedelta) -> str:
    """Write an instant as what the column is compared with, a local time with a margin."""
    if column.kind is Kind.INSTANT:
        return f"TIMESTAMP '{moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')}Z'"
    local = (moment + margin).astimezone(zone or UTC).replace(tzinfo=None)
    return f"TIMESTAMP_NTZ '{local.isoformat(sep=' ')}'"
