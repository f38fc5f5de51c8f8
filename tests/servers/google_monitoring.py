"""The part of Google's Cloud Monitoring API that knows SLOs, over events of known truth.

It answers GET requests as the discovery document ``monitoring.v3.json`` describes them, refuses
what the reference says is refused, and can be made to misbehave.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.backends.loopback import send, serving

Json = dict[str, Any]
PROJECT = "acme-prod"
TOKEN = "ya29.of-the-machine"
_COUNTS = re.compile(r'select_slo_counts\("(projects/[^"]+)"\)')
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]{1,9})?)s")
RATIO = {"requestBased": {"goodTotalRatio": {"goodServiceFilter": "a", "totalServiceFilter": "b"}}}
CUT = {"requestBased": {"distributionCut": {"distributionFilter": "a", "range": {"max": 2.0}}}}
BASIC: Json = {"basicSli": {"availability": {}}}
LATENCY: Json = {"basicSli": {"latency": {"threshold": "1s"}}}


@dataclass(frozen=True, slots=True)
class Sample:
    """The events up to an instant, since the sample before it."""

    at: datetime
    good: float = 0
    bad: float = 0


class Samples:
    """Samples by their time, counted over half-open intervals: without start, with end."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        ordered = sorted(samples, key=lambda sample: sample.at)
        self.times = [sample.at for sample in ordered]
        self.good = [0.0, *accumulate(float(sample.good) for sample in ordered)]
        self.bad = [0.0, *accumulate(float(sample.bad) for sample in ordered)]

    def counted(self, start: datetime, end: datetime) -> tuple[float, float] | None:
        """Good and bad events; None without any sample."""
        first, last = bisect_right(self.times, start), bisect_right(self.times, end)
        if first == last:
            return None
        return self.good[last] - self.good[first], self.bad[last] - self.bad[first]


@dataclass(kw_only=True)
class FakeSlo:
    """An SLO as its owner has defined it, and the truth about it."""

    display_name: str | None = "Chat availability"
    service: str = "chat"
    id: str = "availability"
    goal: Any = 0.99
    period: Mapping[str, Any] = field(default_factory=lambda: {"rollingPeriod": "2592000s"})
    indicator: Mapping[str, Any] = field(default_factory=lambda: RATIO)
    samples: Samples = field(default_factory=lambda: Samples(()))
    project: str = PROJECT

    @property
    def name(self) -> str:
        return f"projects/{self.project}/services/{self.service}/serviceLevelObjectives/{self.id}"

    @property
    def resource(self) -> Json:
        named = {} if self.display_name is None else {"displayName": self.display_name}
        indicator = {"serviceLevelIndicator": self.indicator}
        return {"name": self.name, "goal": self.goal, **named, **self.period, **indicator}


@dataclass(frozen=True)
class Refusal(Exception):
    """An answer in Google's words."""

    code: int
    status: str
    message: str
    details: Sequence[Json] = ()

    @property
    def body(self) -> bytes:
        return refusal(self.code, self.status, self.message, *self.details)


def refusal(code: int, status: str, message: str, *details: Json) -> bytes:
    more = {"details": list(details)} if details else {}
    error = {"code": code, "message": message, "status": status, **more}
    return json.dumps({"error": error}).encode()


def error_info(reason: str, **metadata: str) -> Json:
    kind = "type.googleapis.com/google.rpc.ErrorInfo"
    return {"@type": kind, "reason": reason, "domain": "googleapis.com", "metadata": metadata}


Spoil = Callable[[str, Mapping[str, str], Json], Json]
"""From the path, the parameters and the right answer to the one that is sent."""


