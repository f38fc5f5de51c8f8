"""The formats of times, as SQL that returns an instant, or NULL for other texts.

A format is detected only if it is unambiguous: in ``10/11/2026`` either number could be the month,
so the policy must set ``time_format``.
"""

from collections.abc import Iterator
from typing import Final

from gate.backends.logs.database import literal
from gate.backends.records import TIME_FORMATS, carries_zone

_OFFSETS: Final = ("%Z", "%:%+%", "%:%-%", "%UTC", "%GMT", "%:%/%")
"""The ends of texts with a zone: Z or UTC or, after the time, an offset or a zone's name. CST and
IST are missing because several countries use them for different zones."""
_TIME: Final = r"(\d\d:\d\d:\d\d)(?:[.,](\d{1,12}))?"
_FRACTION: Final = r"(?:[.,](\d{1,12}))?"
_OFFSET: Final = r"[+-]\d\d(?::?\d\d)?"
_LOOSE: Final = rf"\s*(\d{{4}})[-/](\d\d)[-/](\d\d)[Tt ]{_TIME}"
"""ISO 8601 with a comma, a blank before the offset, small letters or slashes: Python's logging, Go,
Ruby, Java's ZonedDateTime, RFC 3339."""
_BASIC: Final = rf"(\d{{4}})(\d\d)(\d\d)[Tt](\d\d)(\d\d)(\d\d){_FRACTION}"
_LOOSE_ZONE: Final = (
    rf"\s*(?:({_OFFSET})(?: [A-Z]{{3,5}})?(?:\[[\w/+-]+\])?|[Zz](?:\[[\w/+-]+\])?|UTC|GMT)\s*"
)
_CLF: Final = r"\[?(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4})\]?"
_MAIL: Final = r"(?:[A-Z][a-z]{2},? )?(\d{1,2}[ -][A-Z][a-z]{2}[ -]\d{4} \d\d:\d\d:\d\d)"
_MAIL_ZONE: Final = r" (?:([+-]\d{4})(?: \([\w ]+\))?|GMT|UTC|UT|Z)"
_CTIME: Final = r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d)(?:\.\d+)?"
_NUMBER: Final = r"\d{9,19}(?:\.\d+)?"
_ZERO: Final = "+0000"
_NAMED: Final = {"clf": (_CLF,), "rfc2822": (_MAIL, _CTIME)}
_UNITS: Final = {"unix-s": 0, "unix-ms": 3, "unix-us": 6, "unix-ns": 9}
"""The power of ten of each unit in a second."""
_MICRO: Final = 6


def instant_of_text(text: str, time_format: str | None, zone: str | None, *, iso: bool) -> str:
    """Return SQL for a text column.

    Args:
        text: the SQL of the text.
        time_format: the policy's format; None: any unambiguous format.
        zone: the zone of texts without one; None: these cannot be read.
        iso: whether a sample is ISO 8601, so that no other format is tried.
    """
    if time_format in _UNITS:
        return _unix(_decimal(text), time_format)
    if time_format is not None and time_format not in TIME_FORMATS:
        return _by_pattern(text, time_format, zone)
    if time_format in _NAMED:
        return _cases(_months(text, zone, _NAMED[time_format]))
    strict = iso_instant(text, zone)
    if iso:
        return strict
    cases = [*_loose(text, zone)]
    if time_format is None:
        cases += _months(text, zone, (_CLF, _MAIL, _CTIME))
        cases.append((_matches(text, _NUMBER), _unix(_decimal(text))))
    return f"coalesce({strict}, {_cases(cases)})"


def instant_of_number(number: str, time_format: str | None, zone: str | None) -> str:
    """Return SQL for a column of numbers: Unix time, or a date's digits by the policy's format.

    Args:
        number: the SQL of the number, a HUGEINT or DOUBLE.
        time_format: the policy's format; None: the size of the number shows its unit.
        zone: the zone of a format without one.
    """
    if time_format is not None and time_format not in TIME_FORMATS:
        return _by_pattern(f"{number}::HUGEINT::VARCHAR", time_format, zone)
    return _unix(number, time_format if time_format in _UNITS else None)


