"""Whoever had a part in a change cannot approve it: attempts on GitHub, and what must count."""

import json
from collections.abc import Callable, Iterator, Mapping

import pytest

from tests.attacks.hosted import AFTER, PUSHED, ago, as_opened, ask, host, labelled, reviewed
from tests.attacks.world import World, keeps_its_secrets
from tests.servers.github import FakeGitHub, github
from tests.servers.github_answers import user, written

Attempt = Callable[[FakeGitHub, str], None]
OTHER = "c" * 40
GRACE = {"name": "Grace Hopper", "email": "grace@navy.example"}
NAMELESS = {"name": None, "email": None}


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as server:
        yield server


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The pull request of all attempts in which only the host's answers differ."""
    world = World(tmp_path_factory.mktemp("opened"))
    host(world, FakeGitHub())
    return world


def is_set(**fields: object) -> Attempt:
    """Return an attempt of which the host says these things."""

    def apply(fake: FakeGitHub, _head: str) -> None:
        for name, value in fields.items():
            setattr(fake, name, value)

    return apply


def all_of(*attempts: Attempt) -> Attempt:
    """Return an attempt that is several at once."""

    def apply(fake: FakeGitHub, head: str) -> None:
        for attempt in attempts:
            attempt(fake, head)

    return apply


def commits(**commit: object) -> Attempt:
    """Return an attempt whose only commit is such a one."""
    return lambda fake, head: setattr(fake, "written", [written(head, **commit)])  # type: ignore[arg-type]


def message(text: str) -> Attempt:
    """Return an attempt whose commit has such a trailer."""
    return commits(message=f"feat: rewrite\n\n{text}\n")


def unlinked(profile: Mapping[str, object], **commit: object) -> Attempt:
    """Return an attempt by somebody whose address has no account, and what grace's page says."""

    def apply(fake: FakeGitHub, head: str) -> None:
        fake.profiles = {"grace": dict(profile)}
        fake.written = [written(head, None, None, **commit)]  # type: ignore[arg-type]

    return apply


def pushes(*pushed: tuple[str, str], by: dict[str, str | None]) -> Attempt:
    """Return an attempt whose branch has such pushes before the last: commit and instant."""

    def apply(fake: FakeGitHub, head: str) -> None:
        before = [("change", commit, at) for commit, at in pushed]
        fake.pushes = [*before, ("change", head, PUSHED)]
        fake.pushers = {head if commit == "head" else commit: who for commit, who in by.items()}

    return apply


def listed_before(fake: FakeGitHub, head: str) -> None:
    """Grace pushed one of the commits, before the pull request was there."""
    pushes((OTHER, ago(90)), by={OTHER: "grace"})(fake, head)
    fake.written = [written(OTHER), written(head)]


def judged(*states: tuple[str, str, str]) -> Attempt:
    """Return an attempt with such reviews: login, state and instant."""
    return lambda fake, head: setattr(
        fake, "reviews", [reviewed(login, head, state, at) for login, state, at in states]
    )


def by_label(*events: tuple[str, str], pushed: str = PUSHED) -> Attempt:
    """Return an attempt where only a label is set: who and when."""

    def apply(fake: FakeGitHub, head: str) -> None:
        fake.reviews = []
        fake.events = [
            labelled(login, at=at, number=number) for number, (login, at) in enumerate(events, 1)
        ]
        fake.pushes = [("change", head, pushed)]

    return apply


def stranger(fake: FakeGitHub, head: str) -> None:
    """The login is another's now, who has nothing to do with the repository."""
    fake.reviews = [reviewed("grace", head) | {"author_association": "NONE"}]
    fake.rights = {"grace": "read"}


