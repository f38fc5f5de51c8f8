"""Dynamo's frontend /metrics (lib/llm/src/http/service/metrics.rs), Rust client."""

import math

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "dynamo", "instance": "frontend-0:8000"}
MODEL = {"model": "llama-3.3-70b"}
EMBEDDER = {"model": "bge-m3"}
EMBEDDINGS, EMBEDDINGS_FAILED = 37, 11
OLDER = {"model": "llama-3.1-8b"}
"""Served by a frontend of the first versions, with their names, few labels and boundaries."""
OLDER_GOOD, OLDER_FAILED = 21, 4
OLDER_BOUNDARIES = (0.5, 1, 2.5, 5, 10)
ERRORS = {500: "internal", 503: "unavailable", 429: "overload", 400: "validation"}


def boundaries(least: float, most: float, steps: int) -> tuple[float, ...]:
    """Return zero and what the server computes: even by logarithm, rounded to two digits."""
    ratio = math.log(most / least) / (steps - 1)
    exact = [least * math.exp(ratio * step) for step in range(1, steps)]
    return (0, *(float(f"{value:.1e}") for value in exact))


DURATION = boundaries(1, 512, 10)
TTFT = boundaries(0.001, 480, 18)
ITL = boundaries(0.001, 2, 13)


def page() -> Page:
    """Return what the frontend counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("up", 1)
    page.add("dynamo_frontend_model_ready", 1, **MODEL)
    page.add("dynamo_frontend_model_ready", 0, **EMBEDDER)
    for times, error in ((EMBEDDINGS, ""), (EMBEDDINGS_FAILED, "internal")):
        _end(page, error, times=times, endpoint="embeddings", request_type="unary", **EMBEDDER)
    page.observe(
        "dynamo_frontend_request_duration_seconds",
        0.05,
        DURATION,
        times=EMBEDDINGS + EMBEDDINGS_FAILED,
        **EMBEDDER,
    )
    _expose_older(page)
    for request in MINUTE:
        _expose(page, request)
    return page


def _expose_older(page: Page) -> None:
    for times, status in ((OLDER_GOOD, "success"), (OLDER_FAILED, "error")):
        labels = {**OLDER, "endpoint": "completions", "request_type": "unary", "status": status}
        page.add("nv_llm_http_service_requests_total", times, **labels)
    for name, times, seconds in (
        ("request_duration", OLDER_GOOD, 2),
        ("request_duration", OLDER_FAILED, 7),
        ("time_to_first_token", OLDER_GOOD, 2),
        ("inter_token_latency", OLDER_GOOD, 0.3),
    ):
        metric = f"nv_llm_http_service_{name}_seconds"
        page.observe(metric, seconds, OLDER_BOUNDARIES, times=times, **OLDER)


def _end(page: Page, error: str, *, times: int, **labels: str) -> None:
    page.add("dynamo_frontend_requests_started_total", times, **labels)
    status = "error" if error else "success"
    page.add("dynamo_frontend_requests_total", times, **labels, status=status, error_type=error)


def _expose(page: Page, request: Request) -> None:
    error = "cancelled" if request.cancelled else ERRORS.get(request.status, "")
    kind = "stream" if request.streaming else "unary"
    _end(page, error, times=1, endpoint="chat_completions", request_type=kind, **MODEL)
    page.observe(
        "dynamo_frontend_request_duration_seconds", request.latency, DURATION, times=1, **MODEL
    )
    if request.first_token:
        page.add("dynamo_frontend_output_tokens_total", request.tokens, **MODEL)
        page.observe(
            "dynamo_frontend_time_to_first_token_seconds",
            request.first_token,
            TTFT,
            times=1,
            **MODEL,
        )
        page.observe(
            "dynamo_frontend_inter_token_latency_seconds",
            request.per_token,
            ITL,
            times=request.tokens - 1,
            **MODEL,
        )


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {
            "bad": count(lambda r: r.status in {500, 503, 429}),
            "total": count(lambda r: not r.cancelled),
        },
        {
            "options": {"rate_limited": "excluded", "client_errors": "excluded"},
            "bad": count(lambda r: r.status in {500, 503}),
            "total": count(lambda r: not r.cancelled and r.status not in {429, 400}),
        },
        {
            "options": {"rate_limited": "good", "cancelled": "bad"},
            "labels": {"model": "llama-3.3-70b"},
            "bad": count(lambda r: r.status in {500, 503} or r.cancelled),
            "total": len(MINUTE),
        },
        {
            "options": {"handler": "all"},
            "bad": count(lambda r: r.status in {500, 503, 429}) + EMBEDDINGS_FAILED,
            "total": count(lambda r: not r.cancelled) + EMBEDDINGS + EMBEDDINGS_FAILED,
        },
        {
            "labels": OLDER,
            "bad": OLDER_FAILED,
            "total": OLDER_GOOD + OLDER_FAILED,
        },
    ],
    "availability": [
        {"labels": {"model": "llama-3.3-70b"}, "bad": 0, "total": 1},
        {"labels": {"model": "bge-m3"}, "bad": 1, "total": 1},
    ],
    "latency": [
        {
            "threshold": "8s",
            "labels": {"model": "llama-3.3-70b"},
            "bad": count(lambda r: r.latency > 8),
            "total": len(MINUTE),
        },
        {
            "threshold": "10s",
            "bucket": "laxer",
            "bad": count(lambda r: r.latency > 16),
            "total": len(MINUTE) + EMBEDDINGS + EMBEDDINGS_FAILED,
        },
        {
            "threshold": "5s",
            "labels": OLDER,
            "bad": OLDER_FAILED,
            "total": OLDER_GOOD + OLDER_FAILED,
        },
    ],
    "time-to-first-token": [
        {"threshold": "1s", "labels": OLDER, "bad": OLDER_GOOD, "total": OLDER_GOOD},
        {
            "threshold": "2.2s",
            "bad": count(lambda r: r.first_token > 2.2),
            "total": count(lambda r: r.first_token > 0),
        },
    ],
    "inter-token-latency": [
        {"threshold": "500ms", "labels": OLDER, "bad": 0, "total": OLDER_GOOD},
        {
            "threshold": "84ms",
            "bad": sum(r.tokens - 1 for r in MINUTE if r.first_token and r.per_token > 0.084),
            "total": sum(r.tokens - 1 for r in MINUTE if r.first_token),
        },
    ],
    "spend": [{"spent": sum(r.tokens for r in MINUTE if r.first_token)}],
    "inference-failures": [
        {
            "bad": count(lambda r: r.status in {500, 503}),
            "total": count(lambda r: r.served or r.status in {500, 503}),
        }
    ],
}
