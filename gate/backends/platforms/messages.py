"""What is said to a platform and by it: requests, refusals, and values, never a zero instead."""

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
    """After the address of the server, with its slash."""
    method: str = "GET"
    params: Mapping[str, str] | None = None
    body: Mapping[str, Any] | None = None
    """Sent as JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialogue:
    """How one platform words its refusals and how long it asks to wait."""

    words: Callable[[JsonObject], str]
    """Returns what the body of a refusal says, for people; empty: nothing."""
    hints: Mapping[int, str]
    """The remedy for a status, in the imperative; it takes the place of the general hint."""
    kind: Callable[[Mapping[str, str], JsonObject], str] = lambda _headers, _body: ""
    """Returns what the platform calls a refusal with these headers and body; empty: nothing."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """The remedy for a refusal of this name, in the imperative; it takes precedence over
    ``hints``."""
    transient: Callable[[JsonObject], bool] = lambda _: False
    """Returns whether the body of a refusal says that the same request may succeed in a moment,
    whatever its status: some throttle with 400."""
    wait: Callable[[Mapping[str, str], datetime], float | None] = retry_after
    """Returns the seconds to wait that the headers of a refusal ask for; None: they do not say."""


class ApiError(MeasurementError):
    """A refusal, or no answer at all; its reason names the server and says what to do."""

    def __init__(self, reason: str, status: int | None, kind: str = "") -> None:
        super().__init__(Cause.BACKEND_ERROR, reason)
        self.status = status
        """The status of HTTP; None: no answer came."""
        self.kind = kind
        """The platform's name for the refusal; empty: it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRefusal(RequestFailure):
    """An answer that is not the one that was asked for."""

    kind: str


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
