"""Jobs that share a comment, and comments of earlier versions."""

from collections.abc import Iterator

import pytest

from gate.hosts.comments import Act, CommentOutcome, CommentWriter, marker, upsert
from gate.hosts.identity import GateIdentity
from tests.hosts.asking import asking
from tests.servers.github import ACTIONS, PULL, FakeGitHub, github

MARKER = GateIdentity(paths=("gate.yaml",)).marker
FORMER = marker("chat", "gate.yaml", None)


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def tell(
    fake: FakeGitHub, body: str, writer: CommentWriter | None = None, mark: str = MARKER
) -> CommentOutcome:
    return upsert(asking(fake.url), PULL, mark, body, former=FORMER, writer=writer)


def leg(job: str, severity: int, run: str = "17 1") -> CommentWriter:
    return CommentWriter(run=run, job=job, severity=severity)


def test_a_better_verdict_never_goes_over_a_worse_one_of_another_leg(fake: FakeGitHub) -> None:
    assert tell(fake, "## BLOCK", leg("a", 3)).act is Act.CREATED
    outcome = tell(fake, "## ALLOW", leg("b", 0))
    (comment,) = fake.comments
    assert outcome.act is Act.KEPT
    assert "its own gate key" in outcome.trouble
    assert outcome.url is not None
    assert comment.body.endswith("## BLOCK")


@pytest.mark.variants(3)
@pytest.mark.parametrize(
    "before, after",
    [
        (leg("a", 3), leg("a", 0)),  # one job that asks again
        (leg("a", 3), leg("b", 0, run="18 1")),
        (leg("a", 3), leg("b", 0, run="17 2")),
        (leg("a", 0), leg("b", 3)),
        (leg("a", 3), leg("b", 3)),
        (None, leg("b", 0)),
        (leg("a", 3), None),
    ],
)
def test_otherwise_the_later_one_counts(
    fake: FakeGitHub, before: CommentWriter | None, after: CommentWriter | None
) -> None:
    tell(fake, "## first", before)
    assert tell(fake, "## second", after).act is Act.UPDATED
    assert [comment.body.split("\n")[-1] for comment in fake.comments] == ["## second"]


def test_a_leg_that_has_just_written_takes_its_own_back(fake: FakeGitHub) -> None:
    def race() -> None:
        fake.plant(ACTIONS, f"{MARKER}\n{leg('a', 3).line}\n## BLOCK")

    fake.before["issues/create-comment"] = [race]
    assert tell(fake, "## ALLOW", leg("b", 0)).act is Act.KEPT
    assert [comment.body.split("\n")[-1] for comment in fake.comments] == ["## BLOCK"]


@pytest.mark.parametrize(
    "line", ["", "<!-- gate:run x y 9 -->", f"{leg('a', 3).line} ", "<!-- gate:run", "## BLOCK"]
)
def test_an_odd_second_line_keeps_nobody_from_writing(fake: FakeGitHub, line: str) -> None:
    fake.plant(ACTIONS, f"{MARKER}\n{line}")
    assert tell(fake, "## ALLOW", leg("b", 0)).act is Act.UPDATED


def test_a_comment_of_an_earlier_version_is_taken_over_once(fake: FakeGitHub) -> None:
    old = fake.plant(ACTIONS, f"{FORMER}\n## ALLOW")
    assert tell(fake, "## BLOCK").act is Act.UPDATED
    assert [comment.id for comment in fake.comments] == [old.id]
    assert fake.comments[0].body == f"{MARKER}\n## BLOCK"
    other = GateIdentity(paths=("gate.yaml",), key="eu").marker
    assert tell(fake, "## ALLOW", mark=other).act is Act.CREATED
    assert len(fake.comments) == 2


def test_one_of_an_earlier_version_beside_one_of_ours_becomes_one(fake: FakeGitHub) -> None:
    fake.plant(ACTIONS, f"{FORMER}\n## ALLOW")
    fake.plant(ACTIONS, f"{MARKER}\n## ALLOW")
    tell(fake, "## BLOCK")
    assert [comment.body for comment in fake.comments] == [f"{MARKER}\n## BLOCK"]


@pytest.mark.variants(5)
@pytest.mark.parametrize("mark", [MARKER, FORMER])
@pytest.mark.parametrize("login", ["mallory", "github-actions", "github-actions[BOT]", None])
def test_a_marker_that_somebody_else_pasted_is_left_alone(
    fake: FakeGitHub, mark: str, login: str | None
) -> None:
    planted = f"{mark}\n{leg('a', 3).line}\n## ALLOW"
    fake.plant(login, planted)
    assert tell(fake, "## BLOCK", leg("b", 0)).act is Act.CREATED
    assert fake.comments[0].body == planted
    assert len(fake.comments) == 2


@pytest.mark.parametrize("body", [f"> {MARKER}", f"quoted:\n{MARKER}", f"{MARKER} x", f" {MARKER}"])
def test_a_marker_that_is_not_the_first_line_is_none(fake: FakeGitHub, body: str) -> None:
    fake.plant(ACTIONS, body)
    assert tell(fake, "## BLOCK").act is Act.CREATED
    assert fake.comments[0].body == body
