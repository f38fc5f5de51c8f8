"""vLLM's /metrics (vllm/v1/metrics/loggers.py and its FastAPI instrumentator), Python client."""

from tests.presets.exposition import Page, as_python
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "vllm", "instance": "vllm-0:8000"}
MODEL = {"model_name": "llama-3.3-70b", "engine": "0"}
E2E = (
    *(0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920),
    7680,
)
TTFT = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20),
    *(40, 80, 160, 640, 2560),
)
ITL = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40),
    80,
)


def page() -> Page:
    """Return what the server counts of one minute."""
    page = Page(format=as_python, common=LABELS)
    page.add("up", 1)
    for reason in ("stop", "length", "abort", "error", "repetition"):
        page.add("vllm:request_success_total", 0, **MODEL, finished_reason=reason)
    page.add("http_requests_total", 90, handler="/v1/models", method="GET", status="2xx")
    for request in MINUTE:
        _expose(page, request)
    return page


def _expose(page: Page, request: Request) -> None:
    if not request.cancelled:
        status = f"{request.status // 100}xx"
        page.add(
            "http_requests_total", handler="/v1/chat/completions", method="POST", status=status
        )
    if request.status in {400, 429}:
        return  # refused before it reached the engine
    if request.first_token:
        page.observe(
            "vllm:time_to_first_token_seconds", request.first_token, TTFT, times=1, **MODEL
        )
    if request.cancelled:
        return  # vllm-project/vllm#55634: in no other per-request metric
    page.add("vllm:request_success_total", 1, **MODEL, finished_reason=request.finish)
    page.add("vllm:generation_tokens_total", request.tokens, **MODEL)
    if request.served:
        page.observe("vllm:e2e_request_latency_seconds", request.latency, E2E, times=1, **MODEL)
        tokens = max(request.tokens - 1, 0)
        for name in ("inter_token_latency", "time_per_output_token"):  # the new name and the old
            page.observe(f"vllm:{name}_seconds", request.per_token, ITL, times=tokens, **MODEL)


def _engine(request: Request) -> bool:
    return request.status not in {400, 429} and not request.cancelled


EXPECTED: dict[str, list[dict[str, object]]] = {
    # Each case: what the policy says of the indicator, and what a minute holds. Counted from the
    # requests, without a look at the preset.
    "errors": [
        {
            "bad": count(lambda r: r.status >= 500),
            "total": count(lambda r: not r.cancelled),
        },
        {
            "options": {"client_errors": "excluded"},
            "bad": count(lambda r: r.status >= 500),
            "total": count(lambda r: not r.cancelled and r.status not in {400, 429}),
        },
    ],
    "availability": [{"labels": {"job": "vllm"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served),
        }
    ],
    "time-to-first-token": [
        {
            "threshold": "2.5s",
            "labels": {"model_name": "llama-3.3-70b"},
            "bad": count(lambda r: r.first_token > 2.5),
            "total": count(lambda r: r.first_token > 0),
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
        {"bad": count(lambda r: r.finish == "repetition"), "total": count(_engine)}
    ],
    "inference-failures": [
        {"bad": count(lambda r: _engine(r) and r.status >= 500), "total": count(_engine)}
    ],
    "spend": [{"spent": sum(r.tokens for r in MINUTE if _engine(r))}],
}
