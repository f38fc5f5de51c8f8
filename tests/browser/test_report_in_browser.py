"""The report in a real Chromium: three widths, light and dark, on paper, by keyboard."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gate.analysis.report.words import render_report
from gate.reporters.ansi import Style
from tests.analysis.telling import DAY
from tests.reporters.reports import whole
from tests.servers.processes import binary, missing

HERE = Path(__file__).parent
VIEWS = [(width, scheme) for width in (360, 820, 1280) for scheme in ("light", "dark")]


def browser() -> str:
    """Return the path of a Chromium or a Chrome."""
    return shutil.which("google-chrome") or binary("chromium")


def look(page: Path) -> dict[str, Any]:
    """Open a page; GATE_PICTURES=FOLDER in the environment leaves pictures of it there."""
    if not (HERE / "node_modules").is_dir():
        missing("what drives a browser")
    pictures = os.environ.get("GATE_PICTURES", "")
    command = [binary("node"), str(HERE / "look.mjs"), browser(), str(page), pictures]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Look at a report with all there is."""
    page = tmp_path_factory.mktemp("report") / "report.html"
    page.write_text(render_report("html", whole(last=10 * DAY), Style()), encoding="utf-8")
    return look(page)


@pytest.fixture(params=VIEWS, ids=lambda view: f"{view[0]}-{view[1]}")
def view(request: pytest.FixtureRequest, seen: dict[str, Any]) -> dict[str, Any]:
    """Return what was seen at each width, light and dark, in turn."""
    width, scheme = request.param
    (found,) = [one for one in seen["views"] if (one["width"], one["scheme"]) == (width, scheme)]
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("state", ["folded", "unfolded"])
def test_all_text_is_in_view_and_nothing_scrolls_sideways(view: dict[str, Any], state: str) -> None:
    found = view[state]

    assert found["texts"] > 100
    assert found["outside"] == []
    assert (found["overlapping"], found["crossing"]) == ([], [])
    assert found["broken"] == []
    assert (found["scrolls"], found["scrolling"]) == (False, [])


def test_axe_finds_nothing(view: dict[str, Any]) -> None:
    assert view["faults"] == []


def test_light_and_dark_differ_and_paper_is_white(seen: dict[str, Any]) -> None:
    backgrounds = {one["scheme"]: one["folded"]["background"] for one in seen["views"]}

    assert backgrounds == {"light": "rgb(255, 255, 255)", "dark": "rgb(16, 20, 27)"}
    assert seen["paper"] == "rgb(255, 255, 255)"
    assert seen["printed"] > 50_000


@pytest.mark.parametrize("sheet", [0, 1], ids=["A4", "Letter"])
def test_on_paper_nothing_is_cut_and_no_number_is_broken(seen: dict[str, Any], sheet: int) -> None:
    found = seen["sheets"][sheet]

    assert found["texts"] > 100
    assert found["outside"] == []
    assert (found["overlapping"], found["crossing"]) == ([], [])
    assert found["broken"] == []
    assert (found["scrolls"], found["scrolling"]) == (False, [])


def test_nothing_is_fetched_run_or_complained_about_whatever_the_texts_are(
    seen: dict[str, Any],
) -> None:
    assert seen["requests"] == []
    assert seen["complaints"] == []


def test_what_is_foreign_would_be_refused(seen: dict[str, Any]) -> None:
    (refused,) = seen["refused"]
    assert "violates the following Content Security Policy directive" in refused


def test_the_keyboard_gets_to_the_report_at_once(seen: dict[str, Any]) -> None:
    assert seen["keys"][0] == "Skip to the report"
    assert seen["keys"][1] == "chat: May it ship?"
