"""The preset files in gate/presets: how a server, or the rows of a log, are described."""

from typing import Final

from gate.config.preset import KINDS, ROLES, Family, Option, Preset, PresetIndicator
from gate.parsing.objects import Field, Object, Values, build_as
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, ListOf, MapOf, Scalar, Union
from gate.parsing.values import BOOLEAN, LOG_FORMAT, NAME, NUMBER, TEXT, ZONE
from gate.settings import (
    SETTINGS,
    Deduplication,
    LogsSettings,
    Records,
)
from gate.slo.quantities import UNITS

_DEDUPLICATION: Final = Object(
    {
        "key": Field(
            schema=ListOf(TEXT),
            doc="Columns alike in rows about the same thing.",
            required=True,
            formerly="of",
        ),
        "order_by": Field(
            schema=ListOf(TEXT),
            doc="Columns that grow with each version of it.",
            required=True,
            formerly="by",
        ),
    },
    build_as(Deduplication),
)


def _build_records(values: Values, reader: Reader) -> Records:
    given = dict(values.values)
    given["optional"] = frozenset(values.get("optional", ()))
    records = Records(**given)
    undeclared = records.optional - records.columns.keys()
    if records.unnest:
        undeclared |= {records.timestamp} - records.columns.keys()
    if undeclared:
        message = f"these need a type in columns: {', '.join(sorted(undeclared))}"
        raise reader.fail(values.node(), message)
    return records


RECORDS: Final = Object(
    {
        "timestamp": Field(schema=TEXT, doc="Column of the time.", required=True),
        "time_zone": Field(schema=ZONE, doc="Of timestamps that carry none."),
        "format": Field(schema=LOG_FORMAT, doc="Where the files' names do not tell it."),
        "columns": Field(schema=MapOf(TEXT), doc="Column -> the DuckDB type to read it as."),
        "optional": Field(schema=ListOf(TEXT), doc="Which of these a file may lack: NULL then."),
        "unnest": Field(
            schema=ListOf(TEXT),
            doc="JSON: keys of nested lists; a row is an item.",
            formerly="each",
        ),
        "deduplicate": Field(
            schema=_DEDUPLICATION,
            doc="Of several versions of a row only the newest counts.",
            formerly="newest",
        ),
    },
    _build_records,
)

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
    used = frozenset[str]().union(*(family.placeholders for family in indicator.families))
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
    if (preset.records is None) == (preset.backend == LogsSettings.kind):
        raise reader.fail(values.node(), "records belong to the logs backend, and it needs them")
    return preset


PRESET: Final = Object(
    {
        "title": Field(schema=TEXT, doc="The server's name.", required=True),
        "about": Field(schema=TEXT, doc="What is read, and what it needs.", required=True),
        "backend": Field(schema=Choice(tuple(SETTINGS)), doc="What counts.", required=True),
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
