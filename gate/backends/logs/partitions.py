"""A path with partitions: folders that give the time of their rows, and folders that are columns.

``dt=*`` in a path is a column ``dt``, whose value is in the folder's name, as Hive, Spark and
DuckDB write it. ``{%Y/%m/%d}`` is a day in names without a column.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Final
from urllib.parse import unquote

from gate.dataclass import dataclass
from gate.slo.objective import Span

MARGIN: Final = timedelta(days=1)
"""The maximum difference between a partition's time and that of its rows: the day of a folder may
be in any zone (up to 14 hours from UTC), and rows filed by arrival come late."""
_DATES: Final = frozenset({"dt", "date", "ds", "day"})
"""Names of partitions whose value can be a whole date."""
_UNITS: Final[Mapping[str, str]] = {
    "year": "%Y",
    "month": "%m",
    "day": "%d",
    "hour": "%H",
    # Azure Monitor's: https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs-blob-format
    "y": "%Y",
    "m": "%m",
    "d": "%d",
    "h": "%H",
}
"""Names of partitions whose value is a part of a date."""
UNIT_DIGITS: Final[Mapping[str, int]] = {"%Y": 4, "%m": 2, "%d": 2, "%H": 2}
"""The units of time, the longest first."""
_ONE_DAY: Final = 3
"""The number of units that make a day."""
_DATE: Final = re.compile(r"(\d{4})(-?)(\d\d)\2(\d\d)(?:[-T_ ]?(\d\d)(?:\D.*)?)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Segment:
    """One folder or file name of a path."""

    name: str | None
    """The name of the column; None: it is not a column."""
    glob: str
    """A pattern for local files."""
    expression: str
    """A regular expression, in the syntax that Python and RE2 share."""
    groups: tuple[str, ...]
    """The meaning of its groups, in order: ``%Y`` and the like, or ``""`` for the value of the
    column."""
    fixed: str | None
    """The only name that it matches; None: it can match others."""

    @property
    def dated(self) -> bool:
        """Whether it can give the time of the rows."""
        name = (self.name or "").lower()
        return any(self.groups) or name in _DATES or name in _UNITS


@dataclass(frozen=True, slots=True)
class Part:
    """The time of a folder's rows, according to its name."""

    units: Mapping[str, int] = field(default_factory=dict)
    """The values of ``%Y``, ``%m``, ``%d`` and ``%H``, as far as they are known."""

    @property
    def span(self) -> Span | None:
        """The time that it names, as if in UTC; None: it names no time."""
        values: list[int] = []
        for unit in UNIT_DIGITS:
            if unit not in self.units:
                break
            values.append(self.units[unit])
        if not values:
            return None
        year, month, day, hour = (*values, *(1, 1, 1, 0)[len(values) :])
        try:
            start = datetime(year, month, day, hour, tzinfo=UTC)
            return Span(start, _end(start, len(values)))
        except (ValueError, OverflowError):  # the day does not exist, so the time is unknown
            return None

    @property
    def day(self) -> date | None:
        """The day that contains it; None: it is longer than a day, or its time is unknown."""
        span = self.span
        return span.start.date() if span and span.length <= timedelta(days=1) else None

    def may_have(self, window: Span | None) -> bool:
        """Return whether it can have rows of a window; None: any window."""
        span = self.span
        if span is None or window is None:
            return True
        return span.start < window.end + MARGIN and span.end > window.start - MARGIN


def _end(start: datetime, units: int) -> datetime:
    if units == 1:
        return start.replace(year=start.year + 1)
    if units == 2:  # noqa: PLR2004 - a year and a month
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(**{"days" if units == _ONE_DAY else "hours": 1})


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A path or glob with its partitions."""

    root: str
    """The literal prefix of every name: a bucket (``s3://bucket/``), or empty."""
    segments: tuple[Segment, ...]

    @property
    def glob(self) -> str:
        """A pattern for local files."""
        return "/".join(segment.glob for segment in self.segments)

    @property
    def dated(self) -> bool:
        """Whether it gives the time of rows."""
        return any(segment.dated for segment in self.segments)

    @property
    def columns(self) -> Mapping[str, str]:
        """The columns in the path, and DuckDB's types of their values."""
        names = [segment.name for segment in self.segments if segment.name is not None]
        whole = not {name.lower() for name in names} & {"year", "month"}
        return {name: _kind(name.lower(), whole=whole) for name in names}

    def expression(self, folders: int | None = None) -> str:
        """Return a regular expression for names of files, or of folders at this depth."""
        chosen = self.segments[:folders]
        text = "/".join(segment.expression for segment in chosen)
        # ``**`` can match no folder at all.
        return f"^{re.escape(self.root)}{text.replace('**/', '(?:[^/]+/)*').replace('**', '.*')}$"

    def part(self, path: str, folders: int | None = None) -> Part | None:
        """Return the time in the name of a file or of a folder; None: it does not match.

        Args:
            path: the name, with the root.
            folders: the number of segments if it is a folder's name.
        """
        match = re.match(self.expression(folders), path, re.DOTALL)
        if match is None:
            return None
        units: dict[str, int] = {}
        values = iter(match.groups())
        for segment in self.segments[:folders]:
            for unit, text in zip(segment.groups, islice(values, len(segment.groups)), strict=True):
                said = {unit: int(text)} if unit else _said(segment.name, unquote(text))
                # The first of two equal units counts: a minute is also written as m.
                units = {**said, **units}
        return Part(units)


@dataclass(frozen=True, slots=True)
class Matches:
    """The matches of a path."""

    pattern: PathPattern
    names: list[str]
    """The matching names, sorted."""
    others: bool = False
    """Whether there are matches of another time than the requested one."""


def _said(name: str | None, value: str) -> dict[str, int]:
    """Return the time in the value of a column."""
    key = (name or "").lower()
    if key in _DATES and (match := _DATE.fullmatch(value)):
        year, _, month, day, hour = match.groups()
        units = {"%Y": int(year), "%m": int(month), "%d": int(day)}
        return units | ({"%H": int(hour)} if hour else {})
    return {_UNITS[key]: int(value)} if key in _UNITS and re.fullmatch(r"\d{1,4}", value) else {}


def _kind(name: str, *, whole: bool) -> str:
    if name in _DATES and (whole or name != "day"):
        return "DATE"
    return "BIGINT" if name in _UNITS else "VARCHAR"


def missing_days(parts: Iterable[Part], window: Span) -> list[date]:
    """Return the whole days of a window without a partition.

    No day is missing if no partition is as short as a day.
    """
    days = {part.day for part in parts} - {None}
    first = (window.start + timedelta(days=1) - timedelta(microseconds=1)).date()
    number = (window.end.date() - first).days if days else 0
    wanted = (first + timedelta(days=place) for place in range(number))
    return [day for day in wanted if day not in days]