def iso_instant(text: str, zone: str | None) -> str:
    """Return SQL for the usual form of ISO 8601, with fast tests.

    The arguments are those of `instant_of_text`.
    """
    read = f"try_cast({text} AS TIMESTAMPTZ)"
    # One WHEN for each, so that the search ends with the first match.
    cases = [f"WHEN {text} LIKE {literal(ending)} THEN {read}" for ending in _OFFSETS]
    if zone is not None:  # the zone of the session, so that DuckDB reads a wall clock in it
        cases.append(f"WHEN {text} LIKE '%:%' AND right({text}, 1) BETWEEN '0' AND '9' THEN {read}")
    # DuckDB reads 10-11-26 as a day of the year 10, which is in no window.
    return f"CASE WHEN substr({text}, 5, 1) IN ('-', '/') THEN CASE {' '.join(cases)} END END"


def _cases(cases: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> str:
    return f"CASE {' '.join(f'WHEN {condition} THEN {value}' for condition, value in cases)} END"


def _matches(text: str, pattern: str) -> str:
    return f"regexp_full_match({text}, {literal(pattern)})"


def _rewritten(text: str, pattern: str, by: str) -> str:
    return f"regexp_replace({text}, {literal(f'^{pattern}$')}, {literal(by)})"


def _loose(text: str, zone: str | None) -> Iterator[tuple[str, str]]:
    forms = {_LOOSE: (r"\1-\2-\3 \4.\50", 6), _BASIC: (r"\1-\2-\3 \4:\5:\6.\70", 8)}
    for form, (moment, place) in forms.items():
        zoned = form + _LOOSE_ZONE
        offset = f"nullif(regexp_extract({text}, {literal(f'^{zoned}$')}, {place}), '')"
        plain = f"{_rewritten(text, zoned, moment)} || coalesce({offset}, '+00')"
        yield _matches(text, zoned), f"try_cast({plain} AS TIMESTAMPTZ)"
        if zone is not None:
            plain = _rewritten(text, rf"{form}\s*", moment)
            yield _matches(text, rf"{form}\s*"), f"try_cast({plain} AS TIMESTAMPTZ)"


def _months(text: str, zone: str | None, forms: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield the formats with the name of the month: of access logs, of mails and HTTP, and of C."""
    if _CLF in forms:
        moment = _rewritten(text, _CLF, r"\1")
        yield _matches(text, _CLF), f"try_strptime({moment}, '%d/%b/%Y:%H:%M:%S %z')"
    if _MAIL in forms:
        mail = _MAIL + _MAIL_ZONE
        offset = f"nullif(regexp_extract({text}, {literal(f'^{mail}$')}, 2), '')"
        moment = _rewritten(text, mail, r"\1")
        moment = f"replace({moment}, '-', ' ') || ' ' || coalesce({offset}, '{_ZERO}')"
        yield _matches(text, mail), f"try_strptime({moment}, '%d %b %Y %H:%M:%S %z')"
    if _CTIME in forms:
        yield from _c_times(text, zone)


def _c_times(text: str, zone: str | None) -> Iterator[tuple[str, str]]:
    utc = rf"{_CTIME} (?:UTC|GMT) (\d{{4}})"
    moment = _rewritten(text, utc, rf"\2 \1 \4 \3 {_ZERO}")
    yield _matches(text, utc), f"try_strptime({moment}, '%d %b %Y %H:%M:%S %z')"
    if zone is not None:
        naive = rf"{_CTIME} (\d{{4}})"
        moment = _rewritten(text, naive, r"\2 \1 \4 \3")
        read = f"try_strptime({moment}, '%d %b %Y %H:%M:%S')"
        yield _matches(text, naive), f"timezone({literal(zone)}, {read})"


def _decimal(text: str) -> str:
    return f"try_cast({text} AS DECIMAL(28, 9))"


def _by_pattern(text: str, pattern: str, zone: str | None) -> str:
    read = f"try_strptime({text}, {literal(pattern)})"
    if carries_zone(pattern):
        return read
    return f"timezone({literal(zone or 'UTC')}, {read}::TIMESTAMP)"


def _unix(number: str, only: str | None = None) -> str:
    """Return SQL for Unix time, in the unit that puts it between 1985 and 2286.

    Outside of that range the unit is uncertain: 202611290545 is a date in digits; as milliseconds
    it would be in the year 1976.
    """
    cases = []
    for unit in [only] if only else _UNITS:
        power = _UNITS[unit]
        least, end = 5 * 10 ** (8 + power), 10 ** (10 + power)
        moment = f"{number}::HUGEINT // 1000" if power > _MICRO else _times(number, _MICRO - power)
        cases.append((f"{number} >= {least} AND {number} < {end}", moment))
    return f"make_timestamptz({_cases(cases)}::BIGINT)"


def _times(number: str, power: int) -> str:
    return f"{number} * {10**power}" if power else number
