"""A policy with nearly every key, and policies as JSON Schema sees them."""

import re
from collections.abc import Iterator
from typing import Any

import yaml

ENVIRON = {
    "URL": "http://x",
    "T": "hunter2",
}

WHOLE = """\
version: 1
service: "42"
owners: [1, "@ada", no]
dashboard: https://grafana.example/d/chat
backend:
  type: prometheus
  url: "${URL}"
  auth: {bearer: "${T}"}
  headers: {X-Scope-OrgID: 7}
  parameters: {namespace: shop}
  method: get
  parallel: "4"
  retries: 3
slos:
  - name: availability
    objective: 0.999
    sla: 99.5%
    window: {calendar: month, begins: 2026-01-15, time_zone: Europe/Berlin, denominator: to-date}
    sli: {bad: 'x{code=~"5.."}', total: x, labels: {code: 200, up: true}}
    min_events: 10
  - {name: up, objective: 99%, window: 30d, sli: {gauge: up}}
  - name: slices
    objective: 99%
    window: 1d
    sli: {good: a, total: b}
    timeslices: {length: 5m, target: 1, empty: bad}
  - {name: quality, objective: 98%, window: 7d, sli: {bad: a, total: b}, sampled: True}
  - name: more
    objective: 98%
    window: 7d
    sli: {bad: a, good: b}
    sampled: {bound: point, design_effect: 3}
  - name: ttft
    objective: 95%
    window: 30d
    sli: {histogram: ttft, threshold: 2.5s, unit: s, bucket: stricter}
  - name: errors
    objective: 95%
    window: 30d
    sli: {preset: vllm/errors, options: {client_errors: excluded}}
  - {name: read, objective: 95%, window: 30d, sli: {recorded: pyrra, labels: {slo: a}}}
  - {name: money, allowance: 500.5 USD, window: 30d, sli: {spent: a}, advisory: "false"}
  - {name: tokens, allowance: 5e2, window: 30d, sli: {spent: a}}
  - {name: all, composite: [{slo: availability, weight: 0.5}, {slo: up, weight: "1/3"}]}
changes:
  default: mine
  mine:
    description: Ours
    paths: ["prompts/**"]
    labels: [prompt, 1]
    branches: ["prompt/*"]
    types: [feat]
    trailers: {Change-Class: mine}
    approved_by: ["@ada", write]
  other: {description: Of another kind}
live: {github-deployments: production}
overrides:
  {max_duration: 1h, approved_by: ["@ada", "@acme/sre"], label: gate-override, confirmed: true}
tiers:
  - {name: healthy, remaining: "> 50%", allow: all, warn: [mine], require: {canary: [review]}}
  - name: rest
    otherwise: TRUE
    allow: [rollback, canary]
    require:
      canary:
        - evaluation: faithfulness
          from: [evals/*.json, "more/**/*.xml"]
          at_least: 95%
          cases: "2"
          max_age: 24h
          not_worse_than: base
          base_from: base/*.json
          metric: exact_match,none
          score: 0.8
          case_ids: [q-1, 2]
          repeats: 3
        - evaluation: safety
          from: {artifact: evaluate, files: ["*.json", "more/**"]}
          at_least: 0.5
          case_digest: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        - shadow:
            by: deployment
            candidate: shadow
            against: live
            slos: [availability]
            margin: 10%
            for: 1h
            pair_by: request_id
claims: allowed
burn_rates: [{long: 1h, short: 5m, rate: 14.4, effect: warn, allow: [canary]}]
freezes:
  - {from: 2026-12-20, to: 2027-01-02T18:00, time_zone: UTC, reason: year end, allow: []}
exhaustion: {within: 3d, effect: warn, allow: []}
postmortems:
  {share: 20%, known_incidents: ["incidents/*.yaml"], last: 28d, excuse_reviewed: true}
control_charts: {effect: block, last: 28d, step: 2h, baseline: 7d, signal_ttl: 6h, allow: [mine]}
on: {no_data: allow, stale: warn, except: [rollback]}
max_age: 5m
min_coverage: 0.5
coverage_floor: 25%
valid_for: 1h
"""


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema, as editors read it: no dates, no yes and no, no sexagesimals."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


# https://yaml.org/spec/1.2.2/#1032-tag-resolution
for tag, pattern, firsts in (
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+", list("-+0123456789")),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", list("-+.0123456789")),
):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), firsts)


def parsed(text: str) -> Any:
    """Return a document as an editor sees it."""
    return yaml.load(text, Core)


def properties(schema: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Return every key that a policy can have, in any block, with its schema."""
    if isinstance(schema, list):
        for part in schema:
            yield from properties(part, path)
    if isinstance(schema, dict):
        for name, value in schema.get("properties", {}).items():
            yield f"{path}/{name}", value
            yield from properties(value, f"{path}/{name}")
        for word in ("items", "anyOf", "oneOf", "additionalProperties"):
            yield from properties(schema.get(word), path)
