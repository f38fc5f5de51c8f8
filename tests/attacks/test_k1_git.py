"""Kind 1: git asked in a place, by a name or with settings that the change chooses."""

import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from io import StringIO

import pytest

from gate.github_action.action import ActionRun
from gate.github_action.inputs import variable
from gate.github_action.step import Step
from gate.hosts.systems import detect
from tests.attacks.world import SHIPS, World, keeps_its_secrets
from tests.command import Result
from tests.hosts.repository import commit, git
from tests.servers.github import PULL, TOKEN, FakeGitHub, github

RISKY = ("--change", "model-update")
SAFE = ("--change", "bug-fix")


def move_policy(world: World, folder: str) -> None:
    """Have main keep its policy in a folder."""
    world.push(f"{world.commit('move', {f'{folder}/gate.yaml': world.policy})}:refs/heads/main")


def blocked(result: Result) -> None:
    assert result.exit_code not in SHIPS, result.stdout
    assert keeps_its_secrets(result)


Attempt = Callable[[World], None]


def _link(world: World, name: str, target: str, files: dict[str, str]) -> None:
    path = world.work / name
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    world.commit("link", files)


def folder_is_a_link(world: World) -> None:
    _link(world, "deploy", "evil", {"evil/gate.yaml": world.loose})


def folder_is_a_link_to_the_top(world: World) -> None:
    _link(world, "deploy", ".", {"gate.yaml": world.loose})


def folder_is_a_link_by_a_chain(world: World) -> None:
    _link(world, "second", "evil", {"evil/gate.yaml": world.loose})
    _link(world, "deploy", "second", {})


def folder_is_a_link_out_of_the_repository(world: World) -> None:
    outside = world.folder / "outside"
    outside.mkdir()
    (outside / "gate.yaml").write_text(world.loose)
    _link(world, "deploy", str(outside), {})


def file_is_a_link(world: World) -> None:
    _link(world, "deploy/gate.yaml", "../evil.yaml", {"evil.yaml": world.loose})


def file_is_a_link_into_the_repository_itself(world: World) -> None:
    _link(world, "deploy/gate.yaml", "../.git/config", {})


def file_is_a_folder(world: World) -> None:
    shutil.rmtree(world.work / "deploy")
    world.commit("folder", {"deploy/gate.yaml/gate.yaml": world.loose})


def folder_is_a_file(world: World) -> None:
    shutil.rmtree(world.work / "deploy")
    world.commit("file", {"deploy": world.loose})


def folder_is_a_submodule(world: World) -> None:
    module = world.folder / "module"
    module.mkdir()
    git(module, "init", "--quiet")
    commit(module, "loose", {"gate.yaml": world.loose})
    shutil.rmtree(world.work / "deploy")
    git(world.work, "rm", "-rq", "--cached", "deploy")
    git(
        world.work,
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "--quiet",
        "add",
        str(module),
        "deploy",
    )
    world.commit("submodule")


def folder_is_a_bare_repository(world: World) -> None:
    bare = world.work / "deploy"
    shutil.rmtree(bare)
    git(world.folder, "init", "--quiet", "--bare", str(bare))
    (bare / "config").write_text(
        "[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = touch pwned\n"
    )
    for folder in (bare / "refs" / "heads", bare / "objects" / "info"):
        (folder / "keep").write_text("")
    world.commit("bare", {"deploy/gate.yaml": world.loose})


def policy_is_loosened(world: World) -> None:
    world.commit("loosen", {"deploy/gate.yaml": world.loose})


def policy_is_deleted(world: World) -> None:
    (world.work / "deploy" / "gate.yaml").unlink()
    world.commit("delete")


def policy_is_written_in_capitals(world: World) -> None:
    (world.work / "deploy" / "gate.yaml").rename(world.work / "deploy" / "GATE.yaml")
    world.commit("capitals", {"deploy/GATE.yaml": world.loose})


def attributes_make_the_policy_another(world: World) -> None:
    world.commit(
        "attributes",
        {
            ".gitattributes": "*.yaml filter=evil diff=evil merge=evil export-subst ident text\n",
            "deploy/gate.yaml": world.loose,
        },
    )


LINKS = [
    folder_is_a_link,
    folder_is_a_link_to_the_top,
    folder_is_a_link_by_a_chain,
    folder_is_a_link_out_of_the_repository,
    file_is_a_link,
    file_is_a_link_into_the_repository_itself,
    file_is_a_folder,
    folder_is_a_file,
    folder_is_a_submodule,
    folder_is_a_bare_repository,
    policy_is_loosened,
    policy_is_deleted,
    policy_is_written_in_capitals,
    attributes_make_the_policy_another,
]


