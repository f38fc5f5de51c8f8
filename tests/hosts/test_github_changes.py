"""GitHub's answers on changes and live revisions, by requests that its description allows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.hosts.github_changes import GitHubChanges
from gate.hosts.github_events import GitHubError
from gate.hosts.pulls import Deployed, commit_of
from tests.hosts.asking import asking
from tests.hosts.repository import begin, commit, git
from tests.hosts.test_github_deployments import deployment
from tests.servers.github import PULL, FakeGitHub, github
from tests.servers.github_changes import Pull

A, B = "a" * 40, "b" * 40


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def changes(fake: FakeGitHub) -> GitHubChanges:
    return asking(fake.url).changes


def test_a_pull_request_is_reported_as_it_is_now(fake: FakeGitHub) -> None:
    fake.changes.pulls[PULL] = Pull(title="fix: x", labels=("security",), head=A, merged=True)
    pull = changes(fake).pull_request(PULL)
    assert (pull.number, pull.title, pull.labels) == (PULL, "fix: x", ("security",))
    assert (pull.head, pull.merged) == (A, True)
    fake.changes.of_commits = {B: (PULL, 8)}
    assert [each.number for each in changes(fake).pull_requests_of(B)] == [PULL, 8]
    assert changes(fake).pull_requests_of(A) == []


def test_files_and_commits_of_a_pull_request_are_reported(fake: FakeGitHub) -> None:
    fake.files = [("models/a", "src/a"), ("b", None)]
    messages = ("fix: x\n\nChange-Class: canary", "feat!: y")
    fake.changes.pulls[PULL] = Pull(messages=messages)
    listed = changes(fake).pull_changes(PULL)
    assert listed.paths == ("models/a", "src/a", "b")
    first, second = listed.commits or ()
    assert (first.subject, first.trailers, first.paths) == (
        "fix: x",
        [("Change-Class", "canary")],
        None,
    )
    assert second.breaking


def test_more_commits_than_github_lists_are_not_known(fake: FakeGitHub) -> None:
    fake.changes.pulls[PULL] = Pull(messages=("fix: x",) * 249)
    assert len(changes(fake).pull_changes(PULL).commits or ()) == 249
    fake.changes.pulls[PULL] = Pull(messages=(*("fix: x",) * 250, "feat: y"))
    assert changes(fake).pull_changes(PULL).commits is None


@pytest.fixture
def repository(fake: FakeGitHub, tmp_path: Path) -> Path:
    folder = begin(tmp_path / "chat")
    commit(folder, "fix: x", {"models/a": "1"})
    fake.changes.repository = folder
    return folder


def test_two_commits_are_compared(fake: FakeGitHub, repository: Path) -> None:
    live, head = git(repository, "rev-parse", "HEAD~1"), git(repository, "rev-parse", "HEAD")
    between = changes(fake).between(live, head)
    assert between.paths == ("models/a",)
    assert [each.subject for each in between.commits or ()] == ["fix: x"]
    assert changes(fake).between(head, head).paths == ()
    with pytest.raises(GitHubError, match="it does not descend from it"):
        changes(fake).between(head, live)
    assert changes(fake).goes_back(head, live)
    assert changes(fake).goes_back(head, head)
    assert not changes(fake).goes_back(live, head)


def test_what_a_comparison_cuts_is_not_known(fake: FakeGitHub, repository: Path) -> None:
    live = git(repository, "rev-parse", "HEAD")
    head = commit(repository, "fix: many", {f"f{n}": "" for n in range(299)})
    assert len(changes(fake).between(live, head).paths or ()) == 299
    head = commit(repository, "fix: one more", {"models/a": ""})
    assert changes(fake).between(live, head).paths is None
    for number in range(99):
        head = commit(repository, f"fix: {number}", {})
    assert changes(fake).between(live, head).commits is None


def test_what_succeeded_last_and_was_not_replaced_is_live(fake: FakeGitHub) -> None:
    assert changes(fake).live("production") is None
    fake.deployments = [
        deployment(("success", "08:05"), created="08:00", sha=A),
        deployment(("inactive", "10:06"), ("success", "09:05"), created="09:00", sha=B),
        deployment(("success", "11:05"), created="11:00", place="staging", sha=B),
        deployment(("failure", "12:05"), ("in_progress", "12:01"), created="12:00", sha=B),
        deployment(created="13:00", sha=B),
    ]
    at = datetime(2026, 11, 2, 8, 5, tzinfo=UTC)
    assert changes(fake).live("production") == Deployed(A, at)
    assert changes(fake).live("nowhere") is None


def test_an_earlier_deployment_that_succeeded_later_is_live(fake: FakeGitHub) -> None:
    fake.deployments = [
        deployment(("success", "12:00"), created="08:00", sha=A),
        deployment(("success", "09:05"), created="09:00", sha=B),
    ]
    live = changes(fake).live("production")
    assert live is not None
    assert live.revision == A


def test_the_last_word_on_a_deployment_counts_and_old_ones_are_not_asked_about(
    fake: FakeGitHub,
) -> None:
    old = deployment(("success", "12:00"), sha=B)
    old.created = "2026-10-30T00:00:00Z"
    fake.deployments = [old, deployment(("success", "09:05"), ("failure", "09:04"), sha=A)]
    live = changes(fake).live("production")
    assert live is not None
    assert live.revision == A
    assert fake.seen.count("repos/list-deployment-statuses") == 1


def test_a_commit_was_live_where_a_deployment_of_it_succeeded(fake: FakeGitHub) -> None:
    fake.deployments = [
        deployment(("inactive", "10:00"), ("success", "08:05"), created="08:00", sha=A),
        deployment(("inactive", "12:00"), ("success", "11:05"), created="11:00", sha=A),
        deployment(("failure", "09:05"), created="09:00", sha=B),
    ]
    assert changes(fake).was_live("production", A) == datetime(2026, 11, 2, 11, 5, tzinfo=UTC)
    assert changes(fake).was_live("production", B) is None
    assert changes(fake).was_live("staging", A) is None


@pytest.mark.parametrize(
    "message, trailers",
    [
        (
            "fix: x\n\nChange-Class: canary\nNote:a: b",
            [("Change-Class", "canary"), ("Note", "a: b")],
        ),
        ("fix: x\n\nText.\n\nA: b\n", [("A", "b")]),
        ("Change-Class: canary", []),
        ("x\n\nChange-Class: canary\nand more", []),
        ("x\n\nsee it: here\nA: b", []),
        ("x\n\n : b", []),
    ],
)
def test_trailers_are_read_from_the_last_paragraph(
    message: str, trailers: list[tuple[str, str]]
) -> None:
    assert list(commit_of(message).trailers) == trailers


def test_of_two_that_succeeded_the_later_is_live(fake: FakeGitHub) -> None:
    fake.deployments = [
        deployment(("success", "08:05"), created="08:00", sha=A),
        deployment(("success", "09:05"), created="09:00", sha=B),
    ]
    live = changes(fake).live("production")
    assert live is not None
    assert live.revision == B
