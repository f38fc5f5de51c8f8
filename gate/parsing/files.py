"""The files that a policy refers to: as they are, or as they are in a commit."""

import posixpath
import re
from collections.abc import Sequence
from dataclasses import field
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from gate.dataclass import dataclass
from gate.errors import Mistake, PolicyError
from gate.policy.changes import matches_glob


def read_bytes(path: str) -> bytes:
    """Return the content of a file that the user named.

    Raises:
        PolicyError: it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror}"
        raise PolicyError((Mistake(file=path, line=1, column=1, message=message),)) from error


def literal(path: str) -> str:
    """Return a glob for Python that matches only this path."""
    return re.sub(r"([*?[])", r"[\1]", path)


def literals(*paths: Path | None) -> tuple[str, ...]:
    """Return a glob for each of these files, without None."""
    return tuple(literal(str(path)) for path in paths if path is not None)


class Tree(Protocol):
    """A tree of files. Names are relative to the policy's folder, with ``/``."""

    def find(self, pattern: str) -> Sequence[str]:
        """Return the names of the files that match a glob, in any order."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content of a file that was found.

        Raises:
            OSError: it cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder on this machine."""

    path: Path

    def find(self, pattern: str) -> Sequence[str]:
        """Return the names of the files that match a glob."""
        import glob  # noqa: PLC0415 - for policies that read other files only

        literal = glob.escape(pattern).replace("[*]", "*").replace("[?]", "?")
        # Path.glob interprets ** differently in some versions of Python.
        paths = glob.glob(literal, root_dir=self.path, recursive=True, include_hidden=True)  # noqa: PTH207
        names = (Path(path).as_posix() for path in paths if (self.path / path).is_file())
        return [name for name in names if matches_glob(pattern, name)]

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return (self.path / name).read_bytes()


@dataclass(slots=True, kw_only=True)
class Imports:
    """The files that one policy has read so far, which are treated like the policy itself."""

    tree: Tree
    patterns: list[str] = field(default_factory=list)
    texts: dict[str, bytes] = field(default_factory=dict)
    """Their texts by name."""

    def find(self, pattern: str) -> list[str]:
        """Return the names of the files that match a glob, sorted."""
        pattern = posixpath.normpath(pattern)
        self.patterns.append(pattern)
        return sorted(self.tree.find(pattern))

    def read(self, name: str) -> bytes:
        """Return the content of a file, and remember it.

        Raises:
            OSError: it cannot be read.
        """
        self.texts[name] = self.tree.read(name)
        return self.texts[name]

    def digest(self, policy: str, raw: bytes) -> str:
        """Return the hash of everything that the policy says, which shows alterations.

        For a policy that reads no files, it is the output of ``sha256sum POLICY``. Otherwise it is
        that of ``sha256sum POLICY FILE... | sha256sum`` in the policy's folder, with sorted files.
        """
        own = sha256(raw).hexdigest()
        if not self.texts:
            return own
        lines = [f"{own}  {policy}\n"]
        lines += [
            f"{sha256(text).hexdigest()}  {name}\n" for name, text in sorted(self.texts.items())
        ]
        return sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
