"""What is spent, added up so that the order makes no difference: whole numbers, or decimals.

A binary fraction is added up in fixed point. A sum of floats depends on which are added first, and
would differ between a whole window and the same window by steps.
"""

import sys
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import fsum, isfinite
from typing import Any, Final

from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.statement import Statement
from gate.backends.logs.timeline import Timeline
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.slo.objective import Span

_UNIT: Final = 1 << 64
"""Parts of one, in which binary fractions are added up."""
_LARGE: Final = 1 << 40
"""From here on they are added up as they are: a sum in parts may not overflow 127 bits."""


_DIGITS: Final = sys.float_info.dig


@dataclass(frozen=True, slots=True, kw_only=True)
class AmountColumns:
    """The names of an amount's numbers in the groups."""

    count: str
    """Of rows that have one."""
    lowest: str
    amounts: tuple[str, ...]
    """What to add up: one sum; of binary fractions the sum in parts, and that of what is large."""

    @property
    def aggregates(self) -> tuple[str, ...]:
        """Over some groups, in the order in which `Spending` takes them."""
        whole, *large = self.amounts
        return (
            f"sum({self.count})",
            f"min({self.lowest})",
            f"sum({whole})",
            *(f"fsum({name})" for name in large),
        )

    def spending(self, timeline: Timeline, span: Span) -> "Spending":
        """Return what was spent in a span between bounds of a timeline."""
        places = timeline.places(span)
        count, lowest, whole, *large = self.aggregates
        amounts = [timeline.values(name, places) for name in large]
        return spending(
            [
                timeline.sum(count, places),
                min(timeline.values(lowest, places), default=None),
                timeline.sum(whole, places),
                *(fsum(values) if values else None for values in amounts),
            ]
        )


def ask_for_amount(statement: Statement, indicator: LogIndicator) -> AmountColumns | None:
    """Ask for what is spent in each group; None where events are counted."""
    if indicator.amount is None:
        return None
    amount, amounts = statement.value(indicator.amount), list[str]()
    if indicator.inexact:
        small = f"CASE WHEN abs({amount}) < {_LARGE} THEN ({amount}::DOUBLE * {_UNIT})::HUGEINT END"
        large = f"CASE WHEN abs({amount}) < {_LARGE} THEN NULL ELSE {amount}::DOUBLE END"
        amounts += [statement.sum(f"sum({small})"), statement.sum(f"fsum({large})")]
    else:
        amounts.append(statement.sum(f"sum({amount})"))
    return AmountColumns(
        count=statement.sum(f"count({amount})"),
        lowest=statement.sum(f"min({amount})"),
        amounts=tuple(amounts),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What the rows of some time spent."""

    count: int
    """Rows that have an amount."""
    lowest: int | float | Decimal | None
    """The smallest amount; None: there is none."""
    amount: Fraction | float
    """All together; a float only where it is infinite or not a number."""

    def checked(self, rows: int) -> Fraction:
        """Return the amount.

        Args:
            rows: how many there are, with and without an amount.

        Raises:
            MeasurementError: there is none, or one that is not an amount.
        """
        if self.lowest is None:
            raise MeasurementError(Cause.NO_DATA, f"spent is NULL in all {rows:,} rows")
        # One row that gives back would hide what others have spent.
        for where, number in (("in all rows together", self.amount), ("in some row", self.lowest)):
            if not isfinite(number) or number < 0:
                what = "below zero" if isfinite(number) else "not a number, or infinite"
                reason = f"spent is {what} {where}; an amount must be 0 or more"
                raise MeasurementError(Cause.INVALID, reason)
        return Fraction(self.amount)


def spending(row: Sequence[Any]) -> Spending:
    """Return what was spent, from the values of `AmountColumns.aggregates`."""
    count, lowest, amount, *large = row
    if not large:
        return Spending(count=count, lowest=lowest, amount=Fraction(amount or 0))
    if large[0] is not None and not isfinite(large[0]):
        return Spending(count=count, lowest=lowest, amount=large[0])
    together = Fraction(amount or 0, _UNIT) + Fraction(large[0] or 0)
    return Spending(count=count, lowest=lowest, amount=_decimal(together))


def _decimal(amount: Fraction) -> Fraction:
    """Return the decimal that binary fractions stand for: 0.1, not 0.1000000000000000055.

    A double holds 15 digits of any decimal, and so does a sum of doubles of one sign.
    """
    return amount if amount.denominator == 1 else Fraction(f"{float(amount):.{_DIGITS}g}")