ATTEMPTS: dict[str, Attempt] = {
    "opened it": is_set(author="grace"),
    "opened it in capitals": is_set(author="GRACE"),
    "wrote the commit": commits(author="grace"),
    "wrote it in another case": commits(author="Grace"),
    "committed it": commits(committer="grace"),
    "co-author by GitHub's address": message(
        "Co-authored-by: G <12345+grace@users.noreply.github.com>"
    ),
    "co-author by GitHub's old address": message(
        "co-authored-by: G <Grace@users.noreply.github.com>"
    ),
    "co-author by her address": all_of(
        message("Co-Authored-By: somebody <Grace@Navy.example>"), is_set(profiles={"grace": GRACE})
    ),
    "co-author by her name": all_of(
        message("CO-AUTHORED-BY : grace  hopper <g@x.example>"), is_set(profiles={"grace": GRACE})
    ),
    "co-author by her login": all_of(
        message("Co-authored-by: grace"), is_set(profiles={"grace": NAMELESS})
    ),
    "wrote it under her name": unlinked(GRACE, name="grace hopper", email="x@y.example"),
    "wrote it under her address": unlinked(GRACE, name="x", email="GRACE@navy.example"),
    "wrote it under her login": unlinked(NAMELESS, name="x", email="grace+git@laptop.local"),
    "wrote it under GitHub's address": unlinked(
        NAMELESS, name="x", email="7+grace@users.noreply.github.com"
    ),
    "nothing tells her apart from the writer": unlinked(NAMELESS, name="x", email="x@y.example"),
    "her page cannot be read": unlinked(NAMELESS, name="x", email="x@y.example"),
    "pushed last": pushes(by={"head": "grace"}),
    "pushed last in another case": pushes(by={"head": "gRaCe"}),
    "pushed one of the commits": listed_before,
    "pushed what was replaced": pushes((OTHER, ago(45)), by={OTHER: "grace"}),
    "nobody knows who pushed last": is_set(pushes=[]),
    "another commit is the newest": lambda fake, _head: setattr(
        fake, "pushes", [("change", OTHER, PUSHED)]
    ),
    "the pusher's account is gone": pushes(by={"head": None}),
    "the pusher is a ghost": pushes(by={"head": "ghost"}),
    "a pusher of before is gone": pushes((OTHER, ago(45)), by={OTHER: None}),
    "the author's account is gone": lambda fake, _head: setattr(
        fake, "faults", {"pulls/get": [fake.without_author()] * 9}
    ),
    "the author is a ghost": is_set(author="ghost"),
    "the fork is gone": lambda fake, _head: setattr(
        fake, "faults", {"pulls/get": [fake.without_fork()] * 9}
    ),
    "the fork cannot be seen": is_set(fork="mallory/secret", hidden={"repos/list-activities"}),
    "the pushes may not be read": is_set(forbidden={"repos/list-activities"}),
    "the commits may not be read": is_set(forbidden={"pulls/list-commits"}),
    "the pull request may not be read": is_set(hidden={"pulls/get"}),
    "the reviews may not be read": is_set(forbidden={"pulls/list-reviews"}),
    "GitHub lists too few commits": is_set(more_commits=1),
    "GitHub lists as many as it can": lambda fake, head: setattr(
        fake, "written", [written(head)] * 250
    ),
    "the commit is none of its commits": is_set(written=[written(OTHER)]),
    "a commit does not say who wrote it": lambda fake, head: setattr(
        fake,
        "written",
        [
            commit | {"author": None, "commit": commit["commit"] | {"author": None}}
            for commit in [written(head)]
        ],
    ),
    "approved an older commit": lambda fake, _head: setattr(
        fake, "reviews", [reviewed("grace", OTHER)]
    ),
    "took it back": judged(("grace", "APPROVED", ago(20)), ("grace", "CHANGES_REQUESTED", ago(10))),
    "was dismissed": judged(("grace", "APPROVED", ago(20)), ("grace", "DISMISSED", ago(10))),
    "said both in one second": judged(("grace", "APPROVED", AFTER), ("grace", "DISMISSED", AFTER)),
    "only talks": judged(("grace", "COMMENTED", AFTER)),
    "is somebody else": judged(("grace-", "APPROVED", AFTER)),
    "is an app": judged(("grace[bot]", "APPROVED", AFTER)),
    "is the ghost whom the policy names": judged(("ghost", "APPROVED", AFTER)),
    "is spelled with a Cyrillic letter": judged(("gr\u0430ce", "APPROVED", AFTER)),
    "has an invisible letter": judged(("grace\u200b", "APPROVED", AFTER)),
    "is full-width": judged(("\uff47race", "APPROVED", AFTER)),
    "has lost access": stranger,
    "is unknown to the repository": all_of(stranger, is_set(rights={})),
    "nobody can say whether she has access": all_of(
        stranger, is_set(forbidden={"repos/get-collaborator-permission-level"})
    ),
    "is the author with the label": by_label(("ada", AFTER)),
    "label before the push": by_label(("grace", ago(40))),
    "label in the second of the push": by_label(("grace", PUSHED)),
    "label of hers, set again by the author": by_label(("grace", AFTER), ("ada", ago(10))),
    "label and push in one second, other zone": by_label(
        ("grace", "2026-01-01T10:00:00Z"), pushed="2026-01-01T11:00:00+01:00"
    ),
    "label while it is not known when it was pushed": all_of(
        by_label(("grace", AFTER)), is_set(pushes=[])
    ),
    "label whose setting may not be read": all_of(
        by_label(("grace", AFTER)), is_set(forbidden={"issues/list-events"})
    ),
}


