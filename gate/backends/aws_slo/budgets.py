"""The range that the whole numbers of a budget report leave open, in exact arithmetic.

A report has the budget, and what is left of it, as whole numbers of seconds or requests, and does
not say how they were rounded: what they stand for is less than one away. The budget of requests is
the share that the goal grants of the requests so far:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-ServiceLevelObjectives.html#CloudWatch-ServiceLevelObjectives-budget-request
"""

from decimal import Decimal
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass

_HALF: Final = Fraction(1, 2)
_FLOAT: Final = Fraction(1, 100_000)
"""Percentage points by which an attainment may be off however many digits it has: the documentation
shows one that was computed with the seven digits of a small floating-point number."""
POINT: Final = Fraction(1, 100)
"""The precision of an attainment, in percentage points; or a tenth of the budget."""
ALL: Final = 100
"""Percent."""
_FINEST: Final = Fraction(1, 10**12)


@dataclass(frozen=True, slots=True)
class ShareBounds:
    """The numbers between which the true one is, both included."""

    low: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedBudget:
    """A budget as a report has it."""

    total: int
    left: int
    attainment: ShareBounds
    """The bad share of requests, or of periods with data, if the attainment is rounded to the
    digits that it has: 99.9 may be any of 99.8 to 100."""
    expected: ShareBounds
    """The same, if a double with more digits is reported with all of them, as AWS does."""
    status: str
    unit: str


def middle(bounds: ShareBounds) -> tuple[Fraction, Fraction]:
    """Return the middle, and how far the true number may be from it: above 0."""
    error = (bounds.high - bounds.low) / 2
    return (bounds.low + bounds.high) / 2, max(error, _FINEST)


def bad_by(attainment: float, most: Fraction | None = None) -> ShareBounds:
    """Return the bad share by an attainment in percent, which may be off in its last digit.

    Args:
        attainment: of the report.
        most: percentage points by which it is off at most; None: as many as its digits leave open.
    """
    exponent = Decimal(str(attainment)).as_tuple().exponent
    shown = Fraction(10) ** min(int(exponent), 0)
    error = max(shown if most is None else min(shown, most), _FLOAT)
    bad = ALL - Fraction(str(attainment))
    return ShareBounds(max((bad - error) / ALL, Fraction(0)), (bad + error) / ALL)


def spent_of_time(read: ReportedBudget) -> ShareBounds:
    """Return the share of the budget that is spent.

    The documentation has an example in which neither is a whole number of periods, or of seconds.
    """
    bad = read.total - read.left
    return _spent(ShareBounds(Fraction(max(bad - 1, 0)), Fraction(bad + 1)), read)


def spent_of_requests(read: ReportedBudget) -> ShareBounds:
    """Return the share of the budget that is spent; what has failed is a whole number of requests.

    What is left is what is granted less what has failed, and both were rounded alike: the
    difference is exact. Where the one is rounded down and the other, below zero, up, it is one too
    little; the bounds of the budget hold that, too.
    """
    bad = Fraction(read.total - read.left)
    return _spent(ShareBounds(bad, bad or _HALF), read)


def _spent(bad: ShareBounds, read: ReportedBudget) -> ShareBounds:
    """Divide what was bad by a budget that is less than one away from the reported budget."""
    low = bad.low / (read.total + 1)
    high = bad.high / (read.total - 1) if read.total > 1 else None
    if read.left > 0:
        return ShareBounds(low, Fraction(1) if high is None else min(high, Fraction(1)))
    if read.left < 0:
        low = max(low, Fraction(1))
    # Of a budget that may be nearly nothing, any number of times may be spent.
    return ShareBounds(low, Fraction(10**9) if high is None else max(high, low))
