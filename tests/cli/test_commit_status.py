"""The commit status that ``gate check --status`` sets, on a GitHub as its description has it."""

import re
from functools import partial
from typing import Any

import pytest

from tests.cli.installed import POLICY
from tests.command import Run
from tests.hosts.test_github_people import HEAD, review
from tests.servers.github import FakeGitHub

BROKEN = POLICY.replace("- {name: availability, ", "- {name: absent, ")
GLASS = (
    "--override",
    "fix",
    "--override-approved-by",
    "@grace",
    "--override-until",
    "2026-11-01T01:00:00Z",
)


@pytest.fixture
def check(on_pull_request: Run) -> Run:
    return partial(on_pull_request, "--status")


@pytest.mark.parametrize(
    "arguments, more, told",
    [
        (("--change", "canary"), {}, ("success", "ALLOW: canary of chat")),
        (("--change", "model-update"), {}, ("failure", "BLOCK: model-update of chat")),
        (("--change", "config-change"), {}, ("success", "WARN: config-change of chat")),
        (
            ("--change", "config-change", "--fail-on=warn"),
            {},
            ("failure", "WARN: config-change of chat"),
        ),
        (
            ("--change", "canary"),
            {"text": BROKEN},
            ("error", "UNDECIDED: canary of chat (its only SLO is not measured)"),
        ),
        (
            ("--change", "model-update", *GLASS),
            {},
            ("success", "BLOCK (overridden: exit code 0): model-update of chat"),
        ),
        (
            ("--change", "model-update", "--dry-run"),
            {},
            ("success", "BLOCK (dry run: not enforced, exit code 0): model-update of chat"),
        ),
        (
            ("gate.yaml", "--change", "model-update"),
            {},
            ("failure", "BLOCK: 2 policies: 2 block (chat, chat)"),
        ),
    ],
)
def test_the_status_is_that_of_the_exit_code_and_says_the_verdict(
    check: Run,
    fake: FakeGitHub,
    arguments: tuple[str, ...],
    more: dict[str, Any],
    told: tuple[str, str],
) -> None:
    fake.rights, fake.reviews = {"grace": "write"}, [review("grace", "APPROVED", "10:00")]
    fake.pushes = [("shorter", HEAD, "2026-10-31T22:00:00Z")]
    done = check(*arguments, **more)
    (waiting, (revision, status)) = fake.statuses
    text, ending = status["description"].split("; policy ")
    assert (revision, (status["state"], text)) == (HEAD, told)
    assert re.fullmatch(r"[0-9a-f]{12}, until 2026-11-01T00:15:00Z", ending)
    assert (waiting[0], waiting[1]["state"]) == (HEAD, "pending")
    assert waiting[1]["context"] == status["context"]
    assert (status["state"] == "success") is (done.exit_code == 0)
    assert "gate: commit status " in done.stderr


def test_each_environment_has_a_check_of_its_own(check: Run, fake: FakeGitHub) -> None:
    check("--change", "canary")
    check("--change", "canary", "--environment", "production")
    assert list(fake.shown(HEAD)) == ["gate/chat", "gate/chat/production"]


def test_a_status_that_cannot_be_set_leaves_the_verdict_alone(check: Run, fake: FakeGitHub) -> None:
    fake.forbidden = {"repos/create-commit-status"}
    done = check("--change", "canary")
    assert done.exit_code == 0
    assert "gate: warning: no commit status: cannot set the commit status: GitHub" in done.stderr
    assert "the token needs statuses: write" in done.stderr


@pytest.mark.parametrize(
    "more, words",
    [
        ({"GITHUB_TOKEN": ""}, "no commit status: there is no token for github"),
        ({"event": {"head": {"repo": None}}}, "no commit status: the commit is unknown"),
        (
            {"event": {"head": {"sha": HEAD, "repo": {"full_name": "mallory/chat"}}}},
            "no commit status: the token of a fork or of Dependabot is read-only",
        ),
    ],
)
def test_where_there_can_be_no_status_that_is_reported(
    check: Run, fake: FakeGitHub, more: dict[str, Any], words: str
) -> None:
    done = check("--change", "model-update", **more)
    assert done.exit_code == 10
    assert words in done.stderr
    assert fake.statuses == []
