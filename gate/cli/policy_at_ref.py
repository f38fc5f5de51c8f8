"""Reading a policy as another commit has it, so that a change cannot loosen its own gate."""

import os
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gate.cli.session import read_file
from gate.cli.streams import tell
from gate.config.load import PolicyFile, load_pinned
from gate.errors import UsageError
from gate.hosts.git import Checkout, GitError
from gate.policy.changes import matches_glob

Ask = Callable[[str, str], tuple[str, bytes | None]]
"""Asks the code host for a file, named from the top, as a commit or branch has it.

Returns the commit, and the text; None: it has no such file.

Raises:
    LookupError: it cannot tell; the text says why.
"""


def read_pinned(path: str, ref: str, ask: Ask) -> PolicyFile:
    """Read a policy file as ``ref`` has it, with the SLO files that it reads.

    Where ``ref`` has no such policy, it is new and read as it is.

    Raises:
        PolicyError: its text says something wrong.
        UsageError: neither git nor the code host knows the commit, or the file is in no checkout.
    """
    checkout = Checkout(Path(path).parent)
    try:
        folder = checkout.prefix()
        commit, raw = _show(checkout, ref, folder + Path(path).name, ask)
        if raw is not None:
            tree = CommitTree(checkout, commit, folder)
            return load_pinned(path, os.environ, raw, tree, commit)
    except (GitError, LookupError) as error:
        raise UsageError(f"{path} cannot be read as {ref} has it: {error}") from error
    tell(f"gate: warning: {path} is new: {ref} has no such file, so it is read as it is")
    return read_file(path)


@dataclass(frozen=True, slots=True)
class CommitTree:
    """The files of a policy's folder as a commit has them."""

    checkout: Checkout
    commit: str
    folder: str
    """Where the policy is, from the top of the checkout; empty: at the top."""

    def find(self, pattern: str) -> Sequence[str]:
        """Return the names of the files that match a glob, from the policy's folder.

        Raises:
            GitError: git cannot tell.
        """
        glob = posixpath.normpath(posixpath.join(self.folder, pattern))
        found = [name for name in self.checkout.files(self.commit) if matches_glob(glob, name)]
        return [posixpath.relpath(name, self.folder or ".") for name in found]

    def read(self, name: str) -> bytes:
        """Return what a file that was found holds.

        Raises:
            GitError: git cannot tell.
        """
        path = posixpath.normpath(posixpath.join(self.folder, name))
        return self.checkout.show(self.commit, path) or b""


def _show(checkout: Checkout, ref: str, name: str, ask: Ask) -> tuple[str, bytes | None]:
    """Return the commit and the text; a shallow checkout fetches the commit first.

    Where it has nothing to fetch with, as after ``persist-credentials: false``, the host is asked.
    """
    try:
        commit = checkout.commit(ref)
    except GitError:
        try:
            commit = checkout.fetch(ref)
        except GitError as error:
            try:
                return ask(name, ref)
            except LookupError as refusal:
                raise GitError(f"{error}; {refusal}") from refusal
    return commit, checkout.show(commit, name)
