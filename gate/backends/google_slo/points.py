"""The points of a time series of Google Cloud Monitoring, read so that nothing becomes zero."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from gate.backends.google_slo.pages import missing_in, objects_in
from gate.backends.platforms.messages import JsonObject, timestamp
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.slo.objective import Span
from gate.slo.quantities import format_duration
from gate.wording import exact_instant

_KINDS: Final = ("good", "bad")
_WHOLE: Final = re.compile(r"[0-9]{1,19}", re.ASCII)
_TOO_MANY: Final = 1 << 63
"""More than the API can count in whole numbers."""
_SLACK: Final = timedelta(minutes=1)
"""A point of an unaligned series is for a minute, which may begin before the requested time."""
_JITTER: Final = timedelta(seconds=1)
"""The times of successive points are a millisecond apart, by the reference of TimeInterval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloPoint:
    """The number of events over a stretch of time."""

    start: datetime
    end: datetime
    count: Fraction
    """At least 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SloPoints:
    """The counts by step; only steps with data have one."""

    good: tuple[SloPoint, ...]
    bad: tuple[SloPoint, ...]
    warnings: tuple[str, ...]
    """The warnings of the API about missing data."""

    def within(self, span: Span) -> tuple[Fraction, Fraction] | None:
        """Return all events, and the bad ones; None without data.

        If only good or only bad events have points, there were none of the other kind: the API
        leaves out a series without data.

        Raises:
            MeasurementError: a point begins before the span, and ends in it.
        """
        good, bad = (list(_within(points, span)) for points in (self.good, self.bad))
        if not good and not bad:
            return None
        failed = sum(bad, Fraction(0))
        return sum(good, failed), failed

    @property
    def newest(self) -> datetime | None:
        """The end of the newest point; None without points."""
        return max((point.end for point in (*self.good, *self.bad)), default=None)


def _within(points: Sequence[SloPoint], span: Span) -> Iterator[Fraction]:
    for point in points:
        if span.start < point.end <= span.end:
            if point.start < span.start - _SLACK:
                raise _beside(point.start, point.end, span)
            yield point.count


def read_points(pages: Sequence[JsonObject], span: Span, step: timedelta) -> SloPoints:
    """Read the good and the bad events from all pages of an answer.

    Args:
        pages: the pages, at least one.
        span: the requested span.
        step: the step of the alignment.

    Raises:
        MeasurementError: a value is not a count of good or bad events in the span.
    """
    by_series = dict[tuple[str, str], list[SloPoint]]()
    for page in pages:
        seen = set[tuple[str, str]]()
        for series in objects_in(page, "timeSeries"):
            identity = (_kind(series), _resource(series))
            if identity in seen:
                reason = f"the answer has two series of {identity[0]} events"
                raise MeasurementError(Cause.INVALID, reason)
            seen.add(identity)
            points = objects_in(series, "points")
            if not points:
                # By the reference, only series with points in the interval are listed.
                reason = f"the series of {identity[0]} events has no points"
                raise MeasurementError(Cause.INVALID, reason)
            own = by_series.setdefault(identity, [])
            own += (_point(point, span, step) for point in points)
    good, bad = (
        tuple(
            point
            for (own, _), points in by_series.items()
            if own == kind
            for point in _ordered(points, kind, step)
        )
        for kind in _KINDS
    )
    warnings = dict.fromkeys(text for page in pages for text in missing_in(page))
    return SloPoints(good=good, bad=bad, warnings=tuple(warnings))


def _kind(series: JsonObject) -> str:
    """Return whether a series has good or bad events."""
    metric = series.get("metric")
    labels = metric.get("labels") if isinstance(metric, dict) else None
    kind = labels.get("event_type") if isinstance(labels, dict) else None
    if kind not in _KINDS:
        reason = f"a series has the event_type {kind!r}, which must be good or bad"
        raise MeasurementError(Cause.INVALID, reason)
    if series.get("metricKind") == "CUMULATIVE":
        reason = f"the series of {kind} events is cumulative, so that its points cannot be added up"
        raise MeasurementError(Cause.INVALID, reason)
    return str(kind)


def _resource(series: JsonObject) -> str:
    """Return the type of the resource; each resource has a series of its own."""
    resource = series.get("resource")
    return str(resource.get("type")) if isinstance(resource, dict) else ""


def _point(point: JsonObject, span: Span, step: timedelta) -> SloPoint:
    interval = point.get("interval")
    times = interval if isinstance(interval, dict) else {}
    end = _instant(times.get("endTime"))
    start = _instant(times["startTime"]) if times.get("startTime") is not None else end
    start = end - step if start >= end else start
    if start < span.start - _SLACK or not span.start < end <= span.end:
        raise _beside(start, end, span)
    return SloPoint(start=start, end=end, count=_count(point.get("value")))


def _beside(start: datetime, end: datetime, span: Span) -> MeasurementError:
    times = (exact_instant(each) for each in (start, end, span.start, span.end))
    reason = "a point is from {} to {}, but the request was from {} to {}".format(*times)
    return MeasurementError(Cause.INVALID, reason)


def _instant(text: Any) -> datetime:
    at = timestamp(text)
    if at is None:
        reason = f"a point has the time {text!r}, which is not an instant"
        raise MeasurementError(Cause.INVALID, reason)
    return at


def _count(value: Any) -> Fraction:
    """Read a number of events: a double, or an integer as text."""
    kinds = [*value] if isinstance(value, dict) else []
    raw: Any = value[kinds[0]] if len(kinds) == 1 else None
    number: Fraction | None = None
    if isinstance(raw, bool):
        number = None  # Python treats a boolean as a number
    elif kinds == ["int64Value"]:
        number = Fraction(raw) if _WHOLE.fullmatch(str(raw)) else None
    elif kinds == ["doubleValue"] and isinstance(raw, int | float):
        number = Fraction(raw) if 0 <= raw < _TOO_MANY else None
    if number is None:
        reason = f"a point has the value {value!r}, which is not a number of events"
        raise MeasurementError(Cause.INVALID, reason)
    return number


def _ordered(points: list[SloPoint], kind: str, step: timedelta) -> tuple[SloPoint, ...]:
    """Return the points by time.

    Raises:
        MeasurementError: two of them are for the same time, or one is not for a whole step; the
            first may be partial, if the series began within it.
    """
    ordered = sorted(points, key=lambda point: point.end)
    if any(point.end > following.start + _JITTER for point, following in pairwise(ordered)):
        reason = f"two points of the series of {kind} events are of the same time"
        raise MeasurementError(Cause.INVALID, reason)
    shortest = min((point.end - point.start for point in ordered[1:]), default=step)
    if shortest < step - _SLACK:
        parts = f"a point of {kind} events is of {format_duration(shortest)}"
        reason = f"{parts}, and steps of {format_duration(step)} were requested"
        raise MeasurementError(Cause.INVALID, reason)
    return tuple(ordered)
