"""The answer to one request: counts that can be trusted, or the reason why nothing was measured."""

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.counting import (
    Numbers,
    TotalAndBad,
    amount_spent,
    count_events,
    count_notes,
    count_slices,
)
from gate.backends.prometheus.gathered import GatheredNumbers
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.probe import coverage_of, newest_sample
from gate.backends.prometheus.query import EVENTS, Role
from gate.backends.prometheus.query_result import QueryResults
from gate.backends.prometheus.seams import lost_at_cuts
from gate.measure import (
    Answer,
    Cause,
    Counts,
    Evidence,
    MeasurementError,
    Spent,
    Suspicion,
    Unmeasured,
)
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.wording import stretch

_NOTHING_THERE: Final = frozenset({Cause.NO_DATA, Cause.NO_TRAFFIC, Cause.STALE})


def answer(plan: Plan, readings: QueryResults) -> Answer:
    """Answer a plan's request; missing or invalid data make it `Unmeasured`."""
    gathered = GatheredNumbers(plan.readings(readings))
    try:
        numbers = {role: gathered.number(role, part) for role, part in plan.parts.items()}
        check_boundaries([gathered.number("boundary", part) for part in plan.lacking])
        slices, span = plan.request.slices, plan.request.span
        if Role.SPENT in numbers:
            amount = amount_spent(numbers[Role.SPENT], span)
            spent = _evidence(plan, gathered, plan.notes, (Fraction(), amount))
            return Spent(amount=amount, evidence=_with_losses(spent, plan, gathered, numbers))
        for name in plan.names:
            _check_name(name, gathered)
        total, bad = _count(numbers, slices, span)
        _check_bad(plan, numbers)
        notes = (*plan.notes, *count_notes(numbers, slices, span))
        evidence = _evidence(plan, gathered, notes, (total, bad))
        evidence = _with_losses(evidence, plan, gathered, numbers)
        return Counts(total=total, bad=bad, evidence=evidence)
    except MeasurementError as error:
        return _unmeasured(error, gathered, plan.query)


def _unmeasured(error: MeasurementError, gathered: GatheredNumbers, query: str) -> Unmeasured:
    """Return why nothing was counted; partial data cannot show that no series exist."""
    cause, reason = error.cause, error.reason
    if cause in _NOTHING_THERE and gathered.warnings:
        cause, reason = Cause.PARTIAL, f"partial answer: {'; '.join(gathered.warnings)}; {reason}"
    return Unmeasured(cause=cause, reason=reason, query=query)


def _check_bad(plan: Plan, numbers: Numbers) -> None:
    """Raise an error if an absent sum cannot count as zero: one absent part makes it absent.

    In slices the sum could be absent for a while only, and the counts of all other parts would be
    lost.
    """
    expression = plan.expressions.get(Role.BAD)
    if expression is None or not expression.joint:
        return
    if numbers.get(Role.BAD) is None or (plan.request.slices is not None and not expression.union):
        reason = (
            "bad: it is made of several metrics, and nothing comes of it while one of them is"
            " absent; write each as (... or vector(0))"
        )
        raise MeasurementError(Cause.NO_DATA, reason)


def _check_name(name: Plan, gathered: GatheredNumbers) -> None:
    """Raise an error if one of several names that are added up cannot be counted by itself."""
    roles = [role for role in name.parts if role in EVENTS]
    numbers = {role: gathered.number(role, name.parts[role]) for role in roles}
    if not numbers[roles[0]]:
        return  # the name has no events
    try:
        count_events(numbers, name.request.span)
        _check_bad(name, numbers)
    except MeasurementError as error:
        selector = name.expressions[roles[0]].selectors[0]
        raise MeasurementError(error.cause, f"{selector}: {error.reason}") from None


def check_boundaries(lacking: Iterable[Fraction | None]) -> None:
    """Raise an error if some histograms lacked a boundary in a part of the window.

    Raises:
        MeasurementError: there are such histograms.
    """
    most = max((number for number in lacking if number is not None), default=Fraction())
    if most:
        reason = (
            f"{most} histograms had no such boundary in a part of the window, where every event"
            " would count as bad; until it has had it all along, choose an older boundary"
        )
        raise MeasurementError(Cause.INVALID, reason)


def _count(numbers: Numbers, slices: Slices | None, span: Span) -> TotalAndBad:
    if slices is None:
        return count_events(numbers, span)
    if EVENTS & numbers.keys():
        try:
            count_events(numbers, span)
        except MeasurementError as error:
            if error.cause is not Cause.NO_TRAFFIC or slices.empty is EmptySlice.LEFT_OUT:
                raise
    return count_slices(numbers, slices, span)


def _evidence(
    plan: Plan, gathered: GatheredNumbers, notes: tuple[str, ...], counted: TotalAndBad
) -> Evidence:
    newest = coverage = None
    if plan.probe is not None:
        newest = newest_sample(plan.probe, gathered)
        coverage = coverage_of(plan.probe, gathered)
    suspicions = plan.evidence.suspicions(gathered.reading, *counted) if plan.evidence else ()
    gaps = None if coverage is None else coverage.gaps
    if gaps is not None and gaps.longest is not None and _counters_went_on(plan, suspicions):
        hole = stretch(gaps.longest.start, gaps.longest.end, open_=False)
        notes += (f"no samples from {hole}; the counters went on, so that the count has all of it",)
        gaps = replace(gaps, counted=True)
    return Evidence(
        query=plan.query,
        newest=newest,
        coverage=None if coverage is None else coverage.share,
        gaps=gaps,
        objective=None if plan.objective is None else gathered.number_or_none(plan.objective),
        warnings=tuple(gathered.warnings),
        notes=(*gathered.notes, *notes),
        suspicions=suspicions,
    )


def _counters_went_on(plan: Plan, suspicions: Iterable[Suspicion]) -> bool:
    """Return whether a count includes all that happened while no samples arrived."""
    if plan.evidence is None or plan.request.slices is not None:
        return False
    return all(suspicion.cause is not Cause.LOST for suspicion in suspicions)


def _with_losses(
    evidence: Evidence, plan: Plan, gathered: GatheredNumbers, numbers: Numbers
) -> Evidence:
    """Add the doubt about events that were lost where the window had to be cut."""
    if not plan.request.probe:
        return evidence
    losses = lost_at_cuts(gathered.lost, numbers)
    return replace(evidence, suspicions=(*evidence.suspicions, *losses))
