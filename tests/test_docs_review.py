"""docs/review.md: its words and its picture are the program's."""

import json
import re
from pathlib import Path

import click

from gate.analysis.review.words import output
from gate.cli.review import review
from gate.history.objective_candidates import CandidateKind, Fit
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import slo
from tests.analysis.remembered import OUTAGES
from tests.reporters.reviews import SLA, terminal, told

TEXT = (Path(__file__).parent.parent / "docs" / "review.md").read_text(encoding="utf-8")


def test_every_option_is_told() -> None:
    options = [one for one in review.params if isinstance(one, click.Option)]

    assert {f"`{one.opts[0]}" in TEXT for one in options} == {True}
    assert f"`--periods {next(o.default for o in options if o.opts[0] == '--periods')}`" in TEXT


def test_every_key_and_word_of_the_report_is_told() -> None:
    report = told({"a": OUTAGES}, slo("a", more=SLA))
    document = json.loads(render_page("json", output(report), Style()))
    (one,) = document["services"][0]["slos"]

    found = one["review"]
    keys = {*one, *found, *found["periods"][0], *found["candidates"][0], "periods_requested"}
    assert {key for key in keys if f"`{key}`" not in TEXT} == set()
    assert all(f"| {fit} |" in TEXT for fit in Fit)
    assert all(f"`{kind}`" in TEXT for kind in CandidateKind)


def test_the_picture_is_what_it_prints() -> None:
    (picture,) = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
    lines = terminal(told({"availability": OUTAGES}, slo("availability", more=SLA))).splitlines()

    shown = picture.splitlines()
    assert shown == lines[: len(shown)]
