"""How large a text may be that whoever proposes a change has written: quickly read in any case.

YAML's aliases let a few lines stand for a million values, and its lists nest without an end.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import field
from typing import Final

import yaml

from gate.dataclass import dataclass
from gate.parsing.files import Tree
from gate.parsing.reader import loader

_BYTES: Final = 1 << 20
"""The bytes of one text."""
_ALL_BYTES: Final = 4 << 20
"""The bytes of all files that one policy reads beside itself."""
_PATTERNS: Final = 100
"""Globs of files that one policy names."""
_FILES: Final = 1_000
_VALUES: Final = 100_000
"""Single values, lists and blocks of one text, with each alias as large as what it stands for; a
policy of 1,000 SLOs has 20,000."""
_DEPTH: Final = 60
_ENTRIES: Final = 1_000
"""The entries of a list, or keys and values of a block, below those that hold whole SLOs."""
_OUTER: Final = 2
"""Levels whose lists hold whole SLOs: a document, and what its keys have."""
_SCALAR: Final = 20_000
"""Characters of a single value."""


class TooLargeError(Exception):
    """A text is larger, deeper or more repetitive than a policy has to be."""


def check_size(raw: bytes) -> None:
    """Let a text pass that is quickly read; what is not YAML passes, since it is refused later.

    Raises:
        TooLargeError: it is too large.
    """
    if len(raw) > _BYTES:
        raise TooLargeError
    with suppress(yaml.YAMLError, UnicodeDecodeError):
        shape = _Shape()
        for event in yaml.parse(raw.decode("utf-8-sig"), loader()):
            shape.add(event)


@dataclass(slots=True)
class BoundedTree:
    """Files of a tree, as many and as large as those of a policy may be."""

    tree: Tree
    _patterns: int = 0
    _size: int = 0
    _names: set[str] = field(default_factory=set)

    def find(self, pattern: str) -> Sequence[str]:
        """Return the names of the files that match a glob.

        Raises:
            TooLargeError: they are too many.
        """
        self._patterns += 1
        names = self.tree.find(pattern)
        self._names.update(names)
        if self._patterns > _PATTERNS or len(self._names) > _FILES:
            raise TooLargeError
        return names

    def read(self, name: str) -> bytes:
        """Return what a file holds.

        Raises:
            TooLargeError: it is too large, or all that was read is.
            OSError: it cannot be read.
        """
        raw = self.tree.read(name)
        self._size += len(raw)
        if self._size > _ALL_BYTES:
            raise TooLargeError
        check_size(raw)
        return raw


@dataclass(slots=True)
class _Shape:
    """How large a text is once every alias is replaced by what it stands for."""

    size: int = 0
    around: list[tuple[str | None, int]] = field(default_factory=list)
    """For each block and list around: its anchor, and the size of all before it."""
    entries: list[int] = field(default_factory=lambda: [0])
    """The entries of each block and list around, the outermost first."""
    anchors: dict[str, int] = field(default_factory=dict)
    """The size of what each stands for; of one that is not at its end, far too much."""

    def add(self, event: yaml.Event) -> None:
        """Take in the next event; raises TooLargeError where the text is too large already."""
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = self.around.pop()
            self.entries.pop()
            self._name(anchor, self.size - before)
        elif isinstance(event, yaml.AliasEvent):
            self._grow(self.anchors.get(event.anchor or "", 1))
        elif isinstance(event, yaml.CollectionStartEvent):
            before = self.size
            self._grow(1)
            self._name(event.anchor, _VALUES)
            self.around.append((event.anchor, before))
            self.entries.append(0)
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > _SCALAR:
                raise TooLargeError
            self._grow(1)
            self._name(event.anchor, 1)

    def _name(self, anchor: str | None, size: int) -> None:
        if anchor is not None:
            self.anchors[anchor] = size

    def _grow(self, values: int) -> None:
        self.size += values
        self.entries[-1] += 1
        depth = len(self.around)
        wide = depth > _OUTER and self.entries[-1] > _ENTRIES
        if wide or self.size > _VALUES or depth > _DEPTH:
            raise TooLargeError
