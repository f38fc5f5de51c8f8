"""Which commit counts, where it is asked, and what is read of it: what must stay quiet, too."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from gate.decision.decision import Context
from gate.errors import UndecidedError
from gate.git import GitError
from gate.git.objects import NoPathError
from gate.git.remote import address_of, remote_of
from gate.git.repository import find_repository, git_dir_of
from gate.hosts import RestError
from gate.hosts.git import Checkout
from gate.hosts.host_files import GitLabFiles
from gate.hosts.pinning.commits import CommitFinder
from gate.hosts.pinning.places import parts_inside
from gate.hosts.pinning.policies import PolicyReader
from gate.hosts.pinning.sources import Sources
from gate.hosts.rest import Rest
from gate.parsing.trees import CommitTree
from tests.config.texts import policy
from tests.hosts.repository import begin, commit, git

POLICY = policy()
PULL = Context(system="github", event="pull_request", repository="acme/chat", base_branch="main")


@pytest.fixture
def server(tmp_path: Path) -> Path:
    """Return a repository with a policy on main."""
    folder = begin(tmp_path / "server")
    commit(folder, "policy", {"gate.yaml": POLICY, "deploy/gate.yaml": POLICY})
    return folder


def clone(server: Path, *options: str) -> Path:
    folder = server.parent / "clone"
    git(server.parent, "clone", "--quiet", *options, server.as_uri(), str(folder))
    return folder


def read(folder: Path, path: str = "gate.yaml", **context: Any) -> str | None:
    """Read a policy in a folder, and return of which commit it is."""
    found = Context(**{**_fields(PULL), "workspace": str(folder), **context})
    reader = PolicyReader(found, {"PWD": str(folder)}, None)
    return reader(str(folder / path)).source.revision


def _fields(context: Context) -> dict[str, Any]:
    return {
        name: getattr(context, name) for name in ("system", "event", "repository", "base_branch")
    }


@pytest.mark.variants(4)
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--depth=1",),
        ("--filter=blob:none",),
        ("--filter=tree:0", "--no-checkout"),
        ("--sparse",),
    ],
)
@pytest.mark.parametrize("form", ["sha1", "sha256"])
def test_every_kind_of_checkout_is_judged_quietly(
    tmp_path: Path, options: tuple[str, ...], form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    server = tmp_path / "server"
    server.mkdir()
    git(server, "init", "--quiet", "--initial-branch=main", f"--object-format={form}")
    head = commit(server, "policy", {"gate.yaml": POLICY})
    git(server, "config", "uploadpack.allowFilter", "true")
    git(server, "config", "uploadpack.allowAnySHA1InWant", "true")
    folder = clone(server, *options)
    assert read(folder) == head
    newer = commit(server, "newer", {"gate.yaml": POLICY, "b": ""})
    assert read(folder) == newer
    assert capfd.readouterr().err == ""
    assert git(folder, "rev-parse", "refs/remotes/origin/main") == head  # nothing was fetched there


def test_a_worktree_and_a_submodule_are_judged_as_any_checkout(
    server: Path, tmp_path: Path
) -> None:
    folder = clone(server)
    git(folder, "worktree", "add", "--quiet", str(tmp_path / "tree"), "HEAD")
    assert read(tmp_path / "tree") == git(server, "rev-parse", "HEAD")
    module = begin(tmp_path / "module")
    commit(module, "x", {"x": ""})
    allowed = ("-c", "protocol.file.allow=always")
    git(server, *allowed, "submodule", "--quiet", "add", str(module), "module")
    head = commit(server, "module", {})
    shutil.rmtree(folder)
    outer = clone(server)
    git(outer, *allowed, "submodule", "--quiet", "update", "--init")
    assert read(outer, "module/../gate.yaml") == head
    found = find_repository(outer / "module", outer)
    assert found is not None
    assert found.top == outer
    inner = find_repository(outer / "module")
    assert inner is not None
    assert inner.top == outer / "module"
    with pytest.raises(UndecidedError, match="a separate repository"):
        read(outer, "module/x")


def test_a_folder_that_is_a_link_in_the_base_as_well_is_followed_there(server: Path) -> None:
    (server / "production").symlink_to("deploy")
    head = commit(server, "link", {})
    folder = clone(server)
    assert read(folder, "production/gate.yaml") == head
    assert read(folder, "./deploy/../production/./gate.yaml") == head


def test_links_of_the_base_that_lead_astray_are_undecided(server: Path) -> None:
    for name, target in (("out", "/etc"), ("up", "../../x"), ("round", "round")):
        (server / name).symlink_to(target)
    commit(server, "links", {})
    folder = clone(server)
    for name, words in (
        ("out", "out of the repository"),
        ("up", "out of"),
        ("round", "form a loop"),
    ):
        with pytest.raises(UndecidedError, match=words):
            read(folder, f"{name}/gate.yaml")
    assert parts_inside(folder / "a" / ".." / "b", folder) == ("a", "..", "b")
    (server.parent / "again").symlink_to("again")
    with pytest.raises(GitError, match="form a loop"):
        parts_inside(server.parent / "again" / "x", folder)


def test_a_path_into_a_checkout_may_lead_through_links_outside(
    server: Path, tmp_path: Path
) -> None:
    folder = clone(server)
    (tmp_path / "link").symlink_to("clone")
    (tmp_path / "absolute").symlink_to(folder)
    for name in ("link", "absolute"):
        assert parts_inside(tmp_path / name / "gate.yaml", folder) == ("gate.yaml",)
    assert parts_inside(tmp_path / "clone" / ".." / "clone" / "x", folder) == ("x",)
    assert parts_inside(tmp_path / "other", folder) is None
    assert parts_inside(tmp_path / "gone", tmp_path / "no-such") is None


@dataclass
class Host:
    """A code host that says what it is told to; an error where that is nothing."""

    branches: Mapping[int, str] = field(default_factory=dict)
    default: str | None = None

    def base_branch(self, pull: int) -> str:
        return self.branches[pull]

    def default_branch(self) -> str:
        if self.default is None:
            raise LookupError("the host does not say")
        return self.default

    def commit(self, ref: str) -> str | None:
        raise LookupError(f"the host has no {ref}")

    def file(self, path: str, commit: str) -> bytes | None:
        raise LookupError(f"the host has no {path} of {commit}")


def finder(folder: Path | None, host: Host | None = None, **context: Any) -> CommitFinder:
    found = Context(**{"system": "github", "repository": "acme/chat", **context})
    checkout = None if folder is None else Checkout(folder)
    return CommitFinder(Sources(found, {}, checkout, host))


def test_pull_requests_that_go_into_several_branches_are_undecided(server: Path) -> None:
    folder = clone(server)
    context: dict[str, Any] = {"event": "workflow_run", "pull_requests": (7, 8)}
    found = Context(**{"system": "github", "repository": "acme/chat", **context})
    host = Host({7: "main", 8: "release"})
    with pytest.raises(UndecidedError, match="several branches: main, release"):
        PolicyReader(found, {}, host)(str(folder / "gate.yaml"))
    same = Host({7: "main", 8: "main"})
    policies = PolicyReader(found, {}, same)
    assert policies(str(folder / "gate.yaml")).source.revision == git(server, "rev-parse", "HEAD")


def test_the_default_branch_is_asked_of_the_host_where_the_server_names_none(server: Path) -> None:
    folder = clone(server)
    git(server, "checkout", "--quiet", "--detach")
    pushed: dict[str, Any] = {"system": "github", "event": "push", "repository": "acme/chat"}
    reader = PolicyReader(Context(**pushed), {}, Host(default="main"))
    assert reader(str(folder / "gate.yaml")).source.revision == git(server, "rev-parse", "main")
    with pytest.raises(UndecidedError, match="does not name it; the host does not say"):
        PolicyReader(Context(**pushed), {}, Host())(str(folder / "gate.yaml"))


def test_a_host_that_cannot_tell_is_named_beside_the_server(server: Path) -> None:
    folder = clone(server)
    git(folder, "remote", "set-url", "origin", (server.parent / "gone").as_uri())
    reader = PolicyReader(PULL, {}, Host())
    with pytest.raises(UndecidedError, match="the host has no refs/heads/main"):
        reader(str(folder / "gate.yaml"))
    with pytest.raises(UndecidedError, match="the host has no refs/heads/main"):
        finder(folder, Host()).named("main")
    # Without a remote, and not of the run's commit, the host is not asked.
    git(folder, "remote", "remove", "origin")
    assert finder(folder, Host()).sources.host is None
    assert finder(None, host := Host()).sources.host is host
    for ask in (lambda: finder(None).sources.settings, lambda: finder(None).sources.objects):
        with pytest.raises(GitError, match="not in a git checkout"):
            ask()


def test_by_hand_a_name_is_one_of_the_checkout_where_there_is_no_server(server: Path) -> None:
    head = git(server, "rev-parse", "HEAD")
    git(server, "update-ref", "refs/remotes/origin/x", head)
    git(server, "update-ref", "refs/tags/tree", f"{head}^{{tree}}")
    by_hand = finder(server, system="shell", repository=None)
    assert by_hand.named("main").commit == by_hand.named("refs/remotes/origin/x").commit == head
    with pytest.raises(UndecidedError, match="no branch or tag 'tree'"):
        by_hand.named("tree")


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://github.com/acme/chat.git", "github.com", "acme/chat"),
        ("git@GitHub.com:acme/chat.git", "github.com", "acme/chat"),
        ("ssh://git@ssh.github.com:443/acme/chat", "ssh.github.com", "acme/chat"),
        ("file:///srv/chat.git", None, "srv/chat"),
        ("/srv/chat", None, "srv/chat"),
        ("http://[", None, "http://["),
    ],
)
def test_an_address_names_server_and_repository(url: str, host: str | None, path: str) -> None:
    assert address_of(url) == (host, path)
    remote = remote_of({"remote.origin.url": url})
    assert (remote.host, remote.path) == (host, path)
    assert url not in repr(remote)


@pytest.mark.parametrize(
    ("command", "kept"),
    [
        (
            '"/usr/bin/ssh" -i "/tmp/key" -o CheckHostIP=no -o "UserKnownHostsFile=/t/k"',
            True,
        ),
        ("ssh -o ProxyCommand=x", False),
        ("ssh -i /tmp/$(touch x)", False),
        ("sh -c x", False),
        ("ssh -i", False),
        ("ssh 'x", False),
        ("", False),
    ],
)
def test_of_the_settings_only_logins_count(command: str, kept: bool) -> None:
    key = "http.https://github.com/.extraheader"
    settings = {"core.sshcommand": command, key: "AUTHORIZATION: basic x", "credential.helper": "x"}
    remote = remote_of({"remote.origin.url": "ssh://x/y", **settings})
    assert remote.login == ((key, "AUTHORIZATION: basic x"),)
    assert bool(remote.ssh) is kept


def test_a_job_of_gitlab_logs_in_with_its_own_token(server: Path) -> None:
    context = Context(system="gitlab", repository="acme/chat")
    folder = clone(server)
    environ = {"CI_JOB_TOKEN": "glcbt-1", "CI_SERVER_URL": "https://gitlab.example"}
    remote = Sources(context, environ, Checkout(folder), None).remote
    assert ("http.https://gitlab.example/.extraheader") in dict(remote.login)
    git(folder, "remote", "set-url", "origin", "https://gitlab-ci-token:x@gitlab.example/acme/chat")
    assert Sources(context, environ, Checkout(folder), None).remote.login == ()


def test_a_file_that_names_no_repository_is_none(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("nothing")
    assert git_dir_of(tmp_path) is None
    assert find_repository(tmp_path, tmp_path / "no-such") is None


def test_what_is_fetched_too_slowly_or_is_not_a_file_is_an_error(
    server: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tree = CommitTree(Checkout(server).objects, git(server, "rev-parse", "HEAD"), ())
    with pytest.raises(FileNotFoundError):
        tree.read("deploy")
    assert tree.find("gone/*.yaml") == []
    monkeypatch.setattr("gate.parsing.trees._MOST", 1)
    with pytest.raises(GitError, match="more than 1 files to look through"):
        tree.find("**")
    slow = tmp_path / "git"
    slow.write_text("#!/bin/sh\nsleep 30 & sleep 30\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr("gate.git.SECONDS", 0.2)
    with pytest.raises(GitError, match="timed out"):
        Checkout(server).head()


@dataclass
class Answers:
    """GitLab's answers by path; others are missing."""

    texts: Mapping[str, Any]

    @contextmanager
    def understood(self, _purpose: object) -> Iterator[None]:
        yield

    def ask(self, _purpose: object, _method: str, path: str, *, query: object = None) -> Any:
        del query
        if path not in self.texts:
            raise RestError("missing", 404)
        return self.texts[path]


