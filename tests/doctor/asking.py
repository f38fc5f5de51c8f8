"""The command on a policy, and its report."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.command import Result, gate
from tests.doctor.planted import END

TIERS = [{"name": "any", "otherwise": True, "allow": "all"}]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of one run of the doctor."""

    code: int
    report: dict[str, Any]
    stderr: str

    @property
    def policy(self) -> dict[str, Any]:
        (policy,) = self.report["policies"]
        return dict(policy)

    @property
    def backend(self) -> list[dict[str, Any]]:
        """The findings about the backend as a whole."""
        return wrong(self.policy["backend"])

    @property
    def slos(self) -> dict[str, dict[str, Any]]:
        return {slo["name"]: slo for slo in self.policy["slos"]}


def wrong(examined: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the checks that found something."""
    return [check for check in examined["checks"] if check["level"] != "ok"]


def levels(examined: Mapping[str, Any]) -> dict[str, str]:
    return {check["check"]: check["level"] for check in wrong(examined)}


def write_policy(
    folder: Path, backend: Mapping[str, Any], slos: Sequence[Mapping[str, Any]], **more: Any
) -> Path:
    document = {
        "version": 1,
        "service": "chat",
        "backend": dict(backend),
        "slos": [dict(slo) for slo in slos],
        "tiers": TIERS,
        **more,
    }
    path = folder / "gate.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def run(path: Path, *options: str, at: str = END.isoformat()) -> Result:
    return gate("doctor", str(path), "--at", at, *options, env={"NO_PROXY": "*"})


def examine(path: Path, *options: str, at: str = END.isoformat()) -> Outcome:
    done = run(path, "--format", "json", *options, at=at)
    assert done.stdout, done.stderr
    return Outcome(code=done.exit_code, report=json.loads(done.stdout), stderr=done.stderr)
