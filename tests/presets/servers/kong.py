"""Kong's /metrics by the Prometheus plugin (kong/plugins/prometheus/exporter.lua)."""

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "kong", "instance": "kong-0:8100", "workspace": "default"}
LATENCY = (250, 500, 1000, 1500, 2000, 2500, 3000, 3500, 4000, 4500, 5000, 10000, 30000, 60000)
MODEL = {"ai_provider": "openai", "ai_model": "gpt-5", "cache_status": "", "vector_db": ""}
SERVICE = {"labels": {"service": "models"}}
OTHERS = 77
"""Requests to another service, which fail."""


def page() -> Page:
    """Return what Kong counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("up", 1)
    shop = {"service": "shop", "route": "shop", "source": "service"}
    page.add("kong_http_requests_total", OTHERS, **shop, code="500")
    service = {"service": "models", "route": "chat", "source": "service"}
    for request in MINUTE:
        code = 499 if request.cancelled else request.status
        page.add("kong_http_requests_total", 1, **service, code=str(code))
        if request.served:
            page.observe(
                "kong_ai_llm_provider_latency_ms", request.latency * 1000, LATENCY, times=1, **MODEL
            )
            page.add("kong_ai_llm_cost_total", 1 / 32, **MODEL)
    return page


def _failed(request: Request) -> bool:
    return request.status >= 500


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {**SERVICE, "bad": count(_failed), "total": count(lambda r: not r.cancelled)},
        {
            **SERVICE,
            "options": {"rate_limited": "bad", "cancelled": "good"},
            "bad": count(lambda r: _failed(r) or r.status == 429),
            "total": len(MINUTE),
        },
        {
            **SERVICE,
            "options": {"client_errors": "excluded"},
            "bad": count(_failed),
            "total": count(lambda r: not r.cancelled and r.status not in {400, 429}),
        },
    ],
    "availability": [{"labels": {"job": "kong"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served),
        }
    ],
    "spend": [{"spent": count(lambda r: r.served) / 32}],
}
