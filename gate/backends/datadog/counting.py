"""From what Datadog says of a stretch of time to an answer with its evidence."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import Final

from gate.backends.datadog.buckets import Bucket, Buckets, Tally
from gate.backends.datadog.history import History
from gate.backends.datadog.timeline import Timeline
from gate.backends.datadog.values import invalid
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, Counts, Evidence, MeasurementError, Share, Suspicion
from gate.measure.coverage import Gaps
from gate.wording import amount, percent_spent, stretch

_NEGLIGIBLE: Final = Fraction(1, 1000)
"""Share of a window by which its first bucket may begin earlier: five minutes of four days."""
_SLICES: Final = {"monitor": 60, "time_slice": 300}
"""Seconds to which the times of an SLI may be cut at both ends of a window."""
_FLOAT: Final = Fraction(1, 10**6)
"""How far a share may be off that was a percentage in a float of 32 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an answer says of the stretch of time of a question."""

    history: History
    tally: Tally | None
    """None: Datadog tells no counts."""
    direct: bool
    """Whether the answer is of exactly this stretch, and not of a longer one."""


def contradiction(history: History) -> Fraction:
    """Return by how much Datadog's own share of bad differs from that of its counts.

    Above 0: Datadog says that more was bad. 0: they agree, to the decimals that are right, be
    unknown time up, down or left out; or one of the two is not there.
    """
    past, sli = history.past, history.reported.sli
    if past is None or sli is None or not past.tally.total:
        return Fraction(0)
    total, bad = past.tally.total, past.tally.bad
    unknown = history.window.length - total if isinstance(past, Timeline) else Fraction(0)
    shares = (bad / total, bad / (total + unknown), (bad + unknown) / (total + unknown))
    cut = Fraction(2 * _SLICES.get(history.kind or "", 0), history.window.length)
    allowed = history.reported.error + _FLOAT + cut
    reported = 1 - sli
    if reported > max(shares) + allowed:
        return reported - max(shares)
    if reported < min(shares) - allowed:
        return reported - min(shares)
    return Fraction(0)


def counted(reading: Reading, evidence: Evidence, *, corrected: bool) -> Answer:
    """Return the answer that a reading makes.

    Args:
        reading: of the stretch of time that was asked for.
        evidence: of the answer; what is seen here is added to it.
        corrected: whether Datadog's own SLI leaves out what corrections name.

    Raises:
        MeasurementError: it makes none, and why.
    """
    history, tally = reading.history, reading.tally
    if tally is None:
        return _share(history, evidence, "Datadog tells no counts of a group of a metric-based SLO")
    if not tally.total:
        raise _nothing(history)
    differs = contradiction(history) if reading.direct else Fraction(0)
    if differs and corrected:
        return _share(history, evidence, "Datadog's counts do not leave out what corrections name")
    if differs:
        suspicions = (*evidence.suspicions, _suspicion(history, tally, differs))
        evidence = replace(evidence, suspicions=suspicions)
    early = history.past.early if reading.direct and isinstance(history.past, Buckets) else None
    if early is None or not early.total:
        return Counts(total=tally.total, bad=tally.bad, evidence=evidence)
    return _cut(tally, early, history, evidence)


def _nothing(history: History) -> MeasurementError:
    if isinstance(history.past, Timeline):
        reason = "Datadog knows no state of the SLO in the window, neither up nor down"
        return MeasurementError(Cause.NO_DATA, reason)
    return MeasurementError(Cause.NO_TRAFFIC, "Datadog counts no event in the window")


def _share(history: History, evidence: Evidence, why: str) -> Share:
    """Return Datadog's own SLI, with the note why it is not the counts."""
    reported = history.reported
    if reported.sli is None:
        raise invalid("it has neither counts nor an SLI")
    note = f"{why}: this is Datadog's own SLI, {_percent(reported.sli)}"
    evidence = replace(evidence, notes=(*evidence.notes, note))
    return Share(bad=1 - reported.sli, error=reported.error, evidence=evidence)


def _suspicion(history: History, tally: Tally, differs: Fraction) -> Suspicion:
    own = 1 - tally.bad / tally.total
    sli = _percent(history.reported.sli or Fraction(0))
    return Suspicion(
        cause=Cause.CONTRADICTED,
        reason=f"Datadog's own SLI is {sli}, and what it counts makes {_percent(own)}",
        remedy="compare the SLO's page in Datadog with this report, and see whether a correction or"
        " a changed query explains it",
        hidden=max(differs, Fraction(0)) * tally.total,
        doubtful=max(-differs, Fraction(0)) * tally.total,
    )


def lost_events(gaps: Gaps) -> Iterator[Suspicion]:
    """Yield the suspicion that events are missing where a window has holes; none without events."""
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


def _cut(tally: Tally, early: Bucket, history: History, evidence: Evidence) -> Answer:
    """Return what is known of a window of which a bucket is partly before it.

    What happened in that bucket may have been before the window, all of it or nothing.

    Raises:
        MeasurementError: nothing is known.
    """
    seconds = history.window.start - early.start
    if not tally.bad or seconds <= history.window.length * _NEGLIGIBLE:
        note = f"Datadog counts from {seconds} s before the window"
        evidence = replace(evidence, notes=(*evidence.notes, note))
        return Counts(total=tally.total, bad=tally.bad, evidence=evidence)
    if early.total >= tally.total or not _whole(history):
        reason = (
            f"Datadog counts from {seconds} s before this window, which it cannot count exactly"
        )
        raise MeasurementError(Cause.NO_DATA, reason)
    good = min(early.good, early.total)
    bad = min(early.total - good, tally.bad)
    least, most = (tally.bad - bad) / (tally.total - bad), tally.bad / (tally.total - good)
    note = f"Datadog counts from {seconds} s before the window: the share of bad events is a range"
    evidence = replace(evidence, notes=(*evidence.notes, note))
    return Share(bad=(least + most) / 2, error=(most - least) / 2, evidence=evidence)


def _whole(history: History) -> bool:
    return isinstance(history.past, Buckets) and history.past.whole


def _percent(share: Fraction) -> str:
    return f"{float(share * 100):.6g}%"