@pytest.mark.parametrize("attempt", LINKS)
def test_whatever_a_change_makes_of_the_folder_the_policy_is_that_of_the_base(
    world: World, attempt: Attempt
) -> None:
    move_policy(world, "deploy")
    world.branch()
    attempt(world)
    world.open()
    world.check_out(depth=1)
    result = world.run(*RISKY, policy="deploy/gate.yaml")
    # By a link to the top the run itself may have got there: nobody can tell.
    is_told = attempt is not folder_is_a_link_to_the_top
    assert result.exit_code == (10 if is_told else 3), result.stderr
    assert keeps_its_secrets(result)
    assert not list(world.folder.rglob("pwned"))
    safe = world.run(*SAFE, policy="deploy/gate.yaml")
    assert safe.exit_code == (0 if is_told else 3), safe.stderr


@pytest.mark.parametrize("attempt", [folder_is_a_link, folder_is_a_link_to_the_top])
def test_a_working_folder_that_a_link_of_the_change_led_to_is_undecided(
    world: World, attempt: Attempt
) -> None:
    move_policy(world, "deploy")
    world.branch()
    attempt(world)
    world.open()
    world.check_out()
    # As a runner does it: the process is told a folder, and the system forgets the link.
    result = world.run(*RISKY, cwd="deploy", PWD=None)
    assert result.exit_code == 3, result.stdout
    assert "deploy is a link that main has not" in result.stderr


def test_a_folder_that_a_shell_entered_by_a_link_is_known_by_its_name(world: World) -> None:
    move_policy(world, "deploy")
    world.branch()
    folder_is_a_link(world)
    world.open()
    checkout = world.check_out()
    result = world.run(*RISKY, cwd="deploy", PWD=str(checkout / "deploy"))
    assert result.exit_code == 10, result.stderr


def test_a_checkout_within_the_checkout_is_not_mistaken_for_it(world: World) -> None:
    move_policy(world, "deploy")
    world.change()
    world.open()
    checkout = world.check_out()
    inner = checkout / "deploy"
    git(inner, "init", "--quiet")
    commit(inner, "loose", {"gate.yaml": world.loose})
    git(inner, "branch", "--move", "main")
    for result in (
        world.run(*RISKY, policy="deploy/gate.yaml"),
        world.run(*RISKY, cwd="deploy"),
        world.run(*RISKY, cwd="deploy", policy="../deploy/gate.yaml"),
    ):
        assert result.exit_code == 10, result.stderr


def test_a_central_repository_beside_is_undecided_and_the_owner_can_say_how_to_read_it(
    world: World,
) -> None:
    world.change()
    world.open()
    checkout = world.check_out()
    central = checkout / "policies"
    central.mkdir()
    git(central, "init", "--quiet")
    commit(central, "central", {"gate.yaml": world.policy})
    result = world.run(*RISKY, policy="policies/gate.yaml")
    assert result.exit_code == 3
    assert "ref to 'none'" in result.stderr
    owned = world.run(*RISKY, "--policy-ref", "none", policy="policies/gate.yaml")
    assert owned.exit_code == 10


@pytest.mark.parametrize("shallow", [0, 1])
def test_the_first_remote_of_the_alphabet_is_not_asked(world: World, shallow: int) -> None:
    world.change()
    world.open()
    checkout = world.check_out(depth=shallow)
    fork = world.folder / "fork.git"
    git(world.folder, "init", "--quiet", "--bare", str(fork))
    git(world.work, "checkout", "--quiet", "-B", "loose", "main")
    world.commit("loose", {"gate.yaml": world.loose})
    git(world.work, "push", "--quiet", str(fork), "HEAD:refs/heads/main")
    git(checkout, "remote", "add", "contributor", fork.as_uri())
    git(checkout, "fetch", "--quiet", "contributor")
    blocked(world.run(*RISKY))
    blocked(world.run(*RISKY, "--policy-ref", "main"))


def stale_remote_branch(world: World) -> None:
    git(world.checkout, "update-ref", "refs/remotes/origin/main", _loose(world))


def stale_local_branch(world: World) -> None:
    git(world.checkout, "update-ref", "refs/heads/main", _loose(world))


def local_tag_of_the_name(world: World) -> None:
    git(world.checkout, "update-ref", "refs/tags/main", _loose(world))


