"""The assessment of one SLO's budget at one instant, with its doubts."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

from gate.budget.coverage import Guards, coverage_cause, coverage_reason
from gate.budget.forecast import Forecast, Recovery
from gate.budget.impact import Price
from gate.budget.ratio import samples_without_bad, wilson_interval
from gate.dataclass import dataclass
from gate.measure import Cause, Counts, Evidence, Granted, Suspicion, Unmeasured
from gate.slo.objective import Bound, RatioSlo, Slo, Span, Window
from gate.slo.quantities import format_duration
from gate.wording import describe_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """One reason to distrust a budget, or to have none."""

    cause: Cause
    reason: str
    """One sentence without a full stop."""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The budget of one SLO at one instant. Shares are of the whole budget; None: not measured."""

    slo: Slo
    span: Span | None = None
    """The counted events; None for a composite."""
    doubts: tuple[Doubt, ...] = ()
    """Empty: it was measured well enough."""
    total: Fraction | None = None
    bad: Fraction | None = None
    error_ratio: Fraction | None = None
    spent: Fraction | None = None
    consumed: Fraction | None = None
    remaining: Fraction | None = None
    exhausting_ratio: Fraction | None = None
    """The bad share of events at which the budget is exactly used up."""
    interval: tuple[Fraction, Fraction] | None = None
    """For samples: the 95% interval of ``remaining``, the lower end first."""
    ratio_error: Fraction | None = None
    """The rounding error of the error ratio: the platform reports a share instead of ``total`` and
    ``bad``. None: they are counted, or nothing is known."""
    rounding: tuple[Fraction, Fraction] | None = None
    """The ends of ``remaining`` by that error, both included, the lower first; for a composite, by
    those of its members. None: it is exact."""
    burn_rates: Mapping[timedelta, Fraction | Unmeasured] = field(default_factory=dict)
    """The burn rate of each window; `Cause.NO_TRAFFIC` for a window without traffic."""
    burn_errors: Mapping[timedelta, Fraction] = field(default_factory=dict)
    """The rounding errors of those burn rates that come from a rounded share, above 0."""
    forecast: Forecast | None = None
    recovery: Recovery | None = None
    """The recovery of a rolling budget; None: not requested, or unknown."""
    price: Price | None = None
    """The cost of the stated (or assumed) impact; None without a ratio."""
    stated_cost: Fraction | None = None
    """The cost of the impact that the user stated, which counts as consumed; None: not stated."""
    sla_remaining: Fraction | None = None
    """The remaining share of the SLA's own, larger budget."""
    evidence: Evidence | None = None
    query: str | None = None
    small_part: str | None = None
    """The measured part if it is below the policy's floor: ``3d of 30d``; for a composite, that of
    its first such member. None: enough of the window."""
    worst_case: "Assessment | None" = None
    """The budget if everything that may be bad were bad, at the worse end of rounding; None:
    nothing is suspected or rounded."""
    best_case: "Assessment | None" = None
    """The budget if everything that may be good were good, at the better end of rounding."""

    @property
    def rounded(self) -> bool:
        """Whether a part of it is known only as a rounded share, so that both ends are judged."""
        return self.rounding is not None or bool(self.burn_errors)

    @property
    def suspicions(self) -> tuple[Suspicion, ...]:
        """The reasons to doubt the count."""
        return self.evidence.suspicions if self.evidence is not None else ()

    @property
    def measured(self) -> bool:
        """Whether there is a number at all."""
        return self.remaining is not None

    @property
    def uncovered(self) -> str | None:
        """The measured part: ``3d of 30d``; None: enough was measured, or nothing is left.

        Then only the remaining budget of the measured part is known. An exhausted budget is still
        known to be exhausted.
        """
        gone = self.compared is not None and self.compared <= 0
        return None if gone else self.small_part

    @property
    def impact_stated(self) -> bool:
        """Whether the user stated the impact; only then it counts as consumed."""
        return self.stated_cost is not None

    @property
    def bound(self) -> Bound:
        """The end of the interval that is compared; None without an interval."""
        sampled = self.slo.sampled if isinstance(self.slo, RatioSlo) else None
        return Bound.POINT if self.interval is None or sampled is None else sampled

    @cached_property  # it is used for each change class
    def compared(self) -> Fraction | None:
        """The remaining budget that is compared with thresholds: the bound, less the impact."""
        bounded = self._bounded
        return None if bounded is None else bounded - (self.stated_cost or 0)

    def without(self, share: Fraction) -> Fraction | None:
        """Return the value to compare if this share of the budget had not been consumed.

        If a bound is compared, its consumed part shrinks in the same proportion.
        """
        bounded = self._bounded
        if bounded is None or not self.consumed:
            return self.compared
        return 1 - (1 - bounded) * (1 - share / self.consumed) - (self.stated_cost or 0)

    def recovering(self) -> Iterator[tuple[datetime, Fraction]]:
        """Yield the instants and the values to compare at them if nothing more fails.

        It yields nothing if the recovery is unknown.
        """
        if self.recovery is not None and self.consumed is not None:
            for instant, share in self.recovery.consumed():
                yield instant, self._compared_with(share)

    def back_at(
        self, suits: Callable[[Fraction, Fraction], bool], *, paced: bool
    ) -> datetime | None:
        """Return when the value to compare will suit; None: never, or unknown.

        Args:
            suits: returns whether a suitable value lies between two, both included; for two equal
                values, whether this value is suitable.
            paced: whether as much fails as in the last 7 days; otherwise nothing more fails.
        """
        if self.recovery is None or self.consumed is None or (paced and not self.paced):
            return None
        return self.recovery.first(
            lambda least, most: suits(self._compared_with(most), self._compared_with(least)),
            paced=paced,
        )

    @property
    def paced(self) -> bool:
        """Whether the recovery at the pace of the last 7 days is known."""
        return self.recovery is not None and self.recovery.added is not None

    def _compared_with(self, share: Fraction) -> Fraction:
        """Return the value to compare with this share of the present bad events."""
        return self.left_with(share) - (self.stated_cost or 0)

    @property
    def design_effect(self) -> Fraction:
        """The divisor for the counts of a sample; 1 for any other SLO."""
        return self.slo.design_effect if isinstance(self.slo, RatioSlo) else Fraction(1)

    def left_with(self, share: Fraction) -> Fraction:
        """Return the remaining budget, by the bound that is compared, with other bad events.

        For a sample, the interval is that of the same number of samples: even without bad ones, it
        has a pessimistic end.

        Args:
            share: the other number of bad events divided by the present one; ``consumed`` is known.
        """
        consumed = (self.consumed or Fraction(0)) * share
        if self.bound is Bound.POINT or not self.total or not self.exhausting_ratio:
            return 1 - consumed
        bad, effect = min((self.bad or 0) * share, self.total), self.design_effect
        low, high = wilson_interval(bad / effect, self.total / effect)
        return 1 - (high if self.bound is Bound.PESSIMISTIC else low) / self.exhausting_ratio

    def samples_for(self, threshold: Fraction) -> int | None:
        """Return how many samples without a bad one prove a remaining budget above a threshold.

        None if the present number is enough, if no number is, or if the SLO is not sampled.
        """
        if self.bound is not Bound.PESSIMISTIC or self.total is None or not self.exhausting_ratio:
            return None
        needed = samples_without_bad((1 - threshold) * self.exhausting_ratio)
        needed = None if needed is None else ceil(needed * self.design_effect)
        return needed if needed is not None and needed > self.total else None

    @property
    def _bounded(self) -> Fraction | None:
        if self.remaining is None:
            return None
        low, high = self.interval or (self.remaining, self.remaining)
        ends = {Bound.PESSIMISTIC: low, Bound.POINT: self.remaining, Bound.OPTIMISTIC: high}
        return ends[self.bound]


