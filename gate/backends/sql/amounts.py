"""Amounts, whose sum does not depend on the order: whole numbers, or decimals.

Binary fractions are added up in fixed point. A sum of floats depends on the order of the terms, and
would differ between a whole window and the same window by steps.
"""

import sys
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any, Final

from gate.backends.sql.engine import Kind
from gate.backends.sql.groups import float_sum
from gate.backends.sql.rows import SqlIndicator
from gate.backends.sql.statement import Statement
from gate.backends.sql.timeline import Timeline
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.slo.objective import Span

_UNIT: Final = 1 << 64
"""The parts of one in which binary fractions are added up."""
_LARGE: Final = 1 << 40
"""The limit from which values are added up as floats: a sum in parts must not overflow 127 bits."""
_DIGITS: Final = sys.float_info.dig


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountColumns:
    """The names of an amount's numbers in the groups."""

    count: str
    """The number of rows with an amount."""
    lowest: str
    amounts: tuple[str, ...]
    """The sums: one sum; for binary fractions the sum in parts, and the sum of large values."""

    @property
    def numbers(self) -> tuple[str, ...]:
        """All of these names, in the order of the arguments of `spending`."""
        return (self.count, self.lowest, *self.amounts)

    def spending(self, timeline: Timeline, span: Span) -> "Spending":
        """Return the amount spent in a span between bounds of a timeline."""
        places = timeline.places(span)
        count, lowest, whole, *large = self.numbers
        return spending(
            [
                timeline.sum(count, places),
                min(timeline.values(lowest, places), default=None),
                timeline.sum(whole, places),
                *(float_sum(timeline.values(name, places)) for name in large),
            ]
        )


def ask_for_amount(statement: Statement, indicator: SqlIndicator) -> AmountColumns | None:
    """Request the amount spent in each group; None: the indicator counts events."""
    amount, column = indicator.amount, indicator.amount_column
    if amount is None or column is None:
        return None
    dialect = statement.rows.dialect
    if column.kind is Kind.FLOAT:
        is_small = f"abs({amount}) < {_LARGE}"
        small = f"CASE WHEN {is_small} THEN {dialect.fixed_point(amount)} END"
        large = f"CASE WHEN {is_small} THEN NULL ELSE {dialect.to_double(amount)} END"
        amounts: tuple[str, ...] = (statement.sum(small), statement.float_sum(large))
    else:
        amounts = (statement.sum(dialect.summable(amount, column)),)
    return AmountColumns(
        count=statement.count_values(amount), lowest=statement.lowest(amount), amounts=amounts
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The amount that rows spent in a stretch of time."""

    count: int
    """The number of rows with an amount."""
    lowest: int | float | Decimal | None
    """The smallest amount; None without amounts."""
    amount: Fraction | float
    """The sum of all amounts; a float only if it is infinite or not a number."""

    def checked(self, rows: int) -> Fraction:
        """Return the amount.

        Args:
            rows: the number of rows, with and without an amount.

        Raises:
            MeasurementError: no row has an amount, or one of them is not valid.
        """
        if self.lowest is None:
            raise MeasurementError(Cause.NO_DATA, f"spent is NULL in all {rows:,} rows")
        # A negative row would hide the amounts of other rows.
        for where, number in (("in all rows together", self.amount), ("in some row", self.lowest)):
            if not isfinite(number) or number < 0:
                what = "below zero" if isfinite(number) else "not a number, or infinite"
                reason = f"spent is {what} {where}; an amount must be 0 or more"
                raise MeasurementError(Cause.INVALID, reason)
        return Fraction(self.amount)


def spending(row: Sequence[Any]) -> Spending:
    """Return the amount spent, from the values of `AmountColumns.numbers`."""
    count, lowest, amount, *large = row
    if not large:
        exact = Fraction(amount) if isfinite(amount) else amount
        return Spending(count=count, lowest=lowest, amount=exact)
    if not isfinite(large[0]):
        return Spending(count=count, lowest=lowest, amount=large[0])
    together = Fraction(amount) / _UNIT + Fraction(large[0])
    return Spending(count=count, lowest=lowest, amount=_decimal(together))


def _decimal(amount: Fraction) -> Fraction:
    """Return the decimal that a binary fraction represents: 0.1, not 0.1000000000000000055.

    A double holds 15 digits of any decimal, and so does a sum of doubles of one sign.
    """
    return amount if amount.denominator == 1 else Fraction(f"{float(amount):.{_DIGITS}g}")
