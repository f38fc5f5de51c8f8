"""Read a file of counts exactly, without reinterpreting any value."""

import re
from collections.abc import Hashable, Sequence
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.constructor import ConstructorError

from gate.dataclass import dataclass
from gate.errors import nearest
from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, MeasurementError, Spent
from gate.slo.quantities import format_duration, parse_duration, parse_ratio

_ENTRY: Final = frozenset({"total", "bad", "spent", "newest", "coverage", "windows"})
_WINDOW: Final = frozenset({"total", "bad"})
_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,30}|[0-9]{0,30}\.[0-9]{1,300})(?:[eE][+-]?[0-9]{1,2})?"
)


class _Loader(yaml.SafeLoader):
    """Reads numbers exactly as they are written, so that 0.1 is a tenth; keys must be unique."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the block; for duplicate keys, YAML would silently keep the last."""
        seen = set[str]()
        for key, _ in node.value:
            if str(key.value) in seen:
                message = f"duplicate key {key.value!r}"
                raise ConstructorError(None, None, message, key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _exact(_: yaml.SafeLoader, node: yaml.ScalarNode) -> object:
    # A value that is not a plain number (.inf, .nan, YAML's 0x10 and 1:30) stays text, which is
    # refused when it is used; so does a number that would take too long to write out.
    text = node.value.replace("_", "")
    return Fraction(text) if _NUMBER.fullmatch(text) else node.value


_Loader.add_constructor("tag:yaml.org,2002:float", _exact)
_Loader.add_constructor("tag:yaml.org,2002:int", _exact)


@dataclass(frozen=True, slots=True)
class StaticBackend:
    """Answers from a JSON or YAML file, which is read again in each run.

    ``counts: {availability: {total: 1000000, bad: 400, windows: {1h: {total: 4000, bad: 1}}}}``,
    ``counts: {spend: {spent: 1234.5}}``; an entry may also have ``newest`` and ``coverage``.
    """

    path: Path

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002 - what is written down does not move
        """Answer each request from the entry that its indicator names."""
        try:
            counts = self._read()
        except MeasurementError as error:
            return [error.answer() for _ in requests]
        return [self._answer(request, counts) for request in requests]

    def _read(self) -> dict[str, Any]:
        try:
            read = yaml.load(self.path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            reason = f"{self.path} cannot be read: {' '.join(str(error).split())}"
            raise MeasurementError(Cause.BACKEND_ERROR, reason) from error
        counts = _block(f"{self.path}", read, frozenset({"counts"})).get("counts")
        if not isinstance(counts, dict):
            raise MeasurementError(Cause.INVALID, f"{self.path}: counts: a block was expected")
        return {str(name): entry for name, entry in counts.items()}

    def _answer(self, request: CountRequest, counts: dict[str, Any]) -> Answer:
        try:
            return _named(str(self.path), request, counts)
        except MeasurementError as error:
            return error.answer()


def _named(file: str, request: CountRequest, counts: dict[str, Any]) -> Answer:
    name = request.sli.series or ""
    if name not in counts:
        raise MeasurementError(
            Cause.NO_DATA, f"{file} has no counts {name!r}{nearest(name, counts)}"
        )
    place = f"{file}: counts.{name}"
    entry = _block(place, counts[name], _ENTRY)
    if request.probe:
        return _counted(place, entry, _evidence(place, entry), amount=request.amount)
    return _window(place, entry, request)


def _window(place: str, entry: dict[str, Any], request: CountRequest) -> Answer:
    windows = _block(f"{place}.windows", entry.get("windows", {}), None)
    for text, counts in windows.items():
        where = f"{place}.windows.{text}"
        try:
            duration = parse_duration(str(text))
        except ValueError as error:
            raise MeasurementError(Cause.INVALID, f"{where}: {error}") from error
        if duration == request.span.length:
            return _counted(
                where, _block(where, counts, _WINDOW), Evidence(query=where), amount=False
            )
    length = format_duration(request.span.length)
    raise MeasurementError(Cause.NO_DATA, f"{place}.windows has no {length}")


def _counted(place: str, entry: dict[str, Any], evidence: Evidence, *, amount: bool) -> Answer:
    if amount:
        if entry.keys() & _WINDOW:
            raise MeasurementError(Cause.INVALID, f"{place}: an allowance goes with spent alone")
        return Spent(amount=_number(place, entry, "spent"), evidence=evidence)
    if "spent" in entry:
        raise MeasurementError(Cause.INVALID, f"{place}: spent goes with an allowance alone")
    total, bad = _number(place, entry, "total"), _number(place, entry, "bad")
    if bad > total:
        raise MeasurementError(Cause.INVALID, f"{place}: bad is more than total")
    if not total:
        raise MeasurementError(Cause.NO_TRAFFIC, f"{place}: total is 0: nothing happened")
    return Counts(total=total, bad=bad, evidence=evidence)


def _evidence(place: str, entry: dict[str, Any]) -> Evidence:
    newest, coverage = entry.get("newest"), entry.get("coverage")
    if newest is not None and not isinstance(newest, datetime):
        raise MeasurementError(
            Cause.INVALID, f"{place}.newest: {_show(newest)} is not a valid time"
        )
    share = None
    if coverage is not None:
        try:
            share = coverage if isinstance(coverage, Fraction) else parse_ratio(str(coverage))
        except ValueError as error:
            raise MeasurementError(Cause.INVALID, f"{place}.coverage: {error}") from error
        if not 0 <= share <= 1:
            raise MeasurementError(Cause.INVALID, f"{place}.coverage: not between 0% and 100%")
    if newest is not None:
        newest = newest.replace(tzinfo=newest.tzinfo or UTC)  # PyYAML may drop the Z
    return Evidence(query=place, newest=newest, coverage=share)


def _number(place: str, entry: dict[str, Any], key: str) -> Fraction:
    if key not in entry:
        raise MeasurementError(Cause.NO_DATA, f"{place}: the key {key!r} is missing")
    value = entry[key]
    if not isinstance(value, Fraction):
        raise MeasurementError(Cause.INVALID, f"{place}.{key}: {_show(value)} is not a count")
    if value < 0:
        raise MeasurementError(Cause.INVALID, f"{place}.{key}: {float(value):g} is negative")
    return value


def _block(place: str, value: object, keys: frozenset[str] | None) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MeasurementError(Cause.INVALID, f"{place}: a block of keys was expected")
    for key in value:
        if keys is not None and key not in keys:
            hint = nearest(str(key), keys)
            raise MeasurementError(Cause.INVALID, f"{place}: unknown key {str(key)!r}{hint}")
    return value


def _show(value: object) -> str:
    return str(value if isinstance(value, date | bool | str) else type(value).__name__)
