"""The documents of SLO files, all of which a document may refer to."""

from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from gate.config.reader import Reader, written
from gate.config.slos_shape import FromFiles
from gate.slo.objective import Denominator
from gate.slo.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document, and what it says it is."""

    format: str
    """A key of `FORMATS`."""
    node: yaml.Node
    reader: Reader
    """Of its file."""

    def under(self, *path: str) -> yaml.Node | None:
        """Return what stands under these keys; None where nothing does."""
        node: yaml.Node | None = self.node
        for key in path:
            pairs = node.value if isinstance(node, yaml.MappingNode) else []
            node = next((child for name, child in pairs if written(name) == key), None)
        return node

    def at(self, *path: str) -> str:
        """Return the single value under these keys; nothing where there is none."""
        node = self.under(*path)
        return "" if node is None else written(node)


@dataclass(slots=True, kw_only=True)
class Surroundings:
    """What a document does not say itself."""

    entry: FromFiles
    """The entry of the policy that names its file."""
    documents: Sequence[Document]
    """All that the policy reads, of this entry and others."""
    window_used: bool = False
    """Whether an SLO took the entry's window."""

    def find(self, format_: str, kind: str, name: str) -> Document | None:
        """Return the document of a kind and name (``metadata.name``); None: there is none."""
        wanted = (format_, kind, name)
        for document in self.documents:
            if (document.format, document.at("kind"), document.at("metadata", "name")) == wanted:
                return document
        return None

    def window(
        self, node: yaml.Node, reader: Reader, default: tuple[Window, Denominator] | None = None
    ) -> tuple[Window, Denominator]:
        """Return the window of an SLO whose file says none.

        Raises:
            UnreadableError: nobody says it; the mistake is noted.
        """
        self.window_used = True
        window = self.entry.window or default
        if window is None:
            message = "no window is said here; say it in the policy, beside 'from': window: 30d"
            raise reader.fail(node, message)
        return window
