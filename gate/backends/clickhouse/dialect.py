"""ClickHouse's SQL, and its types."""

import re
from datetime import UTC, datetime, tzinfo
from typing import Final

from gate.backends.sql.engine import Dialect, Kind, SqlColumn

_WRAPPED: Final = re.compile(
    r"(?:Nullable|LowCardinality)\((.*)\)|SimpleAggregateFunction\([^,]+, (.*)\)", re.DOTALL
)
"""Types that only define how the values of another type are stored."""
_KINDS: Final = (
    # https://clickhouse.com/docs/sql-reference/data-types
    (r"Bool", Kind.BOOLEAN),
    (r"U?Int(?:8|16|32|64|128|256)", Kind.INTEGER),
    (r"Decimal(?:32|64|128|256)?\(.*\)", Kind.DECIMAL),
    (r"BFloat16|Float(?:32|64)", Kind.FLOAT),
    (r"String|FixedString\(\d+\)|Enum(?:8|16)?\(.*\)|UUID|IPv[46]", Kind.TEXT),
    # Both are stored as the time since 1970; a zone in the type is only for display.
    (r"DateTime(?:64)?(?:\(.*\))?", Kind.INSTANT),
)
_DECIMAL: Final = re.compile(r"Decimal(?:\d+\((\d+)\)|\(\d+, (\d+)\))")
_DATE_TIME64: Final = re.compile(r"DateTime64\((\d)")
_MICRO_DIGITS: Final = 6
_DIGITS_OF_64: Final = 18
"""Decimals with at most this many digits are added up in 128 bits, which is enough for all rows."""
_LARGE: Final = 1 << 40
_HIGH_BITS, _LOW_BITS = 22, 42
"""The fractional bits, 64 together: each part fits into a 64-bit integer."""
_SECONDS: Final = (datetime(1970, 1, 2, tzinfo=UTC), datetime(2106, 1, 1, tzinfo=UTC))
"""The range in which a DateTime can be written, in any zone."""


