"""One scan that puts rows into the steps of a stretch of time, and into groups where asked."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from gate.backends.logs.database import Database
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.keys import ask_for_keys, missing_keys
from gate.backends.logs.labels import Label
from gate.backends.logs.statement import MICROSECOND, Logs, Statement, microseconds
from gate.backends.logs.timestamps import instant, undated
from gate.slo.measurement import Cause, Unmeasured
from gate.slo.window import Span


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

    def fault(self, *used: Indicator | Label) -> Unmeasured | None:
        """Return why there is no answer that needs these; None: there is one."""
        columns = sorted(self.faults.keys() & {name for one in used for name in one.columns})
        if not columns:
            return None
        return Unmeasured(cause=Cause.INVALID, reason=self.faults[columns[0]])


def scan(
    database: Database,
    logs: Logs,
    span: Span,
    step: timedelta,
    indicators: Sequence[Indicator],
    *,
    labels: Sequence[Label] = (),
    means: Collection[Indicator] = (),
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
        Refusal: rows whose time is not known.
        duckdb.Error: the files or the values in them cannot be read.
    """
    statement = Statement(logs, at=span.end, starts=(span.start,))
    lost = statement.undated()
    statement.count(span)  # an aggregate, so that the statement has one row whatever else it asks
    within = f"_at > {instant(span.start)} AND _at <= {instant(span.end)}"
    since = f"epoch_us(_at) - {microseconds(span.start) + 1}"
    place = statement.key(f"CASE WHEN {within} THEN ({since}) // {step // MICROSECOND} END")
    used: Sequence[Indicator | Label] = [*indicators, *labels]
    for one in used:
        statement.use(one)
    keys = [
        statement.key(f"CASE WHEN {within} THEN {statement.value(one.sql)} END") for one in labels
    ]
    sums = [_sums(statement, one, mean=one in means) for one in indicators]
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


def _sums(statement: Statement, one: Indicator, *, mean: bool) -> tuple[str, ...]:
    event = one.event
    names = (statement.sum("count(*)", event), statement.sum("count(*)", event, one.bad))
    if not mean or one.measured is None:
        return names
    value = statement.value(one.measured)
    return (*names, *(statement.sum(f"{of}({value})", event) for of in ("fsum", "count")))
