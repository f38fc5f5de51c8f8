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
    """One reason not to take a budget at face value, or not to have one."""

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
    """The bad share of events at which the budget is just gone."""
    interval: tuple[Fraction, Fraction] | None = None
    """Sampled: the 95% interval of ``remaining``, lower end first."""
    ratio_error: Fraction | None = None
    """How far the error ratio may be off as it is rounded: the platform reports a share of what was
    counted and not ``total`` and ``bad``. None: they are counted, or nothing is known."""
    rounding: tuple[Fraction, Fraction] | None = None
    """Between which ends ``remaining`` is by that error, both included, the lower first; of a
    composite by those of its members. None: it is exact."""
    burn_rates: Mapping[timedelta, Fraction | Unmeasured] = field(default_factory=dict)
    """Per window; `Cause.NO_TRAFFIC` for a window without traffic."""
    burn_errors: Mapping[timedelta, Fraction] = field(default_factory=dict)
    """How far those burn rates may be off that are made of a rounded share, above 0."""
    forecast: Forecast | None = None
    recovery: Recovery | None = None
    """How a rolling budget comes back; None where it was not asked for, or is not known."""
    price: Price | None = None
    """The cost of the stated (or the assumed) impact; None without a ratio to price."""
    stated_cost: Fraction | None = None
    """The cost of the impact that the user stated, which counts as consumed; None: none stated."""
    sla_remaining: Fraction | None = None
    """The remaining share of the contract's own, larger budget."""
    evidence: Evidence | None = None
    query: str | None = None
    small_part: str | None = None
    """How much of how much was measured, where that is below the policy's floor: ``3d of 30d``; of
    a composite that of its first such member. None: enough of the window."""
    worst_case: "Assessment | None" = None
    """The budget if everything were bad that the evidence suspects to be, and at the worse end of
    what was rounded; None: nothing is suspected or rounded."""
    best_case: "Assessment | None" = None
    """The budget if everything were good that the evidence suspects to be; likewise."""

    @property
    def rounded(self) -> bool:
        """Whether a part of it is known as a rounded share only, so that two ends are judged."""
        return self.rounding is not None or bool(self.burn_errors)

    @property
    def suspicions(self) -> tuple[Suspicion, ...]:
        """Reasons to think that the count is not what happened."""
        return self.evidence.suspicions if self.evidence is not None else ()

    @property
    def measured(self) -> bool:
        """Whether there is a number at all."""
        return self.remaining is not None

    @property
    def uncovered(self) -> str | None:
        """How much of how much was measured: ``3d of 30d``; None: enough, or nothing is left.

        What is left of the budget is then not known, only that of the measured part. That it is
        spent is still known.
        """
        gone = self.compared is not None and self.compared <= 0
        return None if gone else self.small_part

    @property
    def impact_stated(self) -> bool:
        """Whether the user stated the impact; only then it counts as consumed."""
        return self.stated_cost is not None

    @property
    def bound(self) -> Bound:
        """The end of the interval that is compared; without an interval there is only the point."""
        sampled = self.slo.sampled if isinstance(self.slo, RatioSlo) else None
        return Bound.POINT if self.interval is None or sampled is None else sampled

    @cached_property  # each change class is judged by it
    def compared(self) -> Fraction | None:
        """The remaining budget that is compared with thresholds: the bound, less the impact."""
        bounded = self._bounded
        return None if bounded is None else bounded - (self.stated_cost or 0)

    def without(self, share: Fraction) -> Fraction | None:
        """Return what would be there to compare had this share of the budget not been consumed.

        Where a bound is compared, what is consumed by it shrinks in the same proportion.
        """
        bounded = self._bounded
        if bounded is None or not self.consumed:
            return self.compared
        return 1 - (1 - bounded) * (1 - share / self.consumed) - (self.stated_cost or 0)

    def recovering(self) -> Iterator[tuple[datetime, Fraction]]:
        """Yield when how much will be there to compare if nothing more fails.

        Nothing where no recovery is known.
        """
        if self.recovery is not None and self.consumed is not None:
            for instant, share in self.recovery.consumed():
                yield instant, self._compared_with(share)

    def back_at(
        self, suits: Callable[[Fraction, Fraction], bool], *, paced: bool
    ) -> datetime | None:
        """Return when there will be so much to compare as is looked for; None: never, or not known.

        Args:
            suits: tells whether an amount between two, both included, is looked for; of an amount
                and itself, whether that is.
            paced: whether as much fails as in the last 7 days; else nothing does.
        """
        if self.recovery is None or self.consumed is None or (paced and not self.paced):
            return None
        return self.recovery.first(
            lambda least, most: suits(self._compared_with(most), self._compared_with(least)),
            paced=paced,
        )

    @property
    def paced(self) -> bool:
        """Whether it is known how the budget recovers at the pace of the last 7 days."""
        return self.recovery is not None and self.recovery.added is not None

    def _compared_with(self, share: Fraction) -> Fraction:
        """Return what would be there to compare with this share of the present bad events."""
        return self.left_with(share) - (self.stated_cost or 0)

    @property
    def design_effect(self) -> Fraction:
        """By which the counts of a sample are divided; 1 of anything else."""
        return self.slo.design_effect if isinstance(self.slo, RatioSlo) else Fraction(1)

    def left_with(self, share: Fraction) -> Fraction:
        """Return what would be left, by the bound that is compared, with other bad events.

        Of a sample the interval is that of as many samples as there are now: with none that is bad
        it still has a pessimistic end.

        Args:
            share: the other number of bad events by the present one; ``consumed`` is known.
        """
        consumed = (self.consumed or Fraction(0)) * share
        if self.bound is Bound.POINT or not self.total or not self.exhausting_ratio:
            return 1 - consumed
        bad, effect = min((self.bad or 0) * share, self.total), self.design_effect
        low, high = wilson_interval(bad / effect, self.total / effect)
        return 1 - (high if self.bound is Bound.PESSIMISTIC else low) / self.exhausting_ratio

    def samples_for(self, threshold: Fraction) -> int | None:
        """Return how many samples without a bad one prove that more than a threshold is left.

        None if the present number is enough, if no number is, or if nothing is sampled.
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
    """Return what is wrong with the samples of a window: a partial answer, too old, too few."""
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
    """Return a doubt where the policy asks for a number of events, which is not known."""
    if slo.min_events is None:
        return ()
    reason = f"{why}: whether there were {slo.min_events:,} events is unknown"
    return (Doubt(cause=Cause.LOW_TRAFFIC, reason=reason),)


def traffic_doubts(slo: RatioSlo, counts: Counts) -> tuple[Doubt, ...]:
    """Return a doubt if too few events were counted for a ratio; never for slices.

    Nor for seconds, which do not say how many events they had.
    """
    if slo.slices is not None:
        return ()
    if counts.evidence.granted is Granted.SECONDS:
        return unknown_traffic(slo, "time is counted, and no events")
    if slo.sli.sliced and slo.min_events is not None:
        return unknown_traffic(slo, "only ratios are recorded")
    needed = 1 / slo.budget if slo.min_events is None else Fraction(slo.min_events)
    if counts.total >= needed:
        return ()
    why = "one failure is more than the whole budget" if slo.min_events is None else "min_events"
    unit = "slices with events" if slo.sli.sliced else "events"
    reason = f"{floor(counts.total):,} {unit} are fewer than {ceil(needed):,} ({why})"
    return (Doubt(cause=Cause.LOW_TRAFFIC, reason=reason),)
