"""The installed command as a fixture, and policies for it to read."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.cli.installed import POLICY, Run, command, environment


@pytest.fixture
def write_policy(tmp_path: Path) -> Callable[..., Path]:
    """Write a policy with its counts and return its path."""

    def write(bad: float = 100, total: float = 1_000_000, text: str = POLICY) -> Path:
        (tmp_path / "counts.yaml").write_text(
            f"counts:\n  availability: {{total: {total}, bad: {bad}}}\n", encoding="utf-8"
        )
        path = tmp_path / "gate.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def gate(tmp_path: Path) -> Run:
    """Run the installed command in an empty folder."""

    def run(
        *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env=environment(env),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    return run
