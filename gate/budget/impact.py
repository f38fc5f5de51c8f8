"""The cost of a change for a budget, and the largest canary that the budget can pay for."""

from datetime import timedelta
from fractions import Fraction
from math import floor

from gate.budget.ratio import bad_per_second, seconds
from gate.dataclass import dataclass
from gate.measure import Granted
from gate.slo.objective import RatioSlo


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """A change that goes wrong: this share of traffic fails this often until somebody notices."""

    canary: Fraction = Fraction(1)
    """The share of the traffic that the change serves, 0 to 1."""
    failures: Fraction = Fraction(1)
    """Share of that traffic that fails, 0 to 1."""
    detect: timedelta = timedelta(minutes=5)
    """Time from the start of the failure to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """The cost of an impact for one SLO, and the largest impact that the budget can pay for."""

    impact: Impact
    """The impact that was priced."""
    cost: Fraction
    """A share of the whole budget, at least 0: f q d x rate / (b n)."""
    cost_at_worst: Fraction
    """The same if all of that traffic fails, so that q is 1."""
    largest_canary: Fraction
    """The largest share of traffic, 0 to 1, that the remaining budget can pay for."""
    longest_detect: timedelta | None
    """The longest time to detect that the remaining budget can pay for; None: any."""


def price(
    impact: Impact,
    slo: RatioSlo,
    *,
    share: Fraction,
    remaining: Fraction,
    rate: Fraction,
    granted: Granted = Granted.EVENTS,
) -> Price:
    """Price an impact.

    Args:
        impact: the failure.
        slo: the SLO.
        share: the share of the budget that one bad event spends.
        remaining: the remaining share of the budget; may be negative.
        rate: the service's events per second.
        granted: the counted unit; for seconds, the rate is 1.
    """

    def spending(canary: Fraction, failures: Fraction = impact.failures) -> Fraction:
        """Return the share of the budget that is spent per second of failure."""
        return bad_per_second(slo, canary * failures, rate, granted) * share

    cost = spending(impact.canary) * seconds(impact.detect)
    return Price(
        impact=impact,
        cost=cost,
        cost_at_worst=spending(impact.canary, Fraction(1)) * seconds(impact.detect),
        largest_canary=_largest_canary(impact, slo, remaining, spending(Fraction(1)), granted),
        longest_detect=_longest_detect(remaining, spending(impact.canary)),
    )


def _largest_canary(
    impact: Impact, slo: RatioSlo, remaining: Fraction, spending: Fraction, granted: Granted
) -> Fraction:
    if remaining <= 0:
        return Fraction(0)
    cost_of_all = spending * seconds(impact.detect)
    if cost_of_all <= remaining:
        return Fraction(1)
    if slo.slices is not None:
        # A slice is spent as a whole once too much of it fails, so only a canary too small for that
        # is free; there are no values in between.
        return (1 - slo.slices.target) / impact.failures
    if granted is Granted.SECONDS:
        return Fraction(0)
    return remaining / cost_of_all


def _longest_detect(remaining: Fraction, spending: Fraction) -> timedelta | None:
    if remaining <= 0:
        return timedelta()
    if not spending:
        return None
    try:
        return timedelta(microseconds=floor(remaining / spending * 1_000_000))
    except OverflowError:
        return None
