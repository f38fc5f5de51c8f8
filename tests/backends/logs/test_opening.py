"""Opening the backend: DuckDB is an extra, and only a version that notices cut files will do."""

import subprocess
import sys
import tomllib
from datetime import timedelta
from importlib import metadata
from pathlib import Path

import pytest

from gate.backends import open_backend
from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Records
from gate.errors import UsageError
from gate.measure import Limits

SETTINGS = LogsSettings(path="*.jsonl", directory=Path("logs"), records=Records(timestamp="ts"))
LIMITS = Limits(timeout=timedelta(seconds=1))


def test_without_duckdb_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def version(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("gate.backends.logs.version", version)

    with pytest.raises(UsageError) as error:
        open_backend(SETTINGS, LIMITS)
    assert str(error.value) == (
        "reading request logs needs DuckDB; where gate is installed: pip install 'duckdb>=2'"
    )


@pytest.mark.parametrize("version", ["0.10.3", "1.1.3", "1.4.4", "1.5.0"])
def test_a_duckdb_that_does_not_notice_cut_files_is_refused(
    monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr("gate.backends.logs.version", lambda _: version)

    with pytest.raises(UsageError, match="reads a gzip file that is cut off without saying so"):
        open_backend(SETTINGS, LIMITS)


def test_the_extra_asks_for_no_older_one() -> None:
    pyproject = Path(__file__).parents[3] / "pyproject.toml"

    extras = tomllib.loads(pyproject.read_text())["project"]["optional-dependencies"]

    assert extras["logs"] == ["duckdb>=2"]


def test_opening_looks_for_no_file() -> None:
    assert open_backend(SETTINGS, LIMITS) is not None


def test_duckdb_is_not_imported_before_a_policy_asks_for_it() -> None:
    code = "import sys, gate.backends.logs, gate.check.run; print('duckdb' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
