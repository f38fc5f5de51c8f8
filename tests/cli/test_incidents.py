"""``gate incidents`` as it is called."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.installed import AT
from tests.command import Run
from tests.servers.github import REPOSITORY, TOKEN, FakeGitHub


def test_a_static_backend_keeps_no_history(gate: Run, write_policy: Callable[..., Path]) -> None:
    write_policy()

    done = gate("incidents", "gate.yaml", "--at", AT)

    assert done.exit_code == 2
    assert done.stderr == "gate: gate.yaml: the backend static keeps no history to look at\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--last", "1h", "--step", "2h"), "--step must not be longer than --last"),
        (("--threshold", "0"), "0 is not above zero"),
        (("--threshold", "high"), "'high' is not a valid number"),
        (("--min-share", "2"), "a bare 2 is ambiguous; write 2% or a share from 0 to 1"),
        (("--known-incidents", "none.yaml"), "known incidents none.yaml: no file matches"),
        (("--deploys", "none.jsonl"), "none.jsonl:1:1: error: the file cannot be read"),
        (
            ("--deploys", "github"),
            "--deploys github needs the environment variable GITHUB",
        ),
    ],
)
def test_what_cannot_be_looked_for_is_a_usage_error(
    gate: Run, write_policy: Callable[..., Path], options: tuple[str, ...], message: str
) -> None:
    write_policy()

    done = gate("incidents", "gate.yaml", "--at", AT, *options)

    assert done.exit_code == 2
    assert message in done.stderr


def test_deployments_that_are_not_available_are_not_deployments_that_are_not_there(
    gate: Run, write_policy: Callable[..., Path], fake: FakeGitHub
) -> None:
    write_policy()
    fake.forbidden = {"repos/list-deployments"}
    runner = {
        "GITHUB_REPOSITORY": REPOSITORY,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": fake.url,
    }

    done = gate("incidents", "gate.yaml", "--at", AT, "--deploys", "github", env=runner)

    assert done.exit_code == 3
    assert "--deploys github: cannot list the deployments: GitHub answers 403" in done.stderr
