"""What happened in each step of stretches of time: events, slices or amounts, from one scan."""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import isfinite
from typing import Any

from gate.backends.logs.amounts import AmountColumns, Spending, ask_for_amount, spending
from gate.backends.logs.database import Database
from gate.backends.logs.indicators import LogIndicator
from gate.backends.logs.slices import SliceColumns, ask_for_slices
from gate.backends.logs.statement import Logs, Statement, repeatable
from gate.backends.logs.steps import Scan, Scanned, StepGrid
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError, Unmeasured
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest, clock_start
from gate.slo.indicator import EmptySlice
from gate.slo.objective import Span

IndicatorSeriesRequest = tuple[SeriesRequest, LogIndicator]


def measure_steps(
    database: Database, logs: Logs, wanted: Sequence[IndicatorSeriesRequest]
) -> list[SeriesAnswer]:
    """Tell every request's events, slices or amounts step by step, in order.

    Raises:
        MeasurementError: rows whose time is not known.
        duckdb.Error: the files or the values in them cannot be read.
    """
    grids = [StepGrid(request.span, request.step) for request, _ in wanted]
    scan = Scan(logs, dict.fromkeys(grids), min(_oldest(request) for request, _ in wanted))
    requested = [_ask(scan.statement, request, indicator) for request, indicator in wanted]
    scanned = scan.run(database)
    wishes = dict.fromkeys(
        (grid, request.max_age) for grid, (request, _) in zip(grids, wanted, strict=True)
    )
    covered = {wish: scanned.covered(database, *wish) for wish in wishes}
    alike: dict[StepGrid, list[_Columns]] = {}
    for grid, columns in zip(grids, requested, strict=True):
        alike.setdefault(grid, []).append(columns)
    sums = {grid: _sums(database, scanned, grid, some) for grid, some in alike.items()}
    return [
        scanned.fault(columns.indicator)
        or columns.answer(database, sums[grid], covered[grid, columns.request.max_age])
        for grid, columns in zip(grids, requested, strict=True)
    ]


def _oldest(request: SeriesRequest) -> datetime:
    """Return when the oldest row happened that a request can need: a slice may begin earlier."""
    slices, start = request.slices, request.span.start
    return start if slices is None else clock_start(start, slices.length)


StepSums = Mapping[int, Mapping[str, Any]]
"""By step, from 0, of those that have rows: what each aggregate came to."""


