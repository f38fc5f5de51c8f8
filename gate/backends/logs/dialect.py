"""DuckDB as an engine: its dialect of SQL, and the connection that runs it over files."""

import re
from datetime import datetime, tzinfo
from typing import Final

import duckdb

from gate.backends.logs.database import Database, identifier, literal
from gate.backends.logs.timestamps import sql_instant, zone_name
from gate.backends.sql.engine import Dialect, Kind, Row, SqlColumn

_INTEGER: Final = re.compile(r"U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)|BIGNUM")
_DECIMAL: Final = re.compile(r"DECIMAL\(\d+,\s*(\d+)\)")
_KINDS: Final = {
    "BOOLEAN": Kind.BOOLEAN,
    "FLOAT": Kind.FLOAT,
    "DOUBLE": Kind.FLOAT,
    "VARCHAR": Kind.TEXT,
    "TIMESTAMP WITH TIME ZONE": Kind.INSTANT,
    "TIMESTAMP": Kind.LOCAL_TIME,
}


class DuckDialect(Dialect):
    """DuckDB's SQL, in a session whose time zone is that of times without a zone."""

    name = "duckdb"

    def kind(self, type_name: str) -> Kind:
        """Return the kind of a type, by its name in DESCRIBE."""
        if _INTEGER.fullmatch(type_name):
            return Kind.INTEGER
        if _DECIMAL.fullmatch(type_name):
            return Kind.DECIMAL
        return Kind.TEXT if type_name.startswith("ENUM") else _KINDS.get(type_name, Kind.OTHER)

    def column(self, type_name: str) -> SqlColumn:
        """Return the column of a type."""
        scale = _DECIMAL.fullmatch(type_name)
        digits = None if scale is None else int(scale[1])
        return SqlColumn(type=type_name, kind=self.kind(type_name), exactness=digits)

    def identifier(self, name: str) -> str:
        """Quote a name."""
        return identifier(name)

    def literal(self, text: str) -> str:
        """Quote a text."""
        return literal(text)

    def microseconds(self, value: str, column: SqlColumn, zone: tzinfo | None) -> str:
        """Return the microseconds of an instant, or of a wall clock in a zone."""
        if column.kind is Kind.LOCAL_TIME:
            value = f"timezone({literal(zone_name(zone) or 'UTC')}, {value})"
        return f"epoch_us({value})"

    def until(self, value: str, column: SqlColumn, moment: datetime, zone: tzinfo | None) -> str:
        """Compare the instant itself, so that a Parquet reader can skip parts by statistics."""
        if column.kind is Kind.INSTANT:
            return f"{value} <= {sql_instant(moment)}"
        return f"timezone({literal(zone_name(zone) or 'UTC')}, {value}) <= {sql_instant(moment)}"

    def after(self, value: str, column: SqlColumn, moment: datetime, zone: tzinfo | None) -> str:
        """Compare the instant itself, as `until` does."""
        return f"NOT ({self.until(value, column, moment, zone)})"

    def floor_divide(self, number: str, by: int) -> str:
        """Divide; DuckDB's // rounds down."""
        return f"({number} // {by})"

    def divide(self, number: str, by: int) -> str:
        """Divide."""
        return f"({number} // {by})"

    def to_double(self, value: str) -> str:
        """Return a number as DOUBLE."""
        return f"{value}::DOUBLE"

    def to_text(self, value: str, column: SqlColumn) -> str:
        """Return a value as VARCHAR; every number in JSON is read as a double."""
        text = f"{value}::VARCHAR"
        if column.kind is Kind.FLOAT:
            text = f"regexp_replace({text}, '[.]0$', '')"
        return f"coalesce({text}, '')"

    def fixed_point(self, value: str) -> str:
        """Return a float as HUGEINT, which can hold the sum of 2^23 of them."""
        return f"({value}::DOUBLE * {1 << 64})::HUGEINT"

    def float_sum(self, value: str) -> str:
        """Add up by Kahan's summation."""
        return f"fsum({value})"

    def count(self, condition: str) -> str:
        """Count with a filter."""
        return f"count(*) FILTER (WHERE {condition})"

    def distinct(self, value: str) -> str:
        """Count hashes, which take less memory than texts."""
        return f"count(DISTINCT hash({value}))"


class DuckEngine:
    """DuckDB over the files that a database may read."""

    def __init__(self, database: Database) -> None:
        """Take the connection."""
        self.database = database
        self.dialect = DuckDialect()

    def rows(self, statement: str) -> list[Row]:
        """Run a statement and return its rows.

        Raises:
            MeasurementError: the time is up, or the files or the values in them cannot be read.
        """
        try:
            return self.database.query(statement)
        except duckdb.Error as error:
            raise self.database.refusal(error) from error
