"""vLLM's own metrics under the names that others expose them by (vllm/v1/metrics/loggers.py)."""

from tests.presets.exposition import Page
from tests.presets.traffic import Request

E2E = (
    *(0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920),
    7680,
)
FIRST = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20),
    *(40, 80, 160, 640, 2560),
)
BETWEEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)
LONGER = (*BETWEEN, 5, 7.5, 10, 20, 40, 80)


def reached_engine(request: Request) -> bool:
    """Tell whether the engine counts it; what was aborted is in no metric per request."""
    return request.status not in {400, 408, 429} and not request.cancelled


def count_engine(page: Page, prefix: str, request: Request, **labels: str) -> None:
    """Add what the engine counts of a request, such as ``ray_vllm_request_success_total``."""
    if not reached_engine(request):
        return
    success, model = f"{prefix}request_success_total", {"model_name": "llama-3.3-70b", **labels}
    page.add(success, 1, **model, engine="0", finished_reason=request.finish)
    page.add(f"{prefix}generation_tokens_total", request.tokens, **model, engine="0")
    if not request.served:
        return
    page.observe(
        f"{prefix}time_to_first_token_seconds", request.first_token, FIRST, times=1, **model
    )
    page.observe(f"{prefix}e2e_request_latency_seconds", request.latency, E2E, times=1, **model)
    # For some versions a newer and an older name stand side by side.
    between = {"inter_token_latency_seconds": LONGER, "time_per_output_token_seconds": BETWEEN}
    for name, boundaries in between.items():
        times = request.tokens - 1
        page.observe(f"{prefix}{name}", request.per_token, boundaries, times=times, **model)