REASONS: dict[str, str] = {
    **dict.fromkeys(list(ATTEMPTS), "has approved this commit or set the label on it"),
    **dict.fromkeys([name for name in ATTEMPTS if name.startswith("opened")], "@grace opened it"),
    **dict.fromkeys(["wrote the commit", "wrote it in another case"], "@grace wrote a commit)"),
    "wrote it under GitHub's address": "@grace wrote a commit)",
    "committed it": "@grace committed it",
    **dict.fromkeys(
        ["co-author by GitHub's address", "co-author by GitHub's old address"],
        "@grace wrote a commit with somebody else",
    ),
    "co-author by her address": "@grace may be somebody,",
    "co-author by her name": "@grace may be grace hopper,",
    "co-author by her login": "@grace may be grace,",
    "wrote it under her name": "@grace may be grace hopper,",
    "wrote it under her address": "@grace may be x,",
    "wrote it under her login": "@grace may be x,",
    "nothing tells her apart from the writer": "@grace cannot be distinguished from x,",
    "her page cannot be read": "cannot ask who somebody is",
    **dict.fromkeys(
        [name for name in ATTEMPTS if name.startswith("pushed")], "@grace pushed to it"
    ),
    **dict.fromkeys(
        ["nobody knows who pushed last", "another commit is the newest", "the fork is gone"],
        "GitHub does not say who pushed this commit",
    ),
    **dict.fromkeys(
        ["the pusher's account is gone", "the pusher is a ghost", "a pusher of before is gone"],
        "it is not known who pushed to it",
    ),
    **dict.fromkeys(
        ["the author's account is gone", "the author is a ghost"], "it is not known who opened it"
    ),
    "the fork cannot be seen": "cannot ask who pushed the commits",
    "the pushes may not be read": "cannot ask who pushed the commits",
    "the commits may not be read": "cannot list the commits",
    "the pull request may not be read": "cannot read the pull request",
    "the reviews may not be read": "cannot list the reviews",
    "GitHub lists too few commits": "GitHub lists 1 of its commits and may have more",
    "GitHub lists as many as it can": "GitHub lists 250 of its commits and may have more",
    "the commit is none of its commits": "this commit no longer belongs to the pull request",
    "a commit does not say who wrote it": "a commit does not say who wrote it",
    "is an app": "@grace[bot] is a bot",
    "is the ghost whom the policy names": "it is not known who @ghost is",
    "is spelled with a Cyrillic letter": "it is not known who @gr\u0430ce is",
    "has an invisible letter": "it is not known who @grace",
    "is full-width": "it is not known who @\uff47race is",
    "has lost access": "@grace has no access to the repository",
    "is unknown to the repository": "@grace has no access to the repository",
    "nobody can say whether she has access": "cannot ask who may write to the repository",
    "is the author with the label": "@ada opened it",
    "label of hers, set again by the author": "@ada opened it",
    "label whose setting may not be read": "cannot ask who set the label",
}
"""Attempt -> what is said of it."""


