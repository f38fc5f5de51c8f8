"""docs/backtest.md: its options and keys are the program's."""

import json
from pathlib import Path

import click

from gate.analysis.backtest.verdicts import CANDIDATES
from gate.analysis.backtest.words import output
from gate.cli.backtest import backtest
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.reporters.backtests import STORY, report
from tests.test_docs_report import keys

TEXT = (Path(__file__).parent.parent / "docs" / "backtest.md").read_text(encoding="utf-8")


def test_every_option_is_reported() -> None:
    options = [one for one in backtest.params if isinstance(one, click.Option)]

    assert {one.opts[0] for one in options if f"`{one.opts[0]}" not in TEXT} == set()
    for one in options:
        if one.opts[0] in {"--last", "--threshold", "--min-share", "--step"}:
            assert f"`{one.opts[0]} {one.default}`" in TEXT


def test_every_key_of_the_document_is_reported() -> None:
    document = json.loads(render_page("json", output(report(STORY, STORY)), Style()))
    of_every_document = {"schema_version", "evaluated_at", "tool_version", "exit_code"}
    verdicts = {"allow", "warn", "undecided", "block"}
    # Where a policy comes from is told of decisions.
    source = {"path", "sha256", "modified"}

    told = keys(document) - of_every_document - verdicts - source
    assert {key for key in told if f"`{key}`" not in TEXT} == set()


def test_the_thresholds_are_the_programs() -> None:
    named = [f"{float(threshold * 100):g}%" for threshold in CANDIDATES]

    assert f"For each of {', '.join(named[:-1])} and {named[-1]}, the table shows" in TEXT
