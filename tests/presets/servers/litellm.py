"""LiteLLM's /metrics (litellm/integrations/prometheus.py, a page of v1.95), Python client."""

from collections import Counter
from dataclasses import replace

from tests.presets.exposition import Page, as_python
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "litellm", "instance": "litellm-0:4000"}
WHO = {
    "end_user": "None",
    "hashed_api_key": "88dc28d0f030c55ed4ab77ed8faf098196cb1c05df778539800c9f1243fe6b4b",
    "api_key_alias": "chat",
    "team": "None",
    "team_alias": "None",
}
MODEL = {"requested_model": "llama", "model_id": "3f1c", "api_provider": "hosted_vllm"}
CLIENT = {"route": "/chat/completions", "client_ip": "10.0.0.7", "user_agent": "httpx"}
LATENCY = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 420, 600)
TIMED_OUT = replace(MINUTE[0], status=408, finish="error", latency=600.0, first_token=0.0, tokens=0)
REQUESTS = (*MINUTE, *(TIMED_OUT for _ in range(6)))
CLASSES = {
    400: "Openai.BadRequestError",
    408: "Openai.Timeout",
    429: "Openai.RateLimitError",
    499: "HTTPException",
    500: "Openai.InternalServerError",
    503: "Openai.APIConnectionError",
}


def page() -> Page:
    """Return what the server counts of one minute."""
    page = Page(format=as_python, common=LABELS)
    page.add("up", 1)
    page.add("up", 0, instance="litellm-1:4000")
    page.add("litellm_admission_rejected_requests_total", 11, reason="queue_full")
    for request in REQUESTS:
        _count_at_the_proxy(page, request)
        for status in _attempts(request):
            _count_at_the_deployment(page, status)
        _count_guardrails(page, request)
    _count_what_is_no_users_request(page)
    for outcome, times in _OTHER_CHECKS.items():
        name = {"guardrail_name": "topics", "status": outcome, "hook_type": "post_call"}
        page.add("litellm_guardrail_requests_total", times, **name)
    return page


SCRAPES, HEALTH_CHECKS, FAILED_CHECKS, KEY_CALLS = 7, 9, 2, 3
"""Scrapes without a key, health checks, those that fail, and failed calls of the UI."""
MALFORMED, NO_KEY = 3, 2
"""Calls with an empty key and with none."""
KEYLESS = MALFORMED + NO_KEY
HEALTH = "litellm-internal-health-check"


def _count_what_is_no_users_request(page: Page) -> None:
    """Count requests without a valid key, whose status is the text "None" (page of v1.106.12)."""
    nobody = {**dict.fromkeys(WHO, "None"), "hashed_api_key": ""}
    unread = {"requested_model": "", "model_id": "None", "api_provider": "None"}
    total = "litellm_proxy_total_requests_metric_total"
    failed = "litellm_proxy_failed_requests_metric_total"
    refused = {
        ("/metrics", "", ""): SCRAPES,
        ("/v1/chat/completions", "", "llama"): MALFORMED,
        ("/v1/completions", "None", "llama"): NO_KEY,
    }
    for (route, key, model), times in refused.items():
        client = {**CLIENT, "route": route, "hashed_api_key": key, "requested_model": model}
        client = {**nobody, **unread, **client}
        page.add(total, times, **client, status_code="None")
        failure = {"exception_status": "None", "exception_class": "Exception"}
        page.add(failed, times, **client, **failure)
    client = {**CLIENT, "route": "/key/generate"}
    page.add(total, KEY_CALLS, **WHO, **unread, **client, status_code="500")
    failure = {"exception_status": "500", "exception_class": "ProxyException"}
    page.add(failed, KEY_CALLS, **WHO, **unread, **client, **failure)
    _count_health_checks(page)


