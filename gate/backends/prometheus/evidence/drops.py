"""Far fewer events than a week ago: traffic fell, or only a part of it is counted."""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness
from gate.backends.prometheus.query import Query, Role
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.promql.expression import Expression
from gate.slo.quantities import format_duration

_WEEK: Final = timedelta(days=7)
_LATELY: Final = timedelta(hours=6)
_LENGTHS: Final = (_LATELY, *(timedelta(hours=hours) for hours in (12, 24, 48, 96, 168)))
"""The lengths of time since a change, of which the longest that fits has at least half."""
_LESS: Final = 2
"""The factor by which far fewer events are fewer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropWitness(Witness):
    """The part of all events, and of those that show the bad ones.

    If a sampler keeps a tenth, its failures weigh a tenth of those before. If all had been counted,
    each would weigh one; if traffic really fell, with the same failure ratio, that makes no
    difference to the ratio.
    """

    whole: Whole
    other: Expression
    """The bad events; the good events, if bad is the total minus the good ones."""
    role: Role
    """The role of these events: bad or good."""

    def first_round(self) -> tuple[Query, ...]:
        """Request the events of the last hours, and of the same hours a week ago."""
        return self._counted(_LATELY) if self._is_comparable else ()

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Request longer times, and the failures in each, if there were far fewer events."""
        if not self._is_comparable or not self._is_far_less(_LATELY, answers):
            return ()
        return tuple(
            part
            for length in _LENGTHS
            if length < self.whole.span.length
            for part in (*self._counted(length), *self._others(length))
        )

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield the most bad events if the traffic was the same as a week ago."""
        if not self.second_round(answers):
            return
        lengths = [
            length
            for length in _LENGTHS
            if length < self.whole.span.length and self._is_far_less(length, answers)
        ]
        hidden, length = max((self._hidden(length, answers), length) for length in lengths)
        if hidden <= 0:
            return
        events, before = self._events(length, answers)
        yield Suspicion(
            cause=Cause.LOST,
            reason=(
                f"{float(events):,.0f} events were counted in the last {format_duration(length)},"
                f" and {float(before):,.0f} in that time a week ago; more of them failed than"
                f" before, and if only a part is counted, {float(hidden):,.0f} failures are missing"
            ),
            remedy="see whether traffic has really fallen, or whether events are sampled",
            hidden=hidden,
        )

    def _hidden(self, length: timedelta, answers: EvidenceAnswers) -> Fraction:
        """Return how many of all counted events would be bad at the ratio of the full traffic.

        With n events, e of them bad, in the window, n' and e' in the last hours, and N in
        these a week ago: (e + e' (N - n') / n') / (n + N - n') of n, less e.
        """
        events, before = self._events(length, answers)
        other, _ = map(answers.amount, self._others(length))
        bad, missing = other if self.role is Role.BAD else events - other, before - events
        ratio = (answers.bad + bad * missing / events) / (answers.total + missing)
        return ratio * answers.total - answers.bad

    @property
    def _is_comparable(self) -> bool:
        return self.whole.span.length > _LATELY

    def _is_far_less(self, length: timedelta, answers: EvidenceAnswers) -> bool:
        events, before = map(answers.amount, self._counted(length))
        return 0 < events * _LESS <= before

    def _events(self, length: timedelta, answers: EvidenceAnswers) -> tuple[Fraction, Fraction]:
        """Return the number of recent events, and of those a week ago."""
        events, before = map(answers.amount, self._counted(length))
        if self.whole.role is Role.TOTAL:
            return events, before
        other, other_before = map(answers.amount, self._others(length))
        return events + other, before + other_before

    def _counted(self, length: timedelta) -> tuple[Query, Query]:
        return _now_and_a_week_ago(self.whole.expression, length)

    def _others(self, length: timedelta) -> tuple[Query, Query]:
        return _now_and_a_week_ago(self.other, length)


def _now_and_a_week_ago(expression: Expression, length: timedelta) -> tuple[Query, Query]:
    now = Query(pieces=expression.pieces, length=length)
    return now, Query(pieces=now.pieces, length=length, offset=_WEEK)
