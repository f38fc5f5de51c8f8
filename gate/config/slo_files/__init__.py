"""SLO files of other tools, read as SLOs of the policy.

A new format is a module with a ``read_document`` and a line in `FORMATS`. A module is imported only
for a file of its format.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from fractions import Fraction
from importlib import import_module
from itertools import chain
from typing import Any, Final, TypeVar

import yaml

from gate.config.placed_slo import PLATFORM, PlacedSlo, SloFiles
from gate.config.slo_files.documents import FORMATS, Document, check_rendered, objects, recognised
from gate.config.slo_schema import SLO
from gate.dataclass import dataclass
from gate.parsing.objects import Field, Object, TaggedUnion, Values, as_read
from gate.parsing.reader import Reader, UnreadableError, compose_all, decode
from gate.parsing.schema import Anything, ValueSchema
from gate.parsing.values import NAME
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Denominator, Window

__all__ = ["FORMATS", "Document"]
T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class DocumentContext:
    """The context that an SLO document does not state itself."""

    entry: SloFiles
    """The entry of the policy that names its file."""
    documents: Sequence[Document]
    """All documents that the policy reads, of this entry and of others."""
    window_used: bool = False
    """Whether an SLO took the entry's window."""

    def find(self, format_: str, kind: str, name: str) -> Document | None:
        """Return the document of a kind and name (``metadata.name``); None if it does not exist."""
        wanted = (format_, kind, name)
        for document in self.documents:
            if (document.format, document.at("kind"), document.at("metadata", "name")) == wanted:
                return document
        return None

    def window(
        self, node: yaml.Node, reader: Reader, default: tuple[Window, Denominator] | None = None
    ) -> tuple[Window, Denominator]:
        """Return the window of an SLO whose file has none.

        Raises:
            UnreadableError: the entry has no window either; the mistake is noted.
        """
        self.window_used = True
        window = self.entry.window or default
        if window is None:
            message = "the window is missing; add it to the policy, beside 'from': window: 30d"
            raise reader.fail(node, message)
        return window


def read_entries(entries: Sequence[SloFiles], reader: Reader) -> list[list[PlacedSlo]]:
    """Return the SLOs of each entry, in the order of the files' names.

    Raises:
        UnreadableError: a file could not be read; every mistake is noted.
    """
    documents, whole = [], True
    for entry in entries:
        own, readable = _documents(entry, reader)
        documents.append(own)
        whole = whole and readable
    every = [document for own in documents for document in own]
    slos = []
    for entry, own in zip(entries, documents, strict=True):
        placed, readable = _slos(own, DocumentContext(entry=entry, documents=every), reader)
        slos.append([replace(slo, backend=entry.backend) for slo in placed])
        whole = whole and readable
    if whole and not any(slos):
        reader.note(entries[0].values.node("from"), "these files have no SLO")
    if not whole or not any(slos):
        raise UnreadableError
    return slos


def _documents(entry: SloFiles, reader: Reader) -> tuple[list[Document], bool]:
    """Return the readable documents, and whether all could be read."""
    node = entry.values.node("from")
    names = reader.imports.find(entry.pattern)
    if not names:
        near = get_close_matches(entry.pattern.lower(), [PLATFORM], cutoff=0.6)
        hint = f"; did you mean {PLATFORM!r}?" if near else ""
        reader.note(node, f"no file matches {entry.pattern!r}{hint}")
    documents, whole = list[Document](), bool(names)
    for name in names:
        beside = replace(reader.beside(name), merging=True)
        try:
            text = decode(reader.imports.read(name), beside)
            check_rendered(text, beside)
            nodes = compose_all(text, beside)
        except OSError as error:
            reader.note(node, f"{name} cannot be read: {error.strerror}")
            whole = False
            continue
        except UnreadableError:
            whole = False
            continue
        for document in chain.from_iterable(map(objects, nodes)):
            try:
                documents.append(recognised(document, beside))
            except UnreadableError:
                whole = False
    return documents, whole


def _slos(
    documents: Sequence[Document], around: DocumentContext, reader: Reader
) -> tuple[list[PlacedSlo], bool]:
    """Return the readable SLOs, and whether all could be read."""
    placed, whole = list[PlacedSlo](), True
    for document in documents:
        module = import_module(FORMATS[document.format])
        try:
            placed += module.read_document(document, around)
        except UnreadableError:
            whole = False
    if placed and whole and around.entry.window is not None and not around.window_used:
        message = "all SLOs of these files have windows of their own; remove this key"
        reader.note(around.entry.values.node("window"), message)
        whole = False
    return placed, whole


PASSED_OVER: Final = Field(schema=Anything(), doc="Not used here.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SloDraft:
    """An SLO with an objective, as a file defines it."""

    name: str
    objective: Fraction
    sli: Sli
    node: yaml.Node
    """Its place in the file."""
    slices: Slices | None = None

    def placed(self, window: tuple[Window, Denominator], reader: Reader) -> PlacedSlo:
        """Return the SLO, checked like the policy's own SLOs.

        Raises:
            UnreadableError: its keys do not go together; the mistake is noted.
        """
        values = {
            "name": self.name,
            "objective": self.objective,
            "sli": self.sli,
            "window": window,
        }
        if self.slices is not None:
            values["timeslices"] = self.slices
        return placed_slo(values, self.node, reader)


def placed_slo(values: dict[str, Any], node: yaml.Node, reader: Reader) -> PlacedSlo:
    """Return the SLO that the policy would have for these keys."""
    slo = SLO.build(Values(values=values, nodes={"": node}), reader).slo
    return PlacedSlo(slo=slo, node=node, reader=reader, imported=True)


METADATA: Final = Object(
    {"name": Field(schema=NAME, doc="The name.", required=True)},
    as_read,
    others=PASSED_OVER,
)
"""The metadata of a Kubernetes resource, or of a document with the same form."""


def resources(specs: Mapping[str, ValueSchema[T]]) -> TaggedUnion[tuple[Values, T]]:
    """Return the schema of resources by kind: their metadata and their specs."""
    return TaggedUnion("kind", {kind: _resource(spec) for kind, spec in specs.items()})


def _resource(spec: ValueSchema[T]) -> Object[tuple[Values, T]]:
    return Object(
        {
            "apiVersion": PASSED_OVER,
            "kind": PASSED_OVER,
            "metadata": Field(schema=METADATA, doc="Its name.", required=True),
            "spec": Field(schema=spec, doc="Contents of the resource.", required=True),
            "status": PASSED_OVER,
        },
        lambda values, _: (values.get("metadata"), values.get("spec")),
    )
