"""Thresholds: a duration, exact to the last digit, or a bare number in a unit of its own."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""How many of each make a second."""
_SECONDS: Final = {
    "h": Fraction(3600),
    "m": Fraction(60),
    **{unit: Fraction(1, per) for unit, per in UNITS.items()},
}
_NUMBER: Final = r"[0-9]{1,20}(?:\.[0-9]{1,30})?"
_DURATION: Final = re.compile(rf"(?:{_NUMBER}(?:h|ms|m|us|ns|s))+")
_PART: Final = re.compile(rf"({_NUMBER})(h|ms|m|us|ns|s)")


@dataclass(frozen=True, slots=True)
class Threshold:
    """The largest good value."""

    value: Fraction
    """In seconds where it is a time; else as it was written."""
    is_time: bool

    def in_unit(self, unit: str) -> Fraction:
        """Return the value in one of `UNITS`, or for an empty unit as it was written.

        Raises:
            ValueError: a time is needed and this is none, or the reverse; the message says so.
        """
        if unit and not self.is_time:
            text = decimal(self.value)
            raise ValueError(f"a bare {text} has no unit; write a duration such as {text}{unit}")
        if not unit and self.is_time:
            raise ValueError("what is measured is no time; write a bare number")
        return self.value * UNITS[unit] if unit else self.value


def parse_threshold(text: str) -> Threshold | None:
    """Read ``2.5s``, ``100ms`` or ``1m30s`` exactly; None: the text is no duration."""
    if not _DURATION.fullmatch(text):
        return None
    parts = (Fraction(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    return Threshold(sum(parts, Fraction()), is_time=True)


def decimal(value: Fraction) -> str:
    """Write a number without an exponent, to 28 digits at most."""
    return f"{(Decimal(value.numerator) / Decimal(value.denominator)).normalize():f}"


def around(threshold: Fraction, boundaries: Collection[Fraction], unit: str) -> str:
    """Say which boundaries are nearest to a threshold that is none of them."""
    below = max((bound for bound in boundaries if bound < threshold), default=None)
    above = min((bound for bound in boundaries if bound > threshold), default=None)
    sides = (("stricter", below), ("laxer", above))
    found = [f"the next {side} is {decimal(b)}{unit}" for side, b in sides if b is not None]
    return ", ".join(found) or "there is none at all"
