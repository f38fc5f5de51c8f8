"""The files beside a policy, from a commit."""

from collections.abc import Iterator, Sequence
from itertools import takewhile

from gate.dataclass import dataclass
from gate.git import GitError
from gate.git.objects import LINK, Entry, NoPathError, Objects
from gate.policy.changes import matches_glob

_WILD = "*?"
_MOST = 100_000
"""The maximum number of files that are searched for one glob."""


@dataclass(frozen=True, slots=True)
class CommitTree:
    """The files of a folder in a commit; links of the commit are followed."""

    objects: Objects
    commit: str
    folder: tuple[str, ...]
    """The parts of its path from the top of the checkout."""

    def find(self, pattern: str) -> Sequence[str]:
        """Return the names of the files that match a glob, from the folder.

        Raises:
            GitError: git fails.
        """
        parts = pattern.split("/")
        fixed = list(takewhile(lambda part: not set(part) & set(_WILD), parts[:-1]))
        try:
            start = self.objects.look_up(self.commit, (*self.folder, *fixed))
        except NoPathError:
            return []
        if start is None or not start.is_folder:
            return []
        deepest = None if "**" in parts else len(parts) - len(fixed)
        names = ("/".join((*fixed, *name)) for name in self._files(start, (), deepest))
        matches = [name for name in names if matches_glob(pattern, name)]
        return [name for name in matches if self._is_file(name)]

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            OSError: the file does not exist.
            GitError: git fails.
        """
        entry = self.objects.look_up(self.commit, (*self.folder, *name.split("/")))
        if entry is None or not entry.is_file:
            raise FileNotFoundError(f"{name} is not a file")
        return self.objects.read(entry.id)

    def names(self) -> Iterator[str]:
        """Yield every file in the folder and below; none if the folder does not exist.

        Raises:
            GitError: git fails.
        """
        start = self.objects.look_up(self.commit, self.folder)
        if start is not None and start.is_folder:
            yield from map("/".join, self._files(start, (), None))

    def _files(
        self, folder: Entry, above: tuple[str, ...], deepest: int | None
    ) -> Iterator[tuple[str, ...]]:
        left = [(folder, above)]
        seen = 0
        while left:
            here, names = left.pop()
            for name, entry in self.objects.entries(here).items():
                seen += 1
                if seen > _MOST:
                    raise GitError(f"there are more than {_MOST:,} files to look through")
                if not entry.is_folder:
                    yield (*names, name)
                elif deepest is None or len(names) + 1 < deepest:
                    left.append((entry, (*names, name)))

    def _is_file(self, name: str) -> bool:
        parts = (*self.folder, *name.split("/"))
        entry = self.objects.look_up(self.commit, parts)
        return entry is not None and entry.is_file


def links_that_lead_to(
    objects: Objects, base: str | None, head: str, folder: Sequence[str]
) -> Iterator[str]:
    """Yield the links that only one of two commits has and that lead to a folder or its parent.

    Args:
        objects: the objects of the checkout.
        base: the other commit; None: it is missing, and every link counts.
        head: the commit with the links.
        folder: the folder from the top, without links.

    Raises:
        GitError: git fails.
    """
    for name in _links(objects, base, head):
        try:
            _, parts = objects.resolve(head, name.split("/"))
        except GitError:
            continue  # out of the repository, where it has no policy
        if tuple(folder[: len(parts)]) == parts:
            yield name


def _links(objects: Objects, base: str | None, head: str) -> Iterator[str]:
    if base is None:
        rows = objects.ask("ls-tree", "-r", "-z", "--full-tree", head).split(b"\0")
        listed = [row.partition(b"\t")[::2] for row in rows if row]
        yield from (_name(name) for info, name in listed if int(info.split()[0], 8) == LINK)
        return
    flags = ("-r", "-z", "--raw", "--no-renames", "--no-ext-diff", "--no-textconv")
    fields = objects.ask("diff-tree", *flags, base, head).split(b"\0")
    for info, name in zip(fields[::2], fields[1::2], strict=False):
        if int(info.split()[1], 8) == LINK:
            yield _name(name)


def _name(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
