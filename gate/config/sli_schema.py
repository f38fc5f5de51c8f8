"""The ``sli`` of an SLO: written out, or by the name of a preset."""

from collections.abc import Callable, Iterator
from typing import Final

from gate.parsing.numbers import ABOVE_ZERO, THRESHOLD, threshold_in
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Choice, JsonSchema, MapOf, Scalar
from gate.parsing.values import INSTANT, NAME, TEXT
from gate.slo.indicator import Bucket, Histogram, Sli
from gate.slo.quantities import UNITS

_SLI_KINDS: Final = {
    "ratio": ({"good", "bad"}, {"total"}),
    "threshold": ({"column"}, {"threshold", "unit", "total"}),
    "histogram": ({"histogram"}, {"threshold", "unit", "bucket"}),
    "gauge": ({"gauge"}, set[str]()),
    "spent": ({"spent"}, set[str]()),
    "series": ({"series"}, set[str]()),
    "metric": ({"metric"}, {"score", "cases_since"}),
    "platform": ({"slo"}, {"group"}),
}
"""The keys of each kind: at least one of the first set; every kind may have labels."""
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
"""Suffixes from https://prometheus.io/docs/practices/naming/#base-units, and other common ones."""


def sli_kind(sli: Sli) -> str:
    """Return the kind of a checked indicator, as backends name the kinds that they support."""
    return next(
        kind
        for kind, (heads, _) in _SLI_KINDS.items()
        if any(getattr(sli, head) is not None for head in heads)
    )


def _build_sli(values: Values, reader: Reader) -> Sli:
    if values.given("preset"):
        _refuse(values, reader, _OF_PRESET, "a preset")
        from gate.config.preset_sli import expand  # noqa: PLC0415 - reads the preset's file

        return expand(values, reader)
    if values.given("recorded"):
        _refuse(values, reader, _OF_RECORDED, "recorded series")
        from gate.config.preset_sli import expand_recorded  # noqa: PLC0415 - as above

        return expand_recorded(values, reader)
    kinds = [kind for kind, (heads, _) in _SLI_KINDS.items() if heads & values.values.keys()]
    if len(kinds) != 1:
        raise reader.fail(values.node(), _kinds_mistake(values, kinds))
    heads, others = _SLI_KINDS[kinds[0]]
    head = min(heads & values.values.keys())
    _refuse(values, reader, heads | others | {"labels"}, repr(head))
    if kinds[0] in _BUILDERS and not values.given("threshold"):
        message = f"add the largest good value of the {head}: 2.5s or 2500ms"
        raise reader.fail(values.node(), f"the key 'threshold' is missing; {message}")
    build = _BUILDERS.get(kinds[0])
    return Sli(**values.values) if build is None else build(values, reader)


def _kinds_mistake(values: Values, kinds: list[str]) -> str:
    """Return the mistake of an indicator with too few or too many kinds."""
    if kinds:
        first, second = (min(_SLI_KINDS[kind][0] & values.values.keys()) for kind in kinds[:2])
        return f"{first!r} and {second!r} do not go together; an indicator has one of the two"
    return (
        "the indicator does not say what to count; write {preset: vllm/errors}, {bad: ..., total:"
        " ...}, {histogram: ..., threshold: 2.5s}, {column: ..., threshold: 2500}, {gauge: ...},"
        " {metric: ...} or {spent: ...}"
    )


def _refuse(values: Values, reader: Reader, allowed: set[str], whose: str) -> None:
    foreign = [key for key in values.values if key not in allowed]
    if foreign:
        message = f"{foreign[0]!r} does not go with {whose}; remove it"
        raise reader.fail(values.node(foreign[0]), message)


def _of_column(values: Values, reader: Reader) -> Sli:
    given = values.only("column", "total", "labels")
    return Sli(**given, threshold=threshold_in(values, values.get("unit", ""), reader))


def _of_histogram(values: Values, reader: Reader) -> Sli:
    selector: str = values.get("histogram")
    name = selector.partition("{")[0].strip()
    units = (unit for suffix, unit in _SUFFIXES.items() if name.endswith(suffix))
    unit = values.get("unit") or next(units, "")
    if not unit and values.get("threshold").is_time:
        message = f"the name {name} does not show the unit of its values; add unit: s"
        raise reader.fail(values.node("histogram"), message)
    histogram = Histogram(
        good=selector,
        total=selector,
        threshold=threshold_in(values, unit, reader),
        unit=unit,
        bucket=values.get("bucket", Bucket.EXACT),
    )
    return Sli(histogram=histogram, labels=values.get("labels"))


_BUILDERS: Final[dict[str, Callable[[Values, Reader], Sli]]] = {
    "threshold": _of_column,
    "histogram": _of_histogram,
}


