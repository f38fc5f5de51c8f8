"""Questions to git, on real repositories."""

from pathlib import Path

import pytest

from gate.hosts.git import Checkout, GitError
from tests.hosts.repository import begin, commit, git

POLICY = "version: 1\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository with a policy on main, and a branch ``change`` that parted from it."""
    folder = begin(tmp_path / "origin")
    commit(folder, "add the gate", {"gate.yaml": POLICY, "models/a.bin": "1", "src/x.py": ""})
    git(folder, "checkout", "--quiet", "-b", "change")
    return folder


def test_of_a_branch_that_is_here_twice_the_servers_counts(
    repository: Path, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--branch=main", str(repository), str(clone))
    git(repository, "checkout", "--quiet", "main")
    newer = commit(repository, "newer", {"gate.yaml": "newer\n"})
    git(clone, "fetch", "--quiet")
    checkout = Checkout(clone)
    assert checkout.commit("main") == checkout.commit("origin/main") == newer
    assert checkout.commit("refs/heads/main") == checkout.commit("HEAD") != newer


def test_a_commit_is_named_from_the_head_too(repository: Path) -> None:
    before = git(repository, "rev-parse", "HEAD")
    commit(repository, "more", {"a": ""})
    checkout = Checkout(repository)
    assert checkout.commit("HEAD~1") == checkout.commit("HEAD^") == before
    with pytest.raises(GitError, match="the commit 'HEAD~9' is not in this checkout"):
        checkout.commit("HEAD~9")


def test_a_name_of_a_branch_and_of_a_tag_is_neither(repository: Path) -> None:
    first = git(repository, "rev-parse", "main~1")
    git(repository, "tag", "--annotate", "--message=x", "v1", "main")
    git(repository, "tag", "main", first)
    checkout = Checkout(repository)
    assert checkout.commit("v1") == git(repository, "rev-parse", "refs/heads/main")
    with pytest.raises(GitError, match="'main' means several commits"):
        checkout.commit("main")


def test_a_shallow_checkout_says_so(repository: Path, tmp_path: Path) -> None:
    base = git(repository, "rev-parse", "main")
    commit(repository, "more", {"prompts/a.md": ""})
    clone = tmp_path / "clone"
    url = repository.as_uri()
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=change", url, str(clone))
    checkout = Checkout(clone)
    with pytest.raises(GitError, match=f"the commit '{base}' is not in this checkout"):
        checkout.commit(base)


@pytest.mark.parametrize("ref", ["--upload-pack=touch /tmp/x", "+main", "main:gate.yaml", "@{u}"])
def test_a_ref_is_never_an_option_or_an_expression(repository: Path, ref: str) -> None:
    with pytest.raises(GitError, match="is not in this checkout"):
        Checkout(repository).commit(ref)


def test_outside_a_checkout_git_says_why_it_cannot_tell(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="is not in a git repository"):
        Checkout(tmp_path).head()
    with pytest.raises(GitError, match="is not in a git repository"):
        Checkout(tmp_path).prefix()


def test_a_folder_below_knows_its_name_and_the_head(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository)
    checkout = Checkout(tmp_path / "link" / "models")
    assert checkout.prefix() == "models/"
    assert Checkout(repository).prefix() == ""
    assert checkout.head() == git(repository, "rev-parse", "HEAD")


def test_a_machine_without_git_says_so(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git cannot be run"):
        Checkout(repository).head()


def test_a_failure_without_words_is_reported_by_its_command(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "git"
    silent.write_text("#!/bin/sh\nexit 3\n")
    silent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(GitError, match="git rev-parse failed"):
        Checkout(repository).head()
