"""Kind 2: what the base does not have, or nobody can tell, taken for permission."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.world import SHIPS, World, keeps_its_secrets
from tests.command import Result
from tests.hosts.repository import git
from tests.servers.github import PULL, TOKEN, FakeGitHub, github

RISKY = ("--change", "model-update")
SAFE = ("--change", "bug-fix")
AWAY = "file:///no/such/repository"


def undecided(result: Result, *words: str) -> None:
    assert result.exit_code == 3, (result.exit_code, result.stdout, result.stderr)
    assert keeps_its_secrets(result)
    assert not [word for word in words if word not in result.stderr]


@pytest.fixture
def host(world: World) -> Iterator[FakeGitHub]:
    """Run a GitHub that has main's policy."""
    with github() as fake:
        base = world.on_host("main")
        fake.contents = {base: {"gate.yaml": world.policy.encode()}}
        fake.refs = {"heads/main": ("commit", base)}
        world.more = {}
        yield fake


def token(host: FakeGitHub) -> dict[str, str]:
    return {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": host.url}


@pytest.mark.parametrize("fork", [False, True])
@pytest.mark.parametrize("depth", [0, 1])
def test_a_brand_new_policy_does_not_count(world: World, fork: bool, depth: int) -> None:
    world.branch()
    world.change(files={"new.yaml": world.loose})
    world.open(fork=fork)
    world.check_out(depth=depth)
    result = world.run(*RISKY, policy="new.yaml")
    undecided(
        result, "main has no file new.yaml", "a reviewed change", "sets the policy's ref to 'none'"
    )


def test_each_of_two_policies_counts_by_itself(world: World) -> None:
    world.branch()
    world.change(files={"new.yaml": world.loose, "newer.yaml": world.loose})
    world.open()
    world.check_out()
    undecided(world.run(*SAFE, "new.yaml"), "main has no file new.yaml")
    both = world.run(*RISKY, "newer.yaml", policy="new.yaml")
    undecided(both, "no file new.yaml", "no file newer.yaml")


def test_a_policy_that_is_too_large_a_folder_or_a_submodule_on_main_is_undecided(
    world: World,
) -> None:
    world.commit("odd", {"large.yaml": "#" * 10_000_001, "folder.yaml/x": ""})
    git(
        world.work, "update-index", "--add", "--cacheinfo", f"160000,{world.revision()},module.yaml"
    )
    git(world.work, "commit", "--quiet", "--message=module")
    world.push("main")
    world.change(files={"gate.yaml": world.loose})
    world.open()
    world.check_out()
    undecided(world.run(*RISKY, policy="large.yaml"), "too large")
    undecided(world.run(*RISKY, policy="folder.yaml"), "it is not a file there")
    undecided(world.run(*RISKY, policy="module.yaml"), "it is not a file there")
    undecided(world.run(*RISKY, policy="module.yaml/gate.yaml"), "a submodule")


EVENTS = [
    "pull_request",
    "pull_request_target",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_of_tomorrow",
    "issue_comment",
    "check_run",
    "anything",
    "",
]


@pytest.mark.crossed
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("ref", [None, "refs/heads/change"])
def test_a_pull_request_is_judged_by_where_it_goes_whatever_the_event_is_called(
    loosened: World, event: str, ref: str | None
) -> None:
    more: dict[str, Any] = {"GITHUB_EVENT_NAME": event, "GITHUB_BASE_REF": None}
    if ref is not None:
        more |= {"GITHUB_REF": ref, "GITHUB_REF_NAME": "change"}
    result = loosened.run(*RISKY, **more)
    assert result.exit_code == 10, result.stderr


ODD: list[Any] = [
    None,
    "x",
    7,
    [],
    {},
    ["main"],
    {"ref": None},
    {"ref": 7},
    {"ref": {"a": 1}},
    True,
]


@pytest.mark.variants(4)
@pytest.mark.crossed
@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    "place", ["pull_request", "base", "head", "repository", "labels", "number"]
)
@pytest.mark.parametrize("base_ref", ["main", None])
def test_an_event_of_an_odd_form_is_not_a_way_round(
    loosened: World, place: str, odd: Any, base_ref: str | None
) -> None:
    pull = loosened.event["pull_request"]
    if place in {"pull_request", "repository"}:
        loosened.event[place] = odd
    else:
        pull[place] = odd
    result = loosened.run(*RISKY, GITHUB_BASE_REF=base_ref)
    assert result.exit_code in {3, 10}, result.stderr
    assert keeps_its_secrets(result)


