"""Durations as Prometheus writes them: ``30d``, ``1h30m``, ``250ms``. None for months."""

import re
from datetime import timedelta

_UNITS = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_WRITTEN = ("d", "h", "m", "s", "ms")
"""28d rather than 4w: as most policies and rules have it."""
_DURATION = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:w|d|h|ms|m|s))+")
_LONGEST = timedelta(days=36525)
"""A century: an instant less this, or plus this, is still a date."""
_FINEST = timedelta(milliseconds=1)
"""Backends count no finer, and it would not be read back as it was written."""
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(w|d|h|ms|m|s)")


def parse_duration(text: str) -> timedelta:
    """Read a duration above zero.

    Raises:
        ValueError: the text is no duration, or is zero; its message says what was expected.
    """
    if not _DURATION.fullmatch(text):
        raise ValueError(f"{text!r} is no duration; write for example 30d, 6h, 5m, 1h30m or 250ms")
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


def format_duration(length: timedelta) -> str:
    """Write a duration of whole milliseconds so that `parse_duration` reads it back: ``1h30m``.

    Anything finer is left out; what is shorter is ``0s``.
    """
    parts = []
    for unit in _WRITTEN:
        count, length = divmod(length, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
