"""The contradictions in Datadog's answers, with the number of events in doubt."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Final

from gate.backends.datadog.buckets import EventBuckets, WindowTally
from gate.backends.datadog.history import History
from gate.backends.datadog.timeline import UptimeTimeline
from gate.backends.datadog.values import EpochWindow
from gate.measure import Cause, Suspicion
from gate.measure.coverage import Gaps
from gate.wording import amount, percent_spent, stretch

_SLICES: Final = {"monitor": 60, "time_slice": 300}
"""The number of seconds by which the times of an SLI may be cut at both ends of a window."""
FLOAT_ERROR: Final = Fraction(1, 10**6)
"""The possible error of a share that was a percentage in a 32-bit float."""


def contradiction(history: History) -> Fraction:
    """Return how far Datadog's own bad share differs from that of its counts.

    Above 0: Datadog says that more was bad. 0: they agree, to the valid decimals, whether unknown
    time is up, down or left out; or one of the two is missing.
    """
    past, sli = history.past, history.reported.sli
    if past is None or sli is None or not past.tally.total:
        return Fraction(0)
    total, bad = past.tally.total, past.tally.bad
    unknown = history.window.length - total if isinstance(past, UptimeTimeline) else Fraction(0)
    shares = (bad / total, bad / (total + unknown), (bad + unknown) / (total + unknown))
    allowed, reported = allowed_difference(history), 1 - sli
    if reported > max(shares) + allowed:
        return reported - max(shares)
    if reported < min(shares) - allowed:
        return reported - min(shares)
    return Fraction(0)


def allowed_difference(history: History) -> Fraction:
    """Return the tolerated difference between a share of counts and Datadog's own."""
    cut = Fraction(2 * _SLICES.get(history.kind or "", 0), history.window.length)
    return history.reported.error + FLOAT_ERROR + cut


def suspicions_of(
    history: History, tally: WindowTally, differs: Fraction, corrected: Sequence[EpochWindow] | None
) -> Iterator[Suspicion]:
    """Yield the reasons to doubt the counts of an answer for its stretch of time.

    Args:
        history: the answer.
        tally: the counts of the answer.
        differs: the `contradiction`.
        corrected: the largest parts that Datadog's own SLI excludes; None: any part.
    """
    if differs:
        yield _suspicion(history, tally)
    elif isinstance(history.past, UptimeTimeline):
        yield from _unknown_down(history, tally)
    elif (
        corrected is not None
        and not corrected
        and history.past is not None
        and history.past.more_bad
    ):
        yield _in_parts(history.past)


def _suspicion(history: History, tally: WindowTally) -> Suspicion:
    reported, own = history.reported.sli or Fraction(0), 1 - tally.bad / tally.total
    return Suspicion(
        cause=Cause.CONTRADICTED,
        reason=f"Datadog's own SLI is {shown_percent(reported)}, and what it counts makes"
        f" {shown_percent(own)}",
        remedy="compare the SLO's page in Datadog with this report, and see whether a correction or"
        " a changed query explains it",
        hidden=max(own - reported, Fraction(0)) * tally.total,
        doubtful=max(reported - own, Fraction(0)) * tally.total,
    )


def _unknown_down(history: History, tally: WindowTally) -> Iterator[Suspicion]:
    """Yield the suspicion that time without data was down, by a monitor's possible settings."""
    if history.reported.sli is None:
        return
    bad, own = 1 - history.reported.sli, tally.bad / tally.total
    if bad > own + allowed_difference(history):
        yield Suspicion(
            cause=Cause.CONTRADICTED,
            reason=f"Datadog's own SLI is {shown_percent(1 - bad)}, with time without data"
            f" counted as down, and {shown_percent(1 - own)} without that time",
            remedy="see in Datadog why there are no data, and how the monitor is set to take that",
            hidden=(bad - own) * tally.total,
        )


def _in_parts(past: EventBuckets) -> Suspicion:
    bad, more = past.tally.bad, past.more_bad
    return Suspicion(
        cause=Cause.CONTRADICTED,
        reason=f"Datadog's sums have {amount(bad)} bad events, and its values by time have"
        f" {amount(bad + more)}",
        remedy="compare the SLO's page in Datadog with this report",
        hidden=more,
    )


def lost_events(gaps: Gaps) -> Iterator[Suspicion]:
    """Yield the suspicion that events are missing if a window has holes; none without events."""
    if gaps.longest is None or not gaps.usual:
        return
    longest = stretch(gaps.longest.start, gaps.longest.end, open_=False)
    several = "" if gaps.between == gaps.longest else ", and in other holes"
    yield Suspicion(
        cause=Cause.LOST,
        reason=f"Datadog has no event from {longest}{several}, in {percent_spent(gaps.holes)} of"
        f" the window, where about {amount(gaps.usual)} events are usual",
        remedy="see in Datadog whether the service sent its metrics in that time, or wait until it"
        " has left the window",
        hidden=gaps.usual,
        within=gaps.between,
    )


def shown_percent(share: Fraction) -> str:
    """Return a share in the form of Datadog's SLIs, with six digits."""
    return f"{float(share * 100):.6g}%"
