"""The production-stack router's /metrics (services/metrics_service/__init__.py), Python client."""

from tests.presets.exposition import Page, as_python
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "vllm-router", "instance": "router-0:8000"}
MODEL = {"model": "llama-3.3-70b"}
ENGINE = {"server": "http://10.0.0.7:8000", **MODEL}
LATENCY = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
NOWHERE = 13
"""Requests for a model that no engine has: counted as they came in, and never attempted."""


def page() -> Page:
    """Return what the router counts of one minute."""
    page = Page(format=as_python, common=LABELS)
    page.add("up", 1)
    page.add("vllm:num_incoming_requests_total", NOWHERE, model="gone")
    for request in MINUTE:
        _expose(page, request)
    return page


def _expose(page: Page, request: Request) -> None:
    page.add("vllm:num_incoming_requests_total", 1, **MODEL)
    if request.status == 503:  # the engine could not be reached
        page.add("vllm:request_errors_total", 1, **ENGINE, error_type="ClientConnectorError")
    if not request.streaming and request.served:
        page.add("vllm:output_tokens_total", request.tokens, **ENGINE)
    # A client that goes away ends the generator with no exception that it catches.
    status = "error" if request.status >= 400 else "success"
    page.observe(
        "vllm:request_latency_seconds",
        request.latency,
        LATENCY,
        times=1,
        **ENGINE,
        status=status,
    )


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": count(lambda r: r.status >= 400), "total": len(MINUTE)},
        {
            "labels": {"model": "llama-3.3-70b"},
            "bad": count(lambda r: r.status >= 400),
            "total": len(MINUTE),
        },
    ],
    "availability": [{"labels": {"job": "vllm-router"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.status < 400 and r.latency > 10),
            "total": count(lambda r: r.status < 400),
        },
        {
            "threshold": "10s",
            "options": {"failures": "bad"},
            "bad": count(lambda r: r.status >= 400 or r.latency > 10),
            "total": len(MINUTE),
        },
        {
            "threshold": "20s",
            "bucket": "laxer",
            "bad": count(lambda r: r.status < 400 and r.latency > 30),
            "total": count(lambda r: r.status < 400),
        },
    ],
    "inference-failures": [{"bad": count(lambda r: r.status == 503), "total": len(MINUTE)}],
}
