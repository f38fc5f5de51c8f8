"""The events by step and label, from one scan for each span, step and set of labels."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

from gate.backends.sql.prepared import Prepared
from gate.backends.sql.rows import Label, SqlIndicator
from gate.backends.sql.steps import Scan, Scanned, StepGrid
from gate.backends.sql.times import within
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

IndicatorCohortRequest = tuple[CohortRequest, SqlIndicator]


def measure_cohorts(
    ready: Prepared, wanted: Sequence[IndicatorCohortRequest]
) -> list[CohortAnswer]:
    """Count every request's events by label and step, in order.

    Raises:
        MeasurementError: rows whose time is not known, or that cannot be read.
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
        answers |= zip(alike, _scan(ready, list(alike.values())), strict=True)
    return [answers[place] for place in range(len(wanted))]


def _scan(ready: Prepared, alike: Sequence[IndicatorCohortRequest]) -> list[CohortAnswer]:
    """Answer the requests with the same span, step and labels."""
    request, indicators = alike[0][0], [indicator for _, indicator in alike]
    labels = [ready.labels[name] for name in request.by]
    scan = Scan(ready.rows, [grid := StepGrid(request.span, request.step)])
    statement = scan.statement
    used: Sequence[SqlIndicator | Label] = [*indicators, *labels]
    for user in used:
        statement.use(user)
    names = [
        statement.key(f"CASE WHEN {within(request.span)} THEN {statement.value(label.sql)} END")
        for label in labels
    ]
    sums = [
        statement.count(indicator.event, *bad)
        for indicator in indicators
        for bad in ((), (indicator.bad,))
    ]
    scanned = scan.run()
    covered = scanned.covered(grid, timedelta())
    keys, notes = list[Sequence[str | None]](), list(ready.rows.notes)
    for place, name in enumerate(names):
        values, note = _busiest(scanned, grid, request, place, name)
        keys.append(values)
        notes += note
    places = [
        None if place is None else (key, place)
        for key, place in zip(zip(*keys, strict=True), scanned.places(grid), strict=True)
    ]
    counts = scanned.groups.by(places, sums)
    return [
        scanned.fault(indicator, *labels)
        or _cohorts(
            [(*place, *numbers[first : first + 2]) for place, numbers in counts.items()],
            covered,
            tuple(notes),
            ready.rows.repeatable(indicator)(request.span),
            ready.rows.noun,
        )
        for first, indicator in zip(count(0, 2), indicators, strict=False)
    ]


def _busiest(
    scanned: Scanned, grid: StepGrid, request: CohortRequest, place: int, name: str
) -> tuple[Sequence[str | None], list[str]]:
    """Return a label per group that keeps only the busiest values, with a note on it."""
    there = zip(scanned.groups[name], scanned.places(grid), strict=True)
    values = [value if place is not None else None for value, place in there]
    rows = scanned.groups.by(values, [scanned.rows])
    if len(rows) <= request.most:
        return values, []
    ranked = sorted(rows, key=lambda value: (-rows[value][0], value))
    kept = set(ranked[: request.most])
    if place == 0 and request.keep is not None:
        kept.add(request.keep)
    some = [value if value is None or value in kept else OTHERS for value in values]
    return some, [cut_note(request.by[place], request.most, len(rows))]


def _cohorts(
    counts: Sequence[tuple[LabelValues, int, int, int]],
    covered: Sequence[bool],
    notes: tuple[str, ...],
    query: str,
    noun: str,
) -> CohortAnswer:
    """Return the total and bad events of one indicator, by group and step with rows."""
    steps: dict[LabelValues, dict[int, tuple[int, int]]] = {}
    for values, place, total, bad in counts:
        if total:
            steps.setdefault(values, {})[place] = total, bad
    if not steps:
        there = bool(counts)
        cause = Cause.NO_TRAFFIC if there else Cause.NO_DATA
        reason = "no row in this time is an event" if there else f"{noun} no row in the time"
        return Unmeasured(cause=cause, reason=reason, query=query)
    return Cohorts(
        groups={values: _cohort(points, covered) for values, points in sorted(steps.items())},
        query=query,
        notes=notes,
    )


def _cohort(counts: dict[int, tuple[int, int]], covered: Sequence[bool]) -> Cohort:
    """Return a group's events; an unknown step has none."""
    points = [counts.get(place, (0, 0)) if there else None for place, there in enumerate(covered)]
    return Cohort(
        total=tuple(None if point is None else float(point[0]) for point in points),
        bad=tuple(None if point is None else float(point[1] or 0) for point in points),
    )
