"""Run rules: patterns of points that chance rarely makes. Each is asked about worse values only.

What was written for both sides of the chart is asked about one here, so a false alarm is half as
frequent as published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol


class RunRule(Protocol):
    """A pattern that ends at a point."""

    @property
    def name(self) -> str:
        """With its source."""
        ...

    @property
    def says(self) -> str:
        """What it looks for."""
        ...

    def fires(self, scores: Sequence[float], place: int) -> bool:
        """Return whether the points up to this place make the pattern."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """So many points of the newest ones lie above a line."""

    name: str
    says: str
    least: int
    of: int
    above: float
    """In sigmas."""

    def fires(self, scores: Sequence[float], place: int) -> bool:
        """Return whether the point itself and enough of those before it lie above the line."""
        newest = scores[max(place - self.of + 1, 0) : place + 1]
        above = sum(score > self.above for score in newest)
        return above >= self.least and scores[place] > self.above


@dataclass(frozen=True, slots=True)
class Rise:
    """So many points in a row, each above the one before."""

    name: str
    says: str
    count: int

    def fires(self, scores: Sequence[float], place: int) -> bool:
        """Return whether the row ends at this point."""
        row = scores[max(place - self.count + 1, 0) : place + 1]
        return len(row) == self.count and all(before < after for before, after in pairwise(row))


_LIMIT: Final = Run("Western Electric 1", "a point beyond 3 sigma", 1, 1, 3)


# Western Electric Company, Statistical Quality Control Handbook, 1956, pages 25 to 28.
_WESTERN_ELECTRIC: Final = (
    _LIMIT,
    Run("Western Electric 2", "2 of 3 points beyond 2 sigma", 2, 3, 2),
    Run("Western Electric 3", "4 of 5 points beyond 1 sigma", 4, 5, 1),
    Run("Western Electric 4", "8 points in a row on the worse side", 8, 8, 0),
)


# L. S. Nelson, The Shewhart control chart: tests for special causes, Journal of Quality Technology
# 16(4), 1984. Tests 4 (alternating), 7 (hugging the centre) and 8 (avoiding it) have no worse side.
_NELSON: Final = (
    Run("Nelson 1", "a point beyond 3 sigma", 1, 1, 3),
    Run("Nelson 2", "9 points in a row on the worse side", 9, 9, 0),
    Rise("Nelson 3", "6 points in a row, each worse", 6),
    Run("Nelson 5", "2 of 3 points beyond 2 sigma", 2, 3, 2),
    Run("Nelson 6", "4 of 5 points beyond 1 sigma", 4, 5, 1),
)


RULES: Final[Mapping[str, tuple[RunRule, ...]]] = {
    "limits": (_LIMIT,),
    "western-electric": _WESTERN_ELECTRIC,
    "nelson": _NELSON,
}
"""The sets by name."""


DEFAULT: Final = "limits"
"""Beside an average that sees small shifts. More rules see the smallest sooner, at four times as
many false alarms, and more where neighbours are alike: docs/anomalies.md has both measured."""
