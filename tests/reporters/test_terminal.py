import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.measure import Cause
from gate.policy.findings import Rule, Verdict
from gate.reporters import render, render_page
from gate.reporters.ansi import Style, text_width
from gate.reporters.decision_page import status_output
from tests.reporters.builders import (
    EVERY_KIND,
    availability,
    block_policy,
    burning,
    counts,
    decided,
    decision,
    finding,
    policy_of,
    status,
    undecided_policy,
    unmeasured,
)

ANSI = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("kind", EVERY_KIND)
def test_the_report_fits_the_terminal(kind: str, width: int) -> None:
    for text in (
        render("terminal", EVERY_KIND[kind], Style(width=width)),
        render_page(
            "terminal", status_output(status(*EVERY_KIND[kind].policies)), Style(width=width)
        ),
    ):
        assert max(map(text_width, text.splitlines())) <= width


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_colour_adds_nothing_but_colour(kind: str) -> None:
    made = EVERY_KIND[kind]
    plain = render("terminal", made, Style(width=140))
    coloured = render("terminal", made, Style(width=140, color=True))
    assert "\x1b" not in plain
    assert "\x1b[" in coloured
    words = [line.split() for line in ANSI.sub("", coloured).splitlines()]
    assert words == [line.split() for line in plain.splitlines()]


def test_the_sign_of_each_verdict_differs_without_colour() -> None:
    for unicode in (True, False):
        style = Style(unicode=unicode)
        kinds = ("allowed", "warned", "undecided", "blocked")
        assert len({render("terminal", EVERY_KIND[kind], style)[0] for kind in kinds}) == 4


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_without_unicode_everything_is_ascii(kind: str) -> None:
    assert render("terminal", EVERY_KIND[kind], Style(width=140, unicode=False)).isascii()
    foreign = policy_of((), service="模型")
    text = render("terminal", decision(block_policy(policy=foreign)), Style(unicode=False))
    assert r"\u6a21\u578b" in text


def test_a_narrow_table_leaves_out_columns_and_never_cuts_a_number() -> None:
    made = EVERY_KIND["blocked"]
    wide, narrow, least = (render("terminal", made, Style(width=width)) for width in (140, 80, 30))
    assert re.search(r"SLO .*Bad of total .*Consumed .*Left .*Coverage .*Tier", wide)
    assert re.search(r"SLO .*Objective .*Left .*Burn 1h .*Tier", narrow)
    assert "Coverage" not in narrow
    assert "Consumed" not in narrow
    assert re.search(r"SLO .*Left .*Tier", least)
    assert "Objective" not in least
    for text, name in ((wide, "▶ availability"), (narrow, "▶ availability"), (least, "▶")):
        assert re.search(rf"{name} .*overspent by 50\.0%.*✖ exhausted", text)


def test_the_numbers_of_a_column_end_in_the_same_place() -> None:
    text = render("terminal", EVERY_KIND["blocked"], Style(width=140))
    rows = [line for line in text.splitlines() if re.search(r" of [0-9,]+ .*(✖|✔)", line)]
    assert len(rows) == 3
    assert len({row.index("%") for row in rows}) == 1
    assert len({row.rindex("%") for row in rows}) == 1


def test_the_bar_never_shows_a_cell_too_many() -> None:
    def bar(bad: int) -> str:
        known = availability(counts(bad, 1_000_000), burning(0, 1))
        fine = finding(Rule.TIER, Verdict.ALLOW, "fine")
        made = decision(decided(known, findings=(fine,), tier="healthy"))
        found = re.search("[█░]{10}", render("terminal", made, Style(width=140)))
        assert found
        return found[0]

    assert bar(0) == "██████████"
    assert bar(1) == "█████████░"
    assert bar(999) == "░░░░░░░░░░"
    assert bar(5_000) == "░░░░░░░░░░"


def test_a_budget_that_was_not_measured_has_no_bar() -> None:
    text = render("terminal", decision(undecided_policy()), Style(width=140))
    row = next(line for line in text.splitlines() if "answers  " in line)
    assert not set(row) & set("█░")
    assert row.split()[-5:] == ["?", "not", "measured:", "backend", "error"]


def test_a_long_headline_is_folded_below_its_verdict() -> None:
    long = policy_of((), service="a-service-with-quite-a-long-name-" * 4)
    lines = render("terminal", decision(block_policy(policy=long)), Style()).splitlines()
    assert lines[0] == "✖ BLOCK"
    assert lines[1] == "  full-rollout of"
    assert lines[2].startswith("  a-service-with-quite-a-long-name")


@given(st.text())
def test_foreign_text_cannot_repaint_the_terminal(text: str) -> None:
    lost = unmeasured(Cause.INVALID, f"got {text}")
    findings = (finding(Rule.MEASUREMENT, Verdict.UNDECIDED, f"got {text}", text),)
    known = policy_of((lost,), service=text, owners=(text,), dashboard=text)
    made = decision(decided(lost, findings=findings, tier=None, policy=known))
    report = render("terminal", made, Style(width=10_000))
    assert not re.search(
        r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", report
    )
