"""A code host whose answers about changes a test chooses."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from gate.hosts import RestError
from gate.hosts.pulls import Deployed, PullRequest
from gate.hosts.span import Changeset

Answer = TypeVar("Answer")
HEAD = "c" * 40


def pull(number: int = 7, *labels: str, title: str = "x", merged: bool = False) -> PullRequest:
    return PullRequest(
        number=number, title=title, labels=labels, head=HEAD, base_branch="main", merged=merged
    )


@dataclass(slots=True)
class Host:
    """The host's answers; a request without one is refused."""

    pulls: dict[int, PullRequest] = field(default_factory=dict)
    of_commits: dict[str, Sequence[PullRequest]] | None = None
    changeset: Changeset | None = None
    deployed: dict[str, Deployed | None] = field(default_factory=dict)
    was: dict[tuple[str, str], datetime | None] = field(default_factory=dict)
    back: bool | None = None
    seen: list[str] = field(default_factory=list)

    def pull_request(self, number: int) -> PullRequest:
        return self._answer("pull_request", lambda: self.pulls[number])

    def pull_requests_of(self, revision: str) -> Sequence[PullRequest]:
        return self._answer("pull_requests_of", lambda: (self.of_commits or {})[revision])

    def pull_changes(self, number: int) -> Changeset:
        return self._answer(f"pull_changes {number}", lambda: {True: self.changeset}[True])

    def between(self, live: str, head: str) -> Changeset:
        return self._answer(f"between {live} {head}", lambda: self.changeset)

    def goes_back(self, live: str, head: str) -> bool:
        return self._answer(f"goes_back {live} {head}", lambda: self.back)

    def live(self, environment: str) -> Deployed | None:
        self.seen.append("live")
        if environment not in self.deployed:
            raise RestError("cannot live: 403")
        return self.deployed[environment]

    def was_live(self, environment: str, revision: str) -> datetime | None:
        return self._answer("was_live", lambda: self.was[environment, revision])

    def _answer(self, what: str, question: Callable[[], Answer | None]) -> Answer:
        self.seen.append(what)
        try:
            answer = question()
        except KeyError:
            answer = None
        if answer is None:
            raise RestError(f"cannot {what.split(maxsplit=1)[0]}: 403")
        return answer
