"""One minute of requests that every server here is told about, and that tests count by hand.

Each minute is the same, so that every counter grows evenly and an increase over a window is exact.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request and its outcome."""

    status: int = 200
    finish: str = "stop"
    """stop, length, error, abort or repetition: why the engine ended it."""
    latency: float = 1.4
    """Seconds until the whole answer."""
    first_token: float = 0.4
    """Seconds; 0: there was none."""
    per_token: float = 0.02
    """Seconds between two tokens."""
    tokens: int = 50
    """The tokens of the answer."""
    prompt_tokens: int = 25
    streaming: bool = True
    cancelled: bool = False
    flagged: bool = False
    """A guardrail intervened."""

    @property
    def served(self) -> bool:
        return self.status < 400 and not self.cancelled


_GOOD: Final = Request()
MINUTE: Final[tuple[Request, ...]] = (
    *(_GOOD for _ in range(60)),
    *(replace(_GOOD, streaming=False, first_token=1.4) for _ in range(10)),
    *(replace(_GOOD, latency=12.5, first_token=3.2, per_token=0.13, tokens=70) for _ in range(9)),
    *(replace(_GOOD, latency=33.0, first_token=11.0, per_token=0.7, tokens=30) for _ in range(4)),
    *(replace(_GOOD, status=500, finish="error", first_token=0.0, tokens=0) for _ in range(5)),
    *(replace(_GOOD, status=503, finish="error", first_token=0.0, tokens=0) for _ in range(3)),
    *(replace(_GOOD, status=429, finish="error", first_token=0.0, tokens=0) for _ in range(2)),
    *(replace(_GOOD, status=400, finish="error", first_token=0.0, tokens=0) for _ in range(4)),
    *(replace(_GOOD, finish="length", latency=4.0, tokens=128) for _ in range(6)),
    *(replace(_GOOD, finish="repetition", latency=8.0, tokens=256) for _ in range(2)),
    *(replace(_GOOD, finish="abort", cancelled=True, tokens=11) for _ in range(3)),
    *(replace(_GOOD, flagged=True) for _ in range(7)),
)


def count(holds: Callable[[Request], bool], requests: Iterable[Request] = MINUTE) -> int:
    """Count the requests, by default those of the minute, of which this is true."""
    return sum(map(holds, requests))
