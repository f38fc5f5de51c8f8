"""One question to GetMetricData, the pages of its answer, and their countable points.

The HTTP status says nothing about the points. Each metric has a status of its own on each page, and
"Complete" may come without any point, even for a metric that does not exist.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from gate.backends.cloudwatch.metrics import Metric, MetricStatistic
from gate.backends.cloudwatch.periods import PeriodRun, moment
from gate.backends.platforms.messages import Call, JsonObject, finite
from gate.measure import Cause, MeasurementError
from gate.wording import instant

_MOST_PAGES: Final = 1000
"""More than any question has, since metrics and points are limited."""
_END_OF_TIME: Final = 253_402_300_800
"""Seconds from 1970 to the year 10000, beyond all dates."""
_COMPLETE: Final = "Complete"
_PARTIAL: Final = "PartialData"
_FAILED: Final = {
    "InternalError": "CloudWatch failed inside (InternalError); run the check again in a minute",
    "Forbidden": "CloudWatch does not let this login read it (Forbidden); let it have"
    " cloudwatch:GetMetricData, without a condition on the namespace",
}
_UNREADABLE: Final = "CloudWatch answered something unreadable"
Number = int | Fraction
MetricPoints = Mapping[int, Number]
"""The value of each period with published data, by its start in seconds since 1970."""


def wire_metric(metric: Metric) -> JsonObject:
    """Return a metric in the form of CloudWatch's requests."""
    return {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": name, "Value": text} for name, text in metric.dimensions],
    }


def unreadable(detail: str) -> MeasurementError:
    """Return the error for an answer in an unexpected form."""
    remedy = "; check that url is CloudWatch itself or a proxy of it"
    return MeasurementError(Cause.BACKEND_ERROR, f"{_UNREADABLE}: {detail}{remedy}")


def listed(answer: JsonObject, key: str) -> list[Any]:
    """Return a list of an answer, which is empty if it is null or absent.

    Raises:
        MeasurementError: the value has another type.
    """
    some = answer.get(key)
    if some is None:
        return []
    if not isinstance(some, list):
        raise unreadable(f"{key} is not a list")
    return some


def next_token(answer: JsonObject, seen: set[str]) -> str:
    """Return the token of the next page, and note it as seen; empty after the last page.

    Raises:
        MeasurementError: pages would never end.
    """
    token = answer.get("NextToken")
    if token is None or token == "":
        return ""
    if not isinstance(token, str):
        raise unreadable("NextToken is not a text")
    if token in seen or len(seen) >= _MOST_PAGES:
        raise unreadable("the same page comes again")
    seen.add(token)
    return token


class Pages:
    """Some metrics in the same stretch of time, and the results of the pages so far."""

    def __init__(self, piece: PeriodRun, counted: Sequence[MetricStatistic]) -> None:
        self._piece, self.counted = piece, tuple(counted)
        self._points: list[dict[int, Number]] = [{} for _ in counted]
        self._status: list[str | None] = [None for _ in counted]
        self._failures: dict[int, MeasurementError] = {}
        self._token, self._tokens = "", set[str]()

    @property
    def call(self) -> Call:
        """The request of the next page."""
        body: JsonObject = {
            "MetricDataQueries": [
                {
                    "Id": f"m{place}",
                    "MetricStat": {
                        "Metric": wire_metric(counted.metric),
                        "Period": self._piece.period,
                        "Stat": counted.statistic,
                    },
                }
                for place, counted in enumerate(self.counted)
            ],
            "StartTime": self._piece.start,
            "EndTime": self._piece.end,
            "ScanBy": "TimestampAscending",
        }
        if self._token:
            body["NextToken"] = self._token
        return Call(path="/", method="POST", body=body)

    def read(self, answer: JsonObject) -> bool:
        """Add a page; return whether there is another.

        Raises:
            MeasurementError: no part of the answer can be counted.
        """
        if messages := listed(answer, "Messages"):
            raise MeasurementError(Cause.PARTIAL, f"CloudWatch says: {_said(messages)}")
        if "MetricDataResults" not in answer:
            raise unreadable("MetricDataResults is missing")
        for result in listed(answer, "MetricDataResults"):
            place = self._place_of(result)
            try:
                self._take(place, result)
            except MeasurementError as error:
                self._failures[place] = error
        self._token = next_token(answer, self._tokens)
        return bool(self._token)

    def outcomes(self) -> dict[MetricStatistic, "MetricPoints | MeasurementError"]:
        """Return the points of each metric after the last page, or why they are missing."""
        return {
            counted: self._failures.get(place) or self._failure(place) or self._points[place]
            for place, counted in enumerate(self.counted)
        }

    def _place_of(self, result: object) -> int:
        if isinstance(result, dict):
            for place in range(len(self.counted)):
                if result.get("Id") == f"m{place}":
                    return place
        raise unreadable("a result belongs to a metric that was not requested")

    def _take(self, place: int, result: JsonObject) -> None:
        if messages := listed(result, "Messages"):
            said = f"CloudWatch says of {self.counted[place]}: {_said(messages)}"
            raise MeasurementError(Cause.PARTIAL, said)
        status = self._status[place] = str(result.get("StatusCode"))
        if status not in {_COMPLETE, _PARTIAL}:  # a later page does not repair this
            words = _FAILED.get(status, f"the status {status!r} is not one of CloudWatch's")
            raise MeasurementError(Cause.BACKEND_ERROR, f"{self.counted[place]}: {words}")
        times, values = listed(result, "Timestamps"), listed(result, "Values")
        if len(times) != len(values):
            raise unreadable(f"{len(times)} times and {len(values)} values")
        for time, value in zip(times, values, strict=True):
            start = self._start(time)
            if start in self._points[place]:
                raise unreadable(f"two points of {instant(moment(start))}")
            self._points[place][start] = self._value(place, start, value)

    def _start(self, time: object) -> int:
        piece = self._piece
        number = finite(time)
        if number is None or number % 1 or not 0 <= number < _END_OF_TIME:
            raise unreadable("a time is not a number of whole seconds since 1970")
        start = int(number)
        if not piece.start <= start < piece.end or (start - piece.start) % piece.period:
            raise unreadable(f"a point of {instant(moment(start))}, which was not requested")
        return start

    def _value(self, place: int, start: int, value: object) -> Number:
        number = finite(value)
        if number is None or number < 0:
            shown = f"{self.counted[place]} is {value!r:.40} at {instant(moment(start))}"
            reason = f"{shown}, which cannot be a count; see who publishes it"
            raise MeasurementError(Cause.INVALID, reason)
        return int(number) if number.denominator == 1 else number  # whole numbers are faster

    def _failure(self, place: int) -> MeasurementError | None:
        """Return the reason in the last page's status why the points do not count."""
        status, counted = self._status[place], self.counted[place]
        if status == _COMPLETE:
            return None
        if status == _PARTIAL:
            reason = f"CloudWatch has returned only a part of the points of {counted} (PartialData)"
            return MeasurementError(Cause.PARTIAL, f"{reason}; run the check again")
        return unreadable(f"it has no result for {counted}")


def _said(messages: Sequence[object]) -> str:
    """Write the text of messages in any form."""
    texts = (
        ": ".join(str(message[key]) for key in ("Code", "Value") if key in message)
        if isinstance(message, dict)
        else str(message)
        for message in messages
    )
    return "; ".join(texts)
