"""The effect of a policy's ``on:`` on commands that give no verdict.

Each of them reports its results. If there is too little data, the sign of a result is not a tick,
and if the policy's ``on`` stops a change for this cause, the exit code is not 0.
"""

from collections.abc import Iterable, Iterator, Sequence

from gate.budget.assessment import Assessment
from gate.budget.coverage import Guards, coverage_cause, measured_part
from gate.dataclass import dataclass
from gate.history.events import silence_by_chance
from gate.measure import Cause
from gate.measure.coverage import FEWEST, coverage_by_steps
from gate.measure.history import with_data, with_news
from gate.policy.findings import Verdict
from gate.policy.policy import Action, Policy
from gate.slo.objective import RatioSlo, Slo, Span, SpendSlo
from gate.slo.quantities import format_duration
from gate.wording import instant, stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A reason not to trust the results of an SLO."""

    cause: Cause
    reason: str
    """One sentence without a full stop."""
    verdict: Verdict
    """Undecided if the policy stops a change for this cause; otherwise a warning."""


def assessment_reservations(policy: Policy, assessment: Assessment) -> Iterator[Reservation]:
    """Yield the reservations about a budget: its doubts, and the suspicions about its counts."""
    for doubt in assessment.doubts:
        yield _reservation(policy, assessment.slo, doubt.cause, doubt.reason)
    for suspicion in assessment.suspicions:
        # Whether a suspicion matters depends on a verdict, and these commands have none.
        reason = f"{suspicion.reason}; {suspicion.remedy}"
        yield Reservation(cause=suspicion.cause, reason=reason, verdict=Verdict.WARN)


def history_reservations(
    policy: Policy,
    slo: RatioSlo | SpendSlo,
    events: Sequence[float | None],
    span: Span,
    *,
    in_runs: bool = False,
) -> Iterator[Reservation]:
    """Yield the reservations about a history: too little is known, or it ended before now.

    A history of the length of the SLO's window needs the same share of known data as the budget. A
    longer history that does not reach as far back as requested is a warning.

    Args:
        policy: sets the share that must be known, and what happens if it is not.
        slo: the SLO of the history.
        events: the events of each step of the span; at least one step.
        span: the time of the history; it ends at the instant of the run.
        in_runs: as in a `Series`.
    """
    guards, step = policy.guards_of(slo), span.length / len(events)
    by_chance = silence_by_chance(slo, in_runs=in_runs)
    seen, fewest = with_data(events, in_runs=not by_chance), FEWEST if by_chance else 0
    newest_window = min(slo.window.whole(span.end).length // step, len(events))
    recent = seen[len(events) - newest_window :] or seen
    part = Span(span.end - len(recent) * step, span.end)
    if (little := _too_little(guards, recent, part, fewest)) is not None:
        yield _reservation(policy, slo, *little)
    elif (little := _too_little(guards, seen, span, fewest)) is not None:
        yield Reservation(cause=Cause.LOW_COVERAGE, reason=little[1], verdict=Verdict.WARN)
    newest = span.end - _unknown_at_the_end(with_news(events, in_runs=in_runs)) * step
    if span.end - newest > guards.max_age + step:
        reason = f"there is no data since {instant(newest)}"
        reason += f"; max_age is {format_duration(guards.max_age)}"
        yield _reservation(policy, slo, Cause.STALE, reason)


def _too_little(
    guards: Guards, events: Sequence[float | None], span: Span, fewest: float
) -> tuple[Cause, str] | None:
    """Return the problem with the known share of a span, and that share in words."""
    seen = coverage_by_steps(events, span, fewest=fewest)
    cause = coverage_cause(seen.share, seen.gaps, guards)
    if cause is None:
        return None
    reason = f"only {measured_part(seen.share, span.length)} are known"
    if seen.gaps.longest is not None:
        longest = stretch(seen.gaps.longest.start, seen.gaps.longest.end, open_=False)
        reason += f"; gaps between data count twice; the longest gap is {longest}"
    return cause, reason


def gravest(reservations: Iterable[Reservation]) -> Verdict:
    """Return the verdict of the gravest reservation; allow if there are none."""
    verdicts = (reservation.verdict for reservation in reservations)
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.ALLOW)


def _unknown_at_the_end(events: Sequence[float | None]) -> int:
    """Return the number of unknown steps after the newest known one, or of all if none is known.

    The start of an incident may be known while all of the examined time is unknown.
    """
    places = (place for place, number in enumerate(reversed(events)) if number is not None)
    return next(places, len(events))


def _reservation(policy: Policy, slo: Slo, cause: Cause, reason: str) -> Reservation:
    stops = policy.action_of(slo, cause) is Action.BLOCK and not slo.advisory
    verdict = Verdict.UNDECIDED if stops else Verdict.WARN
    return Reservation(cause=cause, reason=reason, verdict=verdict)
