"""The description of a log's rows in a policy or a preset file.

This module reads the ``records`` of the preset files in gate/presets; `gate.config.presets` reads
the rest.
"""

import re
from collections.abc import Mapping
from dataclasses import field
from datetime import tzinfo
from functools import cache
from pathlib import Path
from typing import Final, TypeVar

import yaml

from gate.dataclass import dataclass
from gate.parsing.files import Folder, Imports
from gate.parsing.objects import Field, Object, Values, build_as
from gate.parsing.reader import Reader, compose
from gate.parsing.schema import ListOf, MapOf, Scalar, ValueSchema
from gate.parsing.values import LOG_FORMAT, TEXT, ZONE

PRESETS: Final = Path(__file__).parent.parent / "presets"
"""The folder of the preset files."""
OWN_NAME: Final = "^[a-z0-9]+(-[a-z0-9]+)*$"
"""The form of a preset file's name, without ``.yaml``."""
FILES: Final = "logs"
"""The backend whose rows are in files; all others have rows in the table of an SQL engine."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deduplication:
    """The rule that only the newest of several rows about one thing counts."""

    key: tuple[str, ...]
    """Columns that are equal in rows about the same thing."""
    order_by: tuple[str, ...]
    """Columns that grow from one version to the next; later columns decide if earlier ones are
    equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The description of a log's rows, known before a file is opened."""

    timestamp: str
    """The column with the time of a request; ``request.time`` is a field of a column."""
    time_zone: tzinfo | None = None
    """The time zone of timestamps without one; None: such timestamps are an error."""
    time_format: str | None = None
    """The format of the timestamp: one of `TIME_FORMATS`, or a pattern for strptime; None: any
    unambiguous format."""
    format: str | None = None
    """``jsonl``, ``csv`` or ``parquet``; None: by the files' names."""
    name: str | None = None
    """The preset file with this description; None: the policy has it."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The DuckDB type of each column, whatever its values look like."""
    optional: frozenset[str] = frozenset()
    """The columns among ``columns`` that a file may lack; they are NULL then. All others must be in
    every file."""
    unnest: tuple[str, ...] = ()
    """JSON: keys of lists, each within the items of the previous one; a row is an item of the last.
    All columns of such a row are in ``columns``."""
    deduplicate: Deduplication | None = None
    table: str | None = None
    """The table of an SQL engine if the policy names none; None: the rows are in files."""
    backend: str = FILES
    """The backend that counts such rows: one of `gate.backends.BACKENDS`."""


_TYPE_TOKEN: Final = re.compile(r'\s*(?:(\w+)|"[^"]*"|([(),\[\]]))')
_BRACKETED: Final = frozenset({"STRUCT", "MAP", "DECIMAL", "NUMERIC"})


def _column_type(text: str) -> str:
    """Return a DuckDB type as it is written; nothing else may become part of a query."""
    before, depth, place = "", 0, 0
    while (token := _TYPE_TOKEN.match(text, place)) is not None:
        place, sign = token.end(), token[2]
        if (sign == "(" and before.upper() not in _BRACKETED) or (sign == "," and not depth):
            break
        depth += {"(": 1, ")": -1}.get(sign or "", 0)
        if depth < 0:
            break
        before = token[1] or ""
    else:
        if not depth and not text[place:].strip():
            return text
    raise ValueError(
        f"{text!r} is not a valid DuckDB type; write for example DOUBLE, JSON or VARCHAR[]"
    )


COLUMN_TYPE: Final = Scalar(_column_type, TEXT.json)
TIME_FORMATS: Final = (
    *("iso8601", "rfc2822", "clf"),
    *("unix-s", "unix-ms", "unix-us", "unix-ns"),
)
"""The time formats with a name; CLF is that of access logs."""
_DIRECTIVE: Final = re.compile(r"%(-?.?)", re.DOTALL)
_DIRECTIVES: Final = frozenset("aAbBdfgGHIjmMnpSuUVwWyYzZ%") | {f"-{c}" for c in "dHIjmMSy"}
"""The codes of DuckDB's strptime, without those that depend on the locale (%c, %x, %X)."""