@dataclass
class FakeMonitoring:
    """Answers every request; a server of `tests.backends.loopback` runs it."""

    slos: Sequence[FakeSlo]
    spoil: Spoil = lambda _path, _params, answer: answer
    page: int = 100_000
    """Points, or resources, of an answer."""
    token: str | None = None
    """The access token that is let in; None: any."""
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Every path with its parameters."""
    answers: list[Json] = field(default_factory=list)
    """The answer to each request that was not refused."""

    def __call__(self, handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        url = urlsplit(handler.path)
        params = {key: values[-1] for key, values in parse_qs(url.query).items()}
        self.requests.append((unquote(url.path), params))
        headers = {"Content-Type": "application/json; charset=UTF-8"}
        try:
            self._let_in(handler.headers.get("Authorization"))
            answer = self.spoil(url.path, params, self._answer(unquote(url.path), params))
        except Refusal as refused:
            send(handler, refused.body, status=refused.code, headers=headers)
            return
        self.answers.append(answer)
        send(handler, json.dumps(answer).encode(), headers=headers)

    def _let_in(self, login: str | None) -> None:
        if login is None or self.token not in {None, login.removeprefix("Bearer ")}:
            words = "Request had invalid authentication credentials."
            raise Refusal(401, "UNAUTHENTICATED", words)

    def _answer(self, path: str, params: Mapping[str, str]) -> Json:
        parts = path.strip("/").split("/")
        match parts:
            case ["v3", "projects", project, "services"]:
                return self._paged("services", self._services(project), params)
            case ["v3", "projects", project, "services", service, "serviceLevelObjectives"]:
                slos = [
                    slo.resource
                    for slo in self.slos
                    if (slo.project, slo.service) == (project, service)
                ]
                return self._paged("serviceLevelObjectives", slos, params)
            case ["v3", "projects", _, "services", _, "serviceLevelObjectives", _]:
                return self._slo(path.removeprefix("/v3/")).resource
            case ["v3", "projects", _, "timeSeries"]:
                return self._time_series(params)
            case _:
                raise Refusal(404, "NOT_FOUND", f"Requested entity was not found: {path}")

    def _services(self, project: str) -> list[Json]:
        services = dict.fromkeys(slo.service for slo in self.slos if slo.project == project)
        parent = f"projects/{project}/services"
        return [{"name": f"{parent}/{each}", "displayName": each} for each in services]

    def _slo(self, name: str) -> FakeSlo:
        for slo in self.slos:
            if slo.name == name:
                return slo
        raise Refusal(404, "NOT_FOUND", f"Could not find ServiceLevelObjective {name!r}.")

    def _paged(self, key: str, listed: Sequence[Json], params: Mapping[str, str]) -> Json:
        first = int(params.get("pageToken") or 0)
        last = first + min(self.page, int(params.get("pageSize") or self.page))
        more = {"nextPageToken": str(last)} if last < len(listed) else {}
        return {key: list(listed[first:last]), **more} if listed else {}

    def _time_series(self, params: Mapping[str, str]) -> Json:
        counts = _COUNTS.fullmatch(params.get("filter", ""))
        if counts is None:
            raise Refusal(400, "INVALID_ARGUMENT", 'Field filter had an invalid value of "".')
        slo = self._slo(counts[1])
        if params.get("view") != "FULL":
            raise Refusal(400, "INVALID_ARGUMENT", "Field view had an invalid value.")
        start, end, step = _interval(params)
        points = [
            point for kind in ("good", "bad") for point in _points(slo, kind, start, end, step)
        ]
        first = int(params.get("pageToken") or 0)
        last = first + min(self.page, int(params.get("pageSize") or self.page))
        series = [
            {
                "metric": {"labels": {"event_type": kind}, "type": "monitoring.googleapis.com/slo"},
                "resource": {"type": "global", "labels": {"project_id": slo.project}},
                "metricKind": "DELTA",
                "valueType": "DOUBLE",
                "points": own,
            }
            for kind in ("good", "bad")
            if (own := [point for its_kind, point in points[first:last] if its_kind == kind])
        ]
        more = {"nextPageToken": str(last)} if last < len(points) else {}
        return {**({"timeSeries": series} if series else {}), "unit": "1", **more}


def _interval(params: Mapping[str, str]) -> tuple[datetime, datetime, timedelta]:
    try:
        end = datetime.fromisoformat(params["interval.endTime"])
        start = datetime.fromisoformat(params.get("interval.startTime", ""))
    except (KeyError, ValueError):
        raise Refusal(400, "INVALID_ARGUMENT", "Field interval had an invalid value.") from None
    period = _DURATION.fullmatch(params.get("aggregation.alignmentPeriod", ""))
    length = timedelta(seconds=float(period[1])) if period else timedelta()
    if length < timedelta(seconds=60):
        words = "Field aggregation.alignmentPeriod had an invalid value: at least 60 seconds."
        raise Refusal(400, "INVALID_ARGUMENT", words)
    if params.get("aggregation.perSeriesAligner") != "ALIGN_SUM" or start >= end:
        raise Refusal(400, "INVALID_ARGUMENT", "Field aggregation had an invalid value.")
    return start, end, length


def _points(
    slo: FakeSlo, kind: str, start: datetime, end: datetime, step: timedelta
) -> Iterator[tuple[str, Json]]:
    """Yield the points of one kind of event, the newest first, as the API orders them."""
    last = end
    while last > start:
        first = max(last - step, start)
        counted = slo.samples.counted(first, last)
        if counted is not None:
            value = counted[0] if kind == "good" else counted[1]
            # A series without events has no points, unless nothing happened at all.
            if value or (kind == "good" and not any(counted)):
                interval = {"startTime": written(first), "endTime": written(last)}
                yield kind, {"interval": interval, "value": {"doubleValue": value}}
        last -= step


def written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def every(
    step: timedelta, start: datetime, end: datetime, *, good: float, bad: float = 0
) -> list[Sample]:
    """Samples of the same events: the first a step after the start, the last not after the end."""
    count = (end - start) // step
    return [Sample(start + (place + 1) * step, good, bad) for place in range(count)]


@contextmanager
def served(fake: FakeMonitoring) -> Iterator[str]:
    """Serve it while the block lasts; give its address."""
    with serving(fake) as port:
        yield f"http://127.0.0.1:{port}"
