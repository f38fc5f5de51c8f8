"""Sweep: statuses that no longer hold are decided again, or wait for the next run.

A status never becomes a success with less than ``gate check`` needs: if the class of the change, or
the options of the run, differ from those of the shown decision, it becomes pending.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import field
from http import HTTPStatus
from typing import Final

from gate.analysis.sweep import SweepAct, SweepOptions, SweepReport, SweptStatus
from gate.dataclass import dataclass
from gate.errors import GateError
from gate.hosts import CommitStatus, PostedStatus, RestError
from gate.hosts.identity import StatusLink
from gate.hosts.pulls import OpenPull, newest_of_each
from gate.policy.findings import Verdict
from gate.reporters.commit_status import StatusText, decision_status, question
from gate.wording import describe_time

_NEXT: Final = "the next run decides"


def sweep_statuses(pulls: Sequence[OpenPull], options: SweepOptions) -> SweepReport:
    """Check this gate's statuses of every pull request, and set those that no longer hold.

    A rate limit of the host ends it early; any other failure concerns one pull request.

    Raises:
        RestError: the host does not name the account of this token.
    """
    return _Sweep(options, Counter(pull.revision for pull in pulls)).run(pulls)


@dataclass(slots=True)
class _Sweep:
    options: SweepOptions
    revisions: Counter[str]
    """The number of open pull requests whose newest commit it is, by commit."""
    me: str = ""
    statuses: list[SweptStatus] = field(default_factory=list)

    def run(self, pulls: Sequence[OpenPull]) -> SweepReport:
        self.me, seen, stopped = self.options.host.login(), 0, ""
        for pull in pulls:
            if (stopped := self._full()) or (stopped := self._look_at(pull)):
                break
            seen += 1
        return SweepReport(
            name=self.options.identity.check_name(self.options.services),
            statuses=tuple(self.statuses),
            pulls=len(pulls),
            seen=seen,
            stopped=stopped,
            dry_run=self.options.dry_run,
        )

    def _full(self) -> str:
        done = sum(status.act is SweepAct.SET for status in self.statuses)
        if self.options.most is None or done < self.options.most:
            return ""
        return f"as many statuses are set as this run may set ({done})"

    def _look_at(self, pull: OpenPull) -> str:
        """Handle one pull request; return why the sweep ends here, or nothing."""
        try:
            ours = list(self._ours(pull))
            if not ours:
                self.statuses.append(SweptStatus(pull=pull.number, act=SweepAct.ABSENT))
            for status in ours:
                self.statuses.append(self._swept(pull, status))
        except RestError as error:
            if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                return str(error)
            failed = SweptStatus(pull=pull.number, act=SweepAct.FAILED, reason=str(error))
            self.statuses.append(failed)
        return ""

    def _ours(self, pull: OpenPull) -> Iterator[PostedStatus]:
        """Yield the statuses that this gate has set, also under an earlier name of the service."""
        identity = self.options.identity
        name = identity.check_name(self.options.services)
        for status in newest_of_each(self.options.host.statuses(pull.revision)):
            link = StatusLink.read(status.url)
            named = status.name == name and link is None
            if status.author == self.me and (named or (link and link.gate == identity.digest)):
                yield status

    def _swept(self, pull: OpenPull, status: PostedStatus) -> SweptStatus:
        text, link = StatusText.read(status), StatusLink.read(status.url)
        if text is not None and self._holds(text):
            return SweptStatus(pull=pull.number, act=SweepAct.VALID, before=status.state)
        decided = link is not None and link.question is not None
        if text is None and status.state != "success" and not decided:
            return SweptStatus(pull=pull.number, act=SweepAct.WAITING, before=status.state)
        new = self._decided(pull, status) or self._pending(status, self._age(text))
        if (new.state, new.description) == (status.state, status.description):
            return SweptStatus(pull=pull.number, act=SweepAct.WAITING, before=status.state)
        if not self.options.dry_run:
            self.options.host.set_status(pull.revision, new)
        return SweptStatus(
            pull=pull.number,
            act=SweepAct.SET,
            before=status.state,
            after=new.state,
            reason=new.description,
        )

    def _holds(self, text: StatusText) -> bool:
        left = text.until - self.options.now()
        return text.policies == self.options.policies and (
            0 < left.total_seconds() <= self.options.valid_for.total_seconds()
        )

    def _age(self, text: StatusText | None) -> str:
        """Say why a status does not hold."""
        if text is None:
            return "It is not known when the budget was measured"
        if text.policies != self.options.policies:
            return "The policy has changed"
        late = self.options.now() - text.until
        return f"The decision ended {describe_time(late)} ago"

    def _decided(self, pull: OpenPull, status: PostedStatus) -> CommitStatus | None:
        """Return the status by the current budget; None: this run knows less than the first one."""
        options, link = self.options, StatusLink.read(status.url)
        shared = self.revisions[pull.revision] > 1
        if link is None or link.question is None or shared or pull.base_branch != options.branch:
            return None
        try:
            decision = options.decide(pull)
        except (GateError, LookupError):
            return None
        new = decision_status(decision, options.identity)
        unsure = any(policy.recognition.how == "unknown" for policy in decision.policies)
        same = question(decision, options.identity) == link.question and new.name == status.name
        late = decision.expires_at <= options.now()
        if unsure or late or not same or decision.verdict is Verdict.UNDECIDED:
            return None
        return new

    def _pending(self, status: PostedStatus, reason: str) -> CommitStatus:
        return CommitStatus(
            state="pending",
            name=status.name,
            description=f"{reason}; {_NEXT}" if status.state != "pending" else status.description,
            url=status.url or None,
        )
