"""Who did what and who may, asked of GitLab by the very requests that python-gitlab sends."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import gitlab as python_gitlab
import pytest

from gate.decision.decision import Context
from gate.hosts import CommitStatus, RestError, State
from gate.hosts.accounts import Account, Approvers, People, Setting
from gate.hosts.gitlab import GitLab
from gate.hosts.overriding import LabelOverride
from gate.hosts.people import Approvals, Rights
from gate.policy.authors import Right
from gate.policy.changes import Approval, ChangeMatcher
from gate.policy.override import Labelled, OverrideRule
from tests.hosts.test_gitlab import client
from tests.servers.github_answers import Answer
from tests.servers.gitlab import REQUEST, TOKEN, FakeGitLab, Sent, gitlab, refused
from tests.servers.gitlab_people import written

HEAD, OLD = "a" * 40, "b" * 40
TEN = datetime(2026, 11, 1, 10, tzinfo=UTC)
PUSHED, LATER = "2026-11-01T10:00:00.000Z", "2026-11-01T10:30:00.000Z"
GRACE = Account("grace", number=2)
CONTEXT = Context(system="gitlab", pull_request=REQUEST, revision=HEAD)
NOBODY = "nobody among @grace except the author has approved this commit or set the label on it"


@pytest.fixture
def fake() -> Iterator[FakeGitLab]:
    with gitlab() as one:
        one.people.versions = [(OLD, "2026-11-01T09:00:00.000Z"), (HEAD, PUSHED)]
        yield one


def sent_by(fake: FakeGitLab, act: Callable[[], object]) -> list[Sent]:
    fake.sent.clear()
    act()
    return list(fake.sent)


def real(fake: FakeGitLab) -> python_gitlab.Gitlab:
    address = urlsplit(fake.url)
    return python_gitlab.Gitlab(f"{address.scheme}://{address.netloc}", private_token=TOKEN)


ALL: dict[str, Any] = {"iterator": True, "per_page": 100}
SAME: dict[str, tuple[Callable[[GitLab], object], Callable[[Any, Any, Any], object]]] = {
    "authors": (
        lambda one: one.people.authors(REQUEST, HEAD),
        lambda host, project, request: [
            project.mergerequests.get(REQUEST),
            list(request.commits(per_page=100)),
            list(host.http_list("/projects/42/events", {"action": "pushed"}, **ALL)),
        ],
    ),
    "writers": (
        lambda one: one.people.writers(HEAD),
        lambda _, project, __: project.commits.get(HEAD),
    ),
    "profile": (
        lambda one: one.people.profile(GRACE),
        lambda host, _, __: host.users.get(2),
    ),
    "pushed": (
        lambda one: one.people.pushed_at(REQUEST, HEAD),
        lambda _, __, request: list(request.diffs.list(**ALL)),
    ),
    "approvals": (
        lambda one: one.people.approvers(REQUEST, HEAD),
        lambda _, __, request: request.approvals.get(),
    ),
    "labels": (
        lambda one: one.people.label_setting(REQUEST, "security"),
        lambda _, __, request: list(request.resourcelabelevents.list(**ALL)),
    ),
    "account": (
        lambda one: one.people.account("grace"),
        lambda host, _, __: [host.users.list(username="grace"), host.users.get(2)],
    ),
    "member": (
        lambda one: one.people.may_write(GRACE),
        lambda _, project, __: project.members_all.get(2),
    ),
    "group": (
        lambda one: one.people.in_team("acme/platform/sre", GRACE),
        lambda host, _, __: host.groups.get("acme/platform/sre", lazy=True).members_all.get(2),
    ),
    "status": (
        lambda one: one.set_status(HEAD, status("failure", "no", "https://x.example")),
        lambda _, project, __: project.commits.get(HEAD, lazy=True).statuses.create(
            {
                "state": "failed",
                "name": "gate/chat",
                "description": "no",
                "target_url": "https://x.example",
            }
        ),
    ),
}


def status(state: State, description: str, url: str | None = None) -> CommitStatus:
    return CommitStatus(state=state, name="gate/chat", description=description, url=url)


@pytest.mark.variants(9)
@pytest.mark.parametrize("question", SAME)
def test_what_is_sent_is_what_the_real_client_sends(fake: FakeGitLab, question: str) -> None:
    fake.people.roles = {"grace": "developer"}
    fake.people.groups = {"acme/platform/sre": {"grace"}}
    fake.people.single = {HEAD: written(HEAD)}
    ours, theirs = SAME[question]
    host = real(fake)
    project = host.projects.get(42, lazy=True)
    request = project.mergerequests.get(REQUEST, lazy=True)

    sent = sent_by(fake, lambda: ours(client(fake)))

    assert sent == sent_by(fake, lambda: theirs(host, project, request))
    assert sent != []


def people(fake: FakeGitLab) -> People:
    return client(fake).people


def test_a_commit_was_pushed_when_the_newest_version_came_to_be(fake: FakeGitLab) -> None:
    assert people(fake).pushed_at(REQUEST, HEAD) == TEN
    assert people(fake).pushed_at(REQUEST, OLD) is None
    fake.people.versions = []
    assert people(fake).pushed_at(REQUEST, HEAD) is None


@pytest.mark.parametrize(
    "at, counts",
    [
        (LATER, True),
        ("2026-11-01T10:00:01.000Z", True),
        ("2026-11-01T10:00:00.999Z", False),
        (PUSHED, False),
        ("2026-11-01T09:59:59.999Z", False),
        (None, False),
    ],
    ids=["after", "in the next second", "in the same", "with it", "before it", "nobody knows when"],
)
def test_an_approval_counts_for_the_commit_that_was_there(
    fake: FakeGitLab, at: str | None, counts: bool
) -> None:
    fake.people.approvals = [("grace", at)]
    assert people(fake).approvers(REQUEST, HEAD).accounts == ((GRACE,) if counts else ())


def test_of_a_commit_that_is_not_the_newest_there_is_no_approval(fake: FakeGitLab) -> None:
    fake.people.approvals = [("grace", LATER)]
    note = "this is not the newest commit, or GitLab does not say when it was pushed"
    assert people(fake).approvers(REQUEST, OLD) == Approvers(notes=(note,))


SET = ("grace", "add", "security", LATER)


@pytest.mark.parametrize(
    "events, setting",
    [
        ([], None),
        ([SET], Setting(GRACE, datetime(2026, 11, 1, 10, 30, tzinfo=UTC))),
        ([SET, ("ada", "remove", "security", LATER)], None),
        ([("ada", "add", "other", PUSHED), (None, "add", "security", PUSHED)], None),
        (
            [("alan", "add", "security", PUSHED), SET, ("ada", "add", None, LATER)],
            Setting(GRACE, datetime(2026, 11, 1, 10, 30, tzinfo=UTC)),
        ),
        ([SET, *[("ada", "add", "other", LATER)] * 99, ("ada", "remove", "security", LATER)], None),
    ],
)
def test_the_last_to_set_a_label_is_reported_unless_it_was_removed(
    fake: FakeGitLab, events: list[tuple[Any, ...]], setting: Setting | None
) -> None:
    for event in events:
        fake.people.labelled(*event)
    assert people(fake).label_setting(REQUEST, "security") == setting


@pytest.mark.parametrize(
    "role, may",
    [
        (None, False),
        ("guest", False),
        ("reporter", False),
        ("developer", True),
        ("maintainer", True),
        ("owner", True),
    ],
)
def test_from_developer_on_somebody_may_write(
    fake: FakeGitLab, role: str | None, may: bool
) -> None:
    fake.people.roles = {} if role is None else {"grace": role}
    assert people(fake).may_write(GRACE) is may


def test_anybody_who_is_blocked_may_nothing(fake: FakeGitLab) -> None:
    fake.people.roles, fake.people.blocked = {"grace": "owner"}, {"grace"}
    fake.people.groups = {"acme/sre": {"grace"}}
    assert not people(fake).may_write(GRACE)
    assert not people(fake).in_team("acme/sre", GRACE).member


def test_a_gitlab_that_does_not_tell_roles_is_an_error(fake: FakeGitLab) -> None:
    fake.forbidden = {"member"}
    with pytest.raises(RestError, match="cannot ask who may write to the project"):
        people(fake).may_write(GRACE)


def test_a_group_counts_with_its_members_and_a_hidden_one_with_none(fake: FakeGitLab) -> None:
    fake.people.groups = {"acme/sre": {"grace"}}
    assert people(fake).in_team("acme/sre", GRACE).member
    hidden = people(fake).in_team("acme/hidden", GRACE)
    assert not hidden.member
    assert "perhaps the token lacks access to the group" in hidden.reason


def test_a_group_that_gitlab_fails_to_look_up_is_an_error(fake: FakeGitLab) -> None:
    fake.faults = {"group": [refused(401, "401 Unauthorized")]}
    with pytest.raises(RestError, match="401"):
        people(fake).in_team("acme/sre", GRACE)


def test_bots_are_known_by_their_own_page(fake: FakeGitLab) -> None:
    assert people(fake).account("helper") == Account("helper", bot=True, number=4)
    assert people(fake).account("Grace") == GRACE


def test_a_login_that_nobody_has_is_an_error(fake: FakeGitLab) -> None:
    right = Rights(people(fake))("@nobody", ("write",))
    assert right == Right(
        holds=False, reason="cannot ask who somebody is: GitLab knows no user 'nobody'"
    )


@pytest.mark.variants(12)
@pytest.mark.parametrize("body", [[1], {"odd": 1}, [{"id": "x"}], {"approved_by": [1]}])
@pytest.mark.parametrize(
    "operation, ask",
    [
        ("request", lambda one: one.authors(REQUEST, HEAD)),
        ("commits", lambda one: one.authors(REQUEST, HEAD)),
        ("events", lambda one: one.authors(REQUEST, HEAD)),
        ("commit", lambda one: one.writers(HEAD)),
        ("user", lambda one: one.profile(GRACE)),
        ("versions", lambda one: one.pushed_at(REQUEST, HEAD)),
        ("approvals", lambda one: one.approvers(REQUEST, HEAD)),
        ("labels", lambda one: one.label_setting(REQUEST, "security")),
        ("users", lambda one: one.account("grace")),
        ("user", lambda one: one.account("grace")),
        ("member", lambda one: one.may_write(GRACE)),
        ("group", lambda one: one.in_team("acme/sre", GRACE)),
    ],
)
def test_an_answer_of_another_form_is_an_error(
    fake: FakeGitLab, operation: str, ask: Callable[[People], object], body: object
) -> None:
    fake.faults = {operation: [Answer(200, body)]}
    with pytest.raises(RestError, match="that gate cannot read"):
        ask(people(fake))


def approval(fake: FakeGitLab, *who: str) -> Approval:
    matcher = ChangeMatcher(labels=("security",), approved_by=who)
    return Approvals(people(fake), CONTEXT)(matcher)


def test_anybody_who_has_approved_this_commit_is_behind_a_class(fake: FakeGitLab) -> None:
    fake.people.approvals = [("alan", LATER), ("grace", LATER)]
    fake.people.roles = {"grace": "developer"}
    assert approval(fake, "write") == Approval(by=("@grace",))
    assert approval(fake, "@Alan") == Approval(by=("@alan",))


def test_anybody_who_has_set_the_label_on_this_commit_is_behind_a_class(fake: FakeGitLab) -> None:
    fake.people.labelled(*SET)
    assert approval(fake, "@grace") == Approval(by=("@grace",))
    fake.people.versions.append(("c" * 40, LATER))
    assert approval(fake, "@grace") == Approval(why_not=NOBODY)


def test_neither_the_author_nor_a_bot_is_behind_a_class(fake: FakeGitLab) -> None:
    fake.people.approvals = [("ada", LATER), ("helper", LATER)]
    fake.people.roles = {"ada": "owner", "helper": "maintainer"}
    assert approval(fake, "write", "@ada").why_not.endswith("(@ada opened it; @helper is a bot)")


def overridden(fake: FakeGitLab, at: datetime = datetime(2026, 11, 1, 12, tzinfo=UTC)) -> Labelled:
    one = client(fake)
    rule = OverrideRule(approvers=("@acme/sre",), label="gate-override")
    return LabelOverride(one.people, one, CONTEXT)(rule, at)


def test_a_label_with_a_reason_in_a_note_overrides(fake: FakeGitLab) -> None:
    fake.people.groups = {"acme/sre": {"grace"}}
    fake.people.labelled("grace", "add", "gate-override", LATER)
    assert "has not said why" in overridden(fake).why_not
    fake.plant("ada", "Gate-Override: mine")
    fake.plant("grace", "Gate-Override: the fix")

    override = overridden(fake).override

    assert override is not None
    assert (override.reason, override.approved_by) == ("the fix", "@grace")
    assert override.until == datetime(2026, 11, 2, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "state, shown",
    [("success", "success"), ("warning", "success"), ("failure", "failed"), ("error", "failed")],
)
def test_a_status_fails_where_the_pipeline_does_and_is_cut(
    fake: FakeGitLab, state: State, shown: str
) -> None:
    client(fake).set_status(HEAD, status(state, "x" * 256))

    assert fake.statuses == [
        (HEAD, {"state": shown, "name": "gate/chat", "description": "x" * 252 + "..."})
    ]
