"""An override by a label, asked of a GitHub that keeps to its description."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gate.decision.decision import Context
from gate.hosts.overriding import LabelOverride
from gate.policy.override import Labelled, Override, OverrideRule
from tests.hosts.asking import asking
from tests.hosts.test_github_people import HEAD, OLD, labelling
from tests.servers.github import PULL, FakeGitHub, github

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
RULE = OverrideRule(max_duration=timedelta(hours=8), approvers=("@grace",), label="gate-override")
CONTEXT = Context(system="github", pull_request=PULL, revision=HEAD, labels=())
WHY = "checkout is down, this is the fix"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    """A pull request of ada's, which grace has overridden at 10:00, an hour after its push."""
    with github() as one:
        one.pushes = [("shorter", HEAD, "2026-11-01T09:00:00Z")]
        one.events = [labelling(1, "grace", "labeled", "gate-override", "10:00")]
        one.plant("grace", f"Gate-Override: {WHY}")
        yield one


def ask(fake: FakeGitHub, rule: OverrideRule = RULE, at: datetime = AT, **context: Any) -> Labelled:
    client = asking(fake.url)
    known = Context(**{name: getattr(CONTEXT, name) for name in CONTEXT.__slots__} | context)
    return LabelOverride(client.people, client, known)(rule, at)


def refused(fake: FakeGitHub, **more: Any) -> str:
    labelled = ask(fake, **more)
    assert labelled.override is None
    return labelled.why_not.removeprefix("the label gate-override does not count: ")


def test_it_ends_as_long_after_the_label_was_set_as_the_policy_allows(fake: FakeGitHub) -> None:
    until = datetime(2026, 11, 1, 18, tzinfo=UTC)
    override = Override(
        reason=WHY, approved_by="@grace", until=until, label="gate-override", confirmed=True
    )
    assert ask(fake) == Labelled(override=override)
    assert ask(fake, at=until - timedelta(seconds=1)).override == override
    assert refused(fake, at=until) == "its end has passed"


def test_a_host_whose_clock_is_ahead_makes_it_no_longer(fake: FakeGitHub) -> None:
    at = datetime(2026, 11, 1, 9, 59, tzinfo=UTC)
    override = ask(fake, at=at).override
    assert override is not None
    assert override.until == at + timedelta(hours=8)


def test_without_the_label_there_is_nothing_to_say(fake: FakeGitHub) -> None:
    fake.events.append(labelling(2, "ada", "unlabeled", "gate-override", "11:00"))
    assert ask(fake) == Labelled()
    assert ask(fake, pull_request=None) == Labelled()
    assert ask(fake, OverrideRule()) == Labelled()


@pytest.mark.parametrize(
    "body, reason",
    [
        ("gate-override:the fix ", "the fix"),
        ("Here is why.\r\n\r\n  Gate-Override: the fix\r\nand more", "the fix"),
        ("> Gate-Override: quoted", None),
        ("Gate-Override:", None),
        ("Gate-Override:\nsomething else", None),
        ("see Gate-Override: the fix", None),
    ],
)
def test_the_reason_is_the_rest_of_a_line_of_a_comment(
    fake: FakeGitHub, body: str, reason: str | None
) -> None:
    fake.comments[0].body = body
    override = ask(fake).override
    assert (override.reason if override else None) == reason


def test_the_latest_reason_of_anybody_who_set_the_label_counts(fake: FakeGitHub) -> None:
    fake.plant("Grace", "Gate-Override: the second fix")
    fake.plant("grace", "thanks")
    fake.plant("ada", "Gate-Override: because I say so")
    override = ask(fake).override
    assert override is not None
    assert override.reason == "the second fix"


def test_without_a_reason_of_theirs_it_does_not_count(fake: FakeGitHub) -> None:
    fake.comments[0].login = "ada"
    assert refused(fake) == (
        "@grace has not said why, in a comment with the line Gate-Override: REASON"
    )


@pytest.mark.parametrize(
    "pushes, why_not",
    [
        (
            [("shorter", HEAD, "2026-11-01T10:00:01Z")],
            "@grace set it before this commit was pushed; remove it and set it again",
        ),
        (
            [("shorter", OLD, "2026-11-01T09:00:00Z")],
            "this is not the newest commit, or it is not known when it was pushed",
        ),
        ([], "this is not the newest commit, or it is not known when it was pushed"),
    ],
)
def test_it_is_for_the_commit_that_it_was_set_on(
    fake: FakeGitHub, pushes: list[tuple[str, str, str]], why_not: str
) -> None:
    fake.pushes = pushes
    assert refused(fake) == why_not


def test_an_author_cannot_override_for_themselves(fake: FakeGitHub) -> None:
    fake.author = "Grace"
    assert refused(fake) == "@grace cannot approve a change of their own: they opened it"


def test_where_the_author_is_not_known_anybody_might_be_it(fake: FakeGitHub) -> None:
    fake.faults = {"pulls/get": [fake.without_author()]}
    assert refused(fake) == (
        "nobody can be distinguished from the author: it is not known who opened it: the account"
        " is gone, or has no name"
    )


def test_only_those_whom_the_policy_names_can_set_it(fake: FakeGitHub) -> None:
    fake.events = [labelling(1, "alan", "labeled", "gate-override", "10:00")]
    fake.comments[0].login = "alan"
    assert refused(fake) == "@alan may not approve it; @grace may"


def test_a_member_of_a_named_team_can_set_it(fake: FakeGitHub) -> None:
    team = OverrideRule(approvers=("@acme/sre",), label="gate-override")
    assert "members: read of the organization" in refused(fake, rule=team)
    fake.teams = {("acme", "sre", "grace"): "active"}
    assert ask(fake, team).override is not None


@pytest.mark.parametrize("right, counts", [("write", True), ("read", False)])
def test_where_nobody_is_named_it_takes_the_right_to_write(
    fake: FakeGitHub, right: str, counts: bool
) -> None:
    fake.rights = {"grace": right}
    assert (ask(fake, OverrideRule(label="gate-override")).override is not None) is counts


def test_a_bot_overrides_nothing(fake: FakeGitHub) -> None:
    fake.events = [labelling(1, "helper[bot]", "labeled", "gate-override", "10:00")]
    fake.comments[0].login = "helper[bot]"
    rule = OverrideRule(approvers=("@helper[bot]",), label="gate-override")
    assert "@helper[bot] is a bot" in refused(fake, rule=rule)


def test_a_github_that_cannot_be_asked_is_reported(fake: FakeGitHub) -> None:
    fake.forbidden = {"issues/list-events"}
    assert refused(fake) == (
        "cannot ask who set the label: GitHub answers 403 (Resource not accessible by "
        "integration); the token needs pull-requests: read"
    )
