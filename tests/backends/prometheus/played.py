"""A Prometheus made of `responses`: it answers each part of a query by what the part contains."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

from requests import PreparedRequest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import Answer, Backend, CountRequest, Limits
from gate.slo.indicator import Sli
from gate.slo.objective import Span

URL = "https://prometheus.example/api/v1/query"
AT = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = Span(AT - timedelta(days=30), AT)

RATIO = Sli(bad='x{code="500"}', total="x")
VALUES: Mapping[str, str | None] = {
    "delta(": None,
    "count by (": None,
    "unless on (gate_status)": None,
    '=""}[': None,
    "timestamp(": str(AT.timestamp()),
    "count(": "720",
    "500": "3",
    "x": "1000",
}
"""Numbers of a healthy SLO: 3 bad of 1000, the newest sample just now, full coverage."""

Points = Sequence[str | None]
HttpAnswer = tuple[int, dict[str, str], str]
_MARKED = re.compile(r'label_replace\((.*?),"gate_part","(\d+)","",""\)(?=[ )]|$)', re.DOTALL)


def span(**length: float) -> Span:
    return Span(AT - timedelta(**length), AT)


def success(series: list[dict[str, object]], **more: object) -> str:
    return json.dumps(
        {"status": "success", "data": {"resultType": "vector", "result": series}, **more}
    )


def failure(kind: str, words: str) -> str:
    return json.dumps({"status": "error", "errorType": kind, "error": words})


def parts_of(query: str) -> dict[str, str]:
    """The parts by their mark; a query without marks is one part."""
    return {mark: text for text, mark in _MARKED.findall(query)} or {"": query}


@dataclass(kw_only=True)
class FakePrometheus:
    """Knows values by a piece of the expression; the first piece that fits counts."""

    values: Mapping[str, str | tuple[str, ...] | Mapping[str, str] | None] = field(
        default_factory=dict
    )
    """None: no series; a tuple: several; a mapping: one per value of the label of ``by (...)``."""
    refuse: Callable[[str], HttpAnswer | None] = lambda _query: None
    more: dict[str, object] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)
    forms: list[dict[str, list[str]]] = field(default_factory=list)

    def __call__(self, request: PreparedRequest) -> HttpAnswer:
        form = parse_qs(str(request.body), keep_blank_values=True)
        (query,) = form["query"]
        self.forms.append(form)
        self.queries.append(query)
        return self.refuse(query) or (200, {}, self.answer(query))

    def answer(self, query: str) -> str:
        series: list[dict[str, object]] = []
        for mark, text in parts_of(query).items():
            value = next((v for piece, v in self.values.items() if piece in text), None)
            if isinstance(value, Mapping):
                label = text.split("by (", 1)[1].split(")", 1)[0].strip('"')
                for name, number in value.items():
                    own = {"gate_part": mark, label: name}
                    series.append({"metric": own, "value": [AT.timestamp(), number]})
                continue
            several = isinstance(value, tuple)
            for place, one in enumerate(value if isinstance(value, tuple) else (value,)):
                metric = {"gate_part": mark} if mark else {}
                metric |= {"pod": str(place)} if several else {}
                if one is not None:
                    series.append({"metric": metric, "value": [AT.timestamp(), one]})
        return success(series, **self.more)


@dataclass(kw_only=True)
class PlayedSteps:
    """Knows the points and numbers of expressions by a piece of them; the first piece counts."""

    points: Mapping[str, Points] = field(default_factory=dict)
    """The points of range queries, from their start on; those beyond the range are left out."""
    numbers: Mapping[str, str] = field(default_factory=dict)
    """The numbers of queries at an instant."""
    headers: dict[str, str] = field(default_factory=dict)
    metric: Mapping[str, str] = field(default_factory=dict)
    """The labels of each result."""
    ranges: list[dict[str, str]] = field(default_factory=list)
    instants: list[dict[str, str]] = field(default_factory=list)
    refuse: Callable[[str], HttpAnswer | None] = lambda _: None

    def __call__(self, request: PreparedRequest) -> HttpAnswer:
        form = {name: text for name, (text,) in parse_qs(str(request.body)).items()}
        ranged = "start" in form
        (self.ranges if ranged else self.instants).append(form)
        result = []
        for mark, text in parts_of(form["query"]).items():
            found = next(
                (v for k, v in (self.points if ranged else self.numbers).items() if k in text), None
            )
            if found is None:
                continue
            sample: dict[str, object] = {"metric": {"gate_part": mark, **self.metric}}
            if ranged:
                start, step = float(form["start"]), float(form["step"])
                pairs = [(start + place * step, point) for place, point in enumerate(found)]
                pairs = [pair for pair in pairs if pair[0] <= float(form["end"])]
                sample["values"] = [[time, point] for time, point in pairs if point is not None]
            else:
                sample["value"] = [float(form["time"]), found]
            result.append(sample)
        kind = "matrix" if ranged else "vector"
        answer = {"status": "success", "data": {"resultType": kind, "result": result}}
        return self.refuse(form["query"]) or (200, self.headers, json.dumps(answer))


def backend(seconds: float = 10, **settings: object) -> Backend:
    given = {"url": "https://prometheus.example", "retries": 0, **settings}
    return open_backend(
        PrometheusSettings(**given),  # type: ignore[arg-type]  # each test knows its settings
        Limits(timeout=timedelta(seconds=seconds)),
    )


def ask(sli: Sli, span: Span = MONTH, **request: object) -> Answer:
    """Measure one request with a backend of its own."""
    asked = CountRequest(sli=sli, span=span, **request)  # type: ignore[arg-type]  # as above
    (answer,) = backend().measure([asked], AT)
    return answer
