"""What happened when: events by step, from one scan for each length of step."""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import isfinite

from gate.backends.logs.database import Database
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.statement import Logs, repeatable
from gate.backends.logs.steps import scan
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
    first, indicators = alike[0][0], [indicator for _, indicator in alike]
    means = [indicator for request, indicator in alike if request.mean]
    scanned = scan(database, logs, first.span, first.step, indicators, means=means)
    place, names = scanned.place, list(dict.fromkeys(name for one in scanned.sums for name in one))
    columns = ", ".join(f"sum({name})" for name in names)
    rows = database.query(f"SELECT {place}, {columns} FROM groups WHERE {place} >= 0 GROUP BY 1")
    steps = {int(place): dict(zip(names, sums, strict=True)) for place, *sums in rows}
    found = [[steps.get(place, {}) for place in range(request.steps)] for request, _ in alike]
    return [
        scanned.fault(indicator) or _series(logs, request, indicator, by_step, sums)
        for (request, indicator), by_step, sums in zip(alike, found, scanned.sums, strict=True)
    ]


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
