"""The entries of ``slos`` in a policy: defined there, on a platform, or in other files."""

from collections.abc import Sequence
from typing import Final

import yaml

from gate.config.placed_slo import FROM, FROM_PLATFORM, PLATFORM, PlacedSlo, SloFiles
from gate.config.slo_schema import SLO
from gate.parsing.reader import Reader, UnreadableError, written
from gate.parsing.schema import JsonSchema, ListOf, pairs


class _Entry:
    """One entry: an SLO, defined here or on a platform, or the files that have more SLOs."""

    def read(self, node: yaml.Node, reader: Reader) -> PlacedSlo | SloFiles:
        """Return the entry in one of these forms."""
        sources = [child for key, child in pairs(node, reader) if key.value == "from"]
        if sources and written(sources[0]) != PLATFORM:
            return FROM.read(node, reader)
        slo, backend, actions = (FROM_PLATFORM if sources else SLO).read(node, reader)
        return PlacedSlo(slo=slo, node=node, reader=reader, backend=backend, actions=actions)

    def schema(self) -> JsonSchema:
        """Return the schema of all three forms."""
        return {"anyOf": [SLO.schema(), FROM_PLATFORM.schema(), FROM.schema()]}


_ENTRIES: Final = ListOf(_Entry(), at_least=1)


class Slos:
    """All entries; an entry that names files is replaced by the SLOs in them."""

    def read(self, node: yaml.Node, reader: Reader) -> tuple[PlacedSlo, ...]:
        """Return every SLO; a mistake in one file does not hide mistakes in others."""
        entries, whole = _ENTRIES.readable(node, reader)
        outside = [entry for entry in entries if isinstance(entry, SloFiles)]
        imported = iter(_import_slos(outside, reader) if outside else ())
        if not whole:
            raise UnreadableError
        placed = [[entry] if isinstance(entry, PlacedSlo) else next(imported) for entry in entries]
        return tuple(slo for slos in placed for slo in slos)

    def schema(self) -> JsonSchema:
        """Return the schema of an array of both forms."""
        return _ENTRIES.schema()


def _import_slos(entries: Sequence[SloFiles], reader: Reader) -> Sequence[Sequence[PlacedSlo]]:
    from gate.config.slo_files import read_entries  # noqa: PLC0415 - for these entries only

    return read_entries(entries, reader)


def slos_with(kind: str, entry: JsonSchema, *, otherwise: bool = False) -> JsonSchema:
    """Return the conditions on each entry of ``slos`` with a single backend, or with several."""
    there = {"properties": {"backend": {"properties": {"type": {"const": kind}}}}}
    # With several backends, JSON Schema cannot know which of them an SLO has: no such conditions.
    given = {} if otherwise else {"required": ["backend"]}
    return {
        "if": there | given,
        "else" if otherwise else "then": {"properties": {"slos": {"items": entry}}},
    }


HAS_SLI: Final = {"anyOf": [{"required": [key]} for key in ("sli", "composite", "from")]}
"""An entry with an indicator, or with the name of one elsewhere."""
WHOLE_RATIO: Final = {
    "anyOf": [
        {"not": {"anyOf": [{"required": ["good"]}, {"required": ["bad"]}]}},
        {"required": ["total"]},
        {"required": ["good", "bad"]},
    ]
}
"""A ratio with a count of all events, not only of the good or the bad ones."""
