"""The SGLang gateway's /metrics, in Rust: routed requests, and errors by their kind."""

from tests.presets.exposition import Page, as_go
from tests.presets.servers.vllm_router_rust import DURATION
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "gateway", "instance": "gateway-0:29000"}
ROUTED = {
    "router_type": "http",
    "backend_type": "regular",
    "model": "llama-3.3-70b",
    "endpoint": "chat",
}
KINDS = {400: "validation_error", 429: "internal_error", 500: "backend_error", 503: "timeout"}
UNKNOWN_MODELS, PROBES = 6, 240
"""Requests for a model that nobody serves, and probes of /health."""


def page() -> Page:
    """Return what the gateway counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("smg_worker_health", 1, worker="http://a:8000")
    page.add("smg_http_responses_total", PROBES, status_code="200", error_code="")
    nobody = {**ROUTED, "model": "nope"}
    page.add("smg_router_requests_total", UNKNOWN_MODELS, **nobody, streaming="false")
    page.add("smg_router_request_errors_total", UNKNOWN_MODELS, **nobody, error_type="no_workers")
    for request in MINUTE:
        streaming = str(request.streaming).lower()
        page.add("smg_router_requests_total", 1, **ROUTED, streaming=streaming)
        if request.status >= 400:
            kind = KINDS[request.status]
            page.add("smg_router_request_errors_total", 1, **ROUTED, error_type=kind)
            continue
        page.observe(
            "smg_router_request_duration_seconds", request.latency, DURATION, times=1, **ROUTED
        )
        page.observe("smg_router_ttft_seconds", request.first_token, DURATION, times=1, **ROUTED)
        page.add("smg_router_tokens_total", request.tokens, **ROUTED, token_type="output")
        page.add("smg_router_tokens_total", request.prompt_tokens, **ROUTED, token_type="input")
    return page


def _failed(request: Request) -> bool:
    return request.status >= 400 and request.status != 400


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": count(_failed) + UNKNOWN_MODELS, "total": len(MINUTE) + UNKNOWN_MODELS},
        {
            "options": {"no_workers": "good"},
            "bad": count(_failed),
            "total": len(MINUTE) + UNKNOWN_MODELS,
        },
    ],
    "availability": [{"bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.status < 400 and r.latency > 10),
            "total": count(lambda r: r.status < 400),
        }
    ],
    "time-to-first-token": [
        {
            "threshold": "1s",
            "bad": count(lambda r: r.status < 400 and r.first_token > 1),
            "total": count(lambda r: r.status < 400),
        }
    ],
    "spend": [{"spent": sum(r.tokens for r in MINUTE if r.status < 400)}],
}
