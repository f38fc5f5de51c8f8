"""Every link of every page leads to a file, and to a heading in it, that exist."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
FOLDERS = ("", "docs", "benchmarks")
PAGES = sorted(path for folder in FOLDERS for path in (ROOT / folder).glob("*.md"))
"""The pages that people read. Files of tests with this ending are not among them."""
INDEX = DOCS / "README.md"


def prose(path: Path) -> str:
    """Return a page without its blocks of code, comments and the spans of code."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^( *)(```+).*?^\1\2 *$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def slug(heading: str) -> str:
    """Return the anchor that GitHub gives a heading: https://github.com/gjtorikian/html-pipeline."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"<[^>]+>", "", text).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return what can stand after the # of a link to a file."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        kinds = (ast.FunctionDef, ast.ClassDef)
        return frozenset(node.name for node in ast.walk(ast.parse(text)) if isinstance(node, kinds))
    seen, listed = Counter[str](), set(re.findall(r'<a (?:id|name)="([^"]+)"', prose(path)))
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", prose(path), re.MULTILINE):
        anchor = slug(heading)
        listed.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return frozenset(listed)


def links(path: Path) -> Iterator[str]:
    """Yield the links of a page that stay within the project."""
    text = re.sub(r"`[^`\n]*`", lambda code: re.sub(r"[\[\]()<>]", "", code[0]), prose(path))
    listed = re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", text)
    listed += re.findall(r"^\[[^\]]+\]: (\S+)", text, re.MULTILINE)
    listed += re.findall(r"(?:href|src|srcset)=\"([^\"]+)\"", text)
    yield from (link for link in listed if not re.match(r"[a-z]+:", link))


def broken(path: Path, top: Path = ROOT) -> list[str]:
    """Return the links of a page that lead nowhere."""
    wrong = []
    for link in links(path):
        address, _, anchor = link.partition("#")
        target = (path.parent / address).resolve() if address else path
        outside = not target.is_relative_to(top) or not target.exists()
        if outside or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_wrong_file_and_a_wrong_anchor_are_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "[a](no.md) [b](#twice-1) [c](#nothing) [d](/etc/hosts) `[e](code.md)`"
        " [f](https://a.example)"
        "\n\n# Twice\n\n# Twice\n\n```\n# nothing\n[g](block.md)\n```\n"
    )
    assert broken(page, tmp_path) == ["no.md", "#nothing", "/etc/hosts"]


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        # As github.com shows them.
        ("How the number is made", "how-the-number-is-made"),
        ("`gate check`: options", "gate-check-options"),
        ("slos: window", "slos-window"),
        ("A [link](page.md) & more", "a-link--more"),
        ("burn_rates", "burn_rates"),
    ],
)
def test_an_anchor_is_the_one_that_github_gives(heading: str, anchor: str) -> None:
    assert slug(heading) == anchor


@pytest.mark.parametrize(
    "page", [page for page in DOCS.glob("*.md") if page != INDEX], ids=lambda path: path.name
)
def test_every_page_is_in_the_index_and_leads_back_to_it(page: Path) -> None:
    assert page.name in {link.partition("#")[0] for link in links(INDEX)}
    text = prose(page).strip().splitlines()
    assert "](README.md)" in text[0] or "](README.md)" in text[-1]


def test_every_claim_of_the_comparison_has_its_source() -> None:
    text, sources = (DOCS / "comparison.md").read_text(encoding="utf-8").split("## Sources")
    numbered = set(re.findall(r"^(\d+)\. \[", sources, re.MULTILINE))
    assert set(re.findall(r" \[(\d+)\]", text)) == numbered