def test_gitlab_tells_branches_tags_and_files() -> None:
    project = "projects/42"
    answers = {
        f"{project}/merge_requests/7": {"target_branch": "main"},
        project: {"default_branch": "trunk"},
        f"{project}/repository/branches/release%2F1": {"commit": {"id": "a"}},
        f"{project}/repository/tags/v1": {"commit": {"id": "b"}},
        f"{project}/repository/commits/a": {},
        f"{project}/repository/files/deploy%2Fgate.yaml": {"content": "eA=="},
    }
    files = GitLabFiles(cast("Rest", Answers(answers)), project)
    assert (files.base_branch(7), files.default_branch()) == ("main", "trunk")
    assert files.commit("refs/heads/release/1") == "a"
    assert files.commit("refs/tags/v1") == "b"
    assert files.commit("refs/heads/gone") is None
    assert files.file("deploy/gate.yaml", "a") == b"x"
    assert files.file("gone", "a") is None
    with pytest.raises(RestError, match="neither a branch nor a tag"):
        files.commit("refs/pull/7/head")
    with pytest.raises(RestError, match="missing"):
        files.file("gate.yaml", "b")


def test_a_link_is_followed_as_its_commit_has_it(server: Path) -> None:
    objects, head = Checkout(server).objects, git(server, "rev-parse", "HEAD")
    assert objects.look_up(head, ("deploy", "gate.yaml")) is not None
    assert objects.look_up(head, ("gate.yaml", "x")) is None
    with pytest.raises(NoPathError):
        objects.look_up(head, ("..",))


