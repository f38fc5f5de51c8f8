"""The parts of a first policy: its backend, the indicators of the server named, and the rules."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gate.config.preset import EVALUATION, KINDS
from gate.config.presets import load_preset

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
    slos: str
    """Where no server is named."""


def _slos(*slos: str) -> str:
    return "slos:\n" + "".join(slos)


def _availability(sli: str) -> str:
    return f"""\
  - name: availability
    objective: 99.9%          # 0.1 % of requests may fail
    window: 30d
    sli:
{sli}"""


def _judged(sli: str) -> str:
    return f"""\
  - name: quality
    objective: 98%            # of the answers that were judged
    window: 30d
    sampled: true             # judge by a 95 % interval
    sli:
{sli}"""


def _latency(sli: str) -> str:
    return f"""\
  - name: latency
    objective: 95%            # a P95 objective: 95 % of requests are fast enough
    window: 30d
    sli:
{sli}"""


_STARTERS: Final[Mapping[Callable[[str], str], tuple[str, ...]]] = {
    _availability: ("errors",),
    _latency: ("time-to-first-token", "latency"),
    _judged: (EVALUATION, *KINDS),
}
"""How an SLO is described, by the kinds of indicator that it can have, the best one first."""

_HTTP: Final = _slos(
    _availability(
        """\
      bad: http_requests_total{status=~"5.."}   # a bare selector stands for its summed increase
      total: http_requests_total
"""
    ),
    _latency(
        """\
      histogram: http_request_duration_seconds
      threshold: 2.5s         # must be a boundary of the histogram
"""
    ),
)
"""For any service that counts its requests."""


def slos_of(server: str) -> str:
    """Return the ``slos`` block for a preset: its errors and latency, or else a judged quality."""
    indicators = load_preset(server).indicators
    found = {
        describe: kind
        for describe, kinds in _STARTERS.items()
        for kind in kinds[::-1]
        if indicators[kind].families
    }
    if len(found) > 1:
        found.pop(_judged, None)
    return _slos(*(describe(_of_preset(server, kind)) for describe, kind in found.items()))


def _of_preset(server: str, kind: str) -> str:
    preset = load_preset(server)
    indicator = preset.indicators[kind]
    lines = [f"preset: {server}/{kind}"]
    if indicator.threshold is not None:
        lines.append(f"threshold: {indicator.threshold}")
    labels = (*preset.requires, *indicator.requires)
    options = [
        f"{key}: {next(iter(option.choices), f'my-{key}')}"
        for key, option in indicator.options.items()
        if option.default is None
    ]
    if options:
        lines.append(f"options: {{{', '.join(options)}}}   # see gate presets show {server}/{kind}")
    if labels:
        lines.append(f"labels: {{{', '.join(f'{label}: my-{label}' for label in labels)}}}")
    return "".join(f"      {line}\n" for line in lines)


_PATH: Final = """\
backend:
  type: logs
  path: ../logs/*.jsonl       # from this file's folder; also .csv, .parquet, .gz
"""


def block_of(backend: str, server: str | None) -> str:
    """Return the ``backend`` block; a preset for logs knows their rows."""
    if server is None or load_preset(server).records is None:
        return BACKENDS[backend].block
    return f"{_PATH}  records: {server}\n\n"


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
        _HTTP,
    ),
    "logs": Starter(
        f"""\
{_PATH}\
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
