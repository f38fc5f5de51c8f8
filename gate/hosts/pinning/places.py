"""The target of a path in a checkout, by its text alone: its links may come from a change."""

import os
from collections.abc import Sequence
from pathlib import Path

from gate.git import GitError

_MOST_LINKS = 40


def parts_inside(path: Path, top: Path) -> tuple[str, ...] | None:
    """Return the parts of a path from the top of a checkout; None: it leads elsewhere.

    Links on the way to the checkout are followed, but links in it are not: their targets are looked
    up in a commit.

    Args:
        path: an absolute path; it need not exist.
        top: the top folder of the checkout.

    Raises:
        GitError: the path leaves the checkout through a link in it, or links form a loop.
    """
    first, *left = path.parts
    here, links = Path(first), 0
    while True:
        if same_folder(here, top):
            rest = _after_it_leaves(left, top)
            if rest is None:
                return tuple(left)
            here, left = Path(os.path.realpath(top)).parent, rest
        if not left:
            return None
        part = left.pop(0)
        beyond = here.parent if part == ".." else here / part
        if part != ".." and beyond.is_symlink():
            links += 1
            if links > _MOST_LINKS:
                raise GitError(f"the symbolic links to {path} form a loop")
            target = beyond.readlink()
            left = [*target.parts[bool(target.anchor) :], *left]
            beyond = Path(target.anchor) if target.anchor else here
        here = beyond


def _after_it_leaves(parts: Sequence[str], top: Path) -> list[str] | None:
    """Return the parts after the point where a path leaves the checkout; None: it does not."""
    names: list[str] = []
    linked = False
    for place, part in enumerate(parts):
        if part != "..":
            names.append(part)
            linked = linked or (top / Path(*names)).is_symlink()
        elif names:
            names.pop()
        elif linked:
            raise GitError("the path leaves the checkout through a link in it")
        else:
            return list(parts[place + 1 :])
    return None


def same_folder(first: Path, second: Path) -> bool:
    """Return whether two paths lead to the same folder; False if the folder does not exist."""
    try:
        return first.samefile(second)
    except (OSError, ValueError):
        return False
