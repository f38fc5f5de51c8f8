"""The difference of two shares of failures: the distance of the counts from it, in standard errors.

The scores are valid for rare events and without failures; an interval contains the differences that
its score does not reject.
"""

from collections.abc import Callable
from math import sqrt
from typing import Final

from gate.dataclass import dataclass

_HALVINGS: Final = 50
"""The halvings of an interval of length 1 or 2: the rest is as small as a float can resolve."""
Score = Callable[[float], float]
"""A decreasing function: the number of standard errors by which the counts exceed an excess."""


@dataclass(frozen=True, slots=True)
class Table:
    """The counts of a group and of the rest; they need not be whole numbers."""

    total: float
    bad: float
    rest_total: float
    rest_bad: float

    @property
    def events(self) -> float:
        """The number of events of both."""
        return self.total + self.rest_total

    @property
    def failed(self) -> float:
        """The number of failures of both."""
        return self.bad + self.rest_bad

    def thinned(self, effect: float) -> "Table":
        """Return the counts divided by a design effect."""
        total, bad = self.total / effect, self.bad / effect
        return Table(total, bad, self.rest_total / effect, self.rest_bad / effect)

    def whole(self) -> "Table":
        """Return the counts rounded to whole numbers, with at least one event in each group."""
        total, rest_total = max(round(self.total), 1), max(round(self.rest_total), 1)
        bad, rest_bad = min(round(self.bad), total), min(round(self.rest_bad), rest_total)
        return Table(total, bad, rest_total, rest_bad)


def difference_score(table: Table, excess: float) -> float:
    """Return by how many standard errors the difference of the shares exceeds this excess.

    The standard error is that of the most likely shares with this excess, with the factor N/(N -
    1), so that it is valid for rare events and without failures. Source: O. Miettinen and M.
    Nurminen, "Comparative analysis of two rates", Statistics in Medicine 4 (1985), 213-226.

    Args:
        table: the counts, not necessarily whole; total and rest_total are above 0.
        excess: above -1 and below 1.
    """
    rest = _likeliest_rest(table, excess)
    mine = rest + excess
    variance = mine * (1 - mine) / table.total + rest * (1 - rest) / table.rest_total
    apart = table.bad / table.total - table.rest_bad / table.rest_total - excess
    if variance <= 0:
        return 0.0
    # With one event on each side, which the design effect may leave, N - 1 is not usable.
    return apart / sqrt(variance * table.events / max(table.events - 1, 1.0))


def _likeliest_rest(table: Table, excess: float) -> float:
    """Return the most likely share of the rest, if the group's share is larger by the excess.

    The slope of the log-likelihood decreases, so bisection finds its zero; the equivalent cubic
    equation loses digits if shares are small.
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

    Only pairs with one failure make a difference; the standard error is that of the most likely
    probabilities with this excess. Source: T. Tango, "Equivalence test and confidence interval for
    the difference in proportions for the paired-sample design", Statistics in Medicine 17 (1998),
    891-908.

    Args:
        pairs: the number of all pairs, above 0; no count need be whole.
        candidate_only: the pairs in which only the copy failed.
        against_only: the pairs in which only the original failed.
        excess: above -1 and below 1.
    """
    apart = candidate_only - against_only
    b = (2 * pairs - apart) * excess - candidate_only - against_only
    c = -against_only * excess * (1 - excess)
    root = sqrt(max(b * b - 8 * pairs * c, 0.0))
    # Of the two forms of the quadratic's root, this is the one without cancellation.
    likeliest = (root - b) / (4 * pairs) if b <= 0 else -2 * c / (b + root)
    variance = pairs * (2 * likeliest + excess * (1 - excess))
    return (apart - pairs * excess) / sqrt(variance) if variance > 0 else 0.0


def excess_at(score: Score, value: float) -> float:
    """Return the excess at which a decreasing score has a value."""
    low, high = -1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if score(middle) > value else (low, middle)
    return (low + high) / 2
