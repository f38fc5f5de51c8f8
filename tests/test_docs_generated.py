"""docs/commands.md and docs/troubleshooting.md: they are what the program says of itself."""

import re

import pytest

from docs.reference import commands, troubleshooting
from gate.cli.main import COMMANDS, cli
from gate.errors import ExitCode
from gate.measure import Cause
from gate.measure.remedies import REMEDIES
from tests.command import gate
from tests.test_docs_links import anchors

HELPS = dict(commands.helps(cli, "gate"))


def test_the_reference_of_commands_is_what_help_prints() -> None:
    assert commands.TARGET.read_text(encoding="utf-8") == commands.render(), "run make docs"


def test_every_command_is_in_the_reference() -> None:
    assert {f"gate {name}" for name in COMMANDS} <= HELPS.keys()


@pytest.mark.parametrize("command", ["check", "doctor"])
def test_the_reference_has_the_words_of_the_command(command: str) -> None:
    shown = gate(command, "--help").stdout
    # Of another width, so that even words are divided at other places.
    assert "".join(shown.split()) == "".join(HELPS[f"gate {command}"].split())


def test_troubleshooting_is_the_table_of_remedies() -> None:
    assert troubleshooting.TARGET.read_text(encoding="utf-8") == troubleshooting.render(), (
        "run make docs"
    )


def test_every_remedy_has_an_entry_with_its_anchor() -> None:
    assert set(REMEDIES) <= anchors(troubleshooting.TARGET)
    assert {cause.value for cause in Cause} <= set(REMEDIES)


def test_troubleshooting_has_every_exit_code_but_that_of_success() -> None:
    text = troubleshooting.TARGET.read_text(encoding="utf-8")
    listed = re.findall(r"^\| (\d+) \|", text, re.MULTILINE)
    assert listed == [str(int(code)) for code in ExitCode if code]
