"""The preset files: whole, sourced, and of one form."""

import re
from pathlib import Path

import pytest

from gate.backends.records import preset_names
from gate.config.preset import KINDS, UNSAID, Family, Preset
from gate.config.presets import PRESET, load_preset, measurable
from gate.parsing.files import Folder, Imports
from gate.parsing.reader import Reader, UnreadableError, compose
from gate.promql.expression import read_expression, read_selector
from gate.slo.quantities import parse_threshold
from tests.presets.pages import servers

FOLDER = Path(__file__).parents[2] / "gate" / "presets"
FAMILIES = [
    pytest.param(name, family, id=f"{name} {place}")
    for name, preset, indicator in measurable()
    if preset.backend == "prometheus"
    for place, family in enumerate(indicator.families)
]
SPELLING = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
TINY = """\
title: Tiny
about: a server
backend: prometheus
sources: [here]
indicators:
"""


@pytest.mark.parametrize("name", preset_names())
def test_a_file_has_every_kind_with_a_signal_or_the_way_round(name: str) -> None:
    preset = load_preset(name)

    assert SPELLING.fullmatch(name)
    assert list(preset.indicators) == list(KINDS)
    assert UNSAID not in preset.indicators.values()
    assert all(len(indicator.about) > 20 for indicator in preset.indicators.values())


@pytest.mark.parametrize("name", preset_names())
def test_a_file_says_where_it_is_from(name: str) -> None:
    preset = load_preset(name)
    sources = [*preset.sources, *(s for one in preset.indicators.values() for s in one.sources)]

    repository, package = r"[\w.-]+/[\w.-]+ \S+@\w|", r"[\w.-]+ [0-9]\S+ on PyPI, "
    found = [one for one in sources if re.match(f"{repository}{package}|https://", one)]
    assert found, "a repository's file at a commit, a package's file, or an address"


def test_presets_that_are_named_in_texts_are_there() -> None:
    named = {
        found
        for path in FOLDER.glob("*.yaml")
        for found in re.findall(r"\b([a-z0-9-]+)/([a-z-]+)\b", path.read_text(encoding="utf-8"))
        if found[1] in KINDS
    }
    known = {tuple(name.split("/")) for name, _, _ in measurable()}

    assert named - known == set()


@pytest.mark.variants(38)
@pytest.mark.parametrize(("name", "family"), FAMILIES)
def test_every_selector_takes_the_labels_of_the_policy(name: str, family: Family) -> None:
    labels = {"planted": "yes"}
    placeholders = re.compile(r"\$(?!labels|window)[a-z_]+")
    for role, text in family.expressions.items():
        found = read_expression(placeholders.sub("", text), labels, gauge=role == "gauge")
        assert [one for one in found.selectors if 'planted="yes"' not in one] == [], name
    if family.histogram is not None:
        _, braces = read_selector(placeholders.sub("", family.histogram), labels)
        assert 'planted="yes"' in braces


@pytest.mark.variants(38)
@pytest.mark.parametrize(("name", "family"), FAMILIES)
def test_the_threshold_that_is_proposed_is_a_boundary_by_default(name: str, family: Family) -> None:
    proposed = load_preset(name.partition("/")[0]).indicators[name.partition("/")[2]].threshold
    if proposed is None or not family.boundaries:
        return
    threshold = parse_threshold(proposed)
    assert threshold is not None
    assert threshold.in_unit(family.unit or "") in family.boundaries
    assert list(family.boundaries) == sorted(family.boundaries)


def test_every_prometheus_preset_is_tried_against_what_its_server_exposes() -> None:
    modules = servers()
    untried = {
        f"{name}/{kind}"
        for name in preset_names()
        for kind, indicator in load_preset(name).indicators.items()
        if load_preset(name).backend == "prometheus" and indicator.families
        if name not in modules or kind not in modules[name].EXPECTED
    }
    assert untried == set()


def flaw(indicator: str, head: str = TINY) -> str:
    """Return what is said of a file all of whose indicators but one are missing."""
    rest = "".join(f"  {kind}: {{missing: none}}\n" for kind in list(KINDS)[1:])
    reader = Reader(file="tiny.yaml", environ={}, imports=Imports(tree=Folder(FOLDER)))
    with pytest.raises(UnreadableError):
        PRESET.read(compose(f"{head}  errors: {indicator}\n{rest}", reader), reader)
    (mistake,) = reader.mistakes
    return mistake.message


@pytest.mark.parametrize(
    ("indicator", "message"),
    [
        ("{}", "an indicator has either 'missing' or a description; remove one"),
        (
            "{missing: none, about: much}",
            "an indicator has either 'missing' or a description; remove one",
        ),
        (
            "{about: a, families: [{bad: x, total: y, histogram: z, column: a}]}",
            "a family has expressions, a histogram, or a column",
        ),
        ("{about: a, families: [{}]}", "a family has expressions, a histogram, or a column"),
        (
            "{about: a, families: [{histogram: x}]}",
            "the key 'unit' is missing; add the unit of the boundaries or of the column",
        ),
        (
            "{about: a, families: [{histogram: x, unit: s}]}",
            "'threshold' and 'unit' must be given together",
        ),
        (
            "{about: a, families: [{bad: 'x{$clients}', total: x}]}",
            "options and placeholders differ: clients",
        ),
        (
            "{about: a, families: [{bad: x, total: x}], options: {o: {about: b, default: c}}}",
            "an option has either choices or a pattern",
        ),
        (
            "{about: a, families: [{bad: 'x{$o}', total: x}],"
            " options: {o: {about: b, default: c, choices: {d: ''}}}}",
            "the default must be one of the choices",
        ),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(indicator: str, message: str) -> None:
    assert flaw(indicator) == message


def test_a_score_is_held_to_a_bare_number() -> None:
    rest = "".join(f"  {kind}: {{missing: none}}\n" for kind in list(KINDS)[1:])
    reader = Reader(file="tiny.yaml", environ={}, imports=Imports(tree=Folder(FOLDER)))
    family = "{good: 'score >= $threshold', total: 'true', unit: none}"
    text = f"{TINY}  errors: {{about: a, families: [{family}], threshold: '0.7'}}\n{rest}"

    preset: Preset = PRESET.read(compose(text, reader), reader)

    assert preset.indicators["errors"].families[0].unit == ""
