"""Showing shares: what is left is rounded down, so that 99.96 % is never shown as 100 %."""

from fractions import Fraction


def percent_left(share: Fraction, places: int = 1) -> str:
    """Write a share as a percentage, rounded down; negative where the budget is overspent."""
    scale = 10**places
    return f"{float(share * 100 * scale // 1) / scale:,.{places}f} %"
