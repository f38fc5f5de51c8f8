"""Whoever had a part in a merge request cannot approve it: attempts on GitLab, and what counts."""

import json
from collections.abc import Callable, Iterator

import pytest

from tests.attacks.world import World
from tests.command import Result
from tests.servers.github_answers import Answer
from tests.servers.gitlab import REQUEST, TOKEN, FakeGitLab, gitlab, refused
from tests.servers.gitlab_changes import Request
from tests.servers.gitlab_people import push, written

Attempt = Callable[[FakeGitLab, str], None]
OTHER = "c" * 40
PUSHED, AFTER = "2026-11-01T10:00:00.000Z", "2026-11-01T10:30:00.000Z"


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    with gitlab() as server:
        yield server


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A change of ada's, checked out as GitLab's runner does it in a merge request."""
    world = World(tmp_path_factory.mktemp("opened"))
    world.change()
    world.push("change")
    world.check_out("refs/heads/change")
    return world


def as_opened(world: World, fake: FakeGitLab) -> str:
    """Let the host know the merge request, which grace has approved."""
    head = world.revision()
    fake.people.branch = "change"
    fake.changes.requests[REQUEST] = Request(labels=("security",), head=head)
    fake.people.versions = [(head, PUSHED)]
    fake.people.approvals = [("grace", AFTER)]
    return head


def ask(world: World, fake: FakeGitLab, **more: str | None) -> Result:
    """Run the gate in a pipeline of the merge request."""
    job: dict[str, str | None] = {
        **{name: None for name in world.environment() if name.startswith("GITHUB_")},
        "GITLAB_CI": "true",
        "CI_API_V4_URL": fake.url,
        "GITLAB_TOKEN": TOKEN,
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_PROJECT_ID": "42",
        "CI_PROJECT_PATH": "acme/chat",
        "CI_PROJECT_DIR": str(world.checkout),
        "CI_DEFAULT_BRANCH": "main",
        "CI_MERGE_REQUEST_IID": str(REQUEST),
        "CI_MERGE_REQUEST_PROJECT_ID": "42",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "acme/chat",
        "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "change",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": world.on_host("main"),
        "CI_MERGE_REQUEST_TITLE": "Rewrite",
        "CI_MERGE_REQUEST_LABELS": "security",
        "CI_COMMIT_SHA": world.revision(),
        "CI_COMMIT_REF_NAME": "change",
        "GITLAB_USER_LOGIN": "ada",
    }
    return world.run("--format", "json", policy="gate.yaml", cwd=".", **job | more)


def people(**fields: object) -> Attempt:
    """Return an attempt of whose people the host says these things."""

    def apply(fake: FakeGitLab, _head: str) -> None:
        for name, value in fields.items():
            setattr(fake.people, name, value)

    return apply


def all_of(*attempts: Attempt) -> Attempt:
    """Return an attempt that is several at once."""

    def apply(fake: FakeGitLab, head: str) -> None:
        for attempt in attempts:
            attempt(fake, head)

    return apply


def commits(*signature: str, **commit: object) -> Attempt:
    """Return an attempt whose only commit is such a one."""
    return lambda fake, head: setattr(
        fake.people,
        "commits",
        [written(head, *signature, **commit)],  # type: ignore[arg-type]
    )


def fails(operation: str, answer: Answer) -> Attempt:
    """Return an attempt in which the host fails at something, however often it is asked."""
    return lambda fake, _head: fake.faults.update({operation: [answer] * 9})


def labelled(*events: tuple[str | None, str, str]) -> Attempt:
    """Return an attempt where only the label is set: who, whether they add it, and when."""

    def apply(fake: FakeGitLab, _head: str) -> None:
        fake.people.approvals = []
        for login, action, at in events:
            fake.people.labelled(login, action, "security", at)

    return apply


def replaced(fake: FakeGitLab, head: str) -> None:
    """Grace has pushed what ada has pushed over."""
    fake.people.other_pushes = [
        push("ada", "change", head, PUSHED),
        push("grace", "change", OTHER, "2026-11-01T09:00:00.000Z"),
    ]


def listed_before(fake: FakeGitLab, head: str) -> None:
    """Grace pushed one of the commits, before the merge request was there."""
    fake.people.commits = [written(head), written(OTHER)]
    fake.people.other_pushes = [
        push("ada", "change", head, PUSHED),
        push("grace", "change", OTHER, "2026-10-01T10:00:00.000Z"),
    ]


def second_page(fake: FakeGitLab, head: str) -> None:
    """Grace wrote the oldest of 101 commits, and a proxy drops the header Link."""
    fake.with_links = False
    fake.people.commits = [written(head)] * 100 + [written(OTHER, "Grace", "g@x.example")]


NOBODY = "nobody among @grace except the author has approved this commit or set the label on it"
ATTEMPTS: dict[str, tuple[Attempt, str]] = {
    "opened it": (people(author="grace"), "@grace opened it"),
    "the author's account is gone": (people(author=None), "it is not known who opened it"),
    "wrote it under her name": (commits("GRACE", "x@y.example"), "@grace may be GRACE,"),
    "wrote it under her login": (commits("x", "grace@laptop.local"), "@grace may be x,"),
    "wrote it under GitLab's address": (
        commits("x", "2-grace@users.noreply.gitlab.example"),
        "@grace wrote a commit",
    ),
    "committed it": (commits(committer=("Grace", "x@y.example")), "@grace may be Grace,"),
    "an accepted suggestion of hers": (
        commits(message="Apply\n\nCo-authored-by: Grace <x@y.example>"),
        "@grace may be Grace,",
    ),
    "wrote a commit of the second page": (second_page, "@grace may be Grace,"),
    "pushed last": (
        lambda fake, head: fake.people.pushers.update({head: "grace"}),
        "@grace pushed to it",
    ),
    "pushed what was replaced": (replaced, "@grace pushed to it"),
    "pushed one of the commits": (listed_before, "@grace pushed to it"),
    "nobody knows who pushed last": (
        lambda fake, head: fake.people.pushers.update({head: None}),
        "GitLab does not say who pushed this commit",
    ),
    "pushed among many branches": (
        all_of(
            lambda fake, head: fake.people.pushers.update({head: None}),
            people(other_pushes=[push("grace", None, None, PUSHED)]),
        ),
        "GitLab does not say who pushed this commit",
    ),
    "the fork is gone": (people(source=None), "GitLab does not say who pushed this commit"),
    "the commit is none of its commits": (
        lambda fake, _head: setattr(fake.people, "commits", [written(OTHER)]),
        "this commit no longer belongs to the merge request",
    ),
    "approved before the push": (
        people(approvals=[("grace", "2026-11-01T09:59:59.999Z")]),
        "@grace did not approve after this commit was pushed",
    ),
    "approved in the second of the push": (
        people(approvals=[("grace", "2026-11-01T10:00:00.900Z")]),
        "@grace did not approve after this commit was pushed",
    ),
    "a GitLab that does not tell when": (
        people(approvals=[("grace", None)]),
        "this GitLab says that @grace has approved, but not when",
    ),
    "another commit is the newest": (
        lambda fake, _head: fake.people.versions.append((OTHER, AFTER)),
        "this is not the newest commit, or GitLab does not say when it was pushed",
    ),
    "is somebody else": (people(approvals=[("alan", AFTER)]), NOBODY),
    "is blocked": (people(blocked={"grace"}), "@grace is blocked"),
    "label of an account that is blocked": (
        all_of(people(blocked={"grace"}), labelled(("grace", "add", AFTER))),
        NOBODY,
    ),
    "is a bot": (people(approvals=[("grace", AFTER)], bots={"grace"}), "@grace is a bot"),
    "label of the author": (labelled(("ada", "add", AFTER)), "@ada opened it"),
    "label before the push": (labelled(("grace", "add", "2026-11-01T09:30:00.000Z")), NOBODY),
    "label in the second of the push": (
        labelled(("grace", "add", "2026-11-01T10:00:00.999Z")),
        NOBODY,
    ),
    "label that was taken off": (
        labelled(("grace", "add", AFTER), ("ada", "remove", AFTER)),
        NOBODY,
    ),
    "label of an account that is gone": (labelled((None, "add", AFTER)), NOBODY),
    "the pushes may not be read": (fails("events", refused(403, "403 Forbidden")), "answers 403"),
    "the commits may not be read": (fails("commits", refused(404, "404 Not found")), "answers 404"),
    "the approvals may not be read": (
        fails("approvals", refused(401, "401 Unauthorized")),
        "answers 401",
    ),
    "the next page is on another host": (
        fails("commits", Answer(200, [], {"Link": '<https://evil.example/p>; rel="next"'})),
        "has the next page on another host",
    ),
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_none_of_these_is_an_approval(opened: World, fake: FakeGitLab, attempt: str) -> None:
    act, reason = ATTEMPTS[attempt]
    act(fake, as_opened(opened, fake))
    result = ask(opened, fake)
    assert result.exit_code == 10, result.stdout + result.stderr
    assert reason in str(json.loads(result.stdout)["policies"][0]["recognition_notes"])


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        ("grace", "@grace wrote, pushed or started it"),
        ("GRACE", "@grace wrote, pushed or started it"),
        ("gr\u0430ce", "it is not known who wrote, pushed"),
    ],
)
def test_anybody_who_started_the_pipeline_approves_nothing(
    opened: World, fake: FakeGitLab, who: str, reason: str
) -> None:
    as_opened(opened, fake)
    result = ask(opened, fake, GITLAB_USER_LOGIN=who)
    assert result.exit_code == 10
    assert reason in str(json.loads(result.stdout)["policies"][0]["recognition_notes"])


def test_a_fork_of_that_number_is_not_asked(opened: World, fake: FakeGitLab) -> None:
    """The fork has a merge request of its own with that number, which mallory has approved."""
    as_opened(opened, fake)
    fake.people.source, fake.people.approvals = 43, []
    result = ask(opened, fake, CI_PROJECT_ID="43", CI_PROJECT_PATH="mallory/chat")
    assert result.exit_code == 10
    places = {sent.path.split("/merge_requests")[0] for sent in fake.sent if "/merge_" in sent.path}
    assert places == {"/projects/42"}


LEGITIMATE: dict[str, Attempt] = {
    "an approval": people(),
    "an approval in the next second": people(approvals=[("grace", "2026-11-01T10:00:01.000Z")]),
    "a label": labelled(("grace", "add", AFTER)),
    "a fork": people(source=43),
    "a commit of a colleague": commits("Alan Turing", "alan@acme.example"),
    "a machine whose address nobody has": commits("Build Machine", "build@acme.example"),
    "pushes to other branches": lambda fake, head: fake.people.other_pushes.append(
        push("grace", "other", head, AFTER)
    ),
    "many older pushes": lambda fake, head: fake.people.other_pushes.extend(
        [push("ada", "change", head, PUSHED)]
        + [push("grace", "change", OTHER, "2026-10-01T10:00:00.000Z")] * 250
    ),
    "pages without the header Link": all_of(
        lambda fake, _head: setattr(fake, "with_links", False),
        lambda fake, head: setattr(
            fake.people, "commits", [written(OTHER)] * 100 + [written(head)]
        ),
    ),
}


@pytest.mark.parametrize("case", LEGITIMATE)
def test_what_is_an_approval_counts(opened: World, fake: FakeGitLab, case: str) -> None:
    LEGITIMATE[case](fake, as_opened(opened, fake))
    result = ask(opened, fake)
    assert result.exit_code == 0, result.stdout
    assert "approved by @grace" in result.stdout