def _time_format(text: str) -> str:
    if text in TIME_FORMATS:
        return text
    used = set(_DIRECTIVE.findall(text))
    if not used:
        names = ", ".join(TIME_FORMATS)
        raise ValueError(
            f"{text!r} is none of {names}, and not a pattern such as %d/%m/%Y %H:%M:%S"
        )
    if unknown := sorted(used - _DIRECTIVES):
        raise ValueError(
            f"{text!r}: %{unknown[0]} cannot be read; write its parts, such as %Y-%m-%d"
        )
    plain = {directive.removeprefix("-") for directive in used}
    of_month = "d" in plain and plain & {"m", "b", "B"}
    is_day = plain & {"Y", "y"} and ("j" in plain or of_month)
    if not is_day or not ("H" in plain or {"I", "p"} <= plain):
        raise ValueError(f"{text!r} lacks the day or the hour; add %Y, %m, %d and %H")
    return text


def carries_zone(time_format: str) -> bool:
    """Return whether a time in this format includes its zone."""
    return time_format in TIME_FORMATS or "%z" in time_format or "%Z" in time_format


TIME_FORMAT: Final = Scalar(
    _time_format, {**TEXT.json, "examples": ["%d/%m/%Y %H:%M:%S", *TIME_FORMATS]}
)
_DEDUPLICATION: Final = Object(
    {
        "key": Field(
            schema=ListOf(TEXT),
            doc="Columns alike in rows about the same thing.",
            required=True,
            formerly="of",
        ),
        "order_by": Field(
            schema=ListOf(TEXT),
            doc="Columns that grow with each version of it.",
            required=True,
            formerly="by",
        ),
    },
    build_as(Deduplication),
)


def _build_records(values: Values, reader: Reader) -> Records:
    given = dict(values.values)
    given["optional"] = frozenset(values.get("optional", ()))
    records = Records(**given)
    undeclared = records.optional - records.columns.keys()
    if records.unnest:
        undeclared |= {records.timestamp} - records.columns.keys()
    if undeclared:
        message = f"these need a type in columns: {', '.join(sorted(undeclared))}"
        raise reader.fail(values.node(), message)
    return records


RECORDS: Final = Object(
    {
        "table": Field(schema=TEXT, doc="SQL engines: the table, where the policy names none."),
        "timestamp": Field(schema=TEXT, doc="Column of the time.", required=True),
        "time_zone": Field(schema=ZONE, doc="Time zone of timestamps that carry none."),
        "time_format": Field(schema=TIME_FORMAT, doc="Form of the time, if it cannot be inferred."),
        "format": Field(
            schema=LOG_FORMAT, doc="Format of the files, if their names do not show it."
        ),
        "columns": Field(schema=MapOf(COLUMN_TYPE), doc="The DuckDB type of each column."),
        "optional": Field(
            schema=ListOf(TEXT), doc="Columns that a file may lack, which are then NULL."
        ),
        "unnest": Field(
            schema=ListOf(TEXT),
            doc="JSON: keys of nested lists; a row is an item.",
            formerly="each",
        ),
        "deduplicate": Field(
            schema=_DEDUPLICATION,
            doc="Only the newest of several versions of a row counts.",
            formerly="newest",
        ),
    },
    _build_records,
)
"""The ``records`` of a preset file."""


def records_flaw(records: Records, backend: str) -> str | None:
    """Return the mistake of keys that do not fit the backend of a preset's rows; None: none."""
    if backend == FILES:
        return "the key 'table' is for SQL engines; remove it" if records.table else None
    if records.table is None:
        return "the key 'table' is missing; add the name that the table usually has"
    for_files = ("format", "columns", "unnest", "deduplicate")
    odd = [key for key in for_files if getattr(records, key)]
    return f"the key {odd[0]!r} is for files; remove it" if odd else None


@cache
def preset_names() -> tuple[str, ...]:
    """Return the name of every preset file, in order."""
    return tuple(sorted(path.stem for path in PRESETS.glob("*.yaml")))


def read_preset(name: str, schema: ValueSchema[T], folder: Path = PRESETS) -> T:
    """Read one of the built-in files with its schema.

    Raises:
        UnreadableError: the file is not valid; tests check that the built-in ones are.
    """
    return schema.read(_composed(folder / f"{name}.yaml"), _reader(folder / f"{name}.yaml"))


@cache
def _composed(path: Path) -> yaml.Node:
    return compose(path.read_text(encoding="utf-8"), _reader(path))


def _reader(path: Path) -> Reader:
    return Reader(file=path.name, environ={}, imports=Imports(tree=Folder(path.parent)))
