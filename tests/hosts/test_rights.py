"""Who is one of those whom a policy names, asked of a GitHub that keeps to its description."""

from collections.abc import Iterator

import pytest

from gate.hosts.people import Rights
from gate.policy.authors import Right
from tests.hosts.asking import asking
from tests.servers.github import FakeGitHub, github

SRE = ("acme", "sre", "grace")


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def ask(fake: FakeGitHub, who: str, *wanted: str) -> Right:
    return Rights(asking(fake.url).people)(who, wanted)


def test_a_person_who_is_named_is_not_asked_about(fake: FakeGitHub) -> None:
    assert ask(fake, "@Grace", "@acme/sre", "@grace") == Right(holds=True)
    assert ask(fake, "@alan", "@grace") == Right(holds=False)
    assert fake.seen == []


@pytest.mark.parametrize("state, holds", [("active", True), ("pending", False)])
def test_a_team_counts_with_its_members(fake: FakeGitHub, state: str, holds: bool) -> None:
    fake.teams = {SRE: state}
    assert ask(fake, "@grace", "@acme/sre").holds is holds


def test_of_several_groups_one_is_enough(fake: FakeGitHub) -> None:
    fake.teams = {SRE: "active"}
    fake.rights = {"grace": "read"}
    assert ask(fake, "grace", "write", "@acme/security", "@acme/sre").holds
    assert len(fake.seen) == 3


def test_a_team_that_is_hidden_is_reported_and_does_not_count(fake: FakeGitHub) -> None:
    right = ask(fake, "@grace", "@acme/sre")
    assert not right.holds
    assert "members: read of the organization" in right.reason


def test_where_github_does_not_answer_nobody_has_the_right(fake: FakeGitHub) -> None:
    right = ask(fake, "@nobody-at-all", "write")
    assert not right.holds
    assert "404 (nobody-at-all is not a user)" in right.reason


@pytest.mark.parametrize("who", ["@acme/sre", "..", ""])
def test_a_name_that_is_none_has_no_right(fake: FakeGitHub, who: str) -> None:
    fake.teams = {SRE: "active"}
    assert not ask(fake, who, "write", "@acme/sre").holds


def test_a_bot_has_no_right_even_where_it_is_named(fake: FakeGitHub) -> None:
    known = ask(fake, "helper[bot]", "write")
    assert known == Right(holds=False, reason="@helper[bot] is a bot")
