"""Counters that began above zero: no increase contains their count up to then."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.since import Whole
from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness, now_query
from gate.backends.prometheus.query import ClockSteps, Query, Role
from gate.backends.prometheus.query_result import QueryValue
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.measure.history import coverage_step
from gate.promql.moving import SECOND, window_text
from gate.promql.selectors import Selector

_JUST_BEFORE: Final = "1h"
"""A series with a sample at most this long before the window was not born in it."""
_LEAST: Final = Fraction(1, 2)
"""The part of an event by which floats may be wrong."""
_SMALL: Final = Fraction(1, 200)
"""The share of the count that does not matter: extrapolation is off by as much."""
_FEW: Final = 10
"""The number of events that does not justify another round: the first ones of some counters."""
_LIFETIME: Final = Fraction(1, 2)
"""The share of the count that cannot have happened between two scrapes."""
_MUCH_WORSE: Final = 2
_SUFFIX: Final = re.compile(r"_(?:total|bucket|count)$")
"""The suffixes of a counter and of a histogram's counts that ``_created`` replaces."""
_BOUNDARY: Final = "le"
_CHANGE: Final = "gate_change"
"""The label that contains how much a series has changed to reach its value."""
_NEWBORN: Final = timedelta(minutes=20)
_EXTRAPOLATED: Final = 4
"""The largest factor of extrapolation in a server's count: two samples represent the time between
them, and up to 1.1 times as much before and after them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthQuery(Query):
    """The events before the first sample of each series that was born in a window.

    The first value of a series is its last one minus the difference of the two. In VictoriaMetrics
    ``delta`` counts a small first value from zero, as ``increase`` does, so that nothing is hidden
    there: https://docs.victoriametrics.com/metricsql/#delta. In Prometheus it is extrapolated by as
    much as the increase, so that events counted by extrapolation are not hidden, either.
    """

    created: str | None = None
    """A selector of the creation times of the same series, which have no boundary; None: there is
    none."""
    data: str | None = None
    """If given, the data about all events begin in the window, and series that began with them have
    no observed birth."""

    deducted: bool = False
    """Whether it is subtracted from other births."""

    @property
    def newborn(self) -> ClockSteps:
        """At least the sum of the counts of all series at the end of the step of their birth.

        A series is born in a window if it had no sample in the hour before it. Wherever in a step
        its first sample is, it had none in two steps before that step, since three are an hour.
        """
        (selector,) = self.pieces
        step = window_text(_NEWBORN)
        before = f"last_over_time({selector}[{window_text(2 * _NEWBORN)}] offset {step})"
        first = f"clamp_min(max_over_time({selector}[{step}]), 0)"
        return ClockSteps(f"sum({first} unless {before})", _NEWBORN, adds_up=True)

    def most(self, births: int, counted: float) -> QueryValue | None:
        """Return an upper bound of the answer; None: unknown.

        Args:
            births: the number of steps with `newborn` values, in the window and the step after it.
            counted: the sum of these values.
        """
        if births and self.deducted:
            return None
        return QueryValue(number=Fraction(counted) * _EXTRAPOLATED if births else None)

    @property
    def written(self) -> str:
        """The expression as it is sent at the instant of the question."""
        (selector,) = self.pieces
        moved = f" offset {window_text(self.offset)}" if self.offset else ""
        ranged = f"{selector}[{window_text(self.length)}]{moved}"
        change = f'label_replace(-delta({ranged}),"{_CHANGE}","-","","")'
        unborn = self._unborn(selector, moved)
        return f"sum((last_over_time({ranged}) or {change}) {unborn})"

    def _unborn(self, selector: str, moved: str) -> str:
        """Leave out the series that were not born in the window, as far as that is visible."""
        length, ago = window_text(self.length), (self.offset + self.length) // SECOND
        groups = [f"last_over_time({selector}[{_JUST_BEFORE}] offset {ago}s)"]
        if self.data is not None:
            step = coverage_step(self.length)
            grid = f"[{length}:{window_text(step)}]"
            begin = f"scalar(min_over_time((0 * count({self.data}) + time()){grid}))"
            first = f"min_over_time((0 * {selector} + time()){grid})"
            groups.append(f"{first} <= {begin} + {step // SECOND}")
            # If the data is younger than a step, all series began with it.
            seen = f"count_over_time(count({self.data}){grid})"
            groups.append(f"(last_over_time({selector}[{length}]{moved}) unless on () {seen})")
        unborn = f"unless ignoring ({_CHANGE}) ({' or '.join(groups)})"
        if self.created is None:
            return unborn
        created = f"last_over_time({self.created}[{length}]{moved}) < time() - {ago}"
        return f"{unborn} unless ignoring ({_BOUNDARY}, {_CHANGE}) ({created})"


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthWitness(Witness):
    """The births of the series that count bad events, or amounts, by increases.

    If bad events are the total minus the good ones, as with a histogram's buckets, the events with
    which the total began and that the good ones lack failed before the first sample.
    """

    role: Role
    selectors: tuple[Selector, ...]
    """The selectors, at least one; their births are added up."""
    less: tuple[Selector, ...] = ()
    """The selectors of good events, whose births are subtracted."""
    whole: Whole
    counters: tuple[Selector, ...]
    """The selectors of all events."""

    def first_round(self) -> tuple[Query, ...]:
        """Request the hidden events."""
        return self._hidden

    def put_off(self) -> tuple[Query, ...]:
        """Request whether there was data before the window, needed if many events are hidden."""
        return (self._data,)

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Request them again without series that began with the data, if it begins in the window.

        Otherwise, if many are hidden, it requests the number of all hidden events.
        """
        failures = self._failures(self._hidden, answers)
        if not self._matters(answers, failures):
            return ()
        if answers.number(self._data) is None:
            return self._since_data
        return self._all_hidden if failures > _FEW else ()

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield the suspicion of hidden events."""
        failures = self._failures(self._hidden, answers)
        if not self._matters(answers, failures):
            return
        begins = answers.number(self._data) is None
        if begins:
            failures = self._failures(self._since_data, answers)
        hidden = failures if begins else self._weighed(failures, answers)
        if not self._matters(answers, hidden):
            return
        yield Suspicion(
            cause=Cause.BORN,
            reason=self._reason(failures),
            remedy=(
                "export every series at 0 from the start (with most clients: ask for each set of"
                " labels once), and count these in the logs until the window has passed"
            ),
            hidden=hidden,
        )

    def _reason(self, failures: Fraction) -> str:
        what = "spent" if self.role is Role.SPENT else "failures"
        text, good = (" and ".join(s.text for s in part) for part in (self.selectors, self.less))
        if self.less:
            return (
                f"{self.role}: when they were first seen, series of {text} had counted"
                f" {float(failures):,.0f} events more than those of {good}, so that as many"
                " failures before that are not counted"
            )
        return (
            f"{self.role}: series of {text} were above zero when they were first seen, so that"
            f" {float(failures):,.0f} {what} before that are not counted"
        )

    def _failures(self, parts: tuple[BirthQuery, ...], answers: EvidenceAnswers) -> Fraction:
        """Return the hidden failures: births of the selectors, and then of the good ones."""
        amounts = [answers.amount(part) for part in parts]
        count = len(self.selectors)
        return max(Fraction(), sum(amounts[:count], Fraction()) - sum(amounts[count:]))

    def _weighed(self, failures: Fraction, answers: EvidenceAnswers) -> Fraction:
        """Return how many more bad events among those counted would correct the ratio.

        If every series gets another label, all begin anew with the counts of their life: ``(b + f)
        / (n + m)`` is about ``b / n`` then. If fewer events are hidden, and far more of them
        failed, all these failures are taken to be missing.
        """
        events, counted = self._hidden_events(failures, answers), answers.total
        if not events or not counted:
            return failures
        weighed = (failures - events * answers.bad / counted) / (1 + events / counted)
        alike = failures * counted <= _MUCH_WORSE * events * answers.bad
        many = events > counted * _LIFETIME
        return max(weighed, Fraction()) if alike or many else failures

    def _hidden_events(self, failures: Fraction, answers: EvidenceAnswers) -> Fraction:
        if failures <= _FEW or self.whole.slices is not None:
            return Fraction()
        events = sum((answers.amount(part) for part in self._all_hidden), Fraction())
        return events + failures if self.whole.role is Role.GOOD else events

    def _matters(self, answers: EvidenceAnswers, hidden: Fraction) -> bool:
        return hidden > max(_LEAST, answers.bad * _SMALL)

    @property
    def _hidden(self) -> tuple[BirthQuery, ...]:
        less = (replace(self._births(selector), deducted=True) for selector in self.less)
        return (*map(self._births, self.selectors), *less)

    @property
    def _all_hidden(self) -> tuple[BirthQuery, ...]:
        return tuple(map(self._births, self.counters))

    @property
    def _since_data(self) -> tuple[BirthQuery, ...]:
        return tuple(replace(part, data=self._every, grain=None) for part in self._hidden)

    @property
    def _data(self) -> Query:
        ago = self.whole.span.length // SECOND
        return now_query(f"count(last_over_time({self._every}[{_JUST_BEFORE}] offset {ago}s))")

    @property
    def _every(self) -> str:
        return self.whole.expression.selectors[0]

    def _births(self, selector: Selector) -> BirthQuery:
        base = _SUFFIX.sub("", selector.name)
        bare = [m for m in selector.matchers if m.label != _BOUNDARY]
        created = replace(selector.only(bare), name=f"{base}_created")
        return BirthQuery(
            pieces=(selector.text,),
            length=self.whole.span.length // SECOND * SECOND,
            grain=SECOND,
            created=created.text if base != selector.name else None,
        )
