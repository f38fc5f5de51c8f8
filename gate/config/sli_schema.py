"""The ``sli`` of an SLO: written out, or by the name of a preset."""

from collections.abc import Callable
from typing import Final

from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, JsonSchema, MapOf, Scalar
from gate.parsing.values import NAME, NUMBER, TEXT, threshold_in
from gate.slo.indicator import Bucket, Histogram, Sli
from gate.slo.quantities import UNITS, Threshold, parse_threshold

_SLI_KINDS: Final = {
    "ratio": ({"good", "bad"}, {"total"}),
    "threshold": ({"column"}, {"threshold", "unit", "total"}),
    "histogram": ({"histogram"}, {"threshold", "unit", "bucket"}),
    "gauge": ({"gauge"}, set[str]()),
    "spent": ({"spent"}, set[str]()),
    "series": ({"series"}, set[str]()),
}
"""Which keys make which kind, one or more of the first set; every kind may have labels."""
_OF_PRESET: Final = {"preset", "threshold", "bucket", "labels", "options"}
_OF_RECORDED: Final = {"recorded", "labels"}
RECORDED: Final = ("grafana", "pyrra", "sloth")
"""The tools that have a file in gate/presets/recorded."""
_SUFFIXES: Final = {
    "_seconds": "s",
    "_milliseconds": "ms",
    "_ms": "ms",
    "_microseconds": "us",
    "_us": "us",
}
"""https://prometheus.io/docs/practices/naming/#base-units, and what others write."""


def sli_kind(sli: Sli) -> str:
    """Return the kind of a checked indicator, as backends name what they can count."""
    return next(
        kind
        for kind, (heads, _) in _SLI_KINDS.items()
        if any(getattr(sli, head) is not None for head in heads)
    )


def _build_sli(values: Values, reader: Reader) -> Sli:
    if values.given("preset"):
        _refuse(values, reader, _OF_PRESET, "a preset")
        from gate.config.presets import expand  # noqa: PLC0415 - reads the preset's file

        return expand(values, reader)
    if values.given("recorded"):
        _refuse(values, reader, _OF_RECORDED, "recorded series")
        from gate.config.presets import expand_recorded  # noqa: PLC0415 - as above

        return expand_recorded(values, reader)
    kinds = [kind for kind, (heads, _) in _SLI_KINDS.items() if heads & values.values.keys()]
    if len(kinds) != 1:
        message = (
            "an indicator is one of: a preset; recorded; bad or good with total; histogram or"
            " column with threshold; gauge; spent; series"
        )
        raise reader.fail(values.node(), message)
    heads, others = _SLI_KINDS[kinds[0]]
    _refuse(values, reader, heads | others | {"labels"}, repr(min(heads & values.values.keys())))
    given = dict(values.values)
    build = _BUILDERS.get(kinds[0])
    return Sli(**given) if build is None else build(values, reader)


def _refuse(values: Values, reader: Reader, allowed: set[str], whose: str) -> None:
    foreign = [key for key in values.values if key not in allowed]
    if foreign:
        message = f"{foreign[0]!r} does not go with {whose}"
        raise reader.fail(values.node(foreign[0]), message)


def _of_column(values: Values, reader: Reader) -> Sli:
    if not values.given("threshold"):
        raise reader.fail(values.node(), "column and threshold belong together")
    given = values.only("column", "total", "labels")
    return Sli(**given, threshold=threshold_in(values, values.get("unit", ""), reader))


def _of_histogram(values: Values, reader: Reader) -> Sli:
    if not values.given("threshold"):
        raise reader.fail(values.node(), "histogram and threshold belong together")
    selector: str = values.get("histogram")
    name = selector.partition("{")[0].strip()
    units = (unit for suffix, unit in _SUFFIXES.items() if name.endswith(suffix))
    unit = values.get("unit") or next(units, "")
    if not unit and values.get("threshold").is_time:
        message = f"the name {name} does not tell its unit; add one: unit: s"
        raise reader.fail(values.node("histogram"), message)
    return Sli(
        histogram=Histogram(
            good=selector,
            total=selector,
            threshold=threshold_in(values, unit, reader),
            unit=unit,
            bucket=values.get("bucket", Bucket.EXACT),
        ),
        labels=values.get("labels"),
    )


_BUILDERS: Final[dict[str, Callable[[Values, Reader], Sli]]] = {
    "threshold": _of_column,
    "histogram": _of_histogram,
}


def _threshold(text: str) -> Threshold:
    return parse_threshold(text) or Threshold(NUMBER.parse(text), is_time=False)


class _PresetName(Scalar[str]):
    """The name of a preset; the list of them is read for the schema and for mistakes only."""

    def __init__(self) -> None:
        super().__init__(str, TEXT.json)

    def schema(self) -> JsonSchema:
        """Return everything that can be measured, or a name of the policy's own."""
        from gate.config.presets import OWN_INDICATOR, measurable  # noqa: PLC0415 - reads files

        shipped = [name for name, _, _ in measurable()]
        return {"anyOf": [{"enum": shipped}, {"type": "string", "pattern": OWN_INDICATOR}]}


SLI: Final = Object(
    {
        "preset": Field(schema=_PresetName(), doc="Name of a preset's indicator: vllm/errors."),
        "options": Field(
            schema=MapOf(TEXT), doc="Options of the preset, which gate presets show NAME lists."
        ),
        "recorded": Field(
            schema=Choice(RECORDED),
            doc="The tool whose recording rules have already computed the indicator.",
        ),
        "good": Field(schema=TEXT, doc="Good events: an expression in PromQL or SQL."),
        "bad": Field(schema=TEXT, doc="Bad events: an expression in PromQL or SQL."),
        "total": Field(
            schema=TEXT,
            doc="All events: an expression in PromQL or SQL. Default: with logs, every row.",
        ),
        "histogram": Field(
            schema=TEXT,
            doc="Prometheus: name of a histogram without its suffix, with any label matchers.",
        ),
        "column": Field(
            schema=TEXT, doc="Logs: a numeric column whose value is good up to the threshold."
        ),
        "threshold": Field(
            schema=Scalar(_threshold, {**NUMBER.json, "examples": ["2.5s", "100ms", 0.7]}),
            doc="Largest good value: a duration, or a bare number in the unit of the column.",
        ),
        "unit": Field(
            schema=Choice(tuple(UNITS)),
            doc="Unit of the histogram or column, if the threshold is a duration.",
        ),
        "bucket": Field(
            schema=Choice(tuple(Bucket)),
            doc="Which boundary to use for a threshold that the histogram lacks. Default: exact.",
        ),
        "gauge": Field(
            schema=TEXT, doc="Prometheus: an expression that is 1 while up and 0 while down."
        ),
        "spent": Field(
            schema=TEXT,
            doc="Amount spent, in the unit of the allowance: an expression in PromQL or SQL.",
        ),
        "series": Field(
            schema=NAME, doc="Static: name of the counts in the file. Default: the SLO's name."
        ),
        "labels": Field(schema=MapOf(TEXT), doc="Prometheus: label values that replace $labels."),
    },
    _build_sli,
)
