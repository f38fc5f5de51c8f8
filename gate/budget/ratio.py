"""The budget of a ratio SLO, counted in events, in timeslices or from a sample."""

from datetime import datetime, timedelta
from fractions import Fraction
from math import floor, sqrt

from gate.measure import Answer, Cause, Counts, Granted, Share, Unmeasured
from gate.slo.objective import CalendarWindow, Denominator, RatioSlo, SpendSlo


def burn_rate(total: Fraction, bad: Fraction, budget: Fraction) -> Fraction:
    """Return the burn rate, how fast the budget is being spent: (bad / total) / b, at least 0.

    1 spends the budget exactly in one SLO window. ``total`` and ``budget`` must be above 0.
    """
    return bad / (budget * total)


def composite_consumed(parts: list[tuple[Fraction, Fraction]]) -> Fraction:
    """Add up weight x consumed over the members; the weights need not add up to 1."""
    return sum((weight * share for weight, share in parts), Fraction(0))


def slices_in(window: timedelta, length: timedelta) -> Fraction:
    """Return the number of slices in the whole window; it may be a fraction."""
    return Fraction(window // timedelta(microseconds=1), length // timedelta(microseconds=1))


def allowed_downtime(window: timedelta, budget: Fraction) -> timedelta:
    """Return the time that may be bad: 99.9% over 30 days is 43.2 minutes."""
    return timedelta(microseconds=float(budget * (window // timedelta(microseconds=1))))


Z_95 = 1.959963984540054
"""The standard normal quantile at 0.975."""


def wilson_interval(bad: Fraction, total: Fraction) -> tuple[Fraction, Fraction]:
    """Return the 95% interval of the bad share: 0 <= low <= bad/total <= high <= 1.

    ``total`` must be above 0.
    """
    n, ratio, square = float(total), float(bad / total), Z_95 * Z_95
    centre = (ratio + square / (2 * n)) / (1 + square / n)
    half = Z_95 / (1 + square / n) * sqrt(ratio * (1 - ratio) / n + square / (4 * n * n))
    exact = bad / total
    low = min(max(Fraction(centre - half), Fraction(0)), exact)
    high = max(min(Fraction(centre + half), Fraction(1)), exact)
    return (Fraction(0) if bad == 0 else low), (Fraction(1) if bad == total else high)


def samples_needed(ratio: Fraction, threshold: Fraction) -> int | None:
    """Return how many samples at this bad share would put the threshold outside the interval.

    A threshold is inside the Wilson interval exactly if n (ratio - threshold)^2 is at most z^2
    threshold (1 - threshold): the interval inverts that score test. None if the two are equal, or
    if the threshold is not strictly between 0 and 1 (no number of samples would be enough).
    """
    if ratio == threshold or not 0 < threshold < 1:
        return None
    return floor(Fraction(Z_95) ** 2 * threshold * (1 - threshold) / (ratio - threshold) ** 2) + 1


def samples_without_bad(threshold: Fraction) -> int | None:
    """Return how many samples without a bad one have a Wilson interval that ends below a share.

    The interval of 0 bad of n ends at z^2 / (n + z^2). None if the share is not above 0.
    """
    if threshold <= 0:
        return None
    return max(floor(Fraction(Z_95) ** 2 * (1 - threshold) / threshold) + 1, 1)


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


def budget_to_date(slo: RatioSlo | SpendSlo) -> bool:
    """Return whether the budget grows with the events so far instead of being granted at once."""
    if isinstance(slo, SpendSlo) or slo.slices is not None:
        return False
    return isinstance(slo.window, CalendarWindow) and slo.denominator is Denominator.TO_DATE


def as_counts(answer: Share) -> Counts:
    """Return a share as counts of one event in all, with the same ratio."""
    return Counts(total=Fraction(1), bad=answer.bad, evidence=answer.evidence)


def burn_error(slo: RatioSlo, answer: Share) -> Fraction:
    """Return the possible error of the burn rate of a rounded share, at least 0."""
    return burn_rate(Fraction(1), answer.error, slo.budget)


def remaining_interval(
    counts: Counts, share: Fraction, design_effect: Fraction = Fraction(1)
) -> tuple[Fraction, Fraction]:
    """Return the 95% interval of the remaining budget from that of the bad share: (lower, upper).

    Args:
        counts: the counts of the sample.
        share: the share of the budget that one bad event spends.
        design_effect: the divisor for the counts, at least 1, since events are correlated. Source:
            L. Kish, Survey Sampling, 1965, section 8.2.
    """
    low, high = wilson_interval(counts.bad / design_effect, counts.total / design_effect)
    return 1 - high * counts.total * share, 1 - low * counts.total * share


def window_burn(slo: RatioSlo, length: timedelta, answer: Answer) -> Fraction | Unmeasured:
    """Return the burn rate over a window of this length, at least 0.

    A window without traffic has none: there are no events to take a share of, whether nobody came
    or nobody got through.
    """
    if isinstance(answer, Unmeasured):
        return answer
    if not isinstance(answer, Counts | Share):
        raise TypeError(f"{slo.name}: counts were requested, but {type(answer).__name__} came")
    if isinstance(answer, Share):
        return burn_rate(Fraction(1), answer.bad, slo.budget)
    if slo.slices is None:
        return burn_rate(answer.total, answer.bad, slo.budget)
    return burn_rate(slices_in(length, slo.slices.length), answer.bad, slo.budget)


def has_no_traffic(burn: Fraction | Unmeasured | None) -> bool:
    """Return whether a burn rate is missing because nothing happened in its window."""
    return isinstance(burn, Unmeasured) and burn.cause is Cause.NO_TRAFFIC


def bad_per_second(
    slo: RatioSlo, failing: Fraction, rate: Fraction, granted: Granted = Granted.EVENTS
) -> Fraction:
    """Return the bad events (or slices) per second if this share of all traffic fails.

    Args:
        slo: the SLO.
        failing: share of all events that fail, 0 to 1.
        rate: the events per second. A slice is bad as a whole once it is below its target.
        granted: the counted unit. Seconds are bad as a whole; only the platform knows which
            failures make them bad, so any failure is assumed to.
    """
    if granted is Granted.SECONDS:
        return rate if failing else Fraction(0)
    if slo.slices is None:
        return failing * rate
    return 1 / seconds(slo.slices.length) if failing > 1 - slo.slices.target else Fraction(0)
