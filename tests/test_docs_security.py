"""The threat model names tests that there are, and its links lead somewhere."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "security.md"
TEXT = PAGE.read_text(encoding="utf-8")
ADDRESSES = dict(re.findall(r"^\[(\w+)\]: (\S+)$", TEXT, re.MULTILINE))
"""Where the short names of links lead."""
TESTS = sorted(set(re.findall(r"\[`(test_\w+|Test\w+)`\]\[(\w+)\]", TEXT)))
LINKS = sorted({*re.findall(r"\]\(([^)]+)\)", TEXT), *ADDRESSES.values()})
POINTING = ("SECURITY.md", "README.md", "docs/github.md", "docs/gitlab.md", "docs/elsewhere.md")
SECTIONS = re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:]


@cache
def names_of(path: Path) -> frozenset[str]:
    """Return the names of the test functions and classes of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


@cache
def anchors_of(path: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings)


@pytest.mark.parametrize(("name", "short"), TESTS)
def test_every_test_that_is_named_exists(name: str, short: str) -> None:
    assert name in names_of((PAGE.parent / ADDRESSES[short]).resolve())


@pytest.mark.parametrize("link", LINKS)
def test_every_link_leads_somewhere(link: str) -> None:
    address, _, anchor = link.partition("#")
    path = (PAGE.parent / address).resolve() if address else PAGE
    assert path.is_file()
    assert not anchor or anchor in anchors_of(path)


def test_every_short_name_of_a_link_is_used() -> None:
    assert set(re.findall(r"\]\[(\w+)\]", TEXT)) == set(ADDRESSES)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda text: text.splitlines()[0])
def test_every_row_has_four_cells_and_names_a_test(section: str) -> None:
    head, *rows = (line for line in section.splitlines() if line.startswith("| "))
    assert head.endswith("| What holds | What does not hold | Test |")
    assert len(rows) >= 5
    for row in rows:
        _, who, holds, rest, tests, _ = (cell.strip() for cell in row.split("|"))
        assert who
        assert holds or rest
        assert re.match(r"\[`\w+`\]\[\w+\]", tests), row


def test_no_attack_is_left_out() -> None:
    files = {path.name for path in (ROOT / "tests" / "attacks").glob("test_k*.py")}
    assert files <= {Path(address).name for address in ADDRESSES.values()}


@pytest.mark.parametrize("page", POINTING)
def test_the_pages_about_it_lead_here(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    link = "security.md" if page.startswith("docs/") else "docs/security.md"
    assert re.search(rf"\]\({link}(#[\w-]+)?\)", text)
    for anchor in re.findall(rf"\]\({link}#([\w-]+)\)", text):
        assert anchor in anchors_of(PAGE)
