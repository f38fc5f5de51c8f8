"""What git knows of a checkout: its commits, and files of another commit."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SECONDS: Final = 30
"""For one question; a fetch from a slow server included."""


class GitError(Exception):
    """Git cannot tell; the text says why, on one line."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder in a git checkout."""

    folder: Path

    def head(self) -> str:
        """Return the commit that is checked out.

        Raises:
            GitError: this is no checkout, or it has no commit.
        """
        return self._ask("rev-parse", "--verify", "HEAD").strip()

    def prefix(self) -> str:
        """Return the folder's own name from the top of the checkout, with ``/`` at its end.

        Raises:
            GitError: this is no checkout.
        """
        return os.fsdecode(self._run("rev-parse", "--show-prefix")).removesuffix("\n")

    def plumbing(self, *arguments: str) -> bytes:
        """Return what git says.

        Raises:
            GitError: git cannot tell.
        """
        return self._run(*arguments)

    def show(self, ref: str, path: str) -> bytes | None:
        """Return a file, named from the top, as a commit has it; None: it has no such file.

        Raises:
            GitError: there is no such commit here.
        """
        commit = self.commit(ref)
        listed = self._ask("ls-tree", "-z", "--full-tree", commit, "--", path)
        return self._run("cat-file", "blob", f"{commit}:{path}") if listed else None

    def files(self, ref: str) -> tuple[str, ...]:
        """Return every file that a commit has, named from the top.

        Raises:
            GitError: there is no such commit here.
        """
        listed = self._run("ls-tree", "-r", "-z", "--name-only", "--full-tree", self.commit(ref))
        return tuple(os.fsdecode(name) for name in listed.split(b"\0") if name)

    def fetch(self, ref: str) -> str:
        """Bring a commit or branch from the first remote, without its history; return its name.

        Raises:
            GitError: it cannot be fetched, or is no plain name.
        """
        if ref.startswith(("-", "+")) or ":" in ref:
            raise GitError(f"{ref!r} is no name of a commit or branch")  # but an option or refspec
        remote = self._ask("remote").split("\n")[0] or "origin"
        self._ask("fetch", "--quiet", "--no-tags", "--depth=1", remote, ref)
        return self._ask("rev-parse", "FETCH_HEAD").strip()

    def commit(self, ref: str) -> str:
        """Return the commit that a name stands for.

        Raises:
            GitError: it is not in this checkout.
        """
        # CI systems name the target branch, of which a checkout has the remote's copy only.
        for name in (f"refs/remotes/origin/{ref}", ref):
            with suppress(GitError):
                commit = f"{name}^{{commit}}"
                return self._ask("rev-parse", "--verify", "--end-of-options", commit).strip()
        raise GitError(f"the commit {ref!r} is not in this checkout")

    def _ask(self, *arguments: str) -> str:
        return self._run(*arguments).decode("utf-8", "replace")

    def _run(self, *arguments: str) -> bytes:
        # Nothing stands in for another object: https://git-scm.com/docs/git-replace
        options = ("-C", str(self.folder), "--no-replace-objects")
        command: Sequence[str] = ["git", *options, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, check=True, timeout=_SECONDS)  # noqa: S603 - no shell
        except subprocess.CalledProcessError as error:
            lines = error.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(lines[0] if lines else f"git {arguments[0]} failed") from error
        except (OSError, subprocess.SubprocessError) as error:
            raise GitError(f"git cannot be run: {error}") from error
        return done.stdout
