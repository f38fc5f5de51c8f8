"""The history in steps: events, slices or amounts, from one scan."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import isfinite
from typing import Any

from gate.backends.sql.amounts import AmountColumns, Spending, ask_for_amount, spending
from gate.backends.sql.groups import Groups
from gate.backends.sql.rows import RowSource, SqlIndicator
from gate.backends.sql.slices import SliceColumns, SliceCounts, ask_for_slices
from gate.backends.sql.statement import Statement
from gate.backends.sql.steps import Scan, Scanned, StepGrid
from gate.dataclass import dataclass
from gate.measure import Cause, MeasurementError, Unmeasured
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest, clock_start
from gate.slo.indicator import EmptySlice
from gate.slo.objective import Span

IndicatorSeriesRequest = tuple[SeriesRequest, SqlIndicator]


def measure_steps(rows: RowSource, wanted: Sequence[IndicatorSeriesRequest]) -> list[SeriesAnswer]:
    """Count every request's events, slices or amounts by step, in order.

    Raises:
        MeasurementError: rows whose time is not known, or that cannot be read.
    """
    grids = [StepGrid(request.span, request.step) for request, _ in wanted]
    scan = Scan(rows, dict.fromkeys(grids), min(_oldest(request) for request, _ in wanted))
    requested = [ask_for_steps(scan.statement, *pair) for pair in wanted]
    return answer_steps(scan.run(), requested)


def answer_steps(scanned: Scanned, requested: Sequence["StepColumns"]) -> list[SeriesAnswer]:
    """Return the counts of each step, in order, from the result of a scan."""
    grids = [columns.grid for columns in requested]
    wishes = dict.fromkeys(
        (grid, columns.request.max_age) for grid, columns in zip(grids, requested, strict=True)
    )
    covered = {wish: scanned.covered(*wish) for wish in wishes}
    alike: dict[StepGrid, list[StepColumns]] = {}
    for grid, columns in zip(grids, requested, strict=True):
        alike.setdefault(grid, []).append(columns)
    sums = {grid: _sums(scanned, grid, some) for grid, some in alike.items()}
    return [
        scanned.fault(columns.indicator)
        or columns.answer(scanned.groups, sums[grid], covered[grid, columns.request.max_age])
        for grid, columns in zip(grids, requested, strict=True)
    ]


def _oldest(request: SeriesRequest) -> datetime:
    """Return the earliest time of a row that a request can need: a slice may begin earlier."""
    slices, start = request.slices, request.span.start
    return start if slices is None else clock_start(start, slices.length)


StepSums = Mapping[int, Mapping[str, Any]]
"""The values of the numbers, by step from 0 and name, for steps with rows."""


def _sums(scanned: Scanned, grid: StepGrid, requested: Sequence["StepColumns"]) -> StepSums:
    names = list(dict.fromkeys(name for columns in requested for name in columns.numbers))
    return {
        place: dict(zip(names, sums, strict=True))
        for place, sums in scanned.by_step(grid, names).items()
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class StepColumns:
    """A request, and the names of the numbers that answer it."""

    request: SeriesRequest
    indicator: SqlIndicator
    query: str
    source: RowSource
    rows: str
    events: tuple[str, str]
    """The total and the bad events; for an amount all rows, twice."""
    amount: AmountColumns | None
    mean: tuple[str, str] | None
    """The sum and the number of the values; None: no mean was requested."""
    slices: SliceColumns | None

    @property
    def grid(self) -> StepGrid:
        """The steps."""
        return StepGrid(self.request.span, self.request.step)

    @property
    def numbers(self) -> tuple[str, ...]:
        """All of these names."""
        amounts = () if self.amount is None else self.amount.numbers
        return (self.rows, *self.events, *amounts, *(self.mean or ()))

    def answer(self, groups: Groups, sums: StepSums, covered: Sequence[bool]) -> SeriesAnswer:
        """Return the counts of each step.

        Args:
            groups: the groups of the scan.
            sums: the sums of the steps.
            covered: whether the events of each step are known.
        """
        if self.amount is not None:
            return self._by_amounts(self.amount, sums, covered)
        if self.slices is not None:
            return self._by_slices(self.slices.count(groups), covered)
        total, bad = self.events
        return self._series(
            [float(sums[n][total]) if n in sums else 0.0 for n in range(len(covered))],
            [float(sums[n][bad]) if n in sums else 0.0 for n in range(len(covered))],
            covered,
            measured=None if self.mean is None else self._measured(sums, len(covered)),
        )

    def _by_amounts(
        self, columns: AmountColumns, sums: StepSums, covered: Sequence[bool]
    ) -> SeriesAnswer:
        names = columns.numbers
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

    def _by_slices(self, counts: SliceCounts, covered: Sequence[bool]) -> SeriesAnswer:
        """Return slices by step.

        If the policy defines how slices without events count, all of them count, as in the count of
        the whole time.
        """
        request = self.request
        judged, _ = counts.judged(request.span)
        if judged and counts.slices.empty is not EmptySlice.LEFT_OUT:
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
            notes=self.source.notes,
            measured=measured,
        )

    def _measured(self, sums: StepSums, steps: int) -> Measured | Unmeasured:
        """Return the sums and numbers for the mean; a NULL value is not part of it."""
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


def ask_for_steps(
    statement: Statement, request: SeriesRequest, indicator: SqlIndicator
) -> StepColumns:
    """Request the numbers for a request, by steps that the statement separates."""
    statement.use(indicator)
    event = indicator.event
    return StepColumns(
        request=request,
        indicator=indicator,
        query=statement.rows.repeatable(indicator)(request.span),
        source=statement.rows,
        rows=statement.count(),
        events=(statement.count(event), statement.count(event, indicator.bad)),
        amount=ask_for_amount(statement, indicator),
        mean=_ask_for_mean(statement, indicator) if request.mean else None,
        slices=None
        if request.slices is None
        else ask_for_slices(
            statement, request.slices, indicator, Span(_oldest(request), request.span.end)
        ),
    )


def _ask_for_mean(statement: Statement, indicator: SqlIndicator) -> tuple[str, str] | None:
    if indicator.measured is None:
        return None
    value, event = indicator.measured, indicator.event
    return statement.float_sum(value, event), statement.count_values(value, event)
