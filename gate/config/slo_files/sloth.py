"""Sloth's files: ``prometheus/v1``, and the same content as a Kubernetes resource.

https://github.com/slok/sloth/blob/main/pkg/prometheus/api/v1/README.md
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

from gate.config.placed_slo import PlacedSlo
from gate.config.slo_files import PASSED_OVER, Document, DocumentContext, SloDraft, resources
from gate.config.slo_files.indicators import (
    COUNT_OR_LEVEL,
    PERCENTAGE,
    divided_sli,
    mean_of_ratios,
    mean_of_slices,
    query,
    ratio_sli,
    refuse,
)
from gate.parsing.objects import Field, Object, Values
from gate.parsing.reader import Reader
from gate.parsing.schema import ListOf
from gate.parsing.values import NAME, TEXT
from gate.promql.grammar import ExpressionError
from gate.promql.quotients import quotient_of_counts
from gate.slo.indicator import Sli
from gate.slo.objective import Denominator, RollingWindow

_PERIOD: Final = (RollingWindow(timedelta(days=30)), Denominator.PERIOD)
"""Sloth's default, unless it runs with --default-slo-period."""
_SLICE: Final = timedelta(minutes=5)
"""The slice length of Sloth's SLI over the period: the mean of ratios that its rules record every
five minutes:
https://github.com/slok/sloth/blob/main/internal/plugin/slo/core/sli_rules_v1/plugin.go"""
_OWN_PLUGINS: Final = "sloth.dev/"
_KINDS: Final = ("events", "raw", "plugin")


def read_document(document: Document, around: DocumentContext) -> list[PlacedSlo]:
    """Return the SLOs of a document, named like Sloth's own ids: service-name.

    Raises:
        UnreadableError: it is not valid; the mistakes are noted.
    """
    reader = document.reader
    if document.format == "prometheus/v1":
        drafts = _FILE.read(document.node, reader)
    else:
        _, drafts = _RESOURCE.read(document.node, reader)
    return [draft.placed(around.window(draft.node, reader, _PERIOD), reader) for draft in drafts]


def _build_plugin(values: Values, reader: Reader) -> None:
    name = values.get("id")
    if not name.startswith(_OWN_PLUGINS):
        message = f"the plugin {name!r} is not run here; if it changes the SLI, the budgets differ"
        reader.note(values.node("id"), message, fatal=False)


_PLUGIN: Final = Object(
    {
        "id": Field(schema=TEXT, doc="Which one.", required=True),
        "config": PASSED_OVER,
        "priority": PASSED_OVER,
    },
    _build_plugin,
)
_PLUGINS: Final = Object(
    {
        "overridePrevious": PASSED_OVER,
        "chain": Field(schema=ListOf(_PLUGIN), doc="Plugins that generate the rules, in order."),
    },
    lambda _values, _reader: None,
)


def _build_sli(values: Values, reader: Reader) -> Sli:
    kinds = values.given(*_KINDS)
    if len(kinds) != 1:
        raise reader.fail(values.node(), f"an SLI has exactly one of {', '.join(_KINDS)}")
    sli: Sli = values.get(kinds[0])
    return sli


def _refuse_plugin(values: Values, reader: Reader) -> Sli:
    message = (
        f"the plugin {values.get('id')!r} is a program that is not run here; write its queries as"
        " events (`sloth generate` prints them, in the rules of slo:sli_error:ratio_rate5m)"
    )
    raise reader.fail(values.node("id"), message)


def _raw(text: str) -> Sli:
    """Return the indicator of a ratio: from its events if it has any, otherwise Sloth's mean."""
    quotient = quotient_of_counts(text)
    if quotient is None:
        return mean_of_ratios(text, _SLICE, "Sloth")
    return divided_sli(quotient, failures=True)


def _sli(error_query: str, total_query: str, error_ratio_query: str) -> Object[Sli]:
    def events(values: Values, reader: Reader) -> Sli:
        try:
            sli = ratio_sli("bad", values.get(error_query), values.get(total_query))
        except ExpressionError as error:
            raise refuse(values.node(error_query), error, reader) from error
        except ValueError as error:
            raise reader.refuse(values.node(), error) from error
        means = values.get(total_query).level
        return mean_of_slices(sli, _SLICE, "Sloth") if means else sli

    return Object(
        {
            "events": Field(
                schema=Object(
                    {
                        error_query: Field(schema=COUNT_OR_LEVEL, doc="Bad events.", required=True),
                        total_query: Field(schema=COUNT_OR_LEVEL, doc="All events.", required=True),
                    },
                    events,
                ),
                doc="Counts of events.",
            ),
            "raw": Field(
                schema=Object(
                    {
                        error_ratio_query: Field(
                            schema=query(_raw), doc="Bad of all events.", required=True
                        )
                    },
                    lambda values, _: values.get(error_ratio_query),
                ),
                doc="A ratio.",
            ),
            "plugin": Field(
                schema=Object(
                    {"id": Field(schema=TEXT, doc="Which.", required=True), "options": PASSED_OVER},
                    _refuse_plugin,
                ),
                doc="A program.",
            ),
        },
        _build_sli,
    )


def _build_slo(values: Values, _reader: Reader) -> SloDraft:
    return SloDraft(
        name=values.get("name"),
        objective=values.get("objective"),
        sli=values.get("sli"),
        node=values.node(),
    )


def _service(sli: Object[Sli], plugins: str) -> Object[tuple[SloDraft, ...]]:
    slo = Object(
        {
            "name": Field(schema=NAME, doc="Name, unique in the service.", required=True),
            "objective": Field(schema=PERCENTAGE, doc="In percent.", required=True),
            "sli": Field(schema=sli, doc="Indicator.", required=True),
            "description": PASSED_OVER,
            "labels": PASSED_OVER,
            "alerting": PASSED_OVER,
            "plugins": Field(schema=_PLUGINS, doc="Plugins that generate the rules."),
        },
        _build_slo,
    )
    return Object(
        {
            "version": PASSED_OVER,
            "service": Field(schema=NAME, doc="Service of the SLOs.", required=True),
            "labels": PASSED_OVER,
            plugins: Field(schema=_PLUGINS, doc="Plugins that generate the rules."),
            "slos": Field(schema=ListOf(slo, at_least=1), doc="The SLOs.", required=True),
        },
        lambda values, _: tuple(
            replace(draft, name=f"{values.get('service')}-{draft.name}")
            for draft in values.get("slos")
        ),
    )


_FILE: Final = _service(_sli("error_query", "total_query", "error_ratio_query"), "slo_plugins")
_SPEC: Final = _service(_sli("errorQuery", "totalQuery", "errorRatioQuery"), "sloPlugins")
_RESOURCE: Final = resources({"PrometheusServiceLevel": _SPEC})
