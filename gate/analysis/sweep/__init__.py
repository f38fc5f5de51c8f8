"""A sweep over the open pull requests: the commit statuses that no longer hold."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from gate.dataclass import dataclass
from gate.decision.decision import Decision
from gate.errors import ExitCode
from gate.hosts import State
from gate.hosts.identity import GateIdentity
from gate.hosts.pulls import OpenPull, StatusHost
from gate.reporters.escape import plain

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


def sweep_lines(report: SweepReport) -> Iterator[str]:
    """Yield a line for each status that was set or failed, and the totals at the end.

    Each is one line, whatever foreign texts contain.
    """
    for status in report.statuses:
        if status.act is SweepAct.SET:
            yield plain(f"#{status.pull}: {status.before} -> {status.after}: {status.reason}")
        elif status.act is SweepAct.FAILED:
            yield plain(f"#{status.pull}: failed: {status.reason}")
    yield plain(f"{report.name}: {', '.join(_parts(report))}")
    if report.stopped:
        left = report.pulls - report.seen
        yield plain(f"Stopped early, {left} not checked: {report.stopped}. Run it again later.")


def _parts(report: SweepReport) -> Iterator[str]:
    yield f"{report.pulls} open, {report.seen} checked"
    would = "would be set" if report.dry_run else "set"
    yield f"{report.count(SweepAct.SET)} {would}"
    skipped = (SweepAct.VALID, SweepAct.WAITING, SweepAct.ABSENT)
    yield f"{sum(report.count(act) for act in skipped)} skipped ({_skipped(report)})"
    yield f"{report.count(SweepAct.FAILED)} failed"


def _skipped(report: SweepReport) -> str:
    acts = (SweepAct.VALID, SweepAct.WAITING, SweepAct.ABSENT)
    return ", ".join(f"{report.count(act)} {act}" for act in acts)
