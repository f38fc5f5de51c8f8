"""From the deploy to the rollback: `gate watch`, a real Prometheus, a real nginx, two versions.

The canary gets a fifth of the traffic, and fails from some seconds later on. A second deployment
has an outage that hits both versions alike, of which nobody is accused.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.cli.installed import command
from tests.live.command import TIERS
from tests.servers.canary import CANARY, PAST, STABLE, Deployment, deployment

pytestmark = [pytest.mark.slow, pytest.mark.real]

EVERY: Final = 5
"""Seconds between two looks; a scrape takes place every second."""
HEALTHY_FOR: Final = 15.0
"""Seconds after the deploy in which the new version still works."""
PATIENCE: Final = 120.0

Counts = dict[str, dict[str, int]]


def policy(deployed: Deployment) -> Path:
    """Write a policy for the service."""
    total = 'requests_total{job="chat"}'
    slo = {
        "name": "availability",
        "objective": "95%",
        "window": "1h",
        "sli": {"bad": 'requests_total{job="chat",code="500"}', "total": total},
    }
    document = {
        "version": 1,
        "service": "chat",
        "owners": ["@acme/llm-platform"],
        "backend": {"type": "prometheus", "url": deployed.prometheus},
        "slos": [slo],
        "tiers": TIERS,
    }
    path = deployed.folder / "gate.yaml"
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def started(deployed: Deployment, lasting: str, *more: str) -> "subprocess.Popen[str]":
    """Start the installed command, as a pipeline does after its deploy."""
    arms = ("--canary", f"track={CANARY}", "--baseline", f"track={STABLE}")
    times = ("--for", lasting, "--every", f"{EVERY}s")
    line = command("watch", str(policy(deployed)), *arms, *times, "--format", "json", *more)
    pipe = subprocess.PIPE
    return subprocess.Popen(line, stdout=pipe, stderr=pipe, text=True, cwd=deployed.folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A watch that has ended."""

    code: int
    report: dict[str, Any]
    said: str
    seconds: float
    """Since the new version began to fail."""
    before: Counts
    """The answers up to then."""
    after: Counts
    """The answers up to the end of the command, the rollback included."""
    later: Counts
    """The answers some seconds after that."""

    @property
    def slo(self) -> dict[str, Any]:
        """The only SLO of the report."""
        (found,) = self.report["slos"]
        slo: dict[str, Any] = found
        return slo


def finished(process: "subprocess.Popen[str]", deployed: Deployment, since: float) -> Watched:
    before = deployed.counted()
    out, said = process.communicate(timeout=PATIENCE)
    seconds = time.monotonic() - since
    time.sleep(1)  # nginx only begins to reload: its old workers still answer what they have taken
    after = deployed.counted()
    time.sleep(2)
    return Watched(
        code=process.returncode,
        report=json.loads(out) if out else {},
        said=said,
        seconds=seconds,
        before=before,
        after=after,
        later=deployed.counted(),
    )


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Watched, Deployment]]:
    """Deploy a version that begins to fail, and watch it."""
    with deployment(tmp_path_factory.mktemp("bad")) as deployed:
        time.sleep(5)  # there is a baseline
        deployed.shift(20)
        script = deployed.rollback_script()
        with started(deployed, "2m", "--on-rollback", str(script)) as process:
            time.sleep(HEALTHY_FOR)
            assert process.poll() is None, process.communicate()
            deployed.versions[CANARY].failing = 0.5
            watched = finished(process, deployed, time.monotonic())
        yield watched, deployed


@pytest.fixture(scope="module")
def outage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Deploy a version that is as good as the old one, and let both fail for a while."""
    with deployment(tmp_path_factory.mktemp("outage")) as deployed:
        time.sleep(5)
        deployed.shift(20)
        with started(deployed, "20s") as process:
            time.sleep(6)
            for version in deployed.versions.values():
                version.failing = 0.5
            time.sleep(6)
            for version in deployed.versions.values():
                version.failing = 0.0
            yield finished(process, deployed, time.monotonic())


def test_a_canary_that_fails_is_found_within_a_minute(bad: tuple[Watched, Deployment]) -> None:
    watched, _ = bad

    assert watched.code == 10, watched.said
    assert watched.report["verdict"] == "roll-back"
    assert watched.slo["standing"] == "worse"
    assert watched.seconds < 60


def test_what_it_says_of_both_versions_is_what_they_have_answered(
    bad: tuple[Watched, Deployment],
) -> None:
    watched, _ = bad
    canary, stable = watched.slo["canary"], watched.slo["baseline"]

    # The servers have also counted what came before and after the steps that were looked at.
    assert 0 < canary["bad"] <= 1.1 * watched.after[CANARY]["500"]
    assert 0 < canary["total"] <= 1.1 * sum(watched.after[CANARY].values())
    assert 0 < stable["total"] <= 1.1 * sum(watched.after[STABLE].values())
    assert stable["bad"] == watched.after[STABLE]["500"] == 0


def test_the_rollback_takes_the_traffic_away_from_the_canary_and_from_nobody_else(
    bad: tuple[Watched, Deployment],
) -> None:
    watched, deployed = bad

    assert "the command for a rollback has succeeded" in watched.said
    assert watched.later[CANARY] == watched.after[CANARY]
    assert watched.later[STABLE]["200"] > watched.after[STABLE]["200"]
    told = (deployed.folder / "environment").read_text(encoding="utf-8").splitlines()
    assert {
        *("GATE_WATCH_VERDICT=roll-back", "GATE_WATCH_SLO=availability"),
        *("GATE_WATCH_CANARY=track=canary", "GATE_WATCH_BASELINE=track=stable"),
    } <= set(told)


def test_the_budget_that_was_saved_is_reported(bad: tuple[Watched, Deployment]) -> None:
    watched, _ = bad
    slo, seen = watched.slo, len([step for step in watched.slo["steps"] if step])
    spent = slo["budget_spent"]

    # An hour's budget: a twentieth of its requests, nearly all of which are of the hour before.
    budget = 0.05 * sum(PAST.values()) / 2
    assert spent == pytest.approx(slo["canary"]["bad"] / budget, rel=0.05)
    # What the canary took in the steps that were seen, it would have taken in those that were left.
    left = int(120 / EVERY) - seen
    assert slo["budget_saved"] == pytest.approx(spent * left / seen)
    assert slo["budget_saved"] > 0


def test_an_outage_that_hits_both_versions_accuses_nobody(outage: Watched) -> None:
    assert outage.before[CANARY]["500"] > 5
    assert outage.before[STABLE]["500"] > 20
    assert outage.code in (0, 3), outage.said
    assert outage.report["verdict"] in ("healthy", "cannot-tell")
    assert outage.slo["standing"] != "worse"
    assert outage.slo["canary"]["bad"] > 5
