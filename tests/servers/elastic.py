"""A Kibana that keeps SLOs: it lists them, counts them at an instant, and fails as it is told.

What it does is read from Elastic's own description of the API (``bundled.yaml``) and from the
source of the plugin, in https://github.com/elastic/kibana under
``x-pack/solutions/observability/plugins/slo``: `SCHEMAS` has the fields of ``find_slo_response``,
``bulk_snapshot_request``, ``bulk_snapshot_response`` and ``slo_with_summary_response`` in words of
its own, and `counted` follows ``bulk_snapshot_client.ts``. No part of Kibana is copied or run.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from jsonschema import Draft202012Validator

from tests.backends.loopback import send

MINUTE = timedelta(minutes=1)
TERM = r'slo\.(name|id): "((?:[^"\\]|\\.)*)"'
"""A term of Kibana's query language: a phrase in a field, quotes and backslashes escaped."""
MOST = 100
"""SLOs in one snapshot."""
JSON = {"Content-Type": "application/json; charset=utf-8"}
UNITS = {"m": MINUTE, "h": 60 * MINUTE, "d": 1440 * MINUTE, "w": 7 * 1440 * MINUTE}
NUMBER, TEXT, WHOLE = {"type": "number"}, {"type": "string"}, {"type": "integer"}
MAYBE = {"type": ["number", "null"]}
STATUS = {"enum": ["NO_DATA", "HEALTHY", "DEGRADING", "VIOLATED"]}


def block(properties: Mapping[str, Any], *optional: str) -> dict[str, Any]:
    """Return the schema of an object of which all but some keys are required."""
    required = [key for key in properties if key not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


BUDGET = block(
    {"initial": NUMBER, "consumed": NUMBER, "remaining": NUMBER, "isEstimated": {"type": "boolean"}}
)
SLO = block(
    {
        "id": {"type": "string", "pattern": "^[a-z0-9_-]{8,48}$"},
        "name": TEXT,
        "description": TEXT,
        "indicator": block({"type": TEXT, "params": {"type": "object"}}),
        "timeWindow": block({"duration": TEXT, "type": {"enum": ["rolling", "calendarAligned"]}}),
        "budgetingMethod": {"enum": ["occurrences", "timeslices"]},
        "objective": block(
            {"target": NUMBER, "timesliceTarget": NUMBER, "timesliceWindow": TEXT},
            *("timesliceTarget", "timesliceWindow"),
        ),
        "settings": block({"syncDelay": TEXT, "frequency": TEXT}),
        "revision": NUMBER,
        "summary": block({"status": STATUS, "sliValue": NUMBER, "errorBudget": BUDGET}),
        "enabled": {"type": "boolean"},
        "groupBy": {"anyOf": [TEXT, {"type": "array", "items": TEXT}]},
        "instanceId": TEXT,
        "tags": {"type": "array", "items": TEXT},
        "createdAt": TEXT,
        "updatedAt": TEXT,
        "version": NUMBER,
    }
)
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "find": block(
        {
            "page": NUMBER,
            "perPage": NUMBER,
            "total": NUMBER,
            "results": {"type": "array", "items": SLO},
        }
    ),
    "get": SLO,
    "snapshot request": {
        **block(
            {
                "at": {
                    "type": "string",
                    "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$",
                },
                "requests": {
                    "type": "array",
                    "maxItems": 100,
                    "items": block(
                        {"id": SLO["properties"]["id"], "instanceId": TEXT}, "instanceId"
                    ),
                },
            }
        ),
        "additionalProperties": False,
    },
    "snapshot": block(
        {
            "at": TEXT,
            "results": {
                "type": "array",
                "items": {
                    **block({"id": TEXT, "instanceId": TEXT}),
                    "oneOf": [
                        block(
                            {
                                "summary": block(
                                    {
                                        "status": STATUS,
                                        "sliValue": MAYBE,
                                        "errorBudget": block(
                                            {
                                                "initial": NUMBER,
                                                "consumed": MAYBE,
                                                "remaining": MAYBE,
                                            }
                                        ),
                                        "good": NUMBER,
                                        "total": NUMBER,
                                    }
                                )
                            }
                        ),
                        block({"error": block({"statusCode": NUMBER, "message": TEXT})}),
                    ],
                },
            },
        }
    ),
}


