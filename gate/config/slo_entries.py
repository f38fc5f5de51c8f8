"""The entries of ``slos`` in a policy: defined there, by a platform, or in other files."""

from collections.abc import Sequence
from typing import Final

import yaml

from gate.config.placed_slo import FROM, FROM_PLATFORM, PLATFORM, PlacedSlo, SloFiles
from gate.config.slo_schema import SLO
from gate.parsing.reader import Reader, UnreadableError, written
from gate.parsing.schema import JsonSchema, ListOf, pairs


class _Entry:
    """One entry: an SLO, defined here or by a platform, or the files that have more."""

    def read(self, node: yaml.Node, reader: Reader) -> PlacedSlo | SloFiles:
        """Return which of these it is."""
        sources = [child for key, child in pairs(node, reader) if key.value == "from"]
        if sources and written(sources[0]) != PLATFORM:
            return FROM.read(node, reader)
        slo, backend, actions = (FROM_PLATFORM if sources else SLO).read(node, reader)
        return PlacedSlo(slo=slo, node=node, reader=reader, backend=backend, actions=actions)

    def schema(self) -> JsonSchema:
        """Return all three."""
        return {"anyOf": [SLO.schema(), FROM_PLATFORM.schema(), FROM.schema()]}


_ENTRIES: Final = ListOf(_Entry(), at_least=1)


class Slos:
    """All entries, those of other files in the place of the entry that names the files."""

    def read(self, node: yaml.Node, reader: Reader) -> tuple[PlacedSlo, ...]:
        """Return every SLO; a mistake in one file does not hide those in others."""
        entries, whole = _ENTRIES.readable(node, reader)
        outside = [entry for entry in entries if isinstance(entry, SloFiles)]
        imported = iter(_import_slos(outside, reader) if outside else ())
        if not whole:
            raise UnreadableError
        placed = [[entry] if isinstance(entry, PlacedSlo) else next(imported) for entry in entries]
        return tuple(slo for slos in placed for slo in slos)

    def schema(self) -> JsonSchema:
        """Return an array of either."""
        return _ENTRIES.schema()


def _import_slos(entries: Sequence[SloFiles], reader: Reader) -> Sequence[Sequence[PlacedSlo]]:
    from gate.config.slo_files import read_entries  # noqa: PLC0415 - for these entries only

    return read_entries(entries, reader)


def slos_with(kind: str, entry: JsonSchema, *, otherwise: bool = False) -> JsonSchema:
    """Return what each entry of ``slos`` must fit with a backend, or with every other one."""
    there = {"properties": {"backend": {"properties": {"type": {"const": kind}}}}}
    # Which of several an SLO has is not for JSON Schema: they have none of these conditions.
    given = {} if otherwise else {"required": ["backend"]}
    return {
        "if": there | given,
        "else" if otherwise else "then": {"properties": {"slos": {"items": entry}}},
    }


HAS_SLI: Final = {"anyOf": [{"required": [key]} for key in ("sli", "composite", "from")]}
"""An entry that says what is counted, or where that is said."""
WHOLE_RATIO: Final = {
    "anyOf": [
        {"not": {"anyOf": [{"required": ["good"]}, {"required": ["bad"]}]}},
        {"required": ["total"]},
        {"required": ["good", "bad"]},
    ]
}
"""A ratio with a known number of all events, not only of the good or the bad ones."""
