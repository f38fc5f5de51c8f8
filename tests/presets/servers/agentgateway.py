"""agentgateway's /metrics (crates/agentgateway/src/telemetry/metrics.rs), in Rust."""

from tests.presets.exposition import Page, as_go
from tests.presets.traffic import MINUTE, Request, count

LABELS = {"job": "agentgateway", "instance": "agentgateway-0:15020", "route": "default/models"}
WHOLE = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
FIRST = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
BETWEEN = (0.001, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5)
MODEL = {"gen_ai_request_model": "gpt-5", "gen_ai_response_model": "gpt-5", "gen_ai_system": "x"}
TOOLS, BROKEN_TOOLS = 40, 9
CHECKS = {"Allow": 50, "Mask": 6, "Reject": 4, "FailOpen": 2}


def page() -> Page:
    """Return what the gateway counts of one minute."""
    page = Page(format=as_go, common=LABELS)
    page.add("up", 1)
    requests = "agentgateway_requests_total"
    page.add(requests, TOOLS, protocol="mcp", method="POST", status="200")
    page.add(requests, BROKEN_TOOLS, protocol="mcp", method="POST", status="500")
    for action, times in CHECKS.items():
        name = "agentgateway_guardrail_checks_total"
        page.add(name, times, phase="Request", action=action)
    for request in MINUTE:
        # What is refused has no backend yet.
        protocol = "unknown" if request.status in {400, 429} else "llm"
        page.add(requests, 1, protocol=protocol, method="POST", status=str(request.status))
        if protocol == "unknown":
            continue
        prefix = "agentgateway_gen_ai_server_"
        page.observe(f"{prefix}request_duration", request.latency, WHOLE, times=1, **MODEL)
        if request.served and request.streaming:
            page.observe(
                f"{prefix}time_to_first_token", request.first_token, FIRST, times=1, **MODEL
            )
            page.observe(
                f"{prefix}time_per_output_token", request.per_token, BETWEEN, times=1, **MODEL
            )
        page.add("agentgateway_gen_ai_client_cost_usd_total", 1 / 64, **MODEL)
    return page


def _failed(request: Request) -> bool:
    return request.status >= 500


def _called(request: Request) -> bool:
    return request.status not in {400, 429}


EXPECTED: dict[str, list[dict[str, object]]] = {
    "errors": [
        {"bad": count(_failed), "total": len(MINUTE)},
        {
            "options": {"rate_limited": "bad", "protocols": "all"},
            "bad": count(lambda r: _failed(r) or r.status == 429) + BROKEN_TOOLS,
            "total": len(MINUTE) + TOOLS + BROKEN_TOOLS,
        },
        {
            "options": {"client_errors": "excluded"},
            "bad": count(_failed),
            "total": count(_called),
        },
    ],
    "availability": [{"labels": {"job": "agentgateway"}, "bad": 0, "total": 1}],
    "latency": [
        {
            "threshold": "10.24s",
            "bad": count(lambda r: _called(r) and r.latency > 10.24),
            "total": count(_called),
        }
    ],
    "time-to-first-token": [
        {
            "threshold": "2.5s",
            "bad": count(lambda r: r.served and r.streaming and r.first_token > 2.5),
            "total": count(lambda r: r.served and r.streaming),
        }
    ],
    "inter-token-latency": [
        {
            "threshold": "100ms",
            "bad": count(lambda r: r.served and r.streaming and r.per_token > 0.1),
            "total": count(lambda r: r.served and r.streaming),
        }
    ],
    "content-safety": [
        {
            "bad": CHECKS["Mask"] + CHECKS["Reject"] + CHECKS["FailOpen"],
            "total": sum(CHECKS.values()),
        },
        {
            "options": {"failed": "good"},
            "bad": CHECKS["Mask"] + CHECKS["Reject"],
            "total": sum(CHECKS.values()),
        },
    ],
    "spend": [{"spent": count(_called) / 64}],
}
