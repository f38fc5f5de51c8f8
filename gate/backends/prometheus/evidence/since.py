"""Since when a selector finds nothing, and how much has happened since."""

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
"""Of which the shortest that reaches back far enough bounds what happened since an instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """All events of an indicator over the window."""

    role: Role
    expression: Expression
    span: Span
    slices: Slices | None
    names: tuple[tuple[str, ...], ...] = ()
    """The text around each ``$window`` under each of several names; empty: there is one name."""

    @property
    def step(self) -> timedelta:
        """How far apart the instants are at which the window is looked at."""
        return coverage_step(self.span.length)

    @property
    def present(self) -> tuple[Query, ...]:
        """Whether there are such series now, one of each per selector: as their age is asked."""
        return tuple(map(newest_query, self.expression.selectors))

    def events(self, length: timedelta, offset: timedelta) -> Query:
        """Ask how many events there were in a stretch of time, under all names together."""
        names = self.names or (self.expression.pieces,)
        return Query.added([Query(pieces=name, length=length, offset=offset) for name in names])

    def goes_on(self, answers: EvidenceAnswers) -> bool:
        """Return whether there are such series now; else all there is to say is how old they are.

        Raises:
            MeasurementError: the server did not answer.
        """
        return any(answers.number(part) is not None for part in self.present)

    def now(self, selector: str) -> Query:
        """Ask how many series there are now."""
        return Query(pieces=(f"count({selector})",), length=timedelta())

    def steps_with(self, vector: str) -> Query:
        """Ask at how many steps of the window an expression is anything."""
        return ClockSteps(f"({vector})", self.step).over(self.span.length)

    def sum_over_steps(self, vector: str) -> Query:
        """Ask what the values of an expression at the steps of the window add up to."""
        return self._over(f"sum_over_time(({vector})")

    def last_step_with(self, vector: str) -> Query:
        """Ask for the Unix time of the last such step."""
        return replace(self._over(f"max_over_time((0 * count({vector}) + time())"), largest=True)

    def _over(self, text: str) -> Query:
        pieces = (f"{text}[", f":{window_text(self.step)}])")
        return Query(pieces=pieces, length=self.span.length, open_start=True, grain=self.step)

    def ladder(self) -> Iterator[Query]:
        """Yield what asks for the events of ever longer stretches up to now."""
        for length in _LADDER:
            if length < self.span.length:
                yield Query(pieces=self.expression.pieces, length=length)

    def since(self, begin: datetime | None, answers: EvidenceAnswers) -> Fraction:
        """Return how many events (or slices) have happened since an instant, at most.

        Args:
            begin: None: the window's start.
            answers: to `ladder`.

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
        """Return how many events have happened since an instant, at least.

        Raises:
            MeasurementError: the server did not answer.
        """
        within = [part for part in self.ladder() if self.span.end - part.length >= begin]
        return answers.amount(within[-1]) if within else Fraction()

    def last_seen(self, vector: str, answers: EvidenceAnswers) -> datetime | None:
        """Return about when an expression was last anything in the window; None: it never was.

        Raises:
            MeasurementError: the server did not answer.
        """
        seconds = answers.number(self.last_step_with(vector))
        return None if seconds is None else instant_of(seconds)