def test_a_checkout_without_a_commit_has_no_change(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    git(folder, "init", "--quiet")
    context = Context(system="github", revision="a" * 40)
    assert not Sources(context, {}, Checkout(folder), None).is_the_change


def test_a_folder_that_a_commit_lacks_has_no_files(server: Path) -> None:
    checkout = Checkout(server)
    assert list(CommitTree(checkout.objects, checkout.head(), ("missing",)).names()) == []


@pytest.mark.parametrize(
    ("branch", "attempt", "counts"),
    [("main", 1, True), ("master", 1, True), ("change", 1, False), ("main", 2, False)],
)
def test_where_nobody_can_tell_the_default_branch_one_of_its_usual_names_counts(
    server: Path, branch: str, attempt: int, counts: bool
) -> None:
    folder = clone(server)
    git(folder, "remote", "set-url", "origin", (server.parent / "no-such").as_uri())
    head = git(folder, "rev-parse", "HEAD")
    context = Context(system="github", event="push", attempt=attempt, workspace=str(folder))
    environ = {"PWD": str(folder), "GITHUB_REF": f"refs/heads/{branch}", "GITHUB_SHA": head}
    reader = PolicyReader(context, environ, None)
    if counts:
        assert reader(str(folder / "gate.yaml")).source.revision == head
    else:
        with pytest.raises(UndecidedError, match="the default branch is not known"):
            reader(str(folder / "gate.yaml"))
