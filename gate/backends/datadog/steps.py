"""The history of an SLO in steps.

Time-based SLOs have transitions, from which any step can be cut. Metric-based ones have buckets,
whose length Datadog chooses by the length of the window: if it is too long for the steps, the
stretch is requested in pieces, and refused if no piece is short enough.
"""

from collections.abc import Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final, cast

from gate.backends.datadog.asking import history_call
from gate.backends.datadog.buckets import EventBucket, EventBuckets, read_buckets, tallied
from gate.backends.datadog.history import History, read_history
from gate.backends.datadog.suspicions import contradiction
from gate.backends.datadog.timeline import UptimeTimeline
from gate.backends.datadog.values import EpochWindow, instant_of, invalid, window_of
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, JsonObject
from gate.backends.platforms.platform import SeriesQuestion
from gate.measure import Cause, MeasurementError
from gate.measure.coverage import coverage_by_steps
from gate.measure.history import Series, SeriesAnswer
from gate.slo.objective import Span
from gate.slo.quantities import format_duration

_MOST_PIECES: Final = 64
"""The maximum number of requests for the history of one SLO."""
_HALVES: Final = _MOST_PIECES.bit_length()
_SECOND: Final = timedelta(seconds=1)


class Steps:
    """Requests the histories of SLOs, and cuts them into steps."""

    def __init__(self, api: Api, parallel: int, *, corrections: bool) -> None:
        """Prepare; see `gate.backends.datadog.asking.Histories`."""
        self._api, self._parallel, self._corrections = api, parallel, corrections

    def series(self, questions: Sequence[SeriesQuestion]) -> list[SeriesAnswer]:
        """Return the events of each step, for every question in order."""
        bodies = self._ask([(question, window_of(question.span)) for question in questions])
        return [
            self._answer(question, body) for question, body in zip(questions, bodies, strict=True)
        ]

    def _ask(
        self, wanted: Sequence[tuple[SeriesQuestion, EpochWindow]]
    ) -> list[JsonObject | ApiError]:
        calls = [
            history_call(question.definition.id, window, corrections=self._corrections)
            for question, window in wanted
        ]
        return self._api.ask_all(calls, self._parallel)

    def _answer(self, question: SeriesQuestion, body: JsonObject | ApiError) -> SeriesAnswer:
        window = window_of(question.span)
        query = history_call(question.definition.id, window, corrections=self._corrections).path
        try:
            history = _read(question, window, body)
            if isinstance(history.past, UptimeTimeline):
                return _of_timeline(question, history.past, query)
            if isinstance(history.past, EventBuckets):
                return _of_buckets(question, self._fine(question, history, history.past), query)
            raise invalid("Datadog reports no history for a group of a metric-based SLO")
        except MeasurementError as error:
            return error.answer(query)

    def _fine(
        self, question: SeriesQuestion, history: History, past: EventBuckets
    ) -> Sequence[EventBucket]:
        """Return buckets that each lie within one step; raises MeasurementError."""
        if not past.interval:
            raise invalid("its series has no times that lie in the window")
        if _fits(past.buckets, question):
            return past.buckets
        for piece in _pieces(question, history.window, past.interval):
            windows = _cut(history.window, piece)
            first = self._buckets(question, windows[:1])
            if _fits(first, question):
                buckets = (*first, *self._buckets(question, windows[1:]))
                if _fits(buckets, question):
                    return buckets
        shown = format_duration(timedelta(seconds=past.interval))
        raise MeasurementError(
            Cause.NO_DATA,
            f"Datadog counts this stretch in buckets of {shown}, which do not make steps of"
            f" {format_duration(question.step)}; look at a shorter stretch",
        )

    def _buckets(
        self, question: SeriesQuestion, windows: Sequence[EpochWindow]
    ) -> Sequence[EventBucket]:
        """Request pieces of a stretch, and return their buckets; raises MeasurementError."""
        buckets = list[EventBucket]()
        bodies = self._ask([(question, window) for window in windows])
        for window, body in zip(windows, bodies, strict=True):
            try:
                past = _read(question, window, body).past
            except MeasurementError as error:
                if error.cause is not Cause.NO_TRAFFIC:
                    raise
                # The series of such an answer was read, and has only zeros.
                past = read_buckets(cast("JsonObject", body)["data"]["series"], window)
            buckets += cast("EventBuckets", past).buckets
        return buckets