@pytest.mark.parametrize(
    "key",
    ["merge_group", "workflow_run", "check_suite", "issue", "deployment", "commits", "head_commit"],
)
def test_other_events_of_an_odd_form_are_not_a_way_round(loosened: World, key: str) -> None:
    for odd in ODD:
        loosened.event = {"repository": loosened.event.get("repository"), key: odd}
        result = loosened.run(*RISKY, GITHUB_BASE_REF=None, GITHUB_EVENT_NAME=key)
        assert result.exit_code in {3, 10}, (odd, result.stderr)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "[" * 100_000, '{"a": 1e999}'])
def test_an_event_file_that_cannot_be_read_is_not_a_way_round(
    loosened: World, tmp_path: Path, text: str
) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text(text)
    for base_ref in ("main", None):
        result = loosened.run(*RISKY, GITHUB_EVENT_PATH=str(broken), GITHUB_BASE_REF=base_ref)
        assert result.exit_code in {3, 10}, result.stderr


def _loosened(world: World) -> None:
    """Open a pull request that loosens the policy, and check it out."""
    world.branch()
    world.change(files={"gate.yaml": world.loose})
    world.open()
    world.check_out()


@pytest.mark.crossed
@pytest.mark.parametrize(
    "ref",
    [
        "refs/heads/change",
        "refs/tags/main",
        "refs/tags/v1",
        "refs/pull/7/merge",
        "",
        "main",
        "change",
    ],
)
@pytest.mark.parametrize(
    "event", ["push", "workflow_dispatch", "release", "deployment", "schedule"]
)
def test_another_branch_or_tag_is_judged_by_the_default_branch(
    tagged: World, event: str, ref: str
) -> None:
    more: dict[str, Any] = {
        "GITHUB_REF": ref,
        "GITHUB_REF_NAME": ref.rpartition("/")[2],
        "GITHUB_EVENT_NAME": event,
    }
    assert tagged.run(*RISKY, **more).exit_code == 10
    assert tagged.run(*SAFE, **more).exit_code == 0


def test_a_push_to_main_is_judged_by_its_own_commit_without_asking_anybody(world: World) -> None:
    world.commit("loosen", {"gate.yaml": world.loose})
    world.pushed()
    checkout = world.check_out(depth=1)
    git(checkout, "remote", "set-url", "origin", AWAY)
    assert world.run(*RISKY).exit_code == 0  # by a reviewed merge
    (checkout / "gate.yaml").write_text(world.policy)
    assert world.run(*RISKY).exit_code == 0


def test_a_run_of_main_that_is_started_again_is_judged_by_main_as_it_is_now(world: World) -> None:
    old = world.commit("lax", {"gate.yaml": world.loose})
    world.pushed()
    world.commit("strict", {"gate.yaml": world.policy})
    world.push("main")
    world.check_out(depth=1)
    git(world.checkout, "fetch", "--quiet", "--depth=1", str(world.work), old)
    git(world.checkout, "checkout", "--quiet", "--detach", old)
    assert world.run(*RISKY, GITHUB_RUN_ATTEMPT="2").exit_code == 10


def test_where_the_default_branch_is_not_known_the_server_names_it(world: World) -> None:
    world.branch()
    world.change(files={"gate.yaml": world.loose})
    world.pushed("change")
    world.check_out()
    world.event.pop("repository")
    assert world.run(*RISKY).exit_code == 10
    git(world.checkout, "remote", "set-url", "origin", AWAY)
    undecided(world.run(*RISKY), "the default branch is not known", "'none'")


