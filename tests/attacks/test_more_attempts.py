"""Attempts of somebody who has only the documentation: names, variables, messages and files."""

import subprocess
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.attacks.hosted import LABELS, as_opened, ask, reviewed
from tests.attacks.world import SHIPS, World, keeps_its_secrets
from tests.command import Result
from tests.hosts.repository import git
from tests.servers.github import github
from tests.servers.github_answers import written

RISKY = ("--change", "full-rollout")
SOURCE = {"src/a.py": "a = 2\n"}
NO_GITHUB: dict[str, str | None] = dict.fromkeys(
    (
        *("GITHUB_ACTIONS", "GITHUB_BASE_REF", "GITHUB_HEAD_REF", "GITHUB_REF", "GITHUB_SHA"),
        *("GITHUB_EVENT_NAME", "GITHUB_WORKSPACE"),
    )
)


def stopped(result: Result) -> bool:
    """Tell whether a run ended with an answer that ships nothing, and showed no secret."""
    traced = "Traceback" in result.stdout + result.stderr
    return result.exit_code in {2, 3, 10} and not traced and keeps_its_secrets(result)


GITLAB: dict[str, str | None] = {
    "GITLAB_CI": "true",
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_DEFAULT_BRANCH": "main",
    "CI_PROJECT_PATH": "acme/chat",
    "CI_COMMIT_REF_NAME": "change",
    "CI_MERGE_REQUEST_PROJECT_PATH": "acme/chat",
}
BRANCH: dict[str, str | None] = {
    **GITLAB,
    **dict.fromkeys(name for name in GITLAB if name.startswith("CI_MERGE")),
    "CI_PIPELINE_SOURCE": "push",
}
ELSEWHERE: dict[str, str | None] = {
    **GITLAB,
    "CI_MERGE_REQUEST_PROJECT_PATH": "mallory/chat",
}
BUILDKITE: dict[str, str | None] = {
    "BUILDKITE": "true",
    "BUILDKITE_BRANCH": "main",
    "BUILDKITE_COMMIT": "HEAD",
    "BUILDKITE_PULL_REQUEST": "false",
    "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main",
}
CIRCLECI: dict[str, str | None] = {"CIRCLECI": "true", "CIRCLE_BRANCH": "change"}
VARIABLES: dict[str, Mapping[str, str | None]] = {
    "gitlab, number unset": {**GITLAB, "CI_MERGE_REQUEST_IID": None},
    "gitlab, number a word": {**GITLAB, "CI_MERGE_REQUEST_IID": "abc"},
    "gitlab, number 0": {**GITLAB, "CI_MERGE_REQUEST_IID": "0"},
    "gitlab, number endless": {**GITLAB, "CI_MERGE_REQUEST_IID": "9" * 5_000},
    "gitlab, target empty": {**GITLAB, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": ""},
    "gitlab, target an option": {**GITLAB, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "--x"},
    "gitlab, base an option": {**GITLAB, "CI_MERGE_REQUEST_DIFF_BASE_SHA": "--output=pwned"},
    "gitlab, target's commit a branch": {**GITLAB, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": "change"},
    "gitlab, only the event": {**BRANCH, "CI_PIPELINE_SOURCE": "merge_request_event"},
    "gitlab, parent pipeline": {**GITLAB, "CI_PIPELINE_SOURCE": "parent_pipeline"},
    "gitlab, default branch odd": {**BRANCH, "CI_DEFAULT_BRANCH": "--x"},
    "gitlab, both empty": {**BRANCH, "CI_DEFAULT_BRANCH": "", "CI_COMMIT_BRANCH": ""},
    "gitlab, tag called main": {**BRANCH, "CI_COMMIT_TAG": "main", "CI_COMMIT_REF_NAME": "main"},
    "gitlab, from outside": {**BRANCH, "CI_PIPELINE_SOURCE": "external_pull_request_event"},
    "gitlab, project a program": {**ELSEWHERE, "CI_MERGE_REQUEST_PROJECT_URL": "ext::touch pwned"},
    "gitlab, project an option": {
        **ELSEWHERE,
        "CI_MERGE_REQUEST_PROJECT_URL": "--upload-pack=touch pwned",
    },
    "two systems": {**GITLAB, "GITHUB_ACTIONS": "true", "GITHUB_REF": "refs/heads/change"},
    "buildkite, by hand": {**BUILDKITE, "BUILDKITE_SOURCE": "ui"},
    "buildkite, by its API": {**BUILDKITE, "BUILDKITE_SOURCE": "api"},
    "buildkite, by another build": {**BUILDKITE, "BUILDKITE_SOURCE": "trigger_job"},
    "buildkite, tag": {**BUILDKITE, "BUILDKITE_SOURCE": "webhook", "BUILDKITE_TAG": "main"},
    "buildkite, fork": {**BUILDKITE, "BUILDKITE_BRANCH": "mallory:main"},
    "buildkite, no address": {**BUILDKITE, "BUILDKITE_REPO": "https://[::1"},
    "jenkins, no address": {"JENKINS_URL": "x", "GIT_URL": "https://[x"},
    "jenkins, one branch": {"JENKINS_URL": "x", "GIT_BRANCH": "origin/change"},
    "jenkins, tag": {
        "JENKINS_URL": "x",
        "BRANCH_NAME": "main",
        "BRANCH_IS_PRIMARY": "true",
        "TAG_NAME": "main",
    },
    "circleci, tag": {**CIRCLECI, "CIRCLE_BRANCH": None, "CIRCLE_TAG": "main"},
    "circleci, called main": {**CIRCLECI, "CIRCLE_BRANCH": "main"},
    "circleci, number endless": {**CIRCLECI, "CIRCLE_PULL_REQUEST": f"x/{'9' * 5_000}"},
    "github, attempt endless": {"GITHUB_ACTIONS": "true", "GITHUB_RUN_ATTEMPT": "9" * 5_000},
}


@pytest.mark.variants(9)
@pytest.mark.parametrize("name", VARIABLES)
def test_no_variables_of_a_job_let_a_change_judge_itself(loosened: World, name: str) -> None:
    head = loosened.revision()
    more: dict[str, Any] = {**NO_GITHUB, **VARIABLES[name]}
    if more.get("BUILDKITE_COMMIT"):
        more["BUILDKITE_COMMIT"] = head
    result = loosened.run(*RISKY, **more)
    assert stopped(result), result.stdout + result.stderr
    assert not (loosened.checkout / "pwned").exists()


PLACES = [
    *("GATE.yaml", "gate.yaml ", "a/../gate.yaml", "./gate.yaml", ".git/../gate.yaml"),
    *("gate.yaml/", "gate.yaml/.", "/proc/self/cwd/gate.yaml", "-", "/dev/stdin", ".", "*.yaml"),
    *("gate.yaml\n", "", " gate.yaml", "~/gate.yaml", "file:gate.yaml", ":gate.yaml"),
]


@pytest.mark.parametrize("place", PLACES)
def test_no_spelling_of_the_path_leads_to_the_changes_own_policy(
    loosened: World, place: str
) -> None:
    assert stopped(loosened.run(*RISKY, policy=place))


REFS = [
    *(
        "HEAD",
        "@",
        "none ",
        "None",
        "NONE",
        "-",
        "main^{}",
        "main@{0}",
        "origin/main",
        "heads/main",
    ),
    *("FETCH_HEAD", "ORIG_HEAD", "refs/heads/none", "0" * 40, "a" * 64, "refs/pull/1/merge", ""),
    *(":/feat", "main:gate.yaml", "refs/remotes/origin/main"),
]


@pytest.mark.parametrize("ref", REFS)
def test_no_odd_ref_leads_to_the_changes_own_policy(loosened: World, ref: str) -> None:
    assert stopped(loosened.run(*RISKY, "--policy-ref", ref))


def octopus(world: World) -> None:
    for number in (1, 2):
        git(world.work, "checkout", "--quiet", "-b", f"side-{number}", "main")
        world.commit("fix: x", {f"config/{number}": "1"})
    git(world.work, "checkout", "--quiet", "change")
    world.commit("fix: x", {"config/3": "1"})
    git(world.work, "merge", "--quiet", "-s", "octopus", "--no-commit", "side-1", "side-2")
    world.commit("Merge", {"src/b.py": "1"})


def octopus_below(world: World) -> None:
    octopus(world)
    world.commit("fix: y", SOURCE)


def written_by_hand(*words: bytes, encoding: bytes = b"") -> Callable[[World], None]:
    """Return a feature below a commit whose message no editor writes."""

    def make(world: World) -> None:
        below, tree = world.commit("feat: x", SOURCE), world.revision("HEAD^{tree}")
        person = b"A <a@example.com> 1700000000 +0000\n"
        lines = f"tree {tree}\nparent {below}\n".encode() + b"author " + person
        header = lines + b"committer " + person + (b"encoding %s\n" % encoding if encoding else b"")
        command = ["git", "hash-object", "-t", "commit", "-w", "--stdin", "--literally"]
        given = header + b"\n" + b"\0".join(words)
        made = subprocess.run(
            command, cwd=world.work, input=given, capture_output=True, check=True
        ).stdout.decode()
        git(world.work, "reset", "--quiet", "--hard", made.strip())

    return make


def linked(world: World) -> None:
    (world.work / "models").symlink_to("config/models")
    world.commit("fix: x", {"config/models/a.bin": "2"})


def as_submodule(world: World) -> None:
    git(world.work, "update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},models/a")
    git(world.work, "commit", "--quiet", "--message=fix: x")


def executable(world: World) -> None:
    (world.work / "src/a.py").chmod(0o755)
    world.commit("chmod", {"config/x": "1"})


def commits(*pairs: tuple[str, Mapping[str, str]]) -> Callable[[World], None]:
    def make(world: World) -> None:
        for message, files in pairs:
            world.commit(message, files)

    return make


CHANGES: dict[str, Callable[[World], None]] = {
    "case of a folder": commits(("Update", {"Models/a": "1"})),
    "revert in words only": commits(("feat: x", SOURCE), ('Revert "feat: x"', {"config/x": "1"})),
    "type of a revert": commits(("revert: feat: x", SOURCE)),
    "ligature": commits(("\ufb01x: x", SOURCE)),
    "wide colon": commits(("fix\uff1a x", SOURCE)),
    "line in a scope": commits(("fix(\n): x", SOURCE)),
    "two scopes": commits(("fix(a)(b)!: x", SOURCE)),
    "trailer in prose": commits(("feat: x\n\nChange-Class: canary\n\nbye", SOURCE)),
    "trailer with another hyphen": commits(("feat: x\n\nChange\u2011Class: canary", SOURCE)),
    "trailer beside a feature": commits(
        ("x\n\nChange-Class: canary", {"config/y": ""}), ("y", SOURCE)
    ),
    "breaking in another case": commits(("fix: x\r\n\r\nbreaking-change: all", SOURCE)),
    "names with lines": commits(("fix: x", {"config/\nx": "1", "models/\n/a": "2"})),
    "no diff by attributes": commits(("fix: x", {".gitattributes": "* -diff", "models/a": "1"})),
    "octopus": octopus,
    "octopus below a fix": octopus_below,
    "nul": written_by_hand(b"fix: x", b"", b"", b""),
    "nul by its encoding": written_by_hand(b"fix: x+AAAAAAAAAAAAAA-", encoding=b"UTF-7"),
    "two bytes a letter": written_by_hand("fix: x\0\0".encode("utf-16-be"), encoding=b"UTF-16BE"),
    "no such encoding": written_by_hand(b"fix: x", encoding=b"X-NONE"),
    "models lead to settings": linked,
    "submodule": as_submodule,
    "mode only": executable,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_no_way_to_write_a_change_makes_it_another_class(world: World, name: str) -> None:
    world.branch()
    CHANGES[name](world)
    world.open()
    world.check_out()
    assert stopped(world.run())


CO_AUTHORS = [
    *("Co-authored-by: X <1+grace@users.noreply.github.com>", "Co-Authored-By: grace"),
    *("co-authored-by:X <GRACE@users.noreply.github.com>", "CO-AUTHORED-BY: grace <x@y>"),
    *("Co-authored-by: G\n <grace@users.noreply.github.com>", "Co-authored-by: @grace"),
    "Co-authored-by : X <1+grace@users.noreply.github.com>",
    "Co-authored-by: A <a@b>, grace <grace@users.noreply.github.com>",
    "Co-authored-by: X <grace@users.noreply.github.com>\n\nand more prose",
]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A pull request that may ship as a security patch only."""
    world = World(tmp_path_factory.mktemp("opened"))
    world.change()
    world.open(labels=LABELS)
    world.check_out()
    return world


@pytest.mark.parametrize("line", [None, *CO_AUTHORS])
def test_anybody_who_is_a_co_author_approves_nothing(opened: World, line: str | None) -> None:
    with github() as fake:
        head = as_opened(opened, fake)
        fake.reviews = [reviewed("grace", head)]
        fake.written = [written(head, message=f"feat: x\n\n{line or 'Reviewed-by: grace'}")]
        result = ask(opened, fake)
    assert (result.exit_code in SHIPS) is (line is None), result.stdout
    assert keeps_its_secrets(result)


WITH: dict[str, Callable[[World], Any]] = {
    "by its absolute path": lambda world: world.checkout / "counts.yaml",
    "from above": lambda _: "../checkout/counts.yaml",
    "by a link outside": lambda world: world.folder / "outside.yaml",
    "by the process": lambda _: "/proc/self/cwd/counts.yaml",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH)
def test_counts_of_the_change_do_not_count_however_the_policy_names_them(
    world: World, name: str
) -> None:
    (world.folder / "outside.yaml").symlink_to(world.checkout / "counts.yaml")
    policy = world.policy.replace(str(world.counts), str(WITH[name](world)))
    counts = world.counts.read_text()
    world.commit("counts", {"gate.yaml": policy, "counts.yaml": counts})
    world.push("main")
    world.branch()
    world.change(files={"counts.yaml": counts.replace("820", "0")})
    world.open()
    world.check_out()
    assert stopped(world.run(*RISKY))
