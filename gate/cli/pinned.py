"""Reading a policy as another commit has it, so that a change cannot loosen its own gate."""

import os
from collections.abc import Callable
from pathlib import Path

from gate.ci.git import Checkout, GitError
from gate.cli.session import read_file
from gate.cli.streams import tell
from gate.config.load import PolicyFile, load_pinned
from gate.errors import UsageError

Ask = Callable[[str, str], tuple[str, bytes | None]]
"""Asks the code host for a file, named from the top, as a commit or branch has it.

Returns the commit, and the text; None: it has no such file.

Raises:
    LookupError: it cannot tell; the text says why.
"""


def read_pinned(path: str, ref: str, ask: Ask) -> PolicyFile:
    """Read a policy file as ``ref`` has it; where it has none, the file is new and read as it is.

    Raises:
        PolicyError: its text says something wrong.
        UsageError: neither git nor the code host knows the commit, or the file is in no checkout.
    """
    checkout = Checkout(Path(path).parent)
    try:
        name = Path(path).absolute().relative_to(checkout.top()).as_posix()
        commit, raw = _show(checkout, ref, name, ask)
    except (GitError, LookupError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as {ref} has it: {error}") from error
    if raw is None:
        tell(f"gate: warning: {path} is new: {ref} has no such file, so it is read as it is")
        return read_file(path)
    return load_pinned(path, os.environ, raw, commit)


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
