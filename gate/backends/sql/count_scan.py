"""Counts from one scan of the rows: events, slices and amounts, with their evidence."""

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction

from gate.backends.sql.amounts import AmountColumns
from gate.backends.sql.coverage import (
    UsualRows,
    bounds_of,
    lost_rows,
    parts_of,
    time_around,
    times_by_step,
)
from gate.backends.sql.groups import Groups
from gate.backends.sql.renamed import Renamed, Replacement, renamed
from gate.backends.sql.respelled import Lookup, Stopped, stopped
from gate.backends.sql.rows import Faults, RowSource, SqlIndicator
from gate.backends.sql.slices import ask_for_slices, in_slices
from gate.backends.sql.statement import Statement
from gate.backends.sql.steps import StepGrid
from gate.backends.sql.suspicions import ScanColumns, ask_for_columns, suspicions, with_doubts
from gate.backends.sql.timeline import Timeline
from gate.backends.sql.times import FEW_BOUNDS, instant
from gate.dataclass import dataclass
from gate.measure import (
    Answer,
    Cause,
    CountRequest,
    Counts,
    Evidence,
    MeasurementError,
    Spent,
    Unmeasured,
)
from gate.measure.coverage import StepCoverage
from gate.slo.indicator import Slices
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An answer in events, which may still depend on columns that have stopped."""

    answer: Answer
    stopped: tuple[Stopped, ...] = ()
    renamed: tuple[Renamed, ...] = ()


class CountScan:
    """The single statement, and its result."""

    timeline: Timeline
    groups: Groups
    faults: Faults
    usual: UsualRows

    def __init__(
        self,
        rows: RowSource,
        requests: Sequence[tuple[CountRequest, SqlIndicator]],
        grids: Collection[StepGrid] = (),
    ) -> None:
        """Add the numbers that the requests need to the statement.

        Args:
            rows: the rows to count.
            requests: the requests; the span of a request in slices begins with a slice.
            grids: steps by which the rows are grouped, too.
        """
        self._rows = rows
        bounds = {m for request, _ in requests for m in (request.span.start, request.span.end)}
        bounds.update(grid.span.start for grid in grids)
        self._parts = {
            request.span: parts_of(request.span) for request, _ in requests if request.probe
        }
        if len(bounds) > FEW_BOUNDS:
            bounds.update(bounds_of(self._parts.values()))
        self.statement = Statement(rows, tuple(sorted(bounds)))
        in_grids = [parts_of(grid.span) for grid in grids]
        self.statement.cut(times_by_step([*self._parts.values(), *in_grids]))
        self.statement.count()
        for grid in grids:
            self.statement.step_key(grid.span, grid.step)
        probed = {indicator for request, indicator in requests if request.probe}
        self._columns = {
            indicator: ask_for_columns(self.statement, indicator, probe=indicator in probed)
            for indicator in dict.fromkeys(indicator for _, indicator in requests)
        }
        spans_of_slices: dict[tuple[SqlIndicator, Slices], list[Span]] = {}
        for request, indicator in requests:
            if request.slices is not None:
                length, key = request.slices.length, (indicator, request.slices)
                spans = [grid.span for grid in grids if grid.step == length]
                spans_of_slices.setdefault(key, spans).append(request.span)
        self.slices = {key: time_around(spans) for key, spans in spans_of_slices.items()}
        """The time in which each indicator has slices."""
        self._slices = {
            (indicator, slices): ask_for_slices(self.statement, slices, indicator, time)
            for (indicator, slices), time in self.slices.items()
        }
        self._seen = dict[Span, StepCoverage]()

    def run(self, times: Sequence[Span]) -> None:
        """Scan the rows.

        Args:
            times: the times of the runs, each with all of its requests.

        Raises:
            MeasurementError: rows whose time is not known, or that cannot be read.
        """
        statement, every = self.statement, self._rows.chosen(self.statement.time) is None
        oldest = statement.oldest() if every else None
        self.groups, self.faults = statement.run(times)
        columns = self._columns.values()
        numbers = list(dict.fromkeys(name for each in columns for name in each.numbers))
        self.timeline = Timeline(statement, self.groups, numbers)
        moment = None if oldest is None else self.groups.total(oldest)
        since = None if moment is None else instant(moment)
        self.usual = UsualRows(self._rows, statement.time, since)
        self._counts = {key: slices.count(self.groups) for key, slices in self._slices.items()}

    def draft(self, request: CountRequest, indicator: SqlIndicator, time: Span) -> Draft:
        """Return the answer to a request in events.

        Args:
            request: the request; if it is in slices, its span begins with a slice.
            indicator: the indicator of the request.
            time: the time of the run.
        """
        columns, faults = self._columns[indicator], self.faults(time)
        if lacking := indicator.columns & faults.keys():
            reason, query = faults[min(lacking)], columns.query(request.span)
            return Draft(answer=Unmeasured(cause=Cause.INVALID, reason=reason, query=query))
        answer = self._events(request, columns)
        if not request.probe or not isinstance(answer, Counts) or columns.doubts is None:
            return Draft(answer=answer)
        parts = self._parts[request.span]
        doubts = tuple(suspicions(columns.doubts, self.timeline, parts, answer))
        stops = tuple(stopped(self._rows, indicator, columns.doubts, self.timeline, parts))
        return Draft(
            answer=with_doubts(answer, doubts, request.slices),
            stopped=stops,
            renamed=tuple(renamed(indicator, columns.doubts, self.timeline, parts)),
        )

    def answer(
        self,
        draft: Draft,
        request: CountRequest,
        indicator: SqlIndicator,
        values: Mapping[Lookup, tuple[int, int]],
        replaced: Mapping[Renamed, Replacement],
    ) -> Answer:
        """Return the answer to a request, with what was looked up for it."""
        answer, slices = draft.answer, request.slices
        if not isinstance(answer, Counts):
            return answer
        doubts = [doubt for stop in draft.stopped for doubt in stop.suspicions(values)]
        doubts += [each.suspicion(replaced[each]) for each in draft.renamed if each in replaced]
        if doubts:
            answer = with_doubts(answer, tuple(doubts), slices)
        if slices is None:
            return answer
        return in_slices(answer, request, slices, self._counts[indicator, slices])

    def _events(self, request: CountRequest, columns: ScanColumns) -> Answer:
        span, timeline = request.span, self.timeline
        places = timeline.places(span)
        rows = timeline.sum(columns.rows, places)
        if not rows:
            noun = self._rows.noun
            reason = f"{noun} no row between {span.start:%F %T} and {span.end:%F %T} UTC"
            return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=columns.query(span))
        if columns.amount is not None:
            return self._spent(request, columns, columns.amount, rows)
        total = timeline.sum(columns.total, places)
        if not total:
            reason = f"none of {rows:,} rows is an event: total is never true"
            return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=columns.query(span))
        return Counts(
            total=Fraction(total),
            bad=Fraction(timeline.sum(columns.bad, places)),
            evidence=self._evidence(request, columns, total, rows),
        )

    def _spent(
        self, request: CountRequest, columns: ScanColumns, amount: AmountColumns, rows: int
    ) -> Answer:
        spent = amount.spending(self.timeline, request.span)
        try:
            together = spent.checked(rows)
        except MeasurementError as refusal:
            return refusal.answer(columns.query(request.span))
        missing = rows - spent.count
        notes = (f"spent is NULL in {missing:,} of {rows:,} rows",) if missing else ()
        evidence = self._evidence(request, columns, together, rows, notes)
        return Spent(amount=together, evidence=evidence)

    def _evidence(
        self,
        request: CountRequest,
        columns: ScanColumns,
        number: Fraction | int,
        rows: int,
        notes: tuple[str, ...] = (),
    ) -> Evidence:
        """Return the evidence for a number of events, or for an amount."""
        span, query = request.span, columns.query(request.span)
        notes = (*self._rows.notes, *notes)
        if not request.probe:
            return Evidence(query=query, notes=notes)
        seen = self._coverage(span)
        return Evidence(
            query=query,
            newest=self.timeline.newest(columns.newest, self.timeline.places(span)),
            coverage=seen.share,
            gaps=seen.gaps,
            notes=notes,
            suspicions=lost_rows(seen, span, Fraction(number) / rows, request.slices, self._rows),
        )

    def _coverage(self, span: Span) -> StepCoverage:
        if span not in self._seen:
            parts, rows = self._parts[span], self.statement.count()
            self._seen[span] = parts.coverage(self.timeline.by_part(rows, parts), self.usual)
        return self._seen[span]
