"""Counting long windows by the recording rules of ``gate export``, where the server has them.

They are used only if they recorded this very expression in all of the window.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Final

from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_result import (
    QueryResults,
    QueryValue,
)
from gate.dataclass import dataclass
from gate.measure import CountRequest
from gate.promql.expression import (
    EVERY,
    FINGERPRINT,
    SLICE,
    Expression,
    fingerprint,
    recorded_events,
    rule_expressions,
)
from gate.promql.moving import SECOND
from gate.promql.selectors import matchers, quote

_SHORTEST: Final = timedelta(days=1)
"""The newest part of such a window, because the newest `SLICE` is not completely counted yet."""
_MAY_MISS: Final = SLICE // EVERY
"""The most evaluations that may be missing: an event that all of them would have seen is lost."""
_FEWEST: Final = 100
"""The fewest failures: for fewer, rules may be wrong by a tenth, and a budget is not rounded."""
_USED: Final = (
    "counted by its recording rules, which agree with the raw query within about 1%; an event"
    " counts in full when it is 5 minutes old"
)
_QUESTIONS: Final = 2
_SLO: Final = "slo"
_RULE: Final = "gate_rule"
"""The label that names the SLO and the expression of a number: ``ttft/0123456789abcdef``."""
_NAMES: Final = '__name__=~"gate:sli_(total|good|bad|spent):increase5m"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The queries that replace the indicator's own expressions; no parts: nothing is replaced."""

    parts: Mapping[Role, Query] = field(default_factory=dict)
    answers: Mapping[Query, QueryValue] = field(default_factory=dict)
    """The values of the parts that the sums of the rules' samples already give."""
    notes: tuple[str, ...] = ()


NOT_RECORDED: Final = Recorded()


def slo_of(request: CountRequest) -> str | None:
    """Return the name of the SLO whose rules may be used for a request; None: none may be used."""
    return (request.rule_labels or {}).get(_SLO)


def rule_questions(request: CountRequest, slos: Sequence[str]) -> Iterator[Query]:
    """Yield the numbers and sums of the rules' samples to ask for, for windows that are worth it.

    Args:
        request: the request, with the labels of its rules.
        slos: the SLOs of the service, this one too: one question covers all of their rules.
    """
    if request.rule_labels and request.slices is None and request.span.length >= _SHORTEST:
        labels = tuple(pair for pair in request.rule_labels.items() if pair[0] != _SLO)
        yield from _questions(labels, tuple(slos), request.span.length // SECOND * SECOND)


@lru_cache(maxsize=64)
def _questions(
    labels: tuple[tuple[str, str], ...], slos: tuple[str, ...], length: timedelta
) -> tuple[Query, ...]:
    # The query is the same for all of these SLOs, and each reads its own answers.
    written = quote("|".join(map(re.escape, slos)))
    selector = f"{{{_NAMES},{matchers(dict(labels))},{_SLO}=~{written}}}"
    counted = [
        f"label_join(sum by ({_SLO}, {FINGERPRINT}) ({function}({selector}["
        for function in ("count_over_time", "sum_over_time")
    ]
    joined = f'])),"{_RULE}","/","{_SLO}","{FINGERPRINT}")'
    return tuple(Query(pieces=(text, joined), length=length, label=_RULE) for text in counted)


def use_rules(
    expressions: Mapping[Role, Expression],
    lacking: tuple[str, ...],
    request: CountRequest,
    slos: Sequence[str],
    readings: QueryResults,
) -> Recorded:
    """Return the queries for the recorded numbers, if they record exactly this and all of it.

    Args:
        expressions: the expressions of the indicator, by role.
        lacking: expressions that count histograms without a boundary.
        request: the request, with the labels of its rules.
        slos: the SLOs, as in its `rule_questions`.
        readings: the answers to them.
    """
    tables = list(_tables(request, slos, readings))
    if len(tables) < _QUESTIONS:
        return NOT_RECORDED
    samples_of, sums_of = tables
    texts = rule_expressions(
        {str(role): expression for role, expression in expressions.items()}, lacking
    )
    prints = {role: fingerprint(text) for role, text in texts.items()}
    samples = [samples_of[key] for key in prints.values() if key in samples_of]
    if not texts or len(samples) < len(texts):
        note = "the recording rules of this SLO are of another expression: export them again"
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


def _tables(
    request: CountRequest, slos: Sequence[str], readings: QueryResults
) -> Iterator[Mapping[str, Fraction]]:
    """Yield the recorded samples of this SLO's rules, by expression; nothing without samples."""
    for part in rule_questions(request, slos):
        answer = readings(part)
        if isinstance(answer, QueryValue) and not answer.warnings:
            slo = f"{slo_of(request)}/"
            own = {k.removeprefix(slo): n for k, n in answer.numbers.items() if k.startswith(slo)}
            if own:
                yield own


def _failures(sums: Mapping[str, Fraction]) -> Fraction:
    """Return an indicator's failed events, or the amount spent, from the sums of its slices."""
    if Role.SPENT in sums:
        failed = sums[Role.SPENT]
    else:
        failed = sums[Role.BAD] if Role.BAD in sums else sums[Role.TOTAL] - sums[Role.GOOD]
    return failed / (SLICE // EVERY)