@pytest.mark.parametrize("attempt", ATTEMPTS)
def test_none_of_these_is_an_approval(opened: World, fake: FakeGitHub, attempt: str) -> None:
    head = as_opened(opened, fake)
    fake.reviews = [reviewed("grace", head)]
    if attempt == "her page cannot be read":
        fake.forbidden = {"users/get-by-username"}
    ATTEMPTS[attempt](fake, head)
    result = ask(opened, fake, "--format", "json")
    assert result.exit_code == 10, result.stdout
    assert REASONS[attempt] in str(json.loads(result.stdout)["policies"][0]["recognition_notes"])
    assert keeps_its_secrets(result)


BY_GRACE, UNKNOWN = "@grace wrote, pushed or started it", "it is not known who wrote, pushed"
STARTED: dict[str, tuple[dict[str, str | None], str]] = {
    "started it": ({"GITHUB_ACTOR": "grace", "GITHUB_TRIGGERING_ACTOR": "grace"}, BY_GRACE),
    "started it in another case": ({"GITHUB_ACTOR": "GRACE"}, BY_GRACE),
    "started it once more": (
        {"GITHUB_TRIGGERING_ACTOR": "grace", "GITHUB_RUN_ATTEMPT": "2"},
        BY_GRACE,
    ),
    "started it, and ada once more": (
        {"GITHUB_ACTOR": "grace", "GITHUB_RUN_ATTEMPT": "2"},
        BY_GRACE,
    ),
    "a starter whom nobody knows": ({"GITHUB_ACTOR": "gr\u0430ce"}, UNKNOWN),
    "a starter with a line end": ({"GITHUB_ACTOR": "grace\n"}, UNKNOWN),
}


@pytest.mark.parametrize("attempt", STARTED)
def test_anybody_who_started_the_run_approves_nothing(
    opened: World, fake: FakeGitHub, attempt: str
) -> None:
    variables, reason = STARTED[attempt]
    fake.reviews = [reviewed("grace", as_opened(opened, fake))]
    result = ask(opened, fake, "--format", "json", **variables)
    assert result.exit_code == 10
    assert reason in str(json.loads(result.stdout)["policies"][0]["recognition_notes"])


def test_anybody_who_set_the_label_and_starts_the_run_once_more_has_started_it(
    world: World, fake: FakeGitHub
) -> None:
    host(world, fake)
    fake.events = [labelled("grace")]
    world.event |= {"action": "labeled", "sender": {"login": "grace"}}
    again = {"GITHUB_ACTOR": "grace", "GITHUB_TRIGGERING_ACTOR": "grace"}
    assert ask(world, fake, **again).exit_code == 0
    assert ask(world, fake, **again, GITHUB_RUN_ATTEMPT="2").exit_code == 10


@pytest.mark.parametrize("missing", ["GITHUB_TOKEN", "GITHUB_REPOSITORY", "GITHUB_EVENT_PATH"])
def test_where_nothing_can_be_asked_nobody_has_approved(
    opened: World, fake: FakeGitHub, missing: str
) -> None:
    fake.reviews = [reviewed("grace", as_opened(opened, fake))]
    more: dict[str, str | None] = {
        "GITHUB_API_URL": fake.url,
        "GITHUB_TOKEN": "ghs_ofTheTests0123456789",
        missing: None,
    }
    assert opened.run(policy="gate.yaml", cwd=".", **more).exit_code in {2, 3, 10}


