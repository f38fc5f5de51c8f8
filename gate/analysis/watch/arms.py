"""The requests to a backend about the canary and the baseline, and reading the answers."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from gate.dataclass import dataclass
from gate.errors import UsageError, nearest
from gate.history.sequential import ComparedStep
from gate.measure import Cause, Unmeasured
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest, LabelValues
from gate.policy.policy import Policy
from gate.slo.objective import RatioSlo, Slo, Span
from gate.wording import without_events

_MOST_VALUES: Final = 10_000
"""The maximum number of a label's values that are kept separate, so that a quiet baseline is never
among the others."""
_LATEST: Final = timedelta(minutes=2)
_MOST_STEPS: Final = 720
"""The maximum number of steps in one request; longer stretches are several requests."""


@dataclass(frozen=True, slots=True)
class TrafficLabel:
    """The label of a part of the traffic: ``track=canary``."""

    label: str
    """A label (Prometheus), or a column or expression on a row (logs)."""
    value: str

    def __str__(self) -> str:
        """Write it as it was given."""
        return f"{self.label}={self.value}"


@dataclass(frozen=True, slots=True)
class Arms:
    """The two parts of the traffic that are compared."""

    canary: TrafficLabel
    baseline: TrafficLabel | None
    """None: the canary is compared only with the budget."""

    @property
    def by(self) -> tuple[str, ...]:
        """The labels that events are grouped by, the canary's first."""
        labels = [self.canary.label, *([self.baseline.label] if self.baseline else [])]
        return tuple(dict.fromkeys(labels))

    def is_canary(self, values: LabelValues) -> bool:
        """Return whether a group belongs to the canary."""
        return values[0] == self.canary.value

    def is_baseline(self, values: LabelValues) -> bool:
        """Return whether a group belongs to the baseline; a group of both is the canary's."""
        baseline = self.baseline
        return (
            baseline is not None
            and not self.is_canary(values)
            and values[self.by.index(baseline.label)] == baseline.value
        )


