"""One scan that puts rows into the steps of stretches of time, and into groups if requested."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, cached_property
from itertools import count, groupby, takewhile
from typing import Any

from gate.backends.sql.coverage import Parts, UsualRows, parts_of
from gate.backends.sql.groups import Groups
from gate.backends.sql.rows import Faults, Label, RowSource, SqlIndicator
from gate.backends.sql.statement import Statement
from gate.backends.sql.times import LATEST, MICROSECOND, instant, microseconds
from gate.dataclass import dataclass
from gate.measure import Cause, Unmeasured
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True)
class StepGrid:
    """The steps of a stretch of time; the newest may be incomplete."""

    span: Span
    step: timedelta

    @property
    def bounds(self) -> list[datetime]:
        """The bounds of steps, the oldest first."""
        starts = (self.span.start + place * self.step for place in count())
        return [*takewhile(lambda start: start < self.span.end, starts), self.span.end]


class Extent:
    """The rows outside of a span: those that the scan has read, and else those of small scans."""

    def __init__(self, statement: Statement, groups: Groups, span: Span) -> None:
        """Take the result of a scan."""
        self._rows, self._span = statement.rows, span
        self._every = statement.rows.chosen(span) is None
        self._oldest = groups.total(statement.oldest()) if self._every else None
        self._newest = groups.total(statement.newest())

    @cached_property
    def _before(self) -> tuple[int, int] | None:
        start = self._span.start
        return self._rows.edge(Span(start - self._rows.look_back, start))

    def begins_before(self) -> bool:
        """Return whether any row happened before the span, within the look-back."""
        if self._every:
            return self._oldest is not None and self._oldest <= microseconds(self._span.start)
        return self._before is not None

    def newest(self) -> datetime:
        """Return the time of the newest row of all; there must be a row."""
        edges = [self._newest]
        if not self._every:
            before = self._before if self._newest is None else None
            others = (self._rows.edge(Span(self._span.end, LATEST)), before)
            edges += [edge[1] for edge in others if edge is not None]
        return instant(max(moment for moment in edges if moment is not None))


@dataclass(frozen=True, kw_only=True)
class RowSteps:
    """The steps of a stretch of time, and the rows in it.

    A step without rows has no events if rows come before and after it: a log does not pause. Steps
    are unknown before the first row of the whole log; after its newest row, once that is too old;
    and in a gap that is improbable at that hour's usual rate, as `gate.measure.coverage` judges.
    """

    bounds: Sequence[datetime]
    """The bounds of the steps, one more than there are steps."""
    rows: Mapping[int, int]
    """The number of rows by step, from 0; a step without rows may be left out."""
    parts: Parts
    """The parts in which the stretch is searched for rows."""
    rows_of_parts: Mapping[int, float]
    """The number of rows by part, numbered from 1970."""
    usual: UsualRows

    def covered(self, extent: Extent, max_age: timedelta) -> list[bool]:
        """Return for each step whether it is known.

        Args:
            extent: the extent of all rows.
            max_age: the time after the newest row of all in which silence means no events.
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


class Scanned:
    """The result of the scan."""

    def __init__(
        self,
        statement: Statement,
        groups: Groups,
        faults: Faults,
        time: Span | None = None,
        usual: UsualRows | None = None,
    ) -> None:
        """Take the statement, and its result.

        Args:
            statement: it has run.
            groups: its groups.
            faults: the faults in the examined times.
            time: the part of it that is asked about; None: all of it.
            usual: the usual numbers at other times; None: unknown.
        """
        self.groups = groups
        self._statement, self._time = statement, time or statement.time
        self._faults = faults
        self.rows = statement.count()
        """The name of the number of rows."""
        self._newest: Sequence[int | None] = groups[statement.newest()]
        oldest = None
        if statement.rows.chosen(statement.time) is None:
            oldest = groups.total(statement.oldest())
        self._usual = usual or UsualRows(
            statement.rows, statement.time, None if oldest is None else instant(oldest)
        )
        self.places = cache(self._places)

    def fault(self, *used: SqlIndicator | Label) -> Unmeasured | None:
        """Return the reason why an answer with these is missing; None: it is available."""
        faults = self._faults(self._time)
        columns = sorted(faults.keys() & {name for user in used for name in user.columns})
        if not columns:
            return None
        return Unmeasured(cause=Cause.INVALID, reason=faults[columns[0]])

    def _places(self, grid: StepGrid) -> Sequence[int | None]:
        """Return the step of each group, from 0; None: it is outside of the span."""
        start, end = microseconds(grid.span.start), microseconds(grid.span.end)
        step = grid.step // MICROSECOND
        return [
            (moment - start - 1) // step if moment is not None and start < moment <= end else None
            for moment in self._newest
        ]

    def by_step(self, grid: StepGrid, names: Sequence[str]) -> Mapping[int, tuple[Any, ...]]:
        """Return numbers by step, from 0, for steps with rows."""
        return self.groups.by(self.places(grid), names)

    def covered(self, grid: StepGrid, max_age: timedelta) -> list[bool]:
        """Return for each step whether it is known; see `RowSteps.covered`."""
        parts, number = parts_of(grid.span), [self._statement.count()]
        part, places = parts.step // MICROSECOND, self.places(grid)
        by_part = [
            None if place is None or moment is None else (moment - 1) // part
            for place, moment in zip(places, self._newest, strict=True)
        ]
        rows, rows_of_parts = (
            {place: rows for place, (rows,) in self.groups.by(some, number).items()}
            for some in (places, by_part)
        )
        steps = RowSteps(
            bounds=grid.bounds,
            rows=rows,
            parts=parts,
            rows_of_parts=rows_of_parts,
            usual=self._usual,
        )
        extent = Extent(self._statement, self.groups, grid.span)
        return steps.covered(extent, max_age)


class Scan:
    """The request for one scan."""

    def __init__(
        self, rows: RowSource, grids: Collection[StepGrid], start: datetime | None = None
    ) -> None:
        """Request the steps of each grid, from rows after the first start, or after ``start``."""
        spans = [grid.span for grid in grids]
        oldest = min([*(span.start for span in spans), *([start] if start else [])])
        time = Span(oldest, max(span.end for span in spans))
        bounds = {time.start, time.end}
        bounds.update(bound for span in spans for bound in (span.start, span.end))
        self.statement = Statement(rows, tuple(sorted(bounds)))
        self.statement.cut({})
        self.statement.count()
        if rows.chosen(time) is None:
            self.statement.oldest()
        for grid in grids:
            self.statement.step_key(grid.span, grid.step)
        for parts in {parts_of(span) for span in spans}:
            self.statement.step_key(parts.around, parts.step)

    def run(self) -> Scanned:
        """Run the scan.

        Raises:
            MeasurementError: rows whose time is not known, or that cannot be read.
        """
        return Scanned(self.statement, *self.statement.run([self.statement.time]))
