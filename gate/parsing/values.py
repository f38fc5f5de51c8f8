"""The single values in policies."""

import posixpath
import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

import yaml

from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, Scalar, Union
from gate.parsing.variables import OUTSIDE
from gate.policy.authors import can_be_named
from gate.policy.policy import LONGEST_VALID_FOR
from gate.slo.quantities import parse_duration

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/ -]*[A-Za-z0-9])?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].+)?")
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
"""The truth values of YAML 1.2; yes and on are words."""
_YEARS = range(1970, 9999)
"""The years of instants that can be written in every time zone."""


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a valid name; use letters and digits, with . _ / - or spaces between"
            " them"
        )
    return text


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
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - for policies that name a zone only

    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{text!r} is not a valid time zone; write for example UTC or Europe/Berlin"
        raise ValueError(message) from None


def parse_instant(text: str) -> datetime:
    """Read an RFC 3339 instant, as UTC.

    Raises:
        ValueError: the text is not an instant, or has no offset from UTC.
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


_DURATION_JSON = {
    "type": "string",
    "pattern": r"^(?=.*[1-9])(?:[0-9]+(?:\.[0-9]+)?(?:w|d|h|ms|m|s))+$",
    "examples": ["30d", "6h", "5m"],
}
_TEXT_JSON = {"type": ["string", "number", "boolean"], "minLength": 1}
"""Words that YAML reads as other types, such as 200 and no, need no quotes here."""
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
"""A glob of files beside the policy, relative to its folder."""
GLOBS: Final = Union(Scalar(lambda text: (_glob(text),), GLOB.json), ListOf(GLOB, at_least=1))
"""One such glob, or several."""
CONNECTION: Final = Scalar(str, _TEXT_JSON, variables=True)
"""A text of a backend's connection: its address, headers, or files."""
SECRET: Final = Scalar(
    str, {"type": "string", "pattern": f"^{OUTSIDE.pattern}$"}, variables=True, secret=True
)
_OTHER_TYPES: Final = {
    "tag:yaml.org,2002:bool": "a truth value",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
    "tag:yaml.org,2002:timestamp": "a date",
}
"""The other types that YAML gives to a word without quotes."""


class _Name(Scalar[str]):
    """A name; one that looks like another type causes a warning."""

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
BOOLEAN: Final = Scalar(
    _boolean, {"type": ["boolean", "string"], "pattern": f"^({'|'.join(_BOOLEANS)})$"}
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
"""A local time without a zone."""
INSTANT: Final = Scalar(
    parse_instant,
    {"type": "string", "pattern": "^[0-9]{4}.*[0-9Zz]$", "examples": ["2026-11-20T14:00:00Z"]},
)
DURATION: Final[Scalar[timedelta]] = Scalar(parse_duration, _DURATION_JSON)
VALIDITY: Final[Scalar[timedelta]] = Scalar(_validity, _DURATION_JSON)
"""The validity of a decision."""
