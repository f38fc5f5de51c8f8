"""A backend in memory that has the events of every minute, and counts and tells those of any time.

It knows nothing of what comes after the instant that it is asked about.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise

from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, Spent, Unmeasured
from gate.measure.capabilities import PastRun
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import Slices
from gate.slo.objective import Span

MINUTE = timedelta(minutes=1)
Minute = tuple[int, int] | None
"""Events and bad ones; None: nothing is known of it."""


class Ledger:
    """The events of each minute since a start, added up."""

    def __init__(self, start: datetime, minutes: Sequence[Minute]) -> None:
        self.start = start
        seen = [minute or (0, 0) for minute in minutes]
        self.totals = [0, *accumulate(total for total, _ in seen)]
        self.bads = [0, *accumulate(bad for _, bad in seen)]
        self.sure = [0, *accumulate(minute is not None for minute in minutes)]

    def between(self, start: datetime, end: datetime) -> tuple[int, int, int]:
        """Return events, bad ones, and of how many minutes anything is known."""
        first, last = self._place(start), self._place(end)
        return (
            self.totals[last] - self.totals[first],
            self.bads[last] - self.bads[first],
            self.sure[last] - self.sure[first],
        )

    def _place(self, at: datetime) -> int:
        return min(max((at - self.start) // MINUTE, 0), len(self.sure) - 1)

    def newest(self, at: datetime) -> datetime:
        """Return the end of the newest minute of which anything is known."""
        return self.start + bisect_left(self.sure, self.sure[self._place(at)]) * MINUTE


@dataclass(slots=True)
class ByTheMinute:
    """Has ledgers by the text of what is bad, or spent."""

    ledgers: Mapping[str, Ledger]
    calls: int = 0
    """How many times it was asked to count."""
    rounds: list[int] = field(default_factory=list)
    """How many histories it was asked for each time."""

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        assert {request.span.end for request in requests} == {at}
        self.calls += 1
        return [self.count(request) for request in requests]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        self.rounds.append(len(requests))
        return [self.tell(request) for request in requests]

    def count(self, request: CountRequest) -> Answer:
        ledger = self.ledgers.get(str(request.sli.bad or request.sli.spent))
        if ledger is None:
            return Unmeasured(cause=Cause.NO_DATA, reason="there is no such series")
        span, slices = request.span, request.slices
        total, bad, sure = ledger.between(span.start, span.end)
        if not sure:
            return Unmeasured(cause=Cause.NO_DATA, reason="nothing is known of this time")
        evidence = Evidence(query="asked")
        if request.probe:
            evidence = Evidence(
                query="asked",
                newest=ledger.newest(span.end),
                coverage=Fraction(sure, span.length // MINUTE),
            )
        if request.amount:
            return Spent(amount=Fraction(total), evidence=evidence)
        if slices is not None:
            total, bad = count_slices(ledger, span, slices)
        if not total:
            return Unmeasured(cause=Cause.NO_TRAFFIC, reason="nothing happened")
        return Counts(total=Fraction(total), bad=Fraction(bad), evidence=evidence)

    def tell(self, request: SeriesRequest) -> SeriesAnswer:
        ledger = self.ledgers.get(str(request.sli.bad or request.sli.spent))
        if ledger is None:
            return Unmeasured(cause=Cause.NO_DATA, reason="there is no such series")
        ends = [request.end_of(place) for place in range(-1, request.steps)]
        steps = [ledger.between(*pair) for pair in pairwise(ends)]
        if request.slices is not None:
            judged = [count_slices(ledger, Span(*pair), request.slices) for pair in pairwise(ends)]
            steps = [(*pair, sure) for pair, (_, _, sure) in zip(judged, steps, strict=True)]
        if request.amount:
            steps = [(total, total, sure) for total, _, sure in steps]
        return Series(
            total=tuple(float(total) if sure else None for total, _, sure in steps),
            bad=tuple(float(bad) if sure else None for _, bad, sure in steps),
            query="asked",
        )


def count_slices(ledger: Ledger, span: Span, slices: Slices) -> tuple[int, int]:
    """Return how many slices had events, and in how many of them too few were good."""
    total = bad = 0
    end = span.end
    while end - slices.length >= span.start:
        events, failed, _ = ledger.between(end - slices.length, end)
        total += events > 0
        bad += events > 0 and Fraction(events - failed, events) < slices.target
        end -= slices.length
    return total, bad


class ManyAtOnce(ByTheMinute):
    """The same, and counts for many runs in one call."""

    def measure_past(self, runs: Sequence[PastRun]) -> list[list[Answer]]:
        self.calls += 1
        return [[self.count(request) for request in run.requests] for run in runs]
