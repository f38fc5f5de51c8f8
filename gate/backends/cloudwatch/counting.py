"""From points of metrics to counts: over a stretch of time, by timeslices, and step by step."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from gate.backends.cloudwatch.pages import Number
from gate.backends.cloudwatch.periods import PeriodRun, seconds
from gate.backends.cloudwatch.timeline import MetricTimeline, Slot
from gate.backends.sql.slices import SliceCounts, in_slices
from gate.measure import Answer, Cause, CountRequest, Counts, Evidence, MeasurementError, Spent
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Slices
from gate.slo.objective import Span
from gate.slo.quantities import format_duration


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
