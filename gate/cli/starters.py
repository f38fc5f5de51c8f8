"""The parts of a first policy: its backend, the indicators of the server named, and the rules."""

from dataclasses import dataclass
from typing import Final

HEAD: Final = """\
# What may ship, at which error budget. Check it with: gate validate THIS_FILE
version: 1
service: $service
owners: ["@my-org/my-team"]   # whom a blocked team asks

"""


@dataclass(frozen=True, slots=True)
class Starter:
    """What is particular to a backend."""

    block: str
    advice: str
    slos: str = ""


def _slos(*slos: str) -> str:
    return "slos:\n" + "".join(slos)


def _availability(sli: str) -> str:
    return f"""\
  - name: availability
    objective: 99.9%          # 0.1 % of requests may fail
    window: 30d
    sli:
{sli}"""


def _latency(sli: str) -> str:
    return f"""\
  - name: latency
    objective: 95%            # a P95 objective: 95 % of requests are fast enough
    window: 30d
    sli:
{sli}"""


SERVERS: Final = {
    # Names and boundaries: the servers' own sources (vllm/v1/metrics/loggers.py and the FastAPI
    # instrumentator, sglang/srt/observability/metrics_collector.py,
    # litellm/types/integrations/prometheus.py). A bare selector stands for
    # sum(increase(selector[window])).
    "http": _slos(
        _availability(
            """\
      bad: http_requests_total{status=~"5.."}
      total: http_requests_total
"""
        ),
        _latency(
            """\
      # le must be a boundary of the histogram, as the server writes it
      good: http_request_duration_seconds_bucket{le=~"2(\\\\.0)?"}
      total: http_request_duration_seconds_count
"""
        ),
    ),
    "vllm": _slos(
        _availability(
            """\
      # a stream that breaks after it began counts as 2xx here
      bad: http_requests_total{handler=~"/v1/(chat/)?completions",status="5xx"}
      total: http_requests_total{handler=~"/v1/(chat/)?completions"}
"""
        ),
        _latency(
            """\
      # time to first token; vLLM has boundaries at 1, 2.5, 5 s and others, none at 2
      good: vllm:time_to_first_token_seconds_bucket{le="2.5"}
      total: vllm:time_to_first_token_seconds_count
"""
        ),
    ),
    "sglang": _slos(
        _availability(
            """\
      # needs --enable-metrics
      bad: sglang:http_responses_total{status_code=~"5.."}
      total: sglang:http_responses_total
"""
        ),
        _latency(
            """\
      # time to first token; SGLang has boundaries at 1, 2, 4 s and others
      good: sglang:time_to_first_token_seconds_bucket{le=~"2(\\\\.0)?"}
      total: sglang:time_to_first_token_seconds_count
"""
        ),
    ),
    "litellm": _slos(
        _availability(
            """\
      # 4xx are the callers' own; remove the matcher to count them
      bad: litellm_proxy_failed_requests_metric_total{exception_status!~"4.."}
      total: litellm_proxy_total_requests_metric_total
"""
        ),
        _latency(
            """\
      # 1, 2, 5, 10 and 30 s are boundaries in old and new versions alike
      good: litellm_request_total_latency_metric_bucket{le=~"10(\\\\.0)?"}
      total: litellm_request_total_latency_metric_count
"""
        ),
    ),
}
"""The ``slos`` block for the prometheus backend, by server."""

BACKENDS: Final = {
    "prometheus": Starter(
        """\
backend:
  type: prometheus            # also Mimir, Thanos, VictoriaMetrics, Grafana Cloud
  url: "$${PROMETHEUS_URL}"    # the part before /api/v1
  # auth: {bearer: "$${PROMETHEUS_TOKEN}"}
  # headers: {X-Scope-OrgID: my-tenant}

""",
        "set PROMETHEUS_URL",
    ),
    "logs": Starter(
        """\
backend:
  type: logs
  path: ../logs/*.jsonl       # from this file's folder; also .csv, .parquet, .gz
  timestamp: ts               # the column that says when
  # time_zone: Europe/Berlin  # of timestamps that carry none

""",
        "set the path and the columns",
        _slos(
            _availability("      bad: status >= 500\n"),
            _latency("      column: latency_ms\n      threshold: 2000\n"),
        ),
    ),
    "static": Starter(
        """\
backend:
  type: static
  path: counts.yaml           # from this file's folder

""",
        "write counts.yaml: counts: {availability: {total: 1000000, bad: 400}}",
        """\
slos:
  - name: availability        # also the name of the counts in the file
    objective: 99.9%
    window: 30d
""",
    ),
}
"""By the name of the backend."""

RULES: Final = """
tiers:                        # by the worst remaining budget; the first that holds
  - {name: healthy, remaining: "> 50%", allow: all}
  - name: caution
    remaining: "> 10%"
    allow: [canary, config-change, bug-fix, reliability-fix, security-patch, rollback]
  - name: exhausted
    otherwise: true
    allow: [security-patch, rollback]

# burn_rates: google-30d      # also stop while the budget burns fast right now

on:                           # what cannot be measured does not pass; these are the defaults
  no_data: block
  stale: block
  partial: block
  backend_error: block
  low_traffic: warn
  low_coverage: warn
  except: [rollback]          # a gate must not prolong an outage of the monitoring either
"""
