"""Questions to git about a checkout: its commits, and how much of their history it has."""

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from gate.git import GitError
from gate.git.objects import Objects
from gate.git.repository import FULL_HASH, Repository, find_repository

__all__ = ["Checkout", "GitError"]
_RELATIVE: Final = re.compile(r"HEAD((?:[~^][0-9]*)*)")


class Checkout:
    """A folder in a git checkout. Nothing in the checkout is run, written or fetched."""

    def __init__(self, folder: Path, workspace: str | Path | None = None) -> None:
        """Prepare; git is not run yet.

        Args:
            folder: a folder in the checkout.
            workspace: the workspace of the CI system; the outermost repository in it is the
                checkout.
        """
        self.folder = folder.absolute()
        self._workspace = None if workspace is None else Path(workspace)

    @cached_property
    def repository(self) -> Repository:
        """The repository.

        Raises:
            GitError: this is not a checkout.
        """
        repository = find_repository(self.folder, self._workspace)
        if repository is None:
            raise GitError(f"{self.folder} is not in a git repository")
        return repository

    @cached_property
    def objects(self) -> Objects:
        """The objects of the repository.

        Raises:
            GitError: this is not a checkout, or it cannot be read.
        """
        return self.repository.objects()

    def head(self) -> str:
        """Return the commit that is checked out.

        Raises:
            GitError: this is not a checkout, or it has no commit.
        """
        return self.repository.head()

    def prefix(self) -> str:
        """Return the path of the folder from the top of the checkout, with ``/`` at its end.

        Raises:
            GitError: this is not a checkout.
        """
        name = self.folder.relative_to(self.repository.top).as_posix()
        return "" if name == "." else f"{name}/"

    def plumbing(self, *arguments: str) -> bytes:
        """Return the output of a git command that takes full hashes and only reads objects.

        Raises:
            GitError: git fails.
        """
        return self.objects.ask(*arguments)

    def commit(self, ref: str) -> str:
        """Return the commit that a name refers to: a full hash, ``HEAD~1``, a branch or a tag.

        A branch means the server's branch in the checkout, not a local one beside it.

        Raises:
            GitError: it is not in this checkout, or the name is ambiguous.
        """
        relative = _RELATIVE.fullmatch(ref)
        if relative is not None:
            commit = self.objects.commit(self.head() + relative[1])
            if commit is not None:
                return commit
        names = _names(ref)
        ids = [ref] if FULL_HASH.fullmatch(ref) else list(self._ids(names))
        commits = list(dict.fromkeys(map(self.objects.commit, ids)))
        if len(commits) > 1:
            raise GitError(f"{ref!r} means several commits; name one by its full hash")
        if not commits or commits[0] is None:
            raise GitError(f"the commit {ref!r} is not in this checkout")
        return commits[0]

    def _ids(self, names: Sequence[Sequence[str]]) -> Sequence[str]:
        refs = self.repository.refs(*(name for group in names for name in group))
        firsts = [[refs[name] for name in group if name in refs][:1] for group in names]
        return [first for group in firsts for first in group]


def _names(ref: str) -> tuple[tuple[str, ...], ...]:
    """Return the refs that a name may mean: the first existing one of each group."""
    if ref.startswith("refs/"):
        return ((ref,),)
    name = ref.removeprefix("origin/")
    own = () if name != ref else (f"refs/heads/{name}",)
    return ((f"refs/remotes/origin/{name}", *own), (f"refs/tags/{ref}",))
