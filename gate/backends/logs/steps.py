"""One scan that puts rows into the steps of stretches of time, and into groups where asked."""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count, takewhile

from gate.backends.logs.coverage import UsualRows, parts_of
from gate.backends.logs.database import Database
from gate.backends.logs.indicators import Label, LogIndicator
from gate.backends.logs.keys import ask_for_keys, missing_keys
from gate.backends.logs.silence import Extent, RowSteps, ask_for_extent
from gate.backends.logs.statement import Logs, Statement
from gate.backends.logs.timestamps import MICROSECOND, microseconds, undated, within
from gate.dataclass import dataclass
from gate.measure import Cause, Unmeasured
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True)
class StepGrid:
    """The steps of a stretch of time; the newest may be a part of one."""

    span: Span
    step: timedelta

    @property
    def bounds(self) -> list[datetime]:
        """Where steps begin and end, the oldest first."""
        starts = (self.span.start + place * self.step for place in count())
        return [*takewhile(lambda start: start < self.span.end, starts), self.span.end]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What the columns of the table ``groups`` mean, which the scan has left."""

    places: Mapping[StepGrid, str]
    """The places of each grid the step, from 0; NULL outside of the span."""
    parts: Mapping[timedelta, str]
    """The parts of time in which rows are looked for, by their length."""
    labels: tuple[str, ...]
    rows: str
    """The number of rows."""
    extent: Extent | None
    """The extent of all rows, also before and after the spans."""
    usual: UsualRows
    faults: Mapping[str, str]
    """Column -> why it cannot be used."""

    def fault(self, *used: LogIndicator | Label) -> Unmeasured | None:
        """Return why there is no answer that needs these; None: there is one."""
        columns = sorted(self.faults.keys() & {name for user in used for name in user.columns})
        if not columns:
            return None
        return Unmeasured(cause=Cause.INVALID, reason=self.faults[columns[0]])

    def covered(self, database: Database, grid: StepGrid, max_age: timedelta) -> list[bool]:
        """Return of each step whether it is known what happened in it; see `RowSteps.covered`."""
        parts = parts_of(grid.span)
        rows, rows_of_parts = (
            {
                int(place): int(number)
                for place, number in database.query(
                    f"SELECT {key}, sum({self.rows}) FROM groups "
                    f"WHERE {self.places[grid]} >= 0 GROUP BY 1"
                )
            }
            for key in (self.places[grid], self.parts[parts.step])
        )
        steps = RowSteps(
            bounds=grid.bounds,
            rows=rows,
            parts=parts,
            rows_of_parts=rows_of_parts,
            usual=self.usual,
        )
        return steps.covered(self.extent, max_age)


class Scan:
    """What is asked of the one scan."""

    def __init__(
        self, logs: Logs, grids: Collection[StepGrid], start: datetime | None = None
    ) -> None:
        """Ask for the steps of each grid, from rows after the first start, or after ``start``."""
        spans = [grid.span for grid in grids]
        oldest = min([*(span.start for span in spans), *([start] if start else [])])
        self.statement = Statement(logs, (oldest, max(span.end for span in spans)))
        self.statement.cut(())
        self._undated = self.statement.undated()
        self._extent = ask_for_extent(self.statement)
        self._rows = self.statement.sum("count(*)")
        self._places = {grid: self.statement.key(_place(grid)) for grid in grids}
        lengths = {parts_of(span).step for span in spans}
        self._parts = {length: self.statement.clock_key(length) for length in lengths}

    def run(self, database: Database, labels: Sequence[str] = ()) -> Scanned:
        """Scan.

        Raises:
            MeasurementError: rows whose time is not known.
            duckdb.Error: the files or the values in them cannot be read.
        """
        logs, files = self.statement.logs, ask_for_keys(self.statement)
        row = self.statement.run(database)
        extent = self._extent.extent(row)
        time = Span(*self.statement.bounds)
        if row[self._undated]:
            raise undated(database, logs.source, logs.timestamp, row[self._undated])
        return Scanned(
            places=self._places,
            parts=self._parts,
            labels=tuple(labels),
            rows=self._rows,
            extent=extent,
            usual=UsualRows(database, logs, extent.oldest if extent else None),
            faults=missing_keys(database, files, [time]).faults(time),
        )


def _place(grid: StepGrid) -> str:
    since = f"epoch_us(_at) - {microseconds(grid.span.start) + 1}"
    return f"CASE WHEN {within(grid.span)} THEN ({since}) // {grid.step // MICROSECOND} END"
