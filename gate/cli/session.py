"""What the measuring commands have in common: reading the policies, progress, and reporting."""

import os
import posixpath
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Final

from gate.cli.streams import style_of, write, write_file, write_stderr
from gate.config.load import PolicyFile, Proposal, load, load_pinned
from gate.decision.decision import Decision
from gate.decision.document import to_document
from gate.errors import Mistake, PolicyError, UsageError
from gate.hosts.git import Checkout, GitError
from gate.parsing.files import Folder, read_bytes
from gate.policy.changes import matches_glob
from gate.reporters import render_page
from gate.reporters.ansi import Style
from gate.reporters.page import Output

Render = Callable[[str, Style], str]
"""A report in a format, for a style."""
Read = Callable[[str], PolicyFile]
_QUIET_SECONDS: Final = 2.0
"""A backend that answers sooner is not worth a word."""
FILE_STYLE: Final = Style(width=100)


def read_file(path: str) -> PolicyFile:
    """Read a policy file as it is."""
    return load(path, os.environ)


def load_all(paths: Sequence[str], read: Read = read_file) -> list[PolicyFile]:
    """Read every policy file; warnings go to stderr.

    Raises:
        PolicyError: the mistakes of all files together.
    """
    files: list[PolicyFile] = []
    mistakes: list[Mistake] = []
    for path in paths:
        try:
            files.append(read(path))
        except PolicyError as error:
            mistakes.extend(error.mistakes)
    if mistakes:
        raise PolicyError(tuple(mistakes))
    for file in files:
        for warning in file.warnings:
            write_stderr(str(warning))
    return files


def now() -> datetime:
    """Return the instant of a run that was given none, to the second, as the report prints it."""
    return datetime.now(UTC).replace(microsecond=0)


@contextmanager
def progress(files: Sequence[PolicyFile]) -> Iterator[None]:
    """Tell on stderr that a slow backend is being waited for, and for how long already."""
    done = Event()
    services = ", ".join(file.policy.service for file in files)

    def watch() -> None:
        waited = _QUIET_SECONDS
        while not done.wait(_QUIET_SECONDS):
            write_stderr(f"gate: measuring {services} ({waited:.0f} s)")
            waited += _QUIET_SECONDS

    Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def append(path: str, decision: Decision) -> None:
    """Add a line on a decision to a log; a failure is a warning, as with any report."""
    from gate.cli.log_files import append_made  # noqa: PLC0415 - where it is kept only
    from gate.decision.chain import next_line  # noqa: PLC0415 - as above

    document = to_document(decision)
    append_made(path, lambda content: next_line(content, document, decision.key))


def write_report(render: Render, name: str, copies: Sequence[tuple[str, str]]) -> None:
    """Write the report to stdout in one format, and the copies to their files."""
    write_copies(render, copies)
    write(render(name, style_of(sys.stdout, os.environ)), name)


def report_page(output: Output, name: str, copies: Sequence[tuple[str, str]]) -> None:
    """Write a result to stdout in one of the formats of every command, and the copies."""
    write_report(lambda form, style: render_page(form, output, style), name, copies)


def write_copies(render: Render, copies: Sequence[tuple[str, str]]) -> None:
    """Write the report to files, each in its format; one that cannot be written is a warning."""
    for copy, path in copies:
        write_file(path, render(copy, FILE_STYLE))


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
            return load_pinned(path, os.environ, raw, tree, commit, _proposal(path))
    except (GitError, LookupError) as error:
        raise UsageError(f"{path} cannot be read as {ref} has it: {error}") from error
    write_stderr(f"gate: warning: {path} is new: {ref} has no such file, so it is read as it is")
    return read_file(path)


def _proposal(path: str) -> Proposal:
    """Return the policy as the work tree has it."""
    try:
        raw = read_bytes(path)
    except PolicyError:
        raw = None
    return Proposal(raw=raw, tree=Folder(Path(path).parent))


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
        names = [name for name in self.checkout.files(self.commit) if matches_glob(glob, name)]
        return [posixpath.relpath(name, self.folder or ".") for name in names]

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
