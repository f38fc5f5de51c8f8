"""A published OpenAPI 3.0 description, as a judge of requests and answers."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from jsonschema import Draft4Validator, validators
from referencing import Registry
from referencing.jsonschema import DRAFT4

_NAME: Final = "urn:description"
_JSON: Final = "application/json"


def _nullable(keyword: str) -> Any:
    """Return a keyword of JSON Schema that lets OpenAPI's ``nullable`` pass."""
    check = Draft4Validator.VALIDATORS[keyword]

    def nullable(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
        if instance is not None or schema.get("nullable") is not True:
            yield from check(validator, value, instance, schema) or ()

    return nullable


# OpenAPI 3.0 has the JSON Schema of its day, and one keyword of its own for null:
# https://spec.openapis.org/oas/v3.0.3#schema-object
_Validator: Final = validators.extend(  # type: ignore[no-untyped-call]
    Draft4Validator,
    {keyword: _nullable(keyword) for keyword in ("type", "enum", "anyOf", "oneOf", "allOf")},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method of one path, and what the parts of a path stand for."""

    name: str
    """``issues/list-comments``."""
    pointer: str
    """Where the description has it."""
    parts: Mapping[str, str]


class Description:
    """A description read from a file of JSON."""

    def __init__(self, file: Path) -> None:
        self._whole = json.loads(file.read_text(encoding="utf-8"))
        resource = DRAFT4.create_resource(self._whole)
        self._registry: Registry[Any] = Registry().with_resource(_NAME, resource)

    def operation(self, method: str, path: str) -> Operation | None:
        """Return what a request is for; None: the description has no such thing."""
        for template, methods in self._whole["paths"].items():
            parts = _match(template, path)
            if parts is not None and method.lower() in methods:
                pointer = f"#/paths/{template.replace('/', '~1')}/{method.lower()}"
                name = methods[method.lower()]["operationId"]
                return Operation(name=name, pointer=pointer, parts=parts)
        return None

    def request_problems(
        self, operation: Operation, query: Mapping[str, str], body: Any
    ) -> Iterator[str]:
        """Yield what is wrong with a request; unknown parameters and properties are wrong too."""
        described = self.resolved(operation.pointer)
        known = {}
        for place, _ in enumerate(described.get("parameters", ())):
            pointer = f"{operation.pointer}/parameters/{place}"
            parameter = self.resolved(pointer)
            known[parameter["name"]] = parameter
            place_of = query if parameter["in"] == "query" else operation.parts
            given, schema = place_of.get(parameter["name"]), parameter["schema"]
            if given is not None:
                yield from self._problems(_typed(given, schema), schema)
            elif parameter.get("required"):
                yield f"lacks {parameter['name']}"
        yield from (f"has an unknown parameter {name}" for name in query if name not in known)
        yield from self._body_problems(operation, described, body)

    def _body_problems(
        self, operation: Operation, described: Mapping[str, Any], body: Any
    ) -> Iterator[str]:
        if "requestBody" not in described:
            if body is not None:
                yield "has a body"
            return
        pointer = f"{operation.pointer}/requestBody/content/application~1json/schema"
        yield from self._problems(body, {"$ref": _NAME + pointer})
        known = self.resolved(pointer)["properties"]
        yield from (f"has an unknown property {name}" for name in body or () if name not in known)

    def answer_problems(self, operation: Operation, status: int, body: Any) -> Iterator[str]:
        """Yield what is wrong with an answer; an error of any status may be a plain one."""
        codes = self.resolved(operation.pointer)["responses"]
        if str(status) in codes:
            pointer = self._pointer(f"{operation.pointer}/responses/{status}")
            content = self.resolved(pointer).get("content", {})
            if _JSON in content:
                ref = f"{pointer}/content/application~1json/schema"
                yield from self._problems(body, {"$ref": _NAME + ref})
            elif body is not None and status < 400:
                yield f"{status} has a body"
        elif status >= 400:
            yield from self._problems(body, {"$ref": f"{_NAME}#/components/schemas/basic-error"})
        else:
            yield f"no operation {operation.name} answers {status}"

    def example(self, schema: str, **known: Any) -> dict[str, Any]:
        """Return an object of a schema: what is known of it, and fillers for what it needs."""
        made = self._filler({"$ref": f"#/components/schemas/{schema}"})
        assert isinstance(made, dict)
        return made | known

    def resolved(self, pointer: str) -> Any:
        """Return a part of the description, references followed."""
        return self._at(self._pointer(pointer))

    def _pointer(self, pointer: str) -> str:
        node = self._at(pointer)
        return self._pointer(node["$ref"]) if isinstance(node, dict) and "$ref" in node else pointer

    def _at(self, pointer: str) -> Any:
        node = self._whole
        for part in pointer.removeprefix("#/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            node = node[int(key) if isinstance(node, list) else key]
        return node

    def _problems(self, value: Any, schema: Any) -> Iterator[str]:
        validator = _Validator(schema, registry=self._registry)
        for error in validator.iter_errors(value):
            yield f"{error.json_path}: {error.message[:300]}"

    def _filler(self, schema: Mapping[str, Any]) -> Any:
        if "$ref" in schema:
            return self._filler(self.resolved(schema["$ref"]))
        if schema.get("nullable"):
            return None
        if "oneOf" in schema:
            return self._filler(schema["oneOf"][0])
        if "enum" in schema:
            return schema["enum"][0]
        if schema.get("type") != "object":
            return _FILLERS[(schema.get("type"), schema.get("format"))]
        needed: Sequence[str] = schema.get("required", ())
        return {name: self._filler(schema["properties"][name]) for name in needed}


_FILLERS: Final[Mapping[tuple[Any, Any], Any]] = {
    ("array", None): [],
    ("boolean", None): False,
    ("integer", None): 1,
    ("integer", "int64"): 1,
    ("string", None): "filler",
    ("string", "uri"): "https://github.example/filler",
    ("string", "date-time"): "2026-11-01T00:00:00Z",
}


def _match(template: str, path: str) -> dict[str, str] | None:
    names, texts = template.split("/"), path.split("/")
    # These two alone may hold slashes.
    if names[-1] == "{path}" or names[-3:] == ["git", "ref", "{ref}"]:
        texts[len(names) - 1 :] = ["/".join(texts[len(names) - 1 :])]
    if len(names) != len(texts):
        return None
    parts = {}
    for name, text in zip(names, texts, strict=True):
        if name.startswith("{"):
            parts[name.strip("{}")] = unquote(text)
        elif name != text:
            return None
    return parts


def _typed(text: str, schema: Mapping[str, Any]) -> str | int:
    return int(text) if schema["type"] == "integer" and text.isdecimal() else text
