"""The difference of two shares of failures: how far the counts are from one, in standard errors.

The scores are right for rare events, and where nothing failed; an interval holds the differences
that its score does not refuse.
"""

from collections.abc import Callable
from math import sqrt
from typing import Final

from gate.history.cohorts import Table

_HALVINGS: Final = 50
"""They leave as little of an interval of length 1 or 2 as a float can tell."""
Score = Callable[[float], float]
"""Takes an excess; returns by how many standard errors the counts exceed it. It falls."""


def difference_score(table: Table, excess: float) -> float:
    """Return by how many standard errors the group's share exceeds the rest's by more than this.

    The standard error is that of the likeliest shares with this excess, with the factor N/(N - 1),
    so that it is right for rare events, and where nothing failed. Source: O. Miettinen and
    M. Nurminen, "Comparative analysis of two rates", Statistics in Medicine 4 (1985), 213-226.

    Args:
        table: need not be whole; above 0 in total and in rest_total.
        excess: above -1 and below 1.
    """
    rest = _likeliest_rest(table, excess)
    mine = rest + excess
    variance = mine * (1 - mine) / table.total + rest * (1 - rest) / table.rest_total
    apart = table.bad / table.total - table.rest_bad / table.rest_total - excess
    if variance <= 0:
        return 0.0
    # Of a single event on each side, which the design effect may leave, there is no N - 1.
    return apart / sqrt(variance * table.events / max(table.events - 1, 1.0))


def _likeliest_rest(table: Table, excess: float) -> float:
    """Return the likeliest share of the rest, where the group's is larger by the excess.

    The slope of the log-likelihood falls, so halving finds its zero; the cubic equation that it
    comes to loses digits where shares are small.
    """

    def rises(share: float) -> bool:
        mine = share + excess
        parts = (
            (table.bad, mine),
            (table.rest_bad, share),
            (table.bad - table.total, 1 - mine),
            (table.rest_bad - table.rest_total, 1 - share),
        )
        return sum(count / place for count, place in parts if count and place > 0) > 0

    low, high = max(0.0, -excess), min(1.0, 1 - excess)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) else (low, middle)
    return low if low == max(0.0, -excess) else high


def paired_score(pairs: float, candidate_only: float, against_only: float, excess: float) -> float:
    """Return by how many standard errors the difference of paired shares exceeds this.

    Only pairs of which one failed make a difference; the standard error is that of the
    likeliest probabilities with this excess. Source: T. Tango, "Equivalence test and confidence
    interval for the difference in proportions for the paired-sample design", Statistics in Medicine
    17 (1998), 891-908.

    Args:
        pairs: all of them, above 0; no count need be whole.
        candidate_only: the copy alone failed.
        against_only: the original alone failed.
        excess: above -1 and below 1.
    """
    apart = candidate_only - against_only
    b = (2 * pairs - apart) * excess - candidate_only - against_only
    c = -against_only * excess * (1 - excess)
    root = sqrt(max(b * b - 8 * pairs * c, 0.0))
    # Of the two ways to write the root of the quadratic, the one in which nothing cancels.
    likeliest = (root - b) / (4 * pairs) if b <= 0 else -2 * c / (b + root)
    variance = pairs * (2 * likeliest + excess * (1 - excess))
    return (apart - pairs * excess) / sqrt(variance) if variance > 0 else 0.0


def excess_at(score: Score, value: float) -> float:
    """Return the excess at which a score, which falls, has a value."""
    low, high = -1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if score(middle) > value else (low, middle)
    return (low + high) / 2
