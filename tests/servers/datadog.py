"""A small Datadog: SLOs with events of known truth, of which any window can be asked.

It speaks what https://docs.datadoghq.com/api/latest/service-level-objectives/ describes, as the
recorded answers of the vendor's own client have it; tests hold it against that client's models.
"""

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from itertools import accumulate, pairwise
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.backends.loopback import send, serving

API_KEY, APP_KEY = "an-api-key-of-this-site", "an-application-key-of-this-site"
INTERVALS = (
    *((3600, 60), (6 * 3600, 300), (12 * 3600, 3600), (86400, 7200)),
    *((7 * 86400, 14400), (31 * 86400, 86400)),
)
"""The length of a window and of its buckets; a day is in buckets of two hours in the recordings."""
LONGEST = 460 * 86400
Body = dict[str, Any]
Answer = tuple[int, Body, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Event:
    """Requests at one time."""

    time: float
    total: float
    bad: float = 0


@dataclass(kw_only=True)
class FakeSlo:
    """An SLO of Datadog, and what happened to it."""

    id: str
    name: str
    kind: str = "metric"
    targets: Mapping[str, float] = field(default_factory=lambda: {"30d": 99.9})
    events: Sequence[Event] = ()
    """The events of a metric-based SLO, in order of time."""
    states: Sequence[tuple[int, Any]] = ()
    """The states of any other SLO, with their start (0 up, 1 down, 2 no data)."""
    groups: Mapping[str, Sequence[tuple[int, Any]]] = field(default_factory=dict)
    corrections: Sequence[tuple[int, int, str]] = ()
    """Start, end and category."""
    deleted: bool = False
    grid: int = 1
    """Seconds to which the start of a window is rounded down."""
    _times: Sequence[float] = ()
    _sums: Sequence[tuple[float, float]] = ()
    """Good and total before each event."""

    def definition(self) -> Body:
        kinds = {"monitor": 0, "metric": 1, "time_slice": 2}
        thresholds = [
            {"timeframe": frame, "target": target, "target_display": f"{target}"}
            for frame, target in self.targets.items()
        ]
        body = {
            "id": self.id,
            "name": self.name,
            "tags": [],
            "monitor_tags": [],
            "thresholds": thresholds,
            "type": self.kind,
            "type_id": kinds[self.kind],
            "description": "",
            "created_at": 1704322488,
            "modified_at": 1704322488,
        }
        if self.kind == "metric":
            body["query"] = {"numerator": "sum:good{*}", "denominator": "sum:all{*}"}
        if self.kind == "monitor":
            body["monitor_ids"] = [1]
        return body

    def counts(self, start: float, end: float) -> tuple[float, float]:
        """Return good and total from a time to another."""
        if len(self._sums) != len(self.events) + 1:
            self._times = [event.time for event in self.events]
            goods = accumulate((event.total - event.bad for event in self.events), initial=0.0)
            totals = accumulate((event.total for event in self.events), initial=0.0)
            self._sums = list(zip(goods, totals, strict=True))
        first = self._sums[bisect_left(self._times, start)]
        last = self._sums[bisect_left(self._times, end)]
        return last[0] - first[0], last[1] - first[1]

    def history(self, start: int, end: int, *, corrected: bool) -> Body:
        """Return what happened, as the history of an SLO has it."""
        body: Body = {
            "thresholds": {
                frame: {"timeframe": frame, "target": target}
                for frame, target in self.targets.items()
            },
            "from_ts": start,
            "to_ts": end,
            "type": self.kind,
            "type_id": self.definition()["type_id"],
        }
        applied = self.corrections if corrected else ()
        if self.kind == "metric":
            body |= {"group_by": [], **self._metric(start, end, applied)}
        else:
            body["overall"] = self._uptime(self.states, start, end, applied)
            body["groups"] = [
                {"group": name, "name": name, **self._uptime(states, start, end, applied)}
                for name, states in self.groups.items()
            ]
        body["overall"]["corrections"] = [
            {"start": since, "end": until, "category": category}
            for since, until, category in applied
        ]
        return body

    def _metric(self, start: int, end: int, applied: Sequence[tuple[int, int, str]]) -> Body:
        interval = next(
            each for length, each in (*INTERVALS, (LONGEST, 172800)) if end - start <= length
        )
        first = start - start % self.grid
        later = range(first - first % interval + interval, end, interval)
        bounds = [first, *later, end]
        counts = [self._corrected(since, until, applied) for since, until in pairwise(bounds)]
        good, total = (sum(part) for part in zip(*counts, strict=True))
        body: Body = {
            "series": {
                "res_type": "time_series",
                "resp_version": 2,
                "query": "default_zero(sum:good{*}), default_zero(sum:all{*})",
                "message": "",
                "interval": interval,
                "times": [bound * 1000.0 for bound in bounds[:-1]],
                "numerator": {
                    "values": [float(part[0]) for part in counts],
                    "sum": float(good),
                    "count": len(counts),
                },
                "denominator": {
                    "values": [float(part[1]) for part in counts],
                    "sum": float(total),
                    "count": len(counts),
                },
            },
            "overall": {"sli_value": good / total * 100 if total else None, "span_precision": 2},
        }
        if not total:
            message = "The denominator is zero valued"
            body["overall"]["errors"] = [
                {"error_message": message, "error_type": "ZERO_VALUED_DENOMINATOR"}
            ]
            body["overall"]["state"] = "no_data"
        return body

    def _corrected(
        self, start: float, end: float, applied: Sequence[tuple[int, int, str]]
    ) -> tuple[float, float]:
        """Return good and total without what corrections leave out; they do not overlap."""
        good, total = self.counts(start, end)
        for since, until, _ in applied:
            left_out = self.counts(max(since, start), max(min(until, end), since, start))
            good, total = good - left_out[0], total - left_out[1]
        return good, total

    def _uptime(
        self,
        states: Sequence[tuple[int, Any]],
        start: int,
        end: int,
        applied: Sequence[tuple[int, int, str]],
    ) -> Body:
        """Return transitions, and the share of up time: missing data is up, as in time slices.

        The transitions are those that happened; the share is without what corrections leave out.
        """
        down = length = 0
        ends = [since for since, _ in states[1:]] + [end]
        for (since, state), until in zip(states, ends, strict=True):
            if state == 1:
                down += _outside(max(since, start), min(until, end), applied)
        length = _outside(start, end, applied)
        before = [pair for pair in states if pair[0] <= start][-1:]
        return {
            "history": [
                list(pair) for pair in (*before, *(p for p in states if start < p[0] < end))
            ],
            "sli_value": 100 - down / length * 100 if states and length else None,
            "span_precision": 2,
            "preview": False,
        }


def _outside(start: int, end: int, applied: Sequence[tuple[int, int, str]]) -> int:
    """Return the seconds of a stretch of time that no correction leaves out."""
    corrected = sum(max(min(until, end) - max(since, start), 0) for since, until, _ in applied)
    return max(end - start, 0) - corrected


@dataclass(kw_only=True)
class FakeDatadog:
    """One organization at one site; answers each request."""

    slos: Sequence[FakeSlo]
    keys: tuple[str, str] = (API_KEY, APP_KEY)
    fail: Callable[[str, Mapping[str, str]], Answer | None] = lambda _path, _params: None
    """Returns an answer in place of the usual one; it is given path and parameters."""
    twist: Callable[[str, Body], None] = lambda _path, _body: None
    """Changes what is answered with the status 200."""
    most_listed: int = 1000
    """SLOs of a page, whatever was asked for."""
    requests: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)
    """Path and parameters of each, in order."""

    def __call__(self, handler: BaseHTTPRequestHandler, _body: bytes) -> None:
        """Answer one request."""
        url = urlsplit(handler.path)
        params = dict(parse_qsl(url.query))
        self.requests.append((url.path, params))
        keys = (handler.headers.get("DD-API-KEY"), handler.headers.get("DD-APPLICATION-KEY"))
        status, body, headers = self.fail(url.path, params) or self._answer(url.path, params, keys)
        if status == 200:
            self.twist(url.path, body)
        headers = {"Content-Type": "application/json", **headers}
        send(handler, json.dumps(body).encode(), status=status, headers=headers)

    def _answer(
        self, path: str, params: Mapping[str, str], keys: tuple[str | None, str | None]
    ) -> Answer:
        if keys[0] != self.keys[0] or (keys[1] != self.keys[1] and path != "/api/v1/validate"):
            return 403, {"errors": ["Forbidden"]}, {}
        if path == "/api/v1/validate":
            return 200, {"valid": True}, {}
        return self._list(params) if path == "/api/v1/slo" else self._of_one(path, params)

    def _of_one(self, path: str, params: Mapping[str, str]) -> Answer:
        version, slo_id, *rest = path.removeprefix("/api/").replace("/slo/", "/").split("/")
        slo = next((slo for slo in self.slos if slo.id == slo_id and not slo.deleted), None)
        if slo is None:
            return 404, {"errors": ["SLO not found"]}, {}
        if not rest:
            return 200, {"data": slo.definition(), "errors": None}, {}
        if rest == ["corrections"]:
            return 200, _corrections(slo), {}
        start, end = int(params["from_ts"]), int(params["to_ts"])
        if not 0 < end - start <= LONGEST:
            return 400, {"errors": ["The time window is too long"]}, {}
        if version == "v2":
            return 200, _status(slo, start, end, params), {}
        corrected = params.get("apply_correction", "true") == "true"
        history = slo.history(start, end, corrected=corrected)
        return 200, {"data": history, "errors": None}, {}

    def _list(self, params: Mapping[str, str]) -> Answer:
        there = [slo for slo in self.slos if not slo.deleted]
        if ids := params.get("ids"):
            wanted = ids.split(",")
            found = [slo for slo in there if slo.id in wanted]
            if len(found) < len(wanted):
                return 404, {"errors": ["SLO not found"]}, {}
            return 200, {"data": [slo.definition() for slo in found], "error": None}, {}
        offset = int(params.get("offset", 0))
        limit = min(int(params.get("limit", 1000)), self.most_listed)
        page = [slo.definition() for slo in there[offset : offset + limit]]
        counts = {"total_count": len(there), "total_filtered_count": len(there)}
        return 200, {"data": page, "errors": [], "metadata": {"page": counts}}, {}


