"""OTLP as JSON lines: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding."""

from typing import Any

from tests.presets.logs import otel_spans
from tests.presets.logs.entries import LOG, OLD, Entry
from tests.presets.logs.otel_spans import attributes

FORMS = ("jsonl",)
EXPECTED = otel_spans.EXPECTED
_KINDS = {str: "stringValue", int: "intValue", float: "doubleValue"}


def rows() -> list[dict[str, Any]]:
    """Return batches: several scopes and resources in a line, and lines of other signals."""
    spans = [_span(entry) for entry in LOG]
    old = {**spans[0], "startTimeUnixNano": _nanos(OLD.timestamp()), "status": {"code": 2}}
    tool = {**spans[0], "attributes": _listed({"gen_ai.operation.name": "execute_tool"})}
    server = {**spans[0], "status": {"code": 2}}
    del server["attributes"]
    return [
        _batch([old, *spans[:7]], [tool, server], spans[7:30]),
        {"resourceMetrics": [{"scopeMetrics": []}]},
        _batch(spans[30:]),
        {"resourceSpans": [{"resource": {}}]},
    ]


def _batch(*scopes: list[dict[str, Any]]) -> dict[str, Any]:
    inner = [{"scope": {"name": "x"}, "spans": spans} for spans in scopes]
    resources = [
        {"resource": {"attributes": []}, "scopeSpans": part} for part in (inner[:1], inner[1:])
    ]
    return {"resourceSpans": resources}


def _nanos(seconds: float) -> str:
    # int64 is text in the JSON form of protobuf.
    return str(round(seconds * 1e6) * 1000)


def _listed(known: dict[str, str | int | float]) -> list[dict[str, Any]]:
    """Return attributes as JavaScript's libraries write them: a whole number is an ``intValue``.

    One comes twice, which the specification forbids and some libraries do.
    """
    whole = {k: int(v) if isinstance(v, float) and v.is_integer() else v for k, v in known.items()}
    listed = [
        {"key": key, "value": {_KINDS[type(v)]: str(v) if isinstance(v, int) else v}}
        for key, v in whole.items()
    ]
    return [*listed, {"key": listed[0]["key"], "value": {"stringValue": "again"}}]


def _span(entry: Entry) -> dict[str, Any]:
    return {
        "traceId": "0" * 32,
        "spanId": f"{entry.number:016x}",
        "name": "chat llama",
        "kind": 3,
        "startTimeUnixNano": _nanos(entry.started.timestamp()),
        "endTimeUnixNano": _nanos(entry.ended.timestamp()),
        "attributes": _listed(attributes(entry)),
        # The attribute alone marks some failures; what is not an error has no code.
        "status": {"code": 2} if entry.failed and entry.status != 503 else {},
    }
