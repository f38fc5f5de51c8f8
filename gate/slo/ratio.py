"""Shares of a whole as exact fractions, so that 14,400 bad in 1,000,000 at 99.9 % burns at 14.4."""

import re
from fractions import Fraction

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


def parse_ratio(text: str) -> Fraction:
    """Read ``99.9%`` or ``0.999`` as 999/1000. The result may lie outside 0 to 1.

    Raises:
        ValueError: no number; or a bare number above 1, which could be meant either way.
    """
    number, percent = text.strip(), False
    if number.endswith("%"):
        number, percent = number[:-1].rstrip(), True
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"{text!r} is no share; write for example 99.9% or 0.999")
    value = Fraction(number)
    if percent:
        return value / 100
    if abs(value) > 1:
        raise ValueError(f"a bare {text} is ambiguous; write {text}% or a share from 0 to 1")
    return value
