"""Who may stand behind a change's class, asked of a GitHub that keeps to its description."""

from collections.abc import Iterator
from typing import Any

import pytest

from gate.decision.decision import Context
from gate.hosts.people import Approvals
from gate.policy.changes import Approval, ChangeMatcher
from tests.hosts.asking import asking
from tests.hosts.test_github_people import HEAD, OLD, labelling, review
from tests.servers.github import PULL, FakeGitHub, github

CONTEXT = Context(
    system="github", pull_request=PULL, revision=HEAD, author="Ada", labels=("security",)
)
NOBODY = "nobody of @grace but the author has approved this commit or set the label on it"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        one.author = "Ada"
        one.pushes = [("shorter", HEAD, "2026-11-01T09:59:59Z")]
        yield one


def ask(fake: FakeGitHub, *who: str, **context: Any) -> Approval:
    known = Context(**{name: getattr(CONTEXT, name) for name in CONTEXT.__slots__} | context)
    matcher = ChangeMatcher(labels=("security",), approved_by=who)
    return Approvals(asking(fake.url).people, known)(matcher)


def test_a_named_person_who_approved_this_commit_counts(fake: FakeGitHub) -> None:
    fake.reviews = [review("Grace", "APPROVED", "10:00")]
    assert ask(fake, "@grace") == Approval(by=("@Grace",))


def test_a_named_person_who_set_the_label_counts(fake: FakeGitHub) -> None:
    fake.events = [labelling(1, "grace", "labeled", "security")]
    assert ask(fake, "@grace") == Approval(by=("@grace",))


def test_a_label_that_the_pull_request_no_longer_has_is_nobodys_word(fake: FakeGitHub) -> None:
    fake.events = [
        labelling(n, "grace", f"{un}labeled", "security") for n, un in [(1, ""), (2, "un")]
    ]
    assert ask(fake, "@grace") == Approval(why_not=NOBODY)


@pytest.mark.parametrize(
    "pushes",
    [[("shorter", HEAD, "2026-11-01T10:00:01Z")], [("shorter", OLD, "2026-11-01T09:00:00Z")], []],
    ids=["set before the push", "not the newest commit", "nobody knows when"],
)
def test_a_label_that_was_set_on_another_commit_does_not_count(
    fake: FakeGitHub, pushes: list[tuple[str, str, str]]
) -> None:
    fake.events = [labelling(1, "grace", "labeled", "security")]
    fake.pushes = pushes
    assert ask(fake, "@grace") == Approval(why_not=NOBODY)


def test_an_approval_of_an_earlier_commit_does_not_count(fake: FakeGitHub) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00", OLD)]
    assert ask(fake, "@grace") == Approval(why_not=NOBODY)


def test_the_author_cannot_approve_themselves(fake: FakeGitHub) -> None:
    fake.reviews = [review("ada", "APPROVED", "10:00")]
    fake.events = [labelling(1, "ada", "labeled", "security")]
    fake.rights = {"ada": "write"}
    assert not ask(fake, "@ada", "write").by


def test_a_bot_approves_nothing(fake: FakeGitHub) -> None:
    fake.events = [labelling(1, "helper[bot]", "labeled", "security")]
    assert ask(fake, "@helper[bot]", "write").why_not.endswith("(@helper[bot] is a bot)")


@pytest.mark.parametrize("right, counts", [("write", True), ("admin", True), ("read", False)])
def test_whoever_may_write_counts_where_the_policy_says_write(
    fake: FakeGitHub, right: str, counts: bool
) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.rights = {"grace": right}
    assert bool(ask(fake, "write").by) is counts


def test_a_member_of_a_named_team_counts(fake: FakeGitHub) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.teams = {("acme", "security", "grace"): "active"}
    assert ask(fake, "@acme/security") == Approval(by=("@grace",))


def test_a_team_that_cannot_be_seen_is_said_and_does_not_count(fake: FakeGitHub) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.forbidden = {"teams/get-membership-for-user-in-org"}
    approval = ask(fake, "@acme/security")
    assert approval.by == ()
    assert approval.why_not.startswith("nobody of @acme/security but the author has approved")
    assert "members: read" in approval.why_not


def test_where_github_cannot_be_asked_nobody_has_approved(fake: FakeGitHub) -> None:
    fake.forbidden = {"pulls/list-reviews"}
    approval = ask(fake, "@grace")
    assert approval.by == ()
    assert "pull-requests: read" in approval.why_not


def test_where_the_author_is_not_known_anybody_might_be_it(fake: FakeGitHub) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.faults = {"pulls/get": [fake.without_author()]}
    why_not = ask(fake, "@grace", author=None).why_not
    assert why_not == (
        "nobody can be told apart from the author: nobody can say who opened it: the account is "
        "gone, or has no name"
    )


@pytest.mark.parametrize("unknown", ["pull_request", "revision"])
def test_without_a_commit_and_a_pull_request_there_is_no_approval(
    fake: FakeGitHub, unknown: str
) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    assert ask(fake, "@grace", **{unknown: None}) == Approval(why_not=NOBODY)
    assert fake.seen == []