class TestRetargeting:
    """A pull request is opened against a lax branch, and then goes to main."""

    @pytest.fixture(autouse=True)
    def opened(self, world: World) -> None:
        world.branch("lax")
        world.commit("lax", {"gate.yaml": world.loose})
        world.push("lax")
        world.branch("change", "lax")
        world.change()
        world.open(base="lax")
        world.check_out(depth=1)

    def test_the_host_says_where_it_goes_now(self, world: World, host: FakeGitHub) -> None:
        self.opened_again(world)
        for attempt in ("1", "2"):
            result = world.run(*RISKY, GITHUB_RUN_ATTEMPT=attempt, **token(host))
            assert result.exit_code == 10, result.stderr

    def opened_again(self, world: World) -> None:
        world.more = {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_BASE_REF": "lax",
            "GITHUB_REF": f"refs/pull/{PULL}/merge",
        }

    def test_a_run_that_is_started_again_without_a_token_is_undecided(self, world: World) -> None:
        undecided(world.run(*RISKY, GITHUB_RUN_ATTEMPT="2"), "a re-run with the event")

    def test_a_host_that_does_not_say_is_not_a_way_round(
        self, world: World, host: FakeGitHub
    ) -> None:
        self.opened_again(world)
        host.forbidden = {"pulls/get"}
        undecided(world.run(*RISKY, GITHUB_RUN_ATTEMPT="2", **token(host)), "where the change goes")


def test_the_base_of_the_event_counts_where_nobody_can_be_asked_and_the_report_says_so(
    world: World,
) -> None:
    _loosened(world)
    git(world.checkout, "remote", "set-url", "origin", AWAY)
    result = world.run(*RISKY)
    assert result.exit_code == 10, result.stderr
    assert "main is read as it was when the run began" in result.stderr
    undecided(world.run(*RISKY, GITHUB_RUN_ATTEMPT="2"))
    undecided(
        world.run(*RISKY, GITHUB_EVENT_NAME="pull_request_review"), "the current commit of main"
    )
    world.event["pull_request"]["base"]["sha"] = "main"
    undecided(world.run(*RISKY), "the current commit of main is not known")


def test_a_base_of_the_event_that_is_not_here_is_undecided(world: World) -> None:
    world.branch()
    world.change(files={"gate.yaml": world.loose})
    world.open()
    world.check_out(depth=1)
    git(world.checkout, "remote", "set-url", "origin", AWAY)
    undecided(world.run(*RISKY))
    git(world.checkout, "remote", "remove", "origin")
    undecided(world.run(*RISKY), "the checkout has no remote 'origin' to ask")


def test_a_base_that_is_gone_is_undecided(world: World) -> None:
    _loosened(world)
    git(world.host, "branch", "--move", "main", "trunk")
    undecided(world.run(*RISKY), "there is no branch 'main' on the server")


def test_a_comment_on_a_pull_request_is_undecided_where_its_base_is_not_known(
    world: World, host: FakeGitHub
) -> None:
    world.branch()
    world.change(files={"gate.yaml": world.loose})
    world.open()
    world.check_out(depth=1)
    world.event = {
        "repository": world.event["repository"],
        "issue": {"number": PULL, "pull_request": {}},
        "comment": {"body": "/gate"},
    }
    more: dict[str, Any] = {"GITHUB_EVENT_NAME": "issue_comment", "GITHUB_REF": "refs/heads/main"}
    undecided(
        world.run(*RISKY, GITHUB_BASE_REF=None, **more), "the branch that the change goes into"
    )
    result = world.run(*RISKY, GITHUB_BASE_REF=None, **more, **token(host))
    assert result.exit_code == 10, result.stderr


def test_a_merge_queue_is_judged_by_the_branch_that_it_goes_into(loosened: World) -> None:
    head = loosened.revision()
    loosened.event = {
        "repository": loosened.event["repository"],
        "merge_group": {
            "head_sha": head,
            "head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{head}",
            "base_sha": head,
            "base_ref": "refs/heads/main",
        },
    }
    more: dict[str, Any] = {"GITHUB_EVENT_NAME": "merge_group", "GITHUB_BASE_REF": None}
    assert loosened.run(*RISKY, **more).exit_code == 10


