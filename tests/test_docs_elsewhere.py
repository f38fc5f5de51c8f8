"""The recipes for other CI systems: they parse, and use options and codes that there are."""

import re
import shlex
from pathlib import Path

import click
import pytest
import yaml

from gate import __version__
from gate.cli.check import check
from gate.cli.main import COMMANDS
from gate.errors import ExitCode
from gate.reporters import REPORTERS

TEXT = (Path(__file__).parent.parent / "docs" / "elsewhere.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"\bgate (check|verify)\b([^\n`'&;]*)")


@pytest.mark.parametrize("snippet", re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL))
def test_every_yaml_snippet_parses(snippet: str) -> None:
    assert isinstance(yaml.safe_load(snippet), dict)


def test_every_command_is_one_that_there_is() -> None:
    options = {name for one in check.params if isinstance(one, click.Option) for name in one.opts}
    found = COMMAND.findall(TEXT.replace("gate, check, ", "gate check ").replace(", ", " "))
    assert len(found) >= 7
    for command, rest in found:
        assert command in COMMANDS
        words = shlex.split(rest.rstrip("]"))
        assert {word for word in words if word.startswith("--")} <= options
        outputs = [words[n + 1] for n, word in enumerate(words) if word == "--write"]
        assert {output.partition("=")[0] for output in outputs} <= set(REPORTERS)


def test_the_exit_codes_are_those_of_the_command() -> None:
    table = TEXT.split("| Exit code |", 1)[1].split("\n\n", 1)[0]
    told = {
        int(code)
        for cell in re.findall(r"^\| ([0-9, ]+) \|", table, re.MULTILINE)
        for code in cell.split(",")
    }
    assert told == {int(code) for code in ExitCode} - {ExitCode.INTERRUPTED, ExitCode.FINDINGS}


def test_the_version_is_this_one() -> None:
    assert set(re.findall(r"error-budget-gate(?:==|:)([0-9.]+)", TEXT)) == {__version__}
