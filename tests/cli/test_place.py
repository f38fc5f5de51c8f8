"""What ``gate check`` asks GitHub, and that it asks only where a policy needs the answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.ci.git import Checkout
from gate.cli.place import Place, context_of
from gate.decision.context import Context
from gate.policy.recognition import Matcher
from tests.ci.repository import begin
from tests.ci.test_github import HEAD, review
from tests.servers.github import PULL, REPOSITORY, TOKEN, FakeGitHub, github

PULL_REQUEST = Context(
    system="github",
    repository=REPOSITORY,
    pull_request=PULL,
    revision=HEAD,
    base="b" * 40,
    author="ada",
)
MATCHER = Matcher(labels=("security",), approved_by=("@grace",))


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
    facts = Place(PULL_REQUEST, environ(fake)).facts()
    assert facts.paths == ("prompts/system.md",)


def test_github_tells_who_has_approved(fake: FakeGitHub) -> None:
    fake.reviews = [review("grace", "APPROVED", "10:00")]
    assert Place(PULL_REQUEST, environ(fake)).approve(MATCHER).by == ("@grace",)


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
    place = Place(context, environ)
    assert place.approve(MATCHER).by == ()
    assert place.facts().paths is None


def test_a_run_outside_ci_is_about_the_commit_that_is_checked_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = begin(tmp_path / "checkout")
    monkeypatch.chdir(folder)
    context = context_of("none", base="main")
    assert (context.revision, context.base) == (Checkout(folder).head(), "main")
    monkeypatch.chdir(tmp_path)
    assert context_of("none").revision is None
