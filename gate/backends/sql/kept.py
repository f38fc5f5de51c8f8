"""The rows of a count's scan, from which histories of the same windows are read.

A stopped change needs the history of its budgets, to predict when it would be allowed. Reading the
rows a second time would double the cost of a check.
"""

from collections.abc import Iterable, Sequence

from gate.backends.sql.count_scan import CountScan
from gate.backends.sql.history import answer_steps, ask_for_steps
from gate.backends.sql.indicators import key_of
from gate.backends.sql.rows import RowSource, SqlIndicator
from gate.backends.sql.steps import Scanned, StepGrid
from gate.backends.sql.times import EPOCH
from gate.measure import CountRequest
from gate.measure.history import (
    SHORTEST,
    SeriesAnswer,
    SeriesRequest,
    clock_start,
    on_the_clock,
    step_of,
)
from gate.slo.indicator import Sli


def grids_of(requests: Iterable[CountRequest]) -> Sequence[StepGrid]:
    """Return the steps that a stopped change needs for these windows (`past_request`).

    For slices each slice is a step, since the history's steps are whole numbers of slices.
    """
    grids = dict[StepGrid, None]()
    for request in requests:
        if not request.probe:
            continue
        if request.slices is None:
            step = asked_for = step_of(request.span.length)
        else:
            step = request.slices.length
            asked_for = -(-SHORTEST // step) * step
        grids[StepGrid(on_the_clock(request.span, asked_for), step)] = None
    return list(grids)


class KeptScan:
    """The result of a scan."""

    def __init__(
        self,
        scan: CountScan,
        slis: Sequence[Sli],
        counted: Sequence[tuple[CountRequest, SqlIndicator]],
        grids: Sequence[StepGrid],
    ) -> None:
        """Take a completed scan, and the requests with their indicators."""
        self._scan, self._grids = scan, grids
        pairs = zip(slis, counted, strict=True)
        self._indicators = {key_of(sli): indicator for sli, (_, indicator) in pairs}

    @property
    def rows(self) -> RowSource:
        """The rows that were counted."""
        return self._scan.statement.rows

    def history(self, request: SeriesRequest) -> SeriesAnswer | None:
        """Return the counts of each step; None: the scan has not grouped by these steps.

        Rows outside of the window are searched for by small statements, if the window begins or
        ends in silence.
        """
        scan, indicator = self._scan, self._indicators.get(key_of(request.sli))
        times = [grid.span for grid in self._grids if _has(grid, request)]
        if indicator is None or not times:
            return None
        if request.slices is not None and not self._has_slices(request, indicator):
            return None
        columns = ask_for_steps(scan.statement, request, indicator)
        if not all(name in scan.groups for name in columns.numbers):
            return None
        time = max(times, key=lambda span: span.start)
        scanned = Scanned(scan.statement, scan.groups, scan.faults, time, scan.usual)
        return answer_steps(scanned, [columns])[0]

    def _has_slices(self, request: SeriesRequest, indicator: SqlIndicator) -> bool:
        slices = request.slices
        time = None if slices is None else self._scan.slices.get((indicator, slices))
        if slices is None or time is None:
            return False
        return time.start <= clock_start(request.span.start, slices.length)


def _has(grid: StepGrid, request: SeriesRequest) -> bool:
    """Return whether each step of a request is a whole number of steps of a grid."""
    return (
        grid.span.end == request.span.end
        and grid.span.start <= request.span.start
        and not request.step % grid.step
        and not (request.span.start - EPOCH) % grid.step
    )