@dataclass(frozen=True, slots=True)
class WatchGrid:
    """The steps of a watch, numbered from 0."""

    start: datetime
    """The start of the first step."""
    step: timedelta
    count: int

    def end_of(self, place: int) -> datetime:
        """Return when a step ends; it includes that instant."""
        return self.start + (place + 1) * self.step

    @property
    def end(self) -> datetime:
        """The end of the last step."""
        return self.end_of(self.count - 1)

    def ended(self, at: datetime) -> int:
        """Return the number of steps that have ended by an instant."""
        return min(max((at - self.start) // self.step, 0), self.count)

    @property
    def late(self) -> timedelta:
        """How long after its end a step is requested again: two more looks, at most 2 minutes.

        By then, servers have scraped its last events, and logs are written.
        """
        return min(2 * self.step, _LATEST)

    def seconds_until_next(self, at: datetime) -> float:
        """Return the time until the next look; the last comes when all steps have settled."""
        ended = self.ended(at)
        due = self.end_of(ended) if ended < self.count else self.end + self.late
        return max((due - at).total_seconds(), 0.0)

    def span(self, places: range) -> Span:
        """Return the time of consecutive steps, at least one."""
        return Span(self.end_of(places.start - 1), self.end_of(places.stop - 1))


class NotComparableError(UsageError):
    """An SLO cannot be watched; others may be named instead."""

    def __init__(self, message: str, others: tuple[str, ...]) -> None:
        super().__init__(message)
        self.others = others


def watched_slos(policy: Policy, names: Sequence[str]) -> tuple[RatioSlo, ...]:
    """Return the SLOs of the comparison, in the policy's order.

    Args:
        policy: the policy with the SLOs.
        names: the names of some of its SLOs; empty: all that are not advisory.

    Raises:
        UsageError: it has no SLO with one of the names.
        NotComparableError: an SLO counts no events that could be grouped.
    """
    there = [slo.name for slo in policy.slos]
    for name in names:
        if name not in there:
            raise UsageError(f"the policy has no SLO {name}{nearest(name, there)}")
    wanted = [slo for slo in policy.slos if (slo.name in names if names else not slo.advisory)]
    reasons = {slo.name: reason for slo in wanted if (reason := _why_not(slo)) is not None}
    others = tuple(slo.name for slo in policy.slos if _why_not(slo) is None)
    if reasons:
        name, reason = next(iter(reasons.items()))
        raise NotComparableError(f"the SLO {name} cannot be compared: {reason}", others)
    return tuple(slo for slo in wanted if isinstance(slo, RatioSlo))


def _why_not(slo: Slo) -> str | None:
    """Say why an SLO has no events that could be grouped; None: it has some."""
    if not isinstance(slo, RatioSlo):
        return without_events(slo)
    if slo.slices is not None:
        return "it counts slices of time, which belong to neither the canary nor the baseline"
    if slo.sli.sliced:
        return "its series have ratios of slices of time, whose events are unknown"
    return None


def runs(places: Collection[int]) -> Iterator[range]:
    """Yield runs of consecutive steps, at most 720 at once."""
    ordered = sorted(places)
    cuts = [0, *(place for place, (a, b) in enumerate(pairwise(ordered), 1) if b - a > 1)]
    for first, last in pairwise([*cuts, len(ordered)]):
        for start in range(first, last, _MOST_STEPS):
            some = ordered[start : min(start + _MOST_STEPS, last)]
            yield range(some[0], some[-1] + 1)


def cohort_request(slo: RatioSlo, grid: WatchGrid, places: range, arms: Arms) -> CohortRequest:
    """Return the request for some steps of an SLO."""
    return CohortRequest(
        sli=slo.sli,
        span=grid.span(places),
        step=grid.step,
        by=arms.by,
        most=_MOST_VALUES,
        keep=arms.canary.value,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepsRead:
    """The steps of an answer, with their known counts."""

    counts: tuple[ComparedStep | None, ...]
    """The counts of each step; None: unknown."""
    trouble: Unmeasured | None = None
    """The reason why some of them are unknown; None: all are known, or no reason is known."""
    groups: frozenset[LabelValues] = frozenset()
    """The groups with events."""
    nameless: tuple[tuple[float, float], ...] = ()
    """Events and failures of each step without the canary's label that are not the baseline's."""
    notes: tuple[str, ...] = ()


_NOTHING: Final = ComparedStep(0.0, 0.0, 0.0, 0.0)


def read_steps(answer: CohortAnswer, steps: int, arms: Arms) -> StepsRead:
    """Return the counts in an answer; events of other groups are left out.

    A step in which some group is measured is known: a group without a count there had no event.
    """
    if isinstance(answer, Unmeasured):
        idle = answer.cause is Cause.NO_TRAFFIC
        return StepsRead(
            counts=((_NOTHING if idle else None),) * steps, trouble=None if idle else answer
        )
    canary = [cohort for values, cohort in answer.groups.items() if arms.is_canary(values)]
    baseline = [cohort for values, cohort in answer.groups.items() if arms.is_baseline(values)]
    nameless = [
        cohort
        for values, cohort in answer.groups.items()
        if not values[0] and not arms.is_baseline(values)
    ]
    measured = [
        any(cohort.total[step] is not None for cohort in answer.groups.values())
        for step in range(steps)
    ]
    return StepsRead(
        counts=tuple(
            ComparedStep(*_sums(canary, step), *_sums(baseline, step)) if there else None
            for step, there in enumerate(measured)
        ),
        groups=frozenset(answer.groups),
        nameless=tuple(_raw_sums(nameless, step) for step in range(steps)),
        notes=answer.notes,
    )


def _sums(cohorts: Sequence[Cohort], step: int) -> tuple[float, float]:
    """Return the events and the bad ones; a server's excessive extrapolation is cut."""
    total, bad = _raw_sums(cohorts, step)
    return total, min(bad, total)


def _raw_sums(cohorts: Sequence[Cohort], step: int) -> tuple[float, float]:
    total = sum(max(cohort.total[step] or 0.0, 0.0) for cohort in cohorts)
    return total, max(sum(cohort.bad[step] or 0.0 for cohort in cohorts), 0.0)