def ref_named_like_the_branch(world: World) -> None:
    git(world.checkout, "update-ref", "refs/main", _loose(world))
    (world.checkout / ".git" / "main").write_text(_loose(world) + "\n")


def replaced_commit(world: World) -> None:
    git(world.checkout, "replace", world.on_host("main"), _loose(world))


def replaced_tree(world: World) -> None:
    then, now = (
        git(world.checkout, "rev-parse", f"{name}^{{tree}}")
        for name in (world.on_host("main"), _loose(world))
    )
    git(world.checkout, "replace", then, now)


def replaced_blob(world: World) -> None:
    then, now = (
        git(world.checkout, "rev-parse", f"{name}:gate.yaml")
        for name in (world.on_host("main"), _loose(world))
    )
    git(world.checkout, "replace", then, now)


def grafted(world: World) -> None:
    info = world.checkout / ".git" / "info"
    info.mkdir(exist_ok=True)
    (info / "grafts").write_text(f"{world.on_host('main')} {_loose(world)}\n")


def address_rewritten(world: World) -> None:
    fork = world.folder / "fork.git"
    git(world.folder, "init", "--quiet", "--bare", str(fork))
    loose = _loose(world)
    git(world.work, "push", "--quiet", str(fork), f"{loose}:refs/heads/main")
    git(world.checkout, "config", f"url.{fork.as_uri()}.insteadOf", world.host.as_uri())


def fetch_head(world: World) -> None:
    (world.checkout / ".git" / "FETCH_HEAD").write_text(f"{_loose(world)}\t\tbranch 'main' of x\n")


def _loose(world: World) -> str:
    """Return a commit with a loose policy, which the checkout has."""
    git(world.work, "checkout", "--quiet", "-B", "loose", "main")
    loose = world.commit("loose", {"gate.yaml": world.loose})
    git(world.checkout, "fetch", "--quiet", "--depth=1", str(world.work), "main", "loose")
    return loose


@pytest.mark.parametrize(
    "attempt",
    [
        stale_remote_branch,
        stale_local_branch,
        local_tag_of_the_name,
        ref_named_like_the_branch,
        replaced_commit,
        replaced_tree,
        replaced_blob,
        grafted,
        address_rewritten,
        fetch_head,
    ],
)
@pytest.mark.parametrize("ref", ["auto", "refs/heads/main"])
def test_what_a_kept_workspace_has_does_not_count(world: World, attempt: Attempt, ref: str) -> None:
    world.change()
    world.open()
    world.check_out(depth=1)
    attempt(world)
    assert world.run(*RISKY, "--policy-ref", ref).exit_code == 10


@pytest.mark.parametrize("attempt", [stale_local_branch, local_tag_of_the_name])
def test_a_name_that_means_several_commits_is_refused_and_they_are_listed(
    world: World, attempt: Attempt
) -> None:
    world.change()
    world.open()
    world.check_out(depth=1)
    attempt(world)
    result = world.run(*RISKY, "--policy-ref", "main")
    assert result.exit_code == 3
    assert "'main' means several commits: refs/heads/main of the server is" in result.stderr


@pytest.mark.parametrize(
    "name", ["refs/heads/main", "origin/main", "heads/main", "remotes/origin/main", "main/x"]
)
def test_a_branch_of_the_change_is_not_mistaken_for_the_base_whatever_it_is_called(
    world: World, name: str
) -> None:
    world.branch("loose")
    world.commit("loose", {"gate.yaml": world.loose})
    if name != "main/x":
        world.push(f"{world.revision()}:refs/heads/{name}", f"{world.revision()}:refs/tags/{name}")
    world.branch("change")
    world.change()
    world.open()
    world.check_out()
    assert world.run(*RISKY).exit_code == 10
    assert world.run(*RISKY, "--policy-ref", "main").exit_code == 10


def test_a_branch_called_like_a_commit_is_not_mistaken_for_it(world: World) -> None:
    base = world.on_host("main")
    world.branch("loose")
    world.commit("loose", {"gate.yaml": world.loose})
    git(world.host, "fetch", "--quiet", str(world.work), "loose")
    git(world.host, "update-ref", f"refs/heads/{base}", world.revision())
    git(world.host, "update-ref", f"refs/tags/{base}", world.revision())
    world.branch("change")
    world.change()
    world.open()
    world.check_out()
    assert world.run(*RISKY, "--policy-ref", base).exit_code == 10
    assert world.run(*RISKY).exit_code == 10


