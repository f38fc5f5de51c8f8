"""Going over the open pull requests: which commit statuses hold no longer, and what follows."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from gate.dataclass import dataclass
from gate.decision.decision import Decision
from gate.errors import ExitCode
from gate.hosts import State
from gate.hosts.identity import GateIdentity
from gate.hosts.pulls import OpenPull, StatusHost

DecideOn = Callable[[OpenPull], Decision]
"""Decides on a pull request, by budgets that were measured once.

Raises:
    GateError: it cannot.
"""


class SweepAct(StrEnum):
    """The outcome for a status."""

    SET = "set"
    VALID = "still valid"
    WAITING = "no verdict, so nothing to take back"
    ABSENT = "no status of this gate"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptStatus:
    """The outcome for a status of one pull request."""

    pull: int
    act: SweepAct
    before: State | None = None
    """None: the pull request has no such status."""
    after: State | None = None
    """None: it was left as it is."""
    reason: str = ""
    """The reason for the new state, or the failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """The outcome of a sweep."""

    name: str
    """The name of the status."""
    statuses: tuple[SweptStatus, ...]
    pulls: int
    """That are open."""
    seen: int
    """The number of these that were handled completely."""
    stopped: str = ""
    """The reason why the others were not checked; empty: all were."""
    dry_run: bool = False

    def count(self, act: SweepAct) -> int:
        """Return how many statuses had this fate."""
        return sum(status.act is act for status in self.statuses)

    @property
    def exit_code(self) -> ExitCode:
        """Allow where everything was done, else undecided; no verdict has a part in it."""
        whole = self.seen == self.pulls and not self.count(SweepAct.FAILED)
        return ExitCode.ALLOW if whole else ExitCode.UNDECIDED


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepOptions:
    """The statuses that are swept, and how they are decided."""

    host: StatusHost
    identity: GateIdentity
    services: Sequence[str]
    """The services of the policies, in the order of the identity's paths."""
    policies: str
    """`policies_hash` of the policies as they count now."""
    valid_for: timedelta
    """How long a decision by these policies holds."""
    branch: str | None
    """That has these policies; what goes into another is not decided on. None: it is not known."""
    decide: DecideOn
    now: Callable[[], datetime]
    dry_run: bool = False
    most: int | None = None
    """Statuses that are set at most; None: all that need it."""
