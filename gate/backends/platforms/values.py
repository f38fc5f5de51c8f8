"""Values of a platform's JSON as the gate needs them, or None; never a zero in their place."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.measure import Cause, Unmeasured
from gate.measure.remedies import hint_for
from gate.wording import instant

_LARGEST: Final = 1e100
"""The largest count; sums of many such counts can still be shown. NaN is not below it either."""
_ABOUT_NOW: Final = timedelta(minutes=15)
"""The maximum age of a run that counts as the present: the longest time that a platform may
take."""


def finite(value: object) -> Fraction | None:
    """Return a number exactly as it is written; None: it is not a number, or not finite.

    Python accepts NaN and Infinity in JSON, and treats true as 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(str(value)) if abs(value) < _LARGEST else None


def timestamp(value: object) -> datetime | None:
    """Return an ISO 8601 instant with its zone; None: it is not an instant, or has no zone."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):  # the latter if UTC is in a year outside of the calendar
        return None


def rewritten(value: Any, change: Callable[[str], str]) -> Any:
    """Return a JSON value with every text in it changed, including keys."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [rewritten(each, change) for each in value]
    if isinstance(value, dict):
        return {change(key): rewritten(each, change) for key, each in value.items()}
    return value


def refusal_of_the_past(title: str, at: datetime, now: datetime) -> Unmeasured | None:
    """Refuse an instant in the past, for a platform that only knows the present.

    Args:
        title: the name of the platform.
        at: the run's instant.
        now: the time of this machine's clock.

    Returns:
        Why nothing can be measured; None: the instant is the present.
    """
    if abs(now - at) <= _ABOUT_NOW:
        return None
    return Unmeasured(
        cause=Cause.INVALID,
        reason=f"{title} only answers for the present, and the requested instant is"
        f" {instant(at)}{hint_for('platform-now')}",
    )
