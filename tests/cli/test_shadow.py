"""A tier that requires a shadow, through the command: what it exits with, and what it prints."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.backends.logs.written import AT
from tests.check.shadows import Minute, hour, write_minutes
from tests.command import Result, gate

LIVE = hour("live", 60_000, 60)
POLICY = """\
version: 1
service: chat
owners: ["@acme/llm-platform"]
backend: {type: logs, path: requests.parquet, timestamp: ts}
slos:
  - {name: availability, objective: 99%, window: 1h, sli: {bad: status >= 500}}
tiers:
  - name: healthy
    remaining: "> 0%"
    allow: all
    require:
      model-update:
        - {shadow: {by: deployment, candidate: shadow, against: live, margin: 50%, for: 1hMORE}}
  - {name: exhausted, otherwise: true, allow: [rollback]}
"""


def check(
    folder: Path, minutes: Sequence[Minute], *options: str, text: str = POLICY, more: str = ""
) -> Result:
    write_minutes(folder / "requests.parquet", minutes)
    (folder / "gate.yaml").write_text(text.replace("MORE", more), encoding="utf-8")
    when = ("--at", AT.isoformat(), "--policy-ref", "none")
    return gate("check", "gate.yaml", "--change", "model-update", *when, *options, cwd=folder)


@pytest.mark.variants(1)
@pytest.mark.parametrize(
    ("minutes", "verdict", "code", "words"),
    [
        (
            LIVE + hour("shadow", 60_000, 60),
            "allow",
            0,
            "the excess is at most 0.0364% (95% confidence), and 0.5% is allowed (50% of the error"
            " budget)",
        ),
        (
            LIVE + hour("shadow", 6_000, 120),
            "block",
            10,
            "2% of 6,000 requests of deployment=shadow failed, and 0.1% of 60,000 of"
            " deployment=live; the excess is at least 1.57%",
        ),
        (LIVE + hour("shadow", 600, 3), "undecided", 3, "at this rate about"),
        (
            LIVE,
            "undecided",
            3,
            "no request of the last 1h has deployment=shadow: deploy the shadow",
        ),
    ],
    ids=["equal", "worse", "few", "none"],
)
def test_the_shadow_decides(
    tmp_path: Path, minutes: list[Minute], verdict: str, code: int, words: str
) -> None:
    done = check(tmp_path, minutes, "--write", f"json={tmp_path / 'decision.json'}")
    decision: dict[str, Any] = json.loads((tmp_path / "decision.json").read_text(encoding="utf-8"))
    (requirement,) = decision["policies"][0]["requirements"]

    assert done.exit_code == code
    assert decision["policies"][0]["verdict"] == verdict
    assert words in " ".join(done.stdout.split())
    assert words in requirement["reason"]
    assert requirement["facts"].get("slo", "availability") == "availability"


def test_pairs_in_the_logs_decide_where_the_policy_names_the_id(tmp_path: Path) -> None:
    minutes = hour("live", 1_200, 24) + hour("shadow", 1_200, 24)
    text = POLICY.replace("objective: 99%", "objective: 95%").replace("50%, for", "10%, for")

    separate = check(tmp_path, minutes, "--dry-run", text=text)
    paired = check(tmp_path, minutes, "--dry-run", text=text, more=", pair_by: request_id")

    assert "UNDECIDED" in separate.stdout
    assert paired.stdout.startswith("✔ ALLOW")
    assert "of 1,200 requests that both handled, 2% failed with" in " ".join(paired.stdout.split())


def test_a_backend_without_single_requests_or_labels_says_which_has_them(tmp_path: Path) -> None:
    static = "backend: {type: static, path: counts.yaml}"
    sli = POLICY.replace("backend: {type: logs, path: requests.parquet, timestamp: ts}", static)
    (tmp_path / "gate.yaml").write_text(
        sli.replace(", sli: {bad: status >= 500}", "").replace("MORE", ""),
        encoding="utf-8",
    )
    (tmp_path / "counts.yaml").write_text(
        "counts: {availability: {total: 100000, bad: 0}}\n", encoding="utf-8"
    )

    done = gate("check", "--change", "model-update", "--policy-ref", "none", cwd=tmp_path)

    assert done.exit_code == 3
    assert "the backend cannot separate requests by deployment" in " ".join(done.stdout.split())
