"""Requests to a platform, its refusals, and its values; a missing value is never a zero."""

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.dataclass import dataclass
from gate.http import retry_after
from gate.measure import Cause, MeasurementError, Unmeasured
from gate.measure.remedies import hint_for
from gate.request_failure import RequestFailure
from gate.wording import instant

JsonObject = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request."""

    path: str
    """The path after the address of the server, with its slash."""
    method: str = "GET"
    params: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    """The JSON body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """The form of one platform's refusals, and of its requests to wait."""

    words: Callable[[JsonObject], str]
    """Returns the message in the body of a refusal, for people; empty: none."""
    hints: Mapping[int, str]
    """The remedy for a status, in the imperative; it replaces the general hint."""
    kind: Callable[[Mapping[str, str], JsonObject], str] = lambda _headers, _body: ""
    """Returns the platform's name for a refusal with these headers and body; empty: none."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """The remedy for a refusal of this name, in the imperative; it takes precedence over
    ``hints``."""
    transient: Callable[[JsonObject], bool] = lambda _: False
    """Returns whether the body of a refusal means that the same request may succeed in a moment,
    whatever its status: some platforms throttle with 400."""
    wait: Callable[[Mapping[str, str], datetime], float | None] = retry_after
    """Returns the seconds to wait in the headers of a refusal; None: not stated."""


class ApiError(MeasurementError):
    """A refusal, or a missing answer; its reason names the server and the remedy."""

    def __init__(self, reason: str, status: int | None, kind: str = "") -> None:
        super().__init__(Cause.BACKEND_ERROR, reason)
        self.status = status
        """The HTTP status; None: no answer."""
        self.kind = kind
        """The platform's name for the refusal; empty: it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRefusal(RequestFailure):
    """An answer that is not the expected one."""

    kind: str


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
