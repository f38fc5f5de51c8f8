"""A backend in memory that remembers what happened in each hour, and counts from that."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, Spent, Unmeasured
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.objective import Span
from tests.analysis.memory import AT

HOUR = timedelta(hours=1)
DAY = 24 * HOUR
TRAFFIC = 1000
"""Events of an hour."""
MONTH = 720
"""Hours of a rolling window."""
ALLOWED = MONTH * TRAFFIC // 1000
"""Bad events of a budget of 99.9%."""
CALENDAR = (
    "  - {name: a, objective: 99.9%, window: {calendar: month}, sli: {bad: a, total: total}}\n"
)
MID = datetime(2026, 11, 16, tzinfo=UTC)
"""Half of a month of 30 days is over."""

Bad = Sequence[float | None]
"""By hour, the newest last; None: nothing is known of the hour."""

OUTAGE: Bad = [*[0] * (MONTH - 216), 600, *[0] * 215]
"""Nine days ago 600 of 720 failed."""
OUTAGES = [*[0] * 900, 500, *[0] * 300, 400, *[0] * (3 * MONTH - 1202)]
"""In the second of three windows 900 of 720 failed."""


@dataclass(slots=True)
class Remembered:
    """Knows SLOs by the text of what is bad, and nothing of the hours before it remembers any."""

    bad: Mapping[str, Bad]
    end: datetime = AT
    lost: Mapping[str, Unmeasured] = field(default_factory=dict)
    """SLOs whose history is not told."""
    notes: tuple[str, ...] = ("seen",)
    asked: list[SeriesRequest] = field(default_factory=list)

    def measure(self, requests: Sequence[CountRequest], _at: datetime) -> list[Answer]:
        return [self._count(one) for one in requests]

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        assert requests
        self.asked += requests
        return [
            self.lost.get(str(one.sli.bad or one.sli.spent)) or self._told(one) for one in requests
        ]

    def _told(self, request: SeriesRequest) -> Series:
        """Return a step's events; its slices, one an hour; or what was spent in it."""
        series = self._series(request)
        if request.amount:
            return replace(series, total=series.bad)
        if request.slices is None:
            return series
        hours = request.step / request.slices.length
        return replace(series, total=tuple(None if one is None else hours for one in series.total))

    def _count(self, request: CountRequest) -> Answer:
        evidence = Evidence(query="asked")
        if request.amount:
            return Spent(amount=Fraction(100), evidence=evidence)
        known = [one for one in self._hours(str(request.sli.bad), request.span) if one is not None]
        if not known:
            return Unmeasured(cause=Cause.NO_DATA, reason="nothing is known")
        total, bad = Fraction(TRAFFIC * len(known)), Fraction(sum(known))
        return Counts(total=total, bad=bad, evidence=evidence)

    def _series(self, request: SeriesRequest) -> Series:
        assert request.step % HOUR == timedelta()
        name = str(request.sli.bad or request.sli.spent)
        width, hours = request.step // HOUR, self._hours(name, request.span)
        steps = [hours[place : place + width] for place in range(0, len(hours), width)]
        known = [[one for one in step if one is not None] for step in steps]
        return Series(
            total=tuple(float(TRAFFIC * len(step)) if step else None for step in known),
            bad=tuple(float(sum(step)) if step else None for step in known),
            query="asked",
            notes=self.notes,
        )

    def _hours(self, name: str, span: Span) -> list[float | None]:
        bad = self.bad[name]
        places = range(
            len(bad) - (self.end - span.start) // HOUR, len(bad) - (self.end - span.end) // HOUR
        )
        return [bad[place] if place >= 0 else None for place in places]