def _count_health_checks(page: Page) -> None:
    """Only those that succeed are requests; the others are calls to the deployment that failed."""
    who = {**dict.fromkeys(WHO, "None"), "api_key_alias": HEALTH}
    total = "litellm_proxy_total_requests_metric_total"
    client = {**CLIENT, "route": "None"}
    page.add(total, HEALTH_CHECKS, **who, **MODEL, **client, status_code="200")
    labels = {**who, **MODEL, "model": "llama-3.3-70b"}
    for name in ("litellm_request_total_latency_metric", FIRST):
        page.observe(name, 0.2, LATENCY, times=HEALTH_CHECKS, **labels)
    page.add("litellm_spend_metric_total", HEALTH_CHECKS * HEALTH_PRICE, **labels)
    model = {**MODEL, "litellm_model_name": "llama-3.3-70b", "api_base": "http://vllm:8000/v1"}
    page.add(
        "litellm_deployment_total_requests_total", HEALTH_CHECKS + FAILED_CHECKS, **who, **model
    )
    failure = {"exception_status": "500", "exception_class": "Openai.InternalServerError"}
    page.add("litellm_deployment_failure_responses_total", FAILED_CHECKS, **who, **model, **failure)


FIRST = "litellm_llm_api_time_to_first_token_metric"
HEALTH_PRICE = 1 / 1024


def _status(request: Request) -> int:
    return 499 if request.cancelled else request.status


def _attempts(request: Request) -> tuple[int, ...]:
    """Return the outcome of every call to a deployment: the slowest were retried twice."""
    return (503, 503, 200) if request.latency == 33.0 else (_status(request),)


def _count_at_the_proxy(page: Page, request: Request) -> None:
    status = _status(request)
    total = "litellm_proxy_total_requests_metric_total"
    page.add(total, **WHO, **MODEL, **CLIENT, status_code=str(status))
    if status != 200:
        failure = {"exception_status": str(status), "exception_class": CLASSES[status]}
        failed = "litellm_proxy_failed_requests_metric_total"
        page.add(failed, **WHO, **MODEL, **CLIENT, **failure)
        return
    labels = {**WHO, **MODEL, "model": "llama-3.3-70b"}
    page.observe(
        "litellm_request_total_latency_metric", request.latency, LATENCY, times=1, **labels
    )
    page.observe(
        "litellm_llm_api_latency_metric", request.latency - 0.3, LATENCY, times=1, **labels
    )
    if request.streaming:
        page.observe(FIRST, request.first_token, LATENCY, times=1, **labels)
    page.add("litellm_spend_metric_total", _price(request), **labels)
    per_token = request.first_token / request.tokens  # what a stall cannot be seen in
    page.observe("litellm_deployment_latency_per_output_token", per_token, LATENCY, times=1, **WHO)


def _price(request: Request) -> float:
    return (request.prompt_tokens + request.tokens) / 1024


def _count_at_the_deployment(page: Page, status: int) -> None:
    model = {**MODEL, "litellm_model_name": "llama-3.3-70b", "api_base": "http://vllm:8000/v1"}
    page.add("litellm_deployment_total_requests_total", **WHO, **model)
    if status == 200:
        page.add("litellm_deployment_success_responses_total", **WHO, **model)
    else:
        failure = {"exception_status": str(status), "exception_class": CLASSES[status]}
        page.add("litellm_deployment_failure_responses_total", **WHO, **model, **failure)


def _count_guardrails(page: Page, request: Request) -> None:
    """A request that a guardrail blocks is a 400; one that it sends elsewhere is answered."""
    status = "error" if request.status == 400 else "intervened" if request.flagged else "success"
    check = {"guardrail_name": "pii", "hook_type": "pre_call"}
    page.add("litellm_guardrail_requests_total", **check, status=status)
    if status == "error":
        page.add("litellm_guardrail_errors_total", **check, error_type="HTTPException")


_OTHER_CHECKS = {"success": 41, "error": 3}
_CALLS = Counter(status for request in REQUESTS for status in _attempts(request))


