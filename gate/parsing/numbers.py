"""The numbers in policies: shares, objectives, counts, amounts."""

import re
from fractions import Fraction
from typing import Final

from gate.parsing.objects import Values
from gate.parsing.reader import Reader
from gate.parsing.schema import Scalar
from gate.policy.tiers import COMPARISONS, Condition
from gate.slo.quantities import SIZE_PATTERN, Threshold, parse_ratio, parse_size, parse_threshold

_COMPARISON = re.compile(rf"({'|'.join(sorted(COMPARISONS, key=len, reverse=True))})\s*(.+)")
# As many digits as a float can show: a report that fails on a number has no verdict.
_COUNT = re.compile(r"[0-9]{1,18}")
_NUMBER = re.compile(r"[-+.0-9]{1,40}(?:[eE][-+]?[0-9]{1,2})?|[0-9]{1,20}/[0-9]{1,20}")
_OVERSPENT = -1000
"""The lowest threshold: a budget that is spent a thousand times over."""
_AMOUNT = re.compile(r"([0-9][0-9_,]{0,40}(?:\.[0-9]+)?)\s*([^\s0-9]\S*)?")


def _share(text: str) -> Fraction:
    share = parse_ratio(text)
    if not 0 <= share <= 1:
        raise ValueError(f"{text} is not between 0% and 100%")
    return share


def _above_none(text: str) -> Fraction:
    if not (share := _share(text)):
        raise ValueError(f"{text} must be above 0%")
    return share


def _objective(text: str) -> Fraction:
    objective = parse_ratio(text)
    if objective == 1:
        raise ValueError(f"{text} leaves no budget to spend; write less, for example 99.9%")
    if not 0 < objective < 1:
        raise ValueError(f"{text} is not above 0% and below 100%; write for example 99.9%")
    return objective


def _condition(text: str) -> Condition:
    comparison = _COMPARISON.fullmatch(text.strip())
    if comparison is None:
        raise ValueError(f'{text!r} is not a valid comparison; write for example "> 50%"')
    threshold = parse_ratio(comparison[2])
    if not _OVERSPENT <= threshold <= 1:
        raise ValueError(f"{text!r}: a budget has at most 100% left; -50% is overspent by half")
    return Condition(comparison[1], threshold)


def _count(text: str) -> int:
    if not _COUNT.fullmatch(text):
        raise ValueError(f"{text!r} is not a valid count; write a whole number, 0 or more")
    return int(text)


def _number(text: str) -> Fraction:
    try:
        return Fraction(text if _NUMBER.fullmatch(text) else "")
    except (ValueError, ZeroDivisionError):
        decimal_comma = re.fullmatch("[0-9]+,[0-9]+", text)
        form = text.replace(",", ".") if decimal_comma else "digits, with a point for decimals"
        raise ValueError(f"{text!r} is not a valid number; write {form}") from None


def _above_zero(text: str) -> Fraction:
    number = _number(text)
    if number <= 0:
        raise ValueError(f"{text} is not above zero; write a positive number")
    return number


def _amount(text: str) -> tuple[Fraction, str]:
    parts = _AMOUNT.fullmatch(text.strip())
    amount = Fraction(re.sub("[_,]", "", parts[1])) if parts else Fraction(0)
    if parts is None or not amount:
        raise ValueError(f"{text!r} is not a valid amount above zero; write for example 50000 USD")
    return amount, parts[2] or ""


