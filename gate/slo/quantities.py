"""Durations, shares, thresholds and amounts of data, exact as people write them."""

import re
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_WRITTEN = ("d", "h", "m", "s", "ms")
"""The units for output: 28d rather than 4w, as in most policies and rules."""
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:w|d|h|ms|m|s))+")
_LONGEST = timedelta(days=36525)
"""A century: an instant plus or minus this is still a valid date."""
_FINEST = timedelta(milliseconds=1)
"""The smallest unit: backends do not count finer ones, and they would not be read back."""
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(w|d|h|ms|m|s)")
_SPELLED = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)")
"""A number and the name of a unit, a common spelling."""
_SPELLINGS = {
    **dict.fromkeys(("ms", "msec", "msecs", "millisecond", "milliseconds"), "ms"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), "s"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), "m"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), "h"),
    **dict.fromkeys(("d", "day", "days"), "d"),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks"), "w"),
}
"""The spellings of units, in lower case."""
_IN_DAYS = {
    **dict.fromkeys(("mo", "month", "months"), 30),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), 365),
}
"""Units that are not allowed in durations, since their length varies."""


def parse_duration(text: str) -> timedelta:
    """Read a duration above zero.

    Raises:
        ValueError: the text is not a duration, or is zero; the message says what was expected.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is not a valid duration; {_meant_duration(text)}")
    try:
        length = sum((float(n) * _UNITS[unit] for n, unit in _PART.findall(text)), timedelta())
    except OverflowError:
        length = timedelta.max
    if length > _LONGEST:
        raise ValueError(f"{text!r} is longer than {_LONGEST.days}d")
    if not length:
        raise ValueError(f"{text!r} is zero; a duration must be longer")
    if length % _FINEST:
        raise ValueError(f"{text!r} is finer than a millisecond")
    return length


def _meant_duration(text: str) -> str:
    """Return the advice for a text that is not a duration."""
    parts = _SPELLED.fullmatch(text.strip())
    if parts is None:
        return "write for example 30d, 6h, 5m, 1h30m or 250ms"
    number, word = parts[1], parts[2]
    if not word:
        return f"add a unit, for example {number}d, {number}h, {number}m or {number}s"
    if word == "M":
        return f"write {number}m for minutes, or {float(number) * 30:g}d for months"
    if days := _IN_DAYS.get(word.lower()):
        return f"write {float(number) * days:g}d"
    unit = _SPELLINGS.get(word.lower())
    return f"write {number}{unit}" if unit else "the units are w, d, h, m, s and ms"


def format_duration(length: timedelta) -> str:
    """Write a duration of whole milliseconds such that `parse_duration` reads it back: ``1h30m``.

    Fractions of a millisecond are cut; a shorter duration is ``0s``.
    """
    parts = []
    for unit in _WRITTEN:
        count, length = divmod(length, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")


def parse_ratio(text: str) -> Fraction:
    """Read ``99.9%`` or ``0.999`` as 999/1000. The result may lie outside 0 to 1.

    Raises:
        ValueError: the text is not a number, or is a bare number above 1, which is ambiguous.
    """
    number, percent = text.strip(), False
    if number.endswith("%"):
        number, percent = number[:-1].rstrip(), True
    if not _NUMBER.fullmatch(number):
        raise ValueError(f"{text!r} is not a valid percentage or share; {_meant_share(number)}")
    value = Fraction(number)
    if percent:
        return value / 100
    if abs(value) > 1:
        raise ValueError(f"a bare {text} is ambiguous; write {text}% or a share from 0 to 1")
    return value


def _meant_share(number: str) -> str:
    """Return the advice for a text that is not a share, without its percent sign."""
    if _NUMBER.fullmatch(number.replace(",", ".", 1)):
        return f"write a point and no comma: {number.replace(',', '.', 1)}%"
    return "write for example 99.9% or 0.999"


UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
"""The number of each unit in a second."""
_SECONDS: Final = {
    "h": Fraction(3600),
    "m": Fraction(60),
    **{unit: Fraction(1, per) for unit, per in UNITS.items()},
}
_THRESHOLD_NUMBER: Final = r"[0-9]{1,20}(?:\.[0-9]{1,30})?"
_THRESHOLD_DURATION: Final = re.compile(rf"(?:{_THRESHOLD_NUMBER}(?:h|ms|m|us|ns|s))+")
_THRESHOLD_PART: Final = re.compile(rf"({_THRESHOLD_NUMBER})(h|ms|m|us|ns|s)")


@dataclass(frozen=True, slots=True)
class Threshold:
    """The largest good value."""

    value: Fraction
    """In seconds for a time; otherwise the number as it was written."""
    is_time: bool

    def in_unit(self, unit: str) -> Fraction:
        """Return the value in one of `UNITS`; for an empty unit, the number as it was written.

        Raises:
            ValueError: a time is needed and this is not one, or the reverse; the message says so.
        """
        if unit and not self.is_time:
            meant = _meant_time(self.value)
            raise ValueError(f"{decimal(self.value)} has no unit; write a duration such as {meant}")
        if not unit and self.is_time:
            raise ValueError("the measured value is not a time; write a number without a unit")
        return self.value * UNITS[unit] if unit else self.value


_SURELY_MILLISECONDS: Final = 100
"""A latency without a unit that is at least this large cannot be meant in seconds."""


def _meant_time(number: Fraction) -> str:
    """Return how a latency without a unit should be written: nobody means one of 42 minutes."""
    seconds = f"{decimal(number)}s"
    if number < 1:
        return f"{seconds} or {decimal(number * 1000)}ms"
    if number < _SURELY_MILLISECONDS:
        return f"{seconds} or {decimal(number)}ms"
    return f"{decimal(number / 1000)}s or {decimal(number)}ms"


def parse_threshold(text: str) -> Threshold | None:
    """Read ``2.5s``, ``100ms`` or ``1m30s`` exactly; None: the text is not a duration."""
    if not _THRESHOLD_DURATION.fullmatch(text):
        return None
    parts = (Fraction(number) * _SECONDS[unit] for number, unit in _THRESHOLD_PART.findall(text))
    return Threshold(sum(parts, Fraction()), is_time=True)


def decimal(value: Fraction) -> str:
    """Write a number without an exponent, to 28 digits at most."""
    return f"{(Decimal(value.numerator) / Decimal(value.denominator)).normalize():f}"


def around(threshold: Fraction, boundaries: Collection[Fraction], unit: str) -> str:
    """Name the boundaries nearest to a threshold that is not a boundary."""
    below = max((bound for bound in boundaries if bound < threshold), default=None)
    above = min((bound for bound in boundaries if bound > threshold), default=None)
    sides = (("stricter", below), ("laxer", above))
    nearest = [f"the next {side} is {decimal(b)}{unit}" for side, b in sides if b is not None]
    return ", ".join(nearest) or "there is none at all"


_DECIMAL: Final = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "PB": 10**15}
_BINARY: Final = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40, "PiB": 1 << 50}
_FACTORS: Final = {unit.lower(): factor for unit, factor in (_DECIMAL | _BINARY).items()}
SIZE_PATTERN: Final = r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z]+)\s*"
"""A number and a unit; `parse_size` defines the units."""
_SIZE: Final = re.compile(SIZE_PATTERN)
_LARGEST: Final = 1 << 63
"""The first number above 64 signed bits, the largest limit of servers."""
_BARE: Final = re.compile(r"\s*([0-9.]+)\s*")


def parse_size(text: str) -> int:
    """Return the number of bytes in a text with a unit, rounded down.

    50GB are 50,000,000,000 bytes and 50GiB are 53,687,091,200. Upper and lower case are equal,
    since bits are not meant here.

    Raises:
        ValueError: the unit is missing or unknown, or the number is below one byte or above a
            server's limit; the message says what to write.
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

    It has at most three digits, is rounded down, and has no zeros at its end after the point.
    """
    unit, factor = next(
        ((unit, factor) for unit, factor in reversed(_DECIMAL.items()) if size >= factor), ("B", 1)
    )
    whole = size // factor
    places = 0 if unit == "B" else max(0, 3 - len(str(whole)))
    digits = Decimal(size * 10**places // factor).scaleb(-places)
    text = f"{digits:f}"
    return f"{text.rstrip('0').rstrip('.') if places else text} {unit}"
