"""The range that the whole numbers in a budget report leave open, in exact arithmetic.

A report has the budget, and its remaining part, as whole numbers of seconds or requests, and does
not say how they were rounded: the true values differ by less than one. The budget of requests is
the share that the goal grants of the requests so far:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-ServiceLevelObjectives.html#CloudWatch-ServiceLevelObjectives-budget-request
"""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass

_HALF: Final = Fraction(1, 2)
_FLOAT: Final = Fraction(1, 100_000)
"""The possible error of an attainment in percentage points, whatever its number of digits: the
documentation shows one with the seven digits of a 32-bit float."""
POINT: Final = Fraction(1, 100)
"""The precision of an attainment, in percentage points; or a tenth of the budget."""
ALL: Final = 100
"""Percent."""
_FINEST: Final = Fraction(1, 10**12)


@dataclass(frozen=True, slots=True)
class ShareBounds:
    """The bounds of the true number, both included."""

    low: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedBudget:
    """A budget in a report."""

    total: int
    left: int
    attainment: ShareBounds
    """The bad share of requests, or of periods with data, if the attainment is rounded to its
    digits: 99.9 may be any of 99.8 to 100."""
    expected: ShareBounds
    """The same if all digits of a longer double are reported, as AWS does."""
    status: str
    unit: str


def middle(bounds: ShareBounds) -> tuple[Fraction, Fraction]:
    """Return the middle, and the largest possible distance of the true number: above 0."""
    error = (bounds.high - bounds.low) / 2
    return (bounds.low + bounds.high) / 2, max(error, _FINEST)


def bad_by(attainment: float, most: Fraction | None = None) -> ShareBounds:
    """Return the bad share from an attainment in percent, whose last digit may be inexact.

    Args:
        attainment: the attainment in the report.
        most: its maximum error in percentage points; None: as its digits leave open.
    """
    exponent = Decimal(str(attainment)).as_tuple().exponent
    shown = Fraction(10) ** min(int(exponent), 0)
    error = max(shown if most is None else min(shown, most), _FLOAT)
    bad = ALL - Fraction(str(attainment))
    return ShareBounds(max((bad - error) / ALL, Fraction(0)), (bad + error) / ALL)


def spent_of_time(read: ReportedBudget) -> ShareBounds:
    """Return the share of the budget that is spent.

    In an example of the documentation, neither is a whole number of periods, or of seconds.
    """
    bad = read.total - read.left
    return _spent(ShareBounds(Fraction(max(bad - 1, 0)), Fraction(bad + 1)), read)


def spent_of_requests(read: ReportedBudget) -> ShareBounds:
    """Return the share of the budget that is spent; a whole number of requests has failed.

    The remaining budget is the granted one less the failed requests, and both were rounded alike:
    the difference is exact. If one is rounded down and the other, below zero, up, it is one too
    low; the bounds of the budget include that.
    """
    bad = Fraction(read.total - read.left)
    return _spent(ShareBounds(bad, bad or _HALF), read)


def _spent(bad: ShareBounds, read: ReportedBudget) -> ShareBounds:
    """Divide the bad amount by a budget that differs by less than one from the reported budget."""
    low = bad.low / (read.total + 1)
    high = bad.high / (read.total - 1) if read.total > 1 else None
    if read.left > 0:
        return ShareBounds(low, Fraction(1) if high is None else min(high, Fraction(1)))
    if read.left < 0:
        low = max(low, Fraction(1))
    # A budget that may be almost zero may be spent any number of times.
    return ShareBounds(low, Fraction(10**9) if high is None else max(high, low))
