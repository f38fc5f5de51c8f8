"""The workflow of docs/github.md that deploys a canary: what each end of the watch leads to."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.github_action.recipes import recipes
from tests.rollouts.manifests import CODES, Pod

JOBS: Final[dict[str, Any]] = yaml.safe_load(recipes()["deploy with a canary"])["jobs"]


def step(name: str) -> dict[str, Any]:
    """Return a step of the job that deploys the canary."""
    (found,) = [one for one in JOBS["canary"]["steps"] if one.get("id") == name]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("code", CODES)
def test_the_exit_code_is_that_of_the_step_and_an_output(tmp_path: Path, code: int) -> None:
    # GitHub runs it by bash -e, https://docs.github.com/en/actions/reference/workflows-and-actions
    (tmp_path / "step.sh").write_text(f"set -e\n{step('watch')['run']}", encoding="utf-8")
    pod = Pod.of("flagger/loadtester.yaml", tmp_path)
    output, summary = tmp_path / "output", tmp_path / "summary"
    pod.environ |= {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary)}
    pod.ends(code)

    done = pod.run("bash", "step.sh")

    assert done.returncode == code
    assert output.read_text(encoding="utf-8") == f"exit-code={code}\n"
    assert pod.calls() == [
        "watch gate.yaml --canary track=canary --baseline track=stable --for 1h"
        " --format markdown --output watch.md"
    ]


def test_only_0_promotes_and_only_10_rolls_back() -> None:
    assert JOBS["canary"]["outputs"] == {"verdict": "${{ steps.watch.outputs.exit-code }}"}
    acting = {name: job for name, job in JOBS.items() if name != "canary"}

    assert {name: job["if"] for name, job in acting.items()} == {
        "promote": "needs.canary.outputs.verdict == '0'",
        # Without always() a job does not run after one that has failed.
        "rollback": "always() && needs.canary.outputs.verdict == '10'",
    }
    assert all(job["needs"] == "canary" for job in acting.values())


def test_the_gate_comes_before_the_canary_and_the_watch_right_after_it() -> None:
    steps = [one.get("run", one.get("uses", "")) for one in JOBS["canary"]["steps"]]
    places = [
        next(place for place, text in enumerate(steps) if text.startswith(start))
        for start in ("acme/gate@", "pip install", "./deploy.sh canary", "code=0")
    ]
    assert places == sorted(places)
    assert places[3] == places[2] + 1
