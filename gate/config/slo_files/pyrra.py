"""Pyrra's files, counted as Pyrra counts.

https://github.com/pyrra-dev/pyrra/blob/main/kubernetes/api/v1alpha1/servicelevelobjective_types.go
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from gate.config.slo_files import PASSED_OVER, Document, DocumentContext, SloDraft, resources
from gate.config.slo_files.indicators import PERCENTAGE, SELECTOR
from gate.config.slo_schema import PlacedSlo
from gate.parsing.objects import Field, Object, Values, as_read
from gate.parsing.reader import Reader
from gate.parsing.schema import ListOf
from gate.parsing.values import DURATION, TEXT
from gate.promql.selectors import either_boundary
from gate.slo.indicator import Sli
from gate.slo.objective import Denominator, RollingWindow

_BOUNDARY: Final = re.compile(r"[{,]\s*le\s*=\s*[\"']")
_KINDS: Final = ("ratio", "latency", "latencyNative", "bool_gauge")


def read_document(document: Document, _around: DocumentContext) -> list[PlacedSlo]:
    """Return the one SLO of a document.

    Raises:
        UnreadableError: something is wrong in it; the mistakes are noted.
    """
    metadata, spec = _RESOURCE.read(document.node, document.reader)
    draft = SloDraft(
        name=metadata.get("name"),
        objective=spec.get("target"),
        sli=spec.get("indicator"),
        node=metadata.node("name"),
    )
    window = RollingWindow(spec.get("window")), Denominator.PERIOD
    return [draft.placed(window, document.reader)]


def _indicator(fields: Mapping[str, Field], build: Callable[[Values, Reader], Sli]) -> Field:
    """Return the schema of one kind of indicator."""

    def ungrouped(values: Values, reader: Reader) -> Sli:
        if values.get("grouping"):
            message = (
                "each group has a budget of its own, and their sum would hide a bad one; write an"
                " SLO for each group that matters, with its label in the metrics"
            )
            raise reader.fail(values.node("grouping"), message)
        return build(values, reader)

    grouping = Field(schema=ListOf(TEXT), doc="One budget for each value of these labels.")
    return Field(schema=Object({**fields, "grouping": grouping}, ungrouped), doc="What is counted.")


def _ratio(values: Values, _reader: Reader) -> Sli:
    return Sli(bad=values.get("errors"), total=values.get("total"))


def _latency(values: Values, reader: Reader) -> Sli:
    success = values.get("success")
    if not _BOUNDARY.search(success):
        message = 'no boundary is named; write for example requests_seconds_bucket{le="0.5"}'
        raise reader.fail(values.node("success"), message)
    return Sli(good=either_boundary(success), total=values.get("total"))


def _latency_native(values: Values, _reader: Reader) -> Sli:
    """Return the share of a native histogram up to a bound, which the server interpolates."""
    histogram = f"sum(increase({values.get('total')}[$window]))"
    seconds = f"{values.get('latency').total_seconds():.3f}"
    count = f"histogram_count({histogram})"
    return Sli(good=f"histogram_fraction(0, {seconds}, {histogram}) * {count}", total=count)


def _bool_gauge(values: Values, _reader: Reader) -> Sli:
    """Return the samples that are 1, of all samples."""
    gauge = values.get("metric")
    return Sli(
        good=f"sum(sum_over_time({gauge}[$window]))",
        total=f"sum(count_over_time({gauge}[$window]))",
    )


def _build_indicator(values: Values, reader: Reader) -> Sli:
    kinds = values.given(*_KINDS)
    if len(kinds) != 1:
        raise reader.fail(values.node(), f"an indicator is exactly one of {', '.join(_KINDS)}")
    sli: Sli = values.get(kinds[0])
    return sli


_GAUGE: Final = Field(schema=SELECTOR, doc="One metric.", required=True)
_METRIC: Final = Field(
    schema=Object({"metric": _GAUGE}, lambda values, _: values.get("metric")),
    doc="A metric.",
    required=True,
)
_INDICATOR: Final = Object(
    {
        "ratio": _indicator({"errors": _METRIC, "total": _METRIC}, _ratio),
        "latency": _indicator({"success": _METRIC, "total": _METRIC}, _latency),
        "latencyNative": _indicator(
            {"latency": Field(schema=DURATION, doc="The bound.", required=True), "total": _METRIC},
            _latency_native,
        ),
        "bool_gauge": _indicator({"metric": _GAUGE}, _bool_gauge),
    },
    _build_indicator,
)
_SPEC: Final = Object(
    {
        "target": Field(schema=PERCENTAGE, doc="In percent.", required=True),
        "window": Field(schema=DURATION, doc="A rolling one.", required=True),
        "indicator": Field(schema=_INDICATOR, doc="What is counted.", required=True),
        "description": PASSED_OVER,
        "alerting": PASSED_OVER,
        "partial_response_strategy": PASSED_OVER,
        "performanceOverAccuracy": PASSED_OVER,
        "ruleOutput": PASSED_OVER,
    },
    as_read,
)
_RESOURCE: Final = resources({"ServiceLevelObjective": _SPEC})
