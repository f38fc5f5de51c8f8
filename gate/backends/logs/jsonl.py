"""The keys and types of JSON files, learned from a few rows."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first
import re
from collections.abc import Iterable, Mapping
from typing import Final

from gate.backends.logs.database import Database, file_list, identifier, literal
from gate.backends.logs.documents import LARGE, ItemList, item_list
from gate.backends.logs.inner_numbers import InnerNumber, doubles_in, with_kind
from gate.backends.logs.keys import every_key, json_objects
from gate.backends.logs.layouts import JsonFiles, json_files
from gate.backends.logs.path_columns import PATH, path_option
from gate.backends.logs.source import EXACT, LogSource, Needed, listed
from gate.backends.records import Records
from gate.backends.sql.rows import invalid
from gate.measure import Cause, MeasurementError

_INTEGERS: Final = re.compile(r"\b(?:U?BIGINT|U?HUGEINT)\b")
_SAMPLES: Final = ((1_000, True), (30_000, False), (-1, False))
"""The number of sampled rows (-1: all), and whether only the last file is sampled. Opening a file
for this costs 40 ms. A later value that does not fit is an error, not a wrong count."""
_FORMAT: Final = "format = 'newline_delimited', hive_partitioning = false"
_LARGE: Final = f"{_FORMAT}, {LARGE}"
_SAMPLED_FILES: Final = 500
"""More than DuckDB's default of 32: if each file has one object, few have a rare key."""
_MAP: Final = re.compile(r"MAP\((\w+), (.+)\)")
_UNSETTLED: Final = ("JSON", '"NULL"')
"""DuckDB's types of a key that has no value, or values of several types, in the sample."""


def describe_jsonl(
    database: Database, files: list[str], pattern: str, needed: Needed, records: Records
) -> LogSource:
    """Learn the keys and types from a few rows; from more while a requested key is unclear."""
    if records.unnest:
        return _items(files, pattern, records)
    optional = {name: records.columns[name] for name in records.optional}
    wanted = needed.columns - {name.lower() for name in optional}
    layout = json_files(database, files)
    learned = _learned(database, layout, wanted, records)
    items = None if records.columns else item_list(learned, records.timestamp)
    if items is not None:
        return _documents(items, files, pattern, needed, records)
    if list(learned) == ["json"] and "json" not in wanted:
        raise _no_objects(database, files)
    exact = _exact(database, layout, learned, needed, records)
    types = {name: _as_read(name, kind, records, learned) for name, kind in learned.items()}
    types, inner = _with_exact(types, needed, records)
    doubles = {name for name, kind in types.items() if kind == "DOUBLE"} - exact
    doubles -= records.columns.keys()
    types |= dict.fromkeys(exact, "VARCHAR") | optional
    return LogSource(
        files=files,
        types=types,
        relation=lambda used: layout.relation(file_list(files), types, used),
        shown=lambda used: layout.relation(literal(pattern), types, used),
        keyed=True,
        unfinished=layout.unfinished,
        optional=records.optional,
        iso=frozenset(name for name, kind in learned.items() if kind.startswith("TIMESTAMP")),
        exact=exact,
        texts=lambda used: layout.relation(file_list(files), dict.fromkeys(used, "VARCHAR"), used),
        doubles=frozenset(name for name in doubles if name.lower() not in needed.numbers.floats),
        inner_doubles=inner,
        untyped=lambda: every_key(database, files),
    )


def _exact(
    database: Database,
    layout: JsonFiles,
    learned: Mapping[str, str],
    needed: Needed,
    records: Records,
) -> frozenset[str]:
    """Return the columns of integers that a double could not distinguish."""
    own = {name: kind for name, kind in learned.items() if name not in records.columns}
    large = {
        name
        for name, kind in own.items()
        if kind == "HUGEINT" or name.lower() in needed.numbers.exact
    }
    whole = [name for name, kind in own.items() if kind == "BIGINT" and name not in large]
    # Checking costs as much as learning the types. Times are likely to be affected, others seldom.
    if records.timestamp.lower() in {name.lower() for name in whole} - needed.numbers.exact:
        chosen = [name for name in whole if name.lower() in needed.columns]
        files = file_list(layout.files[-1:])
        rows = layout.relation(files, dict.fromkeys(chosen, "BIGINT"), chosen)
        largest = ", ".join(f"max(abs({identifier(name)}))" for name in chosen)
        (row,) = database.query(f"SELECT {largest} FROM (FROM {rows} LIMIT {_SAMPLES[0][0]})")
        large |= {name for name, most in zip(chosen, row, strict=True) if (most or 0) >= EXACT}
    return frozenset(large)


def _documents(
    items: ItemList, files: list[str], pattern: str, needed: Needed, records: Records
) -> LogSource:
    """Return the types of the items from those that were checked."""
    fields = items.fields
    exact = {name for name, kind in fields.items() if name.lower() in needed.numbers.exact}
    types = {name: _as_read(name, kind, records, fields) for name, kind in fields.items()}
    types, inner = _with_exact(types, needed, records)
    doubles = {name for name, kind in types.items() if kind == "DOUBLE"} - exact
    types |= dict.fromkeys(exact, "VARCHAR")
    return LogSource(
        files=files,
        types=types,
        relation=lambda used: items.relation(file_list(files), types, used),
        shown=lambda used: items.relation(literal(pattern), types, used),
        iso=frozenset(name for name, kind in fields.items() if kind.startswith("TIMESTAMP")),
        exact=frozenset(exact),
        texts=lambda used: items.relation(
            file_list(files), dict.fromkeys(used, "VARCHAR"), list(used)
        ),
        doubles=frozenset(name for name in doubles if name.lower() not in needed.numbers.floats),
        inner_doubles=inner,
    )


