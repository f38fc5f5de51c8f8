"""Showing numbers rounded down: 99.96 % left is never 100 %, a burn rate of 14.399 never 14.40."""

from fractions import Fraction


def percent_left(share: Fraction, places: int = 1) -> str:
    """Write a share as a percentage, rounded down; negative where the budget is overspent."""
    scale = 10**places
    return f"{float(share * 100 * scale // 1) / scale:,.{places}f} %"


def burn_shown(rate: Fraction) -> str:
    """Write a burn rate with two decimals; one that is hardly there is not shown as none."""
    if 0 < rate < Fraction(1, 100):
        return "<0.01"
    return f"{float(rate * 100 // 1) / 100:,.2f}"
