"""Files that a policy's backend reads in the checkout, compared with the commit that counts."""

import subprocess
from pathlib import Path

import pytest

from gate.backends.logs.settings import LogsSettings
from gate.backends.prometheus.settings import PrometheusSettings
from gate.backends.records import Records
from gate.backends.static import StaticSettings
from gate.git import GitError
from gate.hosts.git import Checkout
from gate.hosts.pinning.local_files import LocalFileCheck
from tests.hosts.repository import begin, commit, git

GOOD, BAD = '{"status": 200}\n', '{"status": 500}\n'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository whose main has logs, on a branch of a change."""
    folder = begin(tmp_path / "repository")
    commit(folder, "logs", {"logs/a.jsonl": BAD, "logs/deep/b[1].jsonl": BAD, "ca.pem": "x"})
    git(folder, "checkout", "--quiet", "-b", "change")
    return folder


def flaw(folder: Path, pattern: str = "logs/*.jsonl", *, directory: str = ".") -> str | None:
    settings = LogsSettings(
        path=pattern, directory=Path(directory), records=Records(timestamp="ts")
    )
    return check(folder).flaw(settings)


def check(folder: Path) -> LocalFileCheck:
    checkout = Checkout(folder)
    base = git(folder, "rev-parse", "refs/heads/main")
    return LocalFileCheck(checkout, folder, base, checkout.objects, None)


PATTERNS = [
    "logs/*.jsonl",
    "logs/**/*.jsonl",
    "**/*.jsonl",
    "logs/a.jsonl",
    "logs/[ab].jsonl",
    "logs",
]


@pytest.mark.variants(2)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_logs_that_a_change_leaves_alone_count(repository: Path, pattern: str) -> None:
    commit(repository, "other", {"src/a.py": ""})
    assert flaw(repository, pattern) is None


@pytest.mark.variants(1)
@pytest.mark.parametrize("pattern", PATTERNS[:-1])
def test_logs_that_a_change_alters_do_not(repository: Path, pattern: str) -> None:
    commit(repository, "alter", {"logs/a.jsonl": GOOD})
    assert flaw(repository, pattern) == "logs/a.jsonl, which the change or the job has altered"


@pytest.mark.variants(1)
@pytest.mark.parametrize("pattern", [*PATTERNS[:3], "logs/[ab].jsonl"])
def test_logs_that_a_change_deletes_are_missed(repository: Path, pattern: str) -> None:
    (repository / "logs" / "a.jsonl").unlink()
    commit(repository, "delete", {})
    found = flaw(repository, pattern)
    assert found is not None
    assert "of which the change deletes" in found


@pytest.mark.slow
def test_logs_that_a_change_brings_do_not_count_and_those_of_a_job_do(repository: Path) -> None:
    (repository / "logs" / "today.jsonl").write_text(GOOD)
    assert flaw(repository) is None
    commit(repository, "bring", {})
    assert flaw(repository) == "logs/today.jsonl, which is new in the change"


@pytest.mark.slow
def test_a_name_with_brackets_is_not_a_pattern(repository: Path) -> None:
    directory = repository / "d[1]*?"
    directory.mkdir()
    commit(repository, "brackets", {"d[1]*?/a.jsonl": GOOD})
    for pattern in ("*.jsonl", "a.jsonl"):
        found = flaw(repository, pattern, directory="d[1]*?")
        assert found == "d[1]*?/a.jsonl, which is new in the change"


def test_files_outside_of_the_checkout_count(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "a.jsonl").write_text(GOOD)
    assert flaw(repository, "logs/*.jsonl", directory=str(tmp_path)) is None
    assert flaw(repository, "../logs/*.jsonl") is None


def test_certificates_and_files_of_secrets_are_examined(repository: Path) -> None:
    settings = PrometheusSettings(url="http://x", ca=Path("ca.pem"), secret_files=(Path("t"),))
    assert check(repository).flaw(settings) is None
    commit(repository, "alter", {"ca.pem": "mine"})
    assert check(repository).flaw(settings) == "ca.pem, which the change or the job has altered"


def test_a_file_that_is_gone_is_not_the_one_that_counts(repository: Path) -> None:
    settings = StaticSettings(path=Path("ca.pem"))
    (repository / "ca.pem").unlink()
    assert check(repository).flaw(settings) is not None


class Host:
    """A code host that has main's files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def base_branch(self, pull: int) -> str:
        raise LookupError(pull)

    def default_branch(self) -> str:
        raise LookupError

    def commit(self, ref: str) -> str | None:
        raise LookupError(ref)

    def file(self, path: str, commit: str) -> bytes | None:
        try:
            return git(self.folder, "show", f"{commit}:{path}").encode() + b"\n"
        except subprocess.CalledProcessError:
            return None


def test_where_the_host_alone_has_the_commit_it_is_asked(repository: Path) -> None:
    commit(repository, "alter", {"logs/a.jsonl": GOOD})
    checkout, base = Checkout(repository), git(repository, "rev-parse", "refs/heads/main")
    asking = LocalFileCheck(checkout, repository, base, None, Host(repository))
    assert asking.flaw(StaticSettings(path=Path("logs/a.jsonl"))) is not None
    assert asking.flaw(StaticSettings(path=Path("other"))) is None
    (repository / "artefacts").mkdir()
    (repository / "artefacts" / "a.jsonl").write_text(GOOD)
    of_job = LogsSettings(path="artefacts/*", directory=Path(), records=Records(timestamp="ts"))
    assert asking.flaw(of_job) is None
    with pytest.raises(GitError, match="needs a checkout that has"):
        asking.flaw(LogsSettings(path="*.jsonl", directory=Path(), records=Records(timestamp="ts")))
    silent = LocalFileCheck(checkout, repository, base, None, None)
    with pytest.raises(LookupError, match="no token to ask"):
        silent.flaw(StaticSettings(path=Path("logs/a.jsonl")))
