"""From an indicator by histogram or by several names to expressions, once the server was asked.

One round of questions before the counts: which boundaries a histogram has, and which of several
names of a metric is there. Indicators that are written out need none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from gate.backends.prometheus.boundaries import choose
from gate.backends.prometheus.buckets import Buckets
from gate.backends.prometheus.counting import NotMeasuredError
from gate.backends.prometheus.part import Part
from gate.backends.prometheus.reading import Fault, Reading, Readings, Value
from gate.promql.expression import read_expression
from gate.slo.measurement import Cause, Sli

_RECENTLY: Final = "1h"
"""How far back a metric may have been seen last to be one that the server has."""
_NATIVE: Final = "counted by a native histogram, which estimates within one of its buckets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An indicator as expressions alone."""

    sli: Sli
    lacking: tuple[str, ...] = ()
    """Each counts the histograms that lacked a boundary in a part of ``$window``."""
    sum: str | None = None
    """The sum of all values over ``$window``; None: the indicator measures none."""
    notes: tuple[str, ...] = ()


def discovery(sli: Sli) -> Iterator[Part]:
    """Yield what must be asked before an indicator can be counted; nothing for most.

    Raises:
        ExpressionError: a selector or expression of it cannot be read.
    """
    if sli.older or sli.histogram is not None:
        for name in (sli, *sli.older):
            yield from _questions(name)


def resolve(sli: Sli, readings: Readings) -> Resolved:
    """Choose the name that the server has, and write a histogram's threshold as its buckets.

    Raises:
        ExpressionError: a selector or expression of it cannot be read.
        NotMeasuredError: the server did not answer, or cannot count this threshold.
    """
    if not sli.older and sli.histogram is None:
        return Resolved(sli=sli)
    for name in (sli, *sli.older):
        answers = [_answer(readings(part)) for part in _questions(name)]
        found = _found(name, answers)
        if found is not None:
            # A way to measure it that differs in more than a name has notes of its own.
            return found if name is sli or name.notes else _under_older_name(found)
    if sli.histogram is None:
        return Resolved(sli=replace(sli, older=()))  # what is missing is said when it is counted
    looked_for = Buckets.of(sli.histogram, sli.labels).live_boundaries
    reason = f"no such histogram in the last hour, neither classic nor native: {looked_for}"
    raise NotMeasuredError(Cause.NO_DATA, reason)


def _questions(name: Sli) -> tuple[Part, ...]:
    if name.histogram is not None:
        buckets = Buckets.of(name.histogram, name.labels)
        return (
            Part(pieces=(buckets.live_boundaries,), length=timedelta(), label="le"),
            Part(pieces=(buckets.live_native,), length=timedelta()),
        )
    text = name.total or name.good or name.spent or name.gauge or ""
    expression = read_expression(text, name.labels, gauge=name.gauge is not None)
    return tuple(
        Part(pieces=(f"count(last_over_time({selector}[{_RECENTLY}]))",), length=timedelta())
        for selector in expression.selectors[:1]
    )


def _answer(reading: Reading) -> Value:
    if isinstance(reading, Fault):
        raise NotMeasuredError(reading.cause, f"what the server has: {reading.reason}")
    if reading.warnings:
        reason = f"what the server has: partial answer: {'; '.join(reading.warnings)}"
        raise NotMeasuredError(Cause.PARTIAL, reason)
    return reading


def _found(name: Sli, answers: Sequence[Value]) -> Resolved | None:
    """Return how an indicator is counted under one of its names; None: the server has it not."""
    if name.histogram is None:
        there = all(answer.number is not None for answer in answers)
        return Resolved(sli=replace(name, older=())) if there else None
    classic, native = answers
    buckets = Buckets.of(name.histogram, name.labels)
    if classic.numbers:
        chosen = choose(name.histogram, classic.numbers)
        return Resolved(
            sli=buckets.up_to(chosen.boundaries),
            lacking=tuple(buckets.lacking(boundary) for boundary in chosen.boundaries),
            sum=buckets.sum,
            notes=chosen.notes,
        )
    if native.number is not None:
        return Resolved(
            sli=buckets.up_to_native(name.histogram), sum=buckets.native_sum, notes=(_NATIVE,)
        )
    return None


def _under_older_name(found: Resolved) -> Resolved:
    note = f"counted under an older name: {found.sli.total or found.sli.spent or found.sli.gauge}"
    return replace(found, notes=(*found.notes, note))
