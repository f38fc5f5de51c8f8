"""The budget as a share of events.

Sources: Site Reliability Workbook, chapter 5 (burn rate); OpenSLO (composite, Occurrences).
"""

from fractions import Fraction


def burn_rate(total: Fraction, bad: Fraction, budget: Fraction) -> Fraction:
    """Return how many times too fast the budget is being spent: (bad / total) / b, at least 0.

    1 spends the budget exactly in one SLO window. ``total`` and ``budget`` must be above 0.
    """
    return bad / (budget * total)


def composite_consumed(parts: list[tuple[Fraction, Fraction]]) -> Fraction:
    """Add up weight x consumed over the members; the weights need not add up to 1."""
    return sum((weight * share for weight, share in parts), Fraction(0))
