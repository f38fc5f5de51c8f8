"""Selectors that no longer find their series, although the events continue."""

import math
import re
from collections.abc import Iterator
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.contradiction import ContradictionWitness
from gate.backends.prometheus.evidence.roles import (
    JudgedSelector,
    LabelFilter,
    Tables,
    all_failed,
    cannot_match,
    says_failure,
)
from gate.backends.prometheus.evidence.selector_queries import SelectorQueries
from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness
from gate.backends.prometheus.query import Query, Role
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.wording import instant

_BY_CHANCE: Final = 1e-3
"""The probability of no failures since then, at the earlier failure ratio, that is too low."""
_LEAST: Final = Fraction(1, 2)
"""The part of an event by which floats may be wrong."""
_MOSTLY: Final = Fraction(1, 2)
_NOW_AND_THEN: Final = Fraction(1, 10)
_REMEDY: Final = (
    "see what the exporter calls it now and correct the selector; while the window holds data under"
    " both names, count both (a or b)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnmatchedWitness(Witness):
    """The series of one selector of good or of bad events."""

    judged: JudgedSelector
    whole: Whole
    status: ContradictionWitness | None = None
    """The failures that the total itself shows; None: it shows none."""

    def first_round(self) -> tuple[Query, ...]:
        """Request whether there are series now, and what their labels are."""
        tables = (self._queries.values(wanted) for wanted in self.judged.filters)
        lacking = (
            self._queries.lacking(w)
            for w in self.judged.filters
            if self.judged.may_count_without(w)
        )
        return (*self.whole.present, *self._queries.alive, *tables, *lacking)

    def put_off(self) -> tuple[Query, ...]:
        """Request whether there were any before, needed if there are none now."""
        return (self._queries.seen,)

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Request since when it is so, and the number of events since then."""
        if not self.whole.goes_on(answers):
            return ()
        missing = self._missing(answers)
        if missing is not None:
            queries = self._asked_of_label(missing)
        elif self._has_stopped(answers):
            queries = self._asked_of_stop(answers)
        else:
            return ()
        return (*queries, *self.whole.ladder())

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield the problem of the selector, if there is one."""
        if not self.whole.goes_on(answers):
            return
        missing = self._missing(answers)
        if missing is not None:
            yield from self._of_label(missing, answers)
        elif self._has_stopped(answers):
            yield from self._of_stop(answers)
        elif not self._is_alive(answers):
            yield from self._of_values(answers)

    @property
    def _queries(self) -> SelectorQueries:
        return SelectorQueries(self.judged, self.whole)

    def _is_alive(self, answers: EvidenceAnswers) -> bool:
        return any(answers.number(part) is not None for part in self._queries.alive)

    def _has_stopped(self, answers: EvidenceAnswers) -> bool:
        return not self._is_alive(answers) and bool(answers.amount(self._queries.seen))

    def _missing(self, answers: EvidenceAnswers) -> LabelFilter | None:
        """Return the first label's filter that is missing somewhere in the window.

        A metric that does not exist has no label, and lacks none.
        """
        for wanted in self.judged.filters:
            if not wanted.optional and (
                "" in answers.table(self._queries.values(wanted))
                or self._counted_without(wanted, answers) > _LEAST
            ):
                return wanted
        return None

    def _counted_without(self, wanted: LabelFilter, answers: EvidenceAnswers) -> Fraction:
        return (
            answers.amount(self._queries.lacking(wanted))
            if self.judged.may_count_without(wanted)
            else Fraction()
        )

    def _asked_of_label(self, wanted: LabelFilter) -> tuple[Query, ...]:
        having = self._queries.selecting(wanted.label, "!=", "")
        return (
            self.whole.last_step_with(having),
            self.whole.steps_with(f"count({having})"),
            self._queries.side_by_side(wanted),
        )

    def _of_label(self, wanted: LabelFilter, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        having, label = self._queries.selecting(wanted.label, "!=", ""), wanted.label
        steps = answers.amount(self.whole.steps_with(f"count({having})"))
        if steps and answers.amount(self._queries.side_by_side(wanted)) >= steps * _MOSTLY:
            return  # targets have series with it beside series without it, so that it is optional
        last = self.whole.last_seen(having, answers)
        metric, gone = (
            self.judged.base.text,
            answers.table(self._queries.values(wanted)).keys() == {""},
        )
        events = self.whole.since(last, answers) if gone else answers.total
        if self.judged.may_count_without(wanted) and self.whole.slices is None:
            events = self._counted_without(wanted, answers)
        if gone:
            when = "in all of the window" if last is None else f"since {instant(last)}"
            seen = f"no series of {metric} has had the label {label} {when}"
        else:
            seen = f"there are series of {metric} without the label {label}"
        counted = f"and {float(events):,.0f} events were counted without it"
        yield self._suspicion(wanted, f"{self.judged.role}: {seen}, {counted}", events)

    def _asked_of_stop(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        selector = self.judged.selector.text
        queries = [
            self.whole.last_step_with(selector),
            self._queries.zeros,
            self._queries.failing_steps,
        ]
        queries += (self._queries.losing, self._queries.still)
        if self.judged.role is Role.BAD:
            for other in self._other_failures(answers):
                queries += (self._queries.beside(other), self._queries.counted_of(other))
        return tuple(queries)

    def _of_stop(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        selector, queries = self.judged.selector.text, self._queries
        if self.status is not None and self.status.corroborates(answers):
            return  # if one of two equal counters has stopped, the other continues
        last = self.whole.last_seen(selector, answers) or self.whole.span.start
        tables = self._tables(answers)
        if self.judged.role is Role.GOOD:
            suspect = not all_failed(tables)
        else:
            suspect = (
                cannot_match(tables)
                or answers.amount(queries.zeros) > 1
                or (answers.amount(queries.losing) > 0 and answers.amount(queries.still) > 1)
                or self._is_unlikely(last, answers)
            )
        renamed = self._renamed(answers)
        if suspect or renamed:
            events = renamed or self.whole.since(last, answers)
            reason = (
                f"{self.judged.role}: {selector} has found nothing since {instant(last)}, though"
                f" {float(events):,.0f} events were counted since then"
            )
            yield self._suspicion(None, reason, events)

    def _renamed(self, answers: EvidenceAnswers) -> Fraction:
        """Return the failures under values that replaced the wanted ones."""
        if self.judged.role is not Role.BAD or self.judged.own_metric:
            return Fraction()
        seen = answers.amount(self._queries.seen)
        return sum(
            (
                answers.amount(self._queries.counted_of(other))
                for other in self._other_failures(answers)
                if answers.amount(self._queries.beside(other)) < seen * _NOW_AND_THEN
            ),
            Fraction(),
        )

    def _tables(self, answers: EvidenceAnswers) -> Tables:
        return {w: answers.table(self._queries.values(w)) for w in self.judged.filters}

    def _other_failures(self, answers: EvidenceAnswers) -> Iterator[str]:
        """Yield selectors of further failures that are neither selected nor excluded."""
        for wanted in self.judged.filters:
            values = answers.table(self._queries.values(wanted))
            others = [v for v in values if says_failure(v) and not wanted.fits(v)]
            if others and not wanted.excludes:
                pattern = "|".join(map(re.escape, sorted(others)))
                yield self._queries.selecting(wanted.label, "=~", pattern)

    def _of_values(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        tables = self._tables(answers)
        if cannot_match(tables):
            values = "; ".join(f"{w.label} is {', '.join(table)}" for w, table in tables.items())
            reason = f"{self.judged.role}: {self.judged.selector.text} finds nothing, and {values}"
            yield self._suspicion(None, reason, answers.total)

    def _is_unlikely(self, last: datetime, answers: EvidenceAnswers) -> bool:
        """Return whether no failures since then are improbable at the earlier failure ratio.

        Failures only at the window's start may have been the end of an incident.
        """
        span = self.whole.span
        if last - span.start < span.length * float(_NOW_AND_THEN):
            return False
        failing = answers.amount(self._queries.failing_steps)
        seen = max(answers.amount(self._queries.seen), failing)
        since = self.whole.surely_since(last, answers)
        before = answers.total - self.whole.since(last, answers)
        if before <= 0 or self.whole.slices is not None:
            # Otherwise by time: traffic is assumed to be even.
            since = Fraction((span.end - last) // self.whole.step)
            before = Fraction((last - span.start) / self.whole.step)
        steps = float(seen * since / before)
        spared = float(1 - failing / (seen + 2))  # few steps prove little
        return math.pow(spared, steps) < _BY_CHANCE

    def _suspicion(self, wanted: LabelFilter | None, reason: str, events: Fraction) -> Suspicion:
        """Return the doubt: the events are missing from this role, or all count in it."""
        missing = wanted is None or not wanted.permits_absence
        hides = missing == (self.judged.role is Role.BAD)
        return Suspicion(
            cause=Cause.UNMATCHED,
            reason=reason,
            remedy=_REMEDY,
            hidden=events if hides else Fraction(),
            doubtful=Fraction() if hides else events,
        )