class ClickHouseDialect(Dialect):
    """ClickHouse's SQL."""

    name = "clickhouse"

    def kind(self, type_name: str) -> Kind:
        """Return the kind of a type; a truth value that is stored as UInt8 is an integer."""
        bare = self.bare(type_name)
        fitting = (kind for pattern, kind in _KINDS if re.fullmatch(pattern, bare, re.DOTALL))
        return next(fitting, Kind.OTHER)

    def bare(self, type_name: str) -> str:
        """Return a type without its storage wrappers."""
        while wrapped := _WRAPPED.fullmatch(type_name):
            type_name = wrapped[1] or wrapped[2]
        return type_name

    def column(self, type_name: str) -> SqlColumn:
        """Return the column for a type."""
        digits = _DECIMAL.fullmatch(self.bare(type_name))
        exactness = int(digits[1] or digits[2]) if digits else None
        return SqlColumn(type=type_name, kind=self.kind(type_name), exactness=exactness)

    def identifier(self, name: str) -> str:
        """Quote a name with backticks."""
        return f"`{_escaped(name, '`')}`"

    def literal(self, text: str) -> str:
        """Quote a text, in which ClickHouse interprets backslashes."""
        return f"'{_escaped(text, chr(39))}'"

    def microseconds(
        self,
        value: str,
        column: SqlColumn,
        zone: tzinfo | None,  # noqa: ARG002 - each time of ClickHouse is an instant
    ) -> str:
        """Return the whole microseconds since 1970; a time in ClickHouse needs no zone."""
        digits = self._digits(column)
        if not digits:
            return f"(toInt64(toUnixTimestamp({value})) * 1000000)"
        if digits <= _MICRO_DIGITS:
            return f"toUnixTimestamp64Micro({value})"
        # toUnixTimestamp64Micro truncates towards zero, and so rounds up before 1970.
        return self.floor_divide(f"toUnixTimestamp64Nano({value})", 1000)

    def until(
        self,
        value: str,
        column: SqlColumn,
        moment: datetime,
        zone: tzinfo | None,  # noqa: ARG002 - as above
    ) -> str:
        """Compare with a constant of the column's own type, so that primary keys are used."""
        # Times within the microsecond belong to it.
        return f"{value} <= {self._constant(column, moment, '999')}"

    def after(
        self,
        value: str,
        column: SqlColumn,
        moment: datetime,
        zone: tzinfo | None,  # noqa: ARG002 - as above
    ) -> str:
        """Compare in the same way as `until`."""
        return f"{value} > {self._constant(column, moment, '000')}"

    def floor_divide(self, number: str, by: int) -> str:
        """Correct intDiv, which truncates towards zero; the remainder has the number's sign."""
        return f"(intDiv({number}, {by}) - if(modulo({number}, {by}) < 0, 1, 0))"

    def divide(self, number: str, by: int) -> str:
        """Divide with intDiv alone."""
        return f"intDiv({number}, {by})"

    def to_double(self, value: str) -> str:
        """Return it as Float64."""
        return f"toFloat64({value})"

    def to_text(self, value: str, column: SqlColumn) -> str:
        """Return it as a String of valid UTF-8, which JSON requires."""
        bare = self.bare(column.type)
        if bare.startswith("FixedString"):  # a FixedString is padded with zero bytes
            text = f"toValidUTF8(toStringCutToZero({value}))"
        elif bare == "String":
            text = f"toValidUTF8({value})"
        else:
            text = f"toString({value})"
        return f"ifNull({text}, '')"

    def fixed_point(self, value: str) -> str:
        """Return it as Int128, whose sums are exact up to 2^63 units of the spent amount."""
        # A value that does not fit, such as NaN, is an error even in an unused branch of CASE.
        small = f"if(abs({value}) < {_LARGE}, toFloat64({value}), 0.)"
        # In two parts, since toInt128 makes noise digits of large floats.
        scaled = f"{small} * {1 << _HIGH_BITS}"
        low = f"toInt64(round(({scaled} - trunc({scaled})) * {1 << _LOW_BITS}))"
        return f"(toInt128(toInt64(trunc({scaled}))) * {1 << _LOW_BITS} + {low})"

    def to_whole(self, value: str) -> str:
        """Return it as Int64; a value that does not fit is an error instead of wrapping around."""
        return f"accurateCast({value}, 'Nullable(Int64)')"

    def summable(self, value: str, column: SqlColumn) -> str:
        """Widen a value so that its sum, of 64 or 128 bits, cannot wrap around."""
        bare = self.bare(column.type)
        if column.kind is Kind.DECIMAL:
            wide = bare.startswith("Decimal(") and int(bare[8:].partition(",")[0]) > _DIGITS_OF_64
            return f"toDecimal256({value}, {column.exactness})" if wide else value
        return f"toInt256({value})" if bare.endswith("128") else f"toInt128({value})"

    def count(self, condition: str) -> str:
        """Count with the function that needs no values."""
        return f"countIf({condition})"

    def distinct(self, value: str) -> str:
        """Count exactly, whatever a profile defines for DISTINCT."""
        return f"uniqExact({value})"

    def _digits(self, column: SqlColumn) -> int:
        """Return the number of fractional digits of a time's seconds."""
        digits = _DATE_TIME64.match(self.bare(column.type))
        return int(digits[1]) if digits else 0

    def _constant(self, column: SqlColumn, moment: datetime, nanoseconds: str) -> str:
        """Write an instant, rounded down to the digits of a column.

        A column cannot have a value between the result and the instant.
        """
        digits, moment = self._digits(column), moment.astimezone(UTC)
        text = f"{moment:%Y-%m-%d %H:%M:%S}"
        if not digits and _SECONDS[0] <= moment < _SECONDS[1]:
            return f"toDateTime('{text}', 'UTC')"
        fraction = f"{moment:%f}{nanoseconds}"[:digits]
        return f"toDateTime64('{text}{'.' if digits else ''}{fraction}', {digits}, 'UTC')"


def _escaped(text: str, quote: str) -> str:
    return text.replace("\\", "\\\\").replace(quote, f"\\{quote}")
