"""What happened to whom: events by step and label, from one scan for each span, step and labels."""

# ruff: noqa: S608 - made of names, numbers and quoted texts

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from gate.backends.logs.database import Database, literal
from gate.backends.logs.indicators import Label, LogIndicator
from gate.backends.logs.prepare import Prepared
from gate.backends.logs.statement import repeatable
from gate.backends.logs.steps import Scan, Scanned, StepGrid
from gate.backends.logs.timestamps import within
from gate.measure import Cause, Unmeasured
from gate.measure.cohorts import (
    OTHERS,
    Cohort,
    CohortAnswer,
    CohortRequest,
    Cohorts,
    LabelValues,
    cut_note,
)

IndicatorCohortRequest = tuple[CohortRequest, LogIndicator]


def measure_cohorts(
    database: Database, ready: Prepared, wanted: Sequence[IndicatorCohortRequest]
) -> list[CohortAnswer]:
    """Tell every request's events by label and step, in order.

    Raises:
        MeasurementError: rows whose time is not known.
        duckdb.Error: the files or the values in them cannot be read.
    """
    answers: dict[int, CohortAnswer] = {}
    grids: dict[tuple[object, ...], dict[int, IndicatorCohortRequest]] = {}
    for place, (request, indicator) in enumerate(wanted):
        unlabelled = [ready.unlabelled[name] for name in request.by if name in ready.unlabelled]
        if indicator.bad is None:
            reason = "spend has no events to group"
            answers[place] = Unmeasured(cause=Cause.INVALID, reason=reason)
        elif unlabelled:
            answers[place] = unlabelled[0]
        else:
            grid = (request.span, request.step, request.by, request.most, request.keep)
            grids.setdefault(grid, {})[place] = request, indicator
    for alike in grids.values():
        answers |= zip(alike, _scan(database, ready, list(alike.values())), strict=True)
    return [answers[place] for place in range(len(wanted))]


def _scan(
    database: Database, ready: Prepared, alike: Sequence[IndicatorCohortRequest]
) -> list[CohortAnswer]:
    """Tell requests of one span, step and labels."""
    request, indicators = alike[0][0], [indicator for _, indicator in alike]
    labels = [ready.labels[name] for name in request.by]
    scan = Scan(ready.logs, [grid := StepGrid(request.span, request.step)])
    statement = scan.statement
    used: Sequence[LogIndicator | Label] = [*indicators, *labels]
    for user in used:
        statement.use(user)
    names = [
        statement.key(f"CASE WHEN {within(request.span)} THEN {statement.value(label.sql)} END")
        for label in labels
    ]
    sums = [
        statement.sum("count(*)", indicator.event, *bad)
        for indicator in indicators
        for bad in ((), (indicator.bad,))
    ]
    scanned = scan.run(database, names)
    covered = scanned.covered(database, grid, timedelta())
    keys, notes = list[str](), list(ready.logs.source.notes)
    for place in range(len(labels)):
        key, note = _busiest(database, scanned, grid, request, place)
        keys.append(key)
        notes += note
    place_of = scanned.places[grid]
    columns = [*keys, place_of, *(f"sum({name})" for name in sums)]
    rows = database.query(
        f"SELECT {', '.join(columns)} FROM groups WHERE {place_of} >= 0 GROUP BY ALL"
    )
    by = len(keys)
    return [
        scanned.fault(indicator, *labels)
        or _cohorts(
            [(row[:by], int(row[by]), *row[first : first + 2]) for row in rows],
            covered,
            tuple(notes),
            repeatable(ready.logs, indicator)(request.span),
        )
        for first, indicator in zip(count(by + 1, 2), indicators, strict=False)
    ]


def _busiest(
    database: Database, scanned: Scanned, grid: StepGrid, request: CohortRequest, place: int
) -> tuple[str, list[str]]:
    """Return SQL for a label whose busiest values alone are kept, and a note on it."""
    name = scanned.labels[place]
    among = f"FROM groups WHERE {scanned.places[grid]} >= 0"
    ((values,),) = database.query(f"SELECT count(DISTINCT {name}) {among}")
    if values <= request.most:
        return name, []
    ranked = database.query(
        f"SELECT {name} {among} GROUP BY 1 ORDER BY sum({scanned.rows}) DESC, 1 "
        f"LIMIT {request.most}"
    )
    kept = [str(value) for (value,) in ranked]
    if place == 0 and request.keep is not None:
        kept.append(request.keep)
    some = ", ".join(map(literal, kept))
    sql = f"CASE WHEN {name} IN ({some}) THEN {name} ELSE {literal(OTHERS)} END"
    return sql, [cut_note(request.by[place], request.most, values)]


def _cohorts(
    counts: Sequence[tuple[LabelValues, int, int, int]],
    covered: Sequence[bool],
    notes: tuple[str, ...],
    query: str,
) -> CohortAnswer:
    """Put together one indicator's events and bad ones, of each group and step that has rows."""
    steps: dict[LabelValues, dict[int, tuple[int, int]]] = {}
    for values, place, total, bad in counts:
        if total:
            steps.setdefault(values, {})[place] = total, bad
    if not steps:
        there = bool(counts)
        cause = Cause.NO_TRAFFIC if there else Cause.NO_DATA
        reason = (
            "of all rows in the time none is an event"
            if there
            else "the logs have no row in the time"
        )
        return Unmeasured(cause=cause, reason=reason, query=query)
    return Cohorts(
        groups={values: _cohort(points, covered) for values, points in sorted(steps.items())},
        query=query,
        notes=notes,
    )


def _cohort(counts: dict[int, tuple[int, int]], covered: Sequence[bool]) -> Cohort:
    """Return a group's events; of a step of which nothing is known there are none."""
    points = [counts.get(place, (0, 0)) if there else None for place, there in enumerate(covered)]
    return Cohort(
        total=tuple(None if point is None else float(point[0]) for point in points),
        bad=tuple(None if point is None else float(point[1] or 0) for point in points),
    )
