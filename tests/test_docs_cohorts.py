"""docs/cohorts.md: its words are the program's."""

import json
import re
from pathlib import Path

import click

from benchmarks.cohorts import MIXED, TWICE, WORLDS
from gate.analysis.cohorts.words import output
from gate.cli.cohorts import cohorts
from gate.history.cohorts.comparison import ComparisonOutcome
from gate.history.cohorts.ratios import Method
from gate.reporters import render_page
from gate.reporters.ansi import Style
from tests.reporters.cohorts import group, report, service, slo, within

TEXT = (Path(__file__).parent.parent / "docs" / "cohorts.md").read_text(encoding="utf-8")


def test_every_option_is_reported() -> None:
    options = [one for one in cohorts.params if isinstance(one, click.Option)]

    assert {f"`{one.opts[0]}" in TEXT for one in options} == {True}
    assert next(f"`--top {one.default}`" in TEXT for one in options if one.name == "top")


def test_every_key_of_the_report_is_reported() -> None:
    one = service(slo(group("v7", within(ComparisonOutcome.WORSE, 6, 5))), left_out=(("a", "b"),))
    document = json.loads(render_page("json", output(report(one)), Style()))
    (told,) = document["services"]
    (found,) = told["slos"]
    (first,) = found["groups"]
    comparison = first["comparison"]

    keys = {*told, *found, *first, *comparison, *comparison["crude"], "by", "stratify_by"}
    assert {key for key in keys - {"service", "source"} if f"`{key}`" not in TEXT} == set()
    assert all(f"`{outcome}`" in TEXT for outcome in ComparisonOutcome)
    assert all(f"`{method}`" in TEXT for method in Method)


def test_the_sentences_of_the_example_are_the_programs() -> None:
    found = within(ComparisonOutcome.WORSE, 6.2, 6.2)
    one = service(slo(group("v7", found)))
    text = " ".join(render_page("terminal", output(report(one, within="model")), Style()).split())

    for words in (
        "1 COHORT BURNS MORE",
        "burns 6.2x as fast as the rest",
        "the mix of model does not",
    ):
        assert words in text
        assert words in TEXT


def test_every_world_of_the_benchmark_is_in_the_tables() -> None:
    parts = re.split("(?:of|With) five groups", TEXT)
    told = [sum(line.endswith("% |") for line in part.splitlines()) for part in parts]

    assert told == [len(WORLDS), len(TWICE), len(MIXED)]
