"""What a preset knows of a log's rows, laid over what the files themselves say."""

# ruff: noqa: S608 - names are quoted, types come from preset files

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gate.backends.logs.database import identifier
from gate.backends.logs.source import Relation, Source
from gate.settings import Newest, Records


def needed_columns(records: Records) -> frozenset[str]:
    """Return the columns, in lower case, without which no row can be placed."""
    newest = records.newest
    names = (records.timestamp, *newest.of, *newest.by) if newest else (records.timestamp,)
    return frozenset(name.lower() for name in names)


def as_declared(source: Source, records: Records) -> Source:
    """Return the source with its columns in the types that are declared.

    An optional column that no file has is NULL. Of several rows about the same thing only the
    newest is left, in whichever file it stands.

    Raises:
        Refusal: there is no column to tell what a row is about, or which is newer.
    """
    declared = {name.lower(): kind for name, kind in records.columns.items()}
    types = {name: declared.get(name.lower(), kind) for name, kind in source.types.items()}
    there = {name.lower() for name in types}
    types |= {name: records.columns[name] for name in records.optional if name.lower() not in there}
    if types != source.types:
        source = replace(
            source,
            types=types,
            relation=_cast(source.relation, source.types, types),
            shown=_cast(source.shown, source.types, types),
        )
    return _newest(source, records.newest) if records.newest else source


def _cast(relation: Relation, found: Mapping[str, str], types: Mapping[str, str]) -> Relation:
    def part(name: str) -> str:
        column = identifier(name)
        if name not in found:
            return f"NULL::{types[name]} AS {column}"
        return column if found[name] == types[name] else f"{column}::{types[name]} AS {column}"

    def cast(used: Iterable[str]) -> str:
        names = list(used)
        return (
            f"(SELECT {', '.join(map(part, names))} "
            f"FROM {relation([name for name in names if name in found])})"
        )

    return cast


def _newest(source: Source, newest: Newest) -> Source:
    same, by = [source.column(n) for n in newest.of], [source.column(n) for n in newest.by]
    order = ", ".join(f"{identifier(name)} DESC NULLS LAST" for name in by)
    first = f"row_number() OVER (PARTITION BY {', '.join(map(identifier, same))} ORDER BY {order})"
    # A row that does not say what it is about, or how new it is, may neither hide nor be hidden.
    unknown = [name for name in (*same, *by) if name not in source.optional]
    alone = [f" OR {identifier(name)} IS NULL" for name in unknown]
    place = ["file_index"] if source.keyed else []

    def last(relation: Relation) -> Relation:
        def chosen(used: Iterable[str]) -> str:
            names = list(used)
            columns = ", ".join([*map(identifier, names), *place])
            rows = relation(dict.fromkeys([*names, *same, *by]))
            return f"(SELECT {columns} FROM {rows} QUALIFY {first} = 1{''.join(alone)})"

        return chosen

    return replace(
        source,
        relation=last(source.relation),
        shown=last(source.shown),
        always=frozenset(unknown),
    )
