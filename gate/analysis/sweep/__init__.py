"""A sweep over the open pull requests: the commit statuses that no longer hold."""

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
"""A function that decides on a pull request, by budgets that were measured once.

Raises:
    GateError: it cannot decide.
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
    """None: it was not changed."""
    reason: str = ""
    """The reason for the new state, or the failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepReport:
    """The outcome of a sweep."""

    name: str
    """The name of the status."""
    statuses: tuple[SweptStatus, ...]
    pulls: int
    """The number of open pull requests."""
    seen: int
    """The number of these that were handled completely."""
    stopped: str = ""
    """The reason why the others were not checked; empty: all were checked."""
    dry_run: bool = False

    def count(self, act: SweepAct) -> int:
        """Return the number of statuses with this outcome."""
        return sum(status.act is act for status in self.statuses)

    @property
    def exit_code(self) -> ExitCode:
        """Allow if everything was done, otherwise undecided; verdicts do not matter."""
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
    """The `policies_hash` of the current policies."""
    valid_for: timedelta
    """The time for which a decision by these policies holds."""
    branch: str | None
    """The branch with these policies; changes into another branch are not decided. None:
    unknown."""
    decide: DecideOn
    now: Callable[[], datetime]
    dry_run: bool = False
    most: int | None = None
    """The maximum number of statuses to set; None: unlimited."""
