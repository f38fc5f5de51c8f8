"""What happened when: events by step, from one scan for each length of step."""

# ruff: noqa: S608 - made of names and numbers only

from collections.abc import Mapping, Sequence
from datetime import timedelta

from gate.backends.logs.database import Database
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.statement import Logs, repeatable
from gate.backends.logs.steps import scan
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
    first = alike[0][0]
    scanned = scan(database, logs, first.span, first.step, [one for _, one in alike])
    columns = ", ".join(f"sum({name})" for name in scanned.sums)
    place = scanned.place
    rows = database.query(f"SELECT {place}, {columns} FROM groups WHERE {place} >= 0 GROUP BY 1")
    steps = {int(place): counts for place, *counts in rows}
    return [
        scanned.fault(indicator) or _series(logs, request, indicator, steps, 2 * number)
        for number, (request, indicator) in enumerate(alike)
    ]


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
