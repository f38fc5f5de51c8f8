"""The single values that policies are made of."""

import posixpath
import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from fractions import Fraction
from typing import Final

import yaml

from gate.parsing.objects import Values
from gate.parsing.reader import OUTSIDE, Reader
from gate.parsing.schema import Choice, ListOf, Scalar, Union
from gate.policy.logins import can_be_named
from gate.policy.policy import LONGEST_VALID_FOR
from gate.policy.tiers import COMPARISONS, Condition
from gate.slo.quantities import Threshold, parse_duration, parse_ratio
from gate.slo.sizes import SIZE_PATTERN, parse_size

_COMPARISON = re.compile(rf"({'|'.join(sorted(COMPARISONS, key=len, reverse=True))})\s*(.+)")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/ -]*[A-Za-z0-9])?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?")
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
"""As YAML 1.2 has them; yes and on are words."""

# As many digits as a float can show: a report that fails on a number decides nothing.
_COUNT = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[-+.0-9]{1,40}(?:[eE][-+]?[0-9]{1,2})?|[0-9]{1,20}/[0-9]{1,20}")
_OVERSPENT = -1000
"""The lowest threshold: a budget spent a thousand times over."""
_YEARS = range(1970, 9999)
"""Of instants that every time zone can write."""
_AMOUNT = re.compile(r"([0-9][0-9_,]{0,40}(?:\.[0-9]+)?)\s*([^\s0-9]\S*)?")


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a valid name; use letters and digits, with . _ / - or spaces between"
            " them"
        )
    return text


def _share(text: str) -> Fraction:
    share = parse_ratio(text)
    if not 0 <= share <= 1:
        raise ValueError(f"{text} is not between 0% and 100%")
    return share


def _above_none(text: str) -> Fraction:
    if not (share := _share(text)):
        raise ValueError(f"{text} must be above 0%")
    return share


def _objective(text: str) -> Fraction:
    objective = parse_ratio(text)
    if objective == 1:
        raise ValueError(f"{text} leaves no budget to spend; write less, for example 99.9%")
    if not 0 < objective < 1:
        raise ValueError(f"{text} is not above 0% and below 100%; write for example 99.9%")
    return objective


def _condition(text: str) -> Condition:
    comparison = _COMPARISON.fullmatch(text.strip())
    if comparison is None:
        raise ValueError(f'{text!r} is not a valid comparison; write for example "> 50%"')
    threshold = parse_ratio(comparison[2])
    if not _OVERSPENT <= threshold <= 1:
        raise ValueError(f"{text!r}: a budget has at most 100% left; -50% is overspent by half")
    return Condition(comparison[1], threshold)


def _validity(text: str) -> timedelta:
    length = parse_duration(text)
    if length > LONGEST_VALID_FOR:
        hours = LONGEST_VALID_FOR // timedelta(hours=1)
        raise ValueError(f"{text} is too long: a decision may be used for {hours}h at most")
    return length


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError(f"{text!r} is not true or false; write true or false")
    return _BOOLEANS[text]


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{text!r} is not a valid count; write a whole number, 0 or more")
    return int(text)


def _number(text: str) -> Fraction:
    try:
        return Fraction(text if _NUMBER.fullmatch(text) else "")
    except (ValueError, ZeroDivisionError):
        decimal_comma = re.fullmatch("[0-9]+,[0-9]+", text)
        form = text.replace(",", ".") if decimal_comma else "digits, with a point for decimals"
        raise ValueError(f"{text!r} is not a valid number; write {form}") from None


def _above_zero(text: str) -> Fraction:
    number = _number(text)
    if number <= 0:
        raise ValueError(f"{text} is not above zero; write a positive number")
    return number


def _amount(text: str) -> tuple[Fraction, str]:
    parts = _AMOUNT.fullmatch(text.strip())
    amount = Fraction(re.sub("[_,]", "", parts[1])) if parts else Fraction(0)
    if parts is None or not amount:
        raise ValueError(f"{text!r} is not a valid amount above zero; write for example 50000 USD")
    return amount, parts[2] or ""


def _approver(text: str) -> str:
    if not can_be_named(text):
        raise ValueError(
            f"{text!r} is not a valid approver; use @person, @organisation/team, or the word write"
            " for everybody with write access"
        )
    return text


def _glob(text: str) -> str:
    pattern = posixpath.normpath(text)
    if pattern.startswith("/") or "\\" in text:
        raise ValueError(
            f"{text!r} is not a valid path; write it from this file's folder, with /: slos/*.yaml"
        )
    return pattern


