"""Of which steps a log says what happened in them, and in which steps its silence says nothing.

A step without rows has no events where rows come before and after it: a log does not pause. Nothing
is known before the first row of the whole log; after its newest row, once that is too old; and of a
gap that is improbable at that hour's usual rate, as `gate.measure.coverage` judges.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from gate.backends.logs.coverage import Parts, UsualRows
from gate.backends.logs.statement import Statement
from gate.backends.logs.timestamps import EPOCH, MICROSECOND
from gate.backends.sql.engine import Row
from gate.dataclass import dataclass
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """All rows of a log, also those before and after the time that is asked about."""

    rows: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True, slots=True)
class AskedExtent:
    """Where the extent stands in a statement's row."""

    rows: int
    oldest: int
    newest: int

    def extent(self, row: Row) -> Extent | None:
        """Return the extent; None: the log has no row at all."""
        if not row[self.rows]:
            return None
        oldest, newest = (EPOCH + row[n] * MICROSECOND for n in (self.oldest, self.newest))
        return Extent(rows=row[self.rows], oldest=oldest, newest=newest)


def ask_for_extent(statement: Statement) -> AskedExtent:
    """Ask for the extent of the log."""
    return AskedExtent(*statement.extent())


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSteps:
    """The steps of a stretch of time, and the rows in it."""

    bounds: Sequence[datetime]
    """The bounds of the steps, one more than there are steps."""
    rows: Mapping[int, int]
    """By step, from 0; a step without rows may be left out."""
    parts: Parts
    """In which the stretch is looked at for rows."""
    rows_of_parts: Mapping[int, float]
    """By part, counted from 1970."""
    usual: UsualRows

    def covered(self, extent: Extent | None, max_age: timedelta) -> list[bool]:
        """Return of each step whether it is known what happened in it.

        Args:
            extent: of the whole log; None: it has no row.
            max_age: for how long after the newest row of all silence says that nothing happened.
        """
        there = [bool(self.rows.get(place)) for place in range(len(self.bounds) - 1)]
        if extent is None:
            return there
        missing = self._missing()
        for run in _silent(there):
            start, end = self.bounds[run.start], self.bounds[run.stop]
            lost = any(gap.start < end and start < gap.end for gap in missing)
            for place in run:
                if self.bounds[place] < extent.oldest:
                    continue
                if self.bounds[place + 1] > extent.newest:
                    there[place] = self.bounds[place + 1] <= extent.newest + max_age
                else:
                    there[place] = not lost
        return there

    def _missing(self) -> Sequence[Span]:
        """Return the stretches between rows of the log of which the rows are lost."""
        if any(self.rows_of_parts.values()):
            return self.parts.coverage(self.rows_of_parts, self.usual).missing
        span = self.parts.span
        return () if self.usual.excuse(span)(span) else (span,)


def _silent(there: Sequence[bool]) -> Iterator[range]:
    """Yield the stretches of steps without rows."""
    place = 0
    for rows, group in groupby(there):
        stop = place + sum(1 for _ in group)
        if not rows:
            yield range(place, stop)
        place = stop
