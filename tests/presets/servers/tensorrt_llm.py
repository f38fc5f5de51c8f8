"""trtllm-serve's /prometheus/metrics (tensorrt_llm/metrics/collector.py), Python client.

The collector is adapted from vLLM's and has its boundaries.
"""

from tests.presets.exposition import Page, as_python
from tests.presets.servers.vllm import E2E, ITL, TTFT
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "trtllm", "instance": "trtllm-0:8000"}
MODEL = {"model_name": "llama-3.3-70b", "engine_type": "pytorch"}


def page() -> Page:
    """Return what the server counts of one minute."""
    page = Page(format=as_python, common=LABELS)
    page.add("up", 1)
    for request in MINUTE:
        _expose(page, request)
    return page


def _expose(page: Page, request: Request) -> None:
    if request.status == 400:  # malformed: the only failure that it counts
        page.add("trtllm_request_error_total", 1, **MODEL, http_code="400")
    if not request.served:
        return
    reason = "length" if request.finish == "length" else "stop"
    page.add("trtllm_request_success_total", 1, **MODEL, finished_reason=reason)
    page.add("trtllm_generation_tokens_total", request.tokens, **MODEL)
    for name, seconds, boundaries in (
        ("e2e_request_latency", request.latency, E2E),
        ("time_to_first_token", request.first_token, TTFT),
        ("time_per_output_token", request.per_token, ITL),
    ):
        page.observe(f"trtllm_{name}_seconds", seconds, boundaries, times=1, **MODEL)


EXPECTED: dict[str, list[dict[str, object]]] = {
    "availability": [{"labels": {"job": "trtllm"}, "bad": 0, "total": 1}],
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
            "bad": count(lambda r: r.served and r.first_token > 2.5),
            "total": count(lambda r: r.served),
        }
    ],
    "inter-token-latency": [
        {
            "threshold": "500ms",
            "bad": count(lambda r: r.served and r.per_token > 0.5),
            "total": count(lambda r: r.served),
        }
    ],
    "spend": [{"spent": sum(r.tokens for r in MINUTE if r.served)}],
}
