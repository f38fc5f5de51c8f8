"""The facts about the parts of an expression that count: their kind, labels, sign and time."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass
from gate.promql.syntax import Node, NodeKind
from gate.slo.quantities import parse_duration

RATES: Final = frozenset({"rate"})
COUNTERS: Final = frozenset({"increase", "sum_over_time", "count_over_time"})
LEVELS: Final = frozenset({"avg_over_time"})
"""Means of a gauge: not a number of events, but two of them have a ratio."""
NEVER_NEGATIVE: Final = frozenset({"rate", "increase", "count_over_time"})
LABELLING: Final = frozenset({"label_replace", "label_join", "sort", "sort_desc"})
"""Functions that change labels or the order but no value."""
SORTING: Final = frozenset({"sort", "sort_desc"})
ROUNDING: Final = frozenset({"round", "ceil", "floor"})
ADDING: Final = frozenset({"+", "-"})
ABOVE_ZERO: Final = frozenset({">", ">=", "!="})
MANY_TO_ONE: Final = frozenset({"group_left", "group_right"})
_LATEST: Final = timedelta(hours=1)
"""The longest delay of metrics for which an offset of all of them may wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFacts:
    """The known facts about a count."""

    positive: bool
    """Whether its value is never below 0."""
    labels: frozenset[str] | None = None
    """The labels that its series can have; None: any labels that are stored."""
    replaced: str = ""
    """How the labels were changed."""

    @property
    def single(self) -> bool:
        """Whether it has at most one series."""
        return self.labels == frozenset()

    def grouped(self, node: Node) -> "CountFacts":
        """Return the facts about its sum by some labels, or without some."""
        if "without" in node.words:
            labels = None if self.labels is None else self.labels - node.labels
            return replace(self, labels=labels)
        within = node.labels if self.labels is None else node.labels & self.labels
        return replace(self, labels=within, replaced="")


def is_zero(node: Node) -> bool:
    """Return whether a part is 0 wherever it is present: ``vector(0)``, or 0 times anything."""
    node = node.inner
    zeros = [child.inner.name == "0" for child in node.children]
    if node.kind is NodeKind.CALL:
        return node.name == "vector" and zeros == [True]
    return node.kind is NodeKind.OPERATION and node.name == "*" and any(zeros)


def is_single(zero: Node) -> bool:
    """Return whether a zero has no labels."""
    parts = [part for part in zero.inner.walk() if part.kind is NodeKind.AGGREGATION]
    return zero.inner.kind is NodeKind.CALL or (bool(parts) and not parts[0].words)


def family(call: Node) -> str:
    """Return the kind of number that a function returns; different kinds do not add up."""
    if call.name in LEVELS:
        return "a mean"
    return "a rate" if call.name in RATES else "a count"


def is_now(ranged: Node) -> bool:
    """Return whether a range ends at most an hour before the window's end."""
    if any("@" in part.words for part in ranged.walk()) or ranged.inner is not ranged:
        return False
    if any("offset" in part.words for part in ranged.walk() if part is not ranged):
        return False
    try:
        return not ranged.shift or parse_duration(ranged.shift) <= _LATEST
    except ValueError:
        return False


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text)
    except ValueError:
        return None


def is_weight(node: Node) -> bool:
    """Return whether a part is a number above 0 and at most 1: the weight of an event."""
    number = _number(node.inner.name) if node.inner.kind is NodeKind.NUMBER else None
    return number is not None and 0 < number <= 1
