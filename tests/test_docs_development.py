"""The walkthroughs of docs/development.md: applied to a copy of the source, and run."""

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest

from tests.command import environment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
WALKTHROUGHS = re.findall(r"^## (A .+)$", TEXT, re.MULTILINE)


@dataclass(frozen=True)
class Block:
    language: str
    text: str


def blocks_of(title: str) -> Iterator[Block]:
    """Yield the blocks of what comes before all walkthroughs, and of one of them."""
    introduction, *sections = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    (section,) = (section for section in sections if section.startswith(f"{title}\n"))
    fenced = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
    for _, language, text in fenced.findall(introduction + section):
        yield Block(language, dedent(text))


def change(folder: Path, text: str) -> None:
    """Apply a block of diff: its old lines must stand in the file exactly once."""
    head, *lines = text.splitlines()
    path = folder / head.removeprefix("--- ")
    old = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    new = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
    before = path.read_text(encoding="utf-8")
    assert before.count(old) == 1, f"{path.name} has not this once:\n{old}"
    path.write_text(before.replace(old, new), encoding="utf-8")


def write(folder: Path, text: str) -> None:
    head, _, content = text.partition("\n")
    path = folder / head.removeprefix("# ")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content.lstrip("\n"), encoding="utf-8")


def run(folder: Path, command: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.real  # the copy is not what coverage is measured of
@pytest.mark.parametrize("title", WALKTHROUGHS)
def test_a_walkthrough_works_as_it_is_written(title: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "gate", tmp_path / "gate", ignore=shutil.ignore_patterns("__pycache__"))
    shown = []
    for block in blocks_of(title):
        if block.language == "diff":
            change(tmp_path, block.text)
        elif block.language == "console":
            shown += re.findall(r"^\$ (.+)\n(\d+): (.+)$", block.text, re.MULTILINE)
        else:
            write(tmp_path, block.text)

    assert shown
    for command, exit_code, words in shown:
        code, output = run(tmp_path, command)
        assert (code, words in output) == (int(exit_code), True), f"{command}\n{output}"


def test_every_walkthrough_is_tried() -> None:
    assert WALKTHROUGHS == ["A rule", "A backend", "A report format", "A command"]