@pytest.mark.parametrize(
    "ref",
    [
        *("HEAD", "@", "FETCH_HEAD", "ORIG_HEAD", "main^{/loose}", "main:gate.yaml", "@{u}"),
        *("main@{1}", "-x", "--upload-pack=touch pwned", "+main", "main..HEAD", "^main", ":/loose"),
        *("main~0", "refs/heads/*", "ma*n", ".main", "main.lock", "a b", "a\nb", "../x", "/etc"),
    ],
)
def test_an_expression_of_git_is_not_a_ref(loosened: World, ref: str) -> None:
    result = loosened.run(*RISKY, f"--policy-ref={ref}")
    assert result.exit_code in {2, 3}
    assert not list(loosened.folder.rglob("pwned"))


COMMAND = "touch {pwned}; false"
RUNS = {
    "core.fsmonitor": COMMAND,
    "core.sshCommand": COMMAND,
    "core.gitProxy": COMMAND,
    "core.alternateRefsCommand": COMMAND,
    "core.askPass": "{script}",
    "core.pager": COMMAND,
    "core.editor": COMMAND,
    "core.hooksPath": "{hooks}",
    "pager.log": COMMAND,
    "pager.cat-file": COMMAND,
    "diff.external": "{script}",
    "diff.evil.textconv": "{script}",
    "diff.evil.command": "{script}",
    "filter.evil.smudge": COMMAND,
    "filter.evil.clean": COMMAND,
    "filter.evil.process": COMMAND,
    "credential.helper": "!" + COMMAND,
    "remote.origin.uploadpack": "{script}",
    "remote.origin.vcs": "evil",
    "remote.origin.promisor": "true",
    "uploadpack.packObjectsHook": "{script}",
    "trailer.x.command": COMMAND,
    "trailer.x.cmd": COMMAND,
    "gpg.program": "{script}",
    "log.showSignature": "true",
    "protocol.ext.allow": "always",
    "alias.cat-file": "!" + COMMAND,
    "alias.ls-remote": "!" + COMMAND,
    "core.worktree": "/",
    "core.attributesFile": "/dev/zero",
    "include.path": "{include}",
    "maintenance.auto": "true",
    "submodule.recurse": "true",
    "fetch.recurseSubmodules": "true",
}


@pytest.fixture
def planted(world: World) -> Iterator[dict[str, str]]:
    """Yield what the settings name, each of which writes a file when it is run."""
    pwned = world.folder / "pwned"
    script = world.folder / "script"
    script.write_text(f"#!/bin/sh\ntouch {pwned}\nexit 1\n")
    hooks = world.folder / "hooks"
    hooks.mkdir()
    include = world.folder / "include"
    include.write_text(f"[core]\n\tfsmonitor = touch {pwned}\n\tsshCommand = touch {pwned}\n")
    names = ("reference-transaction", "post-index-change", "pre-auto-gc", "fsmonitor-watchman")
    for path in (script, *(hooks / name for name in names)):
        path.write_text(script.read_text())
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    yield {"pwned": str(pwned), "script": str(script), "hooks": str(hooks), "include": str(include)}
    assert not pwned.exists()


def test_no_setting_of_the_checkout_is_run_and_none_changes_the_answer(
    world: World, planted: dict[str, str]
) -> None:
    world.change(files={".gitattributes": "* filter=evil diff=evil\n", "gate.yaml": world.loose})
    world.open()
    checkout = world.check_out(depth=1)
    for key, value in RUNS.items():
        git(checkout, "config", key, value.format(**planted))
    shutil.copytree(planted["hooks"], checkout / ".git" / "hooks", dirs_exist_ok=True)
    assert world.run(*RISKY).exit_code == 10
    assert world.run(*SAFE).exit_code == 0
    # By an address of each kind, too, which no server answers.
    for url in ("ssh://127.0.0.1:9/acme/chat", "git://127.0.0.1/acme/chat", "ext::sh -c date"):
        git(checkout, "config", "remote.origin.url", url)
        blocked(world.run(*RISKY, GITHUB_SERVER_URL="http://127.0.0.1:9"))


