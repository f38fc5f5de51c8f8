"""The ``slos`` of a policy: SLOs of its own, and those of files that already exist."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import yaml

from gate.config.reader import Reader, UnreadableError
from gate.config.scalars import GLOB
from gate.config.shapes import Block, Field, ListOf, Schema, Values, pairs
from gate.config.slo_shape import SLO, WINDOW
from gate.slo.objective import Denominator, Slo
from gate.slo.window import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An SLO, and where it is written."""

    slo: Slo
    node: yaml.Node
    reader: Reader
    """Of the file that it is written in."""
    imported: bool = False
    """That is a file of another tool, with its expressions in PromQL."""

    def note(self, message: str) -> None:
        """Note a mistake where the SLO is written."""
        self.reader.note(self.node, f"{self.slo.name}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FromFiles:
    """An entry that names SLO files."""

    pattern: str
    """A glob, from the policy's folder."""
    window: tuple[Window, Denominator] | None
    """Of SLOs whose files name none."""
    values: Values
    """Where it says so."""


FROM: Final = Block(
    {
        "from": Field(
            shape=GLOB,
            doc="Files of OpenSLO, Sloth, Pyrra or slo-generator, from this file's folder.",
            required=True,
        ),
        "window": Field(
            shape=WINDOW, doc="Of SLOs whose files say none. Default: Sloth's 30d, else required."
        ),
    },
    lambda values, _: FromFiles(
        pattern=values.get("from"), window=values.get("window"), values=values
    ),
)


class _Entry:
    """One entry: an SLO, or where more of them are."""

    def read(self, node: yaml.Node, reader: Reader) -> Placed | FromFiles:
        """Return which of the two it is."""
        if any(key.value == "from" for key, _ in pairs(node, reader)):
            return FROM.read(node, reader)
        return Placed(slo=SLO.read(node, reader), node=node, reader=reader)

    def schema(self) -> Schema:
        """Return both."""
        return {"anyOf": [SLO.schema(), FROM.schema()]}


_ENTRIES: Final = ListOf(_Entry(), at_least=1)


class _Slos:
    """All entries, those of other files in the place of the entry that names the files."""

    def read(self, node: yaml.Node, reader: Reader) -> tuple[Placed, ...]:
        """Return every SLO; a mistake in one file does not hide those in others."""
        entries, whole = _ENTRIES.readable(node, reader)
        outside = [entry for entry in entries if isinstance(entry, FromFiles)]
        found: Sequence[Sequence[Placed]] = ()
        if outside:
            from gate.config.slo_files.reading import read_entries  # noqa: PLC0415 - for these only

            found = read_entries(outside, reader)
        if not whole:
            raise UnreadableError
        imported = iter(found)
        placed = [[entry] if isinstance(entry, Placed) else next(imported) for entry in entries]
        return tuple(slo for slos in placed for slo in slos)

    def schema(self) -> Schema:
        """Return an array of either."""
        return _ENTRIES.schema()


SLOS: Final = _Slos()
