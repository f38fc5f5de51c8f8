"""docs/backends.md: its policies are sound, and its counts come out as worked."""

import re
from pathlib import Path

import pytest

from gate.backends import BACKENDS
from tests.command import Run

PAGE = (Path(__file__).parent.parent / "docs" / "backends.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
*POLICIES, COUNTS = SNIPPETS
HEAD = "version: 1\nservice: chat\n"
SLOS = "slos: [{name: up, objective: 99%, window: 30d, sli: {bad: x_total, total: y_total}}]\n"
TIERS = "tiers: [{name: all, otherwise: true, allow: all}]\n"
VARIABLES = {"PROMETHEUS_URL": "http://127.0.0.1:9090", "PROMETHEUS_TOKEN": "t", "TENANT": "a"}
VARIABLES["DATABASE_PASSWORD"] = "p"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the files that the policies name."""
    (tmp_path / "counts.yaml").write_text(COUNTS, encoding="utf-8")
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).touch()
    return tmp_path


def test_every_backend_has_its_section() -> None:
    assert re.findall(r"^## ([\w-]+)$", PAGE, re.MULTILINE) == list(BACKENDS)


@pytest.mark.parametrize("snippet", POLICIES)
def test_every_policy_is_sound(folder: Path, gate: Run, snippet: str) -> None:
    text = HEAD + snippet + ("" if "slos:" in snippet else SLOS) + TIERS
    (folder / "gate.yaml").write_text(text, encoding="utf-8")
    done = gate("validate", "gate.yaml", cwd=folder, env=VARIABLES)
    assert (done.exit_code, done.stderr) == (0, "")


def test_the_counts_come_out_as_the_readme_says_of_such(folder: Path, gate: Run) -> None:
    # 1,000,000 requests at 99.9% leave a budget of 1,000 failures; 400 of them are 40%.
    (folder / "gate.yaml").write_text(HEAD + POLICIES[-1] + TIERS, encoding="utf-8")
    done = gate("status", "gate.yaml", cwd=folder)
    assert "400 of 1,000,000" in done.stdout
    assert "60.0%" in done.stdout
