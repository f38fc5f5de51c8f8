"""A policy as the base has it, in a checkout that has no base and may fetch none."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.installed import AT, POLICY
from tests.command import Result, Run, gate
from tests.hosts.repository import begin, commit, git
from tests.servers.github import REPOSITORY, TOKEN, FakeGitHub, github

BASE = "c" * 40
COUNTS = "counts: {availability: {total: 1000000, bad: 820}}"


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        files = {"chat/gate.yaml": POLICY.encode(), "chat/counts.yaml": COUNTS.encode()}
        one.contents, one.refs = {BASE: files}, {"heads/main": ("commit", BASE)}
        yield one


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return such a checkout, whose commit loosens the policy."""
    origin = begin(tmp_path / "origin")
    loose = POLICY.replace('remaining: "> 50%"', 'remaining: "> 15%"')
    commit(origin, "loosen", {"chat/gate.yaml": loose, "chat/counts.yaml": COUNTS})
    folder = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", origin.as_uri(), str(folder))
    git(folder, "update-ref", "-d", "refs/remotes/origin/main")
    git(folder, "branch", "--move", "shorter")
    git(folder, "remote", "set-url", "origin", (tmp_path / "no-such").as_uri())
    return folder


@pytest.fixture
def check(fake: FakeGitHub, clone: Path) -> Run:
    """Run ``gate check --policy-ref`` in the folder chat of the checkout."""

    def run(ref: str = "main", **more: str) -> Result:
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": fake.url,
            "GITHUB_TOKEN": TOKEN,
        }
        asked = ("gate.yaml", "--at", AT, "--change", "full-rollout", "--policy-ref", ref)
        copies = ("--format", "json", "--write", "github=annotations")
        return gate("check", *asked, *copies, cwd=clone / "chat", env=runner | more)

    return run


@pytest.mark.parametrize("ref", ["main", "refs/heads/main", BASE])
def test_github_has_the_policy_of_the_base_and_the_change_is_judged_by_it(
    check: Run, ref: str
) -> None:
    done = check(ref)
    assert done.exit_code == 10, done.stderr
    (policy,) = json.loads(done.stdout)["policies"]
    assert policy["source"]["revision"] == BASE
    assert policy["proposed_policy"]["verdict"] == "allow"


def test_annotations_name_the_policy_from_the_top_of_the_repository(
    check: Run, tmp_path: Path
) -> None:
    check()
    told = (tmp_path / "clone" / "chat" / "annotations").read_text()
    assert told.startswith("::error file=chat/gate.yaml,")


def test_a_policy_that_the_base_has_not_does_not_count(check: Run, fake: FakeGitHub) -> None:
    fake.contents = {BASE: {}}
    done = check()
    assert done.exit_code == 3
    assert "main has no file gate.yaml, and the one of the change does not count" in done.stderr


@pytest.mark.parametrize(
    ("theirs", "code", "words"),
    [
        (COUNTS.replace("820", "900"), 3, "counts.yaml, which the change or the job has altered"),
        (None, 3, "counts.yaml, which is new in the change"),
    ],
)
def test_counts_that_are_the_changes_own_do_not_count(
    check: Run, fake: FakeGitHub, theirs: str | None, code: int, words: str
) -> None:
    fake.contents[BASE].pop("chat/counts.yaml")
    if theirs is not None:
        fake.contents[BASE]["chat/counts.yaml"] = theirs.encode()
    done = check()
    assert done.exit_code == code
    assert words in done.stderr


def test_files_beside_the_policy_are_not_listed_by_the_api(check: Run, fake: FakeGitHub) -> None:
    with_files = POLICY.replace("tiers:", "  - from: slos/*.yaml\ntiers:")
    fake.contents[BASE]["chat/gate.yaml"] = with_files.encode()
    done = check()
    assert done.exit_code == 3
    assert "slos/*.yaml needs a checkout that has the commit" in done.stderr


@pytest.mark.parametrize(
    "more, words",
    [
        ({"GITHUB_TOKEN": ""}, "the code host cannot be asked"),
        ({"ref": "gone"}, "there is no branch or tag 'gone' in the repository of the run"),
        ({"ref": "d" * 40}, f"422 (No commit found for SHA: {'d' * 40})"),
    ],
)
def test_where_neither_git_nor_github_knows_the_base_there_is_no_way_round(
    check: Run, more: dict[str, str], words: str
) -> None:
    done = check(**more)
    assert done.exit_code == 3
    assert words in done.stderr


def test_github_is_not_requested_what_the_checkout_has(
    check: Run, fake: FakeGitHub, clone: Path
) -> None:
    assert check(git(clone, "rev-parse", "HEAD")).exit_code == 0
    assert fake.seen == []