def _items(files: list[str], pattern: str, records: Records) -> LogSource:
    """Return the declared types: learning them from a few lines would read many items."""
    return LogSource(
        files=files,
        types=records.columns,
        relation=lambda used: _within(file_list(files), records, used),
        shown=lambda used: _within(literal(pattern), records, used),
        optional=records.optional,
    )


def _within(files: str, records: Records, used: Iterable[str]) -> str:
    some = list(used)
    names = [name for name in some if name != PATH]
    place = f", {PATH}" if PATH in some else ""
    outermost, *inner = records.unnest
    kind = _struct({name: _as_written(records.columns[name]) for name in names}) + "[]"
    for key in reversed(inner):
        kind = _struct({key: kind}) + "[]"
    columns = f"{{{literal(outermost)}: {literal(kind)}}}"
    rows = f"read_json({files}, {_LARGE}{path_option(some)}, columns = {columns})"
    path = identifier(outermost)
    for key in inner:
        rows, path = (
            f"(SELECT unnest({path}) AS item{place} FROM {rows})",
            f"item.{identifier(key)}",
        )
    columns = ", ".join(f"{_of_item(name, records.columns[name])}" for name in names)
    return f"(SELECT {columns}{place} FROM (SELECT unnest({path}) AS item{place} FROM {rows}))"


def _as_written(kind: str) -> str:
    """Return the type of a map's source, which is a list of keys and values."""
    entry = _MAP.fullmatch(kind)
    return kind if entry is None else f'STRUCT("key" {entry[1]}, "value" {entry[2]})[]'


def _of_item(name: str, kind: str) -> str:
    column = identifier(name)
    if not _MAP.fullmatch(kind):
        return f"item.{column}"
    # DuckDB refuses a map with a duplicate key, and every count that uses it.
    entries = f"item.{column}"
    keys = f"list_transform({entries}, lambda entry: entry.key)"
    first = f"lambda entry, place: list_position({keys}, entry.key) = place"
    return f"map_from_entries(list_filter({entries}, {first})) AS {column}"


def _struct(types: Mapping[str, str]) -> str:
    return f"STRUCT({', '.join(f'{identifier(name)} {kind}' for name, kind in types.items())})"


def _learned(
    database: Database, layout: JsonFiles, needed: frozenset[str], records: Records
) -> dict[str, str]:
    declared = {name.lower() for name in records.columns}
    types: dict[str, str] = {}
    for rows, last in _SAMPLES:
        types = _types(database, layout, layout.files[-1:] if last else layout.files, rows)
        settled = {
            name.lower()
            for name, kind in types.items()
            if kind not in _UNSETTLED or name.lower() in declared
        }
        if all(name in settled or name.partition(".")[0] in settled for name in needed):
            break
    return types


def _types(database: Database, layout: JsonFiles, files: list[str], sample: int) -> dict[str, str]:
    rows = database.query(
        f"DESCRIBE SELECT * FROM read_json({file_list(files)}, {layout.options}, "
        f"sample_size = {sample}, maximum_sample_files = {_SAMPLED_FILES}, "
        f"union_by_name = {sample < 0})"
    )
    return {row[0]: row[1] for row in rows}


def _as_read(name: str, kind: str, records: Records, learned: Mapping[str, str]) -> str:
    if name in records.columns:
        return records.columns[name]
    # A key whose sample only had integers would be read as BIGINT, and DuckDB silently rounds a
    # later 2000.4 to 2000. Every JSON number is a double (RFC 8259, section 6); numbers that a
    # double cannot distinguish are read again.
    number = _INTEGERS.sub("DOUBLE", kind)
    # The offset is part of the text, and lost in some of the types that DuckDB guesses.
    timestamp = records.timestamp.lower()
    if name.lower() == timestamp:
        digits = records.time_format is not None and "%" in records.time_format
        return "DOUBLE" if number == "DOUBLE" and not digits else "VARCHAR"
    first, *path = timestamp.split(".")
    if name.lower() == first and timestamp not in {other.lower() for other in learned}:
        number = with_kind(number, tuple(path), "VARCHAR")
    # A value of the type JSON would be cast to the type of its comparison, and rounded again.
    return "VARCHAR" if kind in _UNSETTLED else number


def _with_exact(
    types: Mapping[str, str], needed: Needed, records: Records
) -> tuple[dict[str, str], frozenset[InnerNumber]]:
    """Read integers within columns exactly if a scan has found large ones.

    Returns:
        The types, and the numbers within columns that are read as doubles and may be large.
    """
    read, doubles = dict(types), set[InnerNumber]()
    for column in types.keys() - records.columns.keys():
        for path in doubles_in(types[column]):
            number = InnerNumber(column, path)
            if number.name.lower() in needed.numbers.exact:
                # All of them are integers: DuckDB would silently round others.
                read[column] = with_kind(read[column], path, "HUGEINT")
            elif number.name.lower() not in needed.numbers.floats:
                doubles.add(number)
    return read, frozenset(doubles)


def _no_objects(database: Database, files: list[str]) -> MeasurementError:
    # DuckDB reads a value that is not an object, or missing, as a single column "json".
    if database.query(f"SELECT 1 FROM {json_objects(files)} LIMIT 1"):
        return invalid(f"not every line of {listed(files)} is a JSON object")
    return MeasurementError(Cause.NO_DATA, f"there is no row in {listed(files)}")
