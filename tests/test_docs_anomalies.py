"""docs/anomalies.md: its policies are read as they stand there, and its words are the program's."""

import json
import re
from pathlib import Path
from statistics import fmean

import click
import pytest

from benchmarks.anomalies import PROCESSES, alarming_weeks, summary
from benchmarks.slices import FEWEST as SLICES_CHARTED
from benchmarks.slices import KINDS
from benchmarks.slices import alarming_weeks as alarming_slices
from benchmarks.slices import summary as slices_summary
from gate.analysis.anomalies.words import output
from gate.cli.anomalies import anomalies
from gate.config.past_schema import CONTROL_CHARTS
from gate.history.charts import FEWEST_EVENTS
from gate.history.charts.build import BURNING, EXPECTED, FEWEST
from gate.history.charts.signals import (
    CAP,
    DEFAULT,
    FALSE_ALARMS,
    FALSE_ALARMS_OF_SLICES,
    RULES,
    WEIGHT,
    WIDTH,
)
from gate.parsing.objects import Object
from gate.policy.changes import REPAIRS
from gate.policy.rule_settings import ControlChartRule
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.amounts import repeats
from tests.config.texts import policy, sound
from tests.reporters.anomalies import WORSE, chart, charted, report, service

TEXT = (Path(__file__).parent.parent / "docs" / "anomalies.md").read_text(encoding="utf-8")
WORDS = " ".join(TEXT.split())


def test_both_forms_of_the_rule_are_read_and_mean_the_same() -> None:
    short, whole = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)

    for text in (short, whole):
        assert sound(policy(more=text)).control_charts == ControlChartRule()


def test_every_key_of_the_rule_is_reported_and_the_repairs_are_named() -> None:
    block = CONTROL_CHARTS.longer

    assert isinstance(block, Object)
    table = TEXT.split("| Key | says |", 1)[1].split("\n\n", 1)[0]
    assert {key for key in block.fields if f"`{key}`" not in table} == set()
    (repairs,) = re.findall(r"by default the repairs: (.*?) \|", TEXT)
    assert set(repairs.split(", ")) == REPAIRS


def test_every_option_is_reported_with_its_default() -> None:
    options = [one for one in anomalies.params if isinstance(one, click.Option)]

    assert {f"`{one.opts[0]}" in TEXT for one in options} == {True}
    for one in options:
        if one.opts[0] in {"--last", "--step", "--rules"}:
            assert f"`{one.opts[0]} {one.default}`" in TEXT


def test_the_numbers_are_the_programs() -> None:
    assert f"λ = {WEIGHT} and L = {WIDTH}" in WORDS
    assert f"A point beyond {CAP:g} sigma counts as {CAP:g}" in WORDS
    assert f"**{FEWEST} points** are the minimum" in WORDS
    assert f"fewer than {FEWEST_EVENTS} events has no mean" in WORDS
    assert f"fewer than {EXPECTED} bad events" in WORDS
    assert f"(a burn rate of {BURNING:g} or more" in WORDS


def test_every_set_of_rules_is_reported() -> None:
    table = TEXT.split("| `--rules` |", 1)[1].split("\n\n", 1)[0]

    assert re.findall(r"^\| `([^`]*)` \|", table, re.MULTILINE) == list(RULES)
    assert f"The default is `{DEFAULT}`" in WORDS


def test_every_process_that_was_simulated_is_in_both_tables() -> None:
    assert {one.name for one in PROCESSES if TEXT.count(f"| {one.name} |") != 2} == set()


def test_how_many_weeks_had_a_false_alarm_is_what_the_report_prints() -> None:
    rows = {f"| `{name}` | {told.every}% | {told.most}% |" for name, told in FALSE_ALARMS.items()}

    assert rows <= set(TEXT.splitlines())
    assert set(FALSE_ALARMS) == set(RULES)


@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES)
def test_the_report_tells_as_many_false_alarms_as_a_simulation_measures(rules: str) -> None:
    """A reduced run of benchmarks/anomalies.py, whose figures the report prints."""
    measured, said = summary(alarming_weeks(rules, repeats(15, explored=25))), FALSE_ALARMS[rules]

    # 180 weeks, 45 of each kind; in `make test-all` 300 and 75.
    assert measured.every == pytest.approx(said.every, abs=8)
    assert measured.most == pytest.approx(said.most, abs=14)


def stored() -> dict[str, dict[str, float]]:
    """Return what the simulation of slices printed: each kind's shares, by the column's title."""
    table = TEXT.split("| Slices in control |", 1)[1].split("\n\n", 1)[0]
    titles, _, *rows = [
        [cell.strip(" `") for cell in row.strip("|").split("|")] for row in table.splitlines()
    ]
    return {
        name: {
            title: float(cell.rstrip("%")) / 100
            for title, cell in zip(titles, cells, strict=True)
            if cell.endswith("%")
        }
        for name, *cells in ([cell.strip() for cell in row] for row in rows)
    }


def test_every_kind_of_slices_that_was_simulated_is_in_the_table() -> None:
    assert list(stored()) == [str(kind) for kind in KINDS]


@pytest.mark.parametrize("rules", RULES)
def test_the_report_prints_of_slices_what_the_simulation_has_measured(rules: str) -> None:
    shares = [kind[rules] for kind in stored().values() if kind["charted"] >= SLICES_CHARTED]
    said = FALSE_ALARMS_OF_SLICES[rules]

    assert said.every == pytest.approx(100 * fmean(shares), abs=1)
    assert said.most == round(100 * max(shares))
    assert f"| `{rules}` | {said.every}% | {said.most}% |" in TEXT


@pytest.mark.slow
def test_a_simulation_of_slices_measures_the_false_alarms_that_the_report_prints() -> None:
    """A reduced run of benchmarks/slices.py."""
    runs = repeats(60, explored=100)
    weeks = {kind: alarming_slices(kind, DEFAULT, runs) for kind in KINDS}
    measured, said = slices_summary(weeks, runs), FALSE_ALARMS_OF_SLICES[DEFAULT]

    assert measured.every == pytest.approx(said.every, abs=5)
    # Of a kind of which few weeks are charted one alarm more is much.
    charted = [fmean(alarms) for alarms in weeks.values() if len(alarms) > 0.9 * runs]
    assert len(charted) >= 12
    assert 100 * max(charted) == pytest.approx(said.most, abs=15)


def test_every_key_of_the_report_is_reported() -> None:
    one = service(charted(chart(WORSE)), left_out=(("a", "b"),))
    document = json.loads(render_page("json", output(report(one)), Style()))
    (told,) = document["services"]
    (slo,) = told["slos"]
    (drawn,) = slo["charts"]
    (signal,), newest = drawn["signals"], drawn["points"][-1]

    keys = {*document, *told, *slo, *drawn, *drawn["baseline"], *signal, *newest, *newest["ewma"]}
    keys -= {"schema_version", "evaluated_at", "tool_version", "exit_code", "service", "source"}
    assert {key for key in keys if f"`{key}`" not in TEXT} == set()
    assert set(newest["used_as"]) <= set(TEXT)
