"""Findings: one rule's outcome with its evidence. The worst of them is the verdict."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.measure import Cause


class Verdict(StrEnum):
    """May the change ship? In order of severity; `worst` goes by it."""

    ALLOW = "allow"
    WARN = "warn"
    UNDECIDED = "undecided"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """Its place in the order of severity; the higher the worse."""
        return _SEVERITY[self]


_SEVERITY: Final = {verdict: place for place, verdict in enumerate(Verdict)}


class Rule(StrEnum):
    """The kinds of rule a finding can come from."""

    MEASUREMENT = "measurement"
    """Was the budget measured well enough?"""
    TIER = "tier"
    """Does the worst remaining budget allow this class?"""
    SAMPLES = "samples"
    """Are there enough samples to tell the tier?"""
    REQUIREMENT = "requirement"
    """Has what the tier requires been done?"""
    BURN_RATE = "burn-rate"
    """Is the budget burning too fast right now?"""
    EXHAUSTION = "exhaustion"
    """Does the budget last for a while?"""
    FREEZE = "freeze"
    """Is the calendar closed?"""
    POSTMORTEM = "postmortem"
    """Is what a costly incident taught written down?"""
    CONTROL_CHART = "control-chart"
    """Are the indicators what they usually are?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's outcome."""

    rule: Rule
    slo: str | None
    """The SLO it is about; None where it is about the change as a whole."""
    verdict: Verdict
    reason: str
    """One sentence without a full stop: which number against which threshold."""
    until: datetime | None = None
    """When this finding will change by itself; None: not known."""
    if_calm: bool = False
    """Whether that holds only if nothing more fails until then, so that it is the earliest."""
    paced: bool = False
    """Whether its future is known if as much fails as in the last 7 days."""
    until_at_pace: datetime | None = None
    """When it will change then; None: not at that pace, or that is not known."""
    needs_samples: int | None = None
    """How many samples its window must have before time alone can change it; None: it has them."""
    cause: Cause | None = None
    """The reason why something is not known, where the finding is about that; None: it is not."""
    unchecked: Rule | None = None
    """The rule that could not be checked for that cause; None: the budget itself is not known."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the most severe; an empty list is undecided, since nothing was proved."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.UNDECIDED)
