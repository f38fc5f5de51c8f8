"""Counts for many runs, each at an instant of its own, from one scan of the logs.

What a run is answered is the same whether it is alone or not.
"""

from collections.abc import Sequence

import duckdb

from gate.backends.logs.count_scan import CountScan
from gate.backends.logs.database import Database
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.prepare import Prepared
from gate.backends.logs.respelled import new_values
from gate.backends.logs.slices import with_whole_slices
from gate.backends.logs.statement import Logs
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, CountRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One count to be made, for one of several runs."""

    request: CountRequest
    run: int
    """Which one; the requests of a run end at one instant."""

    @property
    def sli(self) -> Sli:
        """The indicator."""
        return self.request.sli


def count(
    database: Database, logs: Logs, wanted: Sequence[tuple[RunRequest, LogIndicator]]
) -> list[Answer]:
    """Answer all requests, in order.

    Raises:
        MeasurementError: rows whose time is not known, which no request can place.
        duckdb.Error: the files or the values in them cannot be read.
    """
    requests = [
        (with_whole_slices(each.request), each.run, indicator) for each, indicator in wanted
    ]
    times = dict[int, Span]()
    for request, run, _ in requests:
        span = request.span
        start = min(times.get(run, span).start, span.start)
        times[run] = Span(start, span.end)
    scan = CountScan(database, logs, [(request, indicator) for request, _, indicator in requests])
    scan.run(list(times.values()))
    drafts = [scan.draft(request, indicator, times[run]) for request, run, indicator in requests]
    lookups = dict.fromkeys(
        lookup for draft in drafts for stop in draft.stopped for lookup in stop.lookups
    )
    values = new_values(database, logs, lookups)
    return [
        scan.answer(draft, request, indicator, values)
        for draft, (request, _, indicator) in zip(drafts, requests, strict=True)
    ]


def count_runs(
    database: Database, ready: Prepared, wanted: Sequence[tuple[RunRequest, LogIndicator]]
) -> list[Answer]:
    """As `count`; where the rows of one run cannot be read, the others are answered.

    If only a part of each file is read, each run reads what it needs, and mistakes outside of that
    do not matter.
    """
    runs = dict.fromkeys(each.run for each, _ in wanted)
    try:
        return count(database, ready.logs, wanted)
    except duckdb.Error as error:
        whole = not ready.logs.timestamp.plain or len(runs) == 1
        indicators = {indicator for _, indicator in wanted}
        if whole or (len(indicators) > 1 and database.refusal(error).cause is Cause.INVALID):
            raise
    answers = dict[int, Answer]()
    for run in runs:
        of_run = {place: pair for place, pair in enumerate(wanted) if pair[0].run == run}
        try:
            answers |= zip(of_run, count(database, ready.logs, list(of_run.values())), strict=True)
        except duckdb.Error as error:
            answers |= dict.fromkeys(of_run, database.refusal(error).answer())
    return [answers[place] for place in range(len(wanted))]
