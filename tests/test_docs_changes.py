"""docs/changes.md and docs/overrides.md: their snippets are sound, and their lists are whole."""

import re
import shlex
from pathlib import Path

import pytest

from gate.cli.schema import policy_schema
from gate.policy.changes import BUILT_IN_CHANGES
from gate.policy.override import MAX_DURATION
from tests.command import Run

DOCS = Path(__file__).parent.parent / "docs"
CHANGES = (DOCS / "changes.md").read_text(encoding="utf-8")
OVERRIDING = (DOCS / "overrides.md").read_text(encoding="utf-8")
REST = """\
version: 1
service: chat
backend: {type: static, path: counts.yaml}
slos: [{name: availability, objective: 99.9%, window: 30d}]
tiers:
  - {name: healthy, remaining: "> 50%", allow: all}
  - {name: rest, otherwise: true, allow: [rollback]}
"""
POLICY = policy_schema()["properties"]
SNIPPETS = re.findall(r"```yaml\n(.*?)```", CHANGES + OVERRIDING, re.DOTALL)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with counts of which 40% of the budget are left."""
    (tmp_path / "counts.yaml").write_text("counts: {availability: {total: 1000000, bad: 600}}\n")
    return tmp_path


@pytest.mark.parametrize("snippet", SNIPPETS)
def test_every_snippet_of_a_policy_is_sound(folder: Path, gate: Run, snippet: str) -> None:
    (folder / "gate.yaml").write_text(REST + snippet, encoding="utf-8")
    done = gate("validate", "gate.yaml", cwd=folder)
    assert (done.exit_code, done.stderr) == (0, "")


def test_the_change_classes_are_listed() -> None:
    text = CHANGES.split("Change classes: ", 1)[1].split(".", 1)[0]
    assert sorted(text.replace("\n", " ").split(", ")) == sorted(BUILT_IN_CHANGES)


def test_every_way_to_say_what_is_live_is_in_the_table() -> None:
    assert set(re.findall(r"^\| `\{([\w-]+): ", CHANGES, re.MULTILINE)) == set(
        POLICY["live"]["properties"]
    )


def test_every_key_of_overrides_is_explained() -> None:
    for key in POLICY["overrides"]["anyOf"][1]["properties"]:
        assert re.search(rf"`{key}[`:]|\b{key}: ", OVERRIDING), key
    assert f"({MAX_DURATION.total_seconds() / 3600:g} h, where" in OVERRIDING


def test_the_override_on_the_command_line_ships_as_shown(folder: Path, gate: Run) -> None:
    (snippet,) = re.findall(r"```bash\n(.*?)```", OVERRIDING, re.DOTALL)
    rule = next(text for text in SNIPPETS if text.startswith("overrides:"))
    (folder / "gate.yaml").write_text(REST + rule, encoding="utf-8")
    _, *arguments = shlex.split(snippet.replace("\\\n", ""))
    before_the_end = ("--at", "2026-10-23T12:00:00Z")
    plain = gate(*arguments[: arguments.index("--override")], *before_the_end, cwd=folder)
    overridden = gate(*arguments, *before_the_end, cwd=folder)
    assert (plain.exit_code, overridden.exit_code) == (10, 0)
    assert "the approval is claimed, not confirmed" in " ".join(overridden.stdout.split())
