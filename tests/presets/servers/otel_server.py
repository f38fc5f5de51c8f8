"""A model server by OpenTelemetry's conventions, through a collector's Prometheus exporter (Go).

A second one has an exporter that adds no suffixes, and the provider's older name, gen_ai_system.
"""

from collections.abc import Iterable, Mapping

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

MODEL = {"gen_ai_request_model": "llama", "gen_ai_response_model": "llama-3.3-70b"}
NEW = {"job": "chat/model-server", "gen_ai_provider_name": "acme", **MODEL}
OLD = {"job": "chat/old-server", "gen_ai_system": "acme", **MODEL}
DURATION = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
BETWEEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)
EMBEDDED = 38
HALF = MINUTE[::2]


def page() -> Page:
    """Return what both servers count of one minute."""
    page = Page(format=as_go, common={"otel_scope_name": "acme.inference"})
    _expose(page, MINUTE, NEW, "_seconds")
    _expose(page, HALF, OLD, "")
    embedding = {**NEW, "gen_ai_operation_name": "embeddings"}
    duration = "gen_ai_server_request_duration_seconds"
    page.observe(duration, 0.07, DURATION, times=EMBEDDED, **embedding)
    return page


def _expose(
    page: Page, requests: Iterable[Request], labels: Mapping[str, str], suffix: str
) -> None:
    chat = {**labels, "gen_ai_operation_name": "chat"}
    for request in requests:
        if request.cancelled:
            continue
        error = {} if request.served else {"error_type": str(request.status)}
        duration = f"gen_ai_server_request_duration{suffix}"
        page.observe(duration, request.latency, DURATION, times=1, **chat, **error)
        if request.served:
            first = f"gen_ai_server_time_to_first_token{suffix}"
            page.observe(first, request.first_token, FIRST, times=1, **chat)
            between = f"gen_ai_server_time_per_output_token{suffix}"
            page.observe(between, request.per_token, BETWEEN, times=1, **chat)


def _failed(request: Request) -> bool:
    return request.status >= 400


def _ended(request: Request) -> bool:
    return not request.cancelled


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"labels": {"job": NEW["job"]}, "bad": count(_failed), "total": count(_ended)},
        {
            "labels": {"gen_ai_provider_name": "acme"},
            "options": {"rate_limited": "excluded", "operations": "all"},
            "bad": count(lambda r: _failed(r) and r.status != 429),
            "total": count(lambda r: _ended(r) and r.status != 429) + EMBEDDED,
        },
        {
            "labels": {"gen_ai_system": "acme"},
            "options": {"rate_limited": "good"},
            "bad": count(lambda r: _failed(r) and r.status != 429, HALF),
            "total": count(_ended, HALF),
        },
    ],
    "latency": [
        {
            "threshold": "10.24s",
            "labels": {"job": NEW["job"]},
            "bad": count(lambda r: r.served and r.latency > 10.24),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "2.56s",
            "labels": {"job": OLD["job"]},
            "options": {"failures": "bad"},
            "bad": count(lambda r: _failed(r) or (r.served and r.latency > 2.56), HALF),
            "total": count(_ended, HALF),
        },
    ],
    "time-to-first-token": [
        {
            "threshold": "1s",
            "labels": {"job": NEW["job"]},
            "bad": count(lambda r: r.served and r.first_token > 1),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "10s",
            "labels": {"job": OLD["job"]},
            "bad": count(lambda r: r.served and r.first_token > 10, HALF),
            "total": count(lambda r: r.served, HALF),
        },
    ],
    "inter-token-latency": [
        {
            "threshold": "100ms",
            "labels": {"job": NEW["job"]},
            "bad": count(lambda r: r.served and r.per_token > 0.1),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "500ms",
            "labels": {"job": OLD["job"]},
            "bad": count(lambda r: r.served and r.per_token > 0.5, HALF),
            "total": count(lambda r: r.served, HALF),
        },
    ],
}
