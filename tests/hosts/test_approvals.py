"""Who may stand behind a change's class, asked of a GitHub that keeps to its description."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from gate.decision.decision import Context
from gate.hosts.people import Approvals, named_by
from gate.policy.changes import Approval, ChangeMatcher
from tests.hosts.asking import asking
from tests.hosts.test_github_people import HEAD, OLD, labelling, review
from tests.servers.github import PULL, FakeGitHub, github
from tests.servers.github_answers import written

CONTEXT = Context(
    system="github", pull_request=PULL, revision=HEAD, author="Ada", labels=("security",)
)
NOBODY = "nobody among @grace except the author has approved this commit or set the label on it"


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
def test_anybody_who_may_write_counts_where_the_policy_says_write(
    fake: FakeGitHub, right: str, counts: bool
) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.rights = {"grace": right}
    assert bool(ask(fake, "write").by) is counts


def test_a_member_of_a_named_team_counts(fake: FakeGitHub) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.teams = {("acme", "security", "grace"): "active"}
    assert ask(fake, "@acme/security") == Approval(by=("@grace",))


def test_a_team_that_cannot_be_seen_is_reported_and_does_not_count(fake: FakeGitHub) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.forbidden = {"teams/get-membership-for-user-in-org"}
    approval = ask(fake, "@acme/security")
    assert approval.by == ()
    assert approval.why_not.startswith("nobody among @acme/security except the author has approved")
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
        "nobody can be distinguished from the author: it is not known who opened it: the account"
        " is gone, or has no name"
    )


@pytest.mark.parametrize("unknown", ["pull_request", "revision"])
def test_without_a_commit_and_a_pull_request_there_is_no_approval(
    fake: FakeGitHub, unknown: str
) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    assert ask(fake, "@grace", **{unknown: None}) == Approval(why_not=NOBODY)
    assert fake.seen == []


QUEUED = "d" * 40
OTHER_PULL = PULL + 1


@pytest.fixture
def queue(fake: FakeGitHub) -> FakeGitHub:
    """A merge queue that has taken the pull request after its last push; grace has approved it."""
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.single = {QUEUED: written(QUEUED, at="2026-11-01T10:30:00Z")}
    return fake


def ask_queue(fake: FakeGitHub, *pulls: int, event: str = "merge_group") -> Approval:
    return ask(fake, "@grace", event=event, pull_request=None, pull_requests=pulls, revision=QUEUED)


def test_an_approval_counts_in_the_merge_queue(queue: FakeGitHub) -> None:
    assert ask_queue(queue, PULL) == Approval(by=("@grace",))
    assert ask_queue(queue, PULL, OTHER_PULL) == Approval(by=("@grace",))


def test_in_a_queue_every_pull_request_must_be_approved(queue: FakeGitHub) -> None:
    second = [review("grace", "APPROVED", "10:00", OLD)]
    first = queue.reviews
    queue.before = {"pulls/list-reviews": [lambda: None, lambda: setattr(queue, "reviews", second)]}
    assert ask_queue(queue, PULL, OTHER_PULL) == Approval(why_not=NOBODY)
    assert first != second


@pytest.mark.parametrize(
    "commit",
    [
        written(QUEUED, at="2026-11-01T09:59:59Z"),
        written(QUEUED, at="2026-11-01T09:00:00Z"),
        written(QUEUED, committer="ada", at="2026-11-01T10:30:00Z"),
        written(QUEUED, committer=None, at="2026-11-01T10:30:00Z"),
    ],
    ids=["in the second of the push", "pushed to since", "not GitHub's own", "nobody's"],
)
def test_what_the_queue_has_not_taken_is_not_approved(
    queue: FakeGitHub, commit: dict[str, Any]
) -> None:
    queue.single = {QUEUED: commit}
    assert ask_queue(queue, PULL).why_not == (
        f"it is not known which commit of pull request {PULL} the queue took"
    )


@pytest.mark.variants(1)
@pytest.mark.parametrize("named", [(), (PULL,), (PULL, OTHER_PULL)])
def test_a_queue_is_asked_about_every_pull_request_that_is_known_of_it(
    queue: FakeGitHub, named: tuple[int, ...]
) -> None:
    """Its event names one of them only."""
    context = replace(CONTEXT, event="merge_group", pull_request=None, pull_requests=named)
    matcher = ChangeMatcher(labels=("security",), approved_by=("@grace",))
    sources = ((PULL, HEAD), (OTHER_PULL, HEAD))
    second = [review("grace", "APPROVED", "10:00", OLD)]
    queue.before = {"pulls/list-reviews": [lambda: None, lambda: setattr(queue, "reviews", second)]}
    asked = Approvals(asking(queue.url).people, replace(context, revision=QUEUED), sources)
    assert asked(matcher) == Approval(why_not=NOBODY)
    assert queue.seen.count("pulls/list-reviews") == len(sources)


def test_without_a_queue_the_pull_requests_of_a_run_are_not_asked_about(
    queue: FakeGitHub,
) -> None:
    assert ask_queue(queue, PULL, event="workflow_run").by == ()
    assert ask_queue(queue).by == ()
    assert queue.seen == []


def test_an_older_push_than_a_page_has_is_of_no_interest(fake: FakeGitHub) -> None:
    old = [("shorter", "e" * 40, f"2026-10-01T00:{minute:02}:00Z") for minute in range(60)] * 2
    fake.pushes, fake.pushers = [*old, *fake.pushes], {"e" * 40: "grace"}
    fake.written = [written(HEAD), written("e" * 40)]
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    assert "@grace pushed to it" in ask(fake, "@grace").why_not
    fake.pushes = (
        [("shorter", "e" * 40, "2026-10-01T00:00:00Z")]
        + [("shorter", OLD, "2026-10-02T00:00:00Z")] * 100
        + [("shorter", HEAD, "2026-11-01T09:59:59Z")]
    )
    assert ask(fake, "@grace").by == ("@grace",)


def test_who_merged_wrote_what_is_merged(fake: FakeGitHub) -> None:
    merged = written("e" * 40, "grace", "alan")
    fake.single = {QUEUED: written(QUEUED, "ada", parents=(OLD, "e" * 40)), "e" * 40: merged}
    authors = asking(fake.url).people.writers(QUEUED)
    assert authors.parts == {
        "ada": "wrote a commit",
        "grace": "wrote a commit",
        "alan": "committed it",
    }


@pytest.mark.parametrize("system", ["jenkins", "buildkite"])
def test_systems_without_logins_name_people_by_their_names_too(system: str) -> None:
    authors = named_by(Context(system=system, author="Ada Lovelace", people=("grace", "Alan T")))
    assert authors.parts == {"grace": "wrote, pushed or started it"}
    assert [one.name for one in authors.signatures] == ["Ada Lovelace", "grace", "Alan T"]
    assert authors.unknown == ""
