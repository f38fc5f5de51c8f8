"""Whatever happens, there is one comment at the end, and no exception."""

import threading
from collections.abc import Callable, Iterator

import pytest

from gate.hosts.comments import LIMIT, Act, CommentOutcome, marker, upsert
from tests.hosts.asking import asking
from tests.servers.github import ACTIONS, PULL, FakeGitHub, github
from tests.servers.github_answers import Answer

LIST, CREATE, UPDATE, DELETE, WHO = (
    "issues/list-comments",
    "issues/create-comment",
    "issues/update-comment",
    "issues/delete-comment",
    "users/get-authenticated",
)
MARKER = marker("chat", "gate.yaml", "production")


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def tell(fake: FakeGitHub, body: str = "## Allow") -> CommentOutcome:
    return upsert(asking(fake.url), PULL, MARKER, body)


def marked(fake: FakeGitHub, login: str = ACTIONS) -> list[str]:
    """Return what somebody's comments with the marker say."""
    mine = [one.body for one in fake.comments if one.login == login]
    return [body for body in mine if body.startswith(MARKER)]


def test_the_first_report_becomes_a_comment_under_its_hidden_marker(fake: FakeGitHub) -> None:
    outcome = tell(fake)

    url = f"https://github.example/acme/chat/pull/{PULL}#issuecomment-{fake.comments[0].id}"
    assert outcome == CommentOutcome(act=Act.CREATED, url=url)
    assert marked(fake) == [f"{MARKER}\n## Allow"]
    assert fake.seen == [LIST, CREATE, LIST]


def test_the_same_comment_is_updated_in_place_when_it_turns_green(fake: FakeGitHub) -> None:
    tell(fake, "## Block")
    fake.seen.clear()

    outcome = tell(fake, "## Allow")

    assert (outcome.act, outcome.trouble) == (Act.UPDATED, "")
    assert marked(fake) == [f"{MARKER}\n## Allow"]
    assert fake.seen == [LIST, WHO, UPDATE]


@pytest.mark.parametrize("change", [str, lambda text: text.replace("\n", "\r\n"), str.rstrip])
def test_a_comment_that_says_so_already_is_left_alone(
    fake: FakeGitHub, change: Callable[[str], str]
) -> None:
    fake.plant(ACTIONS, change(f"{MARKER}\n## Allow\n\n- why\n"))

    outcome = tell(fake, "## Allow\n\n- why\n")

    assert outcome.act is Act.UNCHANGED
    assert outcome.url is not None
    assert fake.seen == [LIST, WHO]


def test_the_comment_is_found_among_250(fake: FakeGitHub) -> None:
    for number in range(250):
        fake.plant("ada", f"remark {number}")
    fake.comments[230].login, fake.comments[230].body = ACTIONS, f"{MARKER}\n## Block"

    outcome = tell(fake)

    assert outcome.act is Act.UPDATED
    assert len(fake.comments) == 250
    assert fake.comments[230].body == f"{MARKER}\n## Allow"
    assert fake.seen == [LIST, LIST, LIST, WHO, UPDATE]


def test_one_comment_is_added_to_250(fake: FakeGitHub) -> None:
    for number in range(250):
        fake.plant("ada", f"remark {number}")

    assert tell(fake).act is Act.CREATED
    assert len(fake.comments) == 251
    assert fake.seen == [LIST] * 3 + [CREATE] + [LIST] * 3


@pytest.mark.parametrize("login", ["eve", "other[bot]", None])
def test_a_marker_that_somebody_else_planted_is_left_alone(
    fake: FakeGitHub, login: str | None
) -> None:
    planted = fake.plant(login, f"{MARKER}\nAllowed, honestly")

    outcome = tell(fake)
    again = tell(fake, "## Block")

    assert (outcome.act, again.act) == (Act.CREATED, Act.UPDATED)
    assert planted.body == f"{MARKER}\nAllowed, honestly"
    assert marked(fake) == [f"{MARKER}\n## Block"]
    assert len(fake.comments) == 2


