"""OpenSLO v1alpha, which Sloth reads, too: each objective has the queries of its own ratio.

https://github.com/OpenSLO/OpenSLO/blob/v1alpha/README.md
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import yaml

from gate.config.placed_slo import PlacedSlo
from gate.config.slo_files import PASSED_OVER, Document, DocumentContext, SloDraft, resources
from gate.config.slo_files.indicators import SHARE_BELOW_ONE
from gate.config.slo_files.openslo import objective_names
from gate.config.slo_files.openslo_queries import QUERY_TEXT, check_source, ratio_of_queries
from gate.config.slo_files.openslo_schema import ALIGNMENT, aligned_window
from gate.parsing.numbers import COUNT
from gate.parsing.objects import Field, Object, Values, as_read
from gate.parsing.reader import Reader, UnreadableError
from gate.parsing.schema import Anything, Choice, ListOf, ValueSchema
from gate.parsing.values import BOOLEAN, TEXT
from gate.slo.indicator import Sli
from gate.slo.objective import Denominator, RollingWindow, Window

_LENGTHS: Final = {
    "Hour": timedelta(hours=1),
    "Day": timedelta(days=1),
    "Week": timedelta(weeks=1),
}
_SHORTHAND: Final = {
    "Hour": "h",
    "Day": "d",
    "Week": "w",
    "Month": "M",
    "Quarter": "Q",
    "Year": "Y",
}


def read_document(document: Document, around: DocumentContext) -> list[PlacedSlo]:
    """Return the SLOs of a document, one for each objective.

    Raises:
        UnreadableError: it is not valid; the mistakes are noted.
    """
    reader = document.reader
    metadata, spec = _KINDS.read(document.node, reader)
    if document.at("kind") != "SLO":
        return []
    windows = spec.get("timeWindows", ())
    if len(windows) > 1:
        raise reader.fail(spec.node("timeWindows"), "give exactly one window")
    window = windows[0] if windows else around.window(metadata.node("name"), reader)
    objectives = spec.get("objectives")
    placed = list[PlacedSlo]()
    for name, objective in zip(
        objective_names(metadata.get("name"), objectives, composite=False), objectives, strict=True
    ):
        with suppress(UnreadableError):
            placed.append(_placed(name, objective, window, reader))
    if len(placed) < len(objectives):
        raise UnreadableError
    return placed


def _placed(
    name: str, objective: Values, window: tuple[Window, Denominator], reader: Reader
) -> PlacedSlo:
    if not objective.given("ratioMetrics"):
        message = "an objective needs ratioMetrics: a threshold has no events to count"
        raise reader.fail(objective.node(), message)
    draft = SloDraft(
        name=name,
        objective=objective.get("target"),
        sli=objective.get("ratioMetrics"),
        node=objective.node(),
    )
    return draft.placed(window, reader)


def _window(values: Values, reader: Reader) -> tuple[Window, Denominator]:
    unit, count, calendar = (values.get(key) for key in ("unit", "count", "calendar"))
    if values.get("isRolling", calendar is None) != (calendar is None):
        message = "isRolling: true goes without calendar, and isRolling: false with it"
        raise reader.fail(values.node("isRolling"), message)
    if not count:
        raise reader.fail(values.node("count"), "a window has a length above 0")
    if calendar is not None:
        duration = f"{count}{_SHORTHAND[unit]}"
        window = aligned_window(duration, values.node("count"), calendar, reader)
        return window, Denominator.PERIOD
    if unit not in _LENGTHS:
        message = (
            f"a {unit} of a rolling window has no fixed length; write it in days, such as 30 of Day"
        )
        raise reader.fail(values.node("unit"), message)
    return RollingWindow(_LENGTHS[unit] * count), Denominator.PERIOD


def _query(values: Values, reader: Reader) -> tuple[str, yaml.Node]:
    check_source(values.get("source"), values.node("source"), reader)
    return values.get("query"), values.node("query")


def _ratio(values: Values, reader: Reader) -> Sli:
    parts = values.given("good", "bad")
    if len(parts) != 1:
        raise reader.fail(values.node(), "a ratio has either good and total, or bad and total")
    part, total = values.get(parts[0]), values.get("total")
    counter = values.get("incremental", values.get("counter", False))
    whole = values.node(parts[0])
    return ratio_of_queries(parts[0], part, total, reader, counter=counter, whole=whole)


_QUERY: Final = Object(
    {
        "source": Field(
            schema=TEXT, doc="Prometheus, or a server with the same query language.", required=True
        ),
        "queryType": PASSED_OVER,
        "query": Field(schema=QUERY_TEXT.schema, doc="PromQL.", required=True),
        "metadata": PASSED_OVER,
    },
    _query,
)
_RATIO: Final = Object(
    {
        "incremental": Field(schema=BOOLEAN, doc="Whether the metrics are counters."),
        "counter": Field(schema=BOOLEAN, doc="The same."),
        "good": Field(schema=_QUERY, doc="Good events."),
        "bad": Field(schema=_QUERY, doc="Bad events."),
        "total": Field(schema=_QUERY, doc="All events.", required=True),
    },
    _ratio,
)
_OBJECTIVE: Final = Object(
    {
        "displayName": Field(schema=TEXT, doc="Part of the name, if there are several."),
        "ratioMetrics": Field(schema=_RATIO, doc="Ratio of events."),
        "target": Field(schema=SHARE_BELOW_ONE, doc="0.999", required=True),
        "value": PASSED_OVER,
        "op": PASSED_OVER,
    },
    as_read,
)
_WINDOW: Final = Object(
    {
        "unit": Field(schema=Choice(tuple(_SHORTHAND)), doc="Unit of the length.", required=True),
        "count": Field(schema=COUNT, doc="Number of units.", required=True),
        "isRolling": Field(schema=BOOLEAN, doc="Whether the window is rolling."),
        "calendar": Field(schema=ALIGNMENT, doc="Start of the calendar's periods."),
    },
    _window,
)
_SLO: Final = Object(
    {
        "description": PASSED_OVER,
        "indicator": PASSED_OVER,
        "service": Field(schema=TEXT, doc="Service of the SLO.", required=True),
        "budgetingMethod": Field(schema=Choice(("Occurrences",)), doc="Indicator.", required=True),
        "objectives": Field(
            schema=ListOf(_OBJECTIVE, at_least=1), doc="Objectives.", required=True
        ),
        "timeWindows": Field(schema=ListOf(_WINDOW), doc="One window."),
    },
    as_read,
)
_SPECS: Final[Mapping[str, ValueSchema[Any]]] = {"SLO": _SLO, "Service": Anything()}
_KINDS: Final = resources(_SPECS)