def _corrections(slo: FakeSlo) -> Body:
    data = [
        {
            "type": "correction",
            "id": f"{place}",
            "attributes": {
                "slo_id": slo.id,
                "start": start,
                "end": end,
                "category": category,
                "rrule": None,
                "duration": None,
                "timezone": "UTC",
            },
        }
        for place, (start, end, category) in enumerate(slo.corrections)
    ]
    return {"data": data, "meta": {"page": {"total_count": len(data)}}}


def _status(slo: FakeSlo, start: int, end: int, params: Mapping[str, str]) -> Body:
    corrected = params.get("disable_corrections", "false") == "false"
    overall = slo.history(start, end, corrected=corrected)["overall"]
    sli, target = overall["sli_value"], next(iter(slo.targets.values()))
    known = 0.0 if sli is None else sli
    attributes = {
        "sli": round(known, 2),
        "error_budget_remaining": (known - target) / (100 - target) * 100,
        "raw_error_budget_remaining": {"value": 1.0, "unit": "seconds"},
        "span_precision": 2,
        "state": "no_data" if sli is None else "ok" if known >= target else "breached",
    }
    return {"data": {"id": slo.id, "type": "slo_status", "attributes": attributes}}


@contextmanager
def running(fake: FakeDatadog) -> Iterator[str]:
    """Serve while the block lasts; give the address."""
    with serving(fake) as port:
        yield f"http://127.0.0.1:{port}"
