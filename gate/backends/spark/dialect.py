"""Spark's dialect of SQL, for Spark 3.5 and later, Databricks and Sail."""

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
"""https://spark.apache.org/docs/latest/sql-ref-datatypes.html. A date has no time of day."""
_TURN: Final = timedelta(hours=3)
"""A time that is longer than any clock change, and shorter than the time between two of them."""
_EXACT: Final = "1e15D"
"""Below this, a double is shown with all of its digits before the point."""
_HIGH, _LOW = 12, 52
"""The numbers of fractional bits in the first and in the second integer."""


class SparkDialect(Dialect):
    """Spark's SQL in a session of `gate.backends.spark.session`: ANSI mode, times in UTC."""

    name = "spark"

    def kind(self, type_name: str) -> Kind:
        """Return the kind of a type, by its name in ``DESCRIBE``: ``decimal(12,4)``."""
        return _KINDS.get(type_name.lower().partition("(")[0], Kind.OTHER)

    def identifier(self, name: str) -> str:
        """Quote a name."""
        return "`" + name.replace("`", "``") + "`"

    def literal(self, text: str) -> str:
        """Quote a text. Before Spark 4.3, a doubled quote would be two texts, which are joined."""
        escaped = text.replace("\\", "\\\\").replace("'", "\\'")
        return f"'{escaped}'"

    def microseconds(self, value: str, column: SqlColumn, zone: tzinfo | None) -> str:
        """Return SQL for the microseconds since 1970.

        Java, which has the time zones, uses the first pass of an hour that a clock repeats. So the
        offset of some hours later is tried, too: if the clock shows the same time with it, that is
        the second pass.
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
        """Divide integers; ``div`` alone would round towards zero."""
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
        """Return a float as an integer in units of 2^-64.

        It uses two integers, each of which is exact: Spark converts a double to a decimal by its
        shown digits.
        """
        scaled = f"(CAST({value} AS DOUBLE) * {2**_HIGH}D)"
        whole = f"CAST(floor({scaled}) AS BIGINT)"
        rest = f"CAST(({scaled} - floor({scaled})) * {2**_LOW}D AS BIGINT)"
        return (
            f"(CAST({whole} AS DECIMAL(20, 0)) * CAST({2**_LOW} AS DECIMAL(16, 0))"
            f" + CAST({rest} AS DECIMAL(16, 0)))"
        )

    def summable(self, value: str, column: SqlColumn) -> str:
        """Return an integer with space for the sum, which would wrap around in Sail."""
        return f"CAST({value} AS DECIMAL(20, 0))" if column.kind is Kind.INTEGER else value


def _interval(length: timedelta) -> str:
    return f"INTERVAL '{length // timedelta(hours=1)}' HOUR"


def _constant(column: SqlColumn, moment: datetime, zone: tzinfo | None, margin: timedelta) -> str:
    """Write an instant as a constant of the column's type; a local time with a margin."""
    if column.kind is Kind.INSTANT:
        return f"TIMESTAMP '{moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')}Z'"
    local = (moment + margin).astimezone(zone or UTC).replace(tzinfo=None)
    return f"TIMESTAMP_NTZ '{local.isoformat(sep=' ')}'"
