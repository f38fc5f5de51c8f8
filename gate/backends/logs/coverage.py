"""How much of a window has rows, and what is usual where it has none."""

# ruff: noqa: S608 - made of names and numbers only

from fractions import Fraction
from typing import Final

from gate.backends.logs.database import Database
from gate.backends.logs.statement import MICROSECOND, Statement, microseconds
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.measure.coverage import StepCoverage, coverage_by_steps
from gate.measure.history import sample_parts
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.wording import amount, percent_spent, stretch

_REMEDY: Final = "fetch the logs of that time; what failed in it is missing from the count"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartsOfSpan:
    """The equal parts of a span, and the names of their numbers in the groups."""

    span: Span
    count: int
    key: str
    rows: str

    def coverage(self, database: Database) -> StepCoverage:
        """Return which of the parts have rows, from the table ``groups``."""
        numbers = database.query(
            f"SELECT {self.key}, sum({self.rows}) FROM groups"
            f" WHERE {self.key} BETWEEN 0 AND {self.count - 1} GROUP BY 1"
        )
        by_part = {int(place): float(rows) for place, rows in numbers}
        return coverage_by_steps([by_part.get(place) for place in range(self.count)], self.span)


def ask_for_parts(statement: Statement, span: Span) -> PartsOfSpan:
    """Group by the parts of a span that ends with the statement's spans; see `sample_parts`."""
    parts = sample_parts(span.length)
    width = max(-(-(span.length // MICROSECOND) // parts), 1)
    since = f"epoch_us(_at) - {microseconds(span.start) + 1}"
    # What is after the end of the spans may have a part of its own, which is not looked at.
    key = statement.key(f"greatest(-1, ({since}) // {width})")
    return PartsOfSpan(span=span, count=parts, key=key, rows=statement.sum("count(*)"))


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
