"""Questions to git about a change: its files and commits, if the checkout has all of them."""

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace
from typing import Final

from gate.dataclass import dataclass
from gate.hosts.git import Checkout, GitError
from gate.policy.changes import ChangeCommit

_HEADER: Final = "//"
"""The prefix of a commit in a list of files; the name of a file cannot begin with it."""
_FIELDS: Final = 3
_SHALLOW: Final = (
    "this checkout does not have the whole history; fetch all of it (actions/checkout:"
    " fetch-depth: 0)"
)
_COMMON: Final = ("--no-renames", "--ignore-submodules=none", "-z")
_TWO: Final = 2


@dataclass(frozen=True, slots=True)
class Changeset:
    """The files and commits between two commits."""

    paths: Sequence[str] | None
    """The files that differ, with the old names of moved ones; None: the host does not list all."""
    commits: Sequence[ChangeCommit] | None
    """The commits; None: the host does not list all of them."""
    why_not: str = "the host lists only some of them"
    """The reason why a field is None."""


def span_since_parting(
    checkout: Checkout, base: str, head: str, branch: str | None = None
) -> Changeset:
    """Return the changes of a branch since it parted from its base.

    Args:
        checkout: a checkout with both commits.
        base: any commit of the branch that the change goes into.
        head: the newest commit of the change.
        branch: the branch that the change goes into; a newer commit of it in the checkout counts,
            too.

    Raises:
        GitError: the checkout does not have all of it.
    """
    start, end = _whole(checkout, base, head)
    differing, moved = dict[str, None](), dict[str, str]()
    for target in (start, *_newer(checkout, start, end, branch)):
        # With several merge bases none of them suffices alone: a difference from one may have been
        # merged.
        for parted in _partings(checkout, target, end):
            paths = _differing(checkout, parted, end)
            differing |= dict.fromkeys(paths)
            moved |= _moved(checkout, parted, target, frozenset(paths))
    commits = [
        replace(commit, paths=commit.paths and _with_moved(commit.paths, moved))
        for commit in _commits(checkout, start, end)
    ]
    return Changeset(_with_moved(tuple(differing), moved), commits)


def _newer(checkout: Checkout, start: str, end: str, branch: str | None) -> Iterator[str]:
    """Yield newer commits of the base: from the host's trial merge, and from the branch's name."""
    _, *parents = _ask(checkout, "rev-list", "--parents", "-1", checkout.head()).split()
    targets = parents[:1] if parents[1:] == [end] else []
    if branch is not None:
        with suppress(GitError):
            targets.append(checkout.commit(f"refs/remotes/origin/{branch}"))
    for target in dict.fromkeys(targets):
        with suppress(GitError):
            if target != start and start in _partings(checkout, start, target):
                yield target


def span_to_ship(checkout: Checkout, live: str, head: str) -> Changeset:
    """Return the changes of a deploy that replaces another live commit.

    Live commits that are not in the history of ``head`` are reverted, which no commit message
    mentions.

    Raises:
        GitError: the checkout does not have all of it.
    """
    start, end = _whole(checkout, live, head)
    parted = _partings(checkout, start, end)[0]
    commits = _commits(checkout, start, end)
    if parted != start:
        back = _differing(checkout, parted, start)
        commits = (*commits, ChangeCommit(message=f"reverts {start}", paths=back))
    return Changeset(_differing(checkout, start, end), commits)


def brings_only(checkout: Checkout, commit: str, head: str) -> bool:
    """Return whether a commit is not a merge, or is one that merges ``head`` and nothing else.

    A merge may have another head than that of the pull request to which the host attributes it, and
    changes that neither side has.

    Raises:
        GitError: the checkout does not have all of it.
    """
    _, *parents = _ask(checkout, "rev-list", "--parents", "--max-count=1", commit).split()
    if len(parents) < _TWO:
        return True
    return parents[1:] == [head] and not _touched(checkout, parents[0], commit)[commit]


def _whole(checkout: Checkout, base: str, head: str) -> tuple[str, str]:
    """Return both commits; refuse a checkout without their whole history.

    In a shallow history, the difference would have other commits than the change, wherever the
    history ends. Grafts and replacements do not count: `gate.git.objects` reads the commits as they
    are.
    """
    start, end = checkout.commit(base), checkout.commit(head)
    if _ask(checkout, "rev-parse", "--is-shallow-repository").strip() != "false":
        raise GitError(_SHALLOW)
    return start, end


def _partings(checkout: Checkout, start: str, end: str) -> Sequence[str]:
    """Return the newest commits that both have; several if each was merged into the other."""
    try:
        return _ask(checkout, "merge-base", "--all", start, end).split()
    except GitError as error:
        raise GitError(f"{start[:12]} and {end[:12]} have no common history") from error


def _moved(checkout: Checkout, parted: str, target: str, paths: Set[str]) -> Mapping[str, str]:
    """Return the files of a branch that the base has moved since they parted: a merge follows them.

    https://git-scm.com/docs/merge-strategies#Documentation/merge-strategies.txt-ort
    """
    if paths.isdisjoint(_differing(checkout, parted, target, "--diff-filter=D")):
        return {}  # finding moved files takes long if there are many files
    words = ("-r", "--name-status", "-M", "-l0", "--diff-filter=R", *_COMMON[1:])
    fields = _ask(checkout, "diff-tree", *words, parted, target, "--").split("\0")
    moved = zip(fields[1::3], fields[2::3], strict=False)
    return {old: new for old, new in moved if old in paths}


def _with_moved(paths: Sequence[str], moved: Mapping[str, str]) -> Sequence[str]:
    """Return files with their current names in the base beside their own names."""
    if not moved:
        return paths
    names = (name for path in paths for name in (path, moved.get(path)))
    return tuple(dict.fromkeys(name for name in names if name is not None))


def _differing(checkout: Checkout, start: str, end: str, *more: str) -> tuple[str, ...]:
    names = _ask(checkout, "diff-tree", "-r", "--name-only", *_COMMON, *more, start, end, "--")
    return tuple(filter(None, names.split("\0")))


def _commits(checkout: Checkout, start: str, end: str) -> tuple[ChangeCommit, ...]:
    """Return the commits of the end's history that are not in the start's, the newest first."""
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
    """Return the files of each commit; for a merge, those that it does not take from either side.

    Git 2.35 and newer finds them exactly, by merging again. An older git finds the files that
    differ from both sides, which are a few more. The files of an octopus merge are unknown.
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
