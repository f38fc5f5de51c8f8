"""What can be said of a group beside the rest, and whether it is so by definition."""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.history.cohorts.ratios import LEVEL, Method
from gate.slo.indicator import Sli


class ComparisonOutcome(StrEnum):
    """What can be said of a group. The names are part of the JSON report."""

    WORSE = "worse"
    """It fails more often; also within the strata, where these were looked at."""
    BETTER = "better"
    MIX = "mix"
    """It differs, but not from what is alike: it has more of another kind of traffic."""
    REVERSED = "reversed"
    """It differs, and from what is alike the other way."""
    HIDDEN = "hidden"
    """On the whole it does not differ, but from what is alike it does."""
    UNSURE = "unsure"
    """It differs, and whether that is the mix is not known."""
    NONE = "none"
    """No difference was seen, which is not to say that there is none."""
    NOT_COMPARED = "not-compared"
    """There is too little to compare it by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """How a group compares with the rest."""

    ratio: float | None
    """How many times as often it fails; infinite: the rest never does; None: nothing failed."""
    interval: tuple[float, float]
    """95%, of this ratio by itself."""
    probability: float
    """The probability of a difference at least so large where there is none."""
    adjusted: float
    """The same, for all comparisons together."""
    method: Method
    effect: float
    """The design effect: by how much the counts were divided, since failures come in bursts."""

    @property
    def seen(self) -> bool:
        """Whether there is a difference that all the comparisons together do not explain."""
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
    """Of what was not compared."""
    crude: Contrast | None = None
    """All events, as if both had been spread over time alike; given unless it was not compared."""
    plain: float | None = None
    """The ratio of all events as they came; None as in `Contrast`."""
    within: Contrast | None = None
    """Events that are alike; None: not checked, or too few."""
    stratified: bool = False
    """Whether it was to be looked at within strata."""
    apart: bool = False
    """They had events in too few steps together, so all of both was compared as it came."""
    rest: float = 0.0
    """The share of failures of what it is compared with, spread over time as the group is."""
    detectable: float | None = None
    """The smallest share of failures above that one that would show; None: none would."""

    @property
    def timing(self) -> bool:
        """Whether it matters when the events came: as they came, the ratio is another."""
        return (
            self.crude is not None and self.plain is not None and not self.crude.holds(self.plain)
        )

    @property
    def detectable_ratio(self) -> float | None:
        """The same as a ratio to what it is compared with; None: there is none to that."""
        return self.detectable / self.rest if self.detectable is not None and self.rest else None


_NAME: Final = re.compile(r"[A-Za-z_][\w.]*(?!\s*\()\b")
_VALUES: Final = re.compile(r"'[^']*'|(?:=~|!~|!=|=)\s*\"(?:[^\"\\\\]|\\\\.)*\"")
"""Strings: in SQL in single quotes, in PromQL after an operator."""
_KEYWORDS: Final = frozenset(
    {
        *("and", "or", "not", "in", "is", "null", "like", "ilike", "between", "true", "false"),
        *("case", "when", "then", "else", "end", "cast", "as", "distinct", "from"),
    }
)


def is_part_of_bad(by: str, sli: Sli) -> bool:
    """Return whether a label, column or expression has a part in what makes an event bad.

    So it has where a name of it stands in what selects the bad (or the good) events and not in what
    selects all of them.
    """
    histogram = sli.histogram
    every = [sli.total, histogram.total if histogram else None]
    parted = [sli.bad, sli.good, sli.column, histogram.good if histogram else None]
    return bool(_names([by]) & (_names(parted) - _names(every)))


def _names(texts: Iterable[str | None]) -> set[str]:
    each = (_NAME.findall(_VALUES.sub(" ", text)) for text in texts if text is not None)
    return {name for names in each for name in names if name.lower() not in _KEYWORDS}


def always_or_never(shares: Iterable[float]) -> bool:
    """Return whether each share of failures is none or all, and there are both.

    What a server extrapolates may be off by less than a millionth.
    """
    return {round(share, 6) for share in shares} == {0.0, 1.0}
