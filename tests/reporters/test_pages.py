"""One page model: every format writes the page of every command."""

import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache

import pytest

from gate.analysis.anomalies.words import output as anomalies_output
from gate.analysis.cohorts.words import output as cohorts_output
from gate.analysis.doctor.words import output as doctor_output
from gate.analysis.forecast.words import output as forecast_output
from gate.analysis.incidents.words import output as incidents_output
from gate.analysis.report.words import FORMATS, render_report
from gate.analysis.review.words import output as review_output
from gate.reporters import PAGES, REPORTERS, render, render_page
from gate.reporters.ansi import Style
from gate.reporters.decision_page import status_output
from gate.reporters.page import Output
from tests.reporters import anomalies, cohorts, forecasts, incidents, reviews
from tests.reporters.builders import EVERY_KIND, allow_policy, status, undecided_policy
from tests.reporters.reports import whole
from tests.reporters.test_checkup import DOUBT, FAULT, FINE, checkup

WIDE = Style(width=110)
OUTPUTS: Mapping[str, Callable[[], Output]] = {
    "status": lambda: status_output(status(allow_policy(), undecided_policy())),
    "doctor": lambda: doctor_output(checkup(FAULT, DOUBT, FINE)),
    "incidents": lambda: incidents_output(incidents.report(incidents.service())),
    "forecast": lambda: forecast_output(forecasts.told({"a": [1, 0]})),
    "review": lambda: review_output(reviews.told({"a": [1, 0]})),
    "anomalies": lambda: anomalies_output(
        anomalies.report(anomalies.service(anomalies.charted(anomalies.chart())))
    ),
    "cohorts": lambda: cohorts_output(
        cohorts.report(cohorts.service(cohorts.slo(cohorts.group("a"))))
    ),
}
COMMANDS = ("check", "report", *OUTPUTS)


everything = cache(whole)


def written(command: str, name: str, style: Style) -> str:
    """Return what a command writes in a format."""
    if command == "check":
        return render(name, EVERY_KIND["several"], style)
    if command == "report":
        return render_report(name, everything(), style)
    return render_page(name, OUTPUTS[command](), style)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the line that a new format needs in `PAGES`, from which the others are made."""
    for registry in (PAGES, REPORTERS, FORMATS):
        monkeypatch.setitem(registry, "toy", "tests.reporters.toy_format")


@pytest.mark.variants(3)
@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_new_format_is_one_module_that_writes_the_page_of_every_command(command: str) -> None:
    *lines, last = written(command, "toy", WIDE).splitlines()

    assert last == "110 columns"
    assert any(line.startswith("- ") for line in lines), "no labelled sentence"
    assert any("chat" in line or "mail" in line for line in lines), "no service"


@pytest.mark.usefixtures("toy")
def test_a_new_format_is_given_every_policy_and_every_budget_of_a_decision() -> None:
    decision = EVERY_KIND["several"]
    lines = render("toy", decision, WIDE).splitlines()

    for decided in decision.policies:
        assert any(decided.policy.service in line for line in lines)
        for assessment in filter(lambda each: each.measured, decided.assessments):
            assert f"  {assessment.slo.name}" in lines


def test_every_command_offers_a_new_format() -> None:
    program = f"""
from importlib import import_module
import gate.reporters
for registry in (gate.reporters.PAGES, gate.reporters.REPORTERS):
    registry["toy"] = "tests.reporters.toy_format"
for name in {COMMANDS}:
    command = getattr(import_module(f"gate.cli.{{name}}"), name)
    (choice,) = [option.type for option in command.params if option.name == "format_"]
    print(name, "toy" in choice.choices)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines() == [f"{command} True" for command in COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("width", [40, 100])
def test_a_terminal_without_unicode_gets_ascii_and_ends_its_lines(command: str, width: int) -> None:
    text = written(command, "terminal", Style(width=width, unicode=False))

    assert text.isascii()
    assert text.endswith("\n")
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_the_doctor_in_markdown_lists_what_is_wrong_below_what_was_seen() -> None:
    text = written("doctor", "markdown", Style())

    assert text.startswith(
        "## ⛔ 1 FAULT, 1 DOUBT: chat\n\n- ⛔ **availability:** total: 2 series\n"
    )
    assert "\n  - ⛔ **labels:** bad: no series has code=" in text
    assert "\n    - **Do:** correct the value\n" in text
    assert "\n  - ⚠️ **gaps:** a gap\n" in text
    assert "| Checked | Whether | Result |" in text
    assert "- **Known:** it is new" in text


def test_the_report_for_a_terminal_has_the_title_the_time_and_the_charts() -> None:
    lines = written("report", "terminal", Style(width=120)).splitlines()

    assert lines[0].startswith("Error budgets of chat, evil")
    assert lines[2].startswith("  2026-10-02 00:00 UTC to 2026-11-01 00:00 UTC, in steps of 15m")
    assert any(line.startswith("  left       ██████") for line in lines)
    assert any(line.startswith("  incidents   ") for line in lines)
    ascii_lines = written("report", "terminal", Style(width=120, unicode=False)).splitlines()
    assert any(line.startswith("  left       99999") for line in ascii_lines)
    assert any(line.startswith("  burn rate  ...") for line in ascii_lines)
