"""What git knows of a change: its files and commits, where the checkout has all of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.hosts.git import Checkout, GitError
from gate.policy.changes import ChangeCommit

_HEADER: Final = "//"
"""Before a commit in a list of files; no file's name begins so."""
_FIELDS: Final = 3
_SHALLOW: Final = (
    "this checkout has no whole history; fetch all of it (actions/checkout: fetch-depth: 0)"
)
_GRAFTED: Final = (
    "this checkout has grafts, which make another history of it; remove .git/info/grafts"
)
_COMMON: Final = ("--no-renames", "--ignore-submodules=none", "-z")
_TWO: Final = 2


@dataclass(frozen=True, slots=True)
class Changeset:
    """What lies between two commits."""

    paths: Sequence[str] | None
    """Files that differ, old names of moved ones too; None: the host does not list all of them."""
    commits: Sequence[ChangeCommit] | None
    """None: as above."""
    why_not: str = "the host lists a part of them only"
    """Why something is None."""


def span_since_parting(checkout: Checkout, base: str, head: str) -> Changeset:
    """Return what a branch has changed since it parted from its base.

    Raises:
        GitError: the checkout does not have all of it.
    """
    start, end = _whole(checkout, base, head)
    parted = _parted(checkout, start, end)
    return Changeset(_differing(checkout, parted, end), _commits(checkout, start, end))


def span_to_ship(checkout: Checkout, live: str, head: str) -> Changeset:
    """Return what a deploy changes where another commit is live.

    What is live and not in the history of ``head`` is taken back, which nobody's message names.

    Raises:
        GitError: the checkout does not have all of it.
    """
    start, end = _whole(checkout, live, head)
    parted = _parted(checkout, start, end)
    commits = _commits(checkout, start, end)
    if parted != start:
        back = _differing(checkout, parted, start)
        commits = (*commits, ChangeCommit(message=f"takes back {start}", paths=back))
    return Changeset(_differing(checkout, start, end), commits)


def _whole(checkout: Checkout, base: str, head: str) -> tuple[str, str]:
    """Return both commits; refuse a checkout whose history is not all there, or is another.

    A history that is cut names other commits than a change has, wherever the cut is.
    """
    start, end = checkout.commit(base), checkout.commit(head)
    if _ask(checkout, "rev-parse", "--is-shallow-repository").strip() != "false":
        raise GitError(_SHALLOW)
    if checkout.grafted:
        raise GitError(_GRAFTED)
    return start, end


def _parted(checkout: Checkout, start: str, end: str) -> str:
    try:
        return _ask(checkout, "merge-base", start, end).strip()
    except GitError as error:
        raise GitError(f"{start[:12]} and {end[:12]} have no common history") from error


def _differing(checkout: Checkout, start: str, end: str) -> tuple[str, ...]:
    names = _ask(checkout, "diff-tree", "-r", "--name-only", *_COMMON, start, end, "--")
    return tuple(filter(None, names.split("\0")))


def _commits(checkout: Checkout, start: str, end: str) -> tuple[ChangeCommit, ...]:
    """Return the commits that the end has and the start has not, the newest first."""
    log = ("log", "-z", "--no-color", "--no-show-signature", "--encoding=UTF-8")
    form = "--format=%H%x00%B%x00%(trailers:only,unfold)"
    fields = _ask(checkout, *log, form, f"{start}..{end}", "--").split("\0")
    touched = _touched(checkout, start, end)
    whole = range(0, len(fields) - _FIELDS + 1, _FIELDS)
    return tuple(
        ChangeCommit(
            message=fields[at + 1],
            trailers=tuple(_pairs(fields[at + 2])),
            paths=touched.get(fields[at]),
        )
        for at in whole
    )


def _pairs(trailers: str) -> Iterator[tuple[str, str]]:
    for line in trailers.split("\n"):
        key, colon, value = line.partition(":")
        if colon:
            yield key.strip(), value.strip()


def _touched(checkout: Checkout, start: str, end: str) -> Mapping[str, Sequence[str] | None]:
    """Return the files of each commit: of a merge those that it does not take from either side.

    Which these are a git from 2.35 on tells exactly, by merging anew. An older one tells those that
    differ from both sides, which are a few more. Of a merge of three nothing is known.
    """
    log = ("log", "--name-only", "--root", "--no-relative", *_COMMON)
    words = (f"--format={_HEADER}%H %P", f"{start}..{end}", "--")
    try:
        listed = _ask(checkout, *log, "--remerge-diff", *words)
    except GitError:
        listed = _ask(checkout, *log, "-c", *words)
    touched: dict[str, list[str] | None] = {}
    names: list[str] | None = None
    first = False
    for field in listed.split("\0"):
        if field.startswith(_HEADER):
            commit, *parents = field.removeprefix(_HEADER).split()
            names = [] if len(parents) <= _TWO else None
            touched[commit], first = names, True
        elif names is not None and field:
            names.append(field.removeprefix("\n") if first else field)
            first = False
    return touched


def _ask(checkout: Checkout, *arguments: str) -> str:
    return checkout.plumbing(*arguments).decode("utf-8", "replace")
