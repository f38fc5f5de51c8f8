"""Files that a policy's backend reads: a file of the checkout counts if the base has the same."""

import glob
import hashlib
import os
import posixpath
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from gate.backends import Settings, files_of
from gate.dataclass import dataclass
from gate.git import GitError
from gate.git.objects import LINK, SUBMODULE, Entry, Objects, blob_id
from gate.hosts.git import Checkout
from gate.hosts.pinning.places import parts_inside
from gate.hosts.pinning.sources import HostFiles
from gate.parsing.trees import CommitTree

Place = tuple[Entry | None, tuple[str, ...]]
"""The entry of a commit at a path, and the path without links."""
_FILE: Final = 0o100644
_PIECE: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class LocalFileCheck:
    """A comparison of files in a checkout with the commit that counts.

    A file that no commit has does not come from the change: an earlier step of the job has made it.
    """

    checkout: Checkout
    folder: Path
    """The folder that the process works in."""
    commit: str
    """The commit that counts."""
    base: Objects | None
    """The objects with that commit; None: only the code host has it."""
    host: HostFiles | None

    def flaw(self, settings: Settings) -> str | None:
        """Return the first file that the change has altered, in a clause; None: no such file.

        Raises:
            GitError: git fails.
            LookupError: the code host does not answer.
        """
        for pattern in files_of(settings):
            for path in self._paths(pattern):
                parts = parts_inside(path, self.checkout.repository.top)
                if parts is not None and (why := self._why_not(path, parts)):
                    return f"{'/'.join(parts)}, which {why}"
            if glob.has_magic(pattern) and (gone := next(self._deleted(pattern), None)):
                return f"{pattern}, of which the change deletes {gone}"
        return None

    def _full(self, pattern: str) -> str:
        return os.path.join(glob.escape(str(self.folder)), pattern)  # noqa: PTH118 - a glob is not a path

    def _paths(self, pattern: str) -> Iterator[Path]:
        if not glob.has_magic(pattern):
            yield self.folder / pattern
            return
        full = self._full(pattern)
        yield from map(Path, glob.glob(full, recursive=True, include_hidden=True))  # noqa: PTH207 - as the backend has it

    def _why_not(self, path: Path, parts: Sequence[str]) -> str | None:
        if path.is_dir():
            return None
        try:
            own, own_path = self.checkout.objects.resolve(self.checkout.head(), parts)
            then, then_path = self._then(parts)
        except GitError as error:
            return f"cannot be looked up: {error}"
        if own_path != then_path:
            return "is reached through a symbolic link that the change alters"
        if then is None:
            return None if own is None else "is new in the change"
        form = self.checkout.objects.form
        return None if then.id in blob_ids(path, form) else "the change or the job has altered"

    def _then(self, parts: Sequence[str]) -> Place:
        if self.base is not None:
            return self.base.resolve(self.commit, parts)
        path = posixpath.normpath("/".join(parts))
        raw = self._ask_host(path)
        form = self.checkout.objects.form
        entry = None if raw is None else Entry(_FILE, blob_id(raw, form))
        return entry, tuple(path.split("/"))

    def _ask_host(self, path: str) -> bytes | None:
        if self.host is None:
            raise LookupError("there is no token to ask the code host with")
        return self.host.file(path, self.commit)

    def _deleted(self, pattern: str) -> Iterator[str]:
        """Yield the files of a glob that the commit has and the change does not have."""
        parts = Path(self._full(pattern)).parts
        places = [place for place, part in enumerate(parts) if _is_wild(part)]
        first = places[0] if places else len(parts) - 1
        folder = Path(*(_literal(part) for part in parts[:first]))
        inside = parts_inside(folder, self.checkout.repository.top)
        if inside is None:
            return
        if self.base is None:
            if not inside or self._ask_host("/".join(inside)) is not None:
                raise GitError(f"{pattern} needs a checkout that has {self.commit[:12]}")
            return
        then = CommitTree(self.base, self.commit, inside).names()
        own = set(CommitTree(self.checkout.objects, self.checkout.head(), inside).names())
        # A star matches more here than in a glob, so that too many deleted files are refused.
        wanted = "/".join(parts[first:]).replace("**/", "*")
        yield from (name for name in then if name not in own and fnmatchcase(name, wanted))


def altered_file(checkout: Checkout) -> str | None:
    """Return the first file of the checked-out commit that differs in the checkout; None: none.

    Files that no commit has are left out, such as the results of an evaluation.

    Raises:
        GitError: git fails.
    """
    objects, top = checkout.objects, checkout.repository.top
    rows = objects.ask("ls-tree", "-r", "-z", "--full-tree", checkout.head()).split(b"\0")
    for row in filter(None, rows):
        info, _, raw = row.partition(b"\t")
        mode, _, blob = info.decode().split()
        path = top / os.fsdecode(raw)
        if int(mode, 8) == LINK:
            same = path.is_symlink() and blob_id(os.fsencode(path.readlink()), objects.form) == blob
        else:
            same = int(mode, 8) == SUBMODULE or blob in blob_ids(path, objects.form)
        if not same:
            return os.fsdecode(raw)
    return None


def _literal(part: str) -> str:
    return part.replace("[[]", "[").replace("[*]", "*").replace("[?]", "?")


def _is_wild(part: str) -> bool:
    return glob.escape(_literal(part)) != part


def blob_ids(path: Path, form: str) -> Iterator[str]:
    """Yield the hashes of a file for git: as it is, and with the line ends of a commit.

    A checkout for Windows has other line ends. A file that cannot be read has no hashes.
    """
    try:
        yield _streamed(path, form)
        raw = path.read_bytes()
    except OSError:
        return
    yield blob_id(raw.replace(b"\r\n", b"\n"), form)


def _streamed(path: Path, form: str) -> str:
    head = b"blob %d\0" % path.stat().st_size
    digest = hashlib.new(form, head, usedforsecurity=False)
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
