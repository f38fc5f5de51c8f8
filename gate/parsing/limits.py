"""The maximum size of a text from the author of a change, so that reading it is always fast.

With aliases, a few lines of YAML can mean a million values, and lists can be nested without limit.
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
"""The maximum size of one text in bytes."""
_ALL_BYTES: Final = 4 << 20
"""The maximum size of all files that one policy reads beside itself, in bytes."""
_PATTERNS: Final = 100
"""The maximum number of globs in one policy."""
_FILES: Final = 1_000
_VALUES: Final = 100_000
"""The maximum number of scalars, lists and blocks in one text, with each alias counted like its
target; a policy of 1,000 SLOs has 20,000."""
_DEPTH: Final = 60
_ENTRIES: Final = 1_000
"""The maximum number of entries in a list, or keys and values in a block, below the levels that
have whole SLOs."""
_OUTER: Final = 2
"""The levels whose lists have whole SLOs: a document, and the values of its keys."""
_SCALAR: Final = 20_000
"""The maximum number of characters in a scalar."""


class TooLargeError(Exception):
    """A text is larger, deeper or more repetitive than a policy needs to be."""


def check_size(raw: bytes) -> None:
    """Accept a text that is fast to read; text that is not YAML is accepted, and refused later.

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
    """Files of a tree, limited in number and size."""

    tree: Tree
    _patterns: int = 0
    _size: int = 0
    _names: set[str] = field(default_factory=set)

    def find(self, pattern: str) -> Sequence[str]:
        """Return the names of the files that match a glob.

        Raises:
            TooLargeError: there are too many.
        """
        self._patterns += 1
        names = self.tree.find(pattern)
        self._names.update(names)
        if self._patterns > _PATTERNS or len(self._names) > _FILES:
            raise TooLargeError
        return names

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            TooLargeError: the file is too large, or all files together are.
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
    """The size of a text with every alias replaced by its target."""

    size: int = 0
    around: list[tuple[str | None, int]] = field(default_factory=list)
    """For each block and list around: its anchor, and the size of everything before it."""
    entries: list[int] = field(default_factory=lambda: [0])
    """The number of entries in each block and list around, the outermost first."""
    anchors: dict[str, int] = field(default_factory=dict)
    """The size of each anchor's target; an unfinished target counts as far too large."""

    def add(self, event: yaml.Event) -> None:
        """Add the next event; raises TooLargeError if the text is already too large."""
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
