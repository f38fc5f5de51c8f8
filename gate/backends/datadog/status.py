"""Datadog's status of an SLO: its own share, rounded, where the policy wants no counts.

``GET /api/v2/slo/{id}/status``, a public beta:
https://docs.datadoghq.com/api/latest/service-level-objectives/get-slo-status/
"""

from dataclasses import replace
from typing import Final

from gate.backends.datadog.asking import window_of
from gate.backends.datadog.history import DECIMALS, half_a_unit
from gate.backends.datadog.values import invalid, mapping, number, refusals, shown
from gate.backends.platforms.api import Call, JsonObject
from gate.backends.platforms.platform import Question
from gate.measure import Cause, Evidence, MeasurementError, Share

_STATES: Final = frozenset({"breached", "warning", "ok"})
_WHOLE: Final = 100
_NOTES: Final = (
    f"Datadog's status tells no counts: its SLI is taken as right to {DECIMALS} decimals",
    "Datadog's status does not say how new its data is, nor how much of the window has data",
)


def status_call(question: Question, *, corrections: bool) -> Call:
    """Return the request for the status of an SLO over the window of a question."""
    window = window_of(question.span)
    params = {"from_ts": str(window.start), "to_ts": str(window.end)}
    params["disable_corrections"] = "false" if corrections else "true"
    return Call(path=f"/api/v2/slo/{question.definition.id}/status", params=params)


def read_status(body: JsonObject, question: Question, evidence: Evidence) -> Share:
    """Return the share that a status has.

    Raises:
        MeasurementError: it has none, and why.
    """
    if question.sli.group is not None:
        raise invalid("a status has no groups; write endpoint: history in the backend's block")
    if words := refusals(body):
        message = f"Datadog answers with errors beside the status 200: {words}"
        raise MeasurementError(Cause.BACKEND_ERROR, message)
    data = mapping(body.get("data"), "data")
    if data.get("id") != question.definition.id:
        raise invalid(f"it is about the SLO {shown(data.get('id'))}")
    attributes = mapping(data.get("attributes"), "attributes")
    state = attributes.get("state")
    if state == "no_data" or ("sli" in attributes and attributes["sli"] is None):
        raise MeasurementError(Cause.NO_DATA, "Datadog says that it has no data (state no_data)")
    if state not in _STATES:
        raise invalid(f"its state is {shown(state)}")
    percent = number(attributes.get("sli"), "sli")
    if not 0 <= percent <= _WHOLE:
        raise invalid(f"sli is {float(percent)}, which is not between 0 and 100")
    notes = (*evidence.notes, *(_NOTES if question.main else ()))
    return Share(
        bad=1 - percent / 100,
        error=half_a_unit(DECIMALS),
        evidence=replace(evidence, notes=notes),
    )
