"""The requests that every log here has written down, and what tests count of them by hand."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from tests.presets.traffic import MINUTE, Request

AT: Final = datetime(2026, 10, 31, 12, tzinfo=UTC)
"""The end of the window, which is a day long."""


@dataclass(frozen=True, kw_only=True)
class Entry(Request):
    """One request, and what a log can know of it."""

    cost: float | None = 0.01
    """USD; None: no price."""
    cached: bool = False
    told: bool = True
    """A failure comes with its status."""
    unguarded: bool = False
    """The guardrail failed to respond."""
    checked: bool = True
    """A guardrail was asked."""
    started: datetime = AT
    number: int = 0

    @property
    def failed(self) -> bool:
        return not self.served

    @property
    def ended(self) -> datetime:
        return self.started + timedelta(seconds=self.latency)

    @property
    def first(self) -> datetime:
        """When the first token came; the end where nothing was streamed or came."""
        seconds = self.first_token if self.streaming and self.first_token else self.latency
        return self.started + timedelta(seconds=seconds)

    @property
    def mean(self) -> Fraction:
        """Seconds per token after the first."""
        rest = Fraction(str(self.latency)) - Fraction(str(self.first_token))
        return rest / (self.tokens - 1)


_MORE: Final[tuple[dict[str, Any], ...]] = (
    *({"cached": True, "latency": 0.05, "first_token": 0.04, "cost": 0.0} for _ in range(5)),
    # On the threshold, which is good still.
    *({"latency": 10.0, "first_token": 2.0, "tokens": 81, "cost": 0.05} for _ in range(3)),
    *({"latency": 10.001, "first_token": 2.001, "tokens": 80, "cost": 0.0501} for _ in range(2)),
    {"status": 500, "told": False, "first_token": 0.0, "tokens": 0},
    {"status": 408, "first_token": 0.0, "tokens": 0, "latency": 60.0},
    {"cost": None},
    *({"unguarded": True} for _ in range(2)),
    *({"checked": False} for _ in range(8)),
)


def _entries() -> tuple[Entry, ...]:
    known = [{f.name: getattr(request, f.name) for f in fields(request)} for request in MINUTE]
    made = [*known, *_MORE]
    return tuple(
        # Milliseconds, as databases keep them; no two alike.
        Entry(started=AT - timedelta(seconds=100 + 20.007 * place), number=place, **more)
        for place, more in enumerate(made)
    )


LOG: Final = _entries()
OLD: Final = AT - timedelta(days=2)
"""Before the window: rows of then count nowhere."""


def count(holds: Callable[[Entry], bool]) -> int:
    """Count the requests of which this is true."""
    return sum(map(holds, LOG))


def of(
    total: Callable[[Entry], bool], good: Callable[[Entry], bool], **more: Any
) -> dict[str, Any]:
    """Return a case: what the policy says, and the bad and all events that follow."""
    return {
        **more,
        "bad": count(lambda entry: total(entry) and not good(entry)),
        "total": count(total),
    }


def iso(moment: datetime) -> str:
    """Write an instant with its offset."""
    return moment.isoformat(timespec="microseconds")


def naive(moment: datetime) -> str:
    """Write an instant as databases export it: UTC, without saying so, to the millisecond."""
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
