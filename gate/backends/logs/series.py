"""What happened when: events by step, from one scan for each length of step."""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import isfinite

from gate.backends.logs.database import Database
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.keys import ask_for_keys, missing_keys
from gate.backends.logs.statement import MICROSECOND, Logs, Statement, microseconds, repeatable
from gate.backends.logs.timestamps import instant, undated
from gate.slo.history import Measured, Series, SeriesAnswer, SeriesRequest
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
    asked = [_ask(statement, request, indicator) for request, indicator in alike]
    keys = ask_for_keys(statement)
    row = statement.run(database)
    if row[lost]:
        raise undated(database, logs.source, logs.timestamp, row[lost])
    faults = missing_keys(database, keys, row)
    names = list(dict.fromkeys(name for one in asked for name in one))
    columns = ", ".join(f"sum({name})" for name in names)
    rows = database.query(f"SELECT {place}, {columns} FROM groups WHERE {place} >= 0 GROUP BY 1")
    steps = {int(place): dict(zip(names, sums, strict=True)) for place, *sums in rows}
    found = [[steps.get(place, {}) for place in range(request.steps)] for request, _ in alike]
    return [
        _fault(indicator, faults) or _series(logs, request, indicator, by_step, sums)
        for (request, indicator), by_step, sums in zip(alike, found, asked, strict=True)
    ]


def _ask(statement: Statement, request: SeriesRequest, indicator: Indicator) -> Sequence[str]:
    """Ask for events and bad ones and, for a mean, the sum and the number of the values."""
    statement.use(indicator)
    event = indicator.event
    asked = [statement.sum("count(*)", event), statement.sum("count(*)", event, indicator.bad)]
    if request.mean and indicator.measured is not None:
        value = statement.value(indicator.measured)
        asked += [statement.sum(f"{of}({value})", event) for of in ("fsum", "count")]
    return asked


def _fault(indicator: Indicator, faults: Mapping[str, str]) -> Unmeasured | None:
    reasons = [faults[column] for column in sorted(indicator.columns & faults.keys())]
    return Unmeasured(cause=Cause.INVALID, reason=reasons[0]) if reasons else None


def _series(
    logs: Logs,
    request: SeriesRequest,
    indicator: Indicator,
    found: Sequence[Mapping[str, float | None]],
    names: Sequence[str],
) -> Series:
    """Take one indicator's events and bad ones out of all that was summed up step by step."""
    total, bad, *values = names
    asked = CountRequest(sli=request.sli, span=request.span)
    query = repeatable(logs, asked, indicator)
    return Series(
        total=tuple(None if one.get(total) is None else float(one[total] or 0) for one in found),
        bad=tuple(None if one.get(total) is None else float(one[bad] or 0) for one in found),
        query=query,
        measured=_measured(found, *values, query=query) if values else None,
    )


def _measured(
    found: Sequence[Mapping[str, float | None]], sums: str, number: str, *, query: str
) -> Measured | Unmeasured:
    """Return what the mean is made of; a value that is NULL is not part of it."""
    pairs = [(one[sums], one[number]) if one.get(number) else (None, None) for one in found]
    if not all(isfinite(amount) for amount, _ in pairs if amount is not None):
        reason = "a value is infinite or NaN, of which there is no mean"
        return Unmeasured(cause=Cause.INVALID, reason=reason, query=query)
    return Measured(
        sums=tuple(amount for amount, _ in pairs), events=tuple(count for _, count in pairs)
    )
