"""vllm-project/router's /metrics, in Rust: successes and errors are counted apart."""

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "router", "instance": "router-0:29000"}
ROUTE = {"route": "/v1/chat/completions"}
DURATION = (
    *(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 45, 60, 90, 120),
    *(180, 240),
)


def page() -> Page:
    """Return what the router counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("vllm_router_worker_health", 1, worker="http://a:8000")
    page.add("vllm_router_worker_health", 0, worker="http://b:8000")
    for request in MINUTE:
        if _answered(request):
            page.add("vllm_router_requests_total", 1, **ROUTE)
            page.observe("vllm_router_generate_duration_seconds", request.latency, DURATION)
        else:
            error = {"error_type": "non_retryable_error"}
            page.add("vllm_router_request_errors_total", 1, **ROUTE, **error)
    return page


def _answered(request: Request) -> bool:
    return request.status < 400


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [{"bad": count(lambda r: not _answered(r)), "total": len(MINUTE)}],
    "availability": [{"bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: _answered(r) and r.latency > 10),
            "total": count(_answered),
        }
    ],
}