def _zone(text: str) -> tzinfo:
    from zoneinfo import (  # noqa: PLC0415 - for policies that name a zone only
        ZoneInfo,
        ZoneInfoNotFoundError,
    )

    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{text!r} is not a valid time zone; write for example UTC or Europe/Berlin"
        raise ValueError(message) from None


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant, as UTC.

    Raises:
        ValueError: no instant, or one without its offset from UTC.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or len(text) <= len("2026-11-20"):
        raise ValueError(f"{text!r} is not a valid time; write for example 2026-11-20T14:00:00Z")
    if instant.year not in _YEARS:
        raise ValueError(f"{text!r} is not between {_YEARS[0]} and {_YEARS[-1]}")
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; write for example {text}Z")
    return instant.astimezone(UTC)


def _moment(text: str) -> date | datetime:
    with suppress(ValueError):
        if parts := _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(text) if parts[1] else date.fromisoformat(text)
            if moment.year in _YEARS:
                return moment
    raise ValueError(
        f"{text!r} is not a valid date from {_YEARS[0]} to {_YEARS[-1]}; write for example"
        " 2026-12-20 or 2026-12-20T18:00"
    )


def _local(text: str) -> datetime:
    with suppress(ValueError):
        local = datetime.fromisoformat(text if _MOMENT.fullmatch(text) else "")
        if local.tzinfo is None and local.year in _YEARS:
            return local
    raise ValueError(f"{text!r} is not a valid local time; write for example 2026-01-03T12:00:00")


_DIGITS = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_SHARE_PATTERN = (
    r"\s*\+?(?:0*100(?:\.0*)?|0*[0-9]{1,2}(?:\.[0-9]*)?|\.[0-9]+)\s*%\s*"
    r"|\s*\+?(?:0*(?:0|\.[0-9]+|0\.[0-9]*)|0*1(?:\.0*)?)\s*"
)
"""A percentage from 0% to 100%, or a share from 0 to 1."""
_ZERO = r"\s*\+?[0.]+\s*%?\s*$"
_WHOLE = r"\s*\+?(?:0*100(?:\.0*)?\s*%|0*1(?:\.0*)?)\s*$"
_RATIO_JSON = {
    "type": ["string", "number"],
    "minimum": 0,
    "maximum": 1,
    "pattern": f"^(?:{_SHARE_PATTERN})$",
    "examples": ["99.9%", 0.999],
}
_ABOVE_NONE_JSON = {
    **{key: value for key, value in _RATIO_JSON.items() if key != "minimum"},
    "exclusiveMinimum": 0,
    "pattern": f"^(?!{_ZERO})(?:{_SHARE_PATTERN})$",
}
_OBJECTIVE_JSON = {
    "type": ["string", "number"],
    "exclusiveMinimum": 0,
    "exclusiveMaximum": 1,
    "pattern": f"^(?!{_ZERO})(?!{_WHOLE})(?:{_SHARE_PATTERN})$",
    "examples": ["99.9%", 0.999],
}
_DURATION_JSON = {
    "type": "string",
    "pattern": r"^(?=.*[1-9])(?:[0-9]+(?:\.[0-9]+)?(?:w|d|h|ms|m|s))+$",
    "examples": ["30d", "6h", "5m"],
}
_NUMBER_PATTERN = (
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?|[0-9]+/[0-9]*[1-9][0-9]*"
)
_POSITIVE_PATTERN = rf"(?=[^eE/]*[1-9])\+?(?:{_NUMBER_PATTERN.removeprefix('[-+]?')})"
_TEXT_JSON = {"type": ["string", "number", "boolean"], "minLength": 1}
"""Words that YAML takes for something else, such as 200 and no, need no quotes here."""
PATH: Final = Scalar(lambda text: text.removeprefix("./").lstrip("/"), _TEXT_JSON)
"""A glob from the top of the repository."""
APPROVER: Final = Scalar(
    _approver,
    {
        "type": "string",
        "pattern": "^(?:@[^@/\\s]+(?:/[^@\\s]*[^@/\\s])?|write)$",
        "examples": ["@ada", "@acme/security", "write"],
    },
)
TEXT: Final = Scalar(str, _TEXT_JSON)
LOG_FORMAT: Final = Choice(("jsonl", "csv", "parquet"))
"""The log format of a file of request logs."""
GLOB: Final = Scalar(_glob, {**_TEXT_JSON, "examples": ["slos/*.yaml"]})
"""Of files beside the policy, from its folder."""
GLOBS: Final = Union(Scalar(lambda text: (_glob(text),), GLOB.json), ListOf(GLOB, at_least=1))
"""The same, or several."""
CONNECTION: Final = Scalar(str, _TEXT_JSON, variables=True)
"""A text of a backend's connection: where it is, what it is sent, which of its files are read."""
SECRET: Final = Scalar(
    str, {"type": "string", "pattern": f"^{OUTSIDE.pattern}$"}, variables=True, secret=True
)
_OTHER_TYPES: Final = {
    "tag:yaml.org,2002:bool": "a truth value",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:timestamp": "a date",
}
"""What YAML takes a word without quotes for."""


