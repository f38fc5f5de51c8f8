"""The endpoint picker's page (pkg/epp/metrics, pkg/epp/handlers/server.go), Go client.

It has the newest names and the deprecated ones side by side; two older versions stand beside it.
"""

from collections.abc import Iterable, Mapping

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

EPP, DEPRECATED, OLD = "llm_d_epp_", "inference_objective_", "inference_model_"
MODEL = {"model_name": "llama", "target_model_name": "llama-3.3-70b"}
FLOW = {"fairness_id": "", "priority": "0"}
SHORT = (
    *(0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30),
    *(45, 60, 120),
)
LONG = (*SHORT, 180, 240, 300, 360, 480, 600, 900, 1200, 1800, 2700, 3600)
CHUNKS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2)
MEANS = (
    *(0.0005, 0.00205, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.125, 0.15, 0.2, 0.3, 0.4, 0.5),
    *(0.6, 0.8, 1, 1.5, 2, 3, 4.5, 6, 12, 18, 24, 30, 36, 48, 60, 90, 120, 180, 270, 360),
)
TOKENS = (1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)
REFUSED = {400: "BadRequest", 429: "ResourceExhausted", 503: "ServiceUnavailable"}
"""Requests that are refused before they are scheduled, and so are in no total."""


def page() -> Page:
    """Return what the endpoint pickers count of one minute."""
    page = Page(format=as_go)
    new = {"job": "llm-d"}
    for pool, ready in {"llama-pool": 3, "empty-pool": 0}.items():
        page.add("llm_d_epp_ready_endpoints", ready, **new, name=pool)
    page.add("inference_pool_ready_pods", 2, job="gaie-1.4", name="llama-pool")
    _expose(page, EPP, MINUTE, {**new, **FLOW})
    _expose(page, DEPRECATED, MINUTE, new)
    # Half of the traffic, so that a mix-up with the newest shows.
    _expose(page, DEPRECATED, MINUTE[::2], {"job": "gaie-1.4"})
    _expose_predictor(page, MINUTE[::2], {"job": "gaie-1.4", **MODEL})
    _expose(page, OLD, MINUTE[::3], {"job": "gaie-0.5"})
    return page


def _expose(
    page: Page, prefix: str, requests: Iterable[Request], others: Mapping[str, str]
) -> None:
    labels = {**others, **MODEL}
    for request in requests:
        if request.status in REFUSED:
            refused = REFUSED[request.status]
            page.add(f"{prefix}request_error_total", 1, **labels, error_code=refused)
            continue
        page.add(f"{prefix}request_total", 1, **labels)
        if request.status == 500:
            code = "ModelServerError"
            page.add(f"{prefix}request_error_total", 1, **labels, error_code=code)
        if request.cancelled:
            continue
        page.observe(f"{prefix}request_duration_seconds", request.latency, LONG, times=1, **labels)
        if request.served:
            tokens = f"{prefix}{'request_' if prefix == EPP else ''}"
            page.observe(f"{tokens}input_tokens", request.prompt_tokens, TOKENS, times=1, **labels)
            page.observe(f"{tokens}output_tokens", request.tokens, TOKENS, times=1, **labels)
            if prefix == EPP:
                _expose_tokens(page, request, labels)


def _expose_tokens(page: Page, request: Request, labels: Mapping[str, str]) -> None:
    streaming = "true" if request.streaming else "false"
    first = request.first_token if request.streaming else request.latency
    page.observe(f"{EPP}request_ttft_seconds", first, SHORT, times=1, **labels, streaming=streaming)
    if request.streaming:
        chunk, mean = f"{EPP}request_streaming_itl_seconds", f"{EPP}request_streaming_tpot_seconds"
        times = request.tokens - 1
        page.observe(chunk, request.per_token, CHUNKS, times=times, **labels)
        page.observe(mean, request.per_token, CHUNKS, times=1, **labels)


def _expose_predictor(page: Page, requests: Iterable[Request], labels: Mapping[str, str]) -> None:
    for request in requests:
        if request.served and request.streaming:
            first = f"{DEPRECATED}request_ttft_seconds"
            page.observe(first, request.first_token, LONG, times=1, **labels)
            page.observe(
                f"{DEPRECATED}request_tpot_seconds", request.per_token, MEANS, times=1, **labels
            )


