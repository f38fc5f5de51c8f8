"""An application that OpenTelemetry instruments, by the Python SDK's Prometheus exporter.

One has the newest names; one no suffixes; one is OpenLLMetry's, whose failures have no labels.
"""

from collections.abc import Iterable, Mapping

from tests.presets.exposition import Page, as_python
from tests.presets.traffic import MINUTE, Request, count

MODEL = {"gen_ai_request_model": "gpt-5", "gen_ai_response_model": "gpt-5-2025-08-07"}
NEW = {"job": "chat-app", "gen_ai_provider_name": "openai", **MODEL}
BARE = {"job": "chat-bare", "gen_ai_system": "openai", **MODEL}
OPENLLMETRY = {"job": "chat-openllmetry"}
ADVISED = (
    *(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92),
)
DEFAULT = (0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000)
TOKENS = tuple(4**power for power in range(14))
CLASSES = {
    400: "BadRequestError",
    429: "openai.RateLimitError",
    500: "InternalServerError",
    503: "APIStatusError",
}
HALF, THIRD = MINUTE[::2], MINUTE[::3]
AGENTS, BROKEN_AGENTS, TOOLS = 20, 3, 31
"""Operations that hold others within, so that each request would count twice."""


def page() -> Page:
    """Return what the applications count of one minute."""
    page = Page(format=as_python, common={"otel_scope_name": "opentelemetry.instrumentation"})
    _expose(page, MINUTE, NEW, "_seconds")
    _expose(page, HALF, BARE, "")
    _expose_openllmetry(page)
    duration = "gen_ai_client_operation_duration_seconds"
    agent = {**NEW, "gen_ai_operation_name": "invoke_agent"}
    page.observe(duration, 17.0, ADVISED, times=AGENTS, **agent)
    page.observe(duration, 17.0, ADVISED, times=BROKEN_AGENTS, **agent, error_type="KeyError")
    tool = {**NEW, "gen_ai_operation_name": "execute_tool"}
    page.observe(duration, 0.2, ADVISED, times=TOOLS, **tool)
    return page


def _expose(
    page: Page, requests: Iterable[Request], labels: Mapping[str, str], suffix: str
) -> None:
    chat, operation = {**labels, "gen_ai_operation_name": "chat"}, "gen_ai_client_operation_"
    for request in requests:
        if request.cancelled:
            continue
        error = {} if request.served else {"error_type": CLASSES[request.status]}
        page.observe(
            f"{operation}duration{suffix}", request.latency, ADVISED, times=1, **chat, **error
        )
        if not request.served:
            continue
        if request.streaming:
            first, between = "time_to_first_chunk", "time_per_output_chunk"
            page.observe(
                f"{operation}{first}{suffix}", request.first_token, ADVISED, times=1, **chat
            )
            times = request.tokens - 1
            name = f"{operation}{between}{suffix}"
            page.observe(name, request.per_token, ADVISED, times=times, **chat)
        if suffix:
            _expose_usage(page, request, chat)
        else:
            used = {"input": request.prompt_tokens, "output": request.tokens, "cache_read": 9}
            for kind, tokens in used.items():
                usage = {**chat, "gen_ai_token_type": kind}
                page.observe("gen_ai_client_token_usage", tokens, TOKENS, times=1, **usage)


def _expose_usage(page: Page, request: Request, labels: Mapping[str, str]) -> None:
    text, usage = {**labels, "gen_ai_token_modality": "text"}, "gen_ai_client_inference_usage_"
    page.add(f"{usage}input_tokens_total", request.prompt_tokens, **text)
    page.add(f"{usage}output_tokens_total", request.tokens, **text)
    page.add(f"{usage}cache_read_input_tokens_total", request.prompt_tokens // 2, **text)
    page.add(f"{usage}reasoning_output_tokens_total", request.tokens // 3, **text)


def _expose_openllmetry(page: Page) -> None:
    duration = "gen_ai_client_operation_duration_seconds"
    chat = {**OPENLLMETRY, "gen_ai_provider_name": "openai", "gen_ai_operation_name": "chat"}
    for request in THIRD:
        if not request.cancelled:
            error = {**OPENLLMETRY, "error_type": CLASSES.get(request.status, "")}
            labels = chat if request.served else error
            page.observe(duration, request.latency, DEFAULT, times=1, **labels)
        if request.served:
            used = {"input": request.prompt_tokens, "output": request.tokens}
            for kind, tokens in used.items():
                usage = {**chat, "gen_ai_token_type": kind}
                page.observe("gen_ai_client_token_usage_token", tokens, DEFAULT, times=1, **usage)


def _failed(request: Request) -> bool:
    return request.status >= 400


def _ended(request: Request) -> bool:
    return not request.cancelled


def _streamed(request: Request) -> bool:
    return request.served and request.streaming


def _used(requests: Iterable[Request]) -> int:
    return sum(r.prompt_tokens + r.tokens for r in requests if r.served)


def _chunks(requests: Iterable[Request], longer_than: float = 0) -> int:
    return sum(r.tokens - 1 for r in requests if _streamed(r) and r.per_token > longer_than)


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"labels": {"job": NEW["job"]}, "bad": count(_failed), "total": count(_ended)},
        {
            "labels": {"gen_ai_provider_name": "openai", "job": NEW["job"]},
            "options": {"rate_limited": "excluded", "operations": "all"},
            "bad": count(lambda r: _failed(r) and r.status != 429) + BROKEN_AGENTS,
            "total": count(lambda r: _ended(r) and r.status != 429)
            + (AGENTS + BROKEN_AGENTS + TOOLS),
        },
        {
            "labels": {"gen_ai_system": "openai"},
            "options": {"rate_limited": "good"},
            "bad": count(lambda r: _failed(r) and r.status != 429, HALF),
            "total": count(_ended, HALF),
        },
        {"labels": OPENLLMETRY, "bad": count(_failed, THIRD), "total": count(_ended, THIRD)},
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
            "labels": {"job": BARE["job"]},
            "options": {"failures": "bad"},
            "bad": count(lambda r: _failed(r) or (r.served and r.latency > 2.56), HALF),
            "total": count(_ended, HALF),
        },
        {
            "threshold": "10s",
            "labels": OPENLLMETRY,
            "bad": count(lambda r: r.served and r.latency > 10, THIRD),
            "total": count(lambda r: r.served, THIRD),
        },
    ],
    "time-to-first-token": [
        {
            "threshold": "2.56s",
            "labels": {"job": NEW["job"]},
            "bad": count(lambda r: _streamed(r) and r.first_token > 2.56),
            "total": count(_streamed),
        },
        {
            "threshold": "5.12s",
            "labels": {"job": BARE["job"]},
            "bad": count(lambda r: _streamed(r) and r.first_token > 5.12, HALF),
            "total": count(_streamed, HALF),
        },
    ],
    "inter-token-latency": [
        {
            "threshold": "80ms",
            "labels": {"job": NEW["job"]},
            "bad": _chunks(MINUTE, 0.08),
            "total": _chunks(MINUTE),
        },
        {
            "threshold": "160ms",
            "labels": {"job": BARE["job"]},
            "bad": _chunks(HALF, 0.16),
            "total": _chunks(HALF),
        },
    ],
    "spend": [
        {"labels": {"job": NEW["job"]}, "spent": _used(MINUTE)},
        {"labels": {"job": BARE["job"]}, "spent": _used(HALF)},
        {"labels": OPENLLMETRY, "spent": _used(THIRD)},
    ],
}