@pytest.mark.parametrize(
    "variable",
    [
        *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE"),
        *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_NAMESPACE", "GIT_CEILING_DIRECTORIES"),
        *("GIT_CONFIG", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_PARAMETERS"),
        *("GIT_EXEC_PATH", "GIT_TEMPLATE_DIR", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"),
        *("GIT_SSH", "GIT_SSH_COMMAND", "GIT_PROXY_COMMAND", "GIT_ASKPASS", "GIT_PAGER"),
        *("GIT_EXTERNAL_DIFF", "GIT_TRACE", "GIT_TRACE2_EVENT", "GIT_REPLACE_REF_BASE"),
        *("GIT_PREFIX", "GIT_QUARANTINE_PATH", "GIT_DEFAULT_HASH", "GIT_REF_PARANOIA"),
    ],
)
def test_no_variable_of_git_counts(loosened: World, variable: str) -> None:
    result = loosened.run(*RISKY, **{variable: str(loosened.work / ".git")})
    assert result.exit_code == 10, result.stderr


def test_a_program_called_git_in_the_checkout_is_not_run(world: World) -> None:
    world.change()
    pwned = world.folder / "pwned"
    (world.work / "git").write_text(f"#!/bin/sh\ntouch {pwned}\n")
    (world.work / "git").chmod(0o755)
    world.commit("git")
    world.open()
    world.check_out()
    for path in (f":{os.environ['PATH']}", f".:{os.environ['PATH']}"):
        assert world.run(*RISKY, PATH=path).exit_code == 10
    assert not pwned.exists()


@pytest.fixture
def host(world: World) -> Iterator[FakeGitHub]:
    """Run a GitHub that has main's policy."""
    with github() as fake:
        base = world.on_host("main")
        fake.contents = {base: {"gate.yaml": world.policy.encode()}}
        fake.refs = {"heads/main": ("commit", base)}
        yield fake


def test_a_forks_own_remote_is_not_asked_and_the_api_of_the_runs_repository_is(
    world: World, host: FakeGitHub
) -> None:
    world.branch("loose")
    world.change(files={"gate.yaml": world.loose})
    world.open(fork=True)
    world.check_out(f"refs/pull/{PULL}/head")
    fork = world.folder / "fork.git"
    git(world.folder, "init", "--quiet", "--bare", str(fork))
    git(world.work, "push", "--quiet", str(fork), "HEAD:refs/heads/main")
    more = {"GITHUB_EVENT_NAME": "pull_request_target"}
    for url in (
        fork.as_uri(),
        "https://github.invalid/mallory/chat",
        "git@github.invalid:mallory/chat",
    ):
        git(world.checkout, "remote", "set-url", "origin", url)
        seen = world.run(*RISKY, GITHUB_TOKEN=TOKEN, GITHUB_API_URL=host.url, **more)
        assert seen.exit_code == 10, seen.stderr
        blocked(world.run(*RISKY, GITHUB_RUN_ATTEMPT="2", **more))


def test_the_api_is_not_requested_a_path_of_another_repository(
    world: World, host: FakeGitHub
) -> None:
    world.change()
    world.open()
    world.check_out()
    central = world.folder / "central"
    central.mkdir()
    git(central, "init", "--quiet")
    commit(central, "strict", {"gate.yaml": world.loose})
    git(central, "remote", "add", "origin", "https://github.invalid/acme/policies")
    more = {"GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": host.url}
    result = world.run(*RISKY, cwd=str(central), GITHUB_WORKSPACE=str(central), **more)
    assert result.exit_code == 3
    assert "repos/get-content" not in host.seen
    assert "acme/policies, another repository than acme/chat" in result.stderr


def test_the_words_of_an_address_are_not_shown(world: World) -> None:
    world.change()
    world.open()
    world.check_out(depth=1)
    secret = "https://x:tok+en/with=odd&characters@127.0.0.1:9/acme/chat"
    git(world.checkout, "config", "remote.origin.url", secret)
    result = world.run(*RISKY, GITHUB_SERVER_URL="https://127.0.0.1")
    blocked(result)
    assert "odd&characters" not in json.dumps([result.stdout, result.stderr])


def test_the_action_reads_the_policy_of_the_folder_that_it_was_given(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"production/gate.yaml": world.policy, "staging/gate.yaml": world.loose}
    world.commit("folders", files)
    world.push("main")
    world.branch()
    _link(world, "production", "staging", {})
    world.open()
    checkout = world.check_out(depth=1)
    monkeypatch.chdir(checkout)
    inputs = {"directory": "production", "change": "model-update", "summary": "false"}
    environ = {
        **{name: text for name, text in os.environ.items() if not name.startswith("COVERAGE")},
        **{name: text for name, text in world.environment().items() if text is not None},
        **{variable(name): text for name, text in inputs.items()},
        "GITHUB_OUTPUT": str(world.folder / "outputs"),
    }
    log = StringIO()
    run = ActionRun(environ, Step(environ, log), world.folder, detect(environ, "github"))
    assert run.run() == 10, log.getvalue()
