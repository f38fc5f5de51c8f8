"""docs/review.md: its words and its picture are the program's."""

import json
import re
from pathlib import Path

import click

from gate.analysis.review.spending import Kept
from gate.analysis.review.words import output
from gate.cli.review import review
from gate.history.objective_candidates import CandidateKind, Fit
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.analysis.memory import slo
from tests.analysis.remembered import MONTH, OUTAGES
from tests.reporters.reviews import SLA, terminal, told

TEXT = (Path(__file__).parent.parent / "docs" / "review.md").read_text(encoding="utf-8")
PICTURES = re.findall(r"```text\n(.*?)```", TEXT, re.DOTALL)
SPEND = "  - {name: spend, allowance: 1200 USD, window: 30d, sli: {spent: m}}\n"
SPENT = [*[1.25] * MONTH, *[None] * 90, *[1.5] * (MONTH - 90), *[1.667] * MONTH]


def test_every_option_is_reported() -> None:
    options = [one for one in review.params if isinstance(one, click.Option)]

    assert {f"`{one.opts[0]}" in TEXT for one in options} == {True}
    assert f"`--periods {next(o.default for o in options if o.opts[0] == '--periods')}`" in TEXT


def test_every_key_and_word_of_the_report_is_reported() -> None:
    report = told({"a": OUTAGES}, slo("a", more=SLA))
    document = json.loads(render_page("json", output(report), Style()))
    (one,) = document["services"][0]["slos"]

    found = one["review"]
    keys = {*one, *found, *found["periods"][0], *found["candidates"][0], "periods_requested"}
    assert {key for key in keys if f"`{key}`" not in TEXT} == set()
    assert all(f"| {fit} |" in TEXT for fit in Fit)
    assert all(f"`{kind}`" in TEXT for kind in CandidateKind)


def test_every_key_and_word_about_spend_is_reported() -> None:
    document = json.loads(render_page("json", output(told({"m": SPENT}, SPEND)), Style()))
    (spend,) = document["services"][0]["spending"]

    review = spend["review"]
    keys = {*spend, *review, *review["periods"][0], *review["moved_windows"]}
    section = TEXT[TEXT.index("### Of allowances") :]
    assert {key for key in keys if f"`{key}`" not in section} == set()
    assert all(f"| {kept} |" in TEXT for kept in Kept)


def test_the_picture_of_spend_is_what_it_prints() -> None:
    assert terminal(told({"m": SPENT}, SPEND)).startswith(PICTURES[1])


def test_the_picture_is_what_it_prints() -> None:
    lines = terminal(told({"availability": OUTAGES}, slo("availability", more=SLA))).splitlines()

    shown = PICTURES[0].splitlines()
    assert shown == lines[: len(shown)]
