"""A request to a platform, and how each platform words its refusals."""

from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import datetime
from typing import Any

from gate.dataclass import dataclass
from gate.http import retry_after
from gate.measure import Cause, MeasurementError
from gate.request_failure import RequestFailure

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
