"""The budget as a share of the window's time, in equal slices, and times for people to read."""

from datetime import timedelta
from fractions import Fraction

from gate.slo.duration import format_duration


def slices_in(window: timedelta, length: timedelta) -> Fraction:
    """Return how many slices the whole window has; a fraction where it is no multiple."""
    return Fraction(window // timedelta(microseconds=1), length // timedelta(microseconds=1))


def allowed_downtime(window: timedelta, budget: Fraction) -> timedelta:
    """Return the time that may be bad: 99.9 % over 30 days is 43.2 minutes."""
    return timedelta(microseconds=float(budget * (window // timedelta(microseconds=1))))


def describe_time(length: timedelta) -> str:
    """Write a time to the second below an hour, to the minute below two days, else to the hour.

    Rounded towards zero: what is left is never shown as more than it is.
    """
    size, unit = abs(length), timedelta(seconds=1)
    if size >= timedelta(days=2):
        unit = timedelta(hours=1)
    elif size >= timedelta(hours=1):
        unit = timedelta(minutes=1)
    text = format_duration(size // unit * unit)
    return f"-{text}" if length < timedelta() and text != "0s" else text
