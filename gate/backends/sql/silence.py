"""Of which steps a log says what happened in them, and in which steps its silence says nothing.

A step without rows has no events where rows come before and after it: a log does not pause. Nothing
is known before the first row of the whole log; after its newest row, once that is too old; and of a
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
    """The rows beside the steps; they are looked for only where that makes a difference."""

    def begins_before(self) -> bool:
        """Return whether any row happened before the steps."""
        ...

    def newest(self) -> datetime:
        """Return when the newest row of all happened, also after the steps; there must be a row."""
        ...


@dataclass(frozen=True, kw_only=True)
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

    def covered(self, extent: RowsBeside, max_age: timedelta) -> list[bool]:
        """Return of each step whether it is known what happened in it.

        Args:
            extent: of all rows.
            max_age: for how long after the newest row of all silence says that nothing happened.
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
