"""A discovery document, Google's description of an API, with which calls and answers are checked.

https://developers.google.com/discovery/v1/reference/apis
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.servers.processes import missing

_DOCUMENTS = Path(__file__).parents[2] / ".servers/models/googleapiclient/discovery_cache/documents"
_INTEGER = re.compile(r"-?[0-9]+")
_FORMATS = {
    "google-datetime": re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?Z"
    ),
    "google-duration": re.compile(r"-?[0-9]+(\.[0-9]{1,9})?s"),
    "int32": _INTEGER,
    "int64": _INTEGER,
    "uint32": re.compile("[0-9]+"),
}
_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
}
_NOT_IN_JSON = ("NaN", "Infinity", "-Infinity")
"""Numbers that are written as texts: https://protobuf.dev/programming-guides/json"""


class Discovery:
    """The methods and the schemas of an API."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.revision: str = document["revision"]
        self._schemas = document["schemas"]
        self._common = document["parameters"]
        self._methods = list(_methods(document))

    def method(self, verb: str, path: str) -> Mapping[str, Any]:
        """Return the only method that a request is for."""
        (method,) = (
            each
            for each in self._methods
            if each["httpMethod"] == verb and _pattern(each).fullmatch(path.lstrip("/"))
        )
        return dict(method)

    def wrong_in_call(self, verb: str, path: str, params: Mapping[str, str]) -> Iterator[str]:
        """Yield what a request has that the document does not describe, or lacks."""
        described = self.method(verb, path)["parameters"]
        in_query = {key: each for key, each in described.items() if each["location"] == "query"}
        for key, text in params.items():
            parameter = in_query.get(key) or self._common.get(key)
            if parameter is None:
                yield f"unknown parameter {key}"
            else:
                yield from _wrong_in_text(key, text, parameter)
        for key, parameter in in_query.items():
            required = parameter.get("required") or parameter["description"].startswith("Required.")
            if required and key not in params:
                yield f"missing parameter {key}"

    def wrong_in_answer(self, verb: str, path: str, answer: Any) -> Iterator[str]:
        """Yield what an answer has that the schema of the method's response does not allow."""
        yield from self._wrong(answer, self.method(verb, path)["response"], "answer")

    def wrong_in(self, schema: str, value: Any) -> Iterator[str]:
        """Yield the same of a value of one schema."""
        yield from self._wrong(value, {"$ref": schema}, schema)

    def _wrong(self, value: Any, schema: Mapping[str, Any], place: str) -> Iterator[str]:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        kind = schema.get("type", "object")
        if kind == "any":
            return
        if not _fits(value, kind):
            yield f"{place}: {value!r} is not of the type {kind}"
        elif kind == "array":
            for number, item in enumerate(value):
                yield from self._wrong(item, schema["items"], f"{place}[{number}]")
        elif kind == "object":
            yield from self._wrong_in_object(value, schema, place)
        elif kind == "string":
            yield from _wrong_in_text(place, value, schema)

    def _wrong_in_object(
        self, value: Mapping[str, Any], schema: Mapping[str, Any], place: str
    ) -> Iterator[str]:
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        for key, own in value.items():
            inner = properties.get(key) or others
            if inner is None:
                yield f"{place}: unknown field {key}"
            else:
                yield from self._wrong(own, inner, f"{place}.{key}")


def _fits(value: Any, kind: str) -> bool:
    if kind == "number" and value in _NOT_IN_JSON:
        return True
    return isinstance(value, _TYPES[kind]) and (kind == "boolean") == isinstance(value, bool)


def _wrong_in_text(place: str, text: str, schema: Mapping[str, Any]) -> Iterator[str]:
    if "enum" in schema and text not in schema["enum"]:
        yield f"{place}: {text!r} is not in the enumeration"
    pattern = _FORMATS.get(schema.get("format", ""))
    if pattern is not None and not pattern.fullmatch(text):
        yield f"{place}: {text!r} is not a {schema['format']}"


def _methods(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from resource.get("methods", {}).values()
    for inner in resource.get("resources", {}).values():
        yield from _methods(inner)


def _pattern(method: Mapping[str, Any]) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{[^}]*\}", "[^/]+", method["flatPath"].replace(".", r"\.")))


@cache
def _document(name: str) -> Discovery | None:
    path = _DOCUMENTS / f"{name}.json"
    return Discovery(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def discovery(name: str) -> Discovery:
    """Return the document of this name; skip the test where it is not installed."""
    return _document(name) or missing(f"{name}.json", "tests/install-models.sh installs it")
