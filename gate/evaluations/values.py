"""Values of result files: JSON with exact numbers, and values of a required type."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

from gate.evaluations import UnreadableResultsError

_MAGNITUDE: Final = 300
"""The maximum number of decimal places before and after the point; more would only take memory."""
_VALUES: Final = 8_000_000
"""The maximum number of values in one document, which take 1 GB of memory; 64 MiB of results have
fewer."""


def decode(content: bytes) -> str:
    """Return a text in UTF-8, with or without a byte order mark.

    Raises:
        UnreadableResultsError: it is not such a text.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableResultsError("it is not text in UTF-8") from error


def parse_json(text: str) -> Any:
    """Return the value of a JSON text, with numbers as int or Decimal, and with NaN.

    Raises:
        UnreadableResultsError: it is not JSON, or an object has duplicate keys.
    """
    if sum(map(text.count, "[{,")) > _VALUES:
        raise UnreadableResultsError("it has more values than results have")
    try:
        return json.loads(
            text, object_pairs_hook=_object, parse_float=_decimal, parse_constant=Decimal
        )
    except RecursionError as error:
        raise UnreadableResultsError("it is nested too deeply") from error
    except ValueError as error:
        raise UnreadableResultsError("it is not complete JSON") from error


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        raise UnreadableResultsError("an object in it has two values of one name")
    return document


def _decimal(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent of 20 digits
        return Decimal("Infinity")


def mapping(value: Any) -> Mapping[str, Any]:
    """Return an object of JSON; empty if the value is something else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> Sequence[Any]:
    """Return a list of JSON; empty if the value is something else."""
    return value if isinstance(value, list) else ()


def words(value: Any) -> str | None:
    """Return a text that is not empty; None if the value is something else."""
    return value if isinstance(value, str) and value else None


def count(value: Any) -> int | None:
    """Return a whole number from 0 on, also written as 200.0; None for any other value."""
    number = exact(value)
    return int(number) if number is not None and number >= 0 and number.denominator == 1 else None


def exact(value: Any) -> Fraction | None:
    """Return a finite number as it is written; None for any other value."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if isinstance(value, int):
        return Fraction(value)
    if not value.is_finite() or abs(value.adjusted()) > _MAGNITUDE:
        return None
    return Fraction(value)
