"""When a row happened, whatever the log writes: as SQL that gives an instant or NULL."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from gate.backends.logs.database import Database, identifier, literal
from gate.backends.logs.refusals import invalid, shape
from gate.backends.logs.source import LogSource
from gate.measure import MeasurementError

_ZONED: Final = "TIMESTAMP WITH TIME ZONE"
_NAIVE: Final = ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS")
_INTEGERS: Final = ("INTEGER", "UINTEGER", "BIGINT", "UBIGINT", "HUGEINT")
_TIME: Final = ("%:%",)
"""A date alone tells no instant, and DuckDB also reads ``epoch`` and ``infinity``."""
_OFFSETS: Final = ("%Z", "%:%+%", "%:%-%", "%UTC", "%:%/%")
"""How text ends that carries its zone: Z or UTC or, after the time, an offset or a zone's name."""
_SET_ZONE: Final = "set the backend's time_zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timestamp:
    """The column that says when."""

    column: str
    sql: str
    """TIMESTAMPTZ, or NULL where the value is missing or cannot be read."""
    plain: bool
    """The column is an instant already, and a Parquet reader can skip by its statistics."""
    zone: str | None
    """Of values that carry none. None: they cannot be read."""


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


def timestamp_of(source: LogSource, name: str, zone: str | None) -> Timestamp:
    """Return the timestamp column, read by its type.

    * An instant (TIMESTAMPTZ), or text in ISO 8601 with an offset, speaks for itself.
    * A timestamp without a zone is wall-clock time of ``zone``. The hour that the clock goes
      through twice in autumn is taken as its second pass.
    * A number is Unix time in seconds, milliseconds, microseconds or nanoseconds, whichever puts it
      between 1973 and 5138: those four ranges do not touch. Anything else is not readable.

    Raises:
        MeasurementError: no such column, or not in every file, or of a type that tells no instant.
    """
    column = source.column(name)
    kind, quoted = source.types[column], identifier(column)
    sql = quoted if kind == _ZONED else _converted(column, quoted, kind, zone)
    # Nothing can be skipped before it is known which version of a row is the newest.
    plain = kind == _ZONED and not source.always
    return Timestamp(column=column, sql=sql, plain=plain, zone=zone)


def _converted(column: str, quoted: str, kind: str, zone: str | None) -> str:
    if kind == "VARCHAR":
        return _text(quoted, _OFFSETS if zone is None else _TIME)
    if kind in _NAIVE:
        if zone is None:
            raise invalid(f'the timestamps in "{column}" carry no time zone; {_SET_ZONE}')
        return f"timezone({literal(zone)}, {quoted}::TIMESTAMP)"
    if kind in _INTEGERS:
        return _unix(quoted, f"{quoted}::HUGEINT", "//")
    if kind == "DOUBLE" or kind.startswith("DECIMAL"):
        return _unix(quoted, f"{quoted}::DOUBLE", "/")
    raise invalid(f'the column "{column}" is of type {kind}, which tells no instant')


def _text(quoted: str, endings: Iterable[str]) -> str:
    # Without an offset: in the session's TimeZone, which is the zone. One WHEN each, so that the
    # first that fits ends the search.
    read = f"try_cast({quoted} AS TIMESTAMPTZ)"
    cases = (f"WHEN {quoted} LIKE {literal(ending)} THEN {read}" for ending in endings)
    return f"CASE {' '.join(cases)} END"


def _unix(quoted: str, number: str, divide: str) -> str:
    return (
        "make_timestamptz(CASE"
        f" WHEN {quoted} >= 1e8 AND {quoted} < 1e11 THEN {number} * 1000000"
        f" WHEN {quoted} >= 1e11 AND {quoted} < 1e14 THEN {number} * 1000"
        f" WHEN {quoted} >= 1e14 AND {quoted} < 1e17 THEN {number}"
        f" WHEN {quoted} >= 1e17 AND {quoted} < 1e20 THEN {number} {divide} 1000"
        " END::BIGINT)"
    )


def undated(
    database: Database, source: LogSource, timestamp: Timestamp, count: int
) -> MeasurementError:
    """Return the refusal for rows of which nobody knows when they happened, and how one looks."""
    column = identifier(timestamp.column)
    value, is_naive = database.query(
        f"SELECT {column}::VARCHAR, "
        f"{column}::VARCHAR LIKE '%:%' AND try_cast({column}::VARCHAR AS TIMESTAMP) IS NOT NULL "
        f"FROM {source.relation([timestamp.column])} WHERE {timestamp.sql} IS NULL LIMIT 1"
    )[0]
    rows = f"{count:,} rows have" if count > 1 else "1 row has"
    if value is None:
        return invalid(f'{rows} no value in "{timestamp.column}"')
    if is_naive and timestamp.zone is None:
        return invalid(
            f'{rows} a timestamp without a time zone in "{timestamp.column}" '
            f"(of the form {shape(value)}); {_SET_ZONE}"
        )
    return invalid(
        f'{rows} no readable timestamp in "{timestamp.column}" (of the form {shape(value)}); '
        "ISO 8601 and Unix time are read"
    )


def sql_instant(moment: datetime) -> str:
    """Write an instant as SQL, to the microsecond."""
    return f"TIMESTAMPTZ {literal(moment.astimezone(UTC).isoformat(sep=' '))}"
