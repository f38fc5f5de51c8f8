"""Counts for many runs, each at an instant of its own, from one scan of the rows.

The answer of a run does not depend on the other runs.
"""

from collections.abc import Callable, Sequence

from gate.backends.sql.count_scan import CountScan
from gate.backends.sql.kept import KeptScan, grids_of
from gate.backends.sql.renamed import replacements
from gate.backends.sql.respelled import new_values
from gate.backends.sql.rows import RowSource, SqlIndicator
from gate.backends.sql.slices import with_whole_slices
from gate.backends.sql.statement import StatementError
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A count request of one of several runs."""

    request: CountRequest
    run: int
    """The number of the run; all requests of a run end at one instant."""

    @property
    def sli(self) -> Sli:
        """The indicator."""
        return self.request.sli


Keep = Callable[[KeptScan], None]
"""A function that receives the result of a scan for later use."""


def count(
    rows: RowSource,
    wanted: Sequence[tuple[RunRequest, SqlIndicator]],
    keep: Keep | None = None,
) -> list[Answer]:
    """Answer all requests, in order.

    Args:
        rows: the rows to count.
        wanted: the requests and their indicators.
        keep: given: the scan also groups by the steps of the histories that a stopped change asks
            for.

    Raises:
        StatementError: the engine could not run the statement.
        MeasurementError: rows whose time is not known, or that cannot be read.
    """
    requests = [
        (with_whole_slices(each.request), each.run, indicator) for each, indicator in wanted
    ]
    times = dict[int, Span]()
    for request, run, _ in requests:
        span = request.span
        start = min(times.get(run, span).start, span.start)
        times[run] = Span(start, span.end)
    pairs = [(request, indicator) for request, _, indicator in requests]
    grids = grids_of(request for request, _ in pairs) if keep else ()
    scan = CountScan(rows, pairs, grids)
    scan.run([*times.values(), *(grid.span for grid in grids)])
    if keep is not None:
        keep(KeptScan(scan, [each.sli for each, _ in wanted], pairs, grids))
    drafts = [scan.draft(request, indicator, times[run]) for request, run, indicator in requests]
    lookups = dict.fromkeys(
        lookup for draft in drafts for stop in draft.stopped for lookup in stop.lookups
    )
    values = new_values(rows, lookups)
    replaced = replacements(rows, {each for draft in drafts for each in draft.renamed})
    return [
        scan.answer(draft, request, indicator, values, replaced)
        for draft, (request, _, indicator) in zip(drafts, requests, strict=True)
    ]


def count_runs(
    rows: RowSource,
    wanted: Sequence[tuple[RunRequest, SqlIndicator]],
    keep: Keep | None = None,
) -> list[Answer]:
    """Answer as `count`; if the rows of one run cannot be read, the other runs are answered.

    If only rows of the time that is asked about are read, each run reads what it needs, and
    mistakes outside of that do not matter. What a scan has left is kept of a single run only.
    """
    runs = dict.fromkeys(each.run for each, _ in wanted)
    try:
        return count(rows, wanted, keep if len(runs) == 1 else None)
    except StatementError as error:
        whole = rows.chosen(wanted[0][0].request.span) is None or len(runs) == 1
        indicators = {indicator for _, indicator in wanted}
        if whole or error.cause is not Cause.INVALID or len(indicators) > 1:
            raise
    answers = dict[int, Answer]()
    for run in runs:
        of_run = {place: pair for place, pair in enumerate(wanted) if pair[0].run == run}
        try:
            answers |= zip(of_run, count(rows, list(of_run.values())), strict=True)
        except StatementError as error:
            answers |= dict.fromkeys(of_run, error.answer())
    return [answers[place] for place in range(len(wanted))]
