"""What git knows of a checkout: paths and messages of a change, and files of another commit."""

import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SECONDS: Final = 30
"""For one question; a fetch from a slow server included."""
_FIELD, _RECORD = "\x1f", "\x1e"
_TRAILERS: Final = "%(trailers:only,unfold,separator=%x1f)"


class GitError(Exception):
    """Git cannot tell; the text says why, on one line."""


@dataclass(frozen=True, slots=True)
class Commits:
    """What the messages of some commits say."""

    subjects: tuple[str, ...]
    """First lines, newest first."""
    trailers: tuple[tuple[str, str], ...]
    """Key and value."""


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

    def changed_paths(self, base: str, head: str) -> tuple[str, ...]:
        """Return the files that differ since the two commits parted, old names of moved ones too.

        Raises:
            GitError: one of them, or where they parted, is not in this checkout.
        """
        span = f"{self.commit(base)}...{self.commit(head)}"
        names = self._ask("diff", "--name-only", "--no-renames", "-z", span, "--")
        return tuple(filter(None, names.split("\0")))

    def commits(self, base: str, head: str) -> Commits:
        """Return what the commits of the change say, merges left out.

        Raises:
            GitError: as above.
        """
        form = f"--format=%s{_FIELD}{_TRAILERS}{_RECORD}"
        span = f"{self.commit(base)}..{self.commit(head)}"
        log = self._ask("log", "--no-merges", form, span, "--")
        fields = [record.strip("\n").split(_FIELD) for record in log.split(_RECORD)[:-1]]
        pairs = [line.partition(":") for _, *lines in fields for line in lines if ":" in line]
        return Commits(
            subjects=tuple(subject for subject, *_ in fields),
            trailers=tuple((key.strip(), value.strip()) for key, _, value in pairs),
        )

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
        command: Sequence[str] = ["git", "-C", str(self.folder), *arguments]
        try:
            done = subprocess.run(command, capture_output=True, check=True, timeout=_SECONDS)  # noqa: S603 - no shell
        except subprocess.CalledProcessError as error:
            lines = error.stderr.decode("utf-8", "replace").strip().splitlines()
            raise GitError(lines[0] if lines else f"git {arguments[0]} failed") from error
        except (OSError, subprocess.SubprocessError) as error:
            raise GitError(f"git cannot be run: {error}") from error
        return done.stdout
