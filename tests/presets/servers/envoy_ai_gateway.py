"""Envoy AI Gateway's page (internal/metrics, cmd/extproc/mainlib/admin_test.go), Go client."""

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "ai-gateway", "otel_scope_name": "envoyproxy/ai-gateway"}
MODEL = {
    "gen_ai_original_model": "llama",
    "gen_ai_provider_name": "openai",
    "gen_ai_request_model": "llama-3.3-70b",
    "gen_ai_response_model": "llama-3.3-70b",
}
CHAT = {**MODEL, "gen_ai_operation_name": "chat"}
DURATION = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
FIRST = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 15),
    *(20, 30, 45, 60),
)
BETWEEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)
TOKENS = tuple(4**power for power in range(14))
EMBEDDED, NOT_EMBEDDED = 38, 4
"""Requests for embeddings that were answered, and that failed."""


def page() -> Page:
    """Return what the processor counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("up", 1)
    for request in MINUTE:
        if not request.cancelled:  # it has no end of stream, so it is not counted
            _count(page, request)
    duration = "gen_ai_server_request_duration_seconds"
    embedding = {**MODEL, "gen_ai_operation_name": "embeddings"}
    page.observe(duration, 0.07, DURATION, times=EMBEDDED, **embedding)
    page.observe(duration, 0.07, DURATION, times=NOT_EMBEDDED, **embedding, error_type="_OTHER")
    old = {"job": "ai-gateway-0.3", **CHAT}
    page.observe(
        "gen_ai_client_token_usage_token", 10, TOKENS, times=1, **old, gen_ai_token_type="input"
    )
    page.observe(
        "gen_ai_client_token_usage_token", 7, TOKENS, times=1, **old, gen_ai_token_type="output"
    )
    return page


def _count(page: Page, request: Request) -> None:
    error = {} if request.served else {"error_type": "_OTHER"}
    duration = "gen_ai_server_request_duration_seconds"
    page.observe(duration, request.latency, DURATION, times=1, **CHAT, **error)
    if not request.served:
        return
    if request.streaming:
        first = "gen_ai_server_time_to_first_token_seconds"
        page.observe(first, request.first_token, FIRST, times=1, **CHAT)
        between = "gen_ai_server_time_per_output_token_seconds"
        page.observe(between, request.per_token, BETWEEN, times=1, **CHAT)
    used = {
        "input": request.prompt_tokens,
        "output": request.tokens,
        "cached_input": request.prompt_tokens // 2,
        "reasoning": request.tokens // 3,
    }
    for kind, tokens in used.items():
        usage = {**CHAT, "gen_ai_token_type": kind}
        page.observe("gen_ai_client_token_usage", tokens, TOKENS, times=1, **usage)


def _streamed(request: Request) -> bool:
    return request.served and request.streaming


_FAILED = count(lambda r: r.status >= 400)
_ENDED = count(lambda r: not r.cancelled)
EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": _FAILED, "total": _ENDED},
        {
            "labels": {"gen_ai_request_model": "llama-3.3-70b"},
            "options": {"operations": "all"},
            "bad": _FAILED + NOT_EMBEDDED,
            "total": _ENDED + EMBEDDED + NOT_EMBEDDED,
        },
    ],
    "availability": [{"labels": {"job": "ai-gateway"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10.24s",
            "bad": count(lambda r: r.served and r.latency > 10.24),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "5.12s",
            "options": {"failures": "bad"},
            "bad": count(lambda r: r.status >= 400 or (r.served and r.latency > 5.12)),
            "total": _ENDED,
        },
        {
            "threshold": "5s",
            "bucket": "stricter",
            "options": {"operations": "all"},
            "bad": count(lambda r: r.served and r.latency > 2.56),
            "total": count(lambda r: r.served) + EMBEDDED,
        },
    ],
    "time-to-first-token": [
        {
            "threshold": "2.5s",
            "bad": count(lambda r: _streamed(r) and r.first_token > 2.5),
            "total": count(_streamed),
        }
    ],
    "inter-token-latency": [
        {
            "threshold": "100ms",
            "bad": count(lambda r: _streamed(r) and r.per_token > 0.1),
            "total": count(_streamed),
        }
    ],
    "spend": [
        # Two versions side by side, each with its own name and requests of its own.
        {"spent": sum(r.prompt_tokens + r.tokens for r in MINUTE if r.served) + 17},
        {"labels": {"job": "ai-gateway-0.3"}, "spent": 17},
    ],
}
