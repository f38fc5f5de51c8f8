"""The decisions of the demo's policy on the demo's deploys: the story of the month."""

import json
from pathlib import Path
from typing import Any

import pytest

from gate.config.known_incidents import load_deployments
from tests.command import gate
from tests.demo.conftest import POLICY, ROOT

pytestmark = pytest.mark.slow

DEPLOYS = "docs/demo/deploys.jsonl"
OUTAGE, BAD_PROMPT = "2026-10-20T14:00:00Z", "2026-10-21T08:00:00Z"


@pytest.fixture(scope="module")
def tried(month: Path) -> dict[str, Any]:
    """Return what the policy says of the deploys from mid-October on."""
    done = gate(
        *("backtest", POLICY, "--deploys", str(ROOT / DEPLOYS), "--last", "17d"),
        *("--at", "2026-10-31T00:00:00Z", "--timeout", "10m", "--format", "json"),
        cwd=month,
    )
    assert done.exit_code == 0, done.stderr
    (service,) = json.loads(done.stdout)["services"]
    found: dict[str, Any] = service["policy"]
    return found


def verdicts(tried: dict[str, Any]) -> dict[str, str]:
    return {f"{one['at']} {one['revision']}": one["verdict"] for one in tried["results"]}


def test_everything_ships_up_to_the_outage_and_then_repairs_only(tried: dict[str, Any]) -> None:
    before = [one for one in tried["results"] if one["at"] < OUTAGE]
    after = [one for one in tried["results"] if one["at"] > "2026-10-20T15:00:00Z"]
    repairs = {"rollback", "security-patch", "reliability-fix"}

    assert {one["verdict"] for one in before} == {"allow"}
    assert len(before) == 7
    for one in after:
        assert one["verdict"] == ("allow" if one["change_class"] in repairs else "block")


def test_the_bad_prompt_would_have_been_stopped_and_its_rollback_not(tried: dict[str, Any]) -> None:
    said = verdicts(tried)

    assert said["2026-10-21T08:00:00Z support-v8"] == "block"
    assert said["2026-10-23T08:00:00Z support-v7"] == "allow"
    (prompt,) = [one for one in tried["results"] if one["revision"] == "support-v8"]
    assert prompt["before_incident"] is not None
    assert prompt["slo"] == "availability", "the outage of the day before spent that budget"


def test_the_docs_tell_it_as_it_is(tried: dict[str, Any]) -> None:
    text = (ROOT / "docs" / "backtest.md").read_text(encoding="utf-8")
    blocked = tried["verdicts"]["block"]

    assert f"{blocked['count']} of {tried['count']} deploys are blocked" in text
    assert tried["freezes"][0]["from"] == "2026-10-20T14:10:00Z"
    assert len(tried["freezes"]) == 1


def test_the_deploys_are_the_episodes_and_ordinary_ones() -> None:
    deploys = load_deployments(str(ROOT / DEPLOYS), {})

    times = [f"{deploy.time:%Y-%m-%dT%H:%M:%SZ}" for deploy in deploys]
    assert times == sorted(times)
    assert BAD_PROMPT in times
