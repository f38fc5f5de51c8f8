"""The part of a policy's block that all SQL engines share: the rows to count."""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import tzinfo
from importlib.util import find_spec
from typing import Final

from gate.backends.preset_records import RecordsName, records_of
from gate.dataclass import dataclass
from gate.measure import MeasurementError
from gate.parsing.numbers import BYTES
from gate.parsing.objects import Field, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, Scalar
from gate.parsing.values import TEXT, ZONE
from gate.slo.indicator import Sli, Slices

_PART: Final = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)|"((?:[^"\0]|"")+)"|`((?:[^`\0]|``)+)`')
_MOST_PARTS: Final = 3
"""The most parts of a name: a catalog, a schema and a table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSettings:
    """The rows of one table or view."""

    table: str
    """The name from the policy; `table_parts` splits it. It is never put into a statement."""
    timestamp: str
    """The column of the time of a request."""
    time_zone: tzinfo | None = None
    """The time zone of times without a zone; None: such a column is an error."""
    time_format: str | None = None
    """The unit of a whole number in the column, counted since 1970: one of `NUMBER_FORMATS`. None:
    the column has a time type of the engine."""
    where: str | None = None
    """A condition that every row must meet, in the engine's SQL, not checked yet; None: all rows
    count."""
    records: str | None = None
    """The preset that describes the rows; None: the policy describes them."""
    max_scan: int | None = None
    """The most bytes of one statement if the command gives no limit; None: no limit."""


def table_parts(text: str, fold: Callable[[str], str] = str) -> tuple[str, ...]:
    """Split the name of a table, which comes last, after its schema and its catalog.

    Args:
        text: parts with a dot between them; a part in double quotes or backticks may have any
            character, with its quotes doubled.
        fold: the engine's conversion of a part without quotes (PostgreSQL: `str.lower`).

    Raises:
        ValueError: the text is not such a name; the message has the remedy.
    """
    parts, place, after = [], 0, "."
    while after == "." and (part := _PART.match(text, place)):
        plain, double, back = part.groups()
        quoted = double.replace('""', '"') if double else (back or "").replace("``", "`")
        parts.append(fold(plain) if plain else quoted)
        after = text[part.end() : part.end() + 1]
        place = part.end() + 1
    if after or not 0 < len(parts) <= _MOST_PARTS:
        raise ValueError(
            f"{text!r} is not the name of a table; write requests or schema.requests, and other"
            " characters than letters, digits and _ in double quotes: '\"my-schema\".requests'"
        )
    return tuple(parts)


def _table(text: str) -> str:
    table_parts(text)
    return text


NUMBER_FORMATS: Final[Mapping[str, int]] = {
    "unix-s": 1_000_000,
    "unix-ms": 1_000,
    "unix-us": 1,
    "unix-ns": -1_000,
}
"""Units of numbers since 1970: microseconds in each, or, below zero, how many make a
microsecond."""
TABLE_FIELDS: Final[Mapping[str, Field]] = {
    "table": Field(
        schema=Scalar(_table, {**TEXT.json, "examples": ["requests", "logs.requests"]}),
        doc="Table or view of the requests, with its schema.",
        example="logs.requests",
    ),
    "records": Field(
        schema=RecordsName(files=False),
        doc="Preset that describes the rows, and names the table.",
    ),
    "timestamp": Field(
        schema=TEXT, doc="Without records: column of the time.", example="created_at"
    ),
    "time_zone": Field(schema=ZONE, doc="Time zone of timestamps that have none.", example="UTC"),
    "time_format": Field(
        schema=Choice(tuple(NUMBER_FORMATS)),
        doc="Unit of a time that is a number since 1970.",
        example="unix-ms",
    ),
    "where": Field(
        schema=TEXT,
        doc="Condition that a row must meet to be counted, in the engine's SQL.",
        example="project_id = 'chat'",
    ),
    "max_scan": Field(
        schema=BYTES,
        doc="Largest number of bytes that one statement may read. Default: no limit.",
        example="50GB",
    ),
}
"""The keys of every SQL engine's block that define the rows to count."""


def table_settings_of(values: Values, reader: Reader) -> TableSettings:
    """Return the rows to count, as a block defines them.

    Args:
        values: the values of the block; presets must be for the backend of its ``type``.
        reader: the reader of the policy.

    Raises:
        UnreadableError: neither a preset nor both a table and its time are given, or the preset is
            for another backend; the mistake is noted.
    """
    given = values.only("table", "timestamp", "time_zone", "time_format", "where", "max_scan")
    if mistake := _mistake(values.get("type"), [("where", given.get("where"))]):
        raise reader.fail(values.node("where"), mistake)
    if values.given("records"):
        if values.given("timestamp"):
            message = "records names the column of the time; remove timestamp, or records"
            raise reader.fail(values.node("timestamp"), message)
        records = records_of(values, reader, values.get("type"))
        preset = {
            "table": records.table,
            "timestamp": records.timestamp,
            "time_zone": records.time_zone,
            "time_format": records.time_format,
        }
        return TableSettings(**{**preset, **given}, records=records.name)
    missing = [key for key in ("table", "timestamp") if not values.given(key)]
    if missing:
        example = TABLE_FIELDS[missing[0]].example
        message = (
            f"the key {missing[0]!r} is missing; add {missing[0]}: {example}, or records: the"
            " preset that knows the rows"
        )
        raise reader.fail(values.node(), message)
    return TableSettings(**given)


def mistake_in_sql(dialect: str) -> Callable[[Sli, Slices | None], str | None]:
    """Return a function that finds mistakes in an indicator in an engine's SQL, without the server.

    It finds none if sqlglot is not installed, without which nothing can be measured.
    """

    def mistake(sli: Sli, _slices: Slices | None) -> str | None:
        roles = ("total", "bad", "good", "spent")
        return _mistake(dialect, [(role, getattr(sli, role)) for role in roles])

    return mistake


def _mistake(dialect: str, expressions: Iterable[tuple[str, str | None]]) -> str | None:
    given = [(role, text) for role, text in expressions if text is not None]
    if not given or find_spec("sqlglot") is None:
        return None
    from gate.backends.sql.conditions import Conditions  # noqa: PLC0415 - imports sqlglot
    from gate.backends.sql.indicators import check_changing  # noqa: PLC0415 - as above

    conditions = Conditions(dialect)
    try:
        for role, text in given:
            expression = conditions.parse(role, text)
            if role != "where":
                check_changing(expression)
    except MeasurementError as error:
        return error.reason
    return None