def test_a_checkout_without_git_is_judged_by_the_api(world: World, host: FakeGitHub) -> None:
    world.branch()
    world.change(files={"gate.yaml": world.loose})
    world.open()
    checkout = world.check_out()
    (checkout / ".git").rename(world.folder / "no-git")
    undecided(world.run(*RISKY), "not in a git checkout")
    result = world.run(*RISKY, **token(host))
    assert result.exit_code == 10, result.stderr
    host.contents = {world.on_host("main"): {}}
    undecided(world.run(*RISKY, **token(host)), "main has no file gate.yaml")


GITLAB: dict[str, Any] = {
    "GITHUB_ACTIONS": None,
    "GITHUB_BASE_REF": None,
    "GITLAB_CI": "true",
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_DEFAULT_BRANCH": "main",
    "CI_PROJECT_PATH": "acme/chat",
    "CI_COMMIT_REF_NAME": "change",
    "CI_COMMIT_TAG": None,
}


def gitlab_job(world: World, **more: Any) -> dict[str, Any]:
    job = {"CI_PROJECT_DIR": str(world.checkout), "CI_COMMIT_SHA": world.revision()}
    return {**GITLAB, **job, **more}


def test_a_merge_request_from_an_old_commit_is_judged_by_the_target_branch_of_now(
    world: World,
) -> None:
    world.commit("lax", {"gate.yaml": world.loose})
    world.push("main")
    lax = world.revision()
    world.commit("strict", {"gate.yaml": world.policy})
    world.push("main")
    world.branch("change", lax)
    world.change()
    world.push("change")
    for depth in (0, 1):
        shutil.rmtree(world.checkout, ignore_errors=True)
        world.check_out("refs/heads/change", depth=depth)
        git(world.checkout, "checkout", "--quiet", "--detach")
        job = gitlab_job(world, CI_MERGE_REQUEST_DIFF_BASE_SHA=lax)
        assert world.run(*RISKY, **job).exit_code == 10
        assert world.run(*SAFE, **job).exit_code == 0
    # The parent's project has the request of a fork, whose pipeline runs in the fork's.
    fork = gitlab_job(
        world,
        CI_PROJECT_PATH="mallory/chat",
        CI_MERGE_REQUEST_PROJECT_PATH="acme/chat",
        CI_MERGE_REQUEST_PROJECT_URL=world.host.as_uri().removesuffix(".git"),
    )
    git(world.checkout, "remote", "set-url", "origin", AWAY)
    assert world.run(*RISKY, **fork).exit_code == 10
    undecided(world.run(*RISKY, **gitlab_job(world)), "the current commit of main is not known")
    nameless = gitlab_job(world, CI_MERGE_REQUEST_TARGET_BRANCH_NAME=None)
    undecided(world.run(*RISKY, **nameless), "the branch that the change goes into is not known")


OTHERS: dict[str, dict[str, Any]] = {
    "gitlab branch": {
        **GITLAB,
        "CI_PIPELINE_SOURCE": "push",
        "CI_MERGE_REQUEST_IID": None,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": None,
        "CI_COMMIT_BRANCH": "change",
    },
    "gitlab tag": {
        **GITLAB,
        "CI_PIPELINE_SOURCE": "push",
        "CI_MERGE_REQUEST_IID": None,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": None,
        "CI_COMMIT_BRANCH": "main",
        "CI_COMMIT_TAG": "v1",
    },
    "buildkite": {
        "BUILDKITE": "true",
        "BUILDKITE_PULL_REQUEST": "7",
        "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "main",
    },
    "buildkite branch": {
        "BUILDKITE": "true",
        "BUILDKITE_BRANCH": "change",
        "BUILDKITE_PULL_REQUEST": "false",
        "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main",
    },
    "jenkins": {"JENKINS_URL": "x", "CHANGE_ID": "7", "CHANGE_TARGET": "main"},
    "jenkins branch": {"JENKINS_URL": "x", "BRANCH_NAME": "change"},
    "circleci": {"CIRCLECI": "true", "CIRCLE_BRANCH": "change"},
    "circleci pull": {"CIRCLECI": "true", "CIRCLE_PULL_REQUEST": "https://x.invalid/pull/7"},
}


