"""A CloudWatch over events of known truth, which speaks JSON 1.0 and has AWS's limits.

It keeps the events themselves, so that any period and window can be asked, and does with them what
AWS documents: points by the age of their start, starts rounded down, nothing where nothing was
published, "Complete" for what does not exist, pages of so many points. `Trouble` has it misbehave.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.backends.loopback import send

Json = dict[str, Any]
Key = tuple[str, str, tuple[tuple[str, str], ...]]
"""Namespace, name, and dimensions, sorted."""
DAY = 86_400
MINUTES = ((15 * DAY, 60), (63 * DAY, 300), (455 * DAY, 3600))
"""For how many seconds points of a period are kept."""
LISTED = 14 * DAY
MOST_METRICS, MOST_POINTS = 500, 100_800
_STATISTIC = re.compile(r"Sum|SampleCount|TC\(:([0-9.]+)\)")


def key_of(namespace: str, name: str, **dimensions: str) -> Key:
    return namespace, name, tuple(sorted(dimensions.items()))


@dataclass(slots=True, kw_only=True)
class Misbehaviour:
    """A deviation of the server from its proper behaviour."""

    page: int = MOST_POINTS
    """Points of a page."""
    metrics_page: int = 500
    """Metrics of a page of a list."""
    status: str | None = None
    """The status of every result of the last page."""
    without_token: bool = False
    """Whether the first page is said to be a part, and no other can be asked for."""
    same_token: bool = False
    messages: tuple[Json, ...] = ()
    """About the whole answer."""
    result_messages: tuple[Json, ...] = ()
    value: Callable[[float], Any] = float
    """The change of each value of a point."""
    result: Callable[[Json], Json] = lambda result: result
    answer: Json | None = None
    """In place of every answer to GetMetricData."""
    more: Json = field(default_factory=dict)
    """Further members of each such answer, beside its results."""
    trimmed: bool = True
    """Whether trimmed counts have points: of statistic sets they have none."""
    listed: list[Any] | None = None
    """In place of the metrics of every list."""
    listed_token: str | None = None
    throttled: int = 0
    """How many requests are refused first."""
    throttled_as: str = "ThrottlingException"
    listing_denied: bool = False


@dataclass(slots=True, kw_only=True)
class FakeCloudWatch:
    """Events, as they were published, and the requests that were received."""

    now: Callable[[], datetime]
    region: str = "eu-central-1"
    events: dict[Key, list[tuple[int, float, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """The points of each metric: when, which value, and how often."""
    wrong: Misbehaviour = field(default_factory=Misbehaviour)
    requests: list[tuple[str, Json]] = field(default_factory=list)
    """Operation and body of each request."""
    logins: list[str] = field(default_factory=list)

    def publish(self, key: Key, points: Iterable[tuple[datetime, float]], times: int = 1) -> None:
        """Keep values, each as often as it is said."""
        self.events[key] += [(int(at.timestamp()), value, times) for at, value in points]

    def asked(self, operation: str) -> list[Json]:
        """Return the bodies of the requests for an operation."""
        return [body for name, body in self.requests if name == operation]

    def __call__(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        operation = handler.headers.get("X-Amz-Target", "").rpartition(".")[2]
        login = handler.headers.get("Authorization", "")
        request: Json = json.loads(body)
        self.requests.append((operation, request))
        self.logins.append(login)
        status, answer = self._answer(operation, request, login)
        content = json.dumps(answer).encode()
        headers = {"Content-Type": "application/x-amz-json-1.0"}
        send(handler, content, status=status, headers=headers)

    def _answer(self, operation: str, request: Json, login: str) -> tuple[int, Json]:
        if self.wrong.throttled:
            self.wrong.throttled -= 1
            return refusal(self.wrong.throttled_as, "Rate exceeded")
        scope = re.search(r"Credential=[^/]+/[0-9]{8}/([^/]+)/monitoring/aws4_request", login)
        if scope is None:
            return refusal("MissingAuthenticationTokenException", "Missing Authentication Token")
        if scope[1] != self.region:
            words = f"Credential should be scoped to a valid region, not '{scope[1]}'."
            return refusal("InvalidSignatureException", words)
        if operation == "GetMetricData":
            return self._metric_data(request)
        if operation == "ListMetrics" and not self.wrong.listing_denied:
            return 200, self._listing(request)
        words = f"User: gate is not authorized to perform: cloudwatch:{operation}"
        return refusal("AccessDeniedException", words)

    # GetMetricData

    def _metric_data(self, request: Json) -> tuple[int, Json]:
        if self.wrong.answer is not None:
            return 200, self.wrong.answer
        queries = request["MetricDataQueries"]
        if len(queries) > MOST_METRICS:
            return refusal("ValidationError", "The collection MetricDataQueries must have ...")
        now = int(self.now().timestamp())
        start, end = request["StartTime"], request["EndTime"]
        start = _rounded(start, now)
        points = [
            (place, at, value)
            for place, query in enumerate(queries)
            for at, value in self._points(query["MetricStat"], start, end, now)
        ]
        first = int(request.get("NextToken", "0"))
        last = first + self.wrong.page
        more = last < len(points)
        results = [
            self._result(query, [point for point in points[first:last] if point[0] == place], more)
            for place, query in enumerate(queries)
        ]
        answer: Json = {"MetricDataResults": results, "Messages": list(self.wrong.messages)}
        if more and not self.wrong.without_token:
            answer["NextToken"] = "0" if self.wrong.same_token else str(last)
        return 200, {**answer, **self.wrong.more}

    def _result(self, query: Json, points: list[tuple[int, int, float]], more: bool) -> Json:
        status = "PartialData" if more else (self.wrong.status or "Complete")
        return self.wrong.result(
            {
                "Id": query["Id"],
                "Label": query["MetricStat"]["Metric"]["MetricName"],
                "Timestamps": [at for _, at, _ in points],
                "Values": [self.wrong.value(value) for _, _, value in points],
                "StatusCode": status,
                "Messages": list(self.wrong.result_messages),
            }
        )

    def _points(self, stat: Json, start: int, end: int, now: int) -> Iterator[tuple[int, float]]:
        period, metric = stat["Period"], stat["Metric"]
        pairs = {each["Name"]: each["Value"] for each in metric.get("Dimensions", ())}
        key = key_of(metric["Namespace"], metric["MetricName"], **pairs)
        # Points of a period that the age of their start does not allow are not there.
        shortest = next((p for kept, p in MINUTES if now - start <= kept), 0)
        if key not in self.events or not shortest or period % shortest:
            return
        statistic = _STATISTIC.fullmatch(stat["Stat"])
        assert statistic, stat["Stat"]
        if statistic[1] is not None and not self.wrong.trimmed:
            return
        sums: dict[int, float] = defaultdict(float)
        for at, value, times in self.events[key]:
            begins = start + (at - start) // period * period
            if start <= begins < end and at <= now:
                sums[begins] += _share(statistic, value, times)
        yield from sorted(sums.items())

    # ListMetrics

    def _listing(self, request: Json) -> Json:
        if self.wrong.listed is not None:
            return {"Metrics": self.wrong.listed, "NextToken": self.wrong.listed_token}
        recent = self.now() - timedelta(seconds=LISTED)
        wanted = {(each["Name"], each.get("Value")) for each in request.get("Dimensions", ())}
        metrics = [
            {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [{"Name": key, "Value": text} for key, text in pairs],
            }
            for (namespace, name, pairs), events in self.events.items()
            if any(at >= recent.timestamp() for at, _, _ in events)
            and namespace == request.get("Namespace", namespace)
            and name == request.get("MetricName", name)
            and wanted <= set(pairs)
        ]
        first = int(request.get("NextToken", "0"))
        last = first + self.wrong.metrics_page
        page: Json = {"Metrics": metrics[first:last]}
        return page | ({"NextToken": str(last)} if last < len(metrics) else {})


def refusal(kind: str, words: str, status: int = 400) -> tuple[int, Json]:
    """Return how AWS refuses in JSON 1.0."""
    return status, {"__type": f"com.amazonaws.cloudwatch#{kind}", "message": words}


def _rounded(start: int, now: int) -> int:
    """Round a start down as AWS does, by its age."""
    grain = next((period for kept, period in MINUTES if now - start < kept), 3600)
    return start - start % grain


def _share(statistic: re.Match[str], value: float, times: int) -> float:
    if statistic[0] == "Sum":
        return value * times
    if statistic[0] == "SampleCount":
        return float(times)
    return float(times) if value <= float(statistic[1]) else 0.0
