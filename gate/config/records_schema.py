"""The ``records`` of a preset file: what the rows of a log look like."""

from typing import Final

from gate.parsing.reader import Reader
from gate.parsing.schema import (
    Choice,
    Field,
    ListOf,
    MapOf,
    Object,
    Values,
)
from gate.parsing.values import TEXT, ZONE
from gate.settings import (
    Newest,
    Records,
)

_NEWEST: Final = Object(
    {
        "of": Field(schema=ListOf(TEXT), doc="Alike in rows about the same thing.", required=True),
        "by": Field(schema=ListOf(TEXT), doc="Grow with each version of it.", required=True),
    },
    lambda values, _: Newest(**values.values),
)


def _build_records(values: Values, reader: Reader) -> Records:
    given = dict(values.values)
    given["optional"] = frozenset(values.get("optional", ()))
    records = Records(**given)
    undeclared = records.optional - records.columns.keys()
    if records.each:
        undeclared |= {records.timestamp} - records.columns.keys()
    if undeclared:
        message = f"these need a type in columns: {', '.join(sorted(undeclared))}"
        raise reader.fail(values.node(), message)
    return records


LOG_FORMAT: Final = Choice(("jsonl", "csv", "parquet"))


RECORDS: Final = Object(
    {
        "timestamp": Field(schema=TEXT, doc="Column of the time.", required=True),
        "time_zone": Field(schema=ZONE, doc="Of timestamps that carry none."),
        "format": Field(schema=LOG_FORMAT, doc="Where the files' names do not tell it."),
        "columns": Field(schema=MapOf(TEXT), doc="Column -> the DuckDB type to read it as."),
        "optional": Field(schema=ListOf(TEXT), doc="Which of these a file may lack: NULL then."),
        "each": Field(schema=ListOf(TEXT), doc="JSON: keys of nested lists; a row is an item."),
        "newest": Field(schema=_NEWEST, doc="Of several versions of a row only this counts."),
    },
    _build_records,
)
