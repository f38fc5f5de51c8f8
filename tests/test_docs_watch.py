"""docs/watch.md names what `gate watch` has: its options, its verdicts, its variables."""

import re
from pathlib import Path

from gate.analysis.watch import EXIT_CODES
from gate.cli.check import check
from gate.cli.watch import watch
from gate.cli.watching import _variables
from tests.analysis.watching import HEALTHY, watch_minutes

PAGE = (Path(__file__).parents[1] / "docs" / "watch.md").read_text(encoding="utf-8")


def test_every_option_that_it_names_is_one_of_the_command() -> None:
    options = {name for command in (watch, check) for p in command.params for name in p.opts}
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE))

    assert {"--canary", "--baseline", "--for", "--max-spend", "--trigger", "--resume"} <= named
    assert named <= options


def test_the_options_of_a_watch_are_all_named() -> None:
    shared = {"--timeout", "--max-scan", "--ci", "--environment", "--status-name", "--gate-key"}
    shared |= {"--quiet", "--color", "--help"}
    options = {name for p in watch.params for name in p.opts if name.startswith("--")}

    assert {name for name in options - shared if name not in PAGE} == set()


def test_the_table_of_exit_codes_has_every_verdict() -> None:
    codes = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}

    assert codes == {int(code) for code in EXIT_CODES.values()} | {2, 130}


def test_the_table_of_variables_has_what_a_command_for_a_rollback_finds() -> None:
    named = set(re.findall(r"GATE_WATCH_[A-Z]+", PAGE))

    assert named == _variables(watch_minutes(HEALTHY).report).keys() | {"GATE_WATCH_FILE"}


def test_the_simulated_figures_are_those_of_the_page_about_the_statistics() -> None:
    statistics = (Path(__file__).parents[1] / "docs" / "watch-statistics.md").read_text("utf-8")
    rows = re.findall(r"^\| .* \| [0-9,]+000 \| .*%.* \|$", PAGE, re.MULTILINE)

    assert len(rows) == 8
    assert [row for row in rows if row not in statistics] == []
