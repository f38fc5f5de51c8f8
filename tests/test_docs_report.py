"""docs/report.md: its options and keys are the program's."""

import json
import re
from pathlib import Path
from typing import Any

import click

from gate.analysis.report.words import render_report
from gate.cli.main import COMMANDS
from gate.cli.report import report
from gate.cli.status import status
from gate.reporters import render_page
from gate.reporters.ansi import Style
from gate.reporters.decision_page import status_output
from tests.analysis.memory import file, slo
from tests.reporters.reports import made
from tests.reporters.test_drawing import shown

TEXT = (Path(__file__).parent.parent / "docs" / "report.md").read_text(encoding="utf-8")


def keys(document: Any) -> set[str]:
    """Return every key of a document, however deep."""
    if isinstance(document, dict):
        return {*document, *(key for value in document.values() for key in keys(value))}
    if isinstance(document, list):
        return {key for value in document for key in keys(value)}
    return set()


def test_every_option_is_reported_with_its_default() -> None:
    options = [one for one in report.params if isinstance(one, click.Option)]

    assert {f"`{one.opts[0]}" in TEXT for one in options} == {True}
    for one in options:
        if one.opts[0] in {"--last", "--format"}:
            assert f"`{one.opts[0]} {one.default}`" in TEXT


def test_its_commands_are_the_programs() -> None:
    named = re.findall(r"gate (\w+)(?: gate.yaml)?((?: --[\w-]+)*)", TEXT)
    known = {one for option in status.params for one in (*option.opts, *option.secondary_opts)}

    assert {command for command, _ in named if command in COMMANDS} >= {"report", "status"}
    assert "--no-burn-down" in known


def test_every_key_of_the_document_is_reported() -> None:
    found = made(file("chat", slo("gap")))
    document = json.loads(render_report("json", found, Style()))
    (service,) = document["services"]
    traces = [one["trace"] for one in service["slos"]]

    told = {*keys(service["changes"]), *keys(service["deploys"]), *keys(traces), "trace"}
    assert {key for key in told if f"`{key}`" not in TEXT} == set()


def test_the_head_of_the_status_is_as_shown() -> None:
    (shown_head,) = re.findall(r"^ +SLO +.*$", TEXT, re.MULTILINE)
    head = next(
        line
        for line in render_page("terminal", status_output(shown()), Style()).splitlines()
        if "SLO" in line
    )

    assert "Burn-down" in shown_head
    assert "Burn-down" in head
