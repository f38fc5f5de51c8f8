"""One scan that puts rows into the steps of a stretch of time, and into groups where asked."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta

# ruff: noqa: S608 - made of names and numbers only
from math import isfinite

from gate.backends.logs.database import Database
from gate.backends.logs.indicators import Label, LogIndicator
from gate.backends.logs.keys import ask_for_keys, missing_keys
from gate.backends.logs.statement import MICROSECOND, Logs, Statement, microseconds, repeatable
from gate.backends.logs.timestamps import sql_instant, undated
from gate.dataclass import dataclass
from gate.measure import Cause, CountRequest, Unmeasured
from gate.measure.history import Measured, Series, SeriesAnswer, SeriesRequest
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Scanned:
    """What the columns of the table ``groups`` mean, which the scan has left."""

    place: str
    """The step, from 0; NULL outside of the span."""
    labels: tuple[str, ...]
    rows: str
    """The number of rows."""
    sums: tuple[tuple[str, ...], ...]
    """Of each indicator the events and the bad ones and, for a mean, the sum and the number of the
    values."""
    faults: Mapping[str, str]
    """Column -> why it cannot be used."""

    def fault(self, *used: LogIndicator | Label) -> Unmeasured | None:
        """Return why there is no answer that needs these; None: there is one."""
        columns = sorted(self.faults.keys() & {name for user in used for name in user.columns})
        if not columns:
            return None
        return Unmeasured(cause=Cause.INVALID, reason=self.faults[columns[0]])


def scan(
    database: Database,
    logs: Logs,
    span: Span,
    step: timedelta,
    indicators: Sequence[LogIndicator],
    *,
    labels: Sequence[Label] = (),
    means: Collection[LogIndicator] = (),
) -> Scanned:
    """Scan, and keep what happened in each step, for each value of the labels.

    Args:
        database: where the scan is made.
        logs: the rows.
        span: the stretch of time.
        step: of which it is a whole number.
        indicators: what counts as an event, and which are bad.
        labels: what events are told apart by.
        means: those of the indicators of whose values a mean is wanted.

    Raises:
        MeasurementError: rows whose time is not known.
        duckdb.Error: the files or the values in them cannot be read.
    """
    statement = Statement(logs, at=span.end, starts=(span.start,))
    lost = statement.undated()
    statement.count(span)  # an aggregate, so that the statement has one row whatever else it asks
    within = f"_at > {sql_instant(span.start)} AND _at <= {sql_instant(span.end)}"
    since = f"epoch_us(_at) - {microseconds(span.start) + 1}"
    place = statement.key(f"CASE WHEN {within} THEN ({since}) // {step // MICROSECOND} END")
    used: Sequence[LogIndicator | Label] = [*indicators, *labels]
    for column_user in used:
        statement.use(column_user)
    keys = [
        statement.key(f"CASE WHEN {within} THEN {statement.value(label.sql)} END")
        for label in labels
    ]
    sums = [_sums(statement, indicator, mean=indicator in means) for indicator in indicators]
    rows = statement.sum("count(*)")
    files = ask_for_keys(statement)
    row = statement.run(database)
    if row[lost]:
        raise undated(database, logs.source, logs.timestamp, row[lost])
    return Scanned(
        place=place,
        labels=tuple(keys),
        rows=rows,
        sums=tuple(sums),
        faults=missing_keys(database, files, row),
    )


def _sums(statement: Statement, indicator: LogIndicator, *, mean: bool) -> tuple[str, ...]:
    event = indicator.event
    names = (statement.sum("count(*)", event), statement.sum("count(*)", event, indicator.bad))
    if not mean or indicator.measured is None:
        return names
    value = statement.value(indicator.measured)
    return (*names, *(statement.sum(f"{of}({value})", event) for of in ("fsum", "count")))


IndicatorSeriesRequest = tuple[SeriesRequest, LogIndicator]


def measure_steps(
    database: Database, logs: Logs, wanted: Sequence[IndicatorSeriesRequest]
) -> list[SeriesAnswer]:
    """Tell every request's events step by step, in order.

    A step without any row is not known: a log does not say whether nothing happened or nothing was
    written.

    Raises:
        MeasurementError: rows whose time is not known.
        duckdb.Error: the files or the values in them cannot be read.
    """
    answers: dict[int, SeriesAnswer] = {}
    grids: dict[tuple[Span, timedelta], dict[int, IndicatorSeriesRequest]] = {}
    for place, (request, indicator) in enumerate(wanted):
        if indicator.bad is None:
            reason = "what is spent has no events to tell step by step"
            answers[place] = Unmeasured(cause=Cause.INVALID, reason=reason)
        else:
            grid = (request.span, request.step)
            grids.setdefault(grid, {})[place] = request, indicator
    for alike in grids.values():
        answers |= zip(alike, _scan(database, logs, list(alike.values())), strict=True)
    return [answers[place] for place in range(len(wanted))]


def _scan(
    database: Database, logs: Logs, alike: Sequence[IndicatorSeriesRequest]
) -> list[SeriesAnswer]:
    """Tell requests of one span and step."""
    first, indicators = alike[0][0], [indicator for _, indicator in alike]
    means = [indicator for request, indicator in alike if request.mean]
    scanned = scan(database, logs, first.span, first.step, indicators, means=means)
    place, names = (
        scanned.place,
        list(dict.fromkeys(name for pair in scanned.sums for name in pair)),
    )
    columns = ", ".join(f"sum({name})" for name in names)
    rows = database.query(f"SELECT {place}, {columns} FROM groups WHERE {place} >= 0 GROUP BY 1")
    steps = {int(place): dict(zip(names, sums, strict=True)) for place, *sums in rows}
    series = [[steps.get(place, {}) for place in range(request.steps)] for request, _ in alike]
    return [
        scanned.fault(indicator) or _series(logs, request, indicator, by_step, sums)
        for (request, indicator), by_step, sums in zip(alike, series, scanned.sums, strict=True)
    ]


def _series(
    logs: Logs,
    request: SeriesRequest,
    indicator: LogIndicator,
    steps: Sequence[Mapping[str, float | None]],
    names: Sequence[str],
) -> Series:
    """Take one indicator's events and bad ones out of all that was summed up step by step."""
    total, bad, *values = names
    whole = CountRequest(sli=request.sli, span=request.span)
    query = repeatable(logs, whole, indicator)
    return Series(
        total=tuple(None if step.get(total) is None else float(step[total] or 0) for step in steps),
        bad=tuple(None if step.get(total) is None else float(step[bad] or 0) for step in steps),
        query=query,
        notes=logs.source.notes,
        measured=_measured(steps, *values, query=query) if values else None,
    )


def _measured(
    steps: Sequence[Mapping[str, float | None]], sums: str, number: str, *, query: str
) -> Measured | Unmeasured:
    """Return what the mean is made of; a value that is NULL is not part of it."""
    pairs = [(step[sums], step[number]) if step.get(number) else (None, None) for step in steps]
    if not all(isfinite(amount) for amount, _ in pairs if amount is not None):
        reason = "a value is infinite or NaN, of which there is no mean"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=query)
    return Measured(
        sums=tuple(amount for amount, _ in pairs), events=tuple(count for _, count in pairs)
    )
