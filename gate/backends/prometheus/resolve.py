"""Counting long windows by the recording rules of ``gate export``, where the server has them.

They are used only if they recorded this very expression in all of the window.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import SECOND, Query, Role
from gate.backends.prometheus.query_result import (
    QueryError,
    QueryResult,
    QueryResults,
    QueryValue,
)
from gate.measure import Cause, CountRequest, MeasurementError
from gate.promql.buckets import Boundary, Buckets, Chosen, choose
from gate.promql.expression import (
    EVERY,
    FINGERPRINT,
    SLICE,
    Expression,
    fingerprint,
    read_expression,
    recorded_events,
    rule_expressions,
)
from gate.promql.selectors import matchers
from gate.slo.indicator import Sli

_SHORTEST: Final = timedelta(days=1)
"""Of a window that is counted so: of the newest `SLICE` not all is counted yet."""
_MAY_MISS: Final = SLICE // EVERY
"""So many evaluations may be missing: an event that all of them would have had is lost."""
_FEWEST: Final = 100
"""Failures: what rules count of fewer may be off by a tenth, and a budget is not rounded."""
_USED: Final = (
    "counted by its recording rules, which agree with the raw query within about 1 %; an event"
    " counts in full when it is 5 minutes old"
)
_QUESTIONS: Final = 2
_NAMES: Final = '__name__=~"gate:sli_(total|good|bad|spent):increase5m"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What to ask instead of the indicator's own expressions; no parts: nothing."""

    parts: Mapping[Role, Query] = field(default_factory=dict)
    answers: Mapping[Query, QueryValue] = field(default_factory=dict)
    """What the parts come to, which the sums of the rules' samples say already."""
    notes: tuple[str, ...] = ()


def rule_questions(request: CountRequest) -> Iterator[Query]:
    """Yield how many samples rules of the SLO have, and their sums, for windows worth it."""
    if request.rule_labels and request.slices is None and request.span.length >= _SHORTEST:
        selector = f"{{{_NAMES},{matchers(request.rule_labels)}}}"
        for function in ("count_over_time", "sum_over_time"):
            yield Query(
                pieces=(f"sum by ({FINGERPRINT}) ({function}({selector}[", "]))"),
                length=request.span.length // SECOND * SECOND,
                label=FINGERPRINT,
            )