@pytest.mark.parametrize("name", OTHERS)
def test_in_every_ci_system_a_change_is_judged_by_what_it_goes_into(
    world: World, name: str
) -> None:
    _loosened(world)
    none: dict[str, Any] = dict.fromkeys(("GITHUB_ACTIONS", "GITHUB_BASE_REF", "GITHUB_REF"))
    assert world.run(*RISKY, **{**none, **OTHERS[name]}).exit_code == 10
    git(world.checkout, "remote", "set-url", "origin", AWAY)
    undecided(world.run(*RISKY, **{**none, **OTHERS[name]}))


MAIN: dict[str, dict[str, Any]] = {
    "gitlab": {"GITLAB_CI": "true", "CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"},
    "buildkite": {
        "BUILDKITE": "true",
        "BUILDKITE_SOURCE": "webhook",
        "BUILDKITE_BRANCH": "main",
        "BUILDKITE_PULL_REQUEST": "false",
        "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main",
    },
    "jenkins": {"JENKINS_URL": "x", "BRANCH_NAME": "main", "BRANCH_IS_PRIMARY": "true"},
}


@pytest.mark.parametrize("name", MAIN)
def test_on_the_default_branch_of_every_ci_system_the_runs_own_commit_counts(
    world: World, name: str
) -> None:
    world.commit("loosen", {"gate.yaml": world.loose})
    world.pushed()
    checkout = world.check_out(depth=1)
    git(checkout, "remote", "set-url", "origin", AWAY)
    sha: dict[str, Any] = dict.fromkeys(
        ("CI_COMMIT_SHA", "BUILDKITE_COMMIT", "GIT_COMMIT"), world.revision()
    )
    more: dict[str, Any] = {"GITHUB_ACTIONS": None, **sha, **MAIN[name]}
    assert world.run(*RISKY, **more).exit_code == 0
    undecided(world.run(*RISKY, **{**more, **dict.fromkeys(sha, "HEAD")}))


def test_without_a_ci_system_the_file_is_read_as_it_is(loosened: World) -> None:
    assert loosened.run(*RISKY, GITHUB_ACTIONS=None).exit_code == 0
    assert loosened.run(*RISKY, "--ci", "none").exit_code == 0


@pytest.mark.parametrize(
    "sign",
    [
        {"CI": "true"},
        {"CI": "1"},
        {"CI": "woodpecker"},
        {"CI": "True"},
        {"TF_BUILD": "True"},
        {"TEAMCITY_VERSION": "2026.1"},
        {"BUILD_NUMBER": "17"},
        {"CONTINUOUS_INTEGRATION": "true"},
        {"DRONE": "true", "DRONE_TARGET_BRANCH": "change"},
        {"BITBUCKET_BUILD_NUMBER": "3", "BITBUCKET_PR_DESTINATION_BRANCH": "change"},
        {"CI": "true", "GITHUB_BASE_REF": "change"},
        {"CI": "true", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "change"},
    ],
    ids="-".join,
)
def test_in_a_ci_system_that_the_gate_does_not_know_the_default_branch_counts(
    loosened: World, sign: dict[str, Any]
) -> None:
    result = loosened.run(*RISKY, GITHUB_ACTIONS=None, **sign)
    assert result.exit_code == 10, result.stdout


@pytest.mark.parametrize("value", ["", "false", "0", "False", "no"])
def test_a_sign_of_a_ci_system_that_is_switched_off_is_none(loosened: World, value: str) -> None:
    assert loosened.run(*RISKY, GITHUB_ACTIONS=None, CI=value).exit_code == 0


def test_without_a_default_branch_such_a_run_is_undecided(loosened: World) -> None:
    git(loosened.checkout, "remote", "remove", "origin")
    result = loosened.run(*RISKY, GITHUB_ACTIONS=None, CI="true")
    undecided(result)
    assert "--policy-ref" in result.stderr or "policy's ref" in result.stderr


def test_a_file_in_no_repository_is_read_in_such_a_run_too(loosened: World, tmp_path: Path) -> None:
    policy = tmp_path / "central.yaml"
    policy.write_text(loosened.policy)
    result = loosened.run(*RISKY, policy=str(policy), GITHUB_ACTIONS=None, CI="true")
    assert result.exit_code == 10


