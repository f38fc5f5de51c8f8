"""The answer to one request: counts that can be trusted, or the reason why nothing was measured."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

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
from gate.promql.moving import SECOND
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.slo.quantities import format_duration
from gate.wording import stretch

_HAIR: Final = Fraction(1, 10**9)
"""The share of the total by which floats and extrapolation may be wrong."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Numbers = Mapping[Role, Fraction | None]
TotalAndBad = tuple[Fraction, Fraction]


def amount_spent(amount: Fraction | None, span: Span) -> Fraction:
    """Return the amount that was spent; zero is a valid amount.

    Raises:
        MeasurementError: absent or negative.
    """
    if amount is None:
        raise _no_data(Role.SPENT, span)
    if amount < 0:
        raise _negative(Role.SPENT, amount)
    return amount


def count_events(numbers: Numbers, span: Span) -> TotalAndBad:
    """Return the total and the bad events of a span, from two of total, good and bad.

    An absent bad count is zero only if a total (or a good count) is present. An absent good count
    is never zero: a wrong label or histogram boundary would look like a total outage.

    Raises:
        MeasurementError: no data, no traffic, or numbers that cannot be counts.
    """
    for role in (Role.TOTAL, Role.GOOD):
        number = numbers.get(role)
        if number is not None and number < 0:
            raise _negative(role, number)
    if Role.TOTAL in numbers:
        return _of_total(numbers, numbers[Role.TOTAL], span)
    return _without_total(numbers[Role.GOOD], numbers[Role.BAD], span)


def count_slices(numbers: Numbers, slices: Slices, span: Span) -> TotalAndBad:
    """Return the total and the bad timeslices of a span; empty ones count as the policy says.

    Raises:
        MeasurementError: no slice has data, or some slices could not be judged.
    """
    if numbers[Role.SLICES] is None and not EVENTS & numbers.keys():
        raise _no_data(Role.GAUGE, span)
    seen = numbers[Role.SLICES] or Fraction()
    judged = numbers[Role.JUDGED_SLICES] or Fraction()
    bad = numbers[Role.BAD_SLICES] or Fraction()
    if judged != seen:
        reason = (
            f"slices: {float(seen - judged):,.0f} of {float(seen):,.0f} have events but no good"
            " ratio from 0 to 1 (a series is missing there, or it is NaN)"
        )
        raise MeasurementError(Cause.INVALID, reason)
    empty = _empty_slices(numbers, slices, span)
    if slices.empty is not EmptySlice.LEFT_OUT:
        seen += empty
        bad += empty if slices.empty is EmptySlice.BAD else 0
    if not seen:
        reason = f"slices: none of {format_duration(slices.length)} in the window has data"
        raise MeasurementError(Cause.NO_DATA, reason)
    return _checked(seen, bad)


def count_notes(numbers: Numbers, slices: Slices | None, span: Span) -> tuple[str, ...]:
    """Return the notes on how absent numbers were counted."""
    if slices is None:
        if numbers.get(Role.BAD, Fraction()) is not None:
            return ()
        other = Role.TOTAL if Role.TOTAL in numbers else Role.GOOD
        return (f"no 'bad' series found; counted as 0 because '{other}' has data",)
    empty = _empty_slices(numbers, slices, span)
    done = "excluded" if slices.empty is EmptySlice.LEFT_OUT else f"counted as {slices.empty}"
    noun, verb = ("slice", "was") if empty == 1 else ("slices", "were")
    return (f"{float(empty):,.0f} {noun} had no data and {verb} {done}",) if empty else ()


def slices_ended(span: Span, slices: Slices) -> int:
    """Return how many slices end in a span; they end at multiples of their length since 1970."""
    return (span.end - _EPOCH) // slices.length - (span.start - _EPOCH) // slices.length


def _empty_slices(numbers: Numbers, slices: Slices, span: Span) -> Fraction:
    return max(slices_ended(span, slices) - (numbers[Role.SLICES] or Fraction()), Fraction())


def _of_total(numbers: Numbers, total: Fraction | None, span: Span) -> TotalAndBad:
    if total is None:
        raise _no_data(Role.TOTAL, span)
    if Role.BAD in numbers:
        return _checked(total, numbers[Role.BAD] or Fraction())
    good = numbers[Role.GOOD]
    if good is None:
        raise _good_is_missing("total", total) if total else _no_traffic()
    return _checked(total, total - good)


def _without_total(good: Fraction | None, bad: Fraction | None, span: Span) -> TotalAndBad:
    if good is None:
        raise _no_data(Role.GOOD, span) if bad is None else _good_is_missing("bad", bad)
    bad = bad or Fraction()
    return _checked(good + bad, bad)


def _checked(total: Fraction, bad: Fraction) -> TotalAndBad:
    hair = total * _HAIR
    if bad < -hair:
        raise _negative(Role.BAD, bad)
    if bad > total + hair:
        reason = f"bad is {float(bad):,.2f} and more than total, which is {float(total):,.2f}"
        raise MeasurementError(Cause.INVALID, reason)
    if not total:
        raise _no_traffic()
    return total, min(max(bad, Fraction()), total)


def _negative(role: Role, number: Fraction) -> MeasurementError:
    reason = f"{role}: the value is {float(number):g}, and a count cannot be negative"
    if role is Role.BAD:
        reason += " (is good more than total?)"
    return MeasurementError(Cause.INVALID, reason)


def _no_traffic() -> MeasurementError:
    return MeasurementError(Cause.NO_TRAFFIC, "total is 0: no event, good or bad")


def _no_data(role: Role, span: Span) -> MeasurementError:
    window = format_duration(span.length // SECOND * SECOND)
    reason = f"{role}: nothing came back; no series matches, or none has samples in the {window}"
    return MeasurementError(Cause.NO_DATA, reason)


def _good_is_missing(other: str, count: Fraction) -> MeasurementError:
    reason = (
        f"good: nothing came back, though {other} counts {float(count):,.0f} events; check the"
        " labels (le must be a boundary that the histogram has); if really nothing was good,"
        " add: or vector(0)"
    )
    return MeasurementError(Cause.NO_DATA, reason)


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
