"""Which commit a policy's text is from, asked of real repositories."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from gate.config.load import PolicyFile, Proposal, load, load_pinned
from gate.errors import PolicyError
from gate.git import run
from gate.parsing.files import Folder
from tests.config.texts import policy
from tests.hosts.repository import begin, commit, git

TEXT = policy()
SLOTH = """\
version: prometheus/v1
service: chat
slos:
  - name: NAME
    objective: 99
    sli:
      events:
        error_query: sum(rate(errors[{{.window}}]))
        total_query: sum(rate(requests[{{.window}}]))
    alerting: {}
"""
OTHER = TEXT.replace("healthy", "fine")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = begin(tmp_path / "repository")
    commit(folder, "policy", {"gates/a[1].yaml": TEXT, "gates/a1.yaml": TEXT})
    return folder


def read(path: Path) -> PolicyFile:
    return load(str(path), {})


def test_a_committed_policy_names_the_commit_that_is_checked_out(repository: Path) -> None:
    later = commit(repository, "other", {"b": ""})
    source = read(repository / "gates" / "a[1].yaml").source
    assert (source.revision, source.modified) == (later, False)
    assert source.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()


def test_each_folder_is_asked_of_git_once_however_many_files_there_are(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slos = {f"gates/slos/{name}.yaml": SLOTH.replace("NAME", name) for name in "abc"}
    text = TEXT.replace("slos:\n", 'slos:\n  - {from: "slos/*.yaml"}\n')
    commit(repository, "slos", {"gates/gate.yaml": text, **slos})
    asked: list[tuple[str, ...]] = []

    def ask(folder: Path, *arguments: str, **named: Any) -> bytes:
        asked.append(arguments)
        return run(folder, *arguments, **named)

    monkeypatch.setattr("gate.git.objects.run", ask)
    file = read(repository / "gates" / "gate.yaml")

    assert len(file.policy.slos) == 4
    assert not file.source.modified
    # The size and the content of the top, of gates and of gates/slos.
    assert [arguments[0] for arguments in asked] == ["cat-file"] * 6


def test_an_edited_policy_says_that_it_is_modified(repository: Path) -> None:
    (repository / "gates" / "a[1].yaml").write_text(OTHER)
    edited = read(repository / "gates" / "a[1].yaml").source
    assert (edited.revision, edited.modified) == (git(repository, "rev-parse", "HEAD"), True)
    assert not read(repository / "gates" / "a1.yaml").source.modified


@pytest.mark.parametrize("ignore", ["", "*.yaml\n"])
def test_a_policy_that_was_never_committed_has_no_commit(repository: Path, ignore: str) -> None:
    (repository / ".gitignore").write_text(ignore)
    (repository / "new.yaml").write_text(TEXT)
    source = read(repository / "new.yaml").source
    assert (source.revision, source.modified) == (None, False)


def test_a_repository_without_a_commit_and_no_repository_have_none(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "gate.yaml").write_text(TEXT)
    assert read(tmp_path / "gate.yaml").source.revision is None
    (tmp_path / ".git").rename(tmp_path / "no-git")
    assert read(tmp_path / "gate.yaml").source.revision is None


def test_a_machine_without_git_reads_policies_all_the_same(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert read(repository / "gates" / "a1.yaml").source.revision is None


def pinned(raw: bytes | None, *, base: str = TEXT) -> PolicyFile:
    empty = Folder(Path("no such folder"))
    proposal = Proposal(raw=raw, tree=empty)
    return load_pinned("gate.yaml", {}, base.encode(), empty, "abc", proposal)


def test_a_pinned_policy_carries_what_the_change_would_have_it_say() -> None:
    same = pinned(TEXT.encode())
    assert (same.source.revision, same.proposed) == ("abc", None)
    altered = pinned(OTHER.encode())
    assert altered.policy.tiers[0].name == "healthy"
    assert altered.proposed is not None
    assert altered.proposed.sha256 == hashlib.sha256(OTHER.encode()).hexdigest()
    assert altered.proposed.policy is not None
    assert altered.proposed.policy.tiers[0].name == "fine"


def test_without_a_proposal_nothing_is_altered() -> None:
    tree = Folder(Path("no such folder"))
    read = load_pinned("gate.yaml", {}, TEXT.encode(), tree, "abc", None)
    assert read.proposed is None


@pytest.mark.parametrize("text", ["version: 2\n", None])
def test_what_is_not_a_policy_any_more_is_altered_and_proposes_nothing(text: str | None) -> None:
    altered = pinned(text if text is None else text.encode()).proposed
    assert altered is not None
    assert altered.sha256 == hashlib.sha256((text or "").encode()).hexdigest()
    assert altered.policy is None
    with pytest.raises(PolicyError):
        pinned(None, base="version: 2\n")
