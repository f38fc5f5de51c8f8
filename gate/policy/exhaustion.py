"""The rule that a budget must not be about to run out."""

from dataclasses import dataclass
from datetime import timedelta

from gate.policy.burn_rates import Effect
from gate.policy.changes import REPAIRS


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhaustionRule:
    """How long every budget must last at its present burn rate."""

    within: timedelta
    """Fires where one runs out in this time or sooner."""
    effect: Effect = Effect.WARN
    allow: frozenset[str] = REPAIRS
    """Change classes that may ship all the same."""