def _sums(
    database: Database, scanned: Scanned, grid: StepGrid, requested: Sequence["_Columns"]
) -> StepSums:
    names = list(dict.fromkeys(name for columns in requested for name in columns.aggregates))
    place = scanned.places[grid]
    rows = database.query(
        f"SELECT {', '.join([place, *names])} FROM groups WHERE {place} >= 0 GROUP BY 1"
    )
    return {int(place): dict(zip(names, sums, strict=True)) for place, *sums in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """A request, and which aggregates over the groups answer it."""

    request: SeriesRequest
    indicator: LogIndicator
    query: str
    notes: tuple[str, ...]
    rows: str
    events: tuple[str, str]
    """All of them, and the bad ones; of an amount: all rows, twice."""
    amount: AmountColumns | None
    mean: tuple[str, str] | None
    """The sum and the number of the values."""
    slices: SliceColumns | None

    @property
    def aggregates(self) -> tuple[str, ...]:
        amounts = () if self.amount is None else self.amount.aggregates
        return (self.rows, *self.events, *amounts, *(self.mean or ()))

    def answer(self, database: Database, sums: StepSums, covered: Sequence[bool]) -> SeriesAnswer:
        """Return what happened in each step.

        Args:
            database: with the table ``groups``.
            sums: of the steps.
            covered: of each step, whether it is known what happened.
        """
        if self.amount is not None:
            return self._by_amounts(self.amount, sums, covered)
        if self.slices is not None:
            return self._by_slices(database, self.slices, covered)
        total, bad = self.events
        return self._series(
            [float(sums[n][total] or 0) if n in sums else 0.0 for n in range(len(covered))],
            [float(sums[n][bad] or 0) if n in sums else 0.0 for n in range(len(covered))],
            covered,
            measured=None if self.mean is None else self._measured(sums, len(covered)),
        )

    def _by_amounts(
        self, columns: AmountColumns, sums: StepSums, covered: Sequence[bool]
    ) -> SeriesAnswer:
        names = columns.aggregates
        by_step = {place: spending([step[name] for name in names]) for place, step in sums.items()}
        try:
            for place, spent in by_step.items():
                if spent.count:
                    spent.checked(sums[place][self.rows])
            if by_step and not any(spent.count for spent in by_step.values()):
                rows = sum(step[self.rows] for step in sums.values())
                Spending(count=0, lowest=None, amount=Fraction(0)).checked(rows)
        except MeasurementError as refusal:
            return refusal.answer(self.query)
        amounts = [float(by_step[n].amount) if n in by_step else 0.0 for n in range(len(covered))]
        return self._series(amounts, amounts, covered)

    def _by_slices(
        self, database: Database, columns: SliceColumns, covered: Sequence[bool]
    ) -> SeriesAnswer:
        """Return slices by step.

        Where the policy says what slices without events count as, all of them count, as they do in
        the count of the whole time.
        """
        request = self.request
        counts = columns.by_step(database, request.span, request.step)
        judged, _ = counts.judged(request.span)
        if judged and columns.slices.empty is not EmptySlice.LEFT_OUT:
            covered = [True] * len(covered)
        pairs = [
            counts.counted(Span(request.end_of(place - 1), request.end_of(place)))
            for place in range(len(covered))
        ]
        return self._series(
            [float(total) for total, _ in pairs], [float(bad) for _, bad in pairs], covered
        )

    def _series(
        self,
        total: Sequence[float],
        bad: Sequence[float],
        covered: Sequence[bool],
        *,
        measured: Measured | Unmeasured | None = None,
    ) -> Series:
        return Series(
            total=_where(total, covered),
            bad=_where(bad, covered),
            query=self.query,
            notes=self.notes,
            measured=measured,
        )

    def _measured(self, sums: StepSums, steps: int) -> Measured | Unmeasured:
        """Return what the mean is made of; a value that is NULL is not part of it."""
        value, number = self.mean or ("", "")
        pairs = [
            (sums[place][value], sums[place][number])
            if place in sums and sums[place][number]
            else (None, None)
            for place in range(steps)
        ]
        if not all(isfinite(amount) for amount, _ in pairs if amount is not None):
            reason = "a value is infinite or NaN, of which there is no mean"
            return Unmeasured(cause=Cause.INVALID, reason=reason, query=self.query)
        return Measured(
            sums=tuple(amount for amount, _ in pairs), events=tuple(count for _, count in pairs)
        )


def _where(values: Sequence[float], covered: Sequence[bool]) -> tuple[float | None, ...]:
    pairs = zip(values, covered, strict=True)
    return tuple(value if is_known else None for value, is_known in pairs)


def _ask(statement: Statement, request: SeriesRequest, indicator: LogIndicator) -> _Columns:
    statement.use(indicator)
    event = indicator.event
    total, bad = statement.sum("count(*)", event), statement.sum("count(*)", event, indicator.bad)
    return _Columns(
        request=request,
        indicator=indicator,
        query=repeatable(statement.logs, indicator)(request.span),
        notes=statement.logs.source.notes,
        rows=statement.rows(),
        events=(f"sum({total})", f"sum({bad})"),
        amount=ask_for_amount(statement, indicator),
        mean=_ask_for_mean(statement, indicator) if request.mean else None,
        slices=None
        if request.slices is None
        else ask_for_slices(statement, request.slices, indicator),
    )


def _ask_for_mean(statement: Statement, indicator: LogIndicator) -> tuple[str, str] | None:
    if indicator.measured is None:
        return None
    value, event = statement.value(indicator.measured), indicator.event
    number, total = (statement.sum(f"{of}({value})", event) for of in ("count", "fsum"))
    return f"sum({total})", f"sum({number})"
