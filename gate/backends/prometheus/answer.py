"""One request's answer, from the readings of its parts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.counting import (
    Counted,
    Numbers,
    amount_spent,
    count_events,
    count_slices,
)
from gate.backends.prometheus.plan import Plan
from gate.backends.prometheus.probe import Probe, coverage_of, newest_of
from gate.backends.prometheus.query import EVENTS, Query, Role
from gate.backends.prometheus.query_result import QueryError, QueryResults
from gate.measure.counts import (
    Answer,
    Cause,
    CountRequest,
    Counts,
    Evidence,
    MeasurementError,
    Spent,
    Unmeasured,
)
from gate.slo.indicator import EmptySlice

_NOTHING_THERE: Final = frozenset({Cause.NO_DATA, Cause.NO_TRAFFIC, Cause.STALE})


@dataclass(slots=True)
class _Gathered:
    """Numbers taken from readings, with what the server had to say along with them."""

    readings: QueryResults
    warnings: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    def number(self, name: str, part: Query) -> Fraction | None:
        """Return a part's number, None for no series."""
        reading = self.readings(part)
        if isinstance(reading, QueryError):
            raise MeasurementError(reading.cause, f"{name}: {reading.reason}")
        self.warnings |= dict.fromkeys(reading.warnings)
        self.notes |= dict.fromkeys(reading.notes)
        return reading.number

    def known(self, part: Query) -> Fraction | None:
        """Return the number of a part on which no count depends; None where there is none."""
        reading = self.readings(part)
        return None if isinstance(reading, QueryError) else reading.number

    def numbers(self, name: str, parts: Iterable[Query]) -> list[Fraction]:
        """Return the numbers of those parts that have any."""
        found = [self.number(name, part) for part in parts]
        return [number for number in found if number is not None]


def answer(plan: Plan, readings: QueryResults) -> Answer:
    """Answer a plan's request; whatever is missing or wrong makes it `Unmeasured`."""
    gathered = _Gathered(readings)
    try:
        numbers = {role: gathered.number(role, part) for role, part in plan.parts.items()}
        check_boundaries([gathered.number("boundary", part) for part in plan.lacking])
        counted = _count(plan.request, numbers)
        _check_bad(plan, numbers)
        evidence = _evidence(plan, gathered, (*plan.notes, *counted.notes))
    except MeasurementError as error:
        return _unmeasured(error, gathered, plan.query)
    if Role.SPENT in numbers:
        return Spent(amount=counted.total, evidence=evidence)
    return Counts(total=counted.total, bad=counted.bad, evidence=evidence)


def _unmeasured(error: MeasurementError, gathered: _Gathered, query: str) -> Unmeasured:
    """Say why there is no count; whether nothing is there is not known from a part of the data."""
    cause, reason = error.cause, error.reason
    if cause in _NOTHING_THERE and gathered.warnings:
        cause, reason = Cause.PARTIAL, f"partial answer: {'; '.join(gathered.warnings)}; {reason}"
    return Unmeasured(cause=cause, reason=reason, query=query)


def _check_bad(plan: Plan, numbers: Numbers) -> None:
    """Refuse to take an absent sum for zero: it is absent when any one of its parts is.

    In slices it could be so for a while only, and all that the other parts count then be lost.
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


def check_boundaries(lacking: Iterable[Fraction | None]) -> None:
    """Refuse a count by a boundary that some histograms had not in all of the window.

    Raises:
        NotMeasuredError: there are such histograms.
    """
    most = max((number for number in lacking if number is not None), default=Fraction())
    if most:
        reason = (
            f"{most} histograms had no such boundary in a part of the window, where every event"
            " would count as bad; until it has had it all along, choose an older boundary"
        )
        raise MeasurementError(Cause.INVALID, reason)


def _count(request: CountRequest, numbers: Numbers) -> Counted:
    if Role.SPENT in numbers:
        return amount_spent(numbers[Role.SPENT], request.span)
    if request.slices is None:
        return count_events(numbers, request.span)
    if EVENTS & numbers.keys():
        try:
            count_events(numbers, request.span)
        except MeasurementError as error:
            idle = error.cause is Cause.NO_TRAFFIC
            if not idle or request.slices.empty is EmptySlice.LEFT_OUT:
                raise
    return count_slices(numbers, request.slices, request.span)


def _evidence(plan: Plan, gathered: _Gathered, notes: tuple[str, ...]) -> Evidence:
    newest = coverage = None
    if plan.probe is not None:
        newest = _newest(plan.probe, gathered)
        counts = [gathered.number("coverage", part) for part in plan.probe.coverage]
        coverage = coverage_of([count or Fraction() for count in counts], plan.probe)
    elif plan.request.probe:
        notes += ("no metric is named, so freshness and coverage are not known",)
    return Evidence(
        query=plan.query,
        newest=newest,
        coverage=coverage,
        objective=None if plan.objective is None else gathered.known(plan.objective),
        warnings=tuple(gathered.warnings),
        notes=(*gathered.notes, *notes),
    )


def _newest(probe: Probe, gathered: _Gathered) -> datetime:
    found = gathered.numbers("freshness", probe.newest)
    found += gathered.numbers("freshness", probe.second_round(gathered.readings))
    if len(found) < (1 if probe.union else len(probe.newest)):
        reason = "freshness: no sample in the last 6 hours, and when the last one was is not known"
        raise MeasurementError(Cause.STALE, reason)
    try:
        return newest_of(found, probe.union)
    except OverflowError:
        raise MeasurementError(Cause.INVALID, "freshness: the sample's time is no time") from None
