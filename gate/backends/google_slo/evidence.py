"""The evidence for a count of Google Cloud Monitoring: the age of its data, and gaps."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.google_slo.counting import Aligned
from gate.backends.google_slo.points import SloPoints
from gate.budget.ratio import seconds
from gate.measure import Cause, Evidence, Suspicion
from gate.measure.coverage import FEWEST, StepCoverage, coverage_by_steps
from gate.slo.objective import Span
from gate.wording import amount, percent_spent, stretch

_UNDER_WAY: Final = timedelta(minutes=5)
"""Samples of a minute are visible at most 4 minutes later, for most metrics:
https://cloud.google.com/monitoring/api/metrics_gcp"""
_NEWER: Final = Fraction(1, 1000)
"""The share of all events that may arrive between two requests."""
_REMEDY: Final = (
    "see why the metric of the SLO has no data there, or wait until the gap has left the window"
)


def evidence_of(
    evidence: Evidence,
    overview: tuple[Aligned, SloPoints],
    lately: SloPoints,
    period: timedelta | None,
    total: Fraction,
) -> Evidence:
    """Return the evidence for the count of a main window.

    Args:
        evidence: the query, and the reported missing data.
        overview: the steps in which the window was examined, with their points.
        lately: the same for the minutes before its end.
        period: the length of windows that are good or bad as a whole; None: events are counted.
        total: the number of events, or the seconds of such windows.
    """
    aligned, points = overview
    events = by_step(aligned, points)
    newest = lately.newest or (_newest(aligned, events) if period is None else points.newest)
    if period is not None and newest is not None:
        # A window is known when it is over, while the one after it is not over yet.
        newest = min(newest + period, aligned.span.end)
    events, step = _by_window(events, aligned.step, period)
    end = aligned.span.end - _cut_off(events, step)
    span = Span(end - len(events) * step, end)
    seen = coverage_by_steps(events, span, fewest=FEWEST if period is None else 0)
    share = seen.share
    if period is not None:
        # A step with some of its windows has data; and the newest window may not be over yet.
        share = min(share, (total + seconds(period)) / seconds(aligned.span.length))
    return replace(
        evidence,
        newest=newest,
        coverage=share,
        gaps=seen.gaps,
        suspicions=_lost(seen, span, windows=period is not None),
    )


def more_in_steps(
    counts: tuple[Fraction, Fraction], overview: tuple[Aligned, SloPoints]
) -> tuple[Suspicion, ...]:
    """Return the suspicion that a count does not include all of its window.

    Args:
        counts: all events, or windows, and the bad ones.
        overview: the steps in which a part of the same time was examined, with their points.
    """
    aligned, points = overview
    total, bad = counts
    all_in_steps, bad_in_steps = points.within(aligned.span) or counts
    more, hidden = all_in_steps - total, bad_in_steps - bad
    if max(more, hidden) <= total * _NEWER:
        return ()
    reason = (
        f"Google Cloud Monitoring counts {amount(bad)} bad events of {amount(total)} in the window,"
        f" and {amount(bad_in_steps)} of {amount(all_in_steps)} in the parts of it"
    )
    remedy = "run the check again, and compare the SLO's page in Google Cloud with this report"
    return (Suspicion(cause=Cause.CONTRADICTED, reason=reason, remedy=remedy, hidden=None),)


def by_step(aligned: Aligned, points: SloPoints) -> list[float | None]:
    """Return the events of each step, the oldest first; None: it has no data."""
    events: list[float | None] = [None] * (aligned.span.length // aligned.step)
    for point in (*points.good, *points.bad):
        place = -((aligned.span.end - point.end) // aligned.step) - 1
        events[place] = (events[place] or 0.0) + float(point.count)
    return events


def _by_window(
    events: list[float | None], step: timedelta, period: timedelta | None
) -> tuple[list[float | None], timedelta]:
    """Combine steps that are shorter than the windows, so that each has a window's end.

    Return the steps, which still end with the span, and their length.
    """
    size = 1 if period is None else min(-(-period // step), len(events))
    chunks = [events[max(end - size, 0) : end] for end in range(len(events), size - 1, -size)]
    whole = [[number for number in chunk if number is not None] for chunk in reversed(chunks)]
    return [sum(numbers) if numbers else None for numbers in whole], size * step


def _cut_off(events: list[float | None], step: timedelta) -> timedelta:
    """Remove the newest steps that are too new to have data, and return their length.

    The age of the data is judged separately: at the start of a calendar period, the minutes before
    data arrives would be most of it.
    """
    count = 0
    while len(events) > 1 and events[-1] is None and (count + 1) * step <= _UNDER_WAY:
        events.pop()
        count += 1
    return count * step


def _newest(aligned: Aligned, events: Sequence[float | None]) -> datetime | None:
    """Return the start of the last step with data; some of its data is later than that."""
    places = [place for place, number in enumerate(events) if number is not None]
    return aligned.span.start + places[-1] * aligned.step if places else None


def _lost(seen: StepCoverage, span: Span, *, windows: bool) -> tuple[Suspicion, ...]:
    """Return the suspicion that events were lost if data is missing in the middle of a span."""
    gaps = seen.gaps
    if gaps.longest is None:
        return ()
    hidden = gaps.holes * seconds(span.length) if windows else gaps.usual
    longest = stretch(gaps.longest.start, gaps.longest.end, open_=False)
    several = "" if gaps.between == gaps.longest else ", and for other times"
    usual = "" if windows else f", where about {amount(gaps.usual)} events are usual"
    reason = (
        f"Google Cloud Monitoring has no data from {longest}{several}, in"
        f" {percent_spent(gaps.holes)} of the window{usual}"
    )
    return (
        Suspicion(
            cause=Cause.LOST, reason=reason, remedy=_REMEDY, hidden=hidden, within=gaps.between
        ),
    )
