"""Where the gate finds itself: the variables are those that each system documents."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gate.decision.decision import Context
from gate.hosts.systems import SYSTEMS, detect

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/chat",
    "GITHUB_SHA": "e" * 40,
    "GITHUB_REF_NAME": "7/merge",
    "GITHUB_TRIGGERING_ACTOR": "ada",
    "GITHUB_SERVER_URL": "https://github.acme.example",
    "GITHUB_RUN_ID": "17",
}
PULL_REQUEST: dict[str, Any] = {
    "number": 7,
    "title": "feat: shorter answers",
    "user": {"login": "grace"},
    "labels": [{"name": "security"}, {"name": "prompt"}],
    "head": {"sha": "a" * 40, "ref": "shorter", "repo": {"full_name": "acme/chat"}},
    "base": {"sha": "b" * 40, "ref": "main"},
}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_PATH": "acme/chat",
    "CI_COMMIT_SHA": "e" * 40,
    "CI_COMMIT_REF_NAME": "shorter",
    "CI_COMMIT_BEFORE_SHA": "0" * 40,
    "GITLAB_USER_LOGIN": "ada",
    "CI_JOB_URL": "https://gitlab.acme.example/acme/chat/-/jobs/17",
}
MERGE_REQUEST = {
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_TITLE": "feat: shorter answers",
    "CI_MERGE_REQUEST_LABELS": "security,prompt",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "shorter",
    "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "a" * 40,
    "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "acme/chat",
    "CI_MERGE_REQUEST_DIFF_BASE_SHA": "b" * 40,
}


def on_github(folder: Path, event: object, **more: str) -> Context:
    path = folder / "event.json"
    path.write_text(event if isinstance(event, str) else json.dumps(event), encoding="utf-8")
    return detect({**GITHUB, "GITHUB_EVENT_PATH": str(path), **more})


def test_a_pull_request_on_github_is_judged_by_its_head(tmp_path: Path) -> None:
    assert on_github(tmp_path, {"pull_request": PULL_REQUEST}) == Context(
        system="github",
        repository="acme/chat",
        revision="a" * 40,
        branch="shorter",
        base="b" * 40,
        base_branch="main",
        pull_request=7,
        title="feat: shorter answers",
        labels=("security", "prompt"),
        author="grace",
        actor="ada",
        people=("ada",),
        url="https://github.acme.example/acme/chat/actions/runs/17",
    )


@pytest.mark.parametrize("repo", [{"full_name": "mallory/chat"}, None])
def test_a_fork_has_no_secrets_even_when_it_is_deleted(tmp_path: Path, repo: object) -> None:
    pull = PULL_REQUEST | {"head": PULL_REQUEST["head"] | {"repo": repo}}
    assert on_github(tmp_path, {"pull_request": pull}).no_secrets


@pytest.mark.parametrize("event", [{"pull_request": PULL_REQUEST}, {"before": "c" * 40}])
def test_dependabot_has_no_secrets(tmp_path: Path, event: object) -> None:
    assert on_github(tmp_path, event, GITHUB_ACTOR="dependabot[bot]").no_secrets
    assert not on_github(tmp_path, event).no_secrets


def test_a_run_of_dependabot_that_somebody_starts_again_keeps_its_rights(tmp_path: Path) -> None:
    actors = {"GITHUB_ACTOR": "dependabot[bot]", "GITHUB_TRIGGERING_ACTOR": "ada"}
    context = on_github(tmp_path, {"pull_request": PULL_REQUEST}, **actors)
    assert (context.no_secrets, context.actor) == (True, "ada")


def test_what_a_push_had_before_it_is_not_what_is_live(tmp_path: Path) -> None:
    event = {"before": "c" * 40, "head_commit": {"author": {"username": "grace"}}}
    context = on_github(tmp_path, event, GITHUB_REF_NAME="main")
    assert (context.revision, context.base) == ("e" * 40, None)
    assert (context.branch, context.author) == ("main", "grace")
    assert context.pull_request is None
    assert context.labels == ()


def test_a_merge_queue_is_judged_by_its_group(tmp_path: Path) -> None:
    group = {"head_sha": "d" * 40, "base_sha": "b" * 40}
    context = on_github(tmp_path, {"merge_group": group})
    assert (context.revision, context.base) == ("d" * 40, "b" * 40)


def test_a_deployment_is_judged_by_its_commit(tmp_path: Path) -> None:
    context = on_github(tmp_path, {"deployment": {"sha": "d" * 40}})
    assert (context.revision, context.base) == ("d" * 40, None)


def test_a_comment_on_a_pull_request_is_not_about_the_default_branch(tmp_path: Path) -> None:
    issue = {"number": 7, "pull_request": {"url": "https://api.github.com/pulls/7"}}
    context = on_github(tmp_path, {"issue": issue})
    assert (context.pull_request, context.revision, context.labels) == (7, None, None)


def test_a_comment_on_an_issue_names_no_pull_request(tmp_path: Path) -> None:
    context = on_github(tmp_path, {"issue": {"number": 7}})
    assert (context.pull_request, context.revision) == (None, "e" * 40)


def test_a_queue_names_the_last_pull_request_of_its_group(tmp_path: Path) -> None:
    ref = f"refs/heads/gh-readonly-queue/main/pr-7-{'c' * 40}"
    group = {"head_sha": "d" * 40, "head_ref": ref, "base_ref": "refs/heads/main"}
    context = on_github(tmp_path, {"merge_group": group})
    assert (context.pull_requests, context.base_branch) == ((7,), "main")


def test_a_run_after_another_run_is_about_the_commit_of_that_run(tmp_path: Path) -> None:
    before = {"head_sha": "d" * 40, "head_branch": "shorter", "pull_requests": [{"number": 7}]}
    context = on_github(tmp_path, {"workflow_run": before})
    assert (context.revision, context.branch) == ("d" * 40, "shorter")
    assert context.pull_requests == (7,)


def test_everyone_whom_a_push_names_is_behind_the_change(tmp_path: Path) -> None:
    commit = {"author": {"username": "ada"}, "committer": {"username": "linus"}}
    event = {"pusher": {"name": "grace"}, "commits": [commit], "sender": {"login": "ada"}}
    assert on_github(tmp_path, event).people == ("ada", "grace", "linus")


@pytest.mark.parametrize("attempt, number", [("3", 3), ("", 1)])
def test_a_run_that_was_started_again_says_so(tmp_path: Path, attempt: str, number: int) -> None:
    assert on_github(tmp_path, {}, GITHUB_RUN_ATTEMPT=attempt).attempt == number


@pytest.mark.parametrize("event", ["", "[1]", "{", '"pull_request"'])
def test_an_unreadable_event_leaves_what_the_variables_say(tmp_path: Path, event: str) -> None:
    context = on_github(tmp_path, event)
    assert (context.revision, context.branch) == ("e" * 40, "7/merge")
    assert detect(GITHUB) == context


def test_a_merge_request_on_gitlab_is_judged_by_its_source() -> None:
    assert detect(GITLAB | MERGE_REQUEST) == Context(
        system="gitlab",
        repository="acme/chat",
        revision="a" * 40,
        branch="shorter",
        base="b" * 40,
        pull_request=7,
        title="feat: shorter answers",
        labels=("security", "prompt"),
        actor="ada",
        people=("ada",),
        url="https://gitlab.acme.example/acme/chat/-/jobs/17",
    )


def test_a_fork_on_gitlab_has_no_secrets() -> None:
    fork = {"CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "mallory/chat"}
    assert detect(GITLAB | MERGE_REQUEST | fork).no_secrets


def test_what_a_push_on_gitlab_had_before_it_is_not_what_is_live() -> None:
    first = detect(GITLAB)
    assert (first.base, first.pull_request, first.labels) == (None, None, ())
    assert first.revision == "e" * 40
    assert detect(GITLAB | {"CI_COMMIT_BEFORE_SHA": "c" * 40}).base is None


@pytest.mark.parametrize("freeze, frozen", [("true", True), ("", False)])
def test_a_deploy_freeze_of_gitlab_is_seen(freeze: str, frozen: bool) -> None:
    assert detect(GITLAB | {"CI_DEPLOY_FREEZE": freeze}).frozen is frozen


OTHERS: list[tuple[Mapping[str, str], Context]] = [
    (
        {
            "BUILDKITE": "true",
            "BUILDKITE_REPO": "git@github.com:acme/chat.git",
            "BUILDKITE_COMMIT": "a" * 40,
            "BUILDKITE_BRANCH": "shorter",
            "BUILDKITE_PULL_REQUEST": "7",
            "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main",
            "BUILDKITE_PULL_REQUEST_LABELS": "security, prompt",
            "BUILDKITE_BUILD_CREATOR": "Ada",
            "BUILDKITE_BUILD_URL": "https://buildkite.example/17",
        },
        Context(
            system="buildkite",
            repository="acme/chat",
            revision="a" * 40,
            branch="shorter",
            base="main",
            base_branch="main",
            pull_request=7,
            labels=("security", "prompt"),
            actor="Ada",
            people=("Ada",),
            url="https://buildkite.example/17",
        ),
    ),
    (
        {"BUILDKITE": "true", "BUILDKITE_BRANCH": "main", "BUILDKITE_PULL_REQUEST": "false"},
        Context(system="buildkite", branch="main"),
    ),
    (
        {
            "JENKINS_URL": "https://jenkins.example/",
            "GIT_URL": "https://git.example/acme/chat",
            "GIT_COMMIT": "a" * 40,
            "BRANCH_NAME": "PR-7",
            "CHANGE_ID": "7",
            "CHANGE_BRANCH": "shorter",
            "CHANGE_TARGET": "main",
            "CHANGE_TITLE": "feat: x",
            "CHANGE_AUTHOR": "grace",
            "CHANGE_FORK": "mallory",
            "BUILD_URL": "https://jenkins.example/17",
        },
        Context(
            system="jenkins",
            repository="acme/chat",
            revision="a" * 40,
            branch="shorter",
            base="main",
            base_branch="main",
            pull_request=7,
            title="feat: x",
            labels=None,
            author="grace",
            people=("grace",),
            no_secrets=True,
            url="https://jenkins.example/17",
        ),
    ),
    (
        {"JENKINS_URL": "https://jenkins.example/", "BRANCH_NAME": "main"},
        Context(system="jenkins", branch="main"),
    ),
    (
        {
            "CIRCLECI": "true",
            "CIRCLE_PROJECT_USERNAME": "acme",
            "CIRCLE_PROJECT_REPONAME": "chat",
            "CIRCLE_SHA1": "a" * 40,
            "CIRCLE_BRANCH": "shorter",
            "CIRCLE_PULL_REQUEST": "https://github.com/acme/chat/pull/7",
            "CIRCLE_PR_NUMBER": "7",
            "CIRCLE_USERNAME": "ada",
            "CIRCLE_BUILD_URL": "https://circleci.example/17",
        },
        Context(
            system="circleci",
            repository="acme/chat",
            revision="a" * 40,
            branch="shorter",
            pull_request=7,
            labels=None,
            actor="ada",
            people=("ada",),
            no_secrets=True,
            url="https://circleci.example/17",
        ),
    ),
    ({"CIRCLECI": "true"}, Context(system="circleci")),
    ({"PATH": "/bin"}, Context(system="shell")),
]


@pytest.mark.parametrize("environ, context", OTHERS)
def test_every_other_system_shows_what_it_knows(
    environ: Mapping[str, str], context: Context
) -> None:
    assert detect(environ) == context


def test_a_named_system_is_the_only_one_that_is_looked_for() -> None:
    both = GITLAB | {"BUILDKITE": "true"}
    assert detect(both, "buildkite").system == "buildkite"
    assert detect(both, "none") == Context(system="none")
    assert detect({}, "github") == Context(system="github")
    assert set(SYSTEMS) == {"github", "gitlab", "buildkite", "jenkins", "circleci"}


@pytest.mark.parametrize(
    "event, attempt, people",
    [
        ({"action": "labeled"}, "1", ()),
        ({"action": "submitted", "review": {}}, "1", ()),
        ({"action": "submitted", "review": {}}, "2", ("ada",)),
        ({"action": "labeled"}, "2", ("ada",)),
        ({"action": "unlabeled"}, "1", ("ada",)),
        ({"action": "submitted"}, "1", ("ada",)),
        ({"action": "synchronize"}, "1", ("ada",)),
    ],
)
def test_anybody_who_is_behind_a_change_has_started_its_run_only_if_they_do_so_again(
    tmp_path: Path, event: dict[str, Any], attempt: str, people: tuple[str, ...]
) -> None:
    given = {"pull_request": PULL_REQUEST, "sender": {"login": "ada"}, **event}
    context = on_github(tmp_path, given, GITHUB_ACTOR="ada", GITHUB_RUN_ATTEMPT=attempt)
    assert context.people == people


def test_what_no_system_writes_is_not_known() -> None:
    """A number of thousands of digits, and an address that is none."""
    assert detect(GITLAB | {"CI_MERGE_REQUEST_IID": "9" * 5_000}).pull_request is None
    assert detect({"BUILDKITE": "true", "BUILDKITE_REPO": "https://[::1"}).repository is None


def test_a_pipeline_of_merged_results_is_compared_with_what_it_is_merged_into() -> None:
    target = {"CI_MERGE_REQUEST_IID": "7", "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "d" * 40}
    assert detect(GITLAB | target).base == "d" * 40
