"""The result of one part, parsed from the server's JSON."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from functools import cache
from typing import Any, Final

from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_grid import QueryGrid, milliseconds_of, seconds_of
from gate.backends.prometheus.replies import Reply
from gate.dataclass import dataclass
from gate.measure import Cause

LABEL: Final = "gate_part"
"""The label that says to which part of a batch a series belongs."""
# The longest float64 without an exponent; parsing longer text takes too long, or int() refuses it.
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,400}(?:\.[0-9]{0,400})?(?:[eE][+-]?[0-9]{1,3})?")
_MOST_LISTED: Final = 5
_PAIR: Final = 2
"""The length of a sample: its time and its value."""
_LARGEST: Final = 1e30
"""The largest valid number: no real count comes near, but broken queries do."""
Labels = tuple[tuple[str, str], ...]
"""Names and values of labels, in order of the names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryValue:
    """The server's answer to a part."""

    number: Fraction | None
    """The number; None: no series came back, or a number per label was requested."""
    numbers: Mapping[str, Fraction] = field(default_factory=dict)
    """The numbers by the value of the requested label."""
    by_labels: Mapping[Labels, Fraction] = field(default_factory=dict)
    """The series by all their labels, if that was requested."""
    points: tuple[float | None, ...] = ()
    """The points of the requested grid, the oldest first; None: no series at that instant."""
    groups: Mapping[tuple[str, ...], tuple[float | None, ...]] = field(default_factory=dict)
    """Points by the values of the requested labels; a result without groups has ``points``."""
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lost: Fraction | None = Fraction(0)
    """The most events that were lost where the window was cut; None: no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryError:
    """The reason why a part has no number."""

    cause: Cause
    reason: str


_WITHOUT_VALUE: Final = QueryError(
    cause=Cause.BACKEND_ERROR, reason="the answer holds a series without value"
)
QueryResult = QueryValue | QueryError
QueryResults = Callable[[Query], QueryResult]
"""A function that returns the result of a part."""


def read_reply(reply: Reply, parts: Sequence[Query]) -> list[QueryResult]:
    """Parse the answer to a query of some parts, in their order. A single part has no mark."""
    if reply.kind != ("vector" if parts[0].grid is None else "matrix"):
        return [_not_a_vector(reply.kind)] * len(parts)
    series: dict[str, list[Mapping[str, Any]]] = {str(place): [] for place in range(len(parts))}
    for sample in reply.result:
        mark = _mark(sample, len(parts))
        if mark not in series:
            reason = "the answer holds series that were not requested"
            return [QueryError(cause=Cause.BACKEND_ERROR, reason=reason)] * len(parts)
        series[mark].append(sample)
    return [_read(part, own, reply) for part, own in zip(parts, series.values(), strict=True)]


def _read(part: Query, series: list[Mapping[str, Any]], reply: Reply) -> QueryResult:
    if part.grid is not None:
        return _read_points(series, reply, part.grid, part.by)
    if part.label is not None:
        return _read_table(series, reply, part.label)
    if part.labelled:
        return _read_labelled(series, reply)
    return _read_part(series, reply)


def is_absent(reading: QueryResult) -> bool:
    """Return whether the server answered without any series."""
    return isinstance(reading, QueryValue) and reading.number is None


def _not_a_vector(kind: str) -> QueryError:
    cure = "wrap it in vector(...)" if kind == "scalar" else "one number is needed"
    return _invalid(f"the expression returns a {kind}; {cure}")


def _mark(sample: object, parts: int) -> str | None:
    if not isinstance(sample, dict) or not isinstance(sample.get("metric"), dict):
        return None
    return "0" if parts == 1 else str(sample["metric"].get(LABEL))


def _read_part(series: list[Mapping[str, Any]], reply: Reply) -> QueryResult:
    if len(series) > 1:
        return _several(series)
    if not series:
        return QueryValue(number=None, warnings=reply.warnings, notes=reply.notes)
    if "histogram" in series[0]:
        return _invalid(
            "the value is a native histogram; use histogram_count(...) or histogram_fraction"
        )
    number = _number(series[0].get("value"))
    if isinstance(number, QueryError):
        return number
    return QueryValue(number=number, warnings=reply.warnings, notes=reply.notes)


def _read_table(series: list[Mapping[str, Any]], reply: Reply, label: str) -> QueryResult:
    numbers: dict[str, Fraction] = {}
    for sample in series:
        number = _number(sample.get("value"))
        if isinstance(number, QueryError):
            return number
        numbers[str(sample["metric"].get(label, ""))] = number
    return QueryValue(number=None, numbers=numbers, warnings=reply.warnings, notes=reply.notes)


def _read_labelled(series: list[Mapping[str, Any]], reply: Reply) -> QueryResult:
    numbers: dict[Labels, Fraction] = {}
    for sample in series:
        number = _number(sample.get("value"))
        if isinstance(number, QueryError):
            return number
        metric = {name: str(value) for name, value in sample["metric"].items() if name != LABEL}
        numbers[tuple(sorted(metric.items()))] = number
    return QueryValue(number=None, by_labels=numbers, warnings=reply.warnings, notes=reply.notes)


def _read_points(
    series: list[Mapping[str, Any]], reply: Reply, grid: QueryGrid, by: tuple[str, ...]
) -> QueryResult:
    groups: dict[tuple[str, ...], tuple[float | None, ...]] = {}
    for sample in series:
        values = tuple(str(sample["metric"].get(label, "")) for label in by)
        if values in groups:
            return _several(series)
        points = _points(sample, grid)
        if isinstance(points, QueryError):
            return points
        groups[values] = points
    nothing = (None,) * grid.count
    return QueryValue(
        number=None,
        points=nothing if by else groups.get((), nothing),
        groups=groups if by else {},
        warnings=reply.warnings,
        notes=reply.notes,
    )


def _points(sample: Mapping[str, Any], grid: QueryGrid) -> tuple[float | None, ...] | QueryError:
    values = sample.get("values", ())
    return _at_once(values, grid) or _placed(values, grid)


def _at_once(values: Sequence[Any], grid: QueryGrid) -> tuple[float | None, ...] | None:
    """Return the points if all of them are valid; None: check each one by itself."""
    instants = seconds_of(grid)
    try:
        times, texts = zip(*values, strict=True)
        numbers = {text: _parse(text) for text in set(texts) if isinstance(text, str)}
        points = dict(zip(times, map(numbers.__getitem__, texts), strict=True))
    except (TypeError, ValueError, KeyError):
        return None
    if any(isinstance(number, QueryError) for number in numbers.values()):
        return None
    if len(points) < len(times) or not points.keys() <= instants.keys():
        return None
    return tuple(map(points.get, instants))


def _placed(values: Sequence[Any], grid: QueryGrid) -> tuple[float | None, ...] | QueryError:
    points: list[float | None] = [None] * grid.count
    first, step = milliseconds_of(grid)
    parse = cache(_parse)  # a history repeats its values
    for pair in values:
        match pair:
            case [float() | int() as time, str(text)]:
                number, (place, beside) = parse(text), divmod(round(time * 1000) - first, step)
            case _:
                return _WITHOUT_VALUE
        if isinstance(number, QueryError):
            return number
        if beside or not 0 <= place < grid.count:
            reason = "the answer holds an instant that was not requested"
            return QueryError(cause=Cause.BACKEND_ERROR, reason=reason)
        points[place] = number
    return tuple(points)


def _number(value: object) -> Fraction | QueryError:
    if not isinstance(value, list) or len(value) != _PAIR or not isinstance(value[1], str):
        return _WITHOUT_VALUE
    text = value[1]
    number = _parse(text)
    if isinstance(number, QueryError):
        return number
    return Fraction(int(text) if text.isdigit() else text)


def _parse(text: str) -> float | QueryError:
    """Parse the number or return its error; a text may be only one that `Fraction` parses, too."""
    if not _NUMBER.fullmatch(text):
        if text.lstrip("+-").lower() in {"nan", "inf"}:
            return _invalid(f"the value is {text}, which is not a count")
        return QueryError(
            cause=Cause.BACKEND_ERROR, reason=f"the value {text[:40]!r} is not a number"
        )
    if abs(float(text)) > _LARGEST:
        return _invalid(f"the value is {text[:40]}, which is not a count")
    return float(text)


def _several(series: list[Mapping[str, Any]]) -> QueryError:
    shown = [_labels(sample["metric"]) for sample in series[:_MOST_LISTED]]
    more = f" and {len(series) - _MOST_LISTED} more" if len(series) > _MOST_LISTED else ""
    return _invalid(
        f"{len(series)} series came back instead of one: {', '.join(shown)}{more};"
        " aggregate them, for example with sum(...)"
    )


def _invalid(reason: str) -> QueryError:
    return QueryError(cause=Cause.INVALID, reason=reason)


def _labels(metric: Mapping[str, Any]) -> str:
    pairs = (f'{name}="{value}"' for name, value in metric.items() if name != LABEL)
    return "{" + ",".join(pairs) + "}"
