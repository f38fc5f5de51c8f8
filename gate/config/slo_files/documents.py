"""The documents in a file of SLOs, each with the format that it names."""

import re
from collections.abc import Mapping
from typing import Final

import yaml

from gate.dataclass import dataclass
from gate.parsing.nodes import merged
from gate.parsing.reader import Reader, after, written
from gate.parsing.schema import Choice, pairs

FORMATS: Final[Mapping[str, str]] = {
    "openslo/v1": "gate.config.slo_files.openslo",
    "openslo/v1alpha": "gate.config.slo_files.openslo_alpha",
    "prometheus/v1": "gate.config.slo_files.sloth",
    "sloth.slok.dev/v1": "gate.config.slo_files.sloth",
    "pyrra.dev/v1alpha1": "gate.config.slo_files.pyrra",
    "sre.google.com/v2": "gate.config.slo_files.slo_generator",
}
"""The module for each format, by a document's ``apiVersion`` or, for Sloth, ``version``."""
_HELM: Final = re.compile(
    r"\{\{-?\s*(?:`|include\s|template\s|define\s|(?:[^{}`]*[\s(])?\$?\.(?:Values|Release|Chart)\.)"
    r"[^{}`\n]{0,40}"
)
_EXTENSION: Final = "x-"
"""The prefix of keys that are for other tools or for ``<<``:
https://github.com/compose-spec/compose-spec/blob/main/11-extension.md"""
_FORMAT: Final = Choice(tuple(FORMATS))
_REWRITTEN: Final[Mapping[str, str]] = {
    "openslo.com/v2alpha": "is not read; write it as openslo/v1, where spec.sliRef is"
    " spec.indicatorRef",
    "monitoring.coreos.com/v1": "has rules and no SLOs; name the file that they were generated"
    " from, or count what they record by `sli: {recorded: sloth}`",
    "AlertWindows": "has no SLO; leave this file out, and write its sloPeriod beside 'from', such"
    " as window: 2w",
}
"""Replacements for other formats and kinds that users may have beside these files."""
_FIRST_SLO_GENERATOR: Final = "slo_target"
"""A key of slo-generator's files before its second version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document, and the format that it names."""

    format: str
    """A key of `FORMATS`."""
    node: yaml.Node
    reader: Reader
    """The reader of its file."""

    def under(self, *path: str) -> yaml.Node | None:
        """Return the node under these keys; None if none exists."""
        node: yaml.Node | None = self.node
        for key in path:
            pairs = merged(node)[0] if isinstance(node, yaml.MappingNode) else []
            node = next((child for name, child in pairs if written(name) == key), None)
        return node

    def at(self, *path: str) -> str:
        """Return the scalar under these keys; empty if none exists."""
        node = self.under(*path)
        return "" if node is None else written(node)


def check_rendered(text: str, reader: Reader) -> None:
    """Refuse a Helm template, whose rendered text is unknown.

    Raises:
        UnreadableError: it is a template; the mistake is noted.
    """
    if helm := _HELM.search(text):
        message = (
            f"`{helm[0].strip()}` is a Helm expression: this is a template, not an SLO file;"
            " write what `helm template` prints to a file, and name that"
        )
        raise reader.fail(after(text[: helm.start()]), message)


def objects(node: yaml.Node) -> list[yaml.Node]:
    """Return the objects in a document: a single one, a list, or the items of a Kubernetes List."""
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    if isinstance(node, yaml.MappingNode):
        keys = {written(key): child for key, child in merged(node)[0]}
        kind, items = keys.get("kind"), keys.get("items")
        listed = kind is not None and written(kind).endswith("List")
        if listed and isinstance(items, yaml.SequenceNode):
            return list(items.value)
    return [node]


def recognised(node: yaml.Node, reader: Reader) -> Document:
    """Return an object as a document of the format that it names, without other keys.

    Raises:
        UnreadableError: its format is not supported; the mistake is noted.
    """
    entries = pairs(node, reader)
    for key, child in entries:
        if key.value in {"apiVersion", "version"}:
            _check_kind(child, reader)
            for name, kind in entries:
                if name.value == "kind":
                    _check_kind(kind, reader)
            kept = [entry for entry in entries if not entry[0].value.startswith(_EXTENSION)]
            node = yaml.MappingNode(node.tag, kept, node.start_mark, node.end_mark)
            return Document(format=_FORMAT.read(child, reader), node=node, reader=reader)
    if any(key.value == _FIRST_SLO_GENERATOR for key, _ in entries):
        message = (
            "this is a file of slo-generator 1; write it as sre.google.com/v2: `slo-generator"
            " migrate`"
        )
        raise reader.fail(node, message)
    message = (
        "this is not an SLO file: it has neither apiVersion nor, as Sloth's have, version; known"
    )
    raise reader.fail(node, f"{message}: {', '.join(FORMATS)}")


def _check_kind(node: yaml.Node, reader: Reader) -> None:
    """Refuse a known kind of document without an SLO, and say what to write instead.

    Raises:
        UnreadableError: it is of such a kind; the mistake is noted.
    """
    instead = _REWRITTEN.get(written(node))
    if instead is not None:
        raise reader.fail(node, f"{written(node)!r} {instead}")
