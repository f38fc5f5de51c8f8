"""docs/policy.md: it is what the schema says, and the loader reads all of its examples."""

import re
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.reference import policy as page
from docs.reference.blocks import used
from gate.config.policy_contents import Contents
from gate.measure import Cause
from gate.policy.changes import BUILT_IN_CHANGES, REPAIRS
from gate.policy.findings import Rule, Verdict
from gate.policy.policy import DEFAULT_ACTIONS
from tests.config.texts import read

BLOCKS = page.all_blocks()
SECTIONS = page.sections()
EXAMPLES = [
    pytest.param(example, id=f"{section.title or section.at}-{number}")
    for section in SECTIONS
    for number, example in enumerate(section.examples)
]
REST = {
    "version": "version: 1\n",
    "service": "service: chat\n",
    "backend": "backend: {type: prometheus, url: http://127.0.0.1:9090}\n",
    "slos": "slos: [{name: up, objective: 99%, window: 30d, sli: {bad: x, total: y}}]\n",
    "tiers": "tiers: [{name: all, otherwise: true, allow: all}]\n",
}
"""Keys that an example leaves out."""


def completed(example: str) -> str:
    given = yaml.load(example, yaml.BaseLoader)
    given = {"backend" if key == "backends" else key for key in given}
    return example + "".join(text for key, text in REST.items() if key not in given)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the examples name."""
    top = tmp_path_factory.mktemp("policy")
    for name, text in page.source()["files"].items():
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text(text, encoding="utf-8")
    return top


def loaded(text: str, folder: Path) -> Contents:
    """Return what a policy says, which has no mistake and no warning."""
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "http://127.0.0.1:9090")
    contents, mistakes = read(text, variables, folder=folder)
    assert mistakes == []
    assert contents is not None
    return contents


def test_the_page_is_what_the_schema_and_the_examples_say() -> None:
    assert page.TARGET.read_text(encoding="utf-8") == page.render(), "run make docs"


def test_every_block_has_a_section_in_the_order_of_the_schema() -> None:
    assert [section.at for section in SECTIONS] == [block.at for block in BLOCKS]


@pytest.mark.variants(21)
@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_is_read_without_a_warning(example: str, folder: Path) -> None:
    loaded(completed(example), folder)


def test_every_key_has_a_description_that_is_a_sentence() -> None:
    wrong = [
        f"{block.at}: {row.key}"
        for block in BLOCKS
        for row in page.rows(block)
        if not re.fullmatch(r".*[A-Za-z].*\.", row.doc)
    ]
    assert wrong == []


def missing_examples(sections: list[page.Section]) -> list[str]:
    """Return the keys that no example of their block's section has."""
    missing = []
    for section, block in zip(sections, BLOCKS, strict=True):
        keys = {
            key
            for example in section.examples
            for at, key, _ in used(yaml.load(example, yaml.BaseLoader), page.shown_schema(), BLOCKS)
            if at == block.at
        }
        keys |= set(section.elsewhere or ())
        missing += [f"{block.at}: {key}" for key in block.schema["properties"] if key not in keys]
    return missing


def test_every_key_has_an_example_under_its_block() -> None:
    assert missing_examples(SECTIONS) == []


def test_a_key_without_an_example_is_noticed() -> None:
    sections = page.sections()
    at = next(i for i, section in enumerate(sections) if section.at == "slos: timeslices")
    sections[at].examples = [sections[at].examples[0].replace(", empty: good", "")]
    assert missing_examples(sections) == ["slos: timeslices: empty"]


def literal(row: page.Row) -> Any:
    """Return a default as YAML has it; None where it is described in words."""
    if row.default == "the repairs":
        return sorted(REPAIRS)
    if row.key == "allow" and row.default == "none":
        return []
    literal = re.fullmatch(r"\d+[a-z%]*|[a-z-]+|UTC|https:\S+", row.default)
    return row.default if literal and row.default != "required" else None


DEFAULTS = [
    pytest.param(block.at, row.key, value, id=f"{block.at}: {row.key}")
    for block in BLOCKS
    for row in page.rows(block)
    if (value := literal(row)) is not None
]


def _twice(example: str, at: str, key: str) -> tuple[Any, Any, list[tuple[Any, Any]]]:
    """Return an example read twice, and the blocks in both that have the key at this place."""
    said, same = (yaml.load(completed(example), yaml.BaseLoader) for _ in range(2))
    used_twice = (used(document, page.shown_schema(), BLOCKS) for document in (said, same))
    places = [
        (owner, other)
        for (where, name, owner), (_, _, other) in zip(*used_twice, strict=True)
        if (where, name) == (at, key)
    ]
    return said, same, places


@pytest.mark.variants(18)
@pytest.mark.parametrize(("at", "key", "default"), DEFAULTS)
def test_a_default_is_what_leaving_the_key_out_means(
    at: str, key: str, default: Any, folder: Path
) -> None:
    section = next(section for section in SECTIONS if section.at == at)
    said, same, places = next(
        filter(itemgetter(2), (_twice(example, at, key) for example in section.examples))
    )
    for owner, other in places:
        owner[key] = default
        del other[key]
    assert loaded(yaml.dump(said), folder) == loaded(yaml.dump(same), folder)


def test_most_defaults_are_tried() -> None:
    assert len(DEFAULTS) >= 35


def test_the_defaults_of_the_causes_are_those_that_count() -> None:
    text = (Path(__file__).parent.parent / "docs" / "policy.md").read_text(encoding="utf-8")
    row = r"^\| `(\w+)` \| `block`, `warn`, `allow` \| (\w+) \|"
    listed = dict(re.findall(row, text, re.MULTILINE))
    assert listed == {str(cause): str(DEFAULT_ACTIONS[cause]) for cause in Cause}


@pytest.mark.parametrize("name", ["policy.md", "glossary.md"])
def test_the_change_classes_and_the_repairs_are_those_of_the_program(name: str) -> None:
    text = " ".join((page.TARGET.parent / name).read_text(encoding="utf-8").split())
    listed = re.findall(r"canary, .*?rollback", text)
    assert any(set(re.split(", | and ", words)) == set(BUILT_IN_CHANGES) for words in listed)
    assert list(BUILT_IN_CHANGES)[-4:] == sorted(REPAIRS, key=list(BUILT_IN_CHANGES).index)


def test_the_glossary_has_every_verdict_and_rule() -> None:
    text = (page.TARGET.parent / "glossary.md").read_text(encoding="utf-8").lower()
    assert [verdict for verdict in Verdict if str(verdict) not in text] == []
    assert [rule for rule in Rule if str(rule).replace("-", " ") not in text] == []
