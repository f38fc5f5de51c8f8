"""Findings: the outcome of one rule with its evidence. The worst of them is the verdict."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.measure import Cause


class Verdict(StrEnum):
    """Whether the change may ship, in order of severity; `worst` uses this order."""

    ALLOW = "allow"
    WARN = "warn"
    UNDECIDED = "undecided"
    BLOCK = "block"

    @property
    def severity(self) -> int:
        """Its place in the order of severity; higher is worse."""
        return _SEVERITY[self]


_SEVERITY: Final = {verdict: place for place, verdict in enumerate(Verdict)}


class Rule(StrEnum):
    """The kinds of rules that a finding can come from."""

    MEASUREMENT = "measurement"
    """Was the budget measured well enough?"""
    TIER = "tier"
    """Does the worst remaining budget allow this class?"""
    SAMPLES = "samples"
    """Are there enough samples to know the tier?"""
    REQUIREMENT = "requirement"
    """Are the requirements of the tier met?"""
    BURN_RATE = "burn-rate"
    """Is the budget burning too fast right now?"""
    EXHAUSTION = "exhaustion"
    """Will the budget last long enough?"""
    FREEZE = "freeze"
    """Is there a freeze?"""
    POSTMORTEM = "postmortem"
    """Does a costly incident have a reviewed record?"""
    CONTROL_CHART = "control-chart"
    """Do the indicators have their usual values?"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's outcome."""

    rule: Rule
    slo: str | None
    """The SLO that it is about; None: the change as a whole."""
    verdict: Verdict
    reason: str
    """One sentence without a full stop: the number and its threshold."""
    until: datetime | None = None
    """The time when this finding will change by itself; None: unknown."""
    if_calm: bool = False
    """Whether that time holds only if nothing more fails until then, so that it is the earliest."""
    paced: bool = False
    """Whether its future is known if as much fails as in the last 7 days."""
    until_at_pace: datetime | None = None
    """The time when it will change at that pace; None: never at that pace, or unknown."""
    needs_samples: int | None = None
    """How many samples its window needs before time alone can change it; None: it has enough."""
    cause: Cause | None = None
    """The cause of unknown data, for a finding about such data; otherwise None."""
    unchecked: Rule | None = None
    """The rule that could not be checked for that cause; None: the budget itself is unknown."""


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the most severe verdict; undecided without findings, since nothing was proved."""
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.UNDECIDED)