@pytest.mark.parametrize(
    "name",
    [
        *("@grace ", "@@grace", "grace", "@gr\u0430ce", "@grace\u200b", "@\uff47race", "@grace."),
        *("@\u212aate", "@gra\u017fe", "@grace\u0301", "@acme/", "@/sre", "@acme//sre", "@-", "@"),
    ],
)
def test_a_policy_names_only_whom_a_host_can_have(world: World, name: str) -> None:
    text = world.policy.replace('"@grace"', f'"{name}"')
    world.commit("policy", {"gate.yaml": text})
    world.pushed()
    world.check_out()
    result = world.run("--change", "canary")
    assert result.exit_code == 2
    assert "gate.yaml:" in result.stderr
    assert "is not a valid approver; use @person" in result.stderr


LEGITIMATE: dict[str, Attempt] = {
    "a review": is_set(),
    "a review in another case": lambda fake, head: setattr(
        fake, "reviews", [reviewed("Grace", head)]
    ),
    "a label": by_label(("grace", AFTER)),
    "a label in the next second": by_label(("grace", ago(29.98))),
    "a label that the author had set before": by_label(("ada", ago(25)), ("grace", AFTER)),
    "a renewed review": judged(
        ("grace", "CHANGES_REQUESTED", ago(25)), ("grace", "APPROVED", AFTER)
    ),
    "a review and a comment after it": judged(
        ("grace", "APPROVED", ago(25)), ("grace", "COMMENTED", AFTER)
    ),
    "commits of an app": commits(author="dependabot[bot]", committer="web-flow"),
    "commits by an app's address": unlinked(
        NAMELESS, name="bot", email="49699333+dependabot[bot]@users.noreply.github.com"
    ),
    "an app opened it": is_set(author="renovate[bot]"),
    "a machine whose address has no account": unlinked(
        GRACE, name="Build Machine", email="build@acme.example"
    ),
    "a colleague is a co-author": all_of(
        message("Co-authored-by: Alan <alan@acme.example>"), is_set(profiles={"grace": GRACE})
    ),
    "pushes of others": pushes((OTHER, ago(45)), by={OTHER: "alan", "head": "renovate[bot]"}),
    "a push of hers long before": pushes((OTHER, ago(90)), by={OTHER: "grace"}),
    "another whom the host cannot tell has approved, too": all_of(
        unlinked(GRACE, name="Build Machine", email="build@acme.example"),
        judged(("alan", "APPROVED", AFTER), ("grace", "APPROVED", AFTER)),
    ),
    "a fork": is_set(fork="mallory/chat"),
    "somebody new who may write": all_of(stranger, is_set(rights={"grace": "write"})),
}


@pytest.mark.variants(6)
@pytest.mark.parametrize("case", LEGITIMATE)
def test_what_is_an_approval_counts(opened: World, fake: FakeGitHub, case: str) -> None:
    head = as_opened(opened, fake)
    fake.reviews = [reviewed("grace", head)]
    LEGITIMATE[case](fake, head)
    result = ask(opened, fake)
    assert result.exit_code == 0, result.stdout
    assert "approved by @" in result.stdout


def test_a_review_may_start_the_run_that_it_is_for(world: World, fake: FakeGitHub) -> None:
    fake.reviews = [reviewed("grace", host(world, fake))]
    world.event |= {"action": "submitted", "review": {}, "sender": {"login": "grace"}}
    more = {"GITHUB_ACTOR": "grace", "GITHUB_TRIGGERING_ACTOR": "grace"}
    assert ask(world, fake, **more, GITHUB_EVENT_NAME="pull_request_review").exit_code == 0


def test_an_activity_of_nobody_elses_branch_is_requested(world: World, fake: FakeGitHub) -> None:
    """The branch of a fork is called like one of ours that grace has pushed to."""
    head = host(world, fake, fork=True)
    fake.fork = "mallory/chat"
    fake.reviews = [reviewed("grace", head)]
    world.event["pull_request"]["user"] = user("mallory")
    assert ask(world, fake).exit_code == 0
