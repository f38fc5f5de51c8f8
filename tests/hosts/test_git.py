"""What is asked of git, on real repositories."""

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


def test_a_file_is_shown_as_another_commit_has_it(repository: Path) -> None:
    commit(repository, "loosen", {"gate.yaml": "version: 1 # all\n"})
    checkout = Checkout(repository)
    assert checkout.show("main", "gate.yaml") == POLICY.encode()
    assert checkout.show("change", "gate.yaml") == b"version: 1 # all\n"
    assert checkout.show("main", "policies/none.yaml") is None


def test_the_remote_copy_of_a_branch_goes_before_a_stale_local_one(
    repository: Path, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", "--branch=main", str(repository), str(clone))
    git(repository, "checkout", "--quiet", "main")
    commit(repository, "newer", {"gate.yaml": "newer\n"})
    git(clone, "fetch", "--quiet")
    assert Checkout(clone).show("main", "gate.yaml") == b"newer\n"


def test_a_shallow_checkout_says_so_and_can_fetch(repository: Path, tmp_path: Path) -> None:
    base = git(repository, "rev-parse", "main")
    commit(repository, "more", {"prompts/a.md": ""})
    clone = tmp_path / "clone"
    url = repository.as_uri()
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=change", url, str(clone))
    checkout = Checkout(clone)
    with pytest.raises(GitError, match=f"the commit '{base}' is not in this checkout"):
        checkout.commit(base)
    with pytest.raises(GitError, match="the commit 'main' is not in this checkout"):
        checkout.show("main", "gate.yaml")
    fetched = checkout.fetch("main")
    assert fetched == base
    assert checkout.show(fetched, "gate.yaml") == POLICY.encode()


@pytest.mark.parametrize("ref", ["--upload-pack=touch /tmp/x", "+main", "main:refs/heads/main"])
def test_a_ref_is_never_an_option_or_a_refspec(repository: Path, ref: str) -> None:
    with pytest.raises(GitError, match="no name of a commit or branch"):
        Checkout(repository).fetch(ref)
    with pytest.raises(GitError, match="is not in this checkout"):
        Checkout(repository).show(ref, "gate.yaml")


def test_outside_a_checkout_git_says_why_it_cannot_tell(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not a git repository"):
        Checkout(tmp_path).head()
    with pytest.raises(GitError, match="not a git repository"):
        Checkout(tmp_path).prefix()


def test_a_folder_below_knows_its_name_and_the_head(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(repository)
    checkout = Checkout(tmp_path / "link" / "models")
    assert checkout.prefix() == "models/"
    assert Checkout(repository).prefix() == ""
    assert checkout.head() == git(repository, "rev-parse", "HEAD")


def test_a_machine_without_git_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git cannot be run"):
        Checkout(tmp_path).head()


def test_a_failure_without_words_is_told_by_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = tmp_path / "git"
    silent.write_text("#!/bin/sh\nexit 3\n")
    silent.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(GitError, match="git rev-parse failed"):
        Checkout(tmp_path).head()
