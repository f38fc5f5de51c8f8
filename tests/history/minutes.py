"""A backend in memory whose events happen on whole minutes, and its answers by arithmetic alone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise
from random import Random

from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, Spent, Unmeasured
from gate.measure.coverage import coverage_by_steps
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import Slices
from gate.slo.objective import Span

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Minutes:
    """Events of each minute, which all happen at its end."""

    start: datetime
    """A whole minute."""
    total: Sequence[int | None]
    """None: nothing is known of that minute."""
    bad: Sequence[int]
    _totals: list[int] = field(init=False)
    _bad: list[int] = field(init=False)
    _known: list[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "_totals", list(accumulate((n or 0 for n in self.total), initial=0))
        )
        object.__setattr__(self, "_bad", list(accumulate(self.bad, initial=0)))
        known = (n is not None for n in self.total)
        object.__setattr__(self, "_known", list(accumulate(known, initial=0)))

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Count what happened after the start of a span, up to its end."""
        return [self._count(request, at) for request in requests]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Tell what happened in each step."""
        return [self._tell(request) for request in requests]

    def _count(self, request: CountRequest, at: datetime) -> Answer:
        span = request.span
        if not self._within(self._known, span):
            return Unmeasured(cause=Cause.NO_DATA, reason="there is nothing", query="asked")
        evidence = self._evidence(span, at) if request.probe else Evidence(query="asked")
        if request.amount:
            return Spent(amount=Fraction(self._within(self._bad, span)), evidence=evidence)
        total, bad = self._pair(span, request.slices)
        if not total:
            return Unmeasured(cause=Cause.NO_TRAFFIC, reason="nothing happened", query="asked")
        return Counts(total=Fraction(total), bad=Fraction(bad), evidence=evidence)

    def _evidence(self, span: Span, at: datetime) -> Evidence:
        parts = max(1, min(720, span.length // MINUTE))
        edges = [span.start + span.length * n / parts for n in range(parts + 1)]
        pieces = [Span(*edge) for edge in pairwise(edges)]
        seen = coverage_by_steps(
            [
                float(self._within(self._totals, p)) if self._within(self._known, p) else None
                for p in pieces
            ],
            span,
        )
        newest = next(n for n in range(self._place(at), 0, -1) if self.total[n - 1] is not None)
        return Evidence(
            query="asked", newest=self.start + newest * MINUTE, coverage=seen.share, gaps=seen.gaps
        )

    def _tell(self, request: SeriesRequest) -> SeriesAnswer:
        edges = [request.end_of(place) for place in range(-1, request.steps)]
        steps = [Span(*edge) for edge in pairwise(edges)]
        known = [self._within(self._known, step) for step in steps]
        pairs = [self._pair(step, request.slices) for step in steps]
        if request.amount:
            pairs = [(bad, bad) for _, bad in pairs]
        return Series(
            total=tuple(float(t) if k else None for (t, _), k in zip(pairs, known, strict=True)),
            bad=tuple(float(b) if k else None for (_, b), k in zip(pairs, known, strict=True)),
            query="asked",
        )

    def _pair(self, span: Span, slices: Slices | None) -> tuple[int, int]:
        if slices is None:
            return self._within(self._totals, span), self._within(self._bad, span)
        total = bad = 0
        end = span.start + slices.length
        while end <= span.end:
            events, failed = self._pair(Span(end - slices.length, end), None)
            total += events > 0
            bad += events > 0 and Fraction(events - failed, events) < slices.target
            end += slices.length
        return total, bad

    def _within(self, sums: Sequence[int], span: Span) -> int:
        return sums[self._place(span.end)] - sums[self._place(span.start)]

    def _place(self, at: datetime) -> int:
        return min(max((at - self.start) // MINUTE, 0), len(self.total))


def random_minutes(seed: int, start: datetime, end: datetime, *, each: int = 60) -> Minutes:
    """Return traffic with chronic failures, some incidents, and holes of any length.

    Args:
        seed: of the chance.
        start: a whole minute.
        end: of the history.
        each: events a minute, at most.
    """
    chance, count = Random(seed), (end - start) // MINUTE
    total: list[int | None] = [chance.randint(0, each) for _ in range(count)]
    bad = [sum(chance.random() < 0.0004 for _ in range(3)) if n else 0 for n in total]
    for _ in range(6):
        first = chance.randrange(count)
        for place in range(first, min(first + chance.randint(5, 300), count)):
            bad[place] = (total[place] or 0) // 3
    for _ in range(3):
        first, length = chance.randrange(count), int(chance.choice((30, 600, 7000)))
        for place in range(first, min(first + length, count)):
            total[place], bad[place] = None, 0
    return Minutes(start, total, bad)
