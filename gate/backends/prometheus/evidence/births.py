"""Counters that began above zero: what they had counted by then is in no increase."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.evidence.witness import EvidenceAnswers, Witness, now_query
from gate.backends.prometheus.query import SECOND, Query, Role, window_text
from gate.measure import Cause, Suspicion
from gate.measure.history import coverage_step
from gate.promql.selectors import Selector
from gate.slo.objective import Span

_JUST_BEFORE: Final = "1h"
"""A series that had a sample so long before the window, or less, was not born in it."""
_LEAST: Final = Fraction(1, 2)
"""Of an event: what floats may be off."""
_SMALL: Final = Fraction(1, 200)
"""Of what is counted: extrapolation is off by as much."""
_TOTAL: Final = "_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthQuery(Query):
    """How much had happened before the first sample of each series that was born in a window.

    The first value of a series is its last one less the difference of the two. In VictoriaMetrics
    ``delta`` counts a small first value from zero, as ``increase`` does, so that nothing is hidden
    there: https://docs.victoriametrics.com/metricsql/#delta. In Prometheus it is extrapolated by as
    much as the increase is, so that what was counted by extrapolation is not hidden, either.
    """

    created: str | None = None
    """A selector of the instants at which the same series were created; None: there is none."""
    data: str | None = None
    """Given: the data about all events, which begin in the window, and what began with them had no
    birth that anyone could have seen."""

    @property
    def text(self) -> str:
        """The expression as it is sent."""
        (selector,) = self.pieces
        moved = f" offset {window_text(self.offset)}" if self.offset else ""
        ranged = f"{selector}[{window_text(self.length)}]{moved}"
        unborn = self._unborn(selector, moved)
        last = f"sum(last_over_time({ranged}) unless {unborn})"
        return f"{last} - (sum(delta({ranged}) unless {unborn}) or vector(0))"

    def _unborn(self, selector: str, moved: str) -> str:
        """Return the series that were not born in the window, as far as that can be seen."""
        length, ago = window_text(self.length), (self.offset + self.length) // SECOND
        groups = [f"last_over_time({selector}[{_JUST_BEFORE}] offset {ago}s)"]
        if self.created is not None:
            groups.append(f"last_over_time({self.created}[{length}]{moved}) < time() - {ago}")
        if self.data is not None:
            step = coverage_step(self.length)
            grid = f"[{length}:{window_text(step)}]"
            begin = f"scalar(min_over_time((0 * count({self.data}) + time()){grid}))"
            first = f"min_over_time((0 * {selector} + time()){grid})"
            groups.append(f"{first} <= {begin} + {step // SECOND}")
        return f"({' or '.join(groups)})"


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthWitness(Witness):
    """Of one selector whose increase is counted as bad, or as spent."""

    role: Role
    selector: Selector
    span: Span
    every: str
    """A selector of all events: where it has samples before the window, the data do not begin in
    it."""

    def first_round(self) -> tuple[Query, ...]:
        """Ask how much is hidden, and whether there were data before the window."""
        return (self._hidden, self._data)

    def second_round(self, answers: EvidenceAnswers) -> tuple[Query, ...]:
        """Ask again without what began with the data, if these begin in the window."""
        if not self._matters(answers, self._hidden) or answers.number(self._data) is not None:
            return ()
        return (self._since_data,)

    def suspicions(self, answers: EvidenceAnswers) -> Iterator[Suspicion]:
        """Yield what is hidden."""
        part = next(iter(self.second_round(answers)), self._hidden)
        if not self._matters(answers, part):
            return
        hidden = answers.amount(part)
        what = "spent" if self.role is Role.SPENT else "failures"
        yield Suspicion(
            cause=Cause.BORN,
            reason=(
                f"{self.role}: series of {self.selector.text} were above zero when they were first"
                f" seen, so that {float(hidden):,.0f} {what} before that are not counted"
            ),
            remedy=(
                "export every series at 0 from the start (with most clients: ask for each set of"
                " labels once), and count these in the logs until the window has passed"
            ),
            hidden=hidden,
        )

    def _matters(self, answers: EvidenceAnswers, part: Query) -> bool:
        return answers.amount(part) > max(_LEAST, answers.bad * _SMALL)

    @property
    def _hidden(self) -> BirthQuery:
        name = self.selector.name
        created = replace(self.selector, name=f"{name.removesuffix(_TOTAL)}_created")
        return BirthQuery(
            pieces=(self.selector.text,),
            length=self.span.length // SECOND * SECOND,
            grain=SECOND,
            created=created.text if name.endswith(_TOTAL) else None,
        )

    @property
    def _since_data(self) -> BirthQuery:
        return replace(self._hidden, data=self.every, grain=None)

    @property
    def _data(self) -> Query:
        ago = self.span.length // SECOND
        return now_query(f"count(last_over_time({self.every}[{_JUST_BEFORE}] offset {ago}s))")
