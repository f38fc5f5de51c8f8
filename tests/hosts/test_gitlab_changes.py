"""GitLab's answers on changes and live revisions."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from gate.hosts import RestError
from gate.hosts.gitlab import GitLab
from gate.hosts.gitlab_changes import GitLabChanges
from gate.hosts.pulls import Deployed
from tests.hosts.asking import Time
from tests.servers.gitlab import PAGE, PROJECT, REQUEST, TOKEN, FakeGitLab, gitlab
from tests.servers.gitlab_changes import Deployment, Request

A, B = "a" * 40, "b" * 40


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    with gitlab() as one:
        yield one


def changes(fake: FakeGitLab) -> GitLabChanges:
    clock = Time().clock()
    return GitLab(str(PROJECT), TOKEN, url=fake.url, page=PAGE, clock=clock).changes


def test_a_merge_request_is_reported_as_it_is_now(fake: FakeGitLab) -> None:
    fake.changes.requests[REQUEST] = Request(title="fix: x", labels=("a",), head=A, state="merged")
    request = changes(fake).pull_request(REQUEST)
    assert (request.number, request.title, request.labels) == (REQUEST, "fix: x", ("a",))
    assert (request.head, request.merged) == (A, True)
    fake.changes.of_commits = {B: (REQUEST, 8)}
    listed = changes(fake).pull_requests_of(B)
    assert [(each.number, each.merged) for each in listed] == [(REQUEST, True), (8, False)]


def test_files_and_commits_of_a_merge_request_are_reported(fake: FakeGitLab) -> None:
    files = (("models/a", "src/a"), ("b", "b"))
    fake.changes.requests[REQUEST] = Request(messages=("fix: x",), files=files)
    listed = changes(fake).pull_changes(REQUEST)
    assert listed.paths == ("models/a", "src/a", "b")
    assert [each.subject for each in listed.commits or ()] == ["fix: x"]


@pytest.mark.parametrize("count", ["1000+", "3", ""])
def test_more_files_than_gitlab_lists_are_not_known(fake: FakeGitLab, count: str) -> None:
    fake.changes.requests[REQUEST] = Request(files=(("a", "a"), ("b", "b")), count=count)
    assert changes(fake).pull_changes(REQUEST).paths is None


@pytest.mark.parametrize("with_links", [False, True])
def test_every_page_is_read_be_it_without_links(fake: FakeGitLab, with_links: bool) -> None:
    fake.with_links = with_links
    messages = (*("fix: x",) * 250, "feat: y")
    fake.changes.requests[REQUEST] = Request(messages=messages)
    commits = changes(fake).pull_changes(REQUEST).commits or ()
    assert [each.subject for each in commits] == list(messages)


def test_a_comparison_is_not_believed(fake: FakeGitLab) -> None:
    with pytest.raises(RestError, match="GIT_DEPTH: 0"):
        changes(fake).between(A, B)
    fake.changes.parted = A
    assert changes(fake).goes_back(B, A)
    assert not changes(fake).goes_back(A, B)


def test_what_succeeded_last_is_live(fake: FakeGitLab) -> None:
    assert changes(fake).live("production") is None
    fake.changes.deployments = [
        Deployment(sha=A, updated="2026-11-02T08:00:00Z", finished="2026-11-02T12:00:00.000Z"),
        Deployment(sha=B, updated="2026-11-02T11:00:00Z"),
        Deployment(sha=B, updated="2026-11-02T13:00:00Z", environment="staging"),
    ]
    at = datetime(2026, 11, 2, 12, tzinfo=UTC)
    assert changes(fake).live("production") == Deployed(A, at)
    assert changes(fake).was_live("production", A) == at
    assert changes(fake).was_live("production", "c" * 40) is None
