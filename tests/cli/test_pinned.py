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


@pytest.fixture
def fake() -> Iterator[FakeGitHub]:
    with github() as one:
        one.contents = {tree: {"chat/gate.yaml": POLICY.encode()} for tree in ("main", BASE)}
        one.commits = {"main": BASE}
        yield one


@pytest.fixture
def check(fake: FakeGitHub, tmp_path: Path) -> Run:
    """Run ``gate check --policy-ref`` in the folder chat of such a checkout."""
    origin = begin(tmp_path / "origin")
    counts = "counts: {availability: {total: 1000000, bad: 820}}"
    loose = POLICY.replace('remaining: "> 50%"', 'remaining: "> 15%"')
    commit(origin, "loosen", {"chat/gate.yaml": loose, "chat/counts.yaml": counts})
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--depth=1", origin.as_uri(), str(clone))
    git(clone, "update-ref", "-d", "refs/remotes/origin/main")
    git(clone, "branch", "--move", "shorter")
    git(clone, "remote", "set-url", "origin", (tmp_path / "no-such").as_uri())

    def run(ref: str = "main", **more: str) -> Result:
        runner = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_API_URL": fake.url,
            "GITHUB_TOKEN": TOKEN,
        }
        asked = ("gate.yaml", "--at", AT, "--change", "full-rollout", "--policy-ref", ref)
        copies = ("--format", "json", "--output", "github=annotations")
        return gate("check", *asked, *copies, cwd=clone / "chat", env=runner | more)

    return run


def test_github_has_the_policy_of_the_base_and_the_change_is_judged_by_it(check: Run) -> None:
    done = check()
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


def test_a_policy_that_the_base_has_not_is_new(check: Run, fake: FakeGitHub) -> None:
    fake.contents = {"main": {}, BASE: {}}
    done = check()
    assert done.exit_code == 0
    assert "gate.yaml is new: main has no such file" in done.stderr


@pytest.mark.parametrize(
    "more, words",
    [
        ({"GITHUB_TOKEN": ""}, "there is no token to ask GitHub with"),
        ({"ref": "gone"}, "422 (No commit found for SHA: gone)"),
    ],
)
def test_where_neither_git_nor_github_knows_the_base_there_is_no_way_round(
    check: Run, more: dict[str, str], words: str
) -> None:
    done = check(**more)
    assert done.exit_code == 2
    assert "gate.yaml cannot be read as" in done.stderr
    assert words in done.stderr


def test_github_is_not_asked_for_what_the_checkout_has(check: Run, fake: FakeGitHub) -> None:
    assert check("HEAD").exit_code == 0
    assert fake.seen == []
