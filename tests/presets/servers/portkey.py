"""Portkey Enterprise Gateway's /metrics, as its documentation has it."""

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "portkey", "instance": "portkey-0:8787", "app": "gateway", "env": "production"}
CHAT = {"method": "POST", "endpoint": "/v1/chat/completions", "provider": "openai"}
WHOLE = (
    *(0.1, 1, 2, 5, 10, 30, 50, 75, 100, 150, 200, 350, 500, 1000, 2500, 5000, 10000, 50000),
    *(100000, 300000, 500000, 10000000),
)
CHECKS, FAILED_CHECKS = 60, 13


def page() -> Page:
    """Return what the gateway counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("up", 1)
    health = {"method": "GET", "endpoint": "/v1/health"}
    page.add("request_count", CHECKS, **health, code="200")
    page.add("request_count", FAILED_CHECKS, **health, code="500")
    for request in MINUTE:
        code = str(499 if request.cancelled else request.status)
        page.add("request_count", 1, **CHAT, code=code)
        duration = "portkey_request_duration_milliseconds"
        page.observe(duration, request.latency * 1000, WHOLE, times=1, **CHAT, code=code)
        if request.served:
            page.add("llm_cost_sum", 1 / 256, **CHAT, code=code)
    return page


def _failed(request: Request) -> bool:
    return request.status >= 500


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": count(_failed), "total": count(lambda r: not r.cancelled)},
        {
            "options": {"rate_limited": "bad", "routes": "all"},
            "bad": count(lambda r: _failed(r) or r.status == 429) + FAILED_CHECKS,
            "total": count(lambda r: not r.cancelled) + CHECKS + FAILED_CHECKS,
        },
        {
            "options": {"client_errors": "excluded"},
            "bad": count(_failed),
            "total": count(lambda r: not r.cancelled and r.status not in {400, 429}),
        },
    ],
    "availability": [{"labels": {"job": "portkey"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "10s",
            "options": {"failures": "bad"},
            "bad": count(lambda r: not r.served or r.latency > 10),
            "total": len(MINUTE),
        },
    ],
    "spend": [{"spent": count(lambda r: r.served) / 256}],
}
