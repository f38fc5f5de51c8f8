"""When the budget runs out at the present rate, and whether it lasts until it renews."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction

from gate.budget.ratio import seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What happens next if nothing changes."""

    exhausted_at: datetime | None
    """When nothing is left; None where the present rate never gets there, or it is past already."""
    resets_at: datetime | None
    """When a calendar budget renews; None for a rolling window, which recovers bit by bit."""
    lasts_until_reset: bool | None
    """None for a rolling window."""
    seconds_left: Fraction | None
    """How long what is left lasts at the present rate, exactly, reset or not; None where it never
    runs out, or has already."""


def forecast(
    *,
    at: datetime,
    remaining: Fraction,
    spending: Fraction,
    period: timedelta,
    resets_at: datetime | None,
) -> Forecast:
    """Carry the present rate on.

    Args:
        at: the instant of the run.
        remaining: share of the budget that is left; may be negative.
        spending: whole budgets spent per ``period`` now; 0 or less never exhausts it.
        period: usually the SLO's window, and ``spending`` its burn rate.
        resets_at: the next start of a calendar period.

    For a rolling window this leaves out that old failures fall out of it, so it may come later.
    """
    exhausted_at = lasts = seconds_left = None
    if remaining > 0 and spending > 0:
        seconds_left = seconds(period) * remaining / spending
        try:
            exhausted_at = at + period * float(remaining / spending)
        except OverflowError:
            exhausted_at = None  # after the year 9999
    if resets_at is not None:
        # Not by comparing instants: those are rounded to the microsecond.
        needed = spending * seconds(resets_at - at)
        lasts = remaining > 0 and remaining * seconds(period) >= needed
    return Forecast(
        exhausted_at=exhausted_at,
        resets_at=resets_at,
        lasts_until_reset=lasts,
        seconds_left=seconds_left,
    )
