"""Values in Datadog's answers: each has the expected type, or is refused by its name."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from gate.backends.platforms.messages import finite
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError
from gate.slo.objective import Span
from gate.wording import instant

_MOST_SHOWN: Final = 60
"""The maximum number of characters of a value in a message."""
_MOST_ERRORS: Final = 3
_ERROR_KEYS: Final = ("error_message", "error", "detail", "title", "message")


@dataclass(frozen=True, slots=True)
class EpochWindow:
    """A stretch of time in the form of Datadog's requests: whole seconds since 1970."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """Return the seconds from the start to the end."""
        return self.end - self.start


def window_of(span: Span) -> EpochWindow:
    """Return a stretch of time in whole seconds; fractions are cut at both ends."""
    return EpochWindow(int(span.start.timestamp()), int(span.end.timestamp()))


def instant_of(seconds: int) -> datetime:
    """Return a second since 1970 as an instant."""
    return datetime.fromtimestamp(seconds, UTC)


def shown_instant(seconds: Fraction | int) -> str:
    """Return a second since 1970 for a message, even if it is not a valid instant."""
    try:
        return instant(instant_of(int(seconds)))
    except (ValueError, OverflowError, OSError):
        return str(int(seconds))


def number(value: Any, name: str) -> Fraction:
    """Return a number of an answer exactly, by its digits.

    Raises:
        MeasurementError: it is missing, null, of another type, or not finite (`Cause.INVALID`).
    """
    exact = finite(value)
    if exact is None:
        raise invalid(f"{name} is {shown(value)} and not a number")
    return exact


def mapping(value: Any, name: str) -> Mapping[str, Any]:
    """Return an object of an answer; raises MeasurementError for any other value."""
    if not isinstance(value, dict):
        raise invalid(f"{name} is {shown(value)} and not an object")
    return value


def listed(value: Any, name: str) -> Sequence[Any]:
    """Return a list of an answer; raises MeasurementError for any other value."""
    if not isinstance(value, list):
        raise invalid(f"{name} is {shown(value)} and not a list")
    return value


def shown(value: Any) -> str:
    """Return a value for a message."""
    if value is None:
        return "missing"
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def invalid(reason: str) -> MeasurementError:
    """Return the error for an answer that cannot be a count."""
    return MeasurementError(Cause.INVALID, f"Datadog's answer cannot be a count: {reason}")


def refusals(body: Mapping[str, Any]) -> str:
    """Return the errors in a body, even with the status 200; empty: it has none."""
    texts = [text for key in ("errors", "error") for text in _texts(body.get(key))]
    more = len(texts) - _MOST_ERRORS
    return "; ".join(texts[:_MOST_ERRORS]) + (f"; and {more} more" if more > 0 else "")


def _texts(errors: Any) -> Iterator[str]:
    """Yield the words of errors, which Datadog writes as a list of texts or of objects."""
    if isinstance(errors, list):
        for error in errors:
            yield from _texts(error or "an error without words")
    elif isinstance(errors, dict):
        words = (errors[key] for key in _ERROR_KEYS if isinstance(errors.get(key), str))
        text = next(words, "") or shown(errors)
        kind = errors.get("error_type")
        yield f"{text} ({kind})" if kind else text
    elif errors:
        yield str(errors)
