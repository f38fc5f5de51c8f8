"""The preset files in gate/presets: what is known of a server or of a log, and how it is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final

from gate.backends import BACKENDS, registration
from gate.backends.records import RECORDS, Records
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, MapOf, Scalar, Union
from gate.parsing.values import BOOLEAN, NAME, NUMBER, TEXT
from gate.slo.quantities import UNITS

EVALUATION: Final = "faithfulness"
KINDS: Final[Mapping[str, str]] = {
    "errors": "requests that failed",
    "availability": "time in which the service was up",
    "latency": "requests answered whole within a threshold",
    "time-to-first-token": "requests whose first token came within a threshold",
    "inter-token-latency": "tokens, or requests by their mean, within a threshold of each other",
    "content-safety": "answers that broke a rule on content, or that a guardrail stopped",
    EVALUATION: "judged answers that the sources do not bear out; also called hallucination",
    "user-reported-errors": "answers that users complained of",
    "degenerate-output": "answers that repeat themselves or make no sense",
    "cost-per-query": "requests that cost at most a threshold",
    "spend": "money or tokens spent, for an allowance",
    "inference-failures": "failures of the engine itself: out of memory, broken workers",
}
"""The kinds of indicator, named alike in every preset file; each file has all of them."""
ALIASES: Final = {"hallucination": EVALUATION}
ROLES: Final = ("bad", "good", "total", "gauge", "spent", "objective")
_PLACEHOLDER: Final = re.compile(r"\$([a-z][a-z_]*)")
_OWN: Final = frozenset({"window", "labels", "threshold"})
"""Placeholders that are filled in by whoever counts, or by the policy's own keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something on which honest people differ, or a name that only the team knows."""

    about: str
    default: str | None = None
    """None: there is no safe guess, and the policy must choose."""
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By the choice, the text that takes the placeholder's place, by role."""
    pattern: str | None = None
    """Given instead of choices: any text of this form takes its place."""

    @property
    def placeholders(self) -> frozenset[str]:
        """The other options that it speaks of."""
        texts = [text for roles in self.choices.values() for text in roles.values()]
        return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text)) - _OWN

    def texts(self, chosen: str) -> Mapping[str, str]:
        """By role, the text that takes the placeholder's place if this is chosen."""
        return self.choices[chosen] if self.pattern is None else dict.fromkeys(ROLES, chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One way to measure an indicator: expressions by role, a histogram, or a column."""

    expressions: Mapping[str, str]
    histogram: str | None = None
    column: str | None = None
    unit: str | None = None
    """Of the threshold: one of `UNITS`, or empty for a bare number; None: it takes none."""
    boundaries: tuple[Fraction, ...] = ()
    """Of the histogram by default, in its unit; empty: not known."""
    sliced: bool = False
    """The expressions count slices of time, not events."""
    notes: tuple[str, ...] = ()
    """What every report says when it is measured in this way."""

    @property
    def placeholders(self) -> frozenset[str]:
        """The options that it speaks of."""
        texts = [*self.expressions.values(), self.histogram or ""]
        return frozenset(name for text in texts for name in _PLACEHOLDER.findall(text)) - _OWN


@dataclass(frozen=True, slots=True, kw_only=True)
class PresetIndicator:
    """One kind of indicator of one server."""

    about: str
    families: tuple[Family, ...] = ()
    """Newest names first; empty: there is no such signal, and ``about`` says the way round."""
    options: Mapping[str, Option] = field(default_factory=dict)
    threshold: str | None = None
    """One that works by default; None: it takes none."""
    requires: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """All that is known of one server or one format of request logs."""

    title: str
    about: str
    backend: str
    indicators: Mapping[str, PresetIndicator]
    sources: tuple[str, ...]
    labels: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    """Labels that every indicator needs from the policy."""
    boundary_flag: str | None = None
    notes: tuple[str, ...] = ()
    records: Records | None = None
    """Of the log's rows; None: this is no preset for logs."""


def fill(text: str, role: str, options: Mapping[str, Mapping[str, str]]) -> str:
    """Put the options' texts in the place of their placeholders; `_OWN` ones stay.

    The text of an option may speak of other options, and never of itself.
    """

    def filled(placeholder: re.Match[str]) -> str:
        option = options.get(placeholder[1])
        if option is None:
            return placeholder[0]
        others = {key: texts for key, texts in options.items() if key != placeholder[1]}
        return fill(option.get(role, ""), role, others)

    return _PLACEHOLDER.sub(filled, text)


_NO_UNIT: Final = "none"


def _build_option(values: Values, reader: Reader) -> Option:
    option = Option(**values.values)
    if (option.pattern is None) == (not option.choices):
        raise reader.fail(values.node(), "an option has either choices or a pattern")
    if option.choices and option.default not in {None, *option.choices}:
        raise reader.fail(values.node("default"), "the default is none of the choices")
    return option


_OTHERS: Final = ("unit", "boundaries", "sliced", "notes")
_ANY_TEXT: Final = Scalar(str, TEXT.json, may_be_empty=True)
_FRAGMENT: Final = Union(
    Scalar(lambda text: dict.fromkeys(ROLES, text), TEXT.json, may_be_empty=True),
    MapOf(_ANY_TEXT),
)
_OPTION: Final = Object(
    {
        "about": Field(schema=TEXT, doc="What it is about.", required=True),
        "default": Field(schema=TEXT, doc="What is taken without it; none: it must be given."),
        "choices": Field(schema=MapOf(_FRAGMENT), doc="By choice, the text, or one per role."),
        "pattern": Field(schema=TEXT, doc="Of a text that the policy gives."),
    },
    _build_option,
)


def _build_family(values: Values, reader: Reader) -> Family:
    expressions = {role: values.get(role) for role in values.given(*ROLES)}
    compared = values.given("histogram", "column")
    if len(compared) > 1 or not (compared or expressions):
        raise reader.fail(values.node(), "a family has expressions, a histogram, or a column")
    if compared and not values.given("unit"):
        raise reader.fail(values.node(), "the key 'unit' is missing: of the boundaries or column")
    others = {key: values.get(key) for key in values.given(*compared, *_OTHERS)}
    return Family(expressions=expressions, **others)


_UNIT_WORDS: Final = Choice((*UNITS, _NO_UNIT))
_UNIT: Final = Scalar(
    lambda text: "" if text == _NO_UNIT else _UNIT_WORDS.parse(text), _UNIT_WORDS.schema()
)
_FAMILY: Final = Object(
    {
        **{role: Field(schema=TEXT, doc=f"The expression for {role}.") for role in ROLES},
        "histogram": Field(schema=TEXT, doc="The family's name, with matchers and no suffix."),
        "column": Field(schema=TEXT, doc="A numeric column of the log."),
        "unit": Field(schema=_UNIT, doc="Of what the threshold is compared with, or none."),
        "boundaries": Field(schema=ListOf(NUMBER), doc="Of the histogram by default."),
        "sliced": Field(schema=BOOLEAN, doc="Slices of time are counted, not events."),
        "notes": Field(schema=ListOf(TEXT), doc="For every report."),
    },
    _build_family,
)


def _build_indicator(values: Values, reader: Reader) -> PresetIndicator:
    given = dict(values.values)
    missing = given.pop("missing", None)
    if (missing is None) == (not given):
        raise reader.fail(values.node(), "an indicator is either missing, or is described")
    if missing is not None:
        return PresetIndicator(about=missing)
    indicator = PresetIndicator(**given)
    speaking = [*indicator.families, *indicator.options.values()]
    used = frozenset[str]().union(*(each.placeholders for each in speaking))
    if used != indicator.options.keys():
        odd = ", ".join(sorted(used ^ indicator.options.keys()))
        raise reader.fail(values.node(), f"options and placeholders differ: {odd}")
    if any((family.unit is None) != (indicator.threshold is None) for family in indicator.families):
        raise reader.fail(values.node(), "a threshold and a unit belong together")
    return indicator


INDICATOR: Final = Object(
    {
        "missing": Field(schema=TEXT, doc="Why there is no such signal, and the way round."),
        "about": Field(schema=TEXT, doc="What is bad, out of what."),
        "families": Field(schema=ListOf(_FAMILY, at_least=1), doc="Newest names first."),
        "options": Field(schema=MapOf(_OPTION), doc="Where honest people differ."),
        "threshold": Field(schema=TEXT, doc="One that works by default."),
        "requires": Field(schema=ListOf(NAME), doc="Labels that the policy must give."),
        "notes": Field(schema=ListOf(TEXT), doc="Caveats."),
        "sources": Field(schema=ListOf(TEXT), doc="Where this is from."),
    },
    _build_indicator,
)


def _build_preset(values: Values, reader: Reader) -> Preset:
    preset = Preset(**values.values)
    if (preset.records is None) == registration(preset.backend).reads_rows:
        message = "records belong to a backend that reads rows, and it needs them"
        raise reader.fail(values.node(), message)
    return preset


PRESET: Final = Object(
    {
        "title": Field(schema=TEXT, doc="The server's name.", required=True),
        "about": Field(schema=TEXT, doc="What is read, and what it needs.", required=True),
        "backend": Field(schema=Choice(tuple(BACKENDS)), doc="What counts.", required=True),
        "labels": Field(schema=ListOf(NAME), doc="Labels that people select by."),
        "requires": Field(schema=ListOf(NAME), doc="Labels that the policy must give."),
        "records": Field(schema=RECORDS, doc="Logs: what their rows look like."),
        "boundary_flag": Field(schema=TEXT, doc="How to get another histogram boundary."),
        "notes": Field(schema=ListOf(TEXT), doc="Caveats of all of it."),
        "sources": Field(schema=ListOf(TEXT, at_least=1), doc="Where this is from.", required=True),
        "indicators": Field(
            schema=Object(
                {
                    kind: Field(schema=INDICATOR, doc=doc, required=True)
                    for kind, doc in KINDS.items()
                },
                lambda values, _: dict(values.values),
            ),
            doc="By kind.",
            required=True,
        ),
    },
    _build_preset,
)
