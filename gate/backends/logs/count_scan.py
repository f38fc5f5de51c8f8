"""Counts from one scan of the logs: events, slices and what is spent, with their evidence."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from gate.backends.logs.amounts import AmountColumns, ask_for_amount
from gate.backends.logs.coverage import UsualRows, bounds_of, lost_rows, parts_of
from gate.backends.logs.database import Database
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.keys import MissingKeys, ask_for_keys, missing_keys
from gate.backends.logs.respelled import Lookup, Stopped, stopped
from gate.backends.logs.search import FEW_BOUNDS
from gate.backends.logs.slices import ask_for_slices, in_slices
from gate.backends.logs.statement import Logs, Statement, repeatable
from gate.backends.logs.suspicions import Doubts, ask_for_doubts, suspicions, with_doubts
from gate.backends.logs.timeline import Timeline
from gate.backends.logs.timestamps import instant, undated
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
class _Columns:
    """The names of an indicator's numbers on the timeline."""

    indicator: LogIndicator
    query: Callable[[Span], str]
    rows: str
    total: str
    """Events; of an amount: all rows."""
    bad: str
    """Likewise."""
    newest: str
    """The newest event."""
    amount: AmountColumns | None
    doubts: Doubts | None
    """None: of an amount, or where nobody asks."""

    @property
    def numbers(self) -> Iterable[str]:
        """All of these names."""
        yield from (self.rows, self.total, self.bad, self.newest)
        yield from () if self.amount is None else self.amount.aggregates
        yield from () if self.doubts is None else self.doubts.numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An answer in events, to which it may be known only later what has stopped."""

    answer: Answer
    stopped: tuple[Stopped, ...] = ()


class CountScan:
    """The one statement, and what it has left."""

    timeline: Timeline
    usual: UsualRows
    missing: MissingKeys

    def __init__(
        self,
        database: Database,
        logs: Logs,
        requests: Sequence[tuple[CountRequest, LogIndicator]],
    ) -> None:
        """Ask for what answers the requests, of which those in slices begin with a slice."""
        self._database, self._logs = database, logs
        bounds = {m for request, _ in requests for m in (request.span.start, request.span.end)}
        self._parts = {
            request.span: parts_of(request.span) for request, _ in requests if request.probe
        }
        if len(bounds) > FEW_BOUNDS:
            bounds.update(bounds_of(self._parts.values()))
        self._statement = Statement(logs, tuple(sorted(bounds)))
        self._statement.cut({parts.step for parts in self._parts.values()})
        probed = {indicator for request, indicator in requests if request.probe}
        self._columns = {
            indicator: _ask(self._statement, indicator, probe=indicator in probed)
            for indicator in dict.fromkeys(indicator for _, indicator in requests)
        }
        self._spans: dict[tuple[LogIndicator, Slices], list[Span]] = {}
        for request, indicator in requests:
            if request.slices is not None:
                self._spans.setdefault((indicator, request.slices), []).append(request.span)
        self._slices = {
            (indicator, slices): ask_for_slices(self._statement, slices, indicator)
            for indicator, slices in self._spans
        }
        self._seen = dict[Span, StepCoverage]()

    def run(self, times: Sequence[Span]) -> None:
        """Scan the logs.

        Args:
            times: that the runs look at, each with all of its requests.

        Raises:
            MeasurementError: rows whose time is not known.
            duckdb.Error: the files or the values in them cannot be read.
        """
        statement, logs, database = self._statement, self._logs, self._database
        lost, oldest, keys = statement.undated(), statement.oldest(), ask_for_keys(statement)
        row = statement.run(database)
        if row[lost]:
            raise undated(database, logs.source, logs.timestamp, row[lost])
        self.missing = missing_keys(database, keys, times)
        columns = self._columns.values()
        numbers = list(dict.fromkeys(name for each in columns for name in each.numbers))
        self.timeline = Timeline(numbers, statement.moments(database, numbers))
        since = None if oldest is None or row[oldest] is None else instant(row[oldest])
        self.usual = UsualRows(database, logs, since)
        self._counts = {
            key: slices.count(database, self._spans[key]) for key, slices in self._slices.items()
        }

    def draft(self, request: CountRequest, indicator: LogIndicator, time: Span) -> Draft:
        """Return the answer to a request in events.

        Args:
            request: begins with a slice, where slices are wanted.
            indicator: of the request.
            time: that the run looks at.
        """
        columns, faults = self._columns[indicator], self.missing.faults(time)
        if lacking := indicator.columns & faults.keys():
            reason, query = faults[min(lacking)], columns.query(request.span)
            return Draft(answer=Unmeasured(cause=Cause.INVALID, reason=reason, query=query))
        answer = self._events(request, columns)
        if not request.probe or not isinstance(answer, Counts) or columns.doubts is None:
            return Draft(answer=answer)
        parts = self._parts[request.span]
        doubts = tuple(suspicions(columns.doubts, self.timeline, parts, answer))
        stops = tuple(stopped(self._logs, indicator, columns.doubts, self.timeline, parts))
        return Draft(answer=with_doubts(answer, doubts, request.slices), stopped=stops)

    def answer(
        self,
        draft: Draft,
        request: CountRequest,
        indicator: LogIndicator,
        values: Mapping[Lookup, tuple[int, int]],
    ) -> Answer:
        """Return the answer to a request."""
        answer, slices = draft.answer, request.slices
        if not isinstance(answer, Counts):
            return answer
        if draft.stopped:
            doubts = tuple(doubt for stop in draft.stopped for doubt in stop.suspicions(values))
            answer = with_doubts(answer, doubts, slices)
        if slices is None:
            return answer
        return in_slices(answer, request, slices, self._counts[indicator, slices])

    def _events(self, request: CountRequest, columns: _Columns) -> Answer:
        span, timeline = request.span, self.timeline
        places = timeline.places(span)
        rows = timeline.sum(columns.rows, places)
        if not rows:
            reason = f"the logs have no row between {span.start:%F %T} and {span.end:%F %T} UTC"
            return Unmeasured(cause=Cause.NO_DATA, reason=reason, query=columns.query(span))
        if columns.amount is not None:
            return self._spent(request, columns, columns.amount, rows)
        total = timeline.sum(columns.total, places)
        if not total:
            reason = f"of {rows:,} rows none is an event: total is true of none"
            return Unmeasured(cause=Cause.NO_TRAFFIC, reason=reason, query=columns.query(span))
        return Counts(
            total=Fraction(total),
            bad=Fraction(timeline.sum(columns.bad, places)),
            evidence=self._evidence(request, columns, total, rows),
        )

    def _spent(
        self, request: CountRequest, columns: _Columns, amount: AmountColumns, rows: int
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
        columns: _Columns,
        number: Fraction | int,
        rows: int,
        notes: tuple[str, ...] = (),
    ) -> Evidence:
        """Return how far a number of events, or an amount, can be trusted."""
        span, query = request.span, columns.query(request.span)
        notes = (*self._logs.source.notes, *notes)
        if not request.probe:
            return Evidence(query=query, notes=notes)
        seen = self._coverage(span)
        return Evidence(
            query=query,
            newest=self.timeline.newest(columns.newest, self.timeline.places(span)),
            coverage=seen.share,
            gaps=seen.gaps,
            notes=notes,
            suspicions=lost_rows(seen, span, Fraction(number, rows), request.slices),
        )

    def _coverage(self, span: Span) -> StepCoverage:
        if span not in self._seen:
            parts, rows = self._parts[span], self._statement.rows()
            self._seen[span] = parts.coverage(self.timeline.by_part(rows, parts), self.usual)
        return self._seen[span]


def _ask(statement: Statement, indicator: LogIndicator, *, probe: bool) -> _Columns:
    statement.use(indicator)
    event = indicator.event
    return _Columns(
        indicator=indicator,
        query=repeatable(statement.logs, indicator),
        rows=statement.rows(),
        total=f"sum({statement.sum('count(*)', event)})",
        bad=f"sum({statement.sum('count(*)', event, indicator.bad)})",
        newest=f"epoch_us(max({statement.sum('max(_at)', event)}))",
        amount=ask_for_amount(statement, indicator),
        doubts=ask_for_doubts(statement, indicator) if probe else None,
    )
