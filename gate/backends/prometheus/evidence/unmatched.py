"""Selectors that no longer find their series, although the events continue."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.contradiction import ContradictionWitness
from gate.backends.prometheus.evidence.roles import JudgedSelector, LabelFilter
from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import (
    EvidenceAnswers,
    Witness,
    label_text,
    now_query,
)
from gate.backends.prometheus.label_values import could_match, says_failure
from gate.backends.prometheus.query import Query, Role
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.promql.moving import SECOND, window_text
from gate.promql.selectors import LabelMatcher
from gate.wording import instant

_BY_CHANCE: Final = 1e-3
"""The probability of no failures since then, at the earlier failure ratio, that is too low."""
_LEAST: Final = Fraction(1, 2)
"""The part of an event by which floats may be wrong."""
_MOSTLY: Final = Fraction(1, 2)
_NOW_AND_THEN: Final = Fraction(1, 10)
_CODE: Final = re.compile(r"[1-5][0-9xX]{2}")
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
        tables = (self._values(wanted) for wanted in self.judged.filters)
        lacking = (self._lacking(w) for w in self.judged.filters if self._may_be_counted(w))
        others = (self.whole.now(other.text) for other in self.judged.others)
        return (*self.whole.present, self._alive, *others, *tables, *lacking)

    def put_off(self) -> tuple[Query, ...]:
        """Request whether there were any before, needed if there are none now."""
        return (self._seen,)

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

    def _is_alive(self, answers: EvidenceAnswers) -> bool:
        parts = (self._alive, *(self.whole.now(other.text) for other in self.judged.others))
        return any(answers.number(part) is not None for part in parts)

    def _has_stopped(self, answers: EvidenceAnswers) -> bool:
        return not self._is_alive(answers) and bool(answers.amount(self._seen))

    def _missing(self, answers: EvidenceAnswers) -> LabelFilter | None:
        """Return the first label's filter that is missing somewhere in the window.

        A metric that does not exist has no label, and lacks none.
        """
        for wanted in self.judged.filters:
            if not wanted.optional and (
                "" in answers.table(self._values(wanted))
                or self._counted_without(wanted, answers) > _LEAST
            ):
                return wanted
        return None

    def _may_be_counted(self, wanted: LabelFilter) -> bool:
        """Return whether the events without a label are part of the total."""
        return not (wanted.optional or self.judged.own_metric)

    def _counted_without(self, wanted: LabelFilter, answers: EvidenceAnswers) -> Fraction:
        return answers.amount(self._lacking(wanted)) if self._may_be_counted(wanted) else Fraction()

    def _asked_of_label(self, wanted: LabelFilter) -> tuple[Query, ...]:
        having = self._with(wanted.label, "!=", "")
        return (
            self.whole.last_step_with(having),
            self.whole.steps_with(f"count({having})"),
            self._side_by_side(wanted),
        )

    def _of_label(self, wanted: LabelFilter, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        having, label = self._with(wanted.label, "!=", ""), wanted.label
        steps = answers.amount(self.whole.steps_with(f"count({having})"))
        if steps and answers.amount(self._side_by_side(wanted)) >= steps * _MOSTLY:
            return  # targets have series with it beside series without it, so that it is optional
        last = self.whole.last_seen(having, answers)
        metric, gone = self.judged.base.text, answers.table(self._values(wanted)).keys() == {""}
        events = self.whole.since(last, answers) if gone else answers.total
        if self._may_be_counted(wanted) and self.whole.slices is None:
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
        queries = [self.whole.last_step_with(selector), self._zeros, self._failing_steps]
        queries += (self._losing, self._still)
        if self.judged.role is Role.BAD:
            for other in self._other_failures(answers):
                queries += (self._beside(other), self._counted_of(other))
        return tuple(queries)

    def _of_stop(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        selector = self.judged.selector.text
        if self.status is not None and self.status.corroborates(answers):
            return  # if one of two equal counters has stopped, the other continues
        last = self.whole.last_seen(selector, answers) or self.whole.span.start
        tables = {w: answers.table(self._values(w)) for w in self.judged.filters}
        if self.judged.role is Role.GOOD:
            suspect = not _all_failed(tables)
        else:
            suspect = (
                _cannot_match(tables)
                or answers.amount(self._zeros) > 1
                or (answers.amount(self._losing) > 0 and answers.amount(self._still) > 1)
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
        seen = answers.amount(self._seen)
        return sum(
            (
                answers.amount(self._counted_of(other))
                for other in self._other_failures(answers)
                if answers.amount(self._beside(other)) < seen * _NOW_AND_THEN
            ),
            Fraction(),
        )

    def _other_failures(self, answers: EvidenceAnswers) -> Iterator[str]:
        """Yield selectors of further failures that are neither selected nor excluded."""
        for wanted in self.judged.filters:
            values = answers.table(self._values(wanted))
            others = [v for v in values if says_failure(v) and not wanted.fits(v)]
            if others and not wanted.excludes:
                pattern = "|".join(map(re.escape, sorted(others)))
                yield self._with(wanted.label, "=~", pattern)

    def _beside(self, other: str) -> Query:
        return self.whole.steps_with(f"count({other}) and count({self.judged.selector.text})")

    def _of_values(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        tables = {w: answers.table(self._values(w)) for w in self.judged.filters}
        if _cannot_match(tables):
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
        failing = answers.amount(self._failing_steps)
        seen = max(answers.amount(self._seen), failing)
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

    @property
    def _alive(self) -> Query:
        return self.whole.now(self.judged.selector.text)

    @property
    def _seen(self) -> Query:
        return self.whole.steps_with(f"count({self.judged.selector.text})")

    @property
    def _zeros(self) -> Query:
        return self.whole.steps_with(f"count({self.judged.selector.text} == 0)")

    @property
    def _losing(self) -> Query:
        """Return the query for processes that lost such series without a restart.

        Client libraries do not remove a series while the process runs.
        """
        by, every = "by (instance, pod)", self.whole.expression.selectors[0]
        had = " or ".join(
            f"count {by} (last_over_time({self._of_a_target(label)}[$window]))"
            for label in ("instance", "pod")
        )
        began = f"sum {by} (resets({every}[$window])) > 0"
        return self._over_window(f"count((({had}) and count {by} ({every})) unless ({began}))")

    def _of_a_target(self, label: str) -> str:
        selector = self.judged.selector
        named = LabelMatcher(label=label, operator="!=", value="")
        return selector.only((*selector.matchers, named)).text

    @property
    def _still(self) -> Query:
        """Return the query for how often such series had not changed for half an hour.

        Exporters that remove series without updates have none: OpenTelemetry's collector by its
        ``metric_expiration``, statsd_exporter by its ``ttl``.
        """
        selector = self.judged.selector.text
        return self.whole.steps_with(f"count({selector} == {selector} offset 30m)")

    @property
    def _failing_steps(self) -> Query:
        step = window_text(self.whole.step)
        increase = f"sum(increase({self.judged.selector.text}[{step}])) > 0"
        return self.whole.steps_with(increase)

    def _values(self, wanted: LabelFilter) -> Query:
        text = f"count by ({label_text(wanted.label)}) ({self.judged.base.text})"
        return now_query(text, wanted.label)

    def _with(self, label: str, operator: str, value: str) -> str:
        """Return the series from which the selector selects, with one more matcher."""
        base = self.judged.base
        matcher = LabelMatcher(label=label, operator=operator, value=value)
        return base.only((*base.matchers, matcher)).text

    def _lacking(self, wanted: LabelFilter) -> Query:
        return self._counted_of(self._with(wanted.label, "=", ""))

    def _side_by_side(self, wanted: LabelFilter) -> Query:
        having, lacking = (
            f"count by (instance, pod) ({self._with(wanted.label, operator, '')})"
            for operator in ("!=", "=")
        )
        return self.whole.steps_with(f"count({having} and {lacking})")

    def _counted_of(self, selector: str) -> Query:
        return self._over_window(f"sum(increase({selector}[$window]))")

    def _over_window(self, text: str) -> Query:
        length = self.whole.span.length // SECOND * SECOND
        return Query(pieces=tuple(text.split("$window")), length=length, grain=SECOND)


Tables = Mapping[LabelFilter, Mapping[str, Fraction]]
"""The number of series by the values of each label."""


def _all_failed(tables: Tables) -> bool:
    """Return whether all observed values may be failures, so that no good event is expected."""
    for wanted, table in tables.items():
        values = [value for value in table if value]
        plain = all(says_failure(value) or _CODE.fullmatch(value) for value in values)
        if values and plain and not _never_fits(wanted, values):
            return True
    return False


def _cannot_match(tables: Tables) -> bool:
    return any(_never_fits(wanted, list(table)) for wanted, table in tables.items())


def _never_fits(wanted: LabelFilter, values: list[str]) -> bool:
    """Return whether a filter matches no value of the family that all of these belong to."""
    sure = len(values) > 1 or any(map(_CODE.fullmatch, values))
    return sure and any(could_match(matcher, values) is False for matcher in wanted.matchers)