@pytest.mark.parametrize("body", ["Somebody wrote:\n{}", "{} or so", "> {}", " {}", ""])
def test_a_comment_of_our_own_about_something_else_is_left_alone(
    fake: FakeGitHub, body: str
) -> None:
    other = fake.plant(ACTIONS, body.format(MARKER))

    assert tell(fake).act is Act.CREATED
    assert other in fake.comments
    assert other.body == body.format(MARKER)


@pytest.mark.parametrize("writer", ["ada", ACTIONS])
def test_a_personal_token_and_a_workflow_each_find_their_own(fake: FakeGitHub, writer: str) -> None:
    fake.writer = writer
    fake.plant("eve", f"{MARKER}\n## Block")
    fake.plant(writer, f"{MARKER}\n## Block")

    assert tell(fake).act is Act.UPDATED
    assert marked(fake, writer) == [f"{MARKER}\n## Allow"]


def test_an_app_whose_name_cannot_be_asked_still_ends_with_one_comment(fake: FakeGitHub) -> None:
    fake.writer = "acme-gate[bot]"  # GET /user is 403 for it too

    first, second = tell(fake, "## Block"), tell(fake, "## Allow")

    assert (first.act, second.act) == (Act.CREATED, Act.UPDATED)
    assert [one.body for one in fake.comments] == [f"{MARKER}\n## Allow"]


def test_of_several_the_oldest_is_kept_and_the_later_ones_are_deleted(fake: FakeGitHub) -> None:
    oldest = fake.plant(ACTIONS, f"{MARKER}\n## Block")
    fake.plant("eve", f"{MARKER}\n## Block")
    fake.plant(ACTIONS, f"{MARKER}\n## Allow")
    fake.plant(ACTIONS, f"{MARKER}\n## Warn")

    outcome = tell(fake)

    assert (outcome.act, outcome.trouble) == (Act.UPDATED, "")
    assert marked(fake) == [f"{MARKER}\n## Allow"]
    assert [one.id for one in fake.comments] == [oldest.id, oldest.id + 1]


def test_a_duplicate_that_cannot_be_deleted_is_reported_beside_the_success(
    fake: FakeGitHub,
) -> None:
    fake.plant(ACTIONS, f"{MARKER}\n## Allow")
    fake.plant(ACTIONS, f"{MARKER}\n## Allow")
    fake.forbidden = {DELETE}

    outcome = tell(fake)

    assert outcome.act is Act.UNCHANGED
    assert outcome.trouble.startswith(
        "cannot delete a duplicate of the comment: GitHub answers 403"
    )


def test_a_duplicate_that_is_gone_already_is_not_a_trouble(fake: FakeGitHub) -> None:
    fake.plant(ACTIONS, f"{MARKER}\n## Allow")
    second = fake.plant(ACTIONS, f"{MARKER}\n## Allow")
    fake.before = {DELETE: [lambda: fake.comments.remove(second)]}

    assert tell(fake).trouble == ""
    assert marked(fake) == [f"{MARKER}\n## Allow"]


def test_a_comment_deleted_between_read_and_write_is_written_anew(fake: FakeGitHub) -> None:
    old = fake.plant(ACTIONS, f"{MARKER}\n## Block")
    fake.before = {UPDATE: [lambda: fake.comments.remove(old)]}

    outcome = tell(fake)

    assert outcome.act is Act.CREATED
    assert marked(fake) == [f"{MARKER}\n## Allow"]
    assert fake.seen == [LIST, WHO, UPDATE, LIST, CREATE, LIST]


def test_a_list_that_still_has_a_deleted_comment_does_not_mislead(fake: FakeGitHub) -> None:
    old = fake.plant(ACTIONS, f"{MARKER}\n## Block")
    fake.before = {
        UPDATE: [lambda: fake.comments.remove(old)],
        LIST: [lambda: None, lambda: fake.comments.insert(0, old)],
        CREATE: [lambda: fake.comments.remove(old)],
    }

    assert tell(fake).act is Act.CREATED
    assert marked(fake) == [f"{MARKER}\n## Allow"]


