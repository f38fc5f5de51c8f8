"""The time of a row in any format, as SQL that returns an instant or NULL."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from gate.backends.logs.database import Database, identifier, literal
from gate.backends.logs.inner_numbers import fields_of
from gate.backends.logs.refusals import shape
from gate.backends.logs.source import LogSource
from gate.backends.logs.time_formats import instant_of_number, instant_of_text
from gate.backends.records import Records
from gate.backends.sql.rows import invalid
from gate.dataclass import dataclass
from gate.errors import nearest_first
from gate.measure import MeasurementError

_ZONED: Final = "TIMESTAMP WITH TIME ZONE"
_ZONED_NS: Final = "TIMESTAMPTZ_NS"
_NAIVE: Final = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_INTEGERS: Final = ("INTEGER", "UINTEGER", "BIGINT", "UBIGINT", "HUGEINT")
_TEXTS: Final = ("JSON", "VARCHAR")
_SET_ZONE: Final = "set the backend's time_zone"
_READ: Final = (
    "ISO 8601, Unix time, the form of access logs (CLF) and RFC 2822 are read; for any other set "
    "time_format, for example %d/%m/%Y %H:%M:%S"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """The column of the time."""

    column: str
    name: str
    """The name in the policy: the column, or a field of it."""
    value: str
    """SQL of the value in the log."""
    sql: str
    """SQL of type TIMESTAMPTZ; NULL if the value is missing or cannot be read."""
    plain: bool
    """Whether the column is an instant already, so that a Parquet reader can skip parts by
    statistics."""
    zone: str | None
    """The zone of values without one; None: they cannot be read."""
    time_format: str | None
    """The policy's format; None: it is detected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValuePlace:
    """The position of a value in a row."""

    column: str
    """The column, as the files spell it."""
    sql: str
    kind: str
    """DuckDB's type of the value."""
    inner: bool
    """Whether it is a field of the column, and not the column itself."""


def place_of(source: LogSource, name: str) -> ValuePlace:
    """Return the position of a column, or of a field; a column with the whole name comes first.

    Raises:
        MeasurementError: the column does not exist, cannot be used, or has no such field.
    """
    spelled = {column.lower() for column in source.types}
    first, *path = [name] if name.lower() in spelled else name.split(".")
    column = source.column(first if first.lower() in spelled else name)
    sql, kind = identifier(column), source.types[column]
    if path and kind in _TEXTS:
        steps = "".join(f'."{step}"' for step in path)
        field = f"json_extract_string({sql}, {literal(f'${steps}')})"
        sql, kind, path = f"CASE WHEN json_valid({sql}) THEN {field} END", "VARCHAR", []
    inner = sql != identifier(column)
    for step in path:
        fields = {field.lower(): (field, inside) for field, inside in fields_of(kind).items()}
        if step.lower() not in fields:
            names = ", ".join(nearest_first(step, [field for field, _ in fields.values()]))
            there = f"it has: {names}" if names else f"it is of type {kind}"
            raise invalid(f'"{column}" has no field "{step}" for the timestamp "{name}"; {there}')
        field, kind = fields[step.lower()]
        sql, inner = f"{sql}.{identifier(field)}", True
    return ValuePlace(column=column, sql=sql, kind=kind, inner=inner)


def zone_name(zone: tzinfo | None) -> str | None:
    """Return the zone's IANA name.

    Raises:
        MeasurementError: it has none.
    """
    if zone is None:
        return None
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    if zone is UTC:
        return "UTC"
    raise invalid(f"the time zone {zone} has no name; use one such as Europe/Berlin")


def timestamp_of(source: LogSource, records: Records, zone: str | None) -> Timestamp:
    """Return the timestamp, read by its type and, if there is one, by the policy's format.

    * An instant (TIMESTAMPTZ), or text with an offset, is unambiguous.
    * A timestamp without a zone is wall-clock time of ``zone``. The hour that the clock repeats in
      autumn counts as its second pass.
    * A number is Unix time in seconds, milliseconds, microseconds or nanoseconds, whichever puts it
      between 1985 and 2286: those four ranges do not touch. Anything else is not readable.

    Raises:
        MeasurementError: the column is missing from a file, or its type has no time.
    """
    place, form = place_of(source, records.timestamp), records.time_format
    name = place.column if not place.inner else records.timestamp
    sql = _instant(place, name, form, zone, iso=place.column in source.iso)
    # Nothing can be skipped before the newest version of a row is known.
    plain = place.kind == _ZONED and not place.inner and not source.always
    return Timestamp(
        column=place.column,
        name=name,
        value=place.sql,
        sql=sql,
        plain=plain,
        zone=zone,
        time_format=form,
    )


def _instant(place: ValuePlace, name: str, form: str | None, zone: str | None, *, iso: bool) -> str:
    kind, value = place.kind, place.sql
    if kind == "VARCHAR":
        return instant_of_text(value, form, zone, iso=iso)
    if kind in _INTEGERS:
        return instant_of_number(f"{value}::HUGEINT", form, zone)
    if kind == "DOUBLE" or kind.startswith("DECIMAL"):
        return instant_of_number(f"{value}::DOUBLE", form, zone)
    if form is not None:
        raise invalid(f'time_format is for texts and numbers, and "{name}" is {kind}; leave it out')
    if kind not in _NAIVE:
        return _zoned(kind, value, name)
    if zone is None:
        raise invalid(f'the timestamps in "{name}" carry no time zone; {_SET_ZONE}')
    micro = f"make_timestamp(epoch_ns({value}) // 1000)" if kind == "TIMESTAMP_NS" else value
    return f"timezone({literal(zone)}, {micro}::TIMESTAMP)"


def _zoned(kind: str, value: str, name: str) -> str:
    if kind == _ZONED:
        return value
    if kind == _ZONED_NS:
        # A cast would round up, beyond the end of a window.
        return f"make_timestamptz(epoch_ns({value}) // 1000)"
    raise invalid(f'the column "{name}" is of type {kind}, which has no time')


def undated(
    database: Database, source: LogSource, timestamp: Timestamp, count: int
) -> MeasurementError:
    """Return the refusal for rows without a readable time, with the form of one of them."""
    # Texts that can be read in some zone only lack a zone.
    in_utc = instant_of_text(f"{timestamp.value}::VARCHAR", None, "UTC", iso=False)
    value, is_naive = database.query(
        f"SELECT {timestamp.value}::VARCHAR, {in_utc} IS NOT NULL "
        f"FROM {source.relation([timestamp.column])} AS rows WHERE {timestamp.sql} IS NULL LIMIT 1"
    )[0]
    rows = f"{count:,} rows have" if count > 1 else "1 row has"
    if value is None:
        return invalid(f'{rows} no value in "{timestamp.name}"')
    form = f'"{timestamp.name}" (of the form {shape(value)})'
    if timestamp.time_format is not None:
        return invalid(f"{rows} no {timestamp.time_format} in {form}; correct time_format")
    if is_naive and timestamp.zone is None:
        return invalid(f"{rows} a timestamp without a time zone in {form}; {_SET_ZONE}")
    return invalid(f"{rows} no readable timestamp in {form}; {_READ}")


def sql_instant(moment: datetime) -> str:
    """Write an instant as SQL, to the microsecond."""
    return f"TIMESTAMPTZ {literal(moment.astimezone(UTC).isoformat(sep=' '))}"
