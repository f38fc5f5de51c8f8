"""Why a number that came back may still not be believed."""

from datetime import datetime
from fractions import Fraction
from math import ceil, floor

from gate.budget.assessment import Doubt, Guards
from gate.measure.counts import Cause, Counts, Evidence
from gate.slo.objective import RatioSlo
from gate.slo.quantities import format_duration
from gate.wording import describe_time


def evidence_doubts(evidence: Evidence, at: datetime, guards: Guards) -> tuple[Doubt, ...]:
    """Return what is wrong with the samples: a partial answer, too old, too few."""
    doubts = [Doubt(cause=Cause.PARTIAL, reason=f"partial answer: {w}") for w in evidence.warnings]
    if evidence.newest is not None and at - evidence.newest > guards.max_age:
        age, allowed = describe_time(at - evidence.newest), format_duration(guards.max_age)
        reason = f"the newest sample is {age} old; max_age is {allowed}"
        doubts.append(Doubt(cause=Cause.STALE, reason=reason))
    if evidence.coverage is not None and evidence.coverage < guards.min_coverage:
        has, needs = floor(evidence.coverage * 1000) / 10, float(guards.min_coverage * 100)
        reason = f"only {has:g} % of the window has data; min_coverage is {needs:g} %"
        doubts.append(Doubt(cause=Cause.LOW_COVERAGE, reason=reason))
    return tuple(doubts)


def traffic_doubts(slo: RatioSlo, counts: Counts) -> tuple[Doubt, ...]:
    """Return a doubt when there are too few events to speak of a ratio; never for slices."""
    if slo.slices is not None:
        return ()
    if slo.sli.sliced and slo.min_events is not None:
        reason = (
            f"only ratios are recorded: whether there were {slo.min_events:,} events is unknown"
        )
        return (Doubt(cause=Cause.LOW_TRAFFIC, reason=reason),)
    needed = 1 / slo.budget if slo.min_events is None else Fraction(slo.min_events)
    if counts.total >= needed:
        return ()
    why = "one failure is more than the whole budget" if slo.min_events is None else "min_events"
    unit = "slices with events" if slo.sli.sliced else "events"
    reason = f"{floor(counts.total):,} {unit} are fewer than {ceil(needed):,} ({why})"
    return (Doubt(cause=Cause.LOW_TRAFFIC, reason=reason),)
