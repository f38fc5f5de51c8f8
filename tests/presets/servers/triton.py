"""Triton's /metrics (core/src/metrics.cc, metric_model_reporter.cc, infer_response.cc), C++ client.

Clients call the ensemble ``chat``, which runs ``tokenizer`` and then ``llama``.
"""

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "triton", "instance": "triton-0:8002"}
ENSEMBLE = {"model": "chat", "version": "1"}
TOKENIZER = {"model": "tokenizer", "version": "1"}
LLAMA = {"model": "llama", "version": "1"}
FIRST_RESPONSE = (100, 500, 2000, 5000)
REASONS = {500: "BACKEND", 503: "OTHER", 429: "REJECTED"}
AT_ONCE = 3
"""Milliseconds until an error is sent as the response."""


def page() -> Page:
    """Return what the server counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("up", 1)
    for model in (ENSEMBLE, TOKENIZER, LLAMA):
        page.add("nv_inference_request_success", 0, **model)
        for reason in ("REJECTED", "CANCELED", "BACKEND", "OTHER"):
            page.add("nv_inference_request_failure", 0, **model, reason=reason)
    for request in MINUTE:
        if _parsed(request):
            _expose(page, request)
    return page


def _parsed(request: Request) -> bool:
    return request.status != 400  # what cannot be parsed reaches no model


def _expose(page: Page, request: Request) -> None:
    page.add("nv_inference_request_success", 1, **TOKENIZER)
    _first_response(page, AT_ONCE, TOKENIZER)
    _first_response(page, request.first_token * 1000 or AT_ONCE, LLAMA)
    _first_response(page, request.first_token * 1000 or AT_ONCE, ENSEMBLE)
    if request.served:
        page.add("nv_inference_request_success", 1, **LLAMA)
        page.add("nv_inference_request_success", 1, **ENSEMBLE)
        page.add("nv_inference_request_duration_us", request.latency * 1e6, **LLAMA)
    else:
        reason = "CANCELED" if request.cancelled else REASONS[request.status]
        page.add("nv_inference_request_failure", 1, **LLAMA, reason=reason)
        page.add("nv_inference_request_failure", 2, **ENSEMBLE, reason="OTHER")


def _first_response(page: Page, milliseconds: float, model: dict[str, str]) -> None:
    page.observe(
        "nv_inference_first_response_histogram_ms", milliseconds, FIRST_RESPONSE, times=1, **model
    )


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {
            "labels": {"model": "llama"},
            "bad": count(lambda r: r.status in {500, 503, 429}),
            "total": count(lambda r: _parsed(r) and not r.cancelled),
        },
        {
            "labels": {"model": "llama"},
            "options": {"rate_limited": "excluded", "cancelled": "bad"},
            "bad": count(lambda r: r.status in {500, 503} or r.cancelled),
            "total": count(lambda r: _parsed(r) and r.status != 429),
        },
        {
            "labels": {"model": "llama", "version": "1"},
            "options": {"rate_limited": "good"},
            "bad": count(lambda r: r.status in {500, 503}),
            "total": count(lambda r: _parsed(r) and not r.cancelled),
        },
    ],
    "availability": [{"labels": {"job": "triton"}, "bad": 0, "total": 1}],
    "time-to-first-token": [
        {
            "threshold": "2s",
            "labels": {"model": "llama"},
            "bad": count(lambda r: _parsed(r) and r.first_token > 2),
            "total": count(_parsed),
        },
        {
            "threshold": "500ms",
            "labels": {"model": "llama"},
            "bad": count(lambda r: _parsed(r) and r.first_token > 0.5),
            "total": count(_parsed),
        },
    ],
    "inference-failures": [
        {
            "labels": {"model": "llama"},
            "bad": count(lambda r: r.status == 500),
            "total": count(lambda r: r.served or r.status == 500),
        }
    ],
}
