"""Where a value stands in a picture, and which values are written beside it."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from gate.budget.assessment import Assessment
from gate.reporters.column import Column
from gate.reporters.style import Style
from gate.slo.window import Span

if TYPE_CHECKING:
    from gate.history.past_budget import BurnDown

_HOUR: Final = timedelta(hours=1)


_DAY: Final = timedelta(days=1)


_QUARTER: Final = 91 * _DAY


_STEPS: Final = (
    *(n * timedelta(minutes=1) for n in (5, 15, 30)),
    *(n * _HOUR for n in (1, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 4, 7, 14, 21, 28, 91, 364)),
)
"""Between two instants that are written."""


_MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)


_TICKS: Final = 6
"""So many instants are written at most: a phone has no room for more."""


_LINES: Final = 3


@dataclass(frozen=True, slots=True)
class Linear:
    """Even steps, from the lowest to the highest value."""

    low: float
    high: float
    """Above ``low``."""

    def share(self, value: float) -> float:
        """Return how high a value stands: 0 at the foot, 1 at the top."""
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Return few round values, the lowest first."""
        step = _round((self.high - self.low) / _LINES)
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [number * step for number in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Logarithmic:
    """From 0 up, so that 1 and 1,000 can both be seen: by the logarithm of 1 + value."""

    high: float
    """Above 0."""

    def share(self, value: float) -> float:
        """Return how high a value stands: 0 at the foot, 1 at the top."""
        return math.log1p(value) / math.log1p(self.high)

    def ticks(self) -> list[float]:
        """Return 0 and the powers of ten from 1 on."""
        return [0.0, *(10.0**power for power in range(int(math.log10(self.high)) + 1))]


@dataclass(frozen=True, slots=True)
class Times:
    """Instants, from left to right."""

    span: Span

    def share(self, at: datetime) -> float:
        """Return how far to the right an instant stands: 0 at the left, 1 at the right."""
        return (at - self.span.start) / self.span.length

    def ticks(self) -> Iterator[tuple[datetime, str]]:
        """Yield few round instants in UTC, each as it is written."""
        step = next((one for one in _STEPS if self.span.length / one <= _TICKS), _STEPS[-1])
        start, end = (at.astimezone(UTC) for at in (self.span.start, self.span.end))
        at = _MONDAY - (_MONDAY - start) // step * step
        while at <= end:
            yield at, _written(at, step)
            at += step


def _written(at: datetime, step: timedelta) -> str:
    if step < _DAY and (at.hour or at.minute):
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b}" if step < _QUARTER else f"{at:%Y-%m-%d}"


def _round(step: float) -> float:
    """Return the next round number that is not smaller."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((one * power for one in (1.0, 2.0, 2.5, 5.0) if one * power >= step), 10 * power)


_LEVELS: Final = "▁▂▃▄▅▆▇█"


_TENTHS: Final = "0123456789"
"""Where there is only ASCII: how many tenths of the budget were left, rounded down."""


_OVERSPENT: Final = ("_", "-")


_UNKNOWN: Final = ("·", "?")


def sparkline(known: "BurnDown | None", style: Style) -> str:
    """Draw what was left at the end of each step, the newest at the right."""
    return "" if known is None else signs(known.left, ascii_only=not style.unicode)


def signs(
    shares: Iterable[float | None], *, nothing: str | None = None, ascii_only: bool = False
) -> str:
    """Draw shares of a whole, one sign each.

    Rounded down: the highest sign is for seven eighths (nine tenths in ASCII) and more, the lowest
    for hardly any. Nothing at all, or less, is a sign of its own, and so is what is not known.
    """
    levels = _TENTHS if ascii_only else _LEVELS
    none = nothing or _OVERSPENT[ascii_only]

    def sign(share: float | None) -> str:
        if share is None:
            return _UNKNOWN[ascii_only]
        return none if share <= 0 else levels[min(int(share * len(levels)), len(levels) - 1)]

    return "".join(map(sign, shares))


def column(burn_downs: Mapping[str, "BurnDown"], style: Style) -> Column[Assessment]:
    """Return a column with the burn-down of each budget, where it is known."""
    return Column(
        title="Burn-down",
        cell=lambda known: sparkline(burn_downs.get(known.slo.name), style),
        right=False,
        keep=7,
    )
