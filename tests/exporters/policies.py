"""Policies to export, and the command that does it, as a user runs it."""

from pathlib import Path

from gate.config.load import load
from gate.policy.policy import Policy
from tests.command import Result, gate

HEAD = """\
version: 1
service: chat
owners: ["@acme/llm-platform"]
backend: {type: prometheus, url: "http://127.0.0.1:9"}
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: exhausted, otherwise: true, allow: [security-patch, rollback]}
burn_rates: google-30d
slos:
"""
BAD = """{bad: 'http_requests_total{code=~"5.."}', total: http_requests_total}"""
AVAILABILITY = f"{{name: availability, objective: 99.9%, window: 30d, sli: {BAD}}}"
SPEND = "{name: spend, allowance: 9 USD, window: {calendar: day}, sli: {spent: s_total}}"


def write_policy(folder: Path, *slos: str) -> Path:
    """Write a policy with these SLOs, each a YAML flow mapping."""
    path = folder / "gate.yaml"
    path.write_text(HEAD + "".join(f"  - {slo}\n" for slo in slos), encoding="utf-8")
    return path


def read_policy(folder: Path, *slos: str) -> Policy:
    """Return the policy with these SLOs."""
    return load(str(write_policy(folder, *slos)), {}).policy


def gate_export(format_: str, path: Path) -> Result:
    """Run the command."""
    return gate("export", str(path), "--format", format_)
