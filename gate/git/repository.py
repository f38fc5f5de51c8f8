"""A checkout's own repository: its folder, head, refs and remote. No part of it is run."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from gate.dataclass import dataclass
from gate.git import run
from gate.git.objects import Objects

_GIT_FILE: Final = re.compile(rb"gitdir: ([^\r\n]+)\s*")
_LONGEST_GIT_FILE: Final = 5_000
_LAYOUT: Final = ("--show-object-format", "--git-path", "objects", "--git-path", "shallow")
FULL_HASH: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
"""The full name of a commit: SHA-1 or SHA-256."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository of a checkout."""

    top: Path
    """The top folder of the checkout; by the path on which it was found, with or without links."""
    git_dir: Path

    def head(self) -> str:
        """Return the commit that is checked out.

        Raises:
            GitError: no commit is checked out.
        """
        return self._ask("rev-parse", "--verify", "--end-of-options", "HEAD^{commit}")

    def objects(self) -> Objects:
        """Return the objects of the repository, which are read without its settings.

        Raises:
            GitError: the repository cannot be read.
        """
        return self._objects(*self._ask("rev-parse", *_LAYOUT).split("\n"))

    def head_and_objects(self) -> tuple[str, Objects]:
        """Return both, which git reports in one call.

        Raises:
            GitError: as above.
        """
        *layout, head = self._ask("rev-parse", *_LAYOUT, "HEAD^{commit}", "--").split("\n")[:4]
        return head, self._objects(*layout)

    def _objects(self, form: str, objects: str, shallow: str) -> Objects:
        try:
            cut = (self.git_dir / shallow).read_bytes()
        except FileNotFoundError:
            cut = b""
        return Objects(self.git_dir / objects, form=form, shallow=cut)

    def refs(self, *names: str) -> dict[str, str]:
        """Return those of these refs (``refs/heads/main``) that exist here, with their objects.

        Raises:
            GitError: the repository cannot be read.
        """
        form = "--format=%(objectname) %(refname)"
        lines = self._ask("for-each-ref", form, "--", *names).splitlines()
        pairs = [line.partition(" ") for line in lines]
        return {name: object_id for object_id, _, name in pairs if name in names}

    def stages(self, name: str) -> bool:
        """Return whether a file, or one in a folder of this name, is staged for the next commit.

        Raises:
            GitError: the repository cannot be read.
        """
        return bool(self._ask("ls-files", "--cached", "-z", "--", name))

    def settings(self) -> Mapping[str, str]:
        """Return the repository's own configuration; the last of several values counts.

        Raises:
            GitError: it cannot be read.
        """
        listed = self._ask("config", "--local", "--includes", "--null", "--list")
        pairs = (line.partition("\n") for line in listed.split("\0") if line)
        return {key: value for key, _, value in pairs}

    def _ask(self, *arguments: str) -> str:
        return os.fsdecode(run(self.git_dir, *arguments)).removesuffix("\n")


def working_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder that the process works in, by the path on which it was entered.

    The system does not keep a link on that path; the shell keeps the path in PWD, as POSIX
    requires.
    """
    given, here = environ.get("PWD", ""), Path.cwd()
    parts = Path(given).parts
    if Path(given).is_absolute() and ".." not in parts and _same(Path(given), here):
        return Path(given)
    return here


def find_repository(folder: Path, workspace: Path | None = None) -> Repository | None:
    """Return the repository whose checkout contains a folder; None: it is not in a checkout.

    Within the workspace of a CI system it is the outermost repository, so that a repository in the
    change, or a submodule, is never mistaken for the checkout. Elsewhere it is the innermost, as
    for git. A bare repository does not count.

    Args:
        folder: an absolute path; links in it are not resolved, so that its own parts are checked.
        workspace: the folder in which the CI system has made its checkout; None: unknown.
    """
    candidates = list(_repositories(folder))
    if workspace is not None:
        within = list(_within(folder, workspace))
        inside = [candidate for candidate in candidates if candidate.top in within]
        if inside:
            return inside[-1]
    return candidates[0] if candidates else None


def _within(folder: Path, workspace: Path) -> Iterator[Path]:
    """Yield the folder and its parents, up to the outermost one, which is the workspace."""
    above = [folder, *folder.parents]
    places = [place for place, path in enumerate(above) if _same(path, workspace)]
    yield from above[: places[-1] + 1] if places else ()


def _repositories(folder: Path) -> Iterator[Repository]:
    for top in (folder, *folder.parents):
        git_dir = git_dir_of(top)
        if git_dir is not None:
            yield Repository(top, git_dir)


def git_dir_of(top: Path) -> Path | None:
    """Return the repository whose checkout has this folder as its top; None: not a top folder.

    https://git-scm.com/docs/gitrepository-layout: a folder ``.git``, or a file that names it.
    """
    place = top / ".git"
    if (place / "HEAD").is_file() and (place / "objects").is_dir():
        return Path(os.path.realpath(place))
    try:
        with place.open("rb") as file:
            named = _GIT_FILE.fullmatch(file.read(_LONGEST_GIT_FILE))
    except OSError:
        return None
    if named is None:
        return None
    return Path(os.path.realpath(top / os.fsdecode(named[1])))


def _same(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except (OSError, ValueError):
        return False
