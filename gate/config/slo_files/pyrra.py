"""Pyrra's files, counted in the same way as Pyrra counts.

https://github.com/pyrra-dev/pyrra/blob/main/kubernetes/api/v1alpha1/servicelevelobjective_types.go
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from gate.config.placed_slo import PlacedSlo
from gate.config.slo_files import PASSED_OVER, Document, DocumentContext, SloDraft, resources
from gate.config.slo_files.indicators import PERCENTAGE, SELECTOR
from gate.dataclass import dataclass
from gate.parsing.objects import Field, Object, Values, as_read
from gate.parsing.reader import Reader
from gate.parsing.schema import ListOf
from gate.parsing.values import DURATION, TEXT
from gate.promql.selectors import LabelMatcher, Selector, either_boundary
from gate.slo.indicator import Sli
from gate.slo.objective import Denominator, RollingWindow

_BOUNDARY: Final = re.compile(r"[{,]\s*le\s*=\s*[\"']")
_METRICS: Final = frozenset({"errors", "success", "total", "metric"})
_REST: Final = "*"
"""The placeholder for all groups that are not listed."""
_NO_NAME: Final = re.compile(r"[^A-Za-z0-9._/-]+")
_KINDS: Final = ("ratio", "latency", "latencyNative", "bool_gauge")


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedIndicator:
    """An indicator with labels; each value of such a label has a budget of its own."""

    values: Values
    """The block of the indicator in the file; its metrics are selectors."""
    build: Callable[[Values, Reader], Sli]
    labels: tuple[str, ...]
    """The grouping labels that some metric does not fix."""

    def sli(self, reader: Reader, *more: LabelMatcher) -> Sli:
        """Return the indicator with more matchers in each of its metrics."""
        narrowed = dict(self.values.values)
        for key in _METRICS & narrowed.keys():
            selector = Selector.read(narrowed[key])
            narrowed[key] = (
                selector.only((*selector.matchers, *more)).text if more else narrowed[key]
            )
        return self.build(Values(values=narrowed, nodes=self.values.nodes), reader)


def read_document(document: Document, around: DocumentContext) -> list[PlacedSlo]:
    """Return the SLO of a document, or one for each group.

    Raises:
        UnreadableError: it is not valid; the mistakes are noted.
    """
    reader = document.reader
    metadata, spec = _RESOURCE.read(document.node, reader)
    window = RollingWindow(spec.get("window")), Denominator.PERIOD
    grouped: GroupedIndicator = spec.get("indicator")
    drafts = [
        SloDraft(
            name=metadata.get("name") + suffix,
            objective=spec.get("target"),
            sli=grouped.sli(reader, *more),
            node=metadata.node("name"),
        )
        for suffix, more in _groups(grouped, around, reader)
    ]
    return [draft.placed(window, reader) for draft in drafts]


def _groups(
    grouped: GroupedIndicator, around: DocumentContext, reader: Reader
) -> Iterator[tuple[str, tuple[LabelMatcher, ...]]]:
    """Yield the suffix of the SLO name of each group, and the matchers that select the group."""
    if not grouped.labels:
        yield "", ()
        return
    (label, *others), node = grouped.labels, grouped.values.node("grouping")
    if others:
        message = (
            f"each group has a budget of its own, and only one of {', '.join(grouped.labels)} can"
            f' be listed in the policy; fix the others in the metrics: {others[0]}="..."'
        )
        raise reader.fail(node, message)
    values = around.entry.groups.get(label)
    if values is None:
        message = (
            "each group has a budget of its own, and their sum would hide a bad one; name the"
            f" groups in the policy, beside 'from': groups: {{{label}: [a, b, '*']}}"
        )
        raise reader.fail(node, message)
    listed = [value for value in values if value != _REST]
    if not listed:
        message = "list at least one value beside '*': all groups together have no budget"
        raise reader.fail(node, message)
    for value in listed:
        yield (
            f"/{_NO_NAME.sub('-', value).strip('-/')}",
            (LabelMatcher(label=label, operator="=", value=value),),
        )
    if len(listed) < len(values):
        # RE2, the regular expressions of servers, has no escape for a blank.
        pattern = "|".join(re.escape(value).replace(r"\ ", " ") for value in listed)
        yield "/other", (LabelMatcher(label=label, operator="!~", value=pattern),)
    else:
        message = (
            f"only {', '.join(listed)} of {label} have an SLO; what happens under other values is"
            " not counted, unless '*' is listed, too"
        )
        reader.note(node, message, fatal=False)


def _indicator(fields: Mapping[str, Field], build: Callable[[Values, Reader], Sli]) -> Field:
    """Return the schema of one kind of indicator."""

    def read(values: Values, _reader: Reader) -> GroupedIndicator:
        metrics = [Selector.read(values.get(key)) for key in _METRICS & values.values.keys()]
        labels = (
            label
            for label in values.get("grouping", ())
            if not all(_fixes(m, label) for m in metrics)
        )
        return GroupedIndicator(values=values, build=build, labels=tuple(labels))

    grouping = Field(schema=ListOf(TEXT), doc="Labels whose values have a budget each.")
    return Field(schema=Object({**fields, "grouping": grouping}, read), doc="Indicator.")


def _fixes(selector: Selector, label: str) -> bool:
    """Return whether a selector fixes the group."""
    return any(m.label == label and m.operator == "=" and m.value for m in selector.matchers)


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
    """Return the samples that are 1 as good, out of all samples."""
    gauge = values.get("metric")
    return Sli(
        good=f"sum(sum_over_time({gauge}[$window]))",
        total=f"sum(count_over_time({gauge}[$window]))",
    )


def _build_indicator(values: Values, reader: Reader) -> GroupedIndicator:
    kinds = values.given(*_KINDS)
    if len(kinds) != 1:
        raise reader.fail(values.node(), f"an indicator is exactly one of {', '.join(_KINDS)}")
    sli: GroupedIndicator = values.get(kinds[0])
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
        "window": Field(schema=DURATION, doc="Length of the rolling window.", required=True),
        "indicator": Field(schema=_INDICATOR, doc="Indicator.", required=True),
        "description": PASSED_OVER,
        "alerting": PASSED_OVER,
        "partial_response_strategy": PASSED_OVER,
        "performanceOverAccuracy": PASSED_OVER,
        "ruleOutput": PASSED_OVER,
    },
    as_read,
)
_RESOURCE: Final = resources({"ServiceLevelObjective": _SPEC})
