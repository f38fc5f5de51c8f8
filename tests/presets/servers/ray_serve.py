"""Ray Serve LLM: the page of a running ray 2.60.0, with vLLM's metrics by its Ray wrappers."""

from dataclasses import replace

from tests.presets.engine import count_engine, reached_engine
from tests.presets.exposition import Page, as_python
from tests.presets.traffic import MINUTE, Request, count

LABELS = {
    "job": "ray",
    "instance": "10.0.0.5:8080",
    "Component": "core_worker",
    "NodeAddress": "10.0.0.5",
    "SessionName": "session_2026-10-31_18-41-21_727494_3502",
    "Version": "2.60.0",
}
PROXY = {"WorkerId": "24e00f58c55683bb4420e7461cbee021bea6ba66fe2f669621ce22ee"}
REPLICA = {"WorkerId": "7b05b3eaed58a9b1de6565d863d176907f46c30514c23e596681a05f"}
LATENCY = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000, 120000),
    *(300000, 600000),
)
TIMED_OUT = replace(MINUTE[0], status=408, finish="error", latency=90.0, first_token=0.0, tokens=0)
REQUESTS = (*MINUTE, *(TIMED_OUT for _ in range(6)))
REPLICAS = {
    ("llm", "LLMServer", "pehpi7ox"): 1,
    ("llm", "LLMServer", "0pqc4xlz"): 0,
    ("llm", "OpenAiIngress", "6yfw0d2k"): 1,
    ("draft", "LLMServer", "k2a8mmnq"): 0,
    ("draft", "OpenAiIngress", "jx31b0aa"): 1,
}
"""By application, deployment and replica: 1 if it is healthy."""
LISTED = 17
"""Requests for the list of models."""


def page() -> Page:
    """Return what one node exposes of one minute."""
    page = Page(format=as_python, common=LABELS)
    page.add("up", 1)
    for (application, deployment, replica), healthy in REPLICAS.items():
        labels = {"application": application, "deployment": deployment, "replica": replica}
        page.add("ray_serve_deployment_replica_healthy", healthy, **REPLICA, **labels)
    for request in REQUESTS:
        status = 499 if request.cancelled else request.status
        _count(page, "/v1/chat/completions", status, request.latency * 1000)
        tags = {**REPLICA, "ReplicaId": "pehpi7ox"}
        count_engine(page, "ray_vllm_", request, **tags)
    for _ in range(LISTED):
        _count(page, "/v1/models", 200, 3.0, method="GET")
    for _ in range(60):
        _count(page, "/-/healthz", 200, 1.5, application="", method="GET")
    for _ in range(5):
        _count(page, "", 404, 2.0, application="", method="GET")
    return page


def _count(page: Page, route: str, status: int, milliseconds: float, **others: str) -> None:
    tags = {**PROXY, "application": "llm", "method": "POST", **others, "route": route}
    page.add("ray_serve_num_http_requests_total", 1, **tags, status_code=str(status))
    latency = "ray_serve_http_request_latency_ms"
    page.observe(latency, milliseconds, LATENCY, times=1, **tags, status_code=str(status))
    if status >= 400:
        page.add("ray_serve_num_http_error_requests_total", 1, **tags, error_code=str(status))


def _failed(request: Request) -> bool:
    return request.status in {408, 500, 503}


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": count(_failed, REQUESTS), "total": count(lambda r: not r.cancelled, REQUESTS)},
        {
            "labels": {"application": "llm"},
            "options": {"rate_limited": "bad", "cancelled": "bad"},
            "bad": count(lambda r: _failed(r) or r.status == 429 or r.cancelled, REQUESTS),
            "total": len(REQUESTS),
        },
        {
            "labels": {"application": "llm"},
            "options": {"routes": "all", "rate_limited": "excluded"},
            "bad": count(_failed, REQUESTS),
            "total": count(lambda r: r.status != 429 and not r.cancelled, REQUESTS) + LISTED,
        },
    ],
    "availability": [
        {"labels": {"application": "llm"}, "bad": 0, "total": 1},
        {"labels": {"application": "draft"}, "bad": 1, "total": 1},
    ],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "5s",
            "options": {"failures": "bad"},
            "bad": count(lambda r: _failed(r) or (r.served and r.latency > 5), REQUESTS),
            "total": count(lambda r: _failed(r) or r.served, REQUESTS),
        },
    ],
    "time-to-first-token": [
        {
            "threshold": "2.5s",
            "bad": count(lambda r: r.served and r.first_token > 2.5),
            "total": count(lambda r: r.served),
        }
    ],
    "inter-token-latency": [
        {
            "threshold": "100ms",
            "bad": sum(r.tokens - 1 for r in MINUTE if r.served and r.per_token > 0.1),
            "total": sum(r.tokens - 1 for r in MINUTE if r.served),
        }
    ],
    "degenerate-output": [
        {"bad": count(lambda r: r.finish == "repetition"), "total": count(reached_engine)}
    ],
    "inference-failures": [
        {"bad": count(lambda r: r.status >= 500), "total": count(reached_engine)}
    ],
    "spend": [{"spent": sum(r.tokens for r in MINUTE if reached_engine(r))}],
}
