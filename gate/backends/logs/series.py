"""What happened when: events by step, from one scan for each length of step."""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Mapping, Sequence
from datetime import timedelta

from gate.backends.logs.database import Database
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.keys import ask_for_keys, missing_keys
from gate.backends.logs.statement import MICROSECOND, Logs, Statement, microseconds, repeatable
from gate.backends.logs.timestamps import instant, undated
from gate.slo.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.measurement import Cause, CountRequest, Unmeasured
from gate.slo.window import Span

Wanted = tuple[SeriesRequest, Indicator]


def tell(database: Database, logs: Logs, wanted: Sequence[Wanted]) -> list[SeriesAnswer]:
    """Tell every request's events step by step, in order.

    A step without any row is not known: a log does not say whether nothing happened or nothing was
    written.

    Raises:
        Refusal: rows whose time is not known.
        duckdb.Error: the files or the values in them cannot be read.
    """
    told: dict[int, SeriesAnswer] = {}
    grids: dict[tuple[Span, timedelta], dict[int, Wanted]] = {}
    for place, (request, indicator) in enumerate(wanted):
        if indicator.bad is None:
            reason = "what is spent has no events to tell step by step"
            told[place] = Unmeasured(cause=Cause.INVALID, reason=reason)
        else:
            grid = (request.span, request.step)
            grids.setdefault(grid, {})[place] = request, indicator
    for alike in grids.values():
        told |= zip(alike, _scan(database, logs, list(alike.values())), strict=True)
    return [told[place] for place in range(len(wanted))]


def _scan(database: Database, logs: Logs, alike: Sequence[Wanted]) -> list[SeriesAnswer]:
    """Tell requests of one span and step."""
    span, step = alike[0][0].span, alike[0][0].step
    statement = Statement(logs, at=span.end, starts=(span.start,))
    lost = statement.undated()
    statement.count(span)  # an aggregate, so that the statement has one row whatever else it asks
    width = step // MICROSECOND
    place = statement.key(
        f"CASE WHEN _at > {instant(span.start)} AND _at <= {instant(span.end)} "
        f"THEN (epoch_us(_at) - {microseconds(span.start) + 1}) // {width} END"
    )
    sums = []
    for _, indicator in alike:
        statement.use(indicator)
        sums.append(statement.sum("count(*)", indicator.event))
        sums.append(statement.sum("count(*)", indicator.event, indicator.bad))
    keys = ask_for_keys(statement)
    row = statement.run(database)
    if row[lost]:
        raise undated(database, logs.source, logs.timestamp, row[lost])
    faults = missing_keys(database, keys, row)
    columns = ", ".join(f"sum({name})" for name in sums)
    rows = database.query(f"SELECT {place}, {columns} FROM groups WHERE {place} >= 0 GROUP BY 1")
    steps = {int(place): counts for place, *counts in rows}
    return [
        _fault(indicator, faults) or _series(logs, request, indicator, steps, 2 * number)
        for number, (request, indicator) in enumerate(alike)
    ]


def _fault(indicator: Indicator, faults: Mapping[str, str]) -> Unmeasured | None:
    reasons = [faults[column] for column in sorted(indicator.columns & faults.keys())]
    return Unmeasured(cause=Cause.INVALID, reason=reasons[0]) if reasons else None


def _series(
    logs: Logs,
    request: SeriesRequest,
    indicator: Indicator,
    steps: Mapping[int, Sequence[int | None]],
    column: int,
) -> Series:
    """Take one indicator's events and bad ones out of all that was counted."""
    none = (None,) * (column + 2)
    found = [steps.get(place, none)[column : column + 2] for place in range(request.steps)]
    asked = CountRequest(sli=request.sli, span=request.span)
    return Series(
        total=tuple(None if total is None else float(total) for total, _ in found),
        bad=tuple(None if total is None else float(bad or 0) for total, bad in found),
        query=repeatable(logs, asked, indicator),
    )
