"""A GitHub that refuses, is busy or is away: an outcome with a sentence, never an exception."""

from collections.abc import Iterator

import pytest

from gate.hosts.comments import Act, CommentOutcome, marker, upsert
from tests.hosts.asking import Time, asking
from tests.servers.github import ACTIONS, PULL, TOKEN, FakeGitHub, github
from tests.servers.github_answers import Answer, refused

LIST, CREATE, UPDATE, WHO = (
    "issues/list-comments",
    "issues/create-comment",
    "issues/update-comment",
    "users/get-authenticated",
)
MARKER = marker("chat", "gate.yaml", "production")
SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes."


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def tell(fake: FakeGitHub, time: Time | None = None) -> CommentOutcome:
    return upsert(asking(fake.url, time), PULL, MARKER, "## Allow")


def marked(fake: FakeGitHub) -> list[str]:
    """Return what our comments with the marker say."""
    mine = [one.body for one in fake.comments if one.login == ACTIONS]
    return [body for body in mine if body.startswith(MARKER)]


@pytest.mark.parametrize(
    "operation, fault, told",
    [
        (
            CREATE,
            refused(403, "Resource not accessible by integration"),
            "cannot write the comment: GitHub answers 403 (Resource not accessible by integration);"
            " the token needs pull-requests: write",
        ),
        (
            LIST,
            refused(404, "Not Found"),
            "cannot list the comments of the pull request: GitHub answers 404 (Not Found);"
            " perhaps the token lacks pull-requests: read",
        ),
        (
            CREATE,
            refused(422, "Validation Failed"),
            "cannot write the comment: GitHub answers 422 (Validation Failed)",
        ),
        (
            LIST,
            Answer(200, b"<html>Sign in</html>"),
            "cannot list the comments of the pull request: GitHub answers with an HTML page:"
            " probably a login page, or not the API's url",
        ),
        (
            CREATE,
            refused(403, SECONDARY, Retry_After="3600"),
            "cannot write the comment: GitHub limits the rate of requests: 403"
            f" ({SECONDARY}); there is no time left to wait 3600.0 s and try again;"
            " run the job again later; each token has a limit of its own",
        ),
    ],
)
def test_what_cannot_be_written_is_an_outcome_and_no_exception(
    fake: FakeGitHub, operation: str, fault: Answer, told: str
) -> None:
    fake.faults = {operation: [fault]}

    assert tell(fake) == CommentOutcome(act=Act.FAILED, url=None, trouble=told)
    assert fake.comments == []
    assert fake.seen[-1] == operation


def test_an_update_that_is_forbidden_is_an_outcome_and_makes_no_other_comment(
    fake: FakeGitHub,
) -> None:
    fake.plant(ACTIONS, f"{MARKER}\n## Block")
    fake.forbidden = {UPDATE}

    outcome = tell(fake)

    assert outcome.act is Act.FAILED
    assert outcome.trouble.endswith("the token needs pull-requests: write")
    assert marked(fake) == [f"{MARKER}\n## Block"]
    assert fake.seen == [LIST, WHO, UPDATE]


def test_a_github_that_is_not_there_is_an_outcome() -> None:
    with github() as gone:
        url = gone.url

    outcome = upsert(asking(url), PULL, MARKER, "x")

    assert outcome.act is Act.FAILED
    assert outcome.trouble.endswith("GitHub cannot be reached: connection refused")


@pytest.mark.parametrize(
    "fault, pause",
    [
        (refused(403, SECONDARY, Retry_After="3"), 3.0),
        (refused(429, "Too many requests", Retry_After="3"), 3.0),
        (refused(403, SECONDARY), 60.0),
        (refused(500, "Server Error"), 1.0),
        (Answer(502, b"<html>Bad gateway</html>"), 1.0),
    ],
)
@pytest.mark.parametrize("operation", [LIST, CREATE])
def test_a_busy_github_gets_its_pause_and_then_one_comment(
    fake: FakeGitHub, operation: str, fault: Answer, pause: float
) -> None:
    time = Time()
    fake.faults = {operation: [fault]}

    assert tell(fake, time).act is Act.CREATED
    assert time.slept == [pause]
    assert len(fake.comments) == 1
    assert len(fake.seen) == 4


def test_a_comment_written_although_github_says_it_failed_is_not_written_twice(
    fake: FakeGitHub,
) -> None:
    fake.faults = {CREATE: [Answer(502, b"<html>Bad gateway</html>")]}

    def written() -> None:
        fake.plant(ACTIONS, f"{MARKER}\n## Allow")

    fake.before = {CREATE: [written]}

    assert tell(fake).trouble == ""
    assert marked(fake) == [f"{MARKER}\n## Allow"]
    assert fake.seen == [LIST, CREATE, CREATE, LIST, "issues/delete-comment"]


def test_the_token_is_in_no_outcome(fake: FakeGitHub) -> None:
    fake.faults = {CREATE: [refused(422, f"What is {TOKEN}?")]}

    assert TOKEN not in tell(fake).trouble
