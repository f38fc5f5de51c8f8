"""docs/forecast.md: its words and its picture are the program's."""

import json
import re
from pathlib import Path

import click

from gate.analysis.forecast.words import output
from gate.cli.forecast import forecast
from gate.history.calendar_forecast import HELD
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import slo
from tests.analysis.remembered import CALENDAR, MID, OUTAGE
from tests.reporters.forecasts import terminal, told

TEXT = (Path(__file__).parent.parent / "docs" / "forecast.md").read_text(encoding="utf-8")


def test_every_option_is_reported() -> None:
    options = [one for one in forecast.params if isinstance(one, click.Option)]

    assert {f"`{one.opts[0]}" in TEXT for one in options} == {True}
    assert f"`--last {next(one.default for one in options if one.opts[0] == '--last')}`" in TEXT


def test_every_key_of_the_report_is_reported() -> None:
    report = told({"a": [1, 0] * (45 * 24)}, CALENDAR, at=MID)
    ((one,),) = [
        service["slos"]
        for service in json.loads(render_page("json", output(report), Style()))["services"]
    ]

    keys = {*one, *one["projections"][0], *one["expected"]}
    assert {key for key in keys if f"`{key}`" not in TEXT} == set()


def test_the_table_has_the_columns_that_it_has() -> None:
    (picture,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    lines = terminal(told({"availability": OUTAGE}, slo("availability"))).splitlines()

    assert picture.splitlines()[:6] == lines[:6]


def test_how_often_intervals_held_is_what_the_report_prints() -> None:
    rows = {
        f"| {length.days} days and more | {held.within}% | {held.worse}% | {held.least}% |"
        for length, held in HELD.items()
    }

    assert rows <= set(TEXT.splitlines())
