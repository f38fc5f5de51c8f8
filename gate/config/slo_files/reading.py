"""From the ``from`` entries of a policy to the SLOs of the files that they name."""

from collections.abc import Sequence
from importlib import import_module
from itertools import chain
from typing import Final

import yaml

from gate.config.reader import Reader, UnreadableError, compose_all, decode
from gate.config.shapes import Choice, pairs
from gate.config.slo_files import FORMATS
from gate.config.slo_files.documents import Document, Surroundings
from gate.config.slos_shape import FromFiles, Placed

_FORMAT: Final = Choice(tuple(FORMATS))


def read_entries(entries: Sequence[FromFiles], reader: Reader) -> list[list[Placed]]:
    """Return the SLOs of each entry, in the order of the files' names.

    Raises:
        UnreadableError: something could not be read; every mistake is noted.
    """
    documents, whole = [], True
    for entry in entries:
        some, readable = _documents(entry, reader)
        documents.append(some)
        whole = whole and readable
    every = [document for some in documents for document in some]
    found = []
    for entry, some in zip(entries, documents, strict=True):
        placed, readable = _slos(some, Surroundings(entry=entry, documents=every), reader)
        found.append(placed)
        whole = whole and readable
    if whole and not any(found):
        reader.note(entries[0].values.node("from"), "there is no SLO in these files")
    if not whole or not any(found):
        raise UnreadableError
    return found


def _documents(entry: FromFiles, reader: Reader) -> tuple[list[Document], bool]:
    """Return the documents that can be read, and whether these are all."""
    node = entry.values.node("from")
    names = reader.imports.find(entry.pattern)
    if not names:
        reader.note(node, f"no file matches {entry.pattern!r}")
    documents, whole = list[Document](), bool(names)
    for name in names:
        beside = reader.beside(name)
        try:
            text = decode(reader.imports.read(name), beside)
            nodes = compose_all(text, beside)
        except OSError as error:
            reader.note(node, f"{name} cannot be read: {error.strerror}")
            whole = False
            continue
        except UnreadableError:
            whole = False
            continue
        for one in chain.from_iterable(map(_objects, nodes)):
            try:
                documents.append(_recognised(one, beside))
            except UnreadableError:
                whole = False
    return documents, whole


def _objects(node: yaml.Node) -> list[yaml.Node]:
    """Return what stands in a document: one object or, as OpenSLO's own tools write, a list."""
    return node.value if isinstance(node, yaml.SequenceNode) else [node]


def _recognised(node: yaml.Node, reader: Reader) -> Document:
    for key, child in pairs(node, reader):
        if key.value in {"apiVersion", "version"}:
            return Document(format=_FORMAT.read(child, reader), node=node, reader=reader)
    message = "this is no SLO file: it has neither apiVersion nor, as Sloth's have, version; known"
    raise reader.fail(node, f"{message}: {', '.join(FORMATS)}")


def _slos(
    documents: Sequence[Document], around: Surroundings, reader: Reader
) -> tuple[list[Placed], bool]:
    """Return the SLOs that can be read, and whether these are all."""
    placed, whole = list[Placed](), True
    for document in documents:
        module = import_module(FORMATS[document.format])
        try:
            placed += module.read_document(document, around)
        except UnreadableError:
            whole = False
    if placed and whole and around.entry.window is not None and not around.window_used:
        message = "the SLOs of these files all have windows of their own: leave this out"
        reader.note(around.entry.values.node("window"), message)
        whole = False
    return placed, whole
