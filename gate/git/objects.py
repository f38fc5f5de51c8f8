"""Objects of a checkout, read by their hashes through an empty repository of our own.

The empty repository has no settings, hooks, remotes, refs, replacements, grafts or attributes, so
none count. Fetched objects go into it as well, and the checkout stays as it is.
"""

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from gate.git import GitError, run

LARGEST: Final = 10_000_000
"""The maximum size in bytes of a file that is read."""
LINK, SUBMODULE = 0o120000, 0o160000
_TREE: Final = 0o040000
_MOST_LINKS: Final = 40
"""The same limit as in Linux."""
_CONFIG: Final = """\
[core]
\trepositoryFormatVersion = 1
\tbare = true
[extensions]
\tobjectFormat = {form}
"""


class MissingObjectError(GitError):
    """An object is missing in this checkout, but may be on the server."""


class TooLargeObjectError(GitError):
    """A file is larger than the limit."""


class NoPathError(GitError):
    """A path leads out of the repository, or into another one."""


class Entry(NamedTuple):
    """A file, folder, link or submodule of a commit."""

    mode: int
    id: str
    """The hash of the object."""

    @property
    def is_folder(self) -> bool:
        """Return whether it is a folder."""
        return self.mode == _TREE

    @property
    def is_file(self) -> bool:
        """Return whether it is a file, and not a link to one."""
        return self.mode not in {_TREE, LINK, SUBMODULE}


class Objects:
    """The objects of one checkout."""

    def __init__(
        self,
        source: Path,
        *,
        form: str,
        shallow: bytes = b"",
        environ: Mapping[str, str] | None = None,
    ) -> None:
        """Make the empty repository; it is deleted together with this object.

        Args:
            source: the folder of the objects.
            form: the form of their names: ``sha1`` or ``sha256``.
            shallow: the commits at which the history of the checkout is cut off, one on each line.
            environ: the variables with which git can fetch missing objects; None: nothing is
                fetched.
        """
        self.source, self.form = source, form
        self.folder = Path(tempfile.mkdtemp(prefix="gate-git-"))
        self._environ = environ
        self._entries: dict[str, dict[str, Entry]] = {}
        """The entries of folders, by hash; each folder is read once."""
        weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        for name in ("objects/info", "refs"):
            (self.folder / name).mkdir(parents=True)
        (self.folder / "HEAD").write_text("ref: refs/heads/none\n")
        (self.folder / "config").write_text(_CONFIG.format(form=form))
        (self.folder / "objects" / "info" / "alternates").write_bytes(_quoted(source))
        if shallow:
            (self.folder / "shallow").write_bytes(shallow)

    def ask(self, *arguments: str, given: bytes = b"") -> bytes:
        """Return the output of a plumbing command; commits are named by their full hashes.

        Raises:
            GitError: git fails.
        """
        environ = self._environ
        return run(
            self.folder, *arguments, given=given, environ=environ, remote=environ is not None
        )

    def commit(self, name: str) -> str | None:
        """Return the commit of a hash, which may be the hash of a tag; None: it is not here."""
        query = f"{name}^{{commit}}\n".encode()
        commit, _, kind = self.ask("cat-file", "--batch-check", given=query).partition(b" ")
        return commit.decode() if kind.startswith(b"commit ") else None

    def read(self, name: str) -> bytes:
        """Return the content of an object, given by its hash, or ``HASH^{tree}``.

        Raises:
            MissingObjectError: it is not here.
            TooLargeObjectError: it is a file that is too large.
        """
        query = f"{name}\n".encode()
        size = self.ask("cat-file", "--batch-check=%(objectsize)", given=query).strip()
        if not size.isdigit():
            raise MissingObjectError(f"the object {name} is not in this checkout")
        if int(size) > LARGEST:
            raise TooLargeObjectError(
                f"a file of {int(size):,} bytes is too large: {LARGEST:,} are read"
            )
        header, _, rest = self.ask("cat-file", "--batch", given=query).partition(b"\n")
        return rest[: int(header.split()[2])]

    def tree(self, commit: str) -> Entry:
        """Return the root folder of a commit."""
        return Entry(_TREE, f"{commit}^{{tree}}")

    def entries(self, folder: Entry) -> dict[str, Entry]:
        """Return the entries of a folder, by name."""
        if folder.id not in self._entries:
            self._entries[folder.id] = self._read_entries(folder)
        return self._entries[folder.id]

    def _read_entries(self, folder: Entry) -> dict[str, Entry]:
        width = 32 if self.form == "sha256" else 20
        left, entries = self.read(folder.id), dict[str, Entry]()
        while left:
            mode, _, rest = left.partition(b" ")
            name, _, rest = rest.partition(b"\0")
            text = name.decode("utf-8", "surrogateescape")
            entries[text] = Entry(int(mode, 8), rest[:width].hex())
            left = rest[width:]
        return entries

    def look_up(self, commit: str, parts: Sequence[str]) -> Entry | None:
        """Return the entry of a commit at a path; None: no entry. Links of the commit are followed.

        Args:
            commit: its full hash.
            parts: the parts of the path from the top; ``..`` goes up from the target of the parts
                before it.

        Raises:
            NoPathError: the path leads out of the repository, or into another one.
            MissingObjectError: an object on the way is not here.
        """
        return self.resolve(commit, parts)[0]

    def resolve(self, commit: str, parts: Sequence[str]) -> tuple[Entry | None, tuple[str, ...]]:
        """Return the same as `look_up`, and the path without links, as far as the commit has it."""
        names, above, here = list[str](), list[Entry](), self.tree(commit)
        left, links = list(parts), 0
        while left:
            part = left.pop(0)
            if part == "..":
                if not above:
                    raise NoPathError("it leads out of the repository")
                here = above.pop()
                names.pop()
            elif part not in {"", "."}:
                entry = self._enter(here, part)
                if entry is None:
                    return None, (*names, part, *left)
                if entry.mode == LINK:
                    links += 1
                    left = [*self._target(entry, links), *left]
                else:
                    above, here, names = [*above, here], entry, [*names, part]
        return here, tuple(names)

    def _enter(self, folder: Entry, name: str) -> Entry | None:
        if folder.mode == SUBMODULE:
            raise NoPathError("a part of it is in a submodule, which is a separate repository")
        return self.entries(folder).get(name) if folder.is_folder else None

    def _target(self, link: Entry, links: int) -> list[str]:
        target = self.read(link.id).decode("utf-8", "surrogateescape")
        if target.startswith("/"):
            raise NoPathError("a symbolic link in the path leads out of the repository")
        if links > _MOST_LINKS:
            raise NoPathError("symbolic links in the path form a loop")
        return target.split("/")


def _quoted(path: Path) -> bytes:
    """Return a line of objects/info/alternates; in quotes, no character of a name is special."""
    raw = str(path).encode("utf-8", "surrogateescape")
    escaped = raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"\n'


def blob_id(raw: bytes, form: str) -> str:
    """Return the hash of a text as a git object, of type ``sha1`` or ``sha256``.

    https://git-scm.com/book/en/v2/Git-Internals-Git-Objects#_object_storage
    """
    return hashlib.new(form, b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()
