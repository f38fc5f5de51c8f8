"""Values of result files: JSON whose numbers are exact, and what must be of one type."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any, Final

from gate.evaluations import UnreadableResultsError

_MAGNITUDE: Final = 300
"""Decimal places before and behind the point that a number may have; more takes memory, not sense.
"""
_VALUES: Final = 8_000_000
"""Values of one document, which take 1 GB of memory; 64 MiB of results have fewer."""


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
    """Return what a text in JSON says, with numbers as int or Decimal, and NaN as such.

    Raises:
        UnreadableResultsError: it is not JSON, or an object has two values of one name.
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
    """Return an object of JSON; empty if it is something else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> Sequence[Any]:
    """Return a list of JSON; empty if it is something else."""
    return value if isinstance(value, list) else ()


def words(value: Any) -> str | None:
    """Return a text that is not empty; None if it is something else."""
    return value if isinstance(value, str) and value else None


def count(value: Any) -> int | None:
    """Return a whole number from 0 on, also where it is written as 200.0; None if it is not one."""
    number = exact(value)
    return int(number) if number is not None and number >= 0 and number.denominator == 1 else None


def exact(value: Any) -> Fraction | None:
    """Return a finite number as it is written; None if it is not one."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    if isinstance(value, int):
        return Fraction(value)
    if not value.is_finite() or abs(value.adjusted()) > _MAGNITUDE:
        return None
    return Fraction(value)
