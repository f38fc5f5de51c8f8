"""Preset files: their keys, the built-in presets, and those of a policy."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Final

from gate.backends import BACKENDS, registration
from gate.backends.records import (
    OWN_NAME,
    PRESETS,
    RECORDS,
    preset_names,
    read_preset,
    records_flaw,
)
from gate.config.preset import (
    ALIASES,
    KINDS,
    ROLES,
    UNSAID,
    Family,
    Option,
    Preset,
    PresetIndicator,
)
from gate.parsing.numbers import NUMBER
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, MapOf, Scalar, Union
from gate.parsing.values import BOOLEAN, NAME, TEXT
from gate.slo.quantities import UNITS

_NO_UNIT: Final = "none"


def _build_option(values: Values, reader: Reader) -> Option:
    option = Option(**values.values)
    if (option.pattern is None) == (not option.choices):
        raise reader.fail(values.node(), "an option has either choices or a pattern")
    if option.choices and option.default not in {None, *option.choices}:
        raise reader.fail(values.node("default"), "the default must be one of the choices")
    return option


_OTHERS: Final = ("unit", "boundaries", "sliced", "notes")
_ANY_JSON: Final = {"type": TEXT.json["type"]}
_ANY_TEXT: Final = Scalar(str, _ANY_JSON, may_be_empty=True)
_FRAGMENT: Final = Union(
    Scalar(lambda text: dict.fromkeys(ROLES, text), _ANY_JSON, may_be_empty=True),
    MapOf(_ANY_TEXT),
)
_OPTION: Final = Object(
    {
        "about": Field(schema=TEXT, doc="Meaning of the option.", required=True),
        "default": Field(schema=TEXT, doc="Default choice; without one, the policy must choose."),
        "choices": Field(
            schema=MapOf(_FRAGMENT), doc="For each choice, its text, or one text per role."
        ),
        "pattern": Field(schema=TEXT, doc="Pattern that a text of the policy must match."),
    },
    _build_option,
)


def _build_family(values: Values, reader: Reader) -> Family:
    expressions = {role: values.get(role) for role in values.given(*ROLES)}
    compared = values.given("histogram", "column")
    if len(compared) > 1 or not (compared or expressions):
        raise reader.fail(values.node(), "a family has expressions, a histogram, or a column")
    if compared and not values.given("unit"):
        raise reader.fail(
            values.node(),
            "the key 'unit' is missing; add the unit of the boundaries or of the column",
        )
    others = {key: values.get(key) for key in values.given(*compared, *_OTHERS)}
    return Family(expressions=expressions, **others)


_UNIT_WORDS: Final = Choice((*UNITS, _NO_UNIT))
_UNIT: Final = Scalar(
    lambda text: "" if text == _NO_UNIT else _UNIT_WORDS.parse(text), _UNIT_WORDS.schema()
)
_FAMILY: Final = Object(
    {
        **{role: Field(schema=TEXT, doc=f"The expression for {role}.") for role in ROLES},
        "histogram": Field(
            schema=TEXT, doc="Name of the histogram, with matchers and without a suffix."
        ),
        "column": Field(schema=TEXT, doc="Numeric column of the log."),
        "unit": Field(
            schema=_UNIT, doc="Unit of the values that the threshold is compared with, or none."
        ),
        "boundaries": Field(schema=ListOf(NUMBER), doc="Default boundaries of the histogram."),
        "sliced": Field(
            schema=BOOLEAN, doc="Whether slices of time are counted instead of events."
        ),
        "notes": Field(schema=ListOf(TEXT), doc="Notes in every report that uses the indicator."),
    },
    _build_family,
)


def _build_indicator(values: Values, reader: Reader) -> PresetIndicator:
    given = dict(values.values)
    missing = given.pop("missing", None)
    if (missing is None) == (not given):
        raise reader.fail(
            values.node(), "an indicator has either 'missing' or a description; remove one"
        )
    if missing is not None:
        return PresetIndicator(about=missing)
    indicator = PresetIndicator(**given)
    texts: list[Family | Option] = [*indicator.families, *indicator.options.values()]
    used = frozenset[str]().union(*(text.placeholders for text in texts))
    if used != indicator.options.keys():
        odd = ", ".join(sorted(used ^ indicator.options.keys()))
        raise reader.fail(values.node(), f"options and placeholders differ: {odd}")
    if any((family.unit is None) != (indicator.threshold is None) for family in indicator.families):
        raise reader.fail(values.node(), "'threshold' and 'unit' must be given together")
    return indicator


INDICATOR: Final = Object(
    {
        "missing": Field(
            schema=TEXT, doc="Why the server has no such signal, and what to use instead."
        ),
        "about": Field(schema=TEXT, doc="Which events are bad, out of which."),
        "families": Field(
            schema=ListOf(_FAMILY, at_least=1),
            doc="Ways to measure it, with the newest names first.",
        ),
        "options": Field(schema=MapOf(_OPTION), doc="Options for choices on which teams differ."),
        "threshold": Field(schema=TEXT, doc="Threshold that works by default."),
        "requires": Field(schema=ListOf(NAME), doc="Labels that the policy must give."),
        "notes": Field(schema=ListOf(TEXT), doc="Caveats."),
        "sources": Field(schema=ListOf(TEXT), doc="Sources of this information."),
    },
    _build_indicator,
)


def _build_kinds(values: Values, _: Reader) -> dict[str, PresetIndicator]:
    return {kind: values.get(kind, UNSAID) for kind in KINDS}


def _build_preset(values: Values, reader: Reader) -> Preset:
    preset = Preset(**values.values)
    if (preset.records is None) == registration(preset.backend).reads_rows:
        message = "records belong to a backend that reads rows, and it needs them"
        raise reader.fail(values.node(), message)
    if preset.records is None:
        return preset
    if flaw := records_flaw(preset.records, preset.backend):
        raise reader.fail(values.node("records"), flaw)
    return replace(preset, records=replace(preset.records, backend=preset.backend))


PRESET: Final = Object(
    {
        "title": Field(schema=TEXT, doc="The server's name.", required=True),
        "about": Field(
            schema=TEXT, doc="Data that the preset reads, and its requirements.", required=True
        ),
        "backend": Field(schema=Choice(tuple(BACKENDS)), doc="Backend that counts.", required=True),
        "labels": Field(schema=ListOf(NAME), doc="Labels that people select by."),
        "requires": Field(schema=ListOf(NAME), doc="Labels that the policy must give."),
        "records": Field(schema=RECORDS, doc="Logs: the form of their rows."),
        "boundary_flag": Field(schema=TEXT, doc="How to get another histogram boundary."),
        "notes": Field(schema=ListOf(TEXT), doc="Caveats for all its indicators."),
        "sources": Field(
            schema=ListOf(TEXT, at_least=1), doc="Sources of this information.", required=True
        ),
        "indicators": Field(
            schema=Object(
                {kind: Field(schema=INDICATOR, doc=doc) for kind, doc in KINDS.items()},
                _build_kinds,
            ),
            doc="The indicators, by kind.",
            required=True,
        ),
    },
    _build_preset,
)
_RECORDED: Final = PRESETS / "recorded"
OWN_INDICATOR: Final = f"{OWN_NAME[:-1]}/({'|'.join((*KINDS, *ALIASES))})$"
"""The form of an indicator's name in a policy's own preset file."""


@cache
def load_preset(name: str) -> Preset:
    """Read one of `preset_names`.

    Raises:
        UnreadableError: the file is not valid; tests check that the built-in ones are.
    """
    return read_preset(name, PRESET)


def load_presets() -> dict[str, Preset]:
    """Read every built-in preset, by name."""
    return {name: load_preset(name) for name in preset_names()}


def find_preset(name: str, own: Mapping[str, Preset | None]) -> Preset | None:
    """Return the preset of this name; None if it does not exist or its file cannot be read.

    Args:
        name: the name without a kind.
        own: the presets of the policy's own files.
    """
    if name in own:
        return own[name]
    return load_preset(name) if name in preset_names() else None


@cache
def load_recorded(name: str) -> PresetIndicator:
    """Read how the recorded series of a tool are counted.

    Raises:
        UnreadableError: as `load_preset`.
    """
    return read_preset(name, INDICATOR, _RECORDED)


def measurable() -> Iterator[tuple[str, Preset, PresetIndicator]]:
    """Yield every indicator that can be measured, as ``vllm/errors``, with its preset."""
    for name in preset_names():
        preset = load_preset(name)
        for kind in KINDS:
            if preset.indicators[kind].families:
                yield f"{name}/{kind}", preset, preset.indicators[kind]
