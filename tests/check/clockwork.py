"""A service of which every ten seconds are known, and a backend that counts them at any time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate, pairwise

from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, Spent, Unmeasured
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import Slices
from gate.slo.objective import Span

UNIT = timedelta(seconds=10)
EVIDENCE = Evidence(query="asked")

Happened = Sequence[tuple[float, float]]
"""Events and bad ones of each `UNIT`; of what is spent the amount, twice."""


class Story:
    """The events from a start on; there are none after its end."""

    def __init__(self, start: datetime, happened: Happened) -> None:
        self.start = start
        self._total = list(accumulate((total for total, _ in happened), initial=0.0))
        self._bad = list(accumulate((bad for _, bad in happened), initial=0.0))

    def between(self, span: Span) -> tuple[float, float] | None:
        """Return events and bad ones; None: it ended before anything was known."""
        if span.end <= self.start:
            return None
        first, last = (
            min(max((at - self.start) // UNIT, 0), len(self._total) - 1)
            for at in (span.start, span.end)
        )
        return self._total[last] - self._total[first], self._bad[last] - self._bad[first]

    def slices_of(self, span: Span, slices: Slices) -> tuple[float, float] | None:
        """Return how many slices with events end in a stretch, and how many of them are bad."""
        if span.end <= self.start:
            return None
        end = span.end - (span.end - self.start) % slices.length
        judged = []
        while end > max(span.start, self.start):
            counted = self.between(Span(end - slices.length, end))
            if counted is not None and counted[0]:
                judged.append(1 - counted[1] / counted[0] < slices.target)
            end -= slices.length
        return float(len(judged)), float(sum(judged))


@dataclass(slots=True)
class Clockwork:
    """Tells stories, by the text of what is bad or spent."""

    stories: Mapping[str, Story]
    asked: list[SeriesRequest] = field(default_factory=list)

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Count."""
        assert all(one.span.end == at for one in requests)
        return [self._count(one) for one in requests]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Count step by step."""
        self.asked += requests
        return [self._series(one) for one in requests]

    def _count(self, request: CountRequest) -> Answer:
        found = self._between(request, request.span)
        if found is None or not found[0]:
            return Unmeasured(cause=Cause.NO_TRAFFIC, reason="nothing happened")
        if request.amount:
            return Spent(amount=Fraction(found[0]), evidence=EVIDENCE)
        return Counts(total=Fraction(found[0]), bad=Fraction(found[1]), evidence=EVIDENCE)

    def _series(self, request: SeriesRequest) -> Series:
        ends = [request.end_of(place) for place in range(-1, request.steps)]
        steps = [self._between(request, Span(start, end)) for start, end in pairwise(ends)]
        return Series(
            total=tuple(None if one is None else one[0] for one in steps),
            bad=tuple(None if one is None else one[1] for one in steps),
            query="asked",
        )

    def _between(
        self, request: CountRequest | SeriesRequest, span: Span
    ) -> tuple[float, float] | None:
        story = self.stories[str(request.sli.bad or request.sli.spent)]
        if request.slices is None:
            return story.between(span)
        return story.slices_of(span, request.slices)
