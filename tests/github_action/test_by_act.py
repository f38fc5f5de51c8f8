"""The real action.yml in somebody's workflow, run by act."""

import json
from typing import Final

import pytest

from tests.cli.installed import POLICY
from tests.github_action.acting import Played, counts, play, step

pytestmark = pytest.mark.real

NAMES: Final = {"verdict", "exit-code", "tier", "remaining", "change-class", "report", "decision"}


LOW: Final = {"policies": "low.yaml", "change": "model-update"}
STEPS: Final = {
    "allow": step("allow", policies="full.yaml", change="model-update"),
    "block": step("block", **LOW),
    "undecided": step("undecided", policies="dark.yaml", change="canary"),
    "typo": step("typo", policies="typo.yaml"),
    "overspent": step("overspent", policies="\nfull.yaml\nspent.yaml\n", change="canary"),
    "observed": step("observed", **LOW, dry_run=True),
    "warned": step("warned", policies="low.yaml", change="config-change", fail_on="warn"),
    "unknown": step("unknown", policies="full.yaml", change="model-updates"),
    "misused": step("misused", policies="full.yaml", comment="perhaps"),
    "nowhere": step("nowhere", policies="full.yaml", directory="no/such"),
}
"""A step for every way to end; the first four are those of `make test`."""
ERROR: Final = ("failure", "error", "2", "unknown", "unknown", "unknown")
ENDINGS: Final = {
    "allow": ("success", "allow", "0", "healthy", "0.9", "model-update"),
    "block": ("failure", "block", "10", "caution", "0.18", "model-update"),
    "undecided": ("failure", "undecided", "3", "unknown", "unknown", "canary"),
    "typo": ERROR,
    "overspent": ("failure", "block", "10", "exhausted", "-0.5", "canary"),
    "observed": ("success", "block", "0", "caution", "0.18", "model-update"),
    "warned": ("failure", "warn", "11", "caution", "0.18", "config-change"),
    "unknown": ERROR,
    "misused": ERROR,
    "nowhere": ERROR,
}


@pytest.fixture(
    scope="module", params=[tuple(STEPS)[:4], pytest.param(tuple(STEPS), marks=pytest.mark.slow)]
)
def push(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A push with some of the steps."""
    files = {}
    for name, bad in (("full", 100), ("low", 820), ("spent", 1500)):
        files[f"{name}.yaml"] = POLICY.replace("counts.yaml", f"{name}-counts.yaml")
        files[f"{name}-counts.yaml"] = counts(bad)
    files["dark.yaml"] = POLICY.replace("counts.yaml", "dark-counts.yaml")
    files["dark-counts.yaml"] = "counts: {other: {total: 1, bad: 0}}"
    files["typo.yaml"] = POLICY.replace("tiers", "teirs")
    # What is checked out must not be what runs.
    files |= {f"{name}.py": "raise SystemExit('hijacked')" for name in ("yaml", "click", "pip")}
    files["gate/__init__.py"] = "raise SystemExit('hijacked')"
    return play(tmp_path_factory.mktemp("push"), files, [STEPS[name] for name in request.param])


def test_every_output_is_set_however_the_step_ends(push: Played) -> None:
    outputs = ("verdict", "exit-code", "tier", "remaining", "change-class")
    endings = {}
    for name, ended in push.steps.items():
        assert set(push.outputs(name)) == NAMES
        endings[name] = (ended["outcome"], *(push.outputs(name)[output] for output in outputs))

    assert len(endings) >= 4
    assert endings == {name: ENDINGS[name] for name in endings}


def test_there_is_always_a_report_and_a_decision_only_where_one_was_made(push: Played) -> None:
    for name, files in push.files.items():
        verdict = push.outputs(name)["verdict"]
        assert files["report"], name
        if verdict == "error":
            assert files["decision"] is None
            assert "No decision" in files["report"]
        else:
            assert json.loads(files["decision"] or "")["verdict"] == verdict
    assert "teirs" in (push.files["typo"]["report"] or "")


def test_each_ending_has_its_annotation(push: Played) -> None:
    expected = dict.fromkeys(STEPS, "error") | {
        "allow": "notice",
        "observed": "notice",
        "warned": "warning",
    }

    assert [command.split()[0] for command in push.commands()] == [
        expected[name] for name in STEPS if name in push.steps
    ]
