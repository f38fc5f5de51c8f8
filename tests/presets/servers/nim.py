"""NIM's /v1/metrics (integrations-core nvidia_nim/tests/fixtures/nim_metrics.txt), Python client.

Another program beside it exposes the same names; only the job tells them apart.
"""

from tests.presets.exposition import Page, as_python
from tests.presets.servers.vllm import TTFT as VLLM_TTFT
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "nim", "instance": "nim-0:8000"}
STRANGER = {"job": "billing", "instance": "billing-0:8080"}
MODEL = {"model_name": "meta/llama-3.3-70b-instruct"}
E2E = (1, 2.5, 5, 10, 15, 20, 30, 40, 50, 60)
TTFT = tuple(boundary for boundary in VLLM_TTFT if boundary <= 10)
PER_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)


def page() -> Page:
    """Return what both count of one minute."""
    page = Page(format=as_python, common=LABELS)
    page.add("up", 1)
    page.add("up", 0, **STRANGER)
    page.add("request_success_total", 0, **MODEL)
    page.add("request_failure_total", 0, **MODEL)
    for name in ("request_success_total", "request_failure_total", "generation_tokens_total"):
        page.add(name, 1000, **STRANGER)
    page.observe("e2e_request_latency_seconds", 45, E2E, times=500, **STRANGER)
    for request in MINUTE:
        _expose(page, request)
    return page


def _expose(page: Page, request: Request) -> None:
    if request.status >= 500:
        page.add("request_failure_total", 1, **MODEL)
    if request.first_token:
        page.add("generation_tokens_total", request.tokens, **MODEL)
        page.observe("time_to_first_token_seconds", request.first_token, TTFT, times=1, **MODEL)
        page.observe(
            "time_per_output_token_seconds",
            request.per_token,
            PER_TOKEN,
            times=request.tokens - 1,
            **MODEL,
        )
    if request.served:
        reason = "length" if request.finish == "length" else "stop"
        page.add("request_success_total", 1, **MODEL)
        page.add("request_finish_total", 1, **MODEL, finished_reason=reason)
        page.observe("e2e_request_latency_seconds", request.latency, E2E, times=1, **MODEL)


JOB = {"job": "nim"}
_FAILED: dict[str, object] = {
    "labels": JOB,
    "bad": count(lambda r: r.status >= 500),
    "total": count(lambda r: r.served or r.status >= 500),
}
EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [_FAILED],
    "availability": [{"labels": JOB, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10s",
            "labels": JOB,
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served),
        }
    ],
    "time-to-first-token": [
        {
            "threshold": "2.5s",
            "labels": {**JOB, **MODEL},
            "bad": count(lambda r: r.first_token > 2.5),
            "total": count(lambda r: r.first_token > 0),
        }
    ],
    "inter-token-latency": [
        {
            "threshold": "100ms",
            "labels": JOB,
            "bad": sum(r.tokens - 1 for r in MINUTE if r.first_token and r.per_token > 0.1),
            "total": sum(r.tokens - 1 for r in MINUTE if r.first_token),
        }
    ],
    "spend": [{"labels": JOB, "spent": sum(r.tokens for r in MINUTE if r.first_token)}],
    "inference-failures": [_FAILED],
}
