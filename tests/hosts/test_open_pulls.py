"""Open pull requests and the statuses of commits, as GitHub and GitLab list them."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gate.hosts import CommitStatus, PostedStatus, RestError, described
from gate.hosts.gitlab import GitLab
from gate.hosts.pulls import OpenPull, newest_of_each
from tests.hosts.asking import Time, asking
from tests.servers import gitlab as lab
from tests.servers.github import ACTIONS, FakeGitHub, github
from tests.servers.github import OpenPull as Kept
from tests.servers.gitlab import FakeGitLab

HEAD = "a" * 40
AT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with github() as fake:
        yield fake


@pytest.fixture
def project() -> Iterator[FakeGitLab]:
    with lab.gitlab() as fake:
        yield fake


def client(fake: FakeGitLab) -> GitLab:
    return GitLab("acme/chat", lab.TOKEN, url=fake.url, page=lab.PAGE, clock=Time().clock())


def request(iid: int, **more: Any) -> dict[str, Any]:
    """Return https://docs.gitlab.com/api/merge_requests/#list-project-merge-requests."""
    return {
        "id": 900 + iid,
        "iid": iid,
        "project_id": lab.PROJECT,
        "title": "Answer in fewer words",
        "state": "opened",
        "draft": False,
        "sha": HEAD,
        "source_branch": "shorter",
        "target_branch": "main",
        "labels": ["security"],
        "author": {"id": 1, "username": "ada", "state": "active"},
        **more,
    }


@pytest.mark.slow
def test_github_lists_every_open_pull_request_with_drafts_and_forks(hub: FakeGitHub) -> None:
    hub.pulls = [Kept(number=number, sha=f"{number:040x}") for number in range(1, 251)]
    hub.pulls[0].draft, hub.pulls[1].fork, hub.pulls[2].author = True, True, None
    hub.pulls[3].closed = True
    hub.pulls[4].labels = ("security",)
    pulls = list(asking(hub.url).open_pulls.every())
    assert [pull.number for pull in pulls] == [1, 2, 3, *range(5, 251)]
    assert hub.seen == ["pulls/list"] * 3
    assert pulls[2].author == ""
    assert pulls[3] == OpenPull(
        number=5,
        revision=f"{5:040x}",
        branch="shorter",
        base="b" * 40,
        base_branch="main",
        title="Answer in fewer words",
        labels=("security",),
        author="ada",
    )


def test_github_tells_every_status_of_a_commit_the_newest_first(hub: FakeGitHub) -> None:
    for state in ("failure", "success"):
        hub.plant_status(HEAD, ACTIONS, state=state, context="gate/chat", description=state)
    hub.plant_status(HEAD, None, state="error", context="lint")
    hub.plant_status("b" * 40, ACTIONS, state="error", context="gate/chat")
    other, newest, before = asking(hub.url).statuses(HEAD)
    assert before.state == "failure"
    assert newest_of_each([other, newest, before]) == (other, newest)
    assert newest == PostedStatus(
        state="success", name="gate/chat", description="success", url="", author=ACTIONS, at=AT
    )
    assert (other.name, other.author, other.state) == ("lint", "", "error")


def test_gitlab_lists_every_open_merge_request(project: FakeGitLab) -> None:
    project.requests = [request(number) for number in range(1, 131)]
    requests = list(client(project).open_pulls.every())
    assert [pull.number for pull in requests] == list(range(1, 131))
    assert requests[0] == OpenPull(
        number=1,
        revision=HEAD,
        branch="shorter",
        base="main",
        base_branch="main",
        title="Answer in fewer words",
        labels=("security",),
        author="ada",
    )


@pytest.mark.parametrize(
    "state, read",
    [
        ("success", "success"),
        ("failed", "failure"),
        ("canceled", "error"),
        ("running", "pending"),
        ("pending", "pending"),
    ],
)
def test_gitlab_tells_every_status_of_a_commit_the_newest_first(
    project: FakeGitLab, state: str, read: str
) -> None:
    for earlier in ("failed", state):
        project.plant_status(HEAD, lab.BOT, "2026-11-01T00:00:00Z", state=earlier, name="gate/chat")
    status, before = client(project).statuses(HEAD)
    assert before.state == "failure"
    assert (status.state, status.author, status.at) == (read, lab.BOT, AT)


def test_gitlab_takes_pending_for_what_is_pending_already(project: FakeGitLab) -> None:
    waiting = CommitStatus(state="pending", name="gate/chat", description="waits", url=None)
    for _ in range(2):
        client(project).set_status(HEAD, waiting)
    assert len(project.statuses) == 1


@pytest.mark.parametrize(
    "refusal", [lab.refused(400, "name is too long"), lab.refused(403, "Cannot transition status")]
)
def test_gitlab_other_refusals_are_failures(project: FakeGitLab, refusal: Any) -> None:
    project.faults["status"] = [refusal]
    waiting = CommitStatus(state="pending", name="gate/chat", description="waits", url=None)
    with pytest.raises(RestError, match="cannot set the commit status"):
        client(project).set_status(HEAD, waiting)


@pytest.mark.parametrize("length", [1, 100, 140, 141, 1000])
def test_the_ending_of_a_status_is_never_cut(length: int) -> None:
    status = CommitStatus(
        state="success", name="x", description="é" * length, ending="; policy 0", url=None
    )
    text = described(status, 140)
    assert len(text) <= 140
    assert text.endswith("; policy 0")
    assert text.startswith("é" * min(length, 127))