def validate(kind: str, document: object) -> None:
    """Raise where a document is not as Elastic describes it."""
    Draft202012Validator(SCHEMAS[kind]).validate(document)


@dataclass(kw_only=True)
class KibanaSlo:
    """One SLO, with the events of each minute and instance."""

    id: str
    name: str
    target: float = 0.999
    duration: str = "30d"
    kind: str = "rolling"
    timeslice: str | None = None
    slice_target: float = 0.95
    group_by: str | list[str] = "*"
    enabled: bool = True
    updated: Mapping[str, str | None] = field(default_factory=dict)
    """When the summary of each instance was last written; else with its newest event."""
    events: dict[str, list[tuple[datetime, float, float]]] = field(
        default_factory=lambda: {"*": []}
    )
    """By instance: minute, good and total."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """In place of fields of the list."""


@dataclass
class Kibana:
    """Answers the requests of one space; each attribute is a way to be healthy or not."""

    slos: list[KibanaSlo]
    space: str | None = None
    api_key: str | None = None
    """None: every key is good."""
    snapshots: bool = True
    """Whether it is new enough for _bulk_snapshot."""
    filled: bool = False
    """Whether, as some versions do, timeslices without any data come to a good ratio."""
    licensed: bool = True
    spoil: Callable[[str, dict[str, Any]], object] = lambda _kind, body: body
    """Changes an answer of a kind: find, get, snapshot."""
    now: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    requests: list[str] = field(default_factory=list)
    """Method and path, of each."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of the requests for snapshots."""

    def __call__(self, handler: BaseHTTPRequestHandler, body: bytes) -> None:
        url = urlsplit(handler.path)
        self.requests.append(f"{handler.command} {url.path}")
        status, answer = self._answer(handler, url.path, parse_qs(url.query), body)
        send(handler, json.dumps(answer).encode(), status=status, headers=JSON)

    def _answer(
        self,
        handler: BaseHTTPRequestHandler,
        path: str,
        query: Mapping[str, list[str]],
        body: bytes,
    ) -> tuple[int, object]:
        prefix = "" if self.space is None else f"/s/{self.space}"
        slos = f"{prefix}/api/observability/slos"
        refused = self._refusal(handler, path.startswith(slos))
        if refused is not None:
            return refused
        rest = path.removeprefix(slos)
        if handler.command == "POST":
            return self._posted(rest, json.loads(body))
        if not rest:
            kql = query.get("kqlQuery", [""])[0]
            if re.sub(TERM, "", kql).replace(" or ", ""):
                return refusal(400, "Expected AND, OR, end of input")
            return self._said("find", self._find(query))
        slo = self._by_id(unquote(rest.removeprefix("/")))
        if slo is None:
            return refusal(404, f"SLO [{rest}] not found")
        return self._said("get", self._get(slo, query.get("instanceId", ["*"])[0]))

    def _refusal(
        self, handler: BaseHTTPRequestHandler, here: bool
    ) -> tuple[int, dict[str, object]] | None:
        if handler.command == "POST" and "kbn-xsrf" not in handler.headers:
            return refusal(400, "Request must contain a kbn-xsrf header.")
        login = handler.headers.get("Authorization", "")
        if not re.fullmatch(r"ApiKey \S+", login) or self.api_key not in {None, login[7:]}:
            return refusal(401, "security_exception: unable to authenticate user")
        if not here:
            return refusal(404, "Not Found")
        if not self.licensed:
            return refusal(403, "Platinum license or higher is needed to make use of this feature.")
        return None

    def _posted(self, rest: str, asked: dict[str, Any]) -> tuple[int, object]:
        if rest != "/_bulk_snapshot" or not self.snapshots:
            return refusal(404, "Not Found")
        if len(asked["requests"]) > MOST:
            return refusal(400, "`requests` is limited to 100 entries")
        validate("snapshot request", asked)
        self.bodies.append(asked)
        return self._said("snapshot", self._snapshot(asked))

    def _said(self, kind: str, answer: dict[str, Any]) -> tuple[int, object]:
        # As the vendor describes it, before it is spoilt; of many alike the first are enough.
        results = {"results": answer["results"][:3]} if "results" in answer else {}
        validate(kind, {**answer, **results})
        for listed in answer["results"] if kind == "find" else ():
            slo = self._by_id(listed["id"])
            listed.update(slo.more if slo is not None else {})
        return 200, self.spoil(kind, answer)

    def _by_id(self, wanted: str) -> KibanaSlo | None:
        return next((slo for slo in self.slos if slo.id == wanted), None)

    # The list

    def _find(self, query: Mapping[str, list[str]]) -> dict[str, Any]:
        kql = query.get("kqlQuery", [""])[0]
        texts = [(field_, re.sub(r"\\(.)", r"\1", text)) for field_, text in re.findall(TERM, kql)]
        # A name is searched for as a phrase, so that longer names come along.
        listed = [
            self._entry(slo, instance)
            for slo in self.slos
            for instance in slo.events
            if not kql or any(text in getattr(slo, field_) for field_, text in texts)
        ]
        page, size = (int(query.get(key, ["1"])[0]) for key in ("page", "perPage"))
        return {
            "page": page,
            "perPage": size,
            "total": len(listed),
            "results": listed[(page - 1) * size : page * size],
        }

    def _entry(self, slo: KibanaSlo, instance: str) -> dict[str, Any]:
        events = slo.events[instance]
        newest = written(max(at for at, _, _ in events)) if events else None
        summary = self._ratio(slo, instance)
        summary["summaryUpdatedAt"] = slo.updated.get(instance, newest)
        return {**definition(slo, instance), "summary": summary}

    def _get(self, slo: KibanaSlo, instance: str) -> dict[str, Any]:
        return {**definition(slo, instance), "summary": self._ratio(slo, instance)}

    def _ratio(self, slo: KibanaSlo, instance: str) -> dict[str, Any]:
        """Return what an older Kibana tells: ratios with six decimals, and no counts."""
        events = slo.events.get(instance, [])
        start, end, whole = window(slo, self.now)
        good, total = counted(slo, events, start, end)
        ratio = -1.0
        if total or (self.filled and slo.timeslice):
            slices = slices_in(slo, start, whole) if slo.timeslice else 0
            ratio = rounded(1 - (total - good) / slices if slices else good / total)
        initial = rounded(1 - slo.target)
        consumed = 0.0 if ratio < 0 else rounded((1 - ratio) / initial)
        return {
            "status": status(slo, ratio),
            "sliValue": ratio,
            "errorBudget": {
                "initial": initial,
                "consumed": consumed,
                "remaining": rounded(max(1 - consumed, 0)),
                "isEstimated": slo.kind == "calendarAligned" and slo.timeslice is None,
            },
            "fiveMinuteBurnRate": 0,
            "oneHourBurnRate": 0,
            "oneDayBurnRate": 0,
        }

    # The snapshot

    def _snapshot(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        at = datetime.fromisoformat(asked["at"])
        results = [
            result
            for request in asked["requests"]
            for result in self._results(request["id"], request.get("instanceId", "*"), at)
        ]
        return {"at": asked["at"], "results": results}

    def _results(self, wanted: str, instance: str, at: datetime) -> list[dict[str, Any]]:
        slo = self._by_id(wanted)
        if slo is None:
            error = {"statusCode": 404, "message": f"SLO [{wanted}] not found"}
            return [{"id": wanted, "instanceId": instance, "error": error}]
        # All instances of a group are answered with one result each.
        instances = list(slo.events) if instance == "*" else [instance]
        return [
            {"id": wanted, "instanceId": name, "summary": self._summary(slo, name, at)}
            for name in instances
        ]

    def _summary(self, slo: KibanaSlo, instance: str, at: datetime) -> dict[str, Any]:
        start, end, _ = window(slo, at)
        good, total = counted(slo, slo.events.get(instance, []), start, end)
        initial = 1 - slo.target
        if not total and not (self.filled and slo.timeslice):
            budget = {"initial": initial, "consumed": None, "remaining": None}
            nothing = {"good": 0, "total": 0, "sliValue": None, "errorBudget": budget}
            return {"status": "NO_DATA", **nothing}
        slices = slices_in(slo, start, end) if slo.timeslice else 0
        ratio = rounded(1 - (total - good) / slices if slices else good / total)
        consumed = rounded((1 - ratio) / initial)
        budget = {
            "initial": rounded(initial),
            "consumed": consumed,
            "remaining": rounded(1 - consumed),
        }
        return {
            "status": status(slo, ratio),
            "sliValue": ratio,
            "errorBudget": budget,
            "good": good,
            "total": total,
        }


def refusal(code: int, message: str) -> tuple[int, dict[str, object]]:
    """Return a refusal as Kibana words it."""
    names = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
    return code, {"statusCode": code, "error": names.get(code, "Error"), "message": message}


def definition(slo: KibanaSlo, instance: str) -> dict[str, Any]:
    """Return what is defined of an SLO."""
    objective: dict[str, Any] = {"target": slo.target}
    if slo.timeslice:
        objective |= {"timesliceTarget": slo.slice_target, "timesliceWindow": slo.timeslice}
    return {
        "id": slo.id,
        "name": slo.name,
        "description": "",
        "indicator": {"type": "sli.kql.custom", "params": {"index": "logs-*"}},
        "timeWindow": {"duration": slo.duration, "type": slo.kind},
        "budgetingMethod": "timeslices" if slo.timeslice else "occurrences",
        "objective": objective,
        "settings": {"syncDelay": "1m", "frequency": "1m"},
        "revision": 1,
        "enabled": slo.enabled,
        "groupBy": slo.group_by,
        "instanceId": instance,
        "tags": [],
        "createdAt": "2026-01-01T00:00:00.000Z",
        "updatedAt": "2026-01-01T00:00:00.000Z",
        "version": 2,
    }


def window(slo: KibanaSlo, at: datetime) -> tuple[datetime, datetime, datetime]:
    """Return the start of an SLO's window, the end of what is counted, and the end of the whole."""
    if slo.kind == "rolling":
        end = at.replace(second=0, microsecond=0)
        return end - length(slo.duration), end, end
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if slo.duration == "1w":
        start = day - timedelta(days=day.weekday())
        return start, at, start + timedelta(days=7)
    start = day.replace(day=1)
    return start, at, (start + timedelta(days=32)).replace(day=1)


def counted(
    slo: KibanaSlo, events: list[tuple[datetime, float, float]], start: datetime, end: datetime
) -> tuple[float, float]:
    """Return good and total of the minutes from start to end, both included: events, or slices."""
    inside = [(at, good, total) for at, good, total in events if start <= at <= end]
    if slo.timeslice is None:
        return sum(good for _, good, _ in inside), sum(total for _, _, total in inside)
    slices = dict[int, tuple[float, float]]()
    for at, good, total in inside:
        place = (at - datetime(2026, 1, 1, tzinfo=UTC)) // length(slo.timeslice)
        before = slices.get(place, (0.0, 0.0))
        slices[place] = before[0] + good, before[1] + total
    filled = [(good, total) for good, total in slices.values() if total]
    return sum(good / total >= slo.slice_target for good, total in filled), len(filled)


def slices_in(slo: KibanaSlo, start: datetime, end: datetime) -> int:
    """Return the timeslices of a range, those without data too."""
    assert slo.timeslice is not None
    return math.ceil((end - start) / length(slo.timeslice))


def length(text: str) -> timedelta:
    return int(text[:-1]) * UNITS[text[-1]]


def rounded(value: float) -> float:
    """Round as Kibana does, to six decimals."""
    return math.floor(value * 1_000_000 + 0.5) / 1_000_000


def status(slo: KibanaSlo, ratio: float) -> str:
    if ratio < 0:
        return "NO_DATA"
    return "HEALTHY" if ratio >= slo.target else "VIOLATED"


def written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
