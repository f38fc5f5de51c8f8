"""JSON documents with a list of rows: ``{"data": [...]}``, as in answers of APIs and exports.

The list is the one whose items have the column of the time, which the document lacks. A document
without the list does not count as empty: it is a row without a time, which every run refuses.
"""

# ruff: noqa: S608 - names and texts are quoted

from collections.abc import Iterable, Iterator, Mapping, Sequence

from gate.backends.logs.database import identifier, literal
from gate.backends.logs.inner_numbers import fields_of
from gate.backends.logs.path_columns import PATH, path_option
from gate.backends.sql.rows import invalid
from gate.dataclass import dataclass

LARGE = "maximum_object_size = 67108864"
"""The largest size of a document, or of a line with many rows: 64 MiB."""
_OPTIONS = f"format = 'auto', hive_partitioning = false, {LARGE}"


@dataclass(frozen=True, slots=True)
class ItemList:
    """The position of the rows in a document."""

    path: tuple[str, ...]
    """The keys, the outermost first; the last is the list's."""
    fields: Mapping[str, str]
    """The fields of the items, and DuckDB's types of them."""

    def relation(self, files: str, types: Mapping[str, str], used: Iterable[str]) -> str:
        """Return the FROM part that reads fields of the items in files, which are quoted."""
        some = list(used)
        names = [name for name in some if name != PATH]
        place = f", {PATH}" if PATH in some else ""
        kind = _struct({name: types[name] for name in names}) + "[]"
        for key in reversed(self.path[1:]):
            kind = _struct({key: kind})
        columns = f"{{{literal(self.path[0])}: {literal(kind)}}}"
        documents = f"read_json({files}, {_OPTIONS}{path_option(some)}, columns = {columns})"
        items = ".".join(map(identifier, self.path))
        chosen = ", ".join(f"item.{identifier(name)} AS {identifier(name)}" for name in names)
        rows = f"SELECT unnest(coalesce({items}, [NULL])) AS item{place} FROM {documents}"
        return f"(SELECT {chosen}{place} FROM ({rows}))"


def item_list(learned: Mapping[str, str], timestamp: str) -> ItemList | None:
    """Return the list of rows in documents; None: they have none, or are rows themselves.

    Args:
        learned: the keys of a document, and DuckDB's types of them.
        timestamp: the column of the time, as the policy has it.

    Raises:
        MeasurementError: there are several lists that it could be.
    """
    first = timestamp.partition(".")[0].lower()
    if {timestamp.lower(), first} & {name.lower() for name in learned}:
        return None
    lists = list(_lists(learned, ()))
    fitting = [(path, fields) for path, fields in lists if _has(fields, (timestamp.lower(), first))]
    if len(fitting) > 1:
        names = " and ".join(".".join(path) for path, _ in fitting)
        raise invalid(
            f'both {names} are lists of rows with "{timestamp}"; write the rows that are meant to a'
            " file of their own, one object per line"
        )
    return next((ItemList(path, fields) for path, fields in fitting), None)


def _has(fields: Mapping[str, str], names: Iterable[str]) -> bool:
    return not {name.lower() for name in fields}.isdisjoint(names)


def _lists(
    types: Mapping[str, str], path: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], Mapping[str, str]]]:
    for name, kind in types.items():
        inner = (*path, name)
        if kind.endswith("[]") and (fields := fields_of(kind.removesuffix("[]"))):
            yield inner, fields
        yield from _lists(fields_of(kind), inner)


def _struct(types: Mapping[str, str]) -> str:
    return f"STRUCT({', '.join(f'{identifier(name)} {kind}' for name, kind in types.items())})"
