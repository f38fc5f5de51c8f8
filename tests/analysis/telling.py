"""A backend that knows what happened in each five minutes, and counts and tells that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, Unmeasured
from gate.measure.cohorts import Cohort, CohortAnswer, CohortRequest, Cohorts
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest
from gate.slo.objective import Span
from tests.analysis.memory import AT

SLOT = timedelta(minutes=5)
DAY = timedelta(days=1)

Slot = tuple[float, float] | None
"""Events and bad ones; None: nothing is known."""


def slots(
    days: int, each: int = 300, bad: Mapping[tuple[float, float], float] | None = None
) -> list[Slot]:
    """Return so many days of steady traffic, in parts of which a share of it fails.

    Args:
        days: of history, up to `AT`.
        each: events in five minutes.
        bad: from how many days ago, and for how many hours -> which share fails; below 0: nothing
            is known of it.
    """
    told: list[Slot] = [(float(each), 0.0)] * (days * DAY // SLOT)
    for (ago, hours), share in (bad or {}).items():
        first = len(told) - int(ago * DAY / SLOT)
        for place in range(first, first + int(hours * timedelta(hours=1) / SLOT)):
            told[place] = None if share < 0 else (float(each), each * share)
    return told


@dataclass(slots=True)
class Telling:
    """By the text of an indicator's bad events; one that is not there has no data."""

    told: Mapping[str, Sequence[Slot]]
    asked: list[SeriesRequest] = field(default_factory=list)
    timed: frozenset[str] = frozenset()
    """The indicators whose events have a known duration, too."""
    rounds: int = 0
    """How many times a history was asked for."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Count the events of each window."""
        assert at == AT
        return [self._count(one) for one in requests]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Tell the events of each step."""
        self.asked += requests
        self.rounds += 1
        return [self._tell(one) for one in requests]

    def cohorts(self, requests: Sequence[CohortRequest]) -> list[CohortAnswer]:
        """Tell events apart: v7 has a quarter of them, and of each five that fail four."""
        return [self._tell_apart(one) for one in requests]

    def _tell_apart(self, request: CohortRequest) -> CohortAnswer:
        told = self._tell(SeriesRequest(sli=request.sli, span=request.span, step=request.step))
        if isinstance(told, Unmeasured):
            return told
        shares = {"v6": (0.75, 0.2), "v7": (0.25, 0.8)}
        return Cohorts(
            groups={
                (name, *(["m"] * (len(request.by) - 1))): Cohort(
                    total=tuple(None if one is None else one * of for one in told.total),
                    bad=tuple(None if one is None else one * failing for one in told.bad),
                )
                for name, (of, failing) in shares.items()
            },
            query="asked",
        )

    def _count(self, request: CountRequest) -> Answer:
        found = self._within(str(request.sli.bad or request.sli.spent), request.span)
        if not found:
            return Unmeasured(cause=Cause.NO_DATA, reason="there is nothing", query="asked")
        total, bad = (Fraction(sum(column)) for column in zip(*found, strict=True))
        evidence = Evidence(query="asked", newest=AT, coverage=Fraction(1))
        return Counts(total=total, bad=bad, evidence=evidence)

    def _tell(self, request: SeriesRequest) -> SeriesAnswer:
        name, start, step = str(request.sli.bad), request.span.start, request.step
        if name not in self.told:
            return Unmeasured(cause=Cause.NO_DATA, reason="there is nothing", query="asked")
        ends = [start + place * step for place in range(request.steps)]
        steps = [self._within(name, Span(end, end + step)) for end in ends]
        return Series(
            total=tuple(sum(t for t, _ in one) if one else None for one in steps),
            bad=tuple(sum(b for _, b in one) if one else None for one in steps),
            query="asked",
            measured=_means(steps) if request.mean and name in self.timed else None,
        )

    def _within(self, name: str, span: Span) -> list[tuple[float, float]]:
        told = self.told.get(name, ())
        first, last = (len(told) - (AT - at) // SLOT for at in (span.start, span.end))
        return [one for one in told[max(first, 0) : max(last, 0)] if one is not None]


def _means(steps: Sequence[Sequence[tuple[float, float]]]) -> Measured:
    """Return times that vary a little; where something failed they are twice as long."""
    events = [sum(total for total, _ in one) for one in steps]
    bad = [sum(failed for _, failed in one) for one in steps]
    means = [0.4 + 0.01 * (place * 7 % 13) for place in range(len(steps))]
    sums = [
        count * mean * (2 if failed else 1)
        for count, mean, failed in zip(events, means, bad, strict=True)
    ]
    known = [bool(one) for one in steps]
    return Measured(
        sums=tuple(one if there else None for one, there in zip(sums, known, strict=True)),
        events=tuple(one if there else None for one, there in zip(events, known, strict=True)),
    )
