"""OpenSLO's indicators, and the ways to count each of them.

https://github.com/OpenSLO/OpenSLO/blob/main/README.md#sli
"""

from datetime import timedelta
from typing import Final

import yaml

from gate.config.slo_files import PASSED_OVER, DocumentContext
from gate.config.slo_files.indicators import (
    divided_sli,
    mean_of_ratios,
    mean_of_slices,
    quotient_sli,
    refuse,
    share_of_minutes,
)
from gate.config.slo_files.openslo_queries import query_of, ratio_of_queries
from gate.parsing.numbers import NUMBER
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Anything, Choice, Scalar
from gate.parsing.values import BOOLEAN, NAME, TEXT
from gate.promql.expression import read_expression
from gate.promql.quotients import quotient_of_counts
from gate.slo.indicator import Sli, Slices

_OPERATORS: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_PARTS: Final = ("good", "bad", "total", "raw")
_MINUTE: Final = timedelta(minutes=1)
_ADVICE: Final = "give good or bad, and total"
_MEAN: Final = "RatioTimeslices"


def occurrences(spec: Values, reader: Reader, around: DocumentContext) -> Sli:
    """Return the indicator with its events counted.

    Raises:
        UnreadableError: it does not count events; the mistake is noted.
    """
    metric = spec.get("ratioMetric")
    if metric is None:
        message = "the indicator does not count events; use budgetingMethod: Timeslices"
        raise reader.fail(spec.node("thresholdMetric"), message)
    if metric.given("raw"):
        return _quotient(metric, reader, around)
    return _counts(metric, reader, around)


def timeslices(
    spec: Values, objective: Values, slices: Slices, reader: Reader, around: DocumentContext
) -> Sli:
    """Return the indicator with the good share of each timeslice.

    Raises:
        UnreadableError: the share is unknown; the mistake is noted.
    """
    metric = spec.get("ratioMetric")
    if metric is None:
        return Sli(gauge=_threshold(spec.get("thresholdMetric"), objective, reader, around))
    if not metric.given("raw"):
        return _counts(metric, reader, around)
    text, node = query_of(metric.get("raw"), reader, around)
    if "$window" in text or slices.length > _MINUTE:
        # Over more than a minute, a mean of ratios is not the ratio of the events.
        return _quotient(metric, reader, around)
    _check(text, node, reader)
    return Sli(gauge=f"1 - ({text})" if metric.get("rawType") == "failure" else text)


def ratio_timeslices(
    spec: Values, objective: Values, length: timedelta, reader: Reader, around: DocumentContext
) -> Sli:
    """Return the indicator as the mean of the good shares of timeslices.

    Raises:
        UnreadableError: the shares are unknown; the mistake is noted.
    """
    metric = spec.get("ratioMetric")
    if metric is None:
        gauge = _threshold(spec.get("thresholdMetric"), objective, reader, around)
        return mean_of_ratios(share_of_minutes(gauge, length), length, _MEAN, failures=False)
    if not metric.given("raw"):
        return mean_of_slices(_counts(metric, reader, around), length, _MEAN)
    text, node = query_of(metric.get("raw"), reader, around)
    failures = metric.get("rawType") == "failure"
    try:
        quotient = quotient_of_counts(text)
        if quotient is None:
            return mean_of_ratios(text, length, _MEAN, failures=failures)
        return mean_of_slices(divided_sli(quotient, failures=failures), length, _MEAN)
    except ValueError as error:
        raise refuse(node, error, reader) from error


def _counts(metric: Values, reader: Reader, around: DocumentContext) -> Sli:
    (part,) = metric.given("good", "bad")
    some, every = (query_of(metric.get(key), reader, around) for key in (part, "total"))
    counter = metric.get("counter", False)
    return ratio_of_queries(part, some, every, reader, counter=counter, whole=metric.node(part))


def _quotient(metric: Values, reader: Reader, around: DocumentContext) -> Sli:
    text, node = query_of(metric.get("raw"), reader, around)
    try:
        return quotient_sli(text, failures=metric.get("rawType") == "failure", advice=_ADVICE)
    except ValueError as error:
        raise refuse(node, error, reader) from error


def _threshold(source: Values, objective: Values, reader: Reader, around: DocumentContext) -> str:
    """Return a gauge that is 1 while the metric is on the good side of the value.

    NaN is left out by the comparison with -Inf: it would be on neither side, and so count as bad.
    """
    text, node = query_of(source, reader, around)
    if "$window" in text:
        raise reader.fail(node, "the query of a threshold is a value, without a window")
    _check(text, node, reader)
    operator = _OPERATORS[objective.get("op")]
    return f"(({text}) >= -Inf) {operator} bool {objective.get('value')}"


def _check(text: str, node: yaml.Node, reader: Reader) -> None:
    try:
        read_expression(text, None, gauge=True)
    except ValueError as error:
        raise refuse(node, error, reader) from error


def _build_ratio(values: Values, reader: Reader) -> Values:
    given = set(values.given(*_PARTS))
    if given not in ({"raw"}, {"good", "total"}, {"bad", "total"}):
        raise reader.fail(values.node(), "a ratio has good and total, bad and total, or raw")
    if ("rawType" in values.values) != ("raw" in given):
        raise reader.fail(values.node("rawType"), "'raw' and 'rawType' must be given together")
    return values


def _build_spec(values: Values, reader: Reader) -> Values:
    if len(values.given("ratioMetric", "thresholdMetric")) != 1:
        raise reader.fail(values.node(), "an SLI has either ratioMetric or thresholdMetric")
    return values


_SOURCE: Final = Object(
    {
        "metricSourceRef": Field(schema=NAME, doc="A DataSource."),
        "type": Field(schema=TEXT, doc="Prometheus, or a server with the same query language."),
        "spec": Field(schema=Anything(), doc="The query.", required=True),
    },
    lambda values, _: values,
)
_METRIC: Final = Field(
    schema=Object(
        {"metricSource": Field(schema=_SOURCE, doc="Source of the metric.", required=True)},
        lambda values, _: values.get("metricSource"),
    ),
    doc="A metric.",
)
_RATIO: Final = Object(
    {
        "counter": Field(schema=BOOLEAN, doc="Whether the metrics are counters."),
        **dict.fromkeys(_PARTS, _METRIC),
        "rawType": Field(
            schema=Choice(("success", "failure")),
            doc="Whether raw is the share of good or of bad events.",
        ),
    },
    _build_ratio,
)
SLI_SPEC: Final = Object(
    {
        "description": PASSED_OVER,
        "ratioMetric": Field(schema=_RATIO, doc="Ratio of events."),
        "thresholdMetric": Field(
            schema=_METRIC.schema, doc="Metric whose value is compared with the threshold."
        ),
    },
    _build_spec,
)


def _value(text: str) -> str:
    NUMBER.parse(text)
    return text


COMPARISON: Final = {
    "op": Field(
        schema=Choice(tuple(_OPERATORS)),
        doc="Operator that compares the value with the threshold.",
    ),
    "value": Field(schema=Scalar(_value, NUMBER.json), doc="Threshold for the value."),
}
"""The fields of an objective for a thresholdMetric."""
