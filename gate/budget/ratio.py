"""The budget of a ratio SLO, counted in events or in timeslices.

Everything follows from one number: the share of the budget that a single bad event spends.
"""

from datetime import datetime, timedelta
from fractions import Fraction

from gate.budget.occurrences import burn_rate
from gate.budget.sampling import wilson_interval
from gate.budget.timeslices import slices_in
from gate.slo.measurement import Answer, Cause, Counts, Unmeasured
from gate.slo.objective import Denominator, RatioSlo
from gate.slo.window import CalendarWindow


def seconds(length: timedelta) -> Fraction:
    """Return the length in seconds, exactly."""
    return Fraction(length // timedelta(microseconds=1), 1_000_000)


def share_per_bad(slo: RatioSlo, counts: Counts, at: datetime, objective: Fraction) -> Fraction:
    """Return the share of the budget that one bad event (or slice) spends, at least 0.

    Rolling window: 1 / (b n). Calendar window: elapsed / length of the period, over b n, unless the
    denominator is ``to-date``. Timeslices: 1 / (b x slices of the whole window).
    """
    budget, whole = 1 - objective, slo.window.whole(at)
    if slo.slices is not None:
        return 1 / (budget * slices_in(whole.length, slo.slices.length))
    share = 1 / (budget * counts.total)
    if budget_to_date(slo):
        return share
    return share * seconds(slo.window.counted(at).length) / seconds(whole.length)


def budget_to_date(slo: RatioSlo) -> bool:
    """Return whether the budget grows with the events so far instead of being granted at once."""
    calendar = isinstance(slo.window, CalendarWindow) and slo.slices is None
    return calendar and slo.denominator is Denominator.TO_DATE


def remaining_interval(counts: Counts, share: Fraction) -> tuple[Fraction, Fraction]:
    """Carry the 95 % interval of the bad share to what remains: (lower, upper)."""
    low, high = wilson_interval(counts.bad, counts.total)
    return 1 - high * counts.total * share, 1 - low * counts.total * share


def window_burn(slo: RatioSlo, length: timedelta, answer: Answer) -> Fraction | Unmeasured:
    """Return the burn rate over a window of this length, at least 0.

    No traffic burns nothing. Any other cause stays what it is: unknown.
    """
    if isinstance(answer, Unmeasured):
        return Fraction(0) if answer.cause is Cause.NO_TRAFFIC else answer
    if not isinstance(answer, Counts):
        raise TypeError(f"{slo.name}: counts were asked for and {type(answer).__name__} came")
    if slo.slices is None:
        return burn_rate(answer.total, answer.bad, slo.budget)
    return burn_rate(slices_in(length, slo.slices.length), answer.bad, slo.budget)


def bad_per_second(slo: RatioSlo, failing: Fraction, rate: Fraction) -> Fraction:
    """Return how many bad events (or slices) a second a failure of this share of all traffic makes.

    Args:
        slo: what was promised.
        failing: share of all events that fail, 0 to 1.
        rate: events a second. A slice is bad as a whole once it is under its target.
    """
    if slo.slices is None:
        return failing * rate
    return 1 / seconds(slo.slices.length) if failing > 1 - slo.slices.target else Fraction(0)
