"""How much of a window has rows, and what is usual where it has none."""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Callable, Mapping
from datetime import timedelta
from fractions import Fraction
from functools import cached_property
from typing import Final

from gate.backends.logs.database import Database
from gate.backends.logs.statement import EPOCH, MICROSECOND, Logs, Statement
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.measure.coverage import FEWEST, StepCoverage, coverage_by_steps, usual_within
from gate.measure.history import MOST_PARTS, clock_part, clock_start
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.wording import amount, percent_spent, stretch

_HOUR: Final = timedelta(hours=1)
_LOOK_BACK: Final = timedelta(days=30)
"""Four weekends, to see which days are quiet."""
_REMEDY: Final = "fetch the logs of that time; what failed in it is missing from the count"


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of time, between whole multiples of their length since 1970, that a span has."""

    span: Span
    step: timedelta
    """Their length."""

    @property
    def whole(self) -> range:
        """Those that lie wholly within the span, counted from 1970."""
        span = self.span
        return range(-((EPOCH - span.start) // self.step), (span.end - EPOCH) // self.step)

    def coverage(self, rows: Mapping[int, float], usual: "UsualRows") -> StepCoverage:
        """Return how much of the span has rows.

        What lies in no whole part, at the ends of the span, is looked at with the part beside it.

        Args:
            rows: of the span, by their part.
            usual: what is usual at other times.
        """
        whole, excused = self.whole, usual.excuse(self.span)
        if not whole:
            return coverage_by_steps([sum(rows.values()) or None], self.span, excused=excused)
        numbers = [rows.get(place, 0) for place in whole]
        numbers[0] += rows.get(whole.start - 1, 0)
        numbers[-1] += rows.get(whole.stop, 0)
        span = Span(EPOCH + whole.start * self.step, EPOCH + whole.stop * self.step)
        events = [number or None for number in numbers]
        return coverage_by_steps(events, span, most=MOST_PARTS, excused=excused)


def parts_of(span: Span) -> Parts:
    """Return the parts in which a span is looked at for rows."""
    return Parts(span, clock_part(span.length))


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedParts:
    """The parts of a span, and the names of their numbers in the groups."""

    parts: Parts
    key: str
    rows: str
    within: str
    """Which groups are of the span."""

    def coverage(self, database: Database, usual: "UsualRows") -> StepCoverage:
        """Return which of the parts have rows, from the table ``groups``."""
        numbers = database.query(
            f"SELECT {self.key}, sum({self.rows}) FROM groups WHERE {self.within} GROUP BY 1"
        )
        by_part = {int(place): float(rows) for place, rows in numbers}
        return self.parts.coverage(by_part, usual)


class UsualRows:
    """How many rows a log usually has at a time of the day and the week, by the hours before.

    A short window does not say that the service sleeps at the weekend. The log is read for it only
    where a window seems to miss rows, and once.
    """

    def __init__(self, database: Database, logs: Logs) -> None:
        self._database, self._logs = database, logs

    def excuse(self, span: Span) -> Callable[[Span], bool]:
        """Return what says whether a stretch of a span may well have no rows.

        A span of so many days says by itself what is usual.
        """
        if span.length >= _LOOK_BACK:
            return lambda _: False
        end = clock_start(span.end, _HOUR)
        before = Span(end - _LOOK_BACK, end)

        def usual(gap: Span) -> bool:
            first = (before.start - EPOCH) // _HOUR
            hours = [self._rows.get(first + place) for place in range(_LOOK_BACK // _HOUR)]
            return usual_within(hours, before, gap) < FEWEST

        return usual

    @cached_property
    def _rows(self) -> Mapping[int, int]:
        """By the hour, counted from 1970."""
        timestamp = self._logs.timestamp
        relation = self._logs.source.relation([timestamp.column])
        number = f"(epoch_us({timestamp.sql}) - 1) // {_HOUR // MICROSECOND}"
        rows = self._database.query(
            f"SELECT {number} AS hour, count(*) FROM {relation} AS rows "
            "GROUP BY 1 HAVING hour IS NOT NULL"
        )
        return {int(hour): int(number) for hour, number in rows}


def ask_for_parts(statement: Statement, span: Span) -> CountedParts:
    """Group by the parts of a span that ends with the statement's spans."""
    parts = parts_of(span)
    return CountedParts(
        parts=parts,
        key=statement.clock_key(parts.step),
        rows=statement.sum("count(*)"),
        within=statement.within(span),
    )


def lost_rows(
    seen: StepCoverage, span: Span, per_row: Fraction, slices: Slices | None
) -> tuple[Suspicion, ...]:
    """Return the suspicion that rows were lost where a log has holes; none where it has none.

    Args:
        seen: how much of the span has rows.
        span: what is counted.
        per_row: how many events, or how much is spent, a row stands for in the mean.
        slices: given: slices are counted instead, and each in a hole may have been bad.
    """
    gaps = seen.gaps
    if gaps.longest is None:
        return ()
    hidden = gaps.usual * per_row
    if slices is not None:
        bad = slices.empty is EmptySlice.BAD
        hidden = Fraction(0) if bad else gaps.holes * Fraction(span.length / slices.length)
    longest = stretch(gaps.longest.start, gaps.longest.end, open_=False)
    several = "" if gaps.between == gaps.longest else ", and in other holes"
    reason = (
        f"the logs have no row from {longest}{several}, in {percent_spent(gaps.holes)} of the"
        f" window, where about {amount(gaps.usual)} rows are usual"
    )
    return (
        Suspicion(
            cause=Cause.LOST, reason=reason, remedy=_REMEDY, hidden=hidden, within=gaps.between
        ),
    )