def test_a_policy_outside_of_the_checkout_is_not_the_changes(world: World, tmp_path: Path) -> None:
    _loosened(world)
    outside = world.folder / "central.yaml"
    outside.write_text(world.policy)
    assert world.run(*RISKY, policy=str(outside)).exit_code == 10
    assert world.run(*RISKY, policy="../central.yaml").exit_code == 10
    link = tmp_path / "link.yaml"
    link.symlink_to(world.checkout / "gate.yaml")
    assert world.run(*RISKY, policy=str(link)).exit_code == 10
    (world.checkout / "out").symlink_to(world.folder)
    assert world.run(*RISKY, policy="out/../../central.yaml").exit_code == 3


class TestLocalFiles:
    """Counts that a policy names, in the repository itself."""

    @pytest.fixture(autouse=True)
    def counts(self, world: World) -> None:
        text = world.policy.replace(str(world.counts), "counts.yaml")
        spent = "counts: {availability: {total: 1000000, bad: 820}}\n"
        world.commit("counts", {"gate.yaml": text, "counts.yaml": spent, "lax/counts.yaml": LAX})
        world.push("main")
        world.branch()

    def run(self, world: World) -> Result:
        world.open()
        world.check_out(depth=1)
        return world.run(*RISKY)

    def test_unchanged_ones_count(self, world: World) -> None:
        world.change()
        assert self.run(world).exit_code == 10

    def test_changed_ones_do_not(self, world: World) -> None:
        world.change(files={"counts.yaml": LAX})
        undecided(self.run(world), "counts.yaml, which the change or the job has altered")

    def test_a_link_to_others_does_not(self, world: World) -> None:
        (world.work / "counts.yaml").unlink()
        (world.work / "counts.yaml").symlink_to("lax/counts.yaml")
        world.change()
        undecided(
            self.run(world),
            "counts.yaml, which is reached through a symbolic link that the change alters",
        )

    def test_a_link_out_of_the_repository_does_not(self, world: World) -> None:
        (world.folder / "lax.yaml").write_text(LAX)
        (world.work / "counts.yaml").unlink()
        (world.work / "counts.yaml").symlink_to(world.folder / "lax.yaml")
        world.change()
        undecided(self.run(world), "counts.yaml, which cannot be looked up")

    def test_new_ones_do_not_and_those_of_a_job_do(self, world: World) -> None:
        git(world.work, "checkout", "--quiet", "main")
        (world.work / "counts.yaml").unlink()
        world.commit("no counts")
        world.push("main")
        world.branch()
        world.change(files={"counts.yaml": LAX})
        undecided(self.run(world), "counts.yaml, which is new in the change")
        git(world.work, "rm", "--quiet", "counts.yaml")
        world.change(files={"x": ""})
        world.open()
        shutil.rmtree(world.checkout)
        world.check_out(depth=1)
        (world.checkout / "counts.yaml").write_text(LAX)
        assert world.run(*RISKY).exit_code == 0

    def test_a_checkout_for_windows_alters_nothing(self, world: World) -> None:
        world.change()
        world.open()
        checkout = world.check_out()
        for name in ("gate.yaml", "counts.yaml"):
            text = (checkout / name).read_bytes().replace(b"\n", b"\r\n")
            (checkout / name).write_bytes(text)
        result = world.run(*RISKY, "--format", "json")
        assert result.exit_code == 10
        (policy,) = json.loads(result.stdout)["policies"]
        assert policy["proposed_policy"] is None


LAX = "counts: {availability: {total: 1000000, bad: 0}}\n"


@pytest.mark.parametrize("fork", [False, True])
def test_a_fork_without_secrets_and_with_a_policy_of_its_own_does_not_pass(
    world: World, fork: bool
) -> None:
    world.branch()
    world.change(files={"new.yaml": world.loose.replace("service: chat", "service: ${NAME}")})
    world.open(fork=fork)
    world.check_out()
    assert world.run(*RISKY, policy="new.yaml").exit_code not in SHIPS
