"""The ``slos`` of a policy: SLOs of its own, and those of files that already exist."""

from collections.abc import Sequence
from typing import Final

import yaml

from gate.config.slo_entries import FROM, FromFiles, Placed
from gate.config.slo_schema import SLO
from gate.parsing.reader import Reader, UnreadableError
from gate.parsing.schema import JsonSchema, ListOf, pairs


class _Entry:
    """One entry: an SLO, or where more of them are."""

    def read(self, node: yaml.Node, reader: Reader) -> Placed | FromFiles:
        """Return which of the two it is."""
        if any(key.value == "from" for key, _ in pairs(node, reader)):
            return FROM.read(node, reader)
        return Placed(slo=SLO.read(node, reader), node=node, reader=reader)

    def schema(self) -> JsonSchema:
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

    def schema(self) -> JsonSchema:
        """Return an array of either."""
        return _ENTRIES.schema()


SLOS: Final = _Slos()
