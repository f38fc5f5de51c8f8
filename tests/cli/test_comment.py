"""The comment that ``gate check --comment`` keeps, on a GitHub that keeps to its description."""

from functools import partial
from typing import Any

import pytest

from tests.command import Run
from tests.servers.github import FakeGitHub


@pytest.fixture
def check(on_pull_request: Run) -> Run:
    """Run ``gate check --comment`` as a step of a workflow on a pull request."""
    return partial(on_pull_request, "--change", "model-update", "--comment")


def test_one_comment_follows_the_decision_also_when_it_turns_green(
    check: Run, fake: FakeGitHub
) -> None:
    blocked = check()
    assert blocked.exit_code == 10
    assert "gate: comment created: " in blocked.stderr
    assert check().stderr.count("gate: comment unchanged: ") == 1
    allowed = check(bad=1)
    assert allowed.exit_code == 0
    assert "gate: comment updated: " in allowed.stderr
    (remark,) = fake.comments
    assert "✅ ALLOW: model-update of chat" in remark.body


def test_each_environment_has_its_own_comment(check: Run, fake: FakeGitHub) -> None:
    for name in ("staging", "production", "staging"):
        check("--environment", name)
    assert len(fake.comments) == 2


def test_a_comment_that_cannot_be_written_leaves_the_verdict_alone(
    check: Run, fake: FakeGitHub
) -> None:
    fake.forbidden = {"issues/create-comment"}
    done = check()
    assert done.exit_code == 10
    assert "gate: warning: no comment: " in done.stderr
    assert "pull-requests: write" in done.stderr


@pytest.mark.parametrize(
    "more, words",
    [
        ({"GITHUB_TOKEN": ""}, "no comment: there is no token for github"),
        ({"event": {"number": None}}, "no comment: there is no pull request"),
        (
            {"event": {"head": {"repo": {"full_name": "mallory/chat"}}}},
            "no comment: the token of a fork or of Dependabot is read-only",
        ),
    ],
)
def test_where_there_can_be_no_comment_that_is_reported(
    check: Run, fake: FakeGitHub, more: dict[str, Any], words: str
) -> None:
    done = check(**more)
    assert done.exit_code == 10
    assert words in done.stderr
    assert fake.comments == []


def test_a_duplicate_that_cannot_be_deleted_is_reported(check: Run, fake: FakeGitHub) -> None:
    check()
    fake.plant(fake.writer, fake.comments[0].body)
    fake.forbidden = {"issues/delete-comment"}
    done = check()
    assert done.exit_code == 10
    assert "gate: comment unchanged: " in done.stderr
    assert "; warning: " in done.stderr
