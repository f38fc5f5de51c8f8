"""The events by every column with few values, in a few stretches of time."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gate.backends.sql.engine import Kind
from gate.backends.sql.groups import Groups
from gate.backends.sql.prepared import Prepared
from gate.backends.sql.rows import Label, RowSource, SqlIndicator
from gate.backends.sql.statement import Statement
from gate.backends.sql.times import microseconds, within
from gate.measure import Cause, Unmeasured
from gate.measure.cohorts import IDENTITIES, EventCounts, LabelAnswer, LabelCounts, LabelRequest
from gate.slo.objective import Span

IndicatorLabelRequest = tuple[LabelRequest, SqlIndicator]
_SAMPLE: Final = 20_000
"""The size of the sample in which the values of each column are counted."""
_MOST_GROUPS: Final = 200_000
"""The most combinations of values; columns beyond that are left out."""


def measure_labels(ready: Prepared, wanted: Sequence[IndicatorLabelRequest]) -> list[LabelAnswer]:
    """Count every request's events by the columns with few values, in order; one scan for each.

    Raises:
        MeasurementError: rows whose time is not known, or that cannot be read.
    """
    reason = "spend has no events to group"
    spent = Unmeasured(cause=Cause.INVALID, reason=reason)
    labels, left_out = dict[str, Label](), dict[str, int]()
    counted = [request for request, indicator in wanted if indicator.bad is not None]
    if counted:
        labels, left_out = _candidates(ready.rows, counted)
    return [
        spent if indicator.bad is None else _scan(ready.rows, request, indicator, labels, left_out)
        for request, indicator in wanted
    ]


def _candidates(
    rows: RowSource, requests: Sequence[LabelRequest]
) -> tuple[dict[str, Label], dict[str, int]]:
    """Return the columns with few values, and the number of values of the columns left out."""
    most = max(request.most for request in requests)
    names = [
        name
        for name, column in rows.columns.items()
        if column.kind in (Kind.TEXT, Kind.BOOLEAN, Kind.INTEGER, Kind.FLOAT)
        and name not in {rows.timestamp, *rows.faults}
        and name.lower() not in IDENTITIES
        and not name.startswith("_")
    ]
    spans = [span for request in requests for span in request.spans]
    time = Span(min(span.start for span in spans), max(span.end for span in spans))
    counts = dict(sorted(_values(rows, names, time).items(), key=lambda pair: pair[1]))
    labels, left_out, groups = dict[str, Label](), dict[str, int](), 1
    for name, count in counts.items():
        groups *= max(count, 1)
        if count > most or groups > _MOST_GROUPS:
            left_out[name] = count
        else:
            text = rows.dialect.to_text(rows.dialect.identifier(name), rows.columns[name])
            labels[name] = Label(sql=text, columns=rows.always | {name})
    return labels, left_out


def _values(rows: RowSource, names: Sequence[str], time: Span) -> Mapping[str, int]:
    """Return the number of distinct values of each column in a sample of rows."""
    if not names:
        return {}
    columns = [rows.dialect.identifier(name) for name in names]
    counts = ", ".join(f"count(DISTINCT {column})" for column in columns)
    sample = f"SELECT {', '.join(columns)} FROM {rows.relation(names)} AS rows"  # noqa: S608
    if (skipped := rows.chosen(time)) is not None:
        sample += f" WHERE {skipped}"
    ((*values,),) = rows.engine.rows(
        f"SELECT {counts} FROM ({sample} LIMIT {_SAMPLE}) AS rows"  # noqa: S608 - quoted names
    )
    return dict(zip(names, values, strict=True))


def _scan(
    rows: RowSource,
    request: LabelRequest,
    indicator: SqlIndicator,
    labels: Mapping[str, Label],
    left_out: Mapping[str, int],
) -> LabelAnswer:
    bounds = sorted({bound for span in request.spans for bound in (span.start, span.end)})
    statement = Statement(rows, tuple(bounds))
    statement.cut({})
    used: Sequence[SqlIndicator | Label] = [indicator, *labels.values()]
    for user in used:
        statement.use(user)
    time = statement.time
    keys = {
        name: statement.key(f"CASE WHEN {within(time)} THEN {statement.value(label.sql)} END")
        for name, label in labels.items()
    }
    sums = [statement.count(indicator.event, *bad) for bad in ((), (indicator.bad,))]
    groups, faults_in = statement.run([time])
    faults = faults_in(time)
    if wrong := sorted(faults.keys() & indicator.columns):
        return Unmeasured(cause=Cause.INVALID, reason=faults[wrong[0]])
    moments = [microseconds(bound) for bound in bounds]
    places = [
        bisect_left(moments, moment) if moment is not None and moment <= moments[-1] else 0
        for moment in groups[statement.newest()]
    ]
    segments = [(bounds.index(span.start), bounds.index(span.end)) for span in request.spans]
    counted = {
        name: dict(_counts(groups, places, key, sums, segments))
        for name, key in keys.items()
        if not faults.keys() & labels[name].columns
    }
    many = {name: len(values) for name, values in counted.items() if len(values) > request.most}
    return LabelCounts(
        labels={name: values for name, values in counted.items() if name not in many},
        left_out={**left_out, **many},
    )


def _counts(
    groups: Groups,
    places: Sequence[int],
    key: str,
    sums: Sequence[str],
    segments: Sequence[tuple[int, int]],
) -> Iterator[tuple[str, tuple[EventCounts, ...]]]:
    """Yield each value of a label with its events in each span."""
    by = [
        (value, place) if place else None for value, place in zip(groups[key], places, strict=True)
    ]
    values: dict[str, list[tuple[int, float, float]]] = {}
    for (value, segment), (events, failed) in groups.by(by, sums).items():
        values.setdefault(value, []).append((segment, float(events), float(failed)))
    for value, parts in sorted(values.items()):
        yield (
            value,
            tuple(
                EventCounts(
                    sum(events for segment, events, _ in parts if first < segment <= last),
                    sum(failed for segment, _, failed in parts if first < segment <= last),
                )
                for first, last in segments
            ),
        )
