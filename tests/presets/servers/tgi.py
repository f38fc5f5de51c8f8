"""TGI's /metrics (router/src/server.rs, infer/mod.rs, backends/v3/src/backend.rs), Rust client."""

from itertools import accumulate, repeat
from operator import mul

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "tgi", "instance": "tgi-0:9000"}
DURATION = tuple(accumulate(repeat(1.5, 35), mul, initial=0.0001))[1:]
"""As the server computes them: 0.0001 s, 35 times multiplied by 1.5."""
TOKENS = tuple(4096 / 100 * (part + 1) for part in range(100))
FAILURES = {500: "generation", 503: "incomplete", 429: "overloaded", 400: "validation"}


def page() -> Page:
    """Return what the router counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("up", 1)
    page.add("tgi_batch_inference_failure", 2, method="decode")
    for request in MINUTE:
        _expose(page, request)
    return page


def _expose(page: Page, request: Request) -> None:
    page.add("tgi_request_count", 2)  # by the chat route, and again by what it calls
    if request.cancelled:
        page.add("tgi_request_failure", err="dropped")
    elif not request.served:
        page.add("tgi_request_failure", err=FAILURES[request.status])
    else:
        page.add("tgi_request_success")
        page.observe("tgi_request_duration", request.latency, DURATION)
        page.observe("tgi_request_queue_duration", 0.002, DURATION)
        page.observe("tgi_request_mean_time_per_token_duration", request.per_token, DURATION)
        page.observe("tgi_request_generated_tokens", request.tokens, TOKENS)


def _failed(request: Request, *statuses: int) -> bool:
    return request.status in statuses


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {
            "bad": count(lambda r: _failed(r, 500, 503, 429)),
            "total": count(lambda r: not r.cancelled),
        },
        {
            "options": {"rate_limited": "excluded", "client_errors": "excluded"},
            "bad": count(lambda r: _failed(r, 500, 503)),
            "total": count(lambda r: not r.cancelled and not _failed(r, 429, 400)),
        },
        {
            "options": {"rate_limited": "good", "cancelled": "bad"},
            "bad": count(lambda r: _failed(r, 500, 503) or r.cancelled),
            "total": len(MINUTE),
        },
    ],
    "availability": [{"labels": {"job": "tgi"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "8.52226929923929s",
            "bad": count(lambda r: r.served and r.latency > 8.53),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "10s",
            "bucket": "stricter",
            "bad": count(lambda r: r.served and r.latency > 8.53),
            "total": count(lambda r: r.served),
        },
        {
            "threshold": "10s",
            "bucket": "laxer",
            "bad": count(lambda r: r.served and r.latency > 12.79),
            "total": count(lambda r: r.served),
        },
    ],
    "inter-token-latency": [
        {
            "threshold": "98.52612533569335ms",
            "bad": count(lambda r: r.served and r.per_token > 0.0986),
            "total": count(lambda r: r.served),
        }
    ],
    "spend": [{"spent": sum(r.tokens for r in MINUTE if r.served)}],
    "inference-failures": [
        {
            "bad": count(lambda r: _failed(r, 500, 503)),
            "total": count(lambda r: r.served or _failed(r, 500, 503)),
        }
    ],
}
