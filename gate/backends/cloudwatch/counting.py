"""From points of metrics to counts: over a stretch of time, by timeslices, and step by step."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise

from gate.backends.cloudwatch.client import Fetched
from gate.backends.cloudwatch.indicators import MetricIndicator
from gate.backends.cloudwatch.pages import Number
from gate.backends.cloudwatch.periods import MINUTE, PeriodRun, counted_span, moment, seconds
from gate.backends.cloudwatch.selectors import MetricStatistic
from gate.backends.sql.slices import SliceCounts, in_slices
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, MeasurementError, Spent
from gate.measure.coverage import StepCoverage, coverage_by_steps
from gate.measure.history import MOST_PARTS, Series, SeriesRequest, clock_part
from gate.slo.indicator import Slices
from gate.slo.objective import Span
from gate.slo.quantities import format_duration
from gate.wording import instant


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


def answer_for(request: CountRequest, times: MetricTimeline) -> Answer:
    """Return the counts over the stretch of a request, without evidence.

    Raises:
        MeasurementError: they are not valid counts.
    """
    total, bad, evidence = times.total, times.bad, Evidence(query=times.query)
    if request.amount:
        _check("what was spent", total)
        return Spent(amount=total, evidence=evidence)
    _check("the total", total)
    if not total:
        reason = f"every point of the total is 0: {times.reading}"
        raise MeasurementError(Cause.NO_TRAFFIC, reason)
    _check("the number of bad events", bad)
    if bad > total:
        reason = (
            f"{float(bad):,g} bad events are more than {float(total):,g} in total; add what the"
            " total leaves out, such as throttled requests, to it"
        )
        raise MeasurementError(Cause.INVALID, reason)
    counts = Counts(total=total, bad=bad, evidence=evidence)
    if request.slices is None:
        return counts
    return in_slices(counts, request, request.slices, _slice_counts(times, request.slices))


def _check(what: str, number: Fraction) -> None:
    if number < 0:
        reason = (
            f"{what} is {float(number):,g}: more is subtracted than there is; see which metric is"
            " part of the other"
        )
        raise MeasurementError(Cause.INVALID, reason)


def check_slices(slices: Slices, pieces: Sequence[PeriodRun]) -> None:
    """Check that every slice is a whole number of periods.

    Raises:
        MeasurementError: CloudWatch no longer has periods as short.
    """
    length = int(slices.length.total_seconds())
    longest = max((piece.period for piece in pieces if length % piece.period), default=0)
    if longest:
        shown = format_duration(timedelta(seconds=longest))
        reason = (
            f"timeslices of {format_duration(slices.length)} cannot be counted so far back:"
            f" CloudWatch has kept periods of {shown}; make the timeslices a multiple of {shown},"
            " or the window shorter"
        )
        raise MeasurementError(Cause.INVALID, reason)


def _slice_counts(times: MetricTimeline, slices: Slices) -> SliceCounts:
    length, sums = int(slices.length.total_seconds()), dict[int, tuple[Number, Number]]()
    for slot in times.slots:
        total, bad = sums.get(slot.start // length, (0, 0))
        sums[slot.start // length] = total + (slot.total or 0), bad + slot.bad
    # They are only compared with each other: whole numbers make no difference.
    return SliceCounts(slices, [(number, *_whole(*pair)) for number, pair in sums.items()])


def _whole(total: Number, bad: Number) -> tuple[int, int]:
    """Return two whole numbers with the same ratio."""
    scale = total.denominator * bad.denominator
    return int(total * scale), int(bad * scale)


def series_of(request: SeriesRequest, times: MetricTimeline) -> Series:
    """Return the events of each step.

    Periods that are longer than a step, or overlap two, are assumed to have even traffic.
    """
    if request.slices is not None:
        return _sliced_series(request, request.slices, times)
    totals: list[float | None] = [None] * request.steps
    bads = [0.0] * request.steps
    for slot in times.slots:
        for place, share in _shares(request, slot):
            if slot.total is not None:
                totals[place] = (totals[place] or 0.0) + float(slot.total) * share
            bads[place] += float(slot.bad) * share
    _say_what_is_silent(request, times, totals)
    shown = [total and max(total, 0.0) for total in totals]
    return Series(
        total=tuple(shown),
        bad=tuple(
            None if total is None else min(max(bad, 0.0), total)
            for total, bad in zip(shown, bads, strict=True)
        ),
        query=times.query,
    )


def _shares(request: SeriesRequest, slot: Slot) -> Iterator[tuple[int, float]]:
    """Yield the steps of a period with its share in each, as if its events were spread evenly.

    Time that was rounded off at the start of the stretch belongs to the first step.
    """
    first = seconds(request.span.start)
    start, end = max(slot.start, first), max(slot.end, first + 1)
    step, last = int(request.step.total_seconds()), request.steps - 1
    for place in range((start - first) // step, -(-(end - first) // step)):
        inside = min(end, first + (place + 1) * step) - max(start, first + place * step)
        yield min(place, last), inside / (end - start)


def _sliced_series(request: SeriesRequest, slices: Slices, times: MetricTimeline) -> Series:
    counts = _slice_counts(times, slices)
    ends = [request.end_of(place) for place in range(-1, request.steps)]
    spans = [Span(start, end) for start, end in pairwise(ends)]
    judged = [float(counts.judged(span)[0]) or None for span in spans]
    _say_what_is_silent(request, times, judged)
    counted = [counts.counted(span) for span in spans]
    pairs = list(zip(judged, counted, strict=True))
    return Series(
        total=tuple(None if events is None else float(total) for events, (total, _) in pairs),
        bad=tuple(None if events is None else float(bad) for events, (_, bad) in pairs),
        query=times.query,
    )


def _say_what_is_silent(
    request: SeriesRequest, times: MetricTimeline, totals: list[float | None]
) -> None:
    """Set 0 where silence means that nothing happened, and keep None elsewhere."""
    there = [place for place, total in enumerate(totals) if total is not None]
    if not there:
        return
    missing = times.coverage().missing
    newest = request.end_of(there[-1]) + request.max_age
    for place in range(there[0], len(totals)):
        end = request.end_of(place)
        lost = any(gap.start < end <= gap.end for gap in missing)
        if totals[place] is None and end <= newest and not lost:
            totals[place] = 0.0
