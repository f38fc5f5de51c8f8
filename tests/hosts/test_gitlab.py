"""One note per merge request, by the very requests that the real client python-gitlab sends."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import gitlab as python_gitlab
import pytest

from gate.hosts.comments import Act, Comment, CommentOutcome, marker, upsert
from gate.hosts.gitlab import GitLab, GitLabError
from tests.hosts.asking import Time
from tests.servers.github_answers import Answer
from tests.servers.gitlab import (
    BOT,
    PAGE,
    PATH,
    PROJECT,
    REQUEST,
    TOKEN,
    FakeGitLab,
    Sent,
    gitlab,
    refused,
)

MARKER = marker("chat", "gate.yaml", "production")
HOSTILE = "| a\n<!-- x -->\r\n@all #1 \U0001f600 \u202e %0A \\ \" ' $(id) \x85 end"
EDIT = "the role Developer in the project and the scope api"


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    with gitlab() as one:
        yield one


def client(fake: FakeGitLab, project: str = str(PROJECT), token: str = TOKEN) -> GitLab:
    clock = Time().clock()
    return GitLab(project, token, url=fake.url, page=PAGE, clock=clock)


def notes(fake: FakeGitLab, project: int | str = PROJECT) -> Any:
    """Return python-gitlab's manager of the notes."""
    address = urlsplit(fake.url)
    host = python_gitlab.Gitlab(f"{address.scheme}://{address.netloc}", private_token=TOKEN)
    return host.projects.get(project, lazy=True).mergerequests.get(REQUEST, lazy=True).notes


def tell(fake: FakeGitLab, body: str = "## Allow") -> CommentOutcome:
    return upsert(client(fake), REQUEST, MARKER, body)


def taken(fake: FakeGitLab, act: Callable[[], object]) -> list[Sent]:
    """Return what somebody sends to a GitLab that has always the same three notes."""
    fake.notes[:] = []
    fake.numbers = iter(range(1, 10))
    for author in (BOT, "ada", BOT):
        fake.plant(author, f"note of {author}")
    fake.sent.clear()
    act()
    return list(fake.sent)


def note(number: int) -> Comment:
    return Comment(id=number, author=BOT, body="", url="")


def test_the_real_client_creates_lists_edits_and_deletes_notes_on_the_fake(
    fake: FakeGitLab,
) -> None:
    manager = notes(fake)
    made = manager.create({"body": HOSTILE})
    other = manager.create({"body": "other"})
    made.body = "edited"
    made.save()
    other.delete()

    (left,) = manager.list(get_all=True)
    assert (left.id, left.body, left.author["username"]) == (made.id, "edited", BOT)
    assert [one.body for one in fake.notes] == ["edited"]


def test_the_real_client_reads_all_pages_of_the_fake_newest_first(fake: FakeGitLab) -> None:
    for number in range(250):
        fake.plant("ada", f"note {number}")

    bodies = [one.body for one in notes(fake).list(iterator=True, per_page=100)]

    assert bodies == [f"note {number}" for number in reversed(range(250))]


def test_the_real_client_is_reported_what_is_gone_and_what_is_another_s(fake: FakeGitLab) -> None:
    planted = fake.plant("ada", "mine")

    with pytest.raises(python_gitlab.exceptions.GitlabUpdateError, match="403"):
        notes(fake).update(planted.id, {"body": "yours"})
    with pytest.raises(python_gitlab.exceptions.GitlabDeleteError, match="404"):
        notes(fake).delete(77)


@pytest.mark.parametrize("project", [str(PROJECT), PATH])
@pytest.mark.parametrize(
    "ours, theirs",
    [
        (
            lambda one: one.comments(REQUEST),
            lambda manager: list(manager.list(iterator=True, per_page=100)),
        ),
        (
            lambda one: one.create_comment(REQUEST, HOSTILE),
            lambda manager: manager.create({"body": HOSTILE}),
        ),
        (
            lambda one: [one.comments(REQUEST), one.update_comment(note(3), HOSTILE)],
            lambda manager: [
                list(manager.list(iterator=True, per_page=100)),
                manager.update(3, {"body": HOSTILE}),
            ],
        ),
        (
            lambda one: [one.comments(REQUEST), one.delete_comment(note(1))],
            lambda manager: [
                list(manager.list(iterator=True, per_page=100)),
                manager.delete(1),
            ],
        ),
        (lambda one: one.login(), lambda manager: manager.gitlab.auth()),
    ],
    ids=["list", "create", "update", "delete", "login"],
)
def test_what_is_sent_is_what_the_real_client_sends(
    fake: FakeGitLab,
    project: str,
    ours: Callable[[GitLab], object],
    theirs: Callable[[Any], object],
) -> None:
    sent = taken(fake, lambda: ours(client(fake, project)))
    expected = taken(fake, lambda: theirs(notes(fake, project)))

    assert sent == expected
    assert sent != []


def test_a_note_is_reported_with_its_author_its_text_and_its_page(fake: FakeGitLab) -> None:
    planted = fake.plant("ada", HOSTILE)

    (read,) = client(fake).comments(REQUEST)

    url = f"https://gitlab.example/acme/chat/-/merge_requests/7#note_{planted.id}"
    assert read == Comment(id=planted.id, author="ada", body=HOSTILE, url=url)