def _read(question: SeriesQuestion, window: EpochWindow, body: JsonObject | ApiError) -> History:
    """Return an answer whose parts agree with the whole; raises MeasurementError."""
    if isinstance(body, ApiError):
        raise body
    history = read_history(body, window, question.definition.granted, question.sli.group)
    if history.warnings:
        raise MeasurementError(Cause.PARTIAL, "; ".join(history.warnings))
    past = history.past
    if contradiction(history) or (
        isinstance(past, EventBuckets) and past.buckets and not past.whole
    ):
        raise invalid(
            "its parts do not add up to the SLI that it reports, as where corrections are applied"
            " to the whole only; write corrections: false in the backend's block to see the parts"
        )
    return history


def _pieces(question: SeriesQuestion, window: EpochWindow, interval: int) -> Sequence[int]:
    """Return the pieces to request, the longest first: whole numbers of steps, in seconds."""
    step = question.step // _SECOND
    shortest = -(-window.length // (_MOST_PIECES * step)) * step
    guess = window.length // interval * step
    halves = [(guess >> halved) // step * step for halved in range(_HALVES)]
    pieces = {piece for piece in (*halves, shortest) if shortest <= piece < window.length}
    return sorted(pieces, reverse=True)


def _cut(window: EpochWindow, piece: int) -> Sequence[EpochWindow]:
    return [
        EpochWindow(start, min(start + piece, window.end))
        for start in range(window.start, window.end, piece)
    ]


def _fits(buckets: Sequence[EventBucket], question: SeriesQuestion) -> bool:
    """Return whether each bucket lies within one step; the newest step may end earlier."""
    window, step = window_of(question.span), question.step // _SECOND

    def fits(bucket: EventBucket) -> bool:
        bound = window.start + ((bucket.start - window.start) // step + 1) * step
        return bucket.start >= window.start and (bucket.end <= bound or bound >= window.end)

    return all(map(fits, buckets))


def _of_timeline(question: SeriesQuestion, past: UptimeTimeline, query: str) -> Series:
    tallies = [past.between(*bounds) for bounds in pairwise(_bounds(question))]
    return Series(
        total=tuple(float(tally.total) if tally.total else None for tally in tallies),
        bad=tuple(float(tally.bad) if tally.total else None for tally in tallies),
        query=query,
    )


def _of_buckets(question: SeriesQuestion, buckets: Sequence[EventBucket], query: str) -> Series:
    """Return the events of each step.

    Datadog fills gaps in its data with zeros. The steps are unknown before the first event, in a
    gap when events are usual, and once the newest event is too old.
    """
    bounds, step = _bounds(question), question.step // _SECOND
    goods, totals = [Fraction(0)] * (len(bounds) - 1), [Fraction(0)] * (len(bounds) - 1)
    for bucket in buckets:
        place = (bucket.start - bounds[0]) // step
        goods[place] += bucket.good
        totals[place] += bucket.total
    tallies = [tallied(good, total) for good, total in zip(goods, totals, strict=True)]
    counted = _is_counted(question, [float(total) or None for total in totals], buckets)
    return Series(
        total=tuple(
            float(tally.total) if there else None
            for tally, there in zip(tallies, counted, strict=True)
        ),
        bad=tuple(
            float(tally.bad) if there else None
            for tally, there in zip(tallies, counted, strict=True)
        ),
        query=query,
    )


def _is_counted(
    question: SeriesQuestion, events: Sequence[float | None], buckets: Sequence[EventBucket]
) -> Sequence[bool]:
    """Return for each step whether its events are known."""
    bounds = _bounds(question)
    whole = Span(instant_of(bounds[0]), instant_of(bounds[0]) + len(events) * question.step)
    gaps = [window_of(span) for span in coverage_by_steps(events, whole).missing]
    newest = max((bucket.end for bucket in buckets if bucket.total), default=bounds[0])
    silent_from = newest + question.max_age // _SECOND
    first = next((place for place, number in enumerate(events) if number), len(events))

    def counted(place: int) -> bool:
        start, end = bounds[place], bounds[place + 1]
        lost = any(gap.start < end and start < gap.end for gap in gaps)
        return place >= first and (not lost if end <= newest else end <= silent_from)

    return [bool(number) or counted(place) for place, number in enumerate(events)]


def _bounds(question: SeriesQuestion) -> Sequence[int]:
    """Return the boundaries of the steps in seconds, one more than the number of steps."""
    window, step = window_of(question.span), question.step // _SECOND
    return [*range(window.start, window.end, step), window.end]
