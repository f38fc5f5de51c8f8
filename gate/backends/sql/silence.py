"""The steps for which a log is conclusive, and those in which its silence means nothing.

A step without rows has no events if rows come before and after it: a log does not pause. Steps are
unknown before the first row of the whole log; after its newest row, once that is too old; and in a
gap that is improbable at that hour's usual rate, as `gate.measure.coverage` judges.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from itertools import groupby
from typing import Protocol

from gate.backends.sql.coverage import Parts, UsualRows
from gate.dataclass import dataclass
from gate.slo.objective import Span


class RowsBeside(Protocol):
    """The rows outside of the steps; they are searched for only if they make a difference."""

    def begins_before(self) -> bool:
        """Return whether any row happened before the steps."""
        ...

    def newest(self) -> datetime:
        """Return the time of the newest row of all, even after the steps; there must be a row."""
        ...


@dataclass(frozen=True, kw_only=True)
class RowSteps:
    """The steps of a stretch of time, and the rows in it."""

    bounds: Sequence[datetime]
    """The bounds of the steps, one more than there are steps."""
    rows: Mapping[int, int]
    """The number of rows by step, from 0; a step without rows may be left out."""
    parts: Parts
    """The parts in which the stretch is searched for rows."""
    rows_of_parts: Mapping[int, float]
    """The number of rows by part, numbered from 1970."""
    usual: UsualRows

    def covered(self, extent: RowsBeside, max_age: timedelta) -> list[bool]:
        """Return for each step whether it is known.

        Args:
            extent: the extent of all rows.
            max_age: how long silence after the newest row of all still means no events.
        """
        steps = range(len(self.bounds) - 1)
        there = [bool(self.rows.get(place)) for place in steps]
        for run in list(_silent(there)):
            if run.start == 0 and not extent.begins_before():
                continue
            # At the end of the steps there are rows before: those here, or older ones.
            newest = extent.newest() if run.stop == len(there) else self.bounds[run.stop]
            for place in run:
                start, end = self.bounds[place], self.bounds[place + 1]
                lost = any(gap.start < end and start < gap.end for gap in self._missing)
                there[place] = not lost if end <= newest else end <= newest + max_age
        return there

    @cached_property
    def _missing(self) -> Sequence[Span]:
        """Return the stretches between rows of the log whose rows are lost."""
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
