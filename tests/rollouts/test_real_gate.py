"""Flagger's webhooks with the real command, on request logs whose canaries are known."""

import json
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from tests.cli.installed import GATE
from tests.rollouts.manifests import Pod
from tests.rollouts.test_flagger import LOADTESTER, answer, begin

pytestmark = pytest.mark.slow

AGO: Final = 75
"""Minutes; the canary is watched for 60 of them."""
POLICY: Final = """\
version: 1
service: chat
owners: ["@acme/llm-platform"]
backend: {type: logs, path: log.jsonl, timestamp: ts}
slos:
  - {name: availability, objective: 95%, window: 7d, sli: {bad: status >= 500}}
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: rest, otherwise: true, allow: [rollback]}
"""


def write_log(path: Path, canary_fails: float) -> None:
    """Write two hours of requests up to now, a third of them the canary's, 30 a minute."""
    draw, now = random.Random(16), datetime.now(UTC)
    with path.open("w", encoding="utf-8") as log:
        for second in range(2 * 3600, 0, -2):
            app = "chat" if draw.random() < 1 / 3 else "chat-primary"
            fails = draw.random() < (canary_fails if app == "chat" else 0.002)
            at = f"{now - timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ}"
            log.write(json.dumps({"ts": at, "app": app, "status": 500 if fails else 200}) + "\n")


@pytest.mark.parametrize(
    "canary_fails, rolled_back, goes_on, promoted",
    [(0.3, 200, 500, 500), (0.002, 500, 200, 200)],
    ids=["bad", "good"],
)
def test_a_bad_canary_is_rolled_back_and_a_good_one_promoted(
    tmp_path: Path, canary_fails: float, rolled_back: int, goes_on: int, promoted: int
) -> None:
    pytest.importorskip("duckdb", reason="the extra `logs` is not installed")
    pod = Pod.of(LOADTESTER, tmp_path)
    (tmp_path / "bin" / "gate").unlink()
    (tmp_path / "bin" / "gate").symlink_to(GATE)
    (tmp_path / "gate.yaml").write_text(POLICY, encoding="utf-8")
    pod.environ |= {"GATE_STATE": str(tmp_path), "GATE_POLICY": str(tmp_path / "gate.yaml")}
    write_log(tmp_path / "log.jsonl", canary_fails)
    begin(pod, AGO)

    assert answer(pod, "rollback") == rolled_back
    assert answer(pod, "rollout") == goes_on
    assert answer(pod, "confirm-promotion") == promoted


def test_a_canary_that_nobody_can_measure_waits(tmp_path: Path) -> None:
    pod = Pod.of(LOADTESTER, tmp_path)
    (tmp_path / "bin" / "gate").unlink()
    (tmp_path / "bin" / "gate").symlink_to(GATE)
    closed = "{type: prometheus, url: 'http://127.0.0.1:9'}"
    policy = POLICY.replace("{type: logs, path: log.jsonl, timestamp: ts}", closed).replace(
        "bad: status >= 500", "bad: 'requests_total{code=\"500\"}', total: requests_total"
    )
    (tmp_path / "gate.yaml").write_text(policy, encoding="utf-8")
    pod.environ |= {"GATE_STATE": str(tmp_path), "GATE_POLICY": str(tmp_path / "gate.yaml")}
    begin(pod, AGO)

    assert answer(pod, "confirm-rollout") == 500
    assert answer(pod, "rollback") == 500
    assert answer(pod, "rollout") == 200
    assert answer(pod, "confirm-promotion") == 500
