"""The points of an indicator's metrics over time, as CloudWatch has published them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.cloudwatch.indicators import MetricIndicator
from gate.backends.cloudwatch.metrics import MetricStatistic
from gate.backends.cloudwatch.pages import MetricPoints, Number
from gate.backends.cloudwatch.periods import MINUTE, PeriodRun, counted_span, moment, seconds
from gate.dataclass import dataclass
from gate.measure import MeasurementError
from gate.measure.coverage import StepCoverage, coverage_by_steps
from gate.measure.history import MOST_PARTS, clock_part
from gate.slo.objective import Span
from gate.wording import instant

_KEPT_PIECES: Final = 16
"""The number of past stretches that are kept for each metric and period: the two ends of
windows."""


class Fetched:
    """The points, or the reason why they are missing, for each metric and stretch of time."""

    def __init__(self) -> None:
        self._outcomes: dict[
            tuple[MetricStatistic, int], dict[PeriodRun, MetricPoints | MeasurementError]
        ] = {}
        """The results by metric and period, for each stretch of time."""

    def add(
        self, piece: PeriodRun, outcomes: Mapping[MetricStatistic, MetricPoints | MeasurementError]
    ) -> None:
        """Add the results of one question."""
        for counted, outcome in outcomes.items():
            self._outcomes.setdefault((counted, piece.period), {})[piece] = outcome

    def kept(self, counted: MetricStatistic, piece: PeriodRun) -> MetricPoints | None:
        """Return the kept points that include those of a piece; None: there are none."""
        for whole, outcome in self._outcomes.get((counted, piece.period), {}).items():
            inside = whole.start <= piece.start and piece.end <= whole.end
            if inside and not isinstance(outcome, MeasurementError):
                return outcome
        return None

    def keep(self, counted: MetricStatistic, piece: PeriodRun, fetched: "Fetched") -> None:
        """Keep the points of a piece, and the last few older pieces: the two ends of windows.

        The kept points grow with the number of windows, not with the number of instants.
        """
        if (points := fetched.kept(counted, piece)) is not None:
            own = self._outcomes.setdefault((counted, piece.period), {})
            own[piece] = points
            for oldest in list(own)[:-_KEPT_PIECES]:
                del own[oldest]

    def points(self, counted: MetricStatistic, piece: PeriodRun) -> list[tuple[int, Number]]:
        """Return start and value of each point, in order, of a requested stretch.

        Raises:
            MeasurementError: no answer can be counted.
        """
        outcome = next(
            outcome
            for whole, outcome in self._outcomes[counted, piece.period].items()
            if whole.start <= piece.start and piece.end <= whole.end
        )
        if isinstance(outcome, MeasurementError):
            raise outcome
        inside = (start for start in outcome if piece.start <= start < piece.end)
        return [(start, outcome[start]) for start in sorted(inside)]


@dataclass(frozen=True, slots=True)
class Slot:
    """The published counts of one period of an indicator; periods without points have none."""

    start: int
    end: int
    total: Number | None
    """All events, or the spent amount; None: no point has it."""
    bad: Number
    """Below 0, or above the total, if a subtracted value was published in another period."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTimeline:
    """The periods of one indicator over a stretch of time, the oldest first."""

    reading: MetricIndicator
    pieces: tuple[PeriodRun, ...]
    """At least one."""
    slots: tuple[Slot, ...]
    seen: Mapping[MetricStatistic, int]
    """The metrics with a point, and the start of the newest point's period."""
    points: Mapping[MetricStatistic, Mapping[int, Number]]
    """The points of each counted metric, by the start of their period."""

    @property
    def span(self) -> Span:
        """The counted stretch: the requested one, in whole periods."""
        return counted_span(self.pieces)

    @property
    def total(self) -> Fraction:
        """All events, or the whole spent amount."""
        return Fraction(sum(slot.total for slot in self.slots if slot.total is not None))

    @property
    def bad(self) -> Fraction:
        """All bad events."""
        return Fraction(sum(slot.bad for slot in self.slots))

    @property
    def counts_good(self) -> bool:
        """Whether any metric of the good events has a point."""
        return any(term.counted in self.seen for term in self.reading.good or ())

    @property
    def query(self) -> str:
        """The request for people."""
        span = self.span
        return f"{self.reading}, from {instant(span.start)} to {instant(span.end)}"

    def newest(self, at: datetime) -> datetime:
        """Return the end of the newest minute that certainly has a point of the total.

        There must be one.

        The time after the last whole period of the stretch is not counted and shows nothing, so a
        point in the last of them is as new as possible. For an older period of more than a minute,
        the first minute counts.
        """
        newest = [slot for slot in self.slots if slot.total is not None][-1]
        return at if newest.end == seconds(self.span.end) else moment(newest.start + MINUTE)

    def coverage(self) -> StepCoverage:
        """Return the share of the stretch with points of the total, by parts on the clock.

        A part without points counts if that is usual: CloudWatch stores nothing without events.
        """
        span, longest = self.span, max(piece.period for piece in self.pieces)
        step = max(clock_part(span.length), timedelta(seconds=longest))
        size = int(step.total_seconds())
        first, last = seconds(span.start) // size, (seconds(span.end) - 1) // size
        events: list[float | None] = [None] * (last - first + 1)
        for slot in self.slots:
            if slot.total is not None:
                place = slot.start // size - first
                events[place] = (events[place] or 0.0) + float(slot.total)
        parts = Span(moment(first * size), moment((last + 1) * size))
        return coverage_by_steps(events, parts, most=MOST_PARTS)


def timeline(
    reading: MetricIndicator, pieces: Sequence[PeriodRun], fetched: Fetched
) -> MetricTimeline:
    """Combine the points of an indicator's metrics.

    Raises:
        MeasurementError: the points of a metric are missing.
    """
    seen, ends = dict[MetricStatistic, int](), dict[int, int]()
    points = dict[MetricStatistic, dict[int, Number]]()
    sums = dict[str, dict[int, Number]]()
    for role, terms in reading.roles:
        own = sums[role] = {}
        for term in terms:
            published = points.setdefault(term.counted, {})
            factor = int(term.factor) if term.factor.denominator == 1 else term.factor
            for piece in pieces:
                for start, value in fetched.points(term.counted, piece):
                    published[start] = value
                    own[start] = own.get(start, 0) + factor * value
                    ends[start] = start + piece.period
                    seen[term.counted] = start
    slots = tuple(_slot(reading, start, ends[start], sums) for start in sorted(ends))
    return MetricTimeline(
        reading=reading, pieces=tuple(pieces), slots=slots, seen=seen, points=points
    )


def _slot(
    reading: MetricIndicator, start: int, end: int, sums: Mapping[str, Mapping[int, Number]]
) -> Slot:
    """Return the total and the bad events of a period, from the sum of each role."""
    part = {role: own[start] for role, own in sums.items() if start in own}
    good, bad = part.get("good", 0), part.get("bad", 0)
    if reading.spent is not None:
        return Slot(start, end, part.get("spent"), part.get("spent", 0))
    if reading.total is None:
        return Slot(start, end, good + bad, bad)
    total = part.get("total")
    return Slot(start, end, total, bad if reading.bad is not None else (total or 0) - good)
