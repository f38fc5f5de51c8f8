"""The result of comparing a group with the rest, and whether it differs by definition."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.history.cohorts.ratios import LEVEL, Method
from gate.slo.indicator import Sli


class ComparisonOutcome(StrEnum):
    """The result of a comparison. The names are part of the JSON report."""

    WORSE = "worse"
    """It fails more often; within the strata, too, if there are strata."""
    BETTER = "better"
    MIX = "mix"
    """It differs only by its mix: it has more of another kind of traffic."""
    REVERSED = "reversed"
    """It differs, but in the opposite direction within the strata."""
    HIDDEN = "hidden"
    """It does not differ in total, but it does within the strata."""
    UNSURE = "unsure"
    """It differs, but whether the mix is the reason is unknown."""
    NONE = "none"
    """No difference was seen, which does not prove that none exists."""
    NOT_COMPARED = "not-compared"
    """Too few events for a comparison."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """The difference between a group and the rest."""

    ratio: float | None
    """Its failure ratio relative to the rest's; infinite: the rest never fails; None: no
    failures."""
    interval: tuple[float, float]
    """The 95% interval of this ratio, without correction for other comparisons."""
    probability: float
    """The probability of seeing at least this difference if none exists."""
    adjusted: float
    """The probability, adjusted for all comparisons together."""
    method: Method
    effect: float
    """The design effect: the factor by which the counts were divided, since failures come in
    bursts."""

    @property
    def seen(self) -> bool:
        """Whether the difference is significant for all comparisons together."""
        return self.adjusted <= LEVEL

    def holds(self, ratio: float | None) -> bool:
        """Return whether a ratio is within the interval."""
        low, high = self.interval
        return ratio is not None and low <= ratio <= high


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A group beside the rest, or beside the baseline."""

    outcome: ComparisonOutcome
    why: str = ""
    """The reason if it was not compared."""
    crude: Contrast | None = None
    """All events, as if both had the same distribution over time; None: it was not compared."""
    plain: float | None = None
    """The ratio of all events with their own distribution over time; None as in `Contrast`."""
    within: Contrast | None = None
    """Events within the strata; None: not examined, or too few."""
    stratified: bool = False
    """Whether it was to be compared within strata."""
    apart: bool = False
    """Whether both had events in too few common steps, so that all events were compared as they
    came."""
    rest: float = 0.0
    """The failure ratio of the other group, distributed over time like this group."""
    detectable: float | None = None
    """The smallest failure ratio above that one that would be significant; None: none would."""

    @property
    def timing(self) -> bool:
        """Whether the distribution over time matters: without correction the ratio is another."""
        return (
            self.crude is not None and self.plain is not None and not self.crude.holds(self.plain)
        )

    @property
    def detectable_ratio(self) -> float | None:
        """The detectable ratio relative to the other group's; None: no ratio is detectable."""
        return self.detectable / self.rest if self.detectable is not None and self.rest else None


_NAME: Final = re.compile(r"[A-Za-z_][\w.]*(?!\s*\()\b")
_VALUES: Final = re.compile(r"'[^']*'|(?:=~|!~|!=|=)\s*\"(?:[^\"\\\\]|\\\\.)*\"")
"""String literals: in SQL in single quotes, in PromQL after an operator."""
_KEYWORDS: Final = frozenset(
    {
        *("and", "or", "not", "in", "is", "null", "like", "ilike", "between", "true", "false"),
        *("case", "when", "then", "else", "end", "cast", "as", "distinct", "from"),
    }
)


def is_part_of_bad(by: str, sli: Sli) -> bool:
    """Return whether a label, column or expression is part of what makes an event bad.

    It is if one of its names selects the bad (or the good) events and does not select all events.
    """
    histogram = sli.histogram
    every = [sli.total, histogram.total if histogram else None]
    parted = [sli.bad, sli.good, sli.column, histogram.good if histogram else None]
    return bool(_names([by]) & (_names(parted) - _names(every)))


def _names(texts: Iterable[str | None]) -> set[str]:
    each = (_NAME.findall(_VALUES.sub(" ", text)) for text in texts if text is not None)
    return {name for names in each for name in names if name.lower() not in _KEYWORDS}


def always_or_never(shares: Iterable[float]) -> bool:
    """Return whether each failure ratio is 0 or 1, and both values occur.

    The extrapolation of a server may be wrong by less than a millionth.
    """
    return {round(share, 6) for share in shares} == {0.0, 1.0}