def _failed(request: Request) -> bool:
    return request.status in {408, 500, 503}


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": count(_failed, REQUESTS), "total": count(lambda r: not r.cancelled, REQUESTS)},
        {
            "labels": {"requested_model": "llama"},
            "options": {"rate_limited": "bad"},
            "bad": count(lambda r: _failed(r) or r.status == 429, REQUESTS),
            "total": count(lambda r: not r.cancelled, REQUESTS),
        },
        {
            "options": {"rate_limited": "excluded", "cancelled": "bad"},
            "bad": count(lambda r: _failed(r) or r.cancelled, REQUESTS),
            "total": count(lambda r: r.status != 429, REQUESTS),
        },
        {
            "options": {"rate_limited": "bad", "cancelled": "bad"},
            "bad": count(lambda r: _failed(r) or r.cancelled or r.status == 429, REQUESTS),
            "total": len(REQUESTS),
        },
        {
            "options": {"routes": "completions", "keyless": "bad"},
            "bad": count(_failed, REQUESTS) + KEYLESS,
            "total": count(lambda r: not r.cancelled, REQUESTS) + KEYLESS,
        },
        {
            "options": {"health_checks": "included"},
            "bad": count(_failed, REQUESTS),
            "total": count(lambda r: not r.cancelled, REQUESTS) + HEALTH_CHECKS,
        },
        {
            "options": {"routes": "all"},
            "bad": count(_failed, REQUESTS) + KEY_CALLS,
            "total": count(lambda r: not r.cancelled, REQUESTS) + KEY_CALLS,
        },
        {
            "options": {"routes": "all", "keyless": "bad", "health_checks": "included"},
            "bad": count(_failed, REQUESTS) + KEY_CALLS + KEYLESS + SCRAPES,
            "total": count(lambda r: not r.cancelled, REQUESTS)
            + KEY_CALLS
            + KEYLESS
            + SCRAPES
            + HEALTH_CHECKS,
        },
    ],
    "availability": [
        {"labels": {"job": "litellm"}, "bad": 0, "total": 1},
        {"labels": {"job": "litellm", "instance": "litellm-1:4000"}, "bad": 1, "total": 1},
    ],
    "latency": [
        {
            "threshold": "10s",
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "20s",
            "bucket": "laxer",
            "bad": count(lambda r: r.served and r.latency > 30),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "10s",
            "options": {"health_checks": "included"},
            "bad": count(lambda r: r.served and r.latency > 10),
            "total": count(lambda r: r.served) + HEALTH_CHECKS,
        },
    ],
    "time-to-first-token": [
        {
            "threshold": "2s",
            "bad": count(lambda r: r.served and r.streaming and r.first_token > 2),
            "total": count(lambda r: r.served and r.streaming),
        }
    ],
    "content-safety": [
        {
            "bad": count(lambda r: r.flagged or r.status == 400) + _OTHER_CHECKS["error"],
            "total": len(REQUESTS) + sum(_OTHER_CHECKS.values()),
        }
    ],
    "spend": [
        {"spent": sum(_price(r) for r in REQUESTS if r.served) + HEALTH_CHECKS * HEALTH_PRICE},
        {
            "options": {"health_checks": "excluded"},
            "spent": sum(_price(r) for r in REQUESTS if r.served),
        },
    ],
    "inference-failures": [
        {"bad": _CALLS[408] + _CALLS[500] + _CALLS[503], "total": _CALLS.total()},
        {
            "options": {"rate_limited": "bad"},
            "bad": _CALLS[408] + _CALLS[429] + _CALLS[500] + _CALLS[503],
            "total": _CALLS.total(),
        },
        {
            "options": {"health_checks": "included"},
            "bad": _CALLS[408] + _CALLS[500] + _CALLS[503] + FAILED_CHECKS,
            "total": _CALLS.total() + HEALTH_CHECKS + FAILED_CHECKS,
        },
    ],
}
