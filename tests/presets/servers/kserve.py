"""KServe: vLLM's metrics with the prefix of its monitors, and those of the Python server."""

from tests.presets.engine import count_engine, reached_engine
from tests.presets.exposition import Page, as_python
from tests.presets.traffic import MINUTE, Request, count

LLM = {"job": "kserve-llm", "instance": "10.0.0.6:8000", "llm_isvc_name": "llama"}
PYTHON = {"job": "kserve-python", "instance": "10.0.0.9:8080"}
PREDICT = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
FAST = 0.03
"""Seconds of pre- and postprocessing, which are not in the prediction."""


def page() -> Page:
    """Return what the monitors scrape of one minute."""
    page = Page(format=as_python)
    for labels in (LLM, PYTHON):
        page.add("up", 1, **labels)
    http = {**LLM, "handler": "/v1/chat/completions", "method": "POST"}
    page.add("kserve_http_requests_total", 90, **{**http, "handler": "/v1/models"}, status="2xx")
    for request in MINUTE:
        count_engine(page, "kserve_vllm:", request, **LLM)
        if not request.cancelled:
            page.add("kserve_http_requests_total", 1, **http, status=f"{request.status // 100}xx")
        _predict(page, request)
    return page


def _predict(page: Page, request: Request) -> None:
    """A client that leaves stops no prediction, and one that fails is timed as well."""
    model = {**PYTHON, "model_name": "reranker"}
    page.observe("request_preprocess_seconds", FAST, PREDICT, times=1, **model)
    if request.status in {400, 429}:
        return
    page.observe("request_predict_seconds", request.latency, PREDICT, times=1, **model)
    if request.status == 200:
        page.observe("request_postprocess_seconds", FAST, PREDICT, times=1, **model)


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": count(lambda r: r.status >= 500), "total": count(lambda r: not r.cancelled)},
        {
            "labels": {"llm_isvc_name": "llama"},
            "options": {"client_errors": "excluded"},
            "bad": count(lambda r: r.status >= 500),
            "total": count(lambda r: r.status not in {400, 429} and not r.cancelled),
        },
    ],
    "availability": [{"labels": {"job": "kserve-llm"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served),
        },
        # What the Python server times is not counted, since it has failures in it that look fast.
        {
            "threshold": "10s",
            "labels": {"job": "kserve-llm"},
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served),
        },
    ],
    "time-to-first-token": [
        {
            "threshold": "2.5s",
            "labels": {"model_name": "llama-3.3-70b"},
            "bad": count(lambda r: r.served and r.first_token > 2.5),
            "total": count(lambda r: r.served),
        }
    ],
    "inter-token-latency": [
        {
            "threshold": "100ms",
            "bad": sum(r.tokens - 1 for r in MINUTE if r.served and r.per_token > 0.1),
            "total": sum(r.tokens - 1 for r in MINUTE if r.served),
        }
    ],
    "degenerate-output": [
        {"bad": count(lambda r: r.finish == "repetition"), "total": count(reached_engine)}
    ],
    "inference-failures": [
        {"bad": count(lambda r: r.status >= 500), "total": count(reached_engine)}
    ],
    "spend": [{"spent": sum(r.tokens for r in MINUTE if reached_engine(r))}],
}
