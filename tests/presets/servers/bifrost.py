"""Bifrost's /metrics (plugins/telemetry/main.go), Go client: attempts, and errors by status."""

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "bifrost", "instance": "bifrost-0:8080"}
MODEL = {"provider": "openai", "model": "gpt-5", "method": "chat_completion"}
WHOLE = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30, 45, 60, 90, 120, 180, 300),
    *(600, 900),
)
FIRST = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300)
BETWEEN = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
FALLBACKS, UNKNOWN = 7, 2
"""Attempts at a second provider, all of which succeed; errors without a status."""


def page() -> Page:
    """Return what the gateway counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("up", 1)
    for request in MINUTE:
        status = 499 if request.cancelled else request.status
        _count(page, request, str(status), "0")
    for _ in range(FALLBACKS):
        _count(page, MINUTE[0], "200", "1")
    for _ in range(UNKNOWN):
        _count(page, MINUTE[0], "unknown", "0")
    return page


def _count(page: Page, request: Request, status: str, fallback: str) -> None:
    labels, good = {**MODEL, "fallback_index": fallback}, status == "200"
    page.add("bifrost_upstream_requests_total", 1, **labels)
    latency = {**labels, "is_success": str(good).lower()}
    page.observe("bifrost_upstream_latency_seconds", request.latency, WHOLE, times=1, **latency)
    if not good:
        page.add("bifrost_error_requests_total", 1, **labels, status_code=status)
        return
    page.add("bifrost_success_requests_total", 1, **labels)
    page.add("bifrost_cost_total", 1 / 128, **labels)
    if request.streaming:
        first, between = "first", "inter"
        page.observe(
            f"bifrost_stream_{first}_token_latency_seconds",
            request.first_token,
            FIRST,
            times=1,
            **labels,
        )
        page.observe(
            f"bifrost_stream_{between}_token_latency_seconds",
            request.per_token,
            BETWEEN,
            times=request.tokens - 1,
            **labels,
        )


def _failed(request: Request) -> bool:
    return request.status >= 500


SERVED = count(lambda r: r.served) + FALLBACKS
ALL = len(MINUTE) + FALLBACKS + UNKNOWN
LEFT = count(lambda r: r.cancelled)
REFUSED = count(lambda r: r.status == 429)
EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": count(_failed) + REFUSED + UNKNOWN, "total": ALL - LEFT},
        {
            "options": {"rate_limited": "good", "cancelled": "bad"},
            "bad": count(_failed) + UNKNOWN + LEFT,
            "total": ALL,
        },
        {
            "options": {"fallbacks": "first"},
            "bad": count(_failed) + REFUSED + UNKNOWN,
            "total": ALL - LEFT - FALLBACKS,
        },
    ],
    "availability": [{"labels": {"job": "bifrost"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": SERVED,
        },
        {
            "threshold": "10s",
            "options": {"failures": "bad"},
            "bad": ALL - SERVED + count(lambda r: r.served and r.latency > 10),
            "total": ALL,
        },
    ],
    "time-to-first-token": [
        {
            "threshold": "2.5s",
            "bad": count(lambda r: r.served and r.streaming and r.first_token > 2.5),
            "total": count(lambda r: r.served and r.streaming) + FALLBACKS,
        }
    ],
    "inter-token-latency": [
        {
            "threshold": "100ms",
            "bad": sum(
                r.tokens - 1 for r in MINUTE if r.served and r.streaming and r.per_token > 0.1
            ),
            "total": sum(r.tokens - 1 for r in MINUTE if r.served and r.streaming)
            + FALLBACKS * (MINUTE[0].tokens - 1),
        }
    ],
    "spend": [{"spent": SERVED / 128}],
    "inference-failures": [{"bad": count(_failed) + UNKNOWN, "total": ALL}],
}
