"""Make the pictures of the README from what the command really prints: make pictures.

The terminal becomes an SVG, the page a PNG by the browser of tests/browser; both light and dark.
They show the demo's month, so docs/demo/generate.py must have written it to demo/logs.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
COLUMNS = 100
FRIDAY = "2026-10-23T12:00:00Z"
BLOCKED = ("check", "docs/demo/policy.yaml", "--change", "canary", "--at", FRIDAY)
REPORT = ("report", "docs/demo/policy.yaml", "--at", FRIDAY, "--last", "8d")
HEADING = "What happened"
"""From here on the page is shown: its top says what the terminal says."""

WIDTH, HEIGHT, SIZE, EDGE = 8.4, 19, 14, 16
"""Of a character, of a line, of the font, and of the space around, in pixels."""
FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
ESCAPE = re.compile(r"\x1b\[([0-9;]*)m")

NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
"""In the order of the last digit of an ANSI code."""
SHADES = {
    "light": "#1f2328 #cf222e #116329 #7d4e00 #0969da #8250df #1b7c83 #ffffff",
    "dark": "#0d1117 #ff7b72 #3fb950 #d29922 #58a6ff #bc8cff #39c5cf #ffffff",
}
"""Close to those of GitHub's pages."""
GROUNDS = {"red": "#cf222e", "green": "#3fb950", "yellow": "#d29922", "magenta": "#8250df"}
"""Behind a badge, which has black or white letters whatever the theme."""
THEMES = {
    "light": {"paper": "#f6f8fa", "edge": "#d1d9e0", "text": "#1f2328", "dim": "#59636e"},
    "dark": {"paper": "#0d1117", "edge": "#3d444d", "text": "#e6edf3", "dim": "#9198a1"},
}


@dataclass(frozen=True)
class Look:
    """How characters look: names of colours, and whether they are bold."""

    ink: str = "text"
    ground: str | None = None
    bold: bool = False


@dataclass(frozen=True)
class Run:
    """Characters of a line that look alike."""

    column: int
    text: str
    look: Look


def changed(look: Look, codes: str) -> Look:
    """Return the look after an ANSI sequence; a code that this script does not know is an error."""
    for code in map(int, (codes or "0").split(";")):
        colour = NAMES[code % 10] if code % 10 < len(NAMES) else None
        if code == 0:
            look = Look()
        elif code == 1:
            look = Look(look.ink, look.ground, bold=True)
        elif code == 2:
            look = Look("dim", look.ground, look.bold)
        elif code // 10 in {3, 9} and colour:
            look = Look(colour, look.ground, look.bold)
        elif code // 10 in {4, 10} and colour:
            look = Look(look.ink, colour, look.bold)
        else:
            raise ValueError(f"ANSI code {code} is not known here")
    return look


def runs(text: str) -> list[list[Run]]:
    """Return the lines of a terminal's output as runs of characters that look alike."""
    look, lines = Look(), []
    for line in text.splitlines():
        found, column = [], 0
        # Between the texts stand the codes.
        for place, part in enumerate(ESCAPE.split(line)):
            if place % 2:
                look = changed(look, part)
            elif part:
                found.append(Run(column, part, look))
                column += len(part)
        lines.append(found)
    return lines


def svg(text: str, theme: str, label: str) -> str:
    """Return a terminal's output as a picture."""
    lines = runs(text)
    colours = THEMES[theme] | dict(zip(NAMES, SHADES[theme].split(), strict=True))
    width, height = COLUMNS * WIDTH + 2 * EDGE, len(lines) * HEIGHT + 2 * EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height}" '
        f'width="{width:g}" height="{height}" role="img">',
        f"<title>{escape(label)}</title>",
        f'<rect x="0.5" y="0.5" width="{width - 1:g}" height="{height - 1}" rx="8" '
        f'fill="{colours["paper"]}" stroke="{colours["edge"]}"/>',
        f'<g font-family="{FONTS}" font-size="{SIZE}">',
        *(shape for row, line in enumerate(lines) for shape in _line(line, row, colours)),
        "</g>",
        "</svg>",
    ]
    return "\n".join([*parts, ""])


def _line(line: Sequence[Run], row: int, colours: dict[str, str]) -> Iterator[str]:
    top = EDGE + row * HEIGHT
    for run in line:
        if run.look.ground:
            x, width = EDGE + run.column * WIDTH, len(run.text) * WIDTH
            ground = f'fill="{GROUNDS[run.look.ground]}"'
            yield f'<rect x="{x:g}" y="{top}" width="{width:g}" height="{HEIGHT}" {ground}/>'
        bold = ' font-weight="bold"' if run.look.bold else ""
        style = f'y="{top + SIZE}" fill="{colours[run.look.ink]}"{bold}'
        # An SVG keeps no two spaces beside each other. Whatever font there is, each phrase begins
        # and ends in its columns.
        for phrase in re.finditer(r"\S+( \S+)*", run.text):
            x, width = EDGE + (run.column + phrase.start()) * WIDTH, len(phrase[0]) * WIDTH
            length = f'textLength="{width:g}" lengthAdjust="spacingAndGlyphs"'
            yield f'<text x="{x:g}" {length} {style}>{escape(phrase[0], quote=False)}</text>'


def beginning(text: str) -> str:
    """Return the lines up to the end of the table, and three dots for the rest."""
    lines = text.splitlines()
    plain = [ESCAPE.sub("", line) for line in lines]
    rule = next(place for place, line in enumerate(plain) if line.startswith("  ───"))
    end = plain.index("", rule)
    return "\n".join([*lines[:end], "", "  \x1b[2m...\x1b[0m", ""])


def printed(gate: str, arguments: Sequence[str], folder: Path) -> str:
    """Return what the command prints in a terminal of 100 columns, below the command itself."""
    environment = {**os.environ, "COLUMNS": str(COLUMNS), "FORCE_COLOR": "1"}
    command = [gate, *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", check=False
    )
    if done.returncode not in {0, 10}:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return f"\x1b[2m$\x1b[0m gate {' '.join(arguments)}\n{done.stdout.rstrip()}\n"


def main() -> None:
    """Write all pictures."""
    gate = os.environ.get("GATE") or shutil.which("gate") or sys.exit("gate is not installed")
    if not (ROOT / "demo/logs/truth.json").is_file():
        sys.exit("there are no logs yet: run make demo")
    text = beginning(printed(gate, BLOCKED, ROOT))
    for theme in THEMES:
        picture = svg(text, theme, "gate check blocks a canary, and says why")
        (HERE / f"blocked-{theme}.svg").write_text(picture, encoding="utf-8", newline="\n")
    page = ROOT / "demo" / "report.html"
    subprocess.run([gate, *REPORT, "-o", str(page)], cwd=ROOT, check=True)
    browser = shutil.which("google-chrome") or shutil.which("chromium") or "chromium"
    shot = ROOT / "tests" / "browser" / "shot.mjs"
    pictures = [HEADING, str(HERE / "report")]
    subprocess.run(["node", str(shot), browser, str(page), *pictures], check=True)


if __name__ == "__main__":
    main()
