"""The rule that an indicator must not have become worse than it usually is, whatever is left."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gate.policy.burn_rates import Effect
from gate.policy.changes import REPAIRS
from gate.slo.window import Span

LAST: Final = timedelta(days=14)
STEP: Final = timedelta(hours=1)
SIGNAL_TTL: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlChartRule:
    """Which charts are drawn, and what they do to a change."""

    effect: Effect = Effect.WARN
    last: timedelta = LAST
    """How much of the history is charted; what is over a whole number of steps is left out."""
    step: timedelta = STEP
    """Of a point."""
    baseline: timedelta = LAST / 2
    """How much of the beginning says what is usual; less than ``last``."""
    signal_ttl: timedelta = SIGNAL_TTL
    """A signal counts as long as it goes on, and so long after."""
    allow: frozenset[str] = REPAIRS
    """Change classes that ship all the same."""

    def looks_at(self, at: datetime) -> Span:
        """Return the time that is charted."""
        return Span(at - self.last // self.step * self.step, at)
