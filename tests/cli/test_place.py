"""The requests of ``gate check`` to GitHub, which are sent only where a policy needs the answer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gate.cli.ci_environment import CiEnvironment, context_of
from gate.decision.decision import Context
from gate.hosts.git import Checkout
from gate.hosts.gitlab import GitLab
from gate.policy.authors import Authors, Right
from gate.policy.changes import ChangeFacts, ChangeMatcher
from gate.policy.override import OverrideRule
from tests.hosts.repository import begin
from tests.hosts.test_github_people import HEAD, review
from tests.servers.github import PULL, REPOSITORY, TOKEN, FakeGitHub, github
from tests.servers.github_changes import Pull
from tests.servers.gitlab import PATH, gitlab
from tests.servers.gitlab import TOKEN as GITLAB_TOKEN

PULL_REQUEST = Context(
    system="github",
    repository=REPOSITORY,
    pull_request=PULL,
    revision=HEAD,
    base="b" * 40,
    author="ada",
)
MATCHER = ChangeMatcher(labels=("security",), approved_by=("@grace",))


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        yield one


def environ(fake: FakeGitHub) -> dict[str, str]:
    return {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": fake.url}


def test_github_tells_the_changed_files_that_a_shallow_checkout_cannot(
    fake: FakeGitHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(begin(tmp_path / "shallow"))
    fake.files = [("prompts/system.md", None)]
    fake.changes.pulls[PULL] = Pull(head=HEAD, messages=("fix: x",))
    facts = CiEnvironment(PULL_REQUEST, environ(fake)).facts(None)
    assert facts.paths == ("prompts/system.md",)
    assert [each.subject for each in facts.commits or ()] == ["fix: x"]


def test_github_tells_who_has_approved(fake: FakeGitHub) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.pushes = [("shorter", HEAD, "2026-11-01T09:00:00Z")]
    assert CiEnvironment(PULL_REQUEST, environ(fake)).approve(MATCHER, ChangeFacts()).by == (
        "@grace",
    )


def test_in_a_deploy_each_pull_request_must_be_approved(fake: FakeGitHub) -> None:
    place = CiEnvironment(replace(PULL_REQUEST, pull_request=None), environ(fake))
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    fake.pushes = [("shorter", HEAD, "2026-11-01T09:00:00Z")]
    assert place.approve(MATCHER, ChangeFacts(sources=((7, HEAD), (8, HEAD)))).by == ("@grace",)
    newer = place.approve(MATCHER, ChangeFacts(sources=((7, HEAD), (8, "d" * 40))))
    assert newer.by == ()
    assert "nobody among @grace except the author has approved" in newer.why_not
    nothing = place.approve(MATCHER, ChangeFacts())
    assert nothing.why_not == "there is no pull request whose approvals could be read"


@pytest.mark.parametrize(
    "context, environ",
    [
        (PULL_REQUEST, {}),
        (Context(system="gitlab", repository=REPOSITORY), {"GITHUB_TOKEN": TOKEN}),
        (Context(system="github"), {"GITHUB_TOKEN": TOKEN}),
        (Context(system="github", repository="a/b/c/.."), {"GITHUB_TOKEN": TOKEN}),
    ],
)
def test_without_a_token_or_a_repository_on_github_nobody_is_asked(
    context: Context, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(begin(tmp_path / "checkout"))
    place = CiEnvironment(context, environ)
    assert place.approve(MATCHER, ChangeFacts()).by == ()
    assert place.facts(None).paths is None


def test_a_run_outside_ci_is_about_the_commit_that_is_checked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begin(tmp_path / "checkout")
    monkeypatch.chdir(folder)
    context = context_of("none", base="main")
    assert (context.revision, context.base) == (Checkout(folder).head(), "main")
    monkeypatch.chdir(tmp_path)
    assert context_of("none").revision is None


def test_gitlab_tells_who_has_approved_and_who_has_labelled() -> None:
    with gitlab() as one:
        one.people.versions = [(HEAD, "2026-11-01T09:00:00.000Z")]
        one.people.approvals = [("grace", "2026-11-01T10:00:00.000Z")]
        one.people.groups = {"acme/sre": {"grace"}}
        one.people.labelled("grace", "add", "gate-override", "2026-11-01T10:00:00.000Z")
        one.plant("grace", "Gate-Override: the fix")
        context = Context(system="gitlab", repository=PATH, pull_request=7, revision=HEAD)
        place = CiEnvironment(context, {"GITLAB_TOKEN": GITLAB_TOKEN, "CI_API_V4_URL": one.url})

        assert place.approve(MATCHER, ChangeFacts()).by == ("@grace",)
        rule = OverrideRule(approvers=("@acme/sre",), label="gate-override")
        assert place.approver("@grace", rule, Authors()) == Right(holds=True, confirmed=True)
        override = place.labelled(rule, datetime(2026, 11, 1, 12, tzinfo=UTC)).override

    assert override is not None
    assert override.reason == "the fix"


def test_gitlab_tells_whose_change_it_is() -> None:
    with gitlab() as one:
        one.people.versions = [(HEAD, "2026-11-01T09:00:00.000Z")]
        environ = {"GITLAB_TOKEN": GITLAB_TOKEN, "CI_API_V4_URL": one.url}
        context = replace(MERGE_REQUEST, revision=HEAD)
        assert CiEnvironment(context, environ).authors().part("ada") == "opened it"
        one.forbidden = {"request"}
        assert "cannot read the merge request" in CiEnvironment(context, environ).authors().unknown


def test_without_a_token_only_the_event_tells_whose_change_it_is() -> None:
    authors = CiEnvironment(replace(PULL_REQUEST, people=("alan",)), {}).authors()
    assert (authors.part("ada"), authors.part("alan")) == (
        "opened it",
        "wrote, pushed or started it",
    )
    assert authors.unknown == "there is no token for github"


def test_without_a_commit_nobody_knows_whose_change_it_is(fake: FakeGitHub) -> None:
    place = CiEnvironment(replace(PULL_REQUEST, revision=None), environ(fake))
    assert place.authors().unknown == "no commit is known"


def test_a_merge_request_of_a_fork_is_requested_where_it_is() -> None:
    with gitlab() as one:
        one.people.source = 43
        one.people.versions = [(HEAD, "2026-11-01T09:00:00.000Z")]
        context = replace(MERGE_REQUEST, repository="ada/chat", revision=HEAD, target_project="42")
        environ = {"GITLAB_TOKEN": GITLAB_TOKEN, "CI_API_V4_URL": one.url, "CI_PROJECT_ID": "43"}
        place = CiEnvironment(context, environ | {"CI_PROJECT_URL": "https://gitlab.example/a"})
        assert place.authors().part("ada") == "opened it"
        assert place.host() is not None
    assert {sent.path.split("/merge_requests")[0] for sent in one.sent if "merge" in sent.path} == {
        "/projects/42"
    }


MERGE_REQUEST = Context(system="gitlab", repository="acme/chat", pull_request=7)
JOB = {"GITLAB_TOKEN": "glpat-1", "CI_API_V4_URL": "http://127.0.0.1:1/api/v4"}


@pytest.mark.parametrize("environ", [JOB, JOB | {"CI_PROJECT_ID": "17"}])
def test_a_job_of_gitlab_with_a_projects_token_can_write_notes(environ: dict[str, str]) -> None:
    assert isinstance(CiEnvironment(MERGE_REQUEST, environ).host(), GitLab)


@pytest.mark.parametrize("missing", JOB)
def test_without_a_token_or_an_address_no_note_can_be_written(missing: str) -> None:
    environ = {name: value for name, value in JOB.items() if name != missing}
    assert CiEnvironment(MERGE_REQUEST, environ | {"CI_JOB_TOKEN": "x"}).host() is None
    assert CiEnvironment(Context(system="gitlab"), JOB).host() is None
