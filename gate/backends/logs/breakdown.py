"""What happened by whatever columns of few values the rows have, in a few stretches of time."""

# ruff: noqa: S608 - made of quoted names, numbers and texts

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gate.backends.logs.database import Database, identifier
from gate.backends.logs.indicators import Label, LogIndicator, drafted_label, label_of
from gate.backends.logs.keys import ask_for_keys, missing_keys
from gate.backends.logs.prepare import Prepared
from gate.backends.logs.source import LogSource
from gate.backends.logs.statement import Statement
from gate.backends.logs.timestamps import sql_instant, undated
from gate.measure import Cause, Unmeasured
from gate.measure.cohorts import IDENTITIES, EventCounts, LabelAnswer, LabelCounts, LabelRequest
from gate.slo.objective import Span

IndicatorLabelRequest = tuple[LabelRequest, LogIndicator]
_SAMPLE: Final = 20_000
"""Rows of which it is looked how many values each column has."""
_MOST_GROUPS: Final = 1_000_000
"""So many combinations of values there may be: what does not fit is left out."""
_TELLING: Final = (
    "VARCHAR",
    "BOOLEAN",
    "ENUM",
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "DOUBLE",
)
"""The types of columns that may separate rows: JSON's whole numbers are read as DOUBLE."""


def measure_labels(
    database: Database, ready: Prepared, wanted: Sequence[IndicatorLabelRequest]
) -> list[LabelAnswer]:
    """Tell every request's events by the columns that there are, in order; one scan for each.

    Raises:
        MeasurementError: rows whose time is not known.
        duckdb.Error: the files or the values in them cannot be read.
    """
    reason = "spend has no events to group"
    spent = Unmeasured(cause=Cause.INVALID, reason=reason)
    labels, left_out = dict[str, Label](), dict[str, int]()
    if any(indicator.bad is not None for _, indicator in wanted):
        most = max(request.most for request, _ in wanted)
        labels, left_out = _candidates(database, ready, most)
    return [
        spent
        if indicator.bad is None
        else _scan(database, ready, request, indicator, labels, left_out)
        for request, indicator in wanted
    ]


def _candidates(
    database: Database, ready: Prepared, most: int
) -> tuple[dict[str, Label], dict[str, int]]:
    """Return the columns of few values, and how many values those have that are left out."""
    source, timestamp = ready.logs.source, ready.logs.timestamp.column
    names = [
        name
        for name, kind in source.types.items()
        if kind.startswith(_TELLING)
        and name not in {timestamp, *source.faults}
        and name.lower() not in IDENTITIES
        and not name.startswith("_")
    ]
    counts = dict(sorted(_values(database, source, names).items(), key=lambda pair: pair[1]))
    labels, left_out, groups = dict[str, Label](), dict[str, int](), 1
    for name, count in counts.items():
        groups *= max(count, 1)
        if count > most or groups > _MOST_GROUPS:
            left_out[name] = count
        else:
            labels[name] = label_of(database, drafted_label(database, identifier(name)), source)
    return labels, left_out


def _values(database: Database, source: LogSource, names: Sequence[str]) -> Mapping[str, int]:
    """Return how many different values each column has in a sample of rows."""
    if not names:
        return {}
    counts = ", ".join(f"count(DISTINCT {identifier(name)})" for name in names)
    sample = f"(FROM {source.relation(names)} LIMIT {_SAMPLE})"
    ((*values,),) = database.query(f"SELECT {counts} FROM {sample}")
    return dict(zip(names, values, strict=True))


def _scan(  # noqa: PLR0917 - what is scanned, and what for
    database: Database,
    ready: Prepared,
    request: LabelRequest,
    indicator: LogIndicator,
    labels: Mapping[str, Label],
    left_out: Mapping[str, int],
) -> LabelAnswer:
    bounds = sorted({bound for span in request.spans for bound in (span.start, span.end)})
    statement, time = Statement(ready.logs, tuple(bounds)), Span(bounds[0], bounds[-1])
    statement.cut(())
    lost = statement.undated()
    within = f"_at > {sql_instant(time.start)} AND _at <= {sql_instant(time.end)}"
    passed = " + ".join(f"(_at > {sql_instant(bound)})::INTEGER" for bound in bounds)
    place = statement.key(f"CASE WHEN {within} THEN {passed} END")
    used: Sequence[LogIndicator | Label] = [indicator, *labels.values()]
    for user in used:
        statement.use(user)
    keys = {
        name: statement.key(f"CASE WHEN {within} THEN {statement.value(label.sql)} END")
        for name, label in labels.items()
    }
    conditions = ((), (indicator.bad,))
    total, bad = (statement.sum("count(*)", indicator.event, *bad) for bad in conditions)
    files = ask_for_keys(statement)
    row = statement.run(database)
    if row[lost]:
        raise undated(database, ready.logs.source, ready.logs.timestamp, row[lost])
    faults = missing_keys(database, files, [time]).faults(time)
    if wrong := sorted(faults.keys() & indicator.columns):
        return Unmeasured(cause=Cause.INVALID, reason=faults[wrong[0]])
    segments = [(bounds.index(span.start), bounds.index(span.end)) for span in request.spans]
    counted = {
        name: dict(_counts(database, place, key, (total, bad), segments))
        for name, key in keys.items()
        if not faults.keys() & labels[name].columns
    }
    many = {name: len(values) for name, values in counted.items() if len(values) > request.most}
    return LabelCounts(
        labels={name: values for name, values in counted.items() if name not in many},
        left_out={**left_out, **many},
    )


def _counts(
    database: Database,
    place: str,
    key: str,
    sums: tuple[str, str],
    segments: Sequence[tuple[int, int]],
) -> Iterator[tuple[str, tuple[EventCounts, ...]]]:
    """Yield each value of a label with its events in each span."""
    total, bad = sums
    chosen = f"{key}, {place}, sum({total}), sum({bad})"
    rows = database.query(f"SELECT {chosen} FROM groups WHERE {place} > 0 GROUP BY 1, 2")
    values: dict[str, list[tuple[int, float, float]]] = {}
    for value, segment, events, failed in rows:
        values.setdefault(value, []).append((segment, float(events or 0), float(failed or 0)))
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