def test_a_list_that_lags_behind_makes_no_second_comment(fake: FakeGitHub) -> None:
    fake.faults = {LIST: [Answer(200, []), Answer(200, [])]}

    assert tell(fake).act is Act.CREATED
    assert marked(fake) == [f"{MARKER}\n## Allow"]
    assert fake.seen == [LIST, CREATE, LIST]


def test_somebody_who_deletes_every_comment_wins_in_the_end(fake: FakeGitHub) -> None:
    fake.plant(ACTIONS, f"{MARKER}\n## Block")

    def another() -> None:
        fake.plant(ACTIONS, f"{MARKER}\n## Block")

    fake.before = {UPDATE: [fake.comments.clear] * 9, LIST: [another] * 9}

    outcome = tell(fake)

    assert outcome.act is Act.FAILED
    assert "somebody deletes it as soon as it is written" in outcome.trouble
    assert len(fake.seen) == 9


@pytest.mark.parametrize("runs", [2, 3])
def test_runs_at_once_leave_one_comment(fake: FakeGitHub, runs: int) -> None:
    together = threading.Barrier(runs)
    fake.before = {LIST: [lambda: None] * runs, CREATE: [lambda: meet(together)] * runs}
    outcomes: list[CommentOutcome] = []

    def run(number: int) -> None:
        outcomes.append(tell(fake, f"## Allow {number}"))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert fake.seen.count(CREATE) == runs
    assert len(marked(fake)) == len(fake.comments) == 1
    assert [one.trouble for one in outcomes] == [""] * runs
    assert {one.act for one in outcomes} <= {Act.CREATED, Act.UPDATED}


def meet(together: threading.Barrier) -> None:
    """Wait until every run has found that there is no comment yet."""
    together.wait(10)


@pytest.mark.parametrize("existing", [False, True])
def test_a_body_that_is_too_long_is_cut_with_a_pointer(fake: FakeGitHub, existing: bool) -> None:
    if existing:
        fake.plant(ACTIONS, f"{MARKER}\n## Block")
    lines = "- one more line of the report, \U0001f600\n" * 5000

    outcome = tell(fake, f"## Allow\n\n<details>\n\n{lines}\n</details>\n")

    assert outcome.act is (Act.UPDATED if existing else Act.CREATED)
    (body,) = marked(fake)
    assert LIMIT - 200 < len(body) <= LIMIT
    kept, pointer = body.split("\n\n</details>\n\n")
    assert kept.endswith("- one more line of the report, \U0001f600")
    assert "The job summary has the whole report" in pointer


def test_a_body_that_fits_exactly_is_not_cut(fake: FakeGitHub) -> None:
    body = "x" * (LIMIT - len(MARKER) - 1)

    assert tell(fake, body).act is Act.CREATED
    assert marked(fake) == [f"{MARKER}\n{body}"]


HOSTILE = ["", "chat", "a-->b", "a\nb", "--", "<!-- x", "\ud800", "x" * 10_000, "%0A", "\u202e]]>"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_marker_is_one_hidden_line_whatever_its_names(text: str) -> None:
    made = marker(text, text, text)

    assert len(made.splitlines()) == 1
    assert made.startswith("<!-- gate:v1 id=")
    assert made.count("-->") == 1
    assert made.endswith(" -->")
    assert len(made) == len(MARKER)


def test_each_service_policy_and_environment_has_a_marker_of_its_own() -> None:
    names: list[tuple[str, str, str | None]] = [
        ("a", "b", "c"),
        ("ab", "", "c"),
        ("a", "bc", ""),
        ("a", "bc", None),
        ("a", "bc", "null"),
        ('a", "b', "c", ""),
    ]

    assert len({marker(*each) for each in names}) == len(names)
    assert marker(*names[0]) == marker("a", "b", "c")
