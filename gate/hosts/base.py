"""The base of a change: that of a pull request, or the commit that is live in an environment."""

import posixpath
from collections.abc import Callable, Sequence
from pathlib import Path
from re import compile as compiled
from typing import Final

from gate import wording
from gate.dataclass import dataclass
from gate.decision.decision import Context
from gate.git.objects import NoPathError
from gate.hosts import RestError
from gate.hosts.git import Checkout, GitError
from gate.hosts.pinning.places import parts_inside
from gate.hosts.pulls import ChangeHost
from gate.policy.changes import Live

_COMMIT: Final = compiled(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LONGEST: Final = 4_096
"""The maximum number of characters in a file with a commit."""
_SYSTEMS: Final = {"github-deployments": "github", "gitlab-environments": "gitlab"}
_TOKEN: Final = {
    "github-deployments": "GITHUB_TOKEN with deployments: read",
    "gitlab-environments": "GITLAB_TOKEN with the scope read_api",
}
Allowed = Callable[[], Sequence[str]]
"""A function that returns the commits whose deploy was allowed, from the log of decisions.

Raises:
    LookupError: no log can be used; the text says why.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The commit that a change is compared with."""

    commit: str | None
    """A commit or a branch; None: unknown."""
    named_by: str
    """``--base``, ``the pull request``, ``github-deployments: production``, ``--record``."""
    why_not: str = ""
    """The reason why it is unknown."""
    live: bool = False
    """Whether it is the live commit, not only the start of a branch."""


@dataclass(frozen=True, slots=True)
class BaseFinder:
    """The facts of one run."""

    context: Context
    checkout: Checkout
    host: ChangeHost | None
    """None without a token."""
    allowed: Allowed

    def __call__(self, live: Live | None) -> Base:
        """Return the base of the change of this run.

        Args:
            live: the setting of the policy; it counts if neither a pull request nor a user names a
                base.
        """
        context = self.context
        if context.base is not None:
            # In a run by hand, a branch means where the change began, and a commit what is live.
            stated = context.base_from is not None and context.pull_request is None
            live_now = stated and _COMMIT.fullmatch(context.base) is not None
            named_by = context.base_from or "the event"
            return Base(commit=context.base, named_by=named_by, live=live_now)
        if live is None:
            return self._allowed()
        try:
            commit, why_not = self._live(live), ""
        except (LookupError, GitError) as error:
            commit, why_not = None, str(error)
        return Base(commit=commit, named_by=str(live), why_not=why_not, live=True)

    def _live(self, live: Live) -> str:
        if live.kind == "file":
            return self._written(live.place)
        if self.host is None or _SYSTEMS[live.kind] != self.context.system:
            raise LookupError(f"cannot ask what is live: it needs {_TOKEN[live.kind]}")
        deployed = self.host.live(live.place)
        if deployed is None:
            raise LookupError(
                f"nothing was ever deployed to {live.place}; name a base or the class"
            )
        return deployed.revision

    def _written(self, place: str) -> str:
        if belongs_to(self.checkout, place):
            raise LookupError(f"{place} belongs to the change, which may not say what is live")
        try:
            with Path(self.checkout.folder, place).open(encoding="ascii") as file:
                text = file.read(_LONGEST)
        except (OSError, UnicodeDecodeError) as error:
            raise LookupError(
                f"{place}, which should say what is live, cannot be read: {error}"
            ) from error
        commit = text.strip()
        if len(text) == _LONGEST or not _COMMIT.fullmatch(commit):
            raise LookupError(
                f"{place} does not say what is live: it must hold a commit's full hash"
            )
        return commit

    def _allowed(self) -> Base:
        """Return the newest ancestor whose deploy this gate has allowed."""
        named_by = "the decisions that this gate has recorded"
        try:
            allowed = frozenset(self.allowed())
            head = self.checkout.commit(self.context.revision or "HEAD")
            for commit in self.checkout.plumbing("rev-list", head).decode().split():
                if commit in allowed and commit != head:
                    return Base(commit=commit, named_by=named_by, live=True)
            why_not = "none of the commits before this one was allowed"
        except (LookupError, GitError) as error:
            why_not = str(error)
        why_not = (
            f"it is not known what is live ({why_not}); set live: in the policy, or name a base"
        )
        return Base(commit=None, named_by=named_by, why_not=why_not)


def belongs_to(checkout: Checkout, place: str) -> bool:
    """Return whether a file comes from the commit of the checkout, or is reached through its links.

    Raises:
        GitError: git does not answer.
    """
    parts = parts_inside(checkout.folder / place, checkout.repository.top)
    if parts is None:
        return False
    try:
        entry, path = checkout.objects.resolve(checkout.head(), parts)
    except NoPathError:
        return True
    name = posixpath.normpath("/".join(parts))
    top = checkout.repository.top
    on_the_way = [top / name, *(top / name).parents]
    if any(part.is_symlink() for part in on_the_way if part != top and part.is_relative_to(top)):
        return True
    return entry is not None or "/".join(path) != name or checkout.repository.stages(name)


def once_live(base: Base, live: Live | None, host: ChangeHost | None, head: str) -> str:
    """Return when a commit was live before the live one, which is built on it; empty: it was not.

    A deploy of such a commit is a rollback, whatever its files and messages say. A commit that is
    newer than the live one is not a rollback, even if somebody deployed it as a trial.
    """
    if base.commit is None or live is None or host is None or live.kind == "file":
        return ""
    try:
        at = host.was_live(live.place, head)
        if at is None or not host.goes_back(base.commit, head):
            return ""
    except RestError:
        return ""
    return f"{head[:12]} went live in {live.place} at {wording.instant(at)}"
