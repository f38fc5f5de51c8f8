"""Values of a platform's JSON as the gate needs them, or nothing: never a zero in their place."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.measure import Cause, Unmeasured
from gate.measure.remedies import hint_for
from gate.wording import instant

_LARGEST: Final = 1e100
"""No count is larger, and sums of many such can still be shown. NaN is not below it either."""
_ABOUT_NOW: Final = timedelta(minutes=15)
"""How long ago a run may have begun that asks for now: the longest that a platform may take."""


def finite(value: object) -> Fraction | None:
    """Return a number exactly as it is written; None: it is not a number, or not a finite one.

    Python reads NaN and Infinity in JSON, and takes true for 1.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return Fraction(str(value)) if abs(value) < _LARGEST else None


def timestamp(value: object) -> datetime | None:
    """Return an instant of ISO 8601 with its zone; None: the value is none, or has no zone."""
    if not isinstance(value, str):
        return None
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):  # the latter where UTC is in another year than there is
        return None


def rewritten(value: Any, change: Callable[[str], str]) -> Any:
    """Return a value of JSON with every text in it changed, keys too."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [rewritten(each, change) for each in value]
    if isinstance(value, dict):
        return {change(key): rewritten(each, change) for key, each in value.items()}
    return value


def refusal_of_the_past(title: str, at: datetime, now: datetime) -> Unmeasured | None:
    """Refuse an instant that is not about now, for a platform that answers for now only.

    Args:
        title: how the platform is called.
        at: the run's instant.
        now: by the clock of this machine.

    Returns:
        Why nothing can be measured; None: the instant is about now.
    """
    if abs(now - at) <= _ABOUT_NOW:
        return None
    return Unmeasured(
        cause=Cause.INVALID,
        reason=f"{title} answers for now only, and what is asked for is"
        f" {instant(at)}{hint_for('platform-now')}",
    )