def _failed(request: Request) -> bool:
    """The pool being full (429) is a failure here."""
    return request.status in {429, 500, 503}


def _whole(request: Request) -> bool:
    return request.status not in REFUSED and not request.cancelled


def _streamed(request: Request) -> bool:
    return request.served and request.streaming


def _used(requests: Iterable[Request]) -> int:
    return sum(r.prompt_tokens + r.tokens for r in requests if r.served)


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"labels": {"job": "llm-d"}, "bad": count(_failed), "total": len(MINUTE)},
        {
            "labels": {"job": "llm-d", "model_name": "llama"},
            "options": {"rate_limited": "good", "client_errors": "excluded"},
            "bad": count(lambda r: r.status >= 500),
            "total": count(lambda r: r.status != 400),
        },
        {
            "labels": {"job": "llm-d"},
            "options": {"rate_limited": "excluded"},
            "bad": count(lambda r: r.status >= 500),
            "total": count(lambda r: r.status != 429),
        },
        {
            "labels": {"job": "gaie-1.4"},
            "bad": count(_failed, MINUTE[::2]),
            "total": len(MINUTE[::2]),
        },
        {
            "labels": {"job": "gaie-0.5"},
            "bad": count(_failed, MINUTE[::3]),
            "total": len(MINUTE[::3]),
        },
    ],
    "availability": [
        {"labels": {"name": "llama-pool"}, "bad": 0, "total": 1},
        {"labels": {"job": "llm-d"}, "bad": 1, "total": 1},
        {"labels": {"job": "gaie-1.4"}, "bad": 0, "total": 1},
    ],
    "latency": [
        {
            "threshold": "10s",
            "labels": {"job": "llm-d"},
            "bad": count(lambda r: _whole(r) and r.latency > 10),
            "total": count(_whole),
        },
        {
            "threshold": "3s",
            "labels": {"job": "gaie-1.4"},
            "bad": count(lambda r: _whole(r) and r.latency > 3, MINUTE[::2]),
            "total": count(_whole, MINUTE[::2]),
        },
        {
            "threshold": "3s",
            "labels": {"job": "gaie-0.5"},
            "bad": count(lambda r: _whole(r) and r.latency > 3, MINUTE[::3]),
            "total": count(_whole, MINUTE[::3]),
        },
    ],
    "time-to-first-token": [
        {
            "threshold": "1s",
            "labels": {"job": "llm-d"},
            "bad": count(lambda r: _streamed(r) and r.first_token > 1),
            "total": count(_streamed),
        },
        {
            "threshold": "1s",
            "labels": {"job": "llm-d"},
            "options": {"streaming": "all"},
            "bad": count(lambda r: r.served and (r.first_token > 1 or not r.streaming)),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "1s",
            "labels": {"job": "gaie-1.4"},
            "bad": count(lambda r: _streamed(r) and r.first_token > 1, MINUTE[::2]),
            "total": count(_streamed, MINUTE[::2]),
        },
    ],
    "inter-token-latency": [
        {
            "threshold": "100ms",
            "labels": {"job": "llm-d"},
            "bad": sum(r.tokens - 1 for r in MINUTE if _streamed(r) and r.per_token > 0.1),
            "total": sum(r.tokens - 1 for r in MINUTE if _streamed(r)),
        },
        {
            "threshold": "100ms",
            "labels": {"job": "gaie-1.4"},
            "bad": count(lambda r: _streamed(r) and r.per_token > 0.1, MINUTE[::2]),
            "total": count(_streamed, MINUTE[::2]),
        },
    ],
    "spend": [
        {"labels": {"job": "llm-d"}, "spent": _used(MINUTE)},
        {"labels": {"job": "gaie-1.4"}, "spent": _used(MINUTE[::2])},
        {"labels": {"job": "gaie-0.5"}, "spent": _used(MINUTE[::3])},
    ],
    "inference-failures": [
        {
            "labels": {"job": "llm-d"},
            "bad": count(lambda r: r.status == 500),
            "total": count(lambda r: r.status not in REFUSED),
        },
        {
            "labels": {"job": "gaie-0.5"},
            "bad": count(lambda r: r.status == 500, MINUTE[::3]),
            "total": count(lambda r: r.status not in REFUSED, MINUTE[::3]),
        },
    ],
}
