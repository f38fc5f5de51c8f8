"""Whole reports, compared exactly.

After a change on purpose run this with GATE_WRITE_GOLDEN=1, then read the difference.
"""

import os
from pathlib import Path

import pytest

from gate.reporters import Style, render, render_page
from gate.reporters.decision_page import status_output
from tests.reporters.builders import EVERY_KIND, allow_policy, status, undecided_policy

GOLDEN = Path(__file__).parent / "golden"
DECISIONS = [
    ("terminal", "allowed", 140),
    ("terminal", "blocked", 80),
    ("terminal", "undecided", 80),
    ("terminal", "warned", 120),
    ("terminal", "impact", 100),
    ("markdown", "blocked", 80),
    ("markdown", "several", 80),
    ("json", "undecided", 80),
]
SUFFIXES = {"terminal": "txt", "markdown": "md", "json": "json"}


def compare(name: str, text: str) -> None:
    path = GOLDEN / name
    if "GATE_WRITE_GOLDEN" in os.environ:
        path.write_text(text, encoding="utf-8", newline="\n")
    assert text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("reporter, kind, width", DECISIONS)
def test_a_decision_is_reported_word_for_word(reporter: str, kind: str, width: int) -> None:
    text = render(reporter, EVERY_KIND[kind], Style(width=width))
    compare(f"{kind}-{width}.{SUFFIXES[reporter]}", text)


@pytest.mark.parametrize("reporter", SUFFIXES)
def test_a_status_is_reported_word_for_word(reporter: str) -> None:
    known = status(allow_policy(), undecided_policy())
    compare(
        f"status.{SUFFIXES[reporter]}",
        render_page(reporter, status_output(known), Style(width=100)),
    )
