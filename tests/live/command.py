"""The command, run as a user runs it: a policy file in, a decision and exit code out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.command import gate
from tests.servers.series import END

NOW = END.isoformat()
TIERS = [
    {"name": "healthy", "remaining": "> 50%", "allow": "all"},
    {"name": "caution", "remaining": "> 10%", "allow": ["canary", "bug-fix", "rollback"]},
    {"name": "exhausted", "otherwise": True, "allow": ["rollback"]},
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one run of the command."""

    code: int
    decision: dict[str, Any]
    """Empty when none was printed."""
    stderr: str

    @property
    def slos(self) -> dict[str, dict[str, Any]]:
        """The SLOs of the only policy by name."""
        (policy,) = self.decision["policies"]
        return {slo["name"]: slo for slo in policy["slos"]}


def policy(folder: Path, url: str, slos: Sequence[dict[str, Any]], **more: Any) -> Path:
    """Write a policy file."""
    document = {
        "version": 1,
        "service": "chat",
        "owners": ["@acme/llm-platform"],
        "backend": {"type": "prometheus", "url": url},
        "slos": list(slos),
        "tiers": TIERS,
        **more,
    }
    path = folder / "policy.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def availability(service: str, **more: Any) -> dict[str, Any]:
    """Return an SLO of 99.9% over 30 days on a service of the history."""
    total = f'llm_requests_total{{service="{service}"}}'
    bad = f'sum(increase(llm_requests_total{{service="{service}",code="500"}}[$window]))'
    return {
        "name": service,
        "objective": "99.9%",
        "window": "30d",
        "sli": {"bad": bad, "total": total},
        **more,
    }


def check(path: Path, *options: str, change: str = "canary", at: str = NOW) -> Outcome:
    """Run ``gate check`` on a policy."""
    when = ("--at", at, "--format", "json")
    done = gate("check", str(path), "--change", change, *when, *options)
    decision = json.loads(done.stdout) if done.stdout else {}
    return Outcome(code=done.exit_code, decision=decision, stderr=done.stderr)