def use_rules(
    expressions: Mapping[Role, Expression],
    lacking: tuple[str, ...],
    request: CountRequest,
    readings: QueryResults,
) -> Recorded:
    """Return the parts that ask what was recorded, if that is the same and all of it."""
    answers = [readings(part) for part in rule_questions(request)]
    tables = [
        answer.numbers
        for answer in answers
        if isinstance(answer, QueryValue) and not answer.warnings and answer.numbers
    ]
    if len(tables) < _QUESTIONS:
        return Recorded()
    samples_of, sums_of = tables
    texts = rule_expressions(
        {str(role): expression for role, expression in expressions.items()}, lacking
    )
    prints = {role: fingerprint(text) for role, text in texts.items()}
    samples = [samples_of[key] for key in prints.values() if key in samples_of]
    if not texts or len(samples) < len(texts):
        note = "the recording rules of this SLO are of another expression: export them anew"
        return Recorded(notes=(note,))
    expected = request.span.length // EVERY
    if not all(expected - _MAY_MISS <= count <= expected + 1 for count in samples):
        had = f"{float(min(samples)):,.0f} of {expected:,}"
        note = f"its recording rules have {had} samples of this window, so they were not used"
        return Recorded(notes=(note,))
    if _failures({role: sums_of[key] for role, key in prints.items()}) < _FEWEST:
        note = f"fewer than {_FEWEST} failures are counted by the raw query"
        return Recorded(notes=(note,))
    length, labels = request.span.length // SECOND * SECOND, request.rule_labels or {}
    parts = {
        role: Query(pieces=recorded_events(role, texts[role], labels), length=length)
        for role in expressions
    }
    numbers = {role: sums_of[prints[role]] / (SLICE // EVERY) for role in parts}
    given = {part: QueryValue(number=numbers[role]) for role, part in parts.items()}
    return Recorded(parts=parts, answers=given, notes=(_USED,))


def _failures(sums: Mapping[str, Fraction]) -> Fraction:
    """Return the failed events of an indicator, or what was spent, from the sums of its slices."""
    if Role.SPENT in sums:
        failed = sums[Role.SPENT]
    else:
        failed = sums[Role.BAD] if Role.BAD in sums else sums[Role.TOTAL] - sums[Role.GOOD]
    return failed / (SLICE // EVERY)


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


def discovery(sli: Sli) -> Iterator[Query]:
    """Yield what must be asked before an indicator can be counted; nothing for most.

    Raises:
        ExpressionError: a selector or expression of it cannot be read.
    """
    if sli.older or sli.histogram is not None:
        for name in (sli, *sli.older):
            yield from _questions(name)


def resolve(sli: Sli, readings: QueryResults) -> Resolved:
    """Choose the name that the server has, and write a histogram's threshold as its buckets.

    Raises:
        ExpressionError: a selector or expression of it cannot be read.
        MeasurementError: the server did not answer, or cannot count this threshold.
    """
    if not sli.older and sli.histogram is None:
        return Resolved(sli=sli)
    for name in (sli, *sli.older):
        answers = [_answer(readings(part)) for part in _questions(name)]
        resolved = _resolved(name, answers)
        if resolved is not None:
            # A way to measure it that differs in more than a name has notes of its own.
            return resolved if name is sli or name.notes else _under_older_name(resolved)
    if sli.histogram is None:
        return Resolved(sli=replace(sli, older=()))  # what is missing is said when it is counted
    looked_for = Buckets.of(sli.histogram, sli.labels).live_boundaries
    reason = f"no such histogram in the last hour, neither classic nor native: {looked_for}"
    raise MeasurementError(Cause.NO_DATA, reason)


def likely(sli: Sli) -> Iterator[Resolved]:
    """Yield what `resolve` may well come to, so that it is counted while the server is asked.

    That is each name by itself, a histogram by classic buckets that have the threshold.

    Raises:
        ExpressionError: a selector of it cannot be read.
    """
    for name in (sli, *sli.older):
        if name.histogram is None:
            yield Resolved(sli=replace(name, older=()))
        else:
            boundary = Boundary(value=name.histogram.threshold, texts=())
            buckets = Buckets.of(name.histogram, name.labels)
            yield _by_boundaries(buckets, Chosen(boundaries=(boundary,)))


def _by_boundaries(buckets: Buckets, chosen: Chosen) -> Resolved:
    return Resolved(
        sli=buckets.up_to(chosen.boundaries),
        lacking=tuple(buckets.lacking(boundary) for boundary in chosen.boundaries),
        sum=buckets.sum,
        notes=chosen.notes,
    )


def _questions(name: Sli) -> tuple[Query, ...]:
    if name.histogram is not None:
        buckets = Buckets.of(name.histogram, name.labels)
        return (
            Query(pieces=(buckets.live_boundaries,), length=timedelta(), label="le"),
            Query(pieces=(buckets.live_native,), length=timedelta()),
        )
    text = name.total or name.good or name.spent or name.gauge or ""
    expression = read_expression(text, name.labels, gauge=name.gauge is not None)
    return tuple(
        Query(pieces=(f"count(last_over_time({selector}[{_RECENTLY}]))",), length=timedelta())
        for selector in expression.selectors[:1]
    )


def _answer(reading: QueryResult) -> QueryValue:
    if isinstance(reading, QueryError):
        raise MeasurementError(reading.cause, f"what the server has: {reading.reason}")
    if reading.warnings:
        reason = f"what the server has: partial answer: {'; '.join(reading.warnings)}"
        raise MeasurementError(Cause.PARTIAL, reason)
    return reading


def _resolved(name: Sli, answers: Sequence[QueryValue]) -> Resolved | None:
    """Return how an indicator is counted under one of its names; None: the server has it not."""
    if name.histogram is None:
        there = all(answer.number is not None for answer in answers)
        return Resolved(sli=replace(name, older=())) if there else None
    classic, native = answers
    buckets = Buckets.of(name.histogram, name.labels)
    if classic.numbers:
        return _by_boundaries(buckets, choose(name.histogram, classic.numbers))
    if native.number is not None:
        return Resolved(
            sli=buckets.up_to_native(name.histogram), sum=buckets.native_sum, notes=(_NATIVE,)
        )
    return None


def _under_older_name(resolved: Resolved) -> Resolved:
    sli = resolved.sli
    note = f"counted under an older name: {sli.total or sli.spent or sli.gauge}"
    return replace(resolved, notes=(*resolved.notes, note))
