"""Who did what and who may, asked of GitHub by requests that its published description allows."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from gate.hosts.accounts import Account, Setting
from gate.hosts.github_events import GitHubError
from tests.hosts.asking import asking
from tests.servers.github import PULL, FakeGitHub, github
from tests.servers.github_answers import Answer, description, refused, user

HEAD = "a" * 40
OLD = "b" * 40
ADA = Account("ada")
TEN = datetime(2026, 11, 1, 10, tzinfo=UTC)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def review(login: str | None, state: str, at: str, commit: str = HEAD) -> dict[str, Any]:
    known = {"state": state, "submitted_at": f"2026-11-01T{at}:00Z", "commit_id": commit}
    links = {"html": {"href": "https://x.example"}, "pull_request": {"href": "https://x.example"}}
    who = None if login is None else user(login)
    return description().example("pull-request-review", user=who, _links=links, **known)


def labelling(number: int, login: str, event: str, label: str, at: str = "10:00") -> dict[str, Any]:
    kind = f"{event}-issue-event"
    moment = f"2026-11-01T{at}:00Z"
    known = {"id": number, "event": event, "actor": user(login), "created_at": moment}
    return description().example(kind, label={"name": label, "color": "ff0000"}, **known)


@pytest.mark.parametrize(
    "right, may",
    [("admin", True), ("write", True), ("read", False), ("none", False)],
)
def test_only_write_and_admin_may_write(fake: FakeGitHub, right: str, may: bool) -> None:
    fake.rights = {"ada": right}

    assert asking(fake.url).people.may_write(ADA) is may


def test_of_somebody_who_is_not_there_no_right_is_reported(fake: FakeGitHub) -> None:
    with pytest.raises(GitHubError, match=r"404 \(ada is not a user\)"):
        asking(fake.url).people.may_write(ADA)


@pytest.mark.parametrize("state, member", [("active", True), ("pending", False)])
def test_only_who_has_accepted_is_in_a_team(fake: FakeGitHub, state: str, member: bool) -> None:
    fake.teams = {("acme", "security", "ada"): state}

    known = asking(fake.url).people.in_team("acme/security", ADA)

    assert (known.member, known.reason) == (member, "")


@pytest.mark.parametrize("status", [403, 404])
def test_a_team_that_cannot_be_seen_is_not_told_and_not_mistaken_for_member(
    fake: FakeGitHub, status: int
) -> None:
    operation = "teams/get-membership-for-user-in-org"
    fake.teams = {("acme", "security", "ada"): "active"}
    fake.faults = {operation: [refused(status, "Resource not accessible by integration")]}

    known = asking(fake.url).people.in_team("acme/security", ADA)

    assert not known.member
    assert "the token" in known.reason
    assert "members: read of the organization" in known.reason


def test_a_team_that_github_fails_to_look_up_is_an_error(fake: FakeGitHub) -> None:
    with pytest.raises(GitHubError, match="401"):
        asking(fake.url, token="other").people.in_team("acme/security", ADA)


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

    approvers = asking(fake.url).people.approvers(PULL, HEAD)

    assert sorted(approvers.accounts) == [
        Account("approved"),
        Account("helper[bot]", bot=True),
        Account("renewed"),
        Account("won-over"),
    ]


def test_a_judgement_on_a_later_page_counts(fake: FakeGitHub) -> None:
    fake.reviews = [review("ada", "APPROVED", "10:00")]
    fake.reviews += [review("eve", "COMMENTED", "11:00")] * 99
    fake.reviews += [review("ada", "CHANGES_REQUESTED", "12:00")]

    assert asking(fake.url).people.approvers(PULL, HEAD).accounts == ()


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
def test_the_last_to_set_a_label_is_reported_unless_it_was_removed(
    fake: FakeGitHub, events: list[dict[str, Any]], setter: Account | None
) -> None:
    fake.events = [description().example("renamed-issue-event", id=9, event="renamed"), *events]

    expected = None if setter is None else Setting(setter, TEN)
    assert asking(fake.url).people.label_setting(PULL, "security") == expected


def test_a_label_set_by_an_account_that_is_no_more_has_no_setter(fake: FakeGitHub) -> None:
    # The description lets no event be without its actor; GitHub does.
    fake.faults = {
        "issues/list-events": [Answer(200, json.dumps([SET | {"actor": None}]).encode())]
    }

    assert asking(fake.url).people.label_setting(PULL, "security") is None


@pytest.mark.parametrize(
    "pushes, at",
    [
        ([("shorter", HEAD, "2026-11-01T10:00:00Z")], TEN),
        (
            [
                ("shorter", HEAD, "2026-11-01T08:00:00Z"),
                ("shorter", OLD, "2026-11-01T09:00:00Z"),
                ("shorter", HEAD, "2026-11-01T11:00:00+01:00"),
                ("other", OLD, "2026-11-01T12:00:00Z"),
            ],
            TEN,
        ),
        (
            [("shorter", HEAD, "2026-11-01T10:00:00Z"), ("shorter", OLD, "2026-11-01T10:01:00Z")],
            None,
        ),
        ([("other", HEAD, "2026-11-01T10:00:00Z")], None),
        ([], None),
    ],
    ids=["once", "back again", "not the newest", "of another branch", "unknown"],
)
def test_a_commit_was_pushed_when_it_last_became_the_newest_of_its_branch(
    fake: FakeGitHub, pushes: list[tuple[str, str, str]], at: datetime | None
) -> None:
    fake.pushes = pushes

    assert asking(fake.url).people.pushed_at(PULL, HEAD) == at


def test_an_instant_without_an_offset_is_not_an_instant(fake: FakeGitHub) -> None:
    push = description().example("activity", after=HEAD, timestamp="2026-11-01T10:00:00")
    fake.faults = {"repos/list-activities": [Answer(200, json.dumps([push]).encode())]}

    with pytest.raises(GitHubError, match="that gate cannot read"):
        asking(fake.url).people.pushed_at(PULL, HEAD)


@pytest.mark.parametrize("login, bot", [("ada", False), ("helper[bot]", True)])
def test_a_bot_is_known_by_its_login(fake: FakeGitHub, login: str, bot: bool) -> None:
    assert asking(fake.url).people.account(login) == Account(login, bot=bot)
    assert fake.seen == []


def test_a_team_cannot_be_named_so_that_the_organization_is_asked(fake: FakeGitHub) -> None:
    with pytest.raises(GitHubError, match="it is not a plain name"):
        asking(fake.url).people.in_team("acme/..", ADA)

    assert fake.seen == []


def test_the_commits_of_a_pull_request_are_requested_once(fake: FakeGitHub) -> None:
    people = asking(fake.url).people
    assert people.authors(PULL, HEAD) == people.authors(PULL, HEAD)
    assert fake.seen.count("pulls/list-commits") == 1
