"""Amounts of data, as people write them."""

import re
from decimal import Decimal
from fractions import Fraction
from typing import Final

_DECIMAL: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}
_BINARY: Final = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50}
_FACTORS: Final = {unit.lower(): factor for unit, factor in (_DECIMAL | _BINARY).items()}
SIZE_PATTERN: Final = r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z]+)\s*"
"""A number and a unit; `parse_size` says which units there are."""
_SIZE: Final = re.compile(SIZE_PATTERN)
_LARGEST: Final = 1 << 63
"""What a signed number of 64 bits has no room for: servers take no larger limit."""
_BARE: Final = re.compile(r"\s*([0-9.]+)\s*")


def parse_size(text: str) -> int:
    """Return how many whole bytes are written here, rounded down.

    50GB are 50,000,000,000 bytes and 50GiB are 53,687,091,200. Capitals do not matter, since
    nobody means bits here.

    Raises:
        ValueError: there is no unit, or an unknown one, or less than one byte, or more than a
            server takes; the message says what to write.
    """
    parts = _SIZE.fullmatch(text)
    factor = _FACTORS.get(parts[2].lower()) if parts else None
    if parts is None or factor is None:
        bare = _BARE.fullmatch(text)
        remedy = f"add its unit, as in {bare[1]}GB" if bare else "write for example 50GB or 20GiB"
        units = ", ".join((*_DECIMAL, *_BINARY))
        raise ValueError(f"{text!r} is not a valid amount of data; {remedy} ({units})")
    size = int(Fraction(parts[1]) * factor)
    if not 0 < size < _LARGEST:
        raise ValueError(f"{text!r} is not between 1 byte and 9,000 PB; write for example 50GB")
    return size


def format_size(size: int) -> str:
    """Write a number of bytes in the largest decimal unit that it fills: 812 B, 1.3 GB, 50 GB.

    Three digits at most, rounded down, and no zeros behind the point.
    """
    unit, factor = next(
        ((unit, factor) for unit, factor in reversed(_DECIMAL.items()) if size >= factor), ("B", 1)
    )
    whole = size // factor
    places = 0 if unit == "B" else max(0, 3 - len(str(whole)))
    digits = Decimal(size * 10**places // factor).scaleb(-places)
    text = f"{digits:f}"
    return f"{text.rstrip('0').rstrip('.') if places else text} {unit}"
