"""SGLang's /metrics (observability/metrics_collector.py and its HTTP middleware), Python client."""

from tests.presets.exposition import Page, as_python
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "sglang", "instance": "sglang-0:30000"}
MODEL = {"model_name": "llama-3.3-70b", "engine_type": "unified"}
OLDER = {"model_name": "llama-3.1-8b"}
"""A server of a version that does not distinguish streamed requests from others."""
OLDER_FAST, OLDER_SLOW = 14, 6
TTFT = (0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 20, 40, 60, 80, 100, 200, 400)
E2E = (*TTFT, 600, 1200, 1800, 2400)
ITL = (
    *(0.002, 0.004, 0.006, 0.008, 0.01, 0.015, 0.02, 0.025, 0.03, 0.035, 0.04, 0.06, 0.08),
    *(0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8),
)
HEALTHY, UNHEALTHY = 60, 19
"""Answers to health checks."""


def page() -> Page:
    """Return what the server counts of one minute."""
    page = Page(format=as_python, common=LABELS)
    page.add("up", 1)
    for times, status in ((HEALTHY, "200"), (UNHEALTHY, "503")):
        _respond(page, times, status, endpoint="/health_generate", method="GET")
    for times, seconds in ((OLDER_FAST, 0.3), (OLDER_SLOW, 5)):
        page.observe("sglang:time_to_first_token_seconds", seconds, TTFT, times=times, **OLDER)
    for request in MINUTE:
        _expose(page, request)
    return page


def _respond(page: Page, times: int, status: str, *, endpoint: str, method: str) -> None:
    page.add("sglang:http_requests_total", times, endpoint=endpoint, method=method)
    page.add(
        "sglang:http_responses_total",
        times,
        endpoint=endpoint,
        status_code=status,
        method=method,
    )


def _expose(page: Page, request: Request) -> None:
    # A stream that its client leaves has begun with 200.
    _respond(page, 1, str(request.status), endpoint="/v1/chat/completions", method="POST")
    stream = {**MODEL, "is_streaming": "true" if request.streaming else "false"}
    if request.first_token:
        page.observe(
            "sglang:time_to_first_token_seconds", request.first_token, TTFT, times=1, **stream
        )
        if request.streaming:
            page.observe(
                "sglang:inter_token_latency_seconds",
                request.per_token,
                ITL,
                times=request.tokens - 1,
                **MODEL,
            )
    if request.cancelled:
        page.add("sglang:num_aborted_requests_total", 1, **MODEL)
    if request.served:
        page.add("sglang:num_requests_total", 1, **stream)
        page.add("sglang:generation_tokens_total", request.tokens, **stream)
        page.observe("sglang:e2e_request_latency_seconds", request.latency, E2E, times=1, **stream)


def _streamed(request: Request) -> bool:
    return request.streaming and request.first_token > 0


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": count(lambda r: r.status >= 500), "total": len(MINUTE)},
        {
            "options": {"client_errors": "excluded"},
            "bad": count(lambda r: r.status >= 500),
            "total": count(lambda r: r.status not in {400, 429}),
        },
        {
            "options": {"handler": "all"},
            "bad": count(lambda r: r.status >= 500) + UNHEALTHY,
            "total": len(MINUTE) + HEALTHY + UNHEALTHY,
        },
    ],
    "availability": [{"labels": {"job": "sglang"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "1m",
            "options": {"streaming": "only"},
            "labels": {"model_name": "llama-3.3-70b"},
            "bad": 0,
            "total": count(lambda r: r.served and r.streaming),
        },
    ],
    "time-to-first-token": [
        {
            "threshold": "2s",
            "labels": {"model_name": "llama-3.3-70b"},
            "bad": count(lambda r: _streamed(r) and r.first_token > 2),
            "total": count(_streamed),
        },
        {
            "threshold": "1s",
            "labels": {"model_name": "llama-3.3-70b"},
            "options": {"streaming": "all"},
            "bad": count(lambda r: r.first_token > 1),
            "total": count(lambda r: r.first_token > 0),
        },
        {
            "threshold": "2s",
            "labels": {"model_name": "llama-3.1-8b"},
            "bad": OLDER_SLOW,
            "total": OLDER_FAST + OLDER_SLOW,
        },
    ],
    "inter-token-latency": [
        {
            "threshold": "100ms",
            "bad": sum(r.tokens - 1 for r in MINUTE if _streamed(r) and r.per_token > 0.1),
            "total": sum(r.tokens - 1 for r in MINUTE if _streamed(r)),
        }
    ],
    "spend": [{"spent": sum(r.tokens for r in MINUTE if r.served)}],
    "inference-failures": [
        {
            "bad": count(lambda r: r.status == 500),
            "total": count(lambda r: r.status not in {400, 429}),
        }
    ],
}
