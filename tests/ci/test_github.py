"""What GitHub is asked, by requests that its published description allows."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gate.ci.comments import Comment
from gate.ci.github import Account, GitHub, GitHubError
from tests.ci.asking import asking
from tests.servers.github import ACTIONS, PULL, FakeGitHub, github
from tests.servers.github_answers import Answer, description, refused, user

HEAD = "a" * 40
OLD = "b" * 40


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def review(login: str | None, state: str, at: str, commit: str = HEAD) -> dict[str, Any]:
    known = {"state": state, "submitted_at": f"2026-11-01T{at}:00Z", "commit_id": commit}
    links = {"html": {"href": "https://x.example"}, "pull_request": {"href": "https://x.example"}}
    who = None if login is None else user(login)
    return description().example("pull-request-review", user=who, _links=links, **known)


def labelling(number: int, login: str, event: str, label: str) -> dict[str, Any]:
    kind = f"{event}-issue-event"
    known = {"id": number, "event": event, "actor": user(login)}
    return description().example(kind, label={"name": label, "color": "ff0000"}, **known)


def test_every_changed_file_is_told_with_its_old_name_over_all_pages(fake: FakeGitHub) -> None:
    fake.files = [(f"src/{number}.py", None) for number in range(250)]
    fake.files[120] = ("prompts/new.md", "prompts/old.md")

    paths = asking(fake.url).changed_paths(PULL)

    assert len(paths) == 251
    assert paths[119:123] == ("src/119.py", "prompts/new.md", "prompts/old.md", "src/121.py")
    assert fake.seen == ["pulls/list-files"] * 3


def test_more_files_than_github_lists_are_not_taken_for_all(fake: FakeGitHub) -> None:
    fake.files = [(f"src/{number}.py", None) for number in range(3000)]

    with pytest.raises(GitHubError, match="lists the first 3,000 only"):
        asking(fake.url).changed_paths(PULL)


def test_labels_of_all_pages_are_told(fake: FakeGitHub) -> None:
    fake.labels = [f"label {number}" for number in range(101)]

    assert asking(fake.url).labels(PULL) == tuple(f"label {number}" for number in range(101))


@pytest.mark.parametrize("path", ["gate.yaml", "a b/ü#?%2F&.yaml", ".github/gate.yaml"])
@pytest.mark.parametrize("ref", ["main", "release/1.x", "a+b#c"])
def test_a_file_is_read_byte_for_byte_as_a_ref_has_it(
    fake: FakeGitHub, path: str, ref: str
) -> None:
    content = bytes(range(256)) * 3
    fake.contents = {ref: {path: content}, OLD: {path: b"other"}}

    assert asking(fake.url).content(path, ref) == content


def test_a_file_that_a_readable_ref_lacks_is_none(fake: FakeGitHub) -> None:
    fake.contents = {"release/1.x": {"other.yaml": b""}}

    assert asking(fake.url).content("gate.yaml", "release/1.x") is None


def test_a_file_at_a_ref_that_is_not_there_is_no_absent_file(fake: FakeGitHub) -> None:
    with pytest.raises(GitHubError, match=r"422 \(No commit found for SHA: main\)"):
        asking(fake.url).content("gate.yaml", "main")


def test_a_file_that_the_token_may_not_read_is_no_absent_file(fake: FakeGitHub) -> None:
    fake.contents = {"main": {"gate.yaml": b"version: 1"}}
    fake.hidden = {"repos/get-content", "repos/get-commit"}

    with pytest.raises(GitHubError, match="perhaps the token lacks contents: read"):
        asking(fake.url).content("gate.yaml", "main")


def test_a_file_that_github_forbids_is_asked_for_once(fake: FakeGitHub) -> None:
    fake.forbidden = {"repos/get-content"}

    with pytest.raises(GitHubError, match="the token needs contents: read"):
        asking(fake.url).content("gate.yaml", "main")

    assert fake.seen == ["repos/get-content"]


@pytest.mark.parametrize(
    "thing",
    [
        [],
        description().example("content-submodule", type="submodule"),
        description().example("content-file", type="file", encoding="none", content=""),
    ],
    ids=["folder", "submodule", "above 1 MB"],
)
def test_what_is_no_file_of_a_usual_size_is_an_error(fake: FakeGitHub, thing: object) -> None:
    fake.contents = {"main": {"gate.yaml": thing}}

    with pytest.raises(GitHubError, match=r"gate\.yaml is no file, or one above 1 MB"):
        asking(fake.url).content("gate.yaml", "main")


@pytest.mark.parametrize(
    "right, may",
    [("admin", True), ("write", True), ("read", False), ("none", False)],
)
def test_only_write_and_admin_may_write(fake: FakeGitHub, right: str, may: bool) -> None:
    fake.rights = {"ada": right}

    assert asking(fake.url).may_write("ada") is may


def test_of_somebody_who_is_not_there_no_right_is_told(fake: FakeGitHub) -> None:
    with pytest.raises(GitHubError, match=r"404 \(ada is not a user\)"):
        asking(fake.url).may_write("ada")


@pytest.mark.parametrize("state, member", [("active", True), ("pending", False)])
def test_only_who_has_accepted_is_in_a_team(fake: FakeGitHub, state: str, member: bool) -> None:
    fake.teams = {("acme", "security", "ada"): state}

    known = asking(fake.url).in_team("acme", "security", "ada")

    assert (known.member, known.untold) == (member, "")


@pytest.mark.parametrize("status", [403, 404])
def test_a_team_that_cannot_be_seen_is_not_told_and_not_taken_for_member(
    fake: FakeGitHub, status: int
) -> None:
    operation = "teams/get-membership-for-user-in-org"
    fake.teams = {("acme", "security", "ada"): "active"}
    fake.faults = {operation: [refused(status, "Resource not accessible by integration")]}

    known = asking(fake.url).in_team("acme", "security", "ada")

    assert not known.member
    assert "the token" in known.untold
    assert "members: read of the organization" in known.untold


def test_a_team_that_github_fails_to_look_up_is_an_error(fake: FakeGitHub) -> None:
    with pytest.raises(GitHubError, match="401"):
        asking(fake.url, token="other").in_team("acme", "security", "ada")


def test_approvers_are_those_whose_last_judgement_approves_the_head(fake: FakeGitHub) -> None:
    fake.reviews = [
        review("approved", "APPROVED", "10:00"),
        review("approved", "COMMENTED", "11:00"),
        review("of-old", "APPROVED", "10:00", OLD),
        review("renewed", "APPROVED", "10:00", OLD),
        review("renewed", "APPROVED", "11:00"),
        review("changed-mind", "APPROVED", "10:00"),
        review("changed-mind", "CHANGES_REQUESTED", "11:00"),
        review("won-over", "APPROVED", "11:00"),  # began it later, and was done sooner
        review("won-over", "CHANGES_REQUESTED", "10:00"),
        review("dismissed", "DISMISSED", "10:00"),
        review("only-talks", "COMMENTED", "10:00"),
        review(None, "APPROVED", "10:00"),
        review("helper[bot]", "APPROVED", "10:00"),
    ]

    approvers = asking(fake.url).approvers(PULL, HEAD)

    assert sorted(approvers) == [
        Account("approved"),
        Account("helper[bot]", bot=True),
        Account("renewed"),
        Account("won-over"),
    ]


def test_a_judgement_on_a_later_page_counts(fake: FakeGitHub) -> None:
    fake.reviews = [review("ada", "APPROVED", "10:00")]
    fake.reviews += [review("eve", "COMMENTED", "11:00")] * 99
    fake.reviews += [review("ada", "CHANGES_REQUESTED", "12:00")]

    assert asking(fake.url).approvers(PULL, HEAD) == ()


SET = labelling(1, "ada", "labeled", "security")
REMOVED = labelling(2, "eve", "unlabeled", "security")
SET_AGAIN = labelling(3, "bob", "labeled", "security")
OTHER = labelling(4, "eve", "labeled", "bug")
BY_BOT = labelling(5, "helper[bot]", "labeled", "security")


@pytest.mark.parametrize(
    "events, setter",
    [
        ([], None),
        ([SET], Account("ada")),
        ([SET, OTHER], Account("ada")),
        ([SET, REMOVED], None),
        ([SET, REMOVED, SET_AGAIN], Account("bob")),
        ([SET_AGAIN, SET], Account("bob")),
        ([SET, *[OTHER] * 99, REMOVED], None),
        ([SET, BY_BOT], Account("helper[bot]", bot=True)),
    ],
)
def test_the_last_to_set_a_label_is_told_unless_it_was_removed(
    fake: FakeGitHub, events: list[dict[str, Any]], setter: Account | None
) -> None:
    fake.events = [description().example("renamed-issue-event", id=9, event="renamed"), *events]

    assert asking(fake.url).label_setter(PULL, "security") == setter


def test_a_label_set_by_an_account_that_is_no_more_has_no_setter(fake: FakeGitHub) -> None:
    # The description lets no event be without its actor; GitHub does.
    fake.faults = {
        "issues/list-events": [Answer(200, json.dumps([SET | {"actor": None}]).encode())]
    }

    assert asking(fake.url).label_setter(PULL, "security") is None


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


def test_a_commit_status_is_set_with_its_page(fake: FakeGitHub) -> None:
    asking(fake.url).set_status(
        HEAD, "failure", context="gate", description="x" * 141, url="https://x.example"
    )
    asking(fake.url).set_status(HEAD, "success", context="gate", description="y" * 140)

    common = {"context": "gate"}
    assert fake.statuses == [
        (
            HEAD,
            common
            | {
                "state": "failure",
                "description": "x" * 137 + "...",
                "target_url": "https://x.example",
            },
        ),
        (HEAD, common | {"state": "success", "description": "y" * 140}),
    ]


COMMENT = Comment(id=1, author="ada", body="", url="")
ASKED: dict[str, Callable[[GitHub], object]] = {
    "pulls/list-files": lambda client: client.changed_paths(PULL),
    "issues/list-labels-on-issue": lambda client: client.labels(PULL),
    "repos/get-content": lambda client: client.content("gate.yaml", "main"),
    "repos/get-collaborator-permission-level": lambda client: client.may_write("ada"),
    "teams/get-membership-for-user-in-org": lambda client: client.in_team("acme", "a", "ada"),
    "pulls/list-reviews": lambda client: client.approvers(PULL, HEAD),
    "issues/list-events": lambda client: client.label_setter(PULL, "security"),
    "users/get-authenticated": lambda client: client.login(),
    "issues/list-comments": lambda client: client.comments(PULL),
    "issues/create-comment": lambda client: client.create_comment(PULL, "x"),
    "issues/update-comment": lambda client: client.update_comment(COMMENT, "x"),
}


@pytest.mark.parametrize("body", [b'{"odd": [1]}', b"[1]", b'"odd"', b"null", b'{"content": 1}'])
@pytest.mark.parametrize("operation", ASKED)
def test_an_answer_of_another_form_is_an_error(
    fake: FakeGitHub, operation: str, body: bytes
) -> None:
    fake.faults = {operation: [Answer(200, body)]}

    with pytest.raises(GitHubError, match=r"of a form that is not known|is no file"):
        ASKED[operation](asking(fake.url))


@pytest.mark.parametrize("name", ["..", ".", "", "../x", "a//b", "a/../../../user", "a\udcff"])
def test_no_name_leads_to_another_address(fake: FakeGitHub, name: str) -> None:
    client = asking(fake.url)

    with pytest.raises(GitHubError, match="it is no plain name"):
        client.content(name, "main")

    assert fake.seen == []


def test_a_ref_that_is_no_text_is_an_error(fake: FakeGitHub) -> None:
    with pytest.raises(GitHubError, match="has a character that cannot be sent"):
        asking(fake.url).content("gate.yaml", "a\udcff")


def test_a_team_cannot_be_named_so_that_the_organization_is_asked(fake: FakeGitHub) -> None:
    with pytest.raises(GitHubError, match="it is no plain name"):
        asking(fake.url).in_team("acme", "..", "ada")

    assert fake.seen == []