class _PresetName(Scalar[str]):
    """The name of a preset; the list of presets is read only for the schema and for mistakes."""

    def schema(self) -> JsonSchema:
        """Return the schema of all preset indicators, or of a name in the policy's own presets."""
        from gate.config.presets import OWN_INDICATOR, measurable  # noqa: PLC0415 - reads files

        shipped = [name for name, _, _ in measurable()]
        return {"anyOf": [{"enum": shipped}, {"type": "string", "pattern": OWN_INDICATOR}]}


def _kinds_json() -> Iterator[JsonSchema]:
    """Yield the keys of an indicator for each of its kinds."""
    yield {"required": ["preset"], "propertyNames": {"enum": sorted(_OF_PRESET)}}
    yield {"required": ["recorded"], "propertyNames": {"enum": sorted(_OF_RECORDED)}}
    for kind, (heads, others) in _SLI_KINDS.items():
        needed = ["threshold"] if kind in _BUILDERS else []
        names = sorted(heads | others | {"labels"})
        for head in sorted(heads):
            yield {"required": [head, *needed], "propertyNames": {"enum": names}}


SLI: Final = Object(
    {
        "preset": Field(
            schema=_PresetName(str, TEXT.json),
            doc="Name of a preset's indicator: vllm/errors.",
            example="vllm/errors",
        ),
        "options": Field(
            schema=MapOf(TEXT),
            doc="Options of the preset, which gate presets show NAME lists.",
            example="{client_errors: excluded}",
        ),
        "recorded": Field(
            schema=Choice(RECORDED),
            doc="The tool whose recording rules have already computed the indicator.",
            example="sloth",
        ),
        "good": Field(
            schema=TEXT,
            doc="Good events: an expression in PromQL or SQL.",
            example='sum(increase(http_requests_total{code!~"5.."}[$window]))',
        ),
        "bad": Field(
            schema=TEXT,
            doc="Bad events: an expression in PromQL or SQL.",
            example='sum(increase(http_requests_total{code=~"5.."}[$window]))',
        ),
        "total": Field(
            schema=TEXT,
            doc="All events: an expression in PromQL or SQL. Default: with logs, every row.",
            example="sum(increase(http_requests_total[$window]))",
        ),
        "histogram": Field(
            schema=TEXT,
            doc="Prometheus: name of a histogram without its suffix, with any label matchers.",
            example="http_request_duration_seconds",
        ),
        "column": Field(
            schema=TEXT,
            doc="Logs: a numeric column whose value is good up to the threshold.",
            example="latency_ms",
        ),
        "threshold": Field(
            schema=THRESHOLD,
            doc="Largest good value: a duration, or a bare number in the unit of the column.",
            example="2.5s",
        ),
        "unit": Field(
            schema=Choice(tuple(UNITS)),
            doc="Unit of the histogram or column, if the threshold is a duration.",
            example="ms",
        ),
        "bucket": Field(
            schema=Choice(tuple(Bucket)),
            doc="Boundary to use for a threshold that is not one of the histogram's. Default:"
            " exact.",
            example="stricter",
        ),
        "gauge": Field(
            schema=TEXT,
            doc="Prometheus: an expression that is 1 while up and 0 while down.",
            example='up{job="chat"}',
        ),
        "spent": Field(
            schema=TEXT,
            doc="Amount spent, in the unit of the allowance: an expression in PromQL or SQL.",
            example="sum(increase(llm_cost_usd_total[$window]))",
        ),
        "series": Field(
            schema=NAME,
            doc="Static: name of the counts in the file. Default: the SLO's name.",
            example="availability",
        ),
        "metric": Field(
            schema=TEXT,
            doc="Evaluations: metric or scorer, as the result files name it; all: every check.",
            example="faithfulness",
        ),
        "score": Field(
            schema=ABOVE_ZERO,
            doc="Evaluations: score that a case needs, above 0. Default: the tool's own verdict.",
            example="0.7",
        ),
        "cases_since": Field(
            schema=INSTANT,
            doc="Evaluations: instant of the last intended change to the set of cases.",
            example="2026-11-20T00:00:00Z",
        ),
        "slo": Field(
            schema=TEXT,
            doc="Platforms: exact name or id of the SLO on the platform.",
            example="Chat availability",
        ),
        "group": Field(
            schema=TEXT,
            doc="Platforms: group or instance of an SLO that has several. Default: the whole SLO.",
            example="model:llama",
        ),
        "labels": Field(
            schema=MapOf(TEXT),
            doc="Prometheus: label values that replace $labels.",
            example="{model_name: llama-3.3-70b}",
        ),
    },
    _build_sli,
    rules={"allOf": [{"anyOf": [*_kinds_json()]}]},
)
