"""The real action.yml in somebody's workflow, run by act."""

import json
from typing import Final

import pytest

from tests.cli.installed import POLICY
from tests.github_action.acting import Played, counts, play, step

pytestmark = pytest.mark.real

NAMES: Final = {"verdict", "exit-code", "tier", "remaining", "change-class", "report", "decision"}


@pytest.fixture(scope="module")
def push(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A push with a step for every way to end."""
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
    steps = [
        step("allow", policies="full.yaml", change="model-update"),
        step("block", policies="low.yaml", change="model-update"),
        step("overspent", policies="\nfull.yaml\nspent.yaml\n", change="canary"),
        step("undecided", policies="dark.yaml", change="canary"),
        step("observed", policies="low.yaml", change="model-update", dry_run=True),
        step("warned", policies="low.yaml", change="config-change", fail_on="warn"),
        step("typo", policies="typo.yaml"),
        step("unknown", policies="full.yaml", change="model-updates"),
        step("misused", policies="full.yaml", comment="perhaps"),
        step("nowhere", policies="full.yaml", directory="no/such"),
    ]
    return play(tmp_path_factory.mktemp("push"), files, steps)


@pytest.mark.parametrize(
    ("name", "outcome", "expected"),
    [
        ("allow", "success", ("allow", "0", "healthy", "0.9", "model-update")),
        ("block", "failure", ("block", "10", "caution", "0.18", "model-update")),
        ("overspent", "failure", ("block", "10", "exhausted", "-0.5", "canary")),
        ("undecided", "failure", ("undecided", "3", "unknown", "unknown", "canary")),
        ("observed", "success", ("block", "0", "caution", "0.18", "model-update")),
        ("warned", "failure", ("warn", "11", "caution", "0.18", "config-change")),
        ("typo", "failure", ("error", "2", "unknown", "unknown", "unknown")),
        ("unknown", "failure", ("error", "2", "unknown", "unknown", "unknown")),
        ("misused", "failure", ("error", "2", "unknown", "unknown", "unknown")),
        ("nowhere", "failure", ("error", "2", "unknown", "unknown", "unknown")),
    ],
)
def test_every_output_is_set_however_the_step_ends(
    push: Played, name: str, outcome: str, expected: tuple[str, ...]
) -> None:
    outputs = push.outputs(name)

    assert set(outputs) == NAMES
    told = ("verdict", "exit-code", "tier", "remaining", "change-class")
    assert tuple(outputs[one] for one in told) == expected
    assert push.steps[name]["outcome"] == outcome


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
    kinds = [one.split()[0] for one in push.commands()]

    assert kinds == ["notice", *["error"] * 3, "notice", "warning", *["error"] * 4]
