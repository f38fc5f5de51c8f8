"""The commit that counts: the current version of a branch, or a commit that somebody named."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gate.dataclass import dataclass
from gate.errors import UndecidedError, UsageError
from gate.git import GitError
from gate.git.repository import FULL_HASH
from gate.hosts.pinning import REMEDY, Wanted
from gate.hosts.pinning.sources import Sources

HEADS: Final = "refs/heads/"
TAGS: Final = "refs/tags/"
_NO_NAME: Final = re.compile(
    r"^[-/.@]|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|[/.]$|\.lock$|/\.|^$|^([a-z_]+_)?head$",
    re.IGNORECASE,
)
"""Names that are not valid refs (https://git-scm.com/docs/git-check-ref-format) or that git reads
otherwise."""


@dataclass(frozen=True, slots=True)
class Pinned:
    """The commit whose policy counts."""

    commit: str
    name: str
    """The name for people: ``main``."""
    note: str = ""
    """A note on how it was found; empty: no note."""


@dataclass(frozen=True, slots=True)
class CommitFinder:
    """A search for the commit that counts, for one checkout of a run."""

    sources: Sources

    def counting(self, wanted: Wanted) -> Pinned:
        """Return the commit that counts, by the subject of the run.

        Raises:
            UndecidedError: neither git nor the code host knows it.
        """
        if wanted.commit is not None:
            return Pinned(wanted.commit, wanted.branch or wanted.commit)
        if wanted.goes_in:
            wanted = self._confirmed(wanted)
        try:
            branch = wanted.branch or self._default_branch()
        except UndecidedError:
            if wanted.usual_commit is None:
                raise
            note = "it is not known which branch is the default, so the branch of the run counts"
            return Pinned(wanted.usual_commit, "the branch of the run", note)
        try:
            commit = self._on_server([HEADS + branch]).get(HEADS + branch)
        except LookupError as error:
            if wanted.event_commit is None:
                raise _undecided(f"the current commit of {branch} is not known: {error}") from error
            note = f"{branch} is read as it was when the run began, since {error}"
            return Pinned(wanted.event_commit, branch, note)
        if commit is None:
            raise _undecided(f"there is no branch {branch!r} on the server")
        return Pinned(commit, branch)

    def named(self, ref: str) -> Pinned:
        """Return the commit that somebody named.

        Args:
            ref: a full hash, a ref (``refs/heads/main``), or the plain name of a branch or tag.

        Raises:
            UsageError: it is none of these.
            UndecidedError: the commit does not exist, or the name is ambiguous.
        """
        if FULL_HASH.fullmatch(ref):
            return Pinned(ref, ref)
        if _NO_NAME.search(ref):
            raise UsageError(
                f"{ref!r} is not a valid ref of a policy; give a branch, a tag,"
                " refs/..., or the full hash of a commit"
            )
        plain = not ref.startswith("refs/")
        commits = self._everywhere([HEADS + ref, TAGS + ref] if plain else [ref])
        distinct = set(commits.values())
        if len(distinct) > 1:
            listed = "; ".join(f"{name} is {commit[:12]}" for name, commit in commits.items())
            raise UndecidedError(f"{ref!r} means several commits: {listed}. Name one by its hash")
        if not distinct:
            raise UndecidedError(
                f"there is no branch or tag {ref!r} in the repository of the run. Set the"
                " policy's ref to another"
            )
        return Pinned(distinct.pop(), ref)

    def _confirmed(self, wanted: Wanted) -> Wanted:
        """Ask the host for the current target of the pull requests: an event may be outdated."""
        context, host = self.sources.context, self.sources.host
        if wanted.pulls and host is not None:
            try:
                branches = {host.base_branch(number) for number in wanted.pulls}
            except LookupError as error:
                if wanted.branch is None or context.attempt > 1:
                    raise _undecided(f"where the change goes is not known: {error}") from error
                return wanted
            return _going_to(branches, wanted)
        # An old event may name a branch of the author's own, but nobody can choose the default
        # branch.
        is_default = wanted.branch is not None and wanted.branch == context.default_branch
        if wanted.pulls and context.system == "github" and context.attempt > 1 and not is_default:
            raise _undecided(
                "this is a re-run with the event of the first attempt, and there is"
                " no token to ask GitHub where the pull request goes now"
            )
        if wanted.branch is None and context.system in {"github", "gitlab"}:
            raise _undecided("the branch that the change goes into is not known")
        return wanted

    def _default_branch(self) -> str:
        sources, reason = self.sources, "the server does not name it"
        try:
            name = sources.remote.refs(sources.objects, "HEAD").get("HEAD", "")
            if name.startswith(HEADS):
                return name.removeprefix(HEADS)
        except GitError as error:
            reason = str(error)
        if sources.host is not None:
            try:
                return sources.host.default_branch()
            except LookupError as error:
                reason = f"{reason}; {error}"
        raise _undecided(f"the default branch is not known: {reason}")

    def _on_server(self, names: Sequence[str]) -> dict[str, str]:
        """Return those refs that the server has, with their commits, also those of tags.

        Raises:
            LookupError: neither git nor the code host knows them.
        """
        sources = self.sources
        try:
            peeled = [f"{name}^{{}}" for name in names]
            refs = sources.remote.refs(sources.objects, *names, *peeled)
        except GitError as error:
            if sources.host is None:
                raise LookupError(f"{error}; and the code host cannot be asked") from error
            try:
                commits = {name: sources.host.commit(name) for name in names}
            except LookupError as refusal:
                raise LookupError(f"{error}; {refusal}") from refusal
            return {name: commit for name, commit in commits.items() if commit is not None}
        return {name: refs.get(f"{name}^{{}}", refs[name]) for name in names if name in refs}

    def _everywhere(self, names: Sequence[str]) -> dict[str, str]:
        """Return what a name refers to on the server and, for a plain name, in the checkout.

        A ref that only the checkout has does not count, except without a server, as in a run by
        hand.
        """
        local = self._local(names)
        if names[0].startswith("refs/remotes/") or self._has_no_server:
            return local
        try:
            there = self._on_server(names)
        except LookupError as error:
            raise _undecided(f"the current commit of {names[0]} is not known: {error}") from error
        if len(names) == 1 or not there:
            return there
        return {f"{name} of the server": commit for name, commit in there.items()} | local

    def _local(self, names: Sequence[str]) -> dict[str, str]:
        checkout, commits = self.sources.checkout, dict[str, str]()
        refs = {} if checkout is None else checkout.repository.refs(*names)
        for name, object_id in refs.items():
            if commit := self.sources.objects.commit(object_id):
                commits[f"{name} of the checkout"] = commit
        return commits

    @property
    def _has_no_server(self) -> bool:
        by_hand = self.sources.context.system in {"shell", "none"}
        return by_hand and "remote.origin.url" not in self.sources.settings


def _going_to(branches: set[str], wanted: Wanted) -> Wanted:
    if len(branches) > 1:
        listed = ", ".join(sorted(branches))
        raise _undecided(f"the change goes into several branches: {listed}")
    (branch,) = branches
    # The event has no commit of another branch.
    event_commit = wanted.event_commit if branch == wanted.branch else None
    return replace(wanted, branch=branch, event_commit=event_commit)


def _undecided(reason: str) -> UndecidedError:
    return UndecidedError(f"{reason}. {REMEDY}")
