"""slo-generator's files for the Prometheus backend.

https://github.com/google/slo-generator/blob/master/docs/providers/prometheus.md
"""

import re
from typing import Final

from gate.config.placed_slo import PlacedSlo
from gate.config.slo_files import PASSED_OVER, Document, DocumentContext, SloDraft, resources
from gate.config.slo_files.indicators import (
    SELECTOR,
    SHARE_BELOW_ONE,
    as_written,
    quotient_sli,
    ratio_sli,
)
from gate.parsing.numbers import NUMBER
from gate.parsing.objects import Field, Object, TaggedUnion, Values, as_read
from gate.parsing.reader import Reader, UnreadableError, written
from gate.parsing.schema import ListOf, Scalar, ValueSchema
from gate.parsing.values import TEXT
from gate.promql.counting import Count, read_count
from gate.promql.grammar import ExpressionError
from gate.promql.parts import with_absent_parts
from gate.promql.selectors import add_matchers, either_boundary
from gate.slo.indicator import Sli

_TEMPLATE: Final = re.compile(r"(?<=\[)window")
_SPELLING: Final = (_TEMPLATE, "window")
_OPERATORS: Final = ("increase", "sum")
_BUCKET: Final = "_bucket"


def read_document(document: Document, around: DocumentContext) -> list[PlacedSlo]:
    """Return the single SLO of a document; the policy must give its window.

    Raises:
        UnreadableError: it is not valid; the mistakes are noted.
    """
    reader, backend = document.reader, document.under("spec", "backend")
    if backend is not None:
        _BACKEND.read(
            backend, reader
        )  # First check the backend: the keys of other backends would all be unknown here.
    metadata, spec = _RESOURCE.read(document.node, reader)
    draft = SloDraft(
        name=metadata.get("name"),
        objective=spec.get("goal"),
        sli=spec.get("service_level_indicator"),
        node=metadata.node("name"),
    )
    return [draft.placed(around.window(draft.node, reader), reader)]


def _backend(text: str) -> str:
    if text.partition("/")[0] != "prometheus":
        raise ValueError(f"SLOs of the backend {text!r} cannot be read, only those of prometheus")
    return text


def _windowed(text: str) -> str:
    """Return a query with ``$window``, which slo-generator fills in or adds at the end."""
    filled = _TEMPLATE.sub("$window", text)
    return filled if filled != text else f"{text.rstrip()}[$window]"


def _good_bad_ratio(values: Values, reader: Reader) -> Sli:
    operators = "".join(f"{name}(" for name in reversed(values.get("operators", _OPERATORS)))

    def count(key: str) -> Count:
        text = f"{operators}{values.get(key)}{')' * operators.count('(')}"
        try:
            return read_count(text)
        except ExpressionError as error:
            raise refuse(key, error) from error

    def refuse(key: str, error: ExpressionError) -> UnreadableError:
        node = values.node(key)
        return reader.refuse(node, as_written(error, written(node), *_SPELLING, len(operators)))

    others = values.given("filter_bad", "filter_valid")
    if len(others) != 1:
        raise reader.fail(
            values.node(), "filter_good needs exactly one of filter_bad and filter_valid beside it"
        )
    good, other = count("filter_good"), count(others[0])
    try:
        sli = ratio_sli("good", good, other)
        if others[0] == "filter_valid":
            return sli
        return Sli(good=good.text, bad=with_absent_parts(other), notes=sli.notes)
    except ExpressionError as error:
        raise refuse(others[0], error) from error
    except ValueError as error:
        raise reader.refuse(values.node(), error) from error


def _distribution_cut(values: Values, reader: Reader) -> Sli:
    selector: str = values.get("expression")
    name, brace, labels = selector.partition("{")
    if not name.strip().endswith(_BUCKET):
        message = 'the buckets of a histogram were expected, such as requests_seconds_bucket{a="b"}'
        raise reader.fail(values.node("expression"), message)
    boundary = f'le="{values.get("threshold_bucket")}"'
    good = either_boundary(name.strip() + add_matchers(brace + labels, boundary))
    return Sli(good=good, total=name.strip().removesuffix(_BUCKET) + "_count" + brace + labels)


def _bare(text: str) -> str:
    return SELECTOR.parse(text.strip().removesuffix("[window]"))


def _boundary(text: str) -> str:
    NUMBER.parse(text)
    return text


def _query_sli(text: str) -> Sli:
    filled = _TEMPLATE.sub("$window", text)
    try:
        return quotient_sli(filled, failures=False, advice="use good_bad_ratio")
    except ExpressionError as error:
        raise as_written(error, text, *_SPELLING) from error


_BACKEND: Final = Scalar(_backend, TEXT.json)
_QUERY: Final = Field(schema=Scalar(_windowed, TEXT.json), doc="A query.")
_GOOD_BAD_RATIO: Final = Object(
    {
        "filter_good": Field(schema=_QUERY.schema, doc="Good events.", required=True),
        "filter_bad": _QUERY,
        "filter_valid": _QUERY,
        "operators": Field(
            schema=ListOf(TEXT), doc="Functions around each query; the first is the innermost."
        ),
    },
    _good_bad_ratio,
)
_DISTRIBUTION_CUT: Final = Object(
    {
        "expression": Field(schema=Scalar(_bare, TEXT.json), doc="Buckets.", required=True),
        "threshold_bucket": Field(
            schema=Scalar(_boundary, NUMBER.json), doc="Largest good value.", required=True
        ),
    },
    _distribution_cut,
)
_QUERY_SLI: Final = Object(
    {
        "expression": Field(
            schema=Scalar(_query_sli, TEXT.json),
            doc="Good events divided by all events.",
            required=True,
        )
    },
    lambda values, _: values.get("expression"),
)


def _spec(indicator: ValueSchema[Sli]) -> Object[Values]:
    return Object(
        {
            "backend": Field(schema=_BACKEND, doc="Backend to query.", required=True),
            "method": Field(schema=TEXT, doc="How the indicator is computed.", required=True),
            "service_level_indicator": Field(schema=indicator, doc="Its parts.", required=True),
            "goal": Field(
                schema=SHARE_BELOW_ONE, doc="Objective: share of good events.", required=True
            ),
            "description": PASSED_OVER,
            "exporters": PASSED_OVER,
            "error_budget_policy": PASSED_OVER,
        },
        as_read,
    )


_SPEC: Final = TaggedUnion(
    "method",
    {
        "good_bad_ratio": _spec(_GOOD_BAD_RATIO),
        "query_sli": _spec(_QUERY_SLI),
        "distribution_cut": _spec(_DISTRIBUTION_CUT),
    },
)
_RESOURCE: Final = resources({"ServiceLevelObjective": _SPEC})
