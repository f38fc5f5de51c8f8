"""When a row happened, whatever the log writes: as SQL that gives an instant or NULL."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from gate.backends.logs.database import Database, identifier, literal
from gate.backends.logs.refusal import Refusal, invalid
from gate.backends.logs.source import Source

_ZONED: Final = "TIMESTAMP WITH TIME ZONE"
_NAIVE: Final = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_INTEGERS: Final = ("INTEGER", "UINTEGER", "BIGINT", "UBIGINT", "HUGEINT")
_OFFSETS: Final = ("%Z", "%z", "%UTC", "%:%+%", "%:%-%", "%:%/%")
"""How text ends that carries its zone: Z or UTC or, after the time, an offset or a zone's name."""
_SET_ZONE: Final = "set the backend's time_zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """The column that says when."""

    column: str
    sql: str
    """TIMESTAMPTZ, or NULL where the value is missing or cannot be read."""
    plain: bool
    """The column is an instant already, so that a Parquet reader can skip by its statistics."""


def zone_name(zone: tzinfo | None) -> str | None:
    """Return the zone's IANA name.

    Raises:
        Refusal: it has none.
    """
    if zone is None:
        return None
    if isinstance(zone, ZoneInfo) and zone.key:
        return zone.key
    if zone is UTC:
        return "UTC"
    raise invalid(f"the time zone {zone} has no name; use one such as Europe/Berlin")


def timestamp_of(source: Source, name: str, zone: str | None) -> Timestamp:
    """Return the timestamp column, read by its type.

    * An instant (TIMESTAMPTZ), or text in ISO 8601 with an offset, speaks for itself.
    * A timestamp without a zone is wall-clock time of ``zone``. The hour that the clock goes
      through twice in autumn is taken as its second pass.
    * A number is Unix time in seconds, milliseconds, microseconds or nanoseconds, whichever puts it
      between 1973 and 5138: those four ranges do not touch. Anything else is not readable.

    Raises:
        Refusal: no such column, or not in every file, or of a type that tells no instant.
    """
    column = source.column(name)
    if column in source.absent:
        raise invalid(f'no column "{column}" in {source.absent[column][0]}')
    kind, quoted = source.types[column], identifier(column)
    if kind == _ZONED:
        return Timestamp(column=column, sql=quoted, plain=True)
    return Timestamp(column=column, sql=_converted(column, quoted, kind, zone), plain=False)


def _converted(column: str, quoted: str, kind: str, zone: str | None) -> str:
    if kind == "VARCHAR":
        return _text(quoted, zone)
    if kind in _NAIVE:
        if zone is None:
            raise invalid(f'the timestamps in "{column}" carry no time zone; {_SET_ZONE}')
        return f"timezone({literal(zone)}, {quoted}::TIMESTAMP)"
    if kind in _INTEGERS:
        return _unix(quoted, f"{quoted}::HUGEINT", "//")
    if kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
        return _unix(quoted, f"{quoted}::DOUBLE", "/")
    raise invalid(f'the column "{column}" is of type {kind}, which tells no instant')


def _text(quoted: str, zone: str | None) -> str:
    read = f"try_cast({quoted} AS TIMESTAMPTZ)"  # without an offset: in the session's TimeZone
    if zone is not None:
        return read
    zoned = " OR ".join(f"{quoted} LIKE {literal(offset)}" for offset in _OFFSETS)
    return f"CASE WHEN {zoned} THEN {read} END"


def _unix(quoted: str, number: str, divide: str) -> str:
    return (
        "make_timestamptz(CASE"
        f" WHEN {quoted} >= 1e8 AND {quoted} < 1e11 THEN {number} * 1000000"
        f" WHEN {quoted} >= 1e11 AND {quoted} < 1e14 THEN {number} * 1000"
        f" WHEN {quoted} >= 1e14 AND {quoted} < 1e17 THEN {number}"
        f" WHEN {quoted} >= 1e17 AND {quoted} < 1e20 THEN {number} {divide} 1000"
        " END::BIGINT)"
    )


def undated(database: Database, source: Source, timestamp: Timestamp, count: int) -> Refusal:
    """Return the refusal for rows of which nobody knows when they happened, with an example."""
    value, naive = database.query(
        f"SELECT {identifier(timestamp.column)}::VARCHAR, "
        f"try_cast({identifier(timestamp.column)}::VARCHAR AS TIMESTAMPTZ) IS NOT NULL "
        f"FROM {source.relation([timestamp.column])} WHERE {timestamp.sql} IS NULL LIMIT 1"
    )[0]
    rows = f"{count:,} rows have" if count > 1 else "1 row has"
    if value is None:
        return invalid(f'{rows} no value in "{timestamp.column}"')
    if naive:
        return invalid(
            f'{rows} a timestamp without a time zone in "{timestamp.column}" '
            f"(for example {value!r}); {_SET_ZONE}"
        )
    return invalid(
        f'{rows} no readable timestamp in "{timestamp.column}" (for example {value!r}); '
        "ISO 8601 and Unix time are read"
    )


def instant(moment: datetime) -> str:
    """Write an instant as SQL, to the microsecond."""
    return f"TIMESTAMPTZ {literal(moment.astimezone(UTC).isoformat(sep=' '))}"
