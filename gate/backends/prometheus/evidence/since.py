"""The time since which a selector finds nothing, and the number of events since then."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from math import ceil
from typing import Final

from gate.backends.prometheus.evidence.witness import EvidenceAnswers, instant_of
from gate.backends.prometheus.probe import newest_query
from gate.backends.prometheus.query import ClockSteps, Query, Role
from gate.dataclass import dataclass
from gate.measure.history import coverage_step
from gate.promql.expression import Expression
from gate.promql.moving import window_text
from gate.slo.indicator import Slices
from gate.slo.objective import Span

_LADDER: Final = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 48, 96, 192, 384))
"""The stretches of time of which the shortest that reaches back far enough bounds the events since
an instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All events of an indicator over the window."""

    role: Role
    expression: Expression
    span: Span
    slices: Slices | None
    names: tuple[tuple[str, ...], ...] = ()
    """The pieces of the text around ``$window`` for each of several names; empty: there is one
    name."""

    @property
    def step(self) -> timedelta:
        """The time between the instants at which the window is examined."""
        return coverage_step(self.span.length)

    @property
    def present(self) -> tuple[Query, ...]:
        """Queries for such series now, one for each selector, in the same way as for their age."""
        return tuple(map(newest_query, self.expression.selectors))

    def events(self, length: timedelta, offset: timedelta) -> Query:
        """Return the query for the events of a stretch of time, under all names together."""
        names = self.names or (self.expression.pieces,)
        return Query.added([Query(pieces=name, length=length, offset=offset) for name in names])

    def goes_on(self, answers: EvidenceAnswers) -> bool:
        """Return whether there are such series now; otherwise their age is all that matters.

        Raises:
            MeasurementError: the server did not answer.
        """
        return any(answers.number(part) is not None for part in self.present)

    def now(self, selector: str) -> Query:
        """Return the query for the number of series now."""
        return Query(pieces=(f"count({selector})",), length=timedelta())

    def steps_with(self, vector: str) -> Query:
        """Return the query for the number of steps at which an expression has a value."""
        return ClockSteps(f"({vector})", self.step).over(self.span.length)

    def sum_over_steps(self, vector: str) -> Query:
        """Return the query for the sum of an expression's values at the steps of the window."""
        return self._over(f"sum_over_time(({vector})")

    def last_step_with(self, vector: str) -> Query:
        """Return the query for the Unix time of the last such step."""
        return replace(self._over(f"max_over_time((0 * count({vector}) + time())"), largest=True)

    def _over(self, text: str) -> Query:
        pieces = (f"{text}[", f":{window_text(self.step)}])")
        return Query(pieces=pieces, length=self.span.length, open_start=True, grain=self.step)

    def ladder(self) -> Iterator[Query]:
        """Yield the queries for the events of increasingly long stretches up to now."""
        for length in _LADDER:
            if length < self.span.length:
                yield Query(pieces=self.expression.pieces, length=length)

    def since(self, begin: datetime | None, answers: EvidenceAnswers) -> Fraction:
        """Return an upper bound of the events (or slices) since an instant.

        Args:
            begin: the instant; None: the window's start.
            answers: the answers to `ladder`.

        Raises:
            MeasurementError: the server did not answer.
        """
        if begin is None:
            return answers.total
        if self.slices is not None:
            passed = ceil((self.span.end - begin) / self.slices.length)
            return min(Fraction(passed), answers.total)
        for part in self.ladder():
            if self.span.end - part.length <= begin:
                return min(answers.amount(part), answers.total)
        return answers.total

    def surely_since(self, begin: datetime, answers: EvidenceAnswers) -> Fraction:
        """Return a lower bound of the events since an instant.

        Raises:
            MeasurementError: the server did not answer.
        """
        within = [part for part in self.ladder() if self.span.end - part.length >= begin]
        return answers.amount(within[-1]) if within else Fraction()

    def last_seen(self, vector: str, answers: EvidenceAnswers) -> datetime | None:
        """Return about when an expression last had a value in the window; None: it never had one.

        Raises:
            MeasurementError: the server did not answer.
        """
        seconds = answers.number(self.last_step_with(vector))
        return None if seconds is None else instant_of(seconds)
