"""The known facts about the change itself: its files and commits, titles, labels and branch.

Git is asked first, since it costs no round trip; the code host is asked for the rest. Labels and
titles are the current ones if the host can be asked: an event has older ones.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gate.dataclass import dataclass
from gate.decision.decision import Context
from gate.hosts import RestError
from gate.hosts.base import Base, BaseFinder, once_live
from gate.hosts.git import Checkout, GitError
from gate.hosts.pulls import ChangeHost, PullRequest
from gate.hosts.span import Changeset, brings_only, span_since_parting, span_to_ship
from gate.policy.changes import ChangeFacts, ComparedWith, Live

_QUEUE: Final = "merge_group"
_BY_HAND: Final = frozenset({"shell", "none"})
"""The systems without pull requests."""
_MOST_ASKED: Final = 30
"""The maximum number of commits whose pull requests the host is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequests:
    """The pull requests that a change came by."""

    titles: Sequence[str] | None
    labels: Sequence[str] | None
    """The labels of any of them."""
    common: Sequence[str]
    """The labels that each of them has."""
    pulls: tuple[PullRequest, ...] = ()
    """The pull requests as the host reports them; empty: not asked, or the host reports none."""
    whole: bool = True
    """Whether every commit came by one of them."""
    why_not: str = ""
    """The reason why they are unknown."""


@dataclass(slots=True)
class FactFinder:
    """The facts of one run."""

    context: Context
    checkout: Checkout
    host: ChangeHost | None
    """None without a token."""
    bases: BaseFinder

    def __call__(self, live: Live | None) -> ChangeFacts:
        """Return the known facts about the change.

        Args:
            live: the policy's setting for the live commit.
        """
        base = self.bases(live)
        pulls, branch = self._pull_requests(base), self.context.branch
        flaw = self._flaw(base, pulls)
        span = Changeset(None, None, flaw) if flaw else self._changeset(base)
        facts = ChangeFacts(
            paths=span.paths,
            commits=span.commits,
            titles=pulls.titles,
            labels=pulls.labels,
            common_labels=pulls.common,
            sources=tuple((pull.number, pull.head) for pull in pulls.pulls if pulls.whole),
            branches=None if branch is None else (branch,),
            was_live=once_live(base, live, self.host, self._head()) if base.live else "",
            comparison=ComparedWith(
                base=base.commit,
                base_from=base.named_by,
                files=None if span.paths is None else len(span.paths),
                commits=None if span.commits is None else len(span.commits),
            ),
        )
        reasons = {
            **dict.fromkeys(("paths", "commits"), span.why_not),
            **dict.fromkeys(("labels", "titles"), pulls.why_not),
            "branches": f"{self.context.system} does not report it",
        }
        unknown = {name: why for name, why in reasons.items() if getattr(facts, name) is None}
        return replace(facts, unknown=unknown)

    def _flaw(self, base: Base, pulls: PullRequests) -> str:
        """Return the reason why the base in the event does not count; empty: it counts."""
        context = self.context
        if not self._is_pull or context.base_from is not None or base.live:
            return ""
        if not pulls.pulls:
            return pulls.why_not if context.attempt > 1 else ""
        branch = pulls.pulls[0].base_branch
        if context.base_branch in {None, branch}:
            return ""
        return f"the pull request now goes into {branch}, not into {context.base_branch}"

    def _head(self) -> str:
        head = self.context.revision or "HEAD"
        try:
            return self.checkout.commit(head)
        except GitError:
            return head

    def _changeset(self, base: Base) -> Changeset:
        head, reasons = self.context.revision or "HEAD", [base.why_not]
        if base.commit is not None:
            try:
                if base.live:
                    return span_to_ship(self.checkout, base.commit, head)
                into = self.context.base_branch
                return span_since_parting(self.checkout, base.commit, head, into)
            except GitError as error:
                reasons = [str(error)]
        try:
            if self.host is not None and (base.commit is not None or self._is_pull):
                return self._asked_changes(self.host, base, head)
        except RestError as error:
            reasons.append(str(error))
        return Changeset(None, None, "; ".join(reasons))

    @property
    def _is_pull(self) -> bool:
        return self.context.pull_request is not None

    def _asked_changes(self, host: ChangeHost, base: Base, head: str) -> Changeset:
        number = self.context.pull_request
        if number is None or base.live:
            return host.between(base.commit or "", head)
        if host.pull_request(number).head != head:
            raise RestError(f"{head[:12]} is not the newest commit of the pull request any more")
        return host.pull_changes(number)

    def _pull_requests(self, base: Base) -> PullRequests:
        """Return the pull requests of the change, from the host if it can be asked."""
        try:
            if self.host is None:
                return self._told_pulls("there is no token")
            if self.context.pull_request is not None:
                return _together([self.host.pull_request(self.context.pull_request)], whole=True)
            return self._merged_pulls(self.host, base)
        except (RestError, GitError) as error:
            return self._told_pulls(str(error))

    def _told_pulls(self, why_not: str) -> PullRequests:
        """Return the pull request in the event, if the event belongs to this very run."""
        context = self.context
        fresh = self._is_pull and context.attempt == 1
        if context.attempt > 1:
            why_not = f"the event belongs to an earlier run; {why_not}"
        by_hand = context.system in _BY_HAND
        labels = context.labels if fresh else () if by_hand else None
        if labels is None and fresh:
            why_not = f"{context.system} does not report them; {why_not}"
        title = (context.title,) if context.title else ()
        return PullRequests(
            titles=title if fresh or by_hand else None,
            labels=labels,
            common=labels or (),
            whole=fresh,
            why_not=why_not,
        )

    def _merged_pulls(self, host: ChangeHost, base: Base) -> PullRequests:
        """Return the pull requests by which the commits of a deploy or a merge queue came."""
        numbers = self.context.pull_requests
        pulls = {number: host.pull_request(number) for number in numbers}
        if base.commit is None:
            raise GitError(base.why_not)
        start, end = self.checkout.commit(base.commit), self._head()
        listed = self.checkout.plumbing("rev-list", "--first-parent", f"{start}..{end}")
        commits = listed.decode().split()
        if len(commits) > _MOST_ASKED:
            raise GitError(f"{len(commits)} commits are too many to ask the host about")
        queued, whole = self.context.event == _QUEUE, True
        for commit in commits:
            ours = [
                pull
                for pull in host.pull_requests_of(commit)
                # A host takes a merge that somebody made and pushed by hand for a merge of its own.
                if queued or (pull.merged and brings_only(self.checkout, commit, pull.head))
            ]
            # The event of a queue names only the pull request of its last commit.
            whole = whole and (bool(ours) or (queued and commit == end and bool(numbers)))
            pulls |= {pull.number: pull for pull in ours}
        if not whole and queued:
            raise GitError("the host does not list every pull request of the merge queue's group")
        return _together(list(pulls.values()), whole=whole)


def _together(pulls: Sequence[PullRequest], *, whole: bool) -> PullRequests:
    labels = dict.fromkeys(label for pull in pulls for label in pull.labels)
    common = [label for label in labels if all(label in pull.labels for pull in pulls)]
    return PullRequests(
        titles=tuple(pull.title for pull in pulls),
        labels=tuple(labels),
        common=tuple(common) if whole else (),
        pulls=tuple(pulls),
        whole=whole,
    )
