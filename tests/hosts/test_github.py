"""Requests to GitHub, each allowed by its published description."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from gate.hosts import CommitStatus, RestError, State
from gate.hosts.accounts import Account
from gate.hosts.comments import Comment
from gate.hosts.github import GitHub
from gate.hosts.github_events import GitHubError
from tests.hosts.asking import asking
from tests.servers.github import ACTIONS, PULL, Deployment, FakeGitHub, github
from tests.servers.github_answers import Answer, refused

HEAD = "a" * 40
OLD = "b" * 40
START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def test_every_changed_file_is_reported_with_its_old_name_over_all_pages(fake: FakeGitHub) -> None:
    fake.files = [(f"src/{number}.py", None) for number in range(250)]
    fake.files[120] = ("prompts/new.md", "prompts/old.md")

    paths = asking(fake.url).changed_paths(PULL)

    assert len(paths) == 251
    assert paths[119:123] == ("src/119.py", "prompts/new.md", "prompts/old.md", "src/121.py")
    assert fake.seen == ["pulls/list-files"] * 3


def test_more_files_than_github_lists_are_not_mistaken_for_all(fake: FakeGitHub) -> None:
    fake.files = [(f"src/{number}.py", None) for number in range(3000)]

    with pytest.raises(GitHubError, match="lists the first 3,000 only"):
        asking(fake.url).changed_paths(PULL)


@pytest.mark.parametrize("writer", ["ada", ACTIONS])
def test_who_writes_is_asked_and_for_a_workflow_assumed(fake: FakeGitHub, writer: str) -> None:
    fake.writer = writer

    assert asking(fake.url).login() == writer


@pytest.mark.parametrize(
    "answer",
    [
        refused(401, "Bad credentials"),
        refused(404, "Not Found"),
        refused(403, "You have exceeded a secondary rate limit", Retry_After="900"),
    ],
)
def test_who_writes_is_not_assumed_for_any_other_reason(fake: FakeGitHub, answer: Answer) -> None:
    fake.faults = {"users/get-authenticated": [answer]}

    with pytest.raises(GitHubError, match=r"cannot ask whose token this is: (?!.*lacks)"):
        asking(fake.url).login()


def status(state: State, description: str, url: str | None = None) -> CommitStatus:
    return CommitStatus(state=state, name="gate/chat", description=description, url=url)


def test_a_commit_status_is_set_with_its_page(fake: FakeGitHub) -> None:
    asking(fake.url).set_status(HEAD, status("failure", "x" * 141, "https://x.example"))
    asking(fake.url).set_status(HEAD, status("success", "y" * 140))

    common = {"context": "gate/chat"}
    cut = {"description": "x" * 137 + "...", "target_url": "https://x.example"}
    assert fake.statuses == [
        (HEAD, common | {"state": "failure"} | cut),
        (HEAD, common | {"state": "success", "description": "y" * 140}),
    ]


@pytest.mark.parametrize(
    "state, shown",
    [("success", "success"), ("warning", "failure"), ("failure", "failure"), ("error", "error")],
)
def test_a_commit_status_fails_where_the_command_does(
    fake: FakeGitHub, state: State, shown: str
) -> None:
    asking(fake.url).set_status(HEAD, status(state, "x"))

    ((_, told),) = fake.statuses
    assert told["state"] == shown


COMMENT = Comment(id=1, author="ada", body="", url="")
ASKED: dict[str, Callable[[GitHub], object]] = {
    "pulls/get": lambda client: client.people.authors(PULL, HEAD),
    "pulls/list-files": lambda client: client.changed_paths(PULL),
    "repos/get-content": lambda client: client.files.file("gate.yaml", OLD),
    "repos/get-commit": lambda client: client.files.file("gate.yaml", OLD),
    "repos/get": lambda client: client.files.default_branch(),
    "git/get-ref": lambda client: client.files.commit("refs/heads/main"),
    "repos/get-collaborator-permission-level": lambda client: client.people.may_write(
        Account("ada")
    ),
    "teams/get-membership-for-user-in-org": lambda client: client.people.in_team(
        "acme/a", Account("ada")
    ),
    "pulls/list-reviews": lambda client: client.people.approvers(PULL, HEAD),
    "issues/list-events": lambda client: client.people.label_setting(PULL, "security"),
    "repos/list-deployments": lambda client: client.deployments.since(START),
    "repos/list-deployment-statuses": lambda client: client.deployments.since(START),
    "users/get-authenticated": lambda client: client.login(),
    "issues/list-comments": lambda client: client.comments(PULL),
    "issues/create-comment": lambda client: client.create_comment(PULL, "x"),
    "issues/update-comment": lambda client: client.update_comment(COMMENT, "x"),
}


@pytest.mark.variants(12)
@pytest.mark.parametrize("body", [b'{"odd": [1]}', b"[1]", b'"odd"', b"null", b'{"content": 1}'])
@pytest.mark.parametrize("operation", ASKED)
def test_an_answer_of_another_form_is_an_error(
    fake: FakeGitHub, operation: str, body: bytes
) -> None:
    fake.contents = {OLD: {}}
    fake.deployments = [Deployment(sha=HEAD, created="2026-11-20T10:00:00Z")]
    fake.faults = {operation: [Answer(200, body)]}

    with pytest.raises(RestError, match=r"that gate cannot read|is not a file"):
        ASKED[operation](asking(fake.url))


@pytest.mark.parametrize("name", ["..", ".", "", "../x", "a//b", "a/../../../user", "a\udcff"])
def test_no_name_leads_to_another_address(fake: FakeGitHub, name: str) -> None:
    client = asking(fake.url)

    with pytest.raises(GitHubError, match="it is not a plain name"):
        client.files.file(name, OLD)

    assert fake.seen == []
