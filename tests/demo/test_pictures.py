"""The pictures of the README show what the command prints; make pictures makes them anew."""

import re
import runpy
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.cli.installed import GATE
from tests.demo.conftest import ROOT

pytestmark = pytest.mark.slow

PICTURES = ROOT / "docs" / "pictures"
MAKE: dict[str, Any] = runpy.run_path(str(PICTURES / "make.py"))
SVG = "{http://www.w3.org/2000/svg}"
THEMES = ("light", "dark")


def text_of(picture: str) -> list[str]:
    """Return the lines of a picture of a terminal, as their places on it say."""
    rows: dict[int, str] = {}
    for element in ElementTree.fromstring(picture).iter(f"{SVG}text"):
        row = round((float(element.attrib["y"]) - MAKE["EDGE"] - MAKE["SIZE"]) / MAKE["HEIGHT"])
        column = round((float(element.attrib["x"]) - MAKE["EDGE"]) / MAKE["WIDTH"])
        rows[row] = rows.get(row, "").ljust(column) + (element.text or "")
    return [rows.get(row, "") for row in range(max(rows) + 1)]


def without_colours(text: str) -> list[str]:
    return [re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("theme", THEMES)
def test_the_terminal_shows_what_the_command_prints(month: Path, theme: str) -> None:
    shown = text_of((PICTURES / f"blocked-{theme}.svg").read_text(encoding="utf-8"))
    printed = without_colours(MAKE["printed"](str(GATE), MAKE["BLOCKED"], month))
    assert shown[-2:] == ["", "  ..."]
    assert shown[:-2] == printed[: len(shown) - 2], "make pictures makes them anew"
    assert "BLOCK" in shown[1]


@pytest.mark.parametrize("theme", THEMES)
def test_a_picture_has_the_colours_of_its_theme(theme: str) -> None:
    text = (PICTURES / f"blocked-{theme}.svg").read_text(encoding="utf-8")
    assert all(colour in text for colour in MAKE["THEMES"][theme].values())


def test_text_keeps_its_place_its_colour_and_its_signs() -> None:
    text = "a \x1b[1;37;41m x \x1b[0m  \x1b[2m<&>\x1b[0m\n\n  b\n"
    picture = MAKE["svg"](text, "light", "a title")
    assert text_of(picture) == ["a  x   <&>", "", "  b"]
    assert '<rect x="32.8" y="16" width="25.2" height="19" fill="#cf222e"/>' in picture
    assert 'fill="#ffffff" font-weight="bold">x</text>' in picture


def test_a_colour_that_the_script_does_not_know_is_an_error() -> None:
    with pytest.raises(ValueError, match="ANSI code 38 is not known here"):
        MAKE["svg"]("\x1b[38;5;1mx", "light", "a title")


def test_the_page_is_there_in_both_themes_and_as_wide_as_it_was_taken() -> None:
    pictures = [(PICTURES / f"report-{theme}.png").read_bytes() for theme in THEMES]
    assert len(set(pictures)) == len(THEMES)
    for picture in pictures:
        assert picture.startswith(b"\x89PNG")
        assert struct.unpack(">2I", picture[16:24]) == (1200, 860)
