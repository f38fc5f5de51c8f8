"""llama-server's /metrics: it counts tokens, and no requests."""

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE

LABELS = {"job": "llama", "instance": "llama-0:8080"}


def page() -> Page:
    """Return what the server counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("up", 1)
    page.add("llamacpp:tokens_predicted_total", sum(request.tokens for request in MINUTE))
    page.add("llamacpp:prompt_tokens_total", sum(request.prompt_tokens for request in MINUTE))
    return page


EXPECTED: dict[str, list[dict[str, object]]] = {
    "availability": [{"labels": {"job": "llama"}, "bad": 0, "total": 1}],
    "spend": [{"spent": sum(request.tokens for request in MINUTE)}],
}
