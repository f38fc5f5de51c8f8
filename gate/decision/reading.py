"""Read a document that anybody may have written: strict JSON, in the form of a schema.

Python's own reader accepts duplicate keys, ``NaN``, ``1e999`` and UTF-16, which other readers treat
differently. A document that two readers could understand differently is refused.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NoReturn

Schema = Mapping[str, Any]
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_YEARS: Final = range(1970, 9999)
"""Outside of these years, an offset from UTC may lead out of the calendar."""
_TYPES: Final[Mapping[str, Callable[[object], bool]]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
_OTHERS: Final = frozenset(
    {
        *("$schema", "$id", "$defs", "title", "description"),
        *("properties", "additionalProperties", "items"),
    }
)


class OddDocumentError(ValueError):
    """A text is not a document that can be judged; the message says why, without the text."""


def read_json(raw: bytes) -> Any:
    """Return the value of a text in JSON (RFC 8259) and UTF-8, if it has only one meaning.

    Raises:
        OddDocumentError: it is not such a text, or readers may differ about its meaning.
    """
    try:
        document = json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_constant,
            parse_float=_float,
        )
        json.dumps(document, ensure_ascii=False).encode("utf-8")  # no half of a surrogate pair
    except OddDocumentError:
        raise
    except UnicodeError as error:
        raise OddDocumentError("it is not UTF-8 text") from error
    except RecursionError as error:
        raise OddDocumentError("it is nested too deeply") from error
    except ValueError as error:
        raise OddDocumentError("it is not a JSON document") from error
    return document


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise OddDocumentError("an object in it has two values of one name")
    return document


def _constant(name: str) -> NoReturn:
    raise OddDocumentError(f"{name} is not JSON")


def _float(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise OddDocumentError("a number in it is out of range")
    return number


def read_instant(text: str) -> datetime | None:
    """Return an RFC 3339 instant; None if it is not valid, or has no offset from UTC."""
    if not _INSTANT.fullmatch(text) or int(text[:4]) not in _YEARS:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None  # for example 30 February


def check_shape(document: object, schema: Schema) -> None:
    """Check a document against its JSON Schema.

    It supports the keywords that the schemas of this package use, and refuses others.

    Raises:
        OddDocumentError: the document does not match the schema.
        ValueError: the schema has an unsupported keyword.
    """
    _check(document, schema, schema, "it")


def _check(value: Any, schema: Schema, root: Schema, place: str) -> None:
    for keyword, demand in schema.items():
        if keyword == "$ref":
            _check(value, root["$defs"][demand.removeprefix("#/$defs/")], root, place)
        elif keyword in _KEYWORDS:
            if not _KEYWORDS[keyword](value, demand):
                there = f"what a {_name(root)} has there"
                raise OddDocumentError(f"{place} is not {there} ({keyword})")
        elif keyword not in _OTHERS:
            raise ValueError(f"the schema has {keyword!r}, which is not known here")
    if isinstance(value, dict):
        _check_members(value, schema, root, place)
    for number, item in enumerate(value if isinstance(value, list) else (), start=1):
        _check(item, schema.get("items", {}), root, f"entry {number} of {place}")


def _check_members(value: Mapping[str, Any], schema: Schema, root: Schema, place: str) -> None:
    properties, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    for name, member in value.items():
        if name in properties:
            _check(member, properties[name], root, f"{name} of {place}")
        elif others is False:
            raise OddDocumentError(f"{place} has a key that no {_name(root)} has")
        else:
            _check(member, others, root, f"a value of {place}")


def _name(root: Schema) -> str:
    return str(root.get("title", "document")).lower()


def _typed(value: object, names: str | Sequence[str]) -> bool:
    return any(_TYPES[name](value) for name in ([names] if isinstance(names, str) else names))


def _same(value: object, demand: object) -> bool:
    return type(value) is type(demand) and value == demand  # True is not 1


def _regex(pattern: str) -> re.Pattern[str]:
    # Python's $ also matches before a line break at the end.
    return re.compile(re.sub(r"\$\Z", r"\\Z", pattern))


_KEYWORDS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "type": _typed,
    "const": _same,
    "enum": lambda value, choices: any(_same(value, choice) for choice in choices),
    "required": lambda value, names: not isinstance(value, dict) or set(names) <= value.keys(),
    "pattern": lambda value, text: not isinstance(value, str) or bool(_regex(text).search(value)),
    "format": lambda value, _: not isinstance(value, str) or read_instant(value) is not None,
    "minimum": lambda value, least: not _typed(value, "number") or value >= least,
    "maximum": lambda value, most: not _typed(value, "number") or value <= most,
    "minItems": lambda value, least: not isinstance(value, list) or len(value) >= least,
    "maxItems": lambda value, most: not isinstance(value, list) or len(value) <= most,
}
