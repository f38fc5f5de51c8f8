"""The brief format: what a page says first."""

import re
from dataclasses import replace

import pytest

from gate.policy.findings import Verdict
from gate.reporters import render, render_page
from gate.reporters.ansi import Style
from gate.reporters.decision_facts import decision_facts, leading
from gate.reporters.page import (
    Badge,
    Block,
    Facts,
    Folded,
    Mark,
    Marks,
    Output,
    Page,
    Paragraph,
    Section,
    ShellCommand,
)
from tests.reporters.builders import EVERY_KIND

WIDE = Style(width=100)


def brief(*blocks: Block, closing: tuple[Block, ...] = ()) -> str:
    """Write a page with one section of these blocks, and with more around it."""
    section = Section(title="chat", badge=Badge(Verdict.BLOCK, "BLOCK"), blocks=blocks)
    around = (Paragraph("around"),)
    page = Page(
        title="2 policies", introduction=around, sections=(section,), closing=(*around, *closing)
    )
    return render_page("brief", Output(page=lambda: page, document=dict), WIDE)


def test_it_is_the_headline_and_the_first_block() -> None:
    text = brief(Folded(summary="more", sections=()), Paragraph("first"), Paragraph("second"))
    assert text == "2 policies\n\n✖ BLOCK  chat\n  first\n"


def test_it_ends_with_the_next_command() -> None:
    command = ShellCommand(label="Next", command="gate doctor gate.yaml")
    text = brief(Paragraph("first"), closing=(command,))
    assert text.splitlines()[3:] == ["  first", "  Next           gate doctor gate.yaml"]


def test_of_facts_with_one_label_it_is_the_first_and_how_many_more_there_are() -> None:
    text = brief(Facts((("Why", "worst"), ("Ask", "@grace"), ("Why", "bad"), ("Why", "so so"))))
    assert text.splitlines()[3:] == [
        "  Why            worst (and 2 more)",
        "  Ask            @grace",
    ]


def test_of_two_facts_with_one_label_both_are_shown() -> None:
    text = brief(Facts((("Why", "worst"), ("Why", "bad"))))
    assert text.splitlines()[3:] == ["  Why            worst", "                 bad"]


def test_of_facts_it_is_those_that_the_page_calls_leading() -> None:
    said = (("Why", "worst"), ("Note", "an aside"), ("Ask", "@grace"))
    text = brief(Facts(said, leading=frozenset({"Why", "Ask"})))
    assert text.splitlines()[3:] == ["  Why            worst", "  Ask            @grace"]


def test_each_leading_label_is_that_of_a_fact_of_some_decision() -> None:
    refused = replace(EVERY_KIND["blocked"], not_overridden="nobody has approved it")
    labels = {
        label
        for decision in (*EVERY_KIND.values(), refused)
        for decided in decision.policies
        for label, _ in decision_facts(decided, decision)
    }
    assert labels >= frozenset().union(*map(leading, Verdict))


def test_of_checks_it_is_those_that_went_wrong() -> None:
    fine = Mark(verdict=Verdict.ALLOW, label="reach", text="answers")
    wrong = Mark(verdict=Verdict.BLOCK, label="count", text="finds nothing")
    text = brief(Marks((fine, wrong)))
    assert "finds nothing" in text
    assert "answers" not in text


def test_of_parts_it_is_what_their_headings_say() -> None:
    inside = (Paragraph("inside"),)
    text = brief(
        Section(title="availability", tail=": 20.0% left", blocks=inside),
        Section(title="latency", tail=": 30.0% left", blocks=inside),
    )
    assert text.splitlines()[3:] == [
        "  availability   20.0% left",
        "  latency        30.0% left",
    ]


def test_headings_that_say_nothing_of_their_parts_do_not_count() -> None:
    part = Section(title="availability", tail=" (99.9%)", blocks=(Paragraph("inside"),))
    assert brief(Paragraph("first"), part).splitlines()[3:] == ["  first"]


def test_blank_lines_are_between_sections_only() -> None:
    text = render("brief", EVERY_KIND["several"], WIDE)
    sections = text.split("\n\n")
    assert len(sections) == 1 + len(EVERY_KIND["several"].policies)
    assert all(re.match("[✔▲?✖] ", section) for section in sections)


def test_a_section_without_blocks_is_its_headline() -> None:
    assert brief().splitlines()[2:] == ["✖ BLOCK  chat"]


@pytest.mark.parametrize("kind", ["allowed", "blocked", "undecided"])
def test_a_decision_says_what_why_and_what_may_ship_without_the_table(kind: str) -> None:
    whole = render("terminal", EVERY_KIND[kind], WIDE).splitlines()
    text = render("brief", EVERY_KIND[kind], WIDE).splitlines()
    assert text[0] == whole[0]
    assert text[1].startswith("  Why ")
    assert any(line.startswith("  Allowed now ") for line in text)
    assert not any("Objective" in line for line in text)
    assert len(text) <= 10
    assert any(line.startswith("  Ask ") for line in text) == (kind != "allowed")
