"""The queries of OpenSLO's metric sources, and the ratios that two of them make."""

from typing import Final

import yaml

from gate.config.slo_files import DocumentContext
from gate.config.slo_files.indicators import ratio_sli, refuse, with_window
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import ListOf, Scalar
from gate.parsing.values import TEXT
from gate.promql.counting import Count, count_of_counters, read_count
from gate.promql.grammar import ExpressionError
from gate.slo.indicator import Sli

_PROMETHEUS: Final = frozenset(
    {"prometheus", "thanos", "mimir", "cortex", "victoriametrics"}
    | {"amazonprometheus", "azureprometheus"}
)
"""The types of metric sources that are queried in PromQL, in lower case."""


def check_source(kind: str, node: yaml.Node, reader: Reader) -> None:
    """Refuse a type of metric source that is not queried in PromQL.

    Raises:
        UnreadableError: it is of such a type; the mistake is noted.
    """
    if kind.lower() not in _PROMETHEUS:
        types = ", ".join(sorted(_PROMETHEUS))
        raise reader.fail(node, f"metrics of the type {kind!r} cannot be read; known: {types}")


def ratio_of_queries(
    role: str,
    part: tuple[str, yaml.Node],
    total: tuple[str, yaml.Node],
    reader: Reader,
    *,
    counter: bool,
    whole: yaml.Node,
) -> Sli:
    """Return the indicator for the queries of good or bad events, by their role, and of all events.

    Args:
        role: ``good`` or ``bad``.
        part: the query of these events, with its place.
        total: the query of all events, with its place.
        reader: the reader of the file.
        counter: whether the metrics of queries without a window are counters.
        whole: the place for mistakes that concern both.

    Raises:
        UnreadableError: they count no events, or cannot be divided; the mistake is noted.
    """
    some, every = (_count(*query, reader, counter=counter) for query in (part, total))
    try:
        return ratio_sli(role, some, every)
    except ExpressionError as error:
        raise refuse(part[1], error, reader) from error
    except ValueError as error:
        raise reader.refuse(whole, error) from error


def _count(text: str, node: yaml.Node, reader: Reader, *, counter: bool) -> Count:
    try:
        if counter and "$window" not in text:
            return count_of_counters(text)
        if "[" in text:
            return read_count(text)
    except ValueError as error:
        raise refuse(node, error, reader) from error
    message = (
        "this query has no window; write counter: true if its metric is a counter, or write a"
        " count over a window, such as sum(increase(requests_total[{{.window}}]))"
    )
    raise reader.fail(node, message)


def query_of(source: Values, reader: Reader, around: DocumentContext) -> tuple[str, yaml.Node]:
    """Return the query of a metric source in PromQL, with its place.

    Raises:
        UnreadableError: the source has another language; the mistake is noted.
    """
    kind, node = source.get("type"), source.node("type")
    if source.given("metricSourceRef"):
        name, node = source.get("metricSourceRef"), source.node("metricSourceRef")
        document = around.find("openslo/v1", "DataSource", name)
        if document is None and kind is None:
            message = f"no DataSource {name!r} is in the files; add its file, too, or give the type"
            raise reader.fail(node, message)
        kind = kind if document is None else document.at("spec", "type")
    if kind is None:
        raise reader.fail(
            node, "the key 'type' is missing; add the type of the metric source, or its ref"
        )
    check_source(kind, node, reader)
    return _QUERY_SPEC.read(source.get("spec"), reader)


def _build_query(values: Values, reader: Reader) -> tuple[str, yaml.Node]:
    keys = values.given("query", "promql")
    if len(keys) != 1:
        raise reader.fail(values.node(), "give exactly one of query and promql")
    if values.given("dimensions"):
        message = "the query alone says what is counted; its dimensions are not distinguished"
        reader.note(values.node("dimensions"), message, fatal=False)
    return values.get(keys[0]), values.node(keys[0])


QUERY_TEXT: Final = Field(schema=Scalar(with_window, TEXT.json), doc="PromQL.")
_QUERY_SPEC: Final = Object(
    {
        "query": QUERY_TEXT,
        "promql": QUERY_TEXT,
        "dimensions": Field(schema=ListOf(TEXT), doc="Labels that other tools group by."),
    },
    _build_query,
)