def evidence_doubts(
    evidence: Evidence, window: Window, at: datetime, guards: Guards
) -> tuple[Doubt, ...]:
    """Return the problems with the samples of a window: a partial answer, too old, too few."""
    doubts = [Doubt(cause=Cause.PARTIAL, reason=f"partial answer: {w}") for w in evidence.warnings]
    if evidence.newest is not None and at - evidence.newest > guards.max_age:
        age, allowed = describe_time(at - evidence.newest), format_duration(guards.max_age)
        reason = f"the newest sample is {age} old; max_age is {allowed}"
        doubts.append(Doubt(cause=Cause.STALE, reason=reason))
    share, gaps = evidence.coverage, evidence.gaps
    if share is not None and (cause := coverage_cause(share, gaps, guards)) is not None:
        reason = coverage_reason(share, gaps, guards, window=window, at=at)
        doubts.append(Doubt(cause=cause, reason=reason))
    return tuple(doubts)


def unknown_traffic(
    slo: RatioSlo, why: str = "the platform reports only a share"
) -> tuple[Doubt, ...]:
    """Return a doubt if the policy requires a number of events, which is unknown."""
    if slo.min_events is None:
        return ()
    reason = f"{why}: whether there were {slo.min_events:,} events is unknown"
    return (Doubt(cause=Cause.LOW_TRAFFIC, reason=reason),)


def traffic_doubts(slo: RatioSlo, counts: Counts) -> tuple[Doubt, ...]:
    """Return a doubt if too few events were counted for a ratio; never for slices.

    Nor for seconds, which do not show the number of events.
    """
    if slo.slices is not None:
        return ()
    if counts.evidence.granted is Granted.SECONDS:
        return unknown_traffic(slo, "time is counted, not events")
    if slo.sli.sliced and slo.min_events is not None:
        return unknown_traffic(slo, "only ratios are recorded")
    needed = 1 / slo.budget if slo.min_events is None else Fraction(slo.min_events)
    if counts.total >= needed:
        return ()
    why = "one failure is more than the whole budget" if slo.min_events is None else "min_events"
    unit = "slices with events" if slo.sli.sliced else "events"
    reason = f"{floor(counts.total):,} {unit} are fewer than {ceil(needed):,} ({why})"
    return (Doubt(cause=Cause.LOW_TRAFFIC, reason=reason),)