def test_the_first_report_becomes_a_note_and_the_next_updates_it(fake: FakeGitLab) -> None:
    first, second, third = tell(fake, "## Block"), tell(fake), tell(fake)

    url = f"{PAGE}/-/merge_requests/7#note_1001"
    assert [one.act for one in (first, second, third)] == [Act.CREATED, Act.UPDATED, Act.UNCHANGED]
    assert {one.url for one in (first, second, third)} == {url}
    assert [one.body for one in fake.notes] == [f"{MARKER}\n## Allow"]


def test_the_note_is_found_among_250_and_a_planted_marker_is_left_alone(fake: FakeGitLab) -> None:
    mine = fake.plant(BOT, f"{MARKER}\n## Block")
    for number in range(249):
        fake.plant("eve", f"{MARKER}\n{number}")

    assert tell(fake).act is Act.UPDATED
    assert (mine.body, len(fake.notes)) == (f"{MARKER}\n## Allow", 250)
    assert fake.notes[17].body == f"{MARKER}\n16"
    assert fake.seen == ["list"] * 3 + ["who", "update"]


def test_a_note_deleted_between_read_and_write_is_written_anew(fake: FakeGitLab) -> None:
    mine = fake.plant(BOT, f"{MARKER}\n## Block")
    fake.before = {"update": [lambda: fake.notes.remove(mine)]}

    assert tell(fake).act is Act.CREATED
    assert [one.body for one in fake.notes] == [f"{MARKER}\n## Allow"]


def test_of_two_runs_at_once_the_older_note_stays(fake: FakeGitLab) -> None:
    def another() -> None:
        fake.plant(BOT, f"{MARKER}\n## Warn")

    fake.before = {"create": [another]}

    assert tell(fake).trouble == ""
    assert [(one.id, one.body) for one in fake.notes] == [(1001, f"{MARKER}\n## Allow")]


@pytest.mark.parametrize(
    "operation, fault, told",
    [
        (
            "create",
            refused(403, "403 Forbidden"),
            "cannot write the note: GitLab answers 403 (403 Forbidden);"
            " perhaps the token lacks the role Reporter in the project and the scope api",
        ),
        (
            "update",
            refused(403, "403 Forbidden"),
            f"cannot update the note: GitLab answers 403 (403 Forbidden);"
            f" perhaps the token lacks {EDIT}",
        ),
        (
            "list",
            refused(404, "404 Not Found"),
            "cannot list the notes of the merge request: GitLab answers 404 (404 Not Found);"
            " perhaps the token lacks the role Reporter in the project and the scope api",
        ),
        (
            "list",
            Answer(403, {"error": "insufficient_scope", "scope": "api"}),
            "cannot list the notes of the merge request: GitLab answers 403;"
            " perhaps the token lacks the role Reporter in the project and the scope api",
        ),
        (
            "who",
            Answer(200, {"message": "hello"}),
            "cannot ask whose token this is: GitLab gives an answer that gate cannot read",
        ),
        (
            "create",
            refused(429, {"error": "Too many requests"}, Retry_After="3600"),
            "cannot write the note: GitLab limits the rate of requests: 429;"
            " there is no time left to wait 3600.0 s and try again; run the job"
            " again later; each token has a limit of its own",
        ),
    ],
    ids=["create", "update", "hidden", "scope", "form", "limit"],
)
def test_what_cannot_be_written_is_an_outcome_that_names_what_is_missing(
    fake: FakeGitLab, operation: str, fault: Answer, told: str
) -> None:
    if operation in {"update", "who"}:
        fake.plant(BOT, f"{MARKER}\n## Block")
    fake.faults = {operation: [fault]}

    assert tell(fake) == CommentOutcome(act=Act.FAILED, url=None, trouble=told)
    assert fake.seen[-1] == operation


def test_a_busy_gitlab_gets_its_pause_and_then_one_note(fake: FakeGitLab) -> None:
    fake.faults = {"create": [refused(429, {"error": "Too many"}, Retry_After="3")]}

    assert tell(fake).act is Act.CREATED
    assert len(fake.notes) == 1


def test_a_duplicate_that_the_role_may_not_delete_is_reported_beside_the_success(
    fake: FakeGitLab,
) -> None:
    for _ in range(2):
        fake.plant(BOT, f"{MARKER}\n## Allow")
    fake.forbidden = {"delete"}

    outcome = tell(fake)

    assert outcome.act is Act.UNCHANGED
    assert outcome.trouble == (
        "cannot delete a duplicate of the note: GitLab answers 403 (403 Forbidden);"
        f" perhaps the token lacks {EDIT}"
    )


def test_a_wrong_token_is_reported_without_the_token(fake: FakeGitLab) -> None:
    with pytest.raises(GitLabError, match="the token is wrong or has expired") as told:
        client(fake, token="glpat-wrong").login()

    assert "glpat" not in str(told.value)


@pytest.mark.parametrize("project", ["../../user", "acme/chat/../../user", "a b?#%2F", "\ud800"])
def test_no_name_of_a_project_leads_to_another_address(project: str) -> None:
    with (
        pytest.raises(AssertionError, match="GitLab knows no GET /api/v4/projects/"),
        gitlab() as fake,
        pytest.raises(GitLabError, match="404"),
    ):
        client(fake, project).comments(REQUEST)


@pytest.mark.parametrize(
    "sent, problem",
    [
        ({"body": "all is well\n/close"}, "has a quick action"),
        ({"body": "x", "internal": True}, "has other attributes"),
        ({"body": ""}, "has other attributes"),
    ],
)
def test_a_note_that_gitlab_would_take_for_something_else_fails_the_test(
    sent: dict[str, object], problem: str
) -> None:
    with pytest.raises(AssertionError, match=problem), gitlab() as fake:
        notes(fake).create(sent)
