"""Showing numbers rounded down: 99.96 % left is never 100 %, a burn rate of 14.399 never 14.40."""

from datetime import UTC, datetime
from fractions import Fraction

from gate.budget.timeslices import describe_time


def percent_left(share: Fraction, places: int = 1) -> str:
    """Write a share as a percentage, rounded down; negative where the budget is overspent."""
    scale = 10**places
    return f"{float(share * 100 * scale // 1) / scale:,.{places}f} %"


def burn_shown(rate: Fraction) -> str:
    """Write a burn rate with two decimals; one that is hardly there is not shown as none."""
    if 0 < rate < Fraction(1, 100):
        return "<0.01"
    return f"{float(rate * 100 // 1) / 100:,.2f}"


def percent_spent(share: Fraction, places: int = 1) -> str:
    """Write what is consumed, at least 0, rounded up, so that with what is left it makes 100 %."""
    return percent_left(-share, places).replace("-", "", 1)


def stretch(start: datetime, end: datetime, *, open_: bool) -> str:
    """Write a stretch of time in UTC, and how long it is, or is already."""
    first, last = (at.astimezone(UTC) for at in (start, end))
    length = describe_time(end - start)
    if open_:
        return f"{first:%Y-%m-%d %H:%M} UTC ({length} so far)"
    to = f"{last:%H:%M}" if last.date() == first.date() else f"{last:%Y-%m-%d %H:%M}"
    return f"{first:%Y-%m-%d %H:%M} to {to} UTC ({length})"


def minute(at: datetime) -> str:
    """Write an instant in UTC to the minute."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