class _Name(Scalar[str]):
    """A name; one that looks like something else draws a warning."""

    def __init__(self) -> None:
        super().__init__(_name, {**_TEXT_JSON, "pattern": f"^{_NAME.pattern}$"})

    def read(self, node: yaml.Node, reader: Reader) -> str:
        """Return the name."""
        name = super().read(node, reader)
        if kind := _OTHER_TYPES.get(node.tag):
            message = f'{name} looks like {kind} and is read as a name; put it in quotes: "{name}"'
            reader.note(node, message, fatal=False)
        return name


NAME: Final = _Name()
SHARE: Final = Scalar(_share, _RATIO_JSON)
ABOVE_NONE: Final = Scalar(_above_none, _ABOVE_NONE_JSON)
OBJECTIVE: Final = Scalar(_objective, _OBJECTIVE_JSON)
CONDITION: Final = Scalar(
    _condition,
    {
        "type": "string",
        "pattern": rf"^\s*(?:>=|<=|>|<)\s*[-+]?(?:{_DIGITS}\s*%|0?\.[0-9]+|[01](?:\.0*)?)\s*$",
        "examples": ["> 50%"],
    },
)
BOOLEAN: Final = Scalar(
    _boolean, {"type": ["boolean", "string"], "pattern": f"^({'|'.join(_BOOLEANS)})$"}
)
COUNT: Final = Scalar(_count, {"type": ["integer", "string"], "minimum": 0, "pattern": r"^[0-9]+$"})
CONNECTION_COUNT: Final = Scalar(
    _count, {**COUNT.json, "pattern": rf"{COUNT.json['pattern']}|\$\{{"}, variables=True
)
"""The same of a backend's connection."""
NUMBER: Final = Scalar(
    _number, {"type": ["number", "string"], "pattern": f"^(?:{_NUMBER_PATTERN})$"}
)
ABOVE_ZERO: Final = Scalar(
    _above_zero,
    {
        "type": ["number", "string"],
        "exclusiveMinimum": 0,
        "pattern": f"^(?:{_POSITIVE_PATTERN})$",
    },
)
AMOUNT: Final = Scalar(
    _amount,
    {
        "type": ["string", "number"],
        "exclusiveMinimum": 0,
        "pattern": rf"^\s*(?=[0-9_,.]*[1-9]){_AMOUNT.pattern}\s*$",
        "examples": ["50000 USD"],
    },
)
ZONE: Final = Scalar(
    _zone, {"type": "string", "minLength": 1, "examples": ["UTC", "Europe/Berlin"]}
)
MOMENT: Final = Scalar(
    _moment, {"type": "string", "pattern": f"^{_MOMENT.pattern}$", "examples": ["2026-12-20"]}
)
LOCAL: Final = Scalar(
    _local, {"type": "string", "pattern": f"^{_MOMENT.pattern}$", "examples": ["2026-01-03T12:00"]}
)
"""A time on the wall of some zone: it has none itself."""
INSTANT: Final = Scalar(
    parse_instant,
    {"type": "string", "pattern": "^[0-9]{4}.*[0-9Zz]$", "examples": ["2026-11-20T14:00:00Z"]},
)
DURATION: Final[Scalar[timedelta]] = Scalar(parse_duration, _DURATION_JSON)
BYTES: Final = Scalar(
    parse_size, {"type": "string", "pattern": f"^{SIZE_PATTERN}$", "examples": ["50GB", "20GiB"]}
)
VALIDITY: Final[Scalar[timedelta]] = Scalar(_validity, _DURATION_JSON)
"""The validity of a decision."""


def threshold_in(values: Values, unit: str, reader: Reader) -> Fraction:
    """Return the threshold in a unit; an empty unit is that of a bare number.

    Raises:
        UnreadableError: it is a time and must not be, or the reverse.
    """
    threshold: Threshold = values.get("threshold")
    try:
        return threshold.in_unit(unit)
    except ValueError as error:
        raise reader.fail(values.node("threshold"), str(error)) from None
