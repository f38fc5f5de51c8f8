"""Whether enough of a window was measured for a budget, and the message if not."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Final

from gate.budget.ratio import seconds
from gate.dataclass import dataclass
from gate.measure import Cause, Evidence
from gate.measure.coverage import NO_GAPS, Gaps
from gate.slo.objective import NO_OWN_GUARDS, CalendarWindow, CompositeSlo, Slo, Span, Window
from gate.wording import describe_time, instant, stretch

FLOOR: Final = Fraction(1, 2)
"""The default floor: below it, more of the window is unknown than known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The requirements of a policy on measurements."""

    max_age: timedelta
    """The maximum age of the newest sample."""
    min_coverage: Fraction
    """The required share of the window with data, 0 to 1."""
    coverage_floor: Fraction | None = None
    """The share below which the budget as a whole is not reported: `Cause.MOSTLY_UNCOVERED`. At
    most ``min_coverage``; None: half of the window, or ``min_coverage`` if that is less."""

    @property
    def floor(self) -> Fraction:
        """The floor in force, 0 to 1."""
        return min(FLOOR, self.min_coverage) if self.coverage_floor is None else self.coverage_floor

    def of(self, slo: Slo) -> "Guards":
        """Return these with an SLO's own requirements; a composite is judged by its members."""
        if isinstance(slo, CompositeSlo) or slo.guards is NO_OWN_GUARDS:
            return self
        own = slo.guards
        least = self.min_coverage if own.min_coverage is None else own.min_coverage
        floor = self.coverage_floor if own.coverage_floor is None else own.coverage_floor
        return Guards(
            max_age=self.max_age if own.max_age is None else own.max_age,
            min_coverage=least,
            # The policy's floor is for all SLOs; an SLO that needs less data has a lower one.
            coverage_floor=None if floor is None else min(floor, least),
        )


def coverage_cause(share: Fraction, gaps: Gaps | None, guards: Guards) -> Cause | None:
    """Return the cause if too little of a stretch of time has data; None: enough has.

    A hole counts twice, as missing and as lost: there were users before and after it, so that
    events happened in it uncounted, and an outage causes holes. Before the first data there may
    have been no users yet; and if counters kept counting, the holes are counted.

    Args:
        share: the share of the stretch with data, 0 to 1.
        gaps: its gaps; None: unknown.
        guards: the requirements.
    """
    weighed = share - (gaps or NO_GAPS).uncounted
    if weighed < guards.floor:
        return Cause.MOSTLY_UNCOVERED
    return Cause.LOW_COVERAGE if weighed < guards.min_coverage else None


def coverage_reason(
    share: Fraction, gaps: Gaps | None, guards: Guards, *, window: Window, at: datetime
) -> str:
    """Say how much of a window is covered, why not more, and what to do.

    Args:
        share: the share of the window so far with data, 0 to 1, for which `coverage_cause` returned
            a cause.
        gaps: its gaps; None: unknown.
        guards: the requirements.
        window: the window of the SLO.
        at: the instant of the run.
    """
    gaps, length = gaps or NO_GAPS, window.counted(at).length
    where = "; ".join(_where(gaps))
    if share - gaps.uncounted >= guards.floor:
        needs = float(guards.min_coverage * 100)
        lead = f"only {_percent(share)} of the window has data; min_coverage is {needs:g}%"
        return f"{lead}; {where}" if where else lead
    lead = (
        f"only {measured_part(share, length)} are measured ({_percent(share)}; coverage_floor is"
        f" {float(guards.floor * 100):g}%)"
    )
    remedy = "to let it pass anyway, set on: {mostly_uncovered: warn}"
    parts = [lead, where, _enough_at(share, gaps, guards, window, at), remedy]
    return "; ".join(filter(None, parts))


def measured_part(share: Fraction, length: timedelta) -> str:
    """Write the part of a stretch of time with data: ``3d of 30d``, rounded down."""
    has = timedelta(seconds=float(share * seconds(length)))
    return f"{describe_time(has)} of {describe_time(length)}"


def _where(gaps: Gaps) -> Iterator[str]:
    if gaps.late and gaps.since is not None:
        yield f"the data begin on {instant(gaps.since)}"
    if gaps.longest is not None:
        hole = gaps.longest
        longest = stretch(hole.start, hole.end, open_=False)
        weight = "across which the counters kept counting" if gaps.counted else "which counts twice"
        yield (
            f"{_percent(gaps.holes)} is missing between data, {weight}: the longest gap is"
            f" {longest}"
        )


def _enough_at(share: Fraction, gaps: Gaps, guards: Guards, window: Window, at: datetime) -> str:
    """Say when enough will be covered if data keeps coming; empty if unknown."""
    missing, length = guards.floor - (share - gaps.uncounted), seconds(window.counted(at).length)
    if isinstance(window, CalendarWindow):
        # Each second adds one to the time with data, and one to the period so far.
        wait = missing * length / (1 - guards.floor) if guards.floor < 1 else None
        if wait is None or wait >= seconds(window.whole(at).end - at):
            return "wait for the next period, or choose another window"
    elif missing > gaps.late:
        return "choose a shorter window"
    else:
        wait = missing * length
    enough = at + timedelta(seconds=ceil(wait))
    return f"enough of it will be covered from {instant(enough)} on; a shorter window needs less"


def _percent(share: Fraction) -> str:
    return f"{floor(share * 1000) / 10:g}%"


def small_part(evidence: Evidence, span: Span, guards: Guards) -> str | None:
    """Return `Assessment.small_part` for the measured part of a span."""
    share = evidence.coverage
    if share is None or coverage_cause(share, evidence.gaps, guards) is not Cause.MOSTLY_UNCOVERED:
        return None
    return measured_part(share, span.length)