_DIGITS = r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
_SHARE_PATTERN = (
    r"\s*\+?(?:0*100(?:\.0*)?|0*[0-9]{1,2}(?:\.[0-9]*)?|\.[0-9]+)\s*%\s*"
    r"|\s*\+?(?:0*(?:0|\.[0-9]+|0\.[0-9]*)|0*1(?:\.0*)?)\s*"
)
"""A percentage from 0% to 100%, or a share from 0 to 1."""
_ZERO = r"\s*\+?[0.]+\s*%?\s*$"
_WHOLE = r"\s*\+?(?:0*100(?:\.0*)?\s*%|0*1(?:\.0*)?)\s*$"
_RATIO_JSON = {
    "type": ["string", "number"],
    "minimum": 0,
    "maximum": 1,
    "pattern": f"^(?:{_SHARE_PATTERN})$",
    "examples": ["99.9%", 0.999],
}
_ABOVE_NONE_JSON = {
    **{key: value for key, value in _RATIO_JSON.items() if key != "minimum"},
    "exclusiveMinimum": 0,
    "pattern": f"^(?!{_ZERO})(?:{_SHARE_PATTERN})$",
}
_OBJECTIVE_JSON = {
    "type": ["string", "number"],
    "exclusiveMinimum": 0,
    "exclusiveMaximum": 1,
    "pattern": f"^(?!{_ZERO})(?!{_WHOLE})(?:{_SHARE_PATTERN})$",
    "examples": ["99.9%", 0.999],
}
_NUMBER_PATTERN = (
    r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,2})?|[0-9]+/[0-9]*[1-9][0-9]*"
)
_POSITIVE_PATTERN = rf"(?=[^eE/]*[1-9])\+?(?:{_NUMBER_PATTERN.removeprefix('[-+]?')})"
SHARE: Final = Scalar(_share, _RATIO_JSON)
ABOVE_NONE: Final = Scalar(_above_none, _ABOVE_NONE_JSON)
OBJECTIVE: Final = Scalar(_objective, _OBJECTIVE_JSON)
CONDITION: Final = Scalar(
    _condition,
    {
        "type": "string",
        "pattern": rf"^\s*(?:>=|<=|>|<)\s*[-+]?(?:{_DIGITS}\s*%|0?\.[0-9]+|[01](?:\.0*)?)\s*$",
        "examples": ["> 50%"],
    },
)
COUNT: Final = Scalar(_count, {"type": ["integer", "string"], "minimum": 0, "pattern": r"^[0-9]+$"})
CONNECTION_COUNT: Final = Scalar(
    _count, {**COUNT.json, "pattern": rf"{COUNT.json['pattern']}|\$\{{"}, variables=True
)
"""A count for a backend's connection."""
NUMBER: Final = Scalar(
    _number, {"type": ["number", "string"], "pattern": f"^(?:{_NUMBER_PATTERN})$"}
)
ABOVE_ZERO: Final = Scalar(
    _above_zero,
    {
        "type": ["number", "string"],
        "exclusiveMinimum": 0,
        "pattern": f"^(?:{_POSITIVE_PATTERN})$",
    },
)
AMOUNT: Final = Scalar(
    _amount,
    {
        "type": ["string", "number"],
        "exclusiveMinimum": 0,
        "pattern": rf"^\s*(?=[0-9_,.]*[1-9]){_AMOUNT.pattern}\s*$",
        "examples": ["50000 USD"],
    },
)
BYTES: Final = Scalar(
    parse_size, {"type": "string", "pattern": f"^{SIZE_PATTERN}$", "examples": ["50GB", "20GiB"]}
)


def _threshold(text: str) -> Threshold:
    if (threshold := parse_threshold(text)) is not None:
        return threshold
    try:
        return Threshold(NUMBER.parse(text), is_time=False)
    except ValueError:
        message = f"{text!r} is not a valid threshold; write a duration such as 2.5s, or a number"
        raise ValueError(message) from None


THRESHOLD: Final = Scalar(
    _threshold,
    {
        **NUMBER.json,
        "pattern": rf"{NUMBER.json['pattern']}|^(?:[0-9]+(?:\.[0-9]+)?(?:h|ms|m|us|ns|s))+$",
        "examples": ["2.5s", "100ms", 0.7],
    },
)


def threshold_in(values: Values, unit: str, reader: Reader) -> Fraction:
    """Return the threshold in a unit; an empty unit means a bare number.

    Raises:
        UnreadableError: it is a time and must not be one, or the reverse.
    """
    threshold: Threshold = values.get("threshold")
    try:
        return threshold.in_unit(unit)
    except ValueError as error:
        raise reader.fail(values.node("threshold"), str(error)) from None


def _count_from_one(text: str) -> int:
    number = COUNT.parse(text)
    if not number:
        raise ValueError("0 is too few; write a whole number, 1 or more")
    return number


FROM_ONE: Final = Scalar(
    _count_from_one, {"type": ["integer", "string"], "minimum": 1, "pattern": "^0*[1-9][0-9]*$"}
)
