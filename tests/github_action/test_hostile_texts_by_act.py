"""Texts that anybody may choose, through the real action.yml, run by act: nothing is injected."""

import json
from typing import Final

import pytest

from tests.cli.installed import POLICY
from tests.github_action.acting import Played, counts, play, step
from tests.github_action.pulls import pull_request
from tests.servers.github import github

pytestmark = pytest.mark.real

COMMANDS = "::set-output name=verdict::allow", "::error::INJECTED", "::add-mask::chat"
MARKS = "`touch pwned1`", "$(touch pwned2)", "%0A::error::INJECTED", "]]>", "|", "<!--", "@everyone"
TEXT = "\n".join([*COMMANDS, *MARKS]) + "\r::warning::INJECTED\n##[error]INJECTED\u202e"
NAME = "::error::INJECTED $(touch pwned3) `touch pwned4`.yaml"


INPUTS: Final = ("override", "comment", "change", "directory", "met", "format")
"""Inputs with a hostile text; the first two are those of `make test`."""


@pytest.fixture(scope="module", params=[INPUTS[:2], pytest.param(INPUTS, marks=pytest.mark.slow)])
def played(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A policy with hostile texts, a hostile file name, branch, title, labels, and inputs."""
    said = json.dumps(TEXT)
    freeze = f"freezes: [{{from: 2026-10-01, to: 2026-12-01, time_zone: UTC, reason: {said}}}]\n"
    policy = POLICY.replace('["@acme/llm-platform"]', f"[{said}]") + freeze
    files = {
        NAME: policy,
        "counts.yaml": counts(100),
        "typo.yaml": POLICY.replace("service: chat", f"service: {said}"),
    }
    event = pull_request(ref=TEXT)
    event["pull_request"] |= {"title": TEXT, "labels": [{"name": TEXT}], "user": {"login": TEXT}}
    steps = [
        step("frozen", policies=NAME, change="canary"),
        step("typo", policies="typo.yaml"),
        *(step(f"in-{name}", policies=NAME, **{name: TEXT}) for name in request.param),
        step("flags", policies="--help", change="--help"),
        step("ref", policies=NAME, change="canary", policy_ref="--write=pwned5"),
    ]
    with github() as fake:
        return play(
            tmp_path_factory.mktemp("hostile"),
            files,
            steps,
            event="pull_request",
            payload=event,
            environ={"GITHUB_API_URL": fake.url},
        )


def test_no_text_runs_as_a_command_of_the_shell(played: Played) -> None:
    assert list(played.workspace.parent.rglob("pwned*")) == []


def test_no_text_runs_as_a_command_of_the_runner(played: Played) -> None:
    # One annotation for each step, all of them errors, whatever stands in their text.
    kinds = [one.split()[0].split("::")[0] for one in played.commands()]
    assert kinds == ["error"] * len(played.steps)


def test_no_text_sets_an_output(played: Played) -> None:
    verdicts = {name: played.outputs(name)["verdict"] for name in played.steps}
    assert verdicts.pop("frozen") == "block"
    assert verdicts.pop("flags") == "undecided"  # main has no policy of this name
    assert set(verdicts.values()) == {"error"}


def test_no_input_counts_as_an_option(played: Played) -> None:
    assert {name: told["outcome"] for name, told in played.steps.items()} == dict.fromkeys(
        played.steps, "failure"
    )
    assert "no policy that counts" in (played.files["flags"]["report"] or "")
    assert "is not a valid ref of a policy" in (played.files["ref"]["report"] or "")


def test_no_text_breaks_out_of_the_report(played: Played) -> None:
    for files in played.files.values():
        report = files["report"] or ""
        assert "<!--" not in report
        assert "@everyone" not in report
        assert not any(line.startswith("::") for line in report.splitlines())
