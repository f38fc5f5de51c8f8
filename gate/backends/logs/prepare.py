"""The steps before counting: finding files, learning columns, checking expressions."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from gate.backends.logs.columns import describe_csv, describe_parquet
from gate.backends.logs.database import Database, without_rows
from gate.backends.logs.dialect import DuckEngine
from gate.backends.logs.expressions import parse
from gate.backends.logs.files import LogFiles, find_files, pattern_of
from gate.backends.logs.jsonl import describe_jsonl
from gate.backends.logs.path_columns import with_partitions
from gate.backends.logs.rows import LogRows
from gate.backends.logs.settings import LogsSettings
from gate.backends.logs.source import (
    UNKNOWN_NUMBERS,
    LogSource,
    Needed,
    NumberColumns,
    as_declared,
    create_rows,
    needed_columns,
)
from gate.backends.logs.timestamps import timestamp_of
from gate.backends.records import Records
from gate.backends.sql.indicators import check_changing
from gate.backends.sql.prepared import Prepared, draft_all
from gate.measure import MeasurementError
from gate.slo.indicator import Sli
from gate.slo.objective import Span

Describe = Callable[[Database, list[str], str, Needed, Records], LogSource]
FORMATS: Final[dict[str, Describe]] = {
    "jsonl": describe_jsonl,
    "csv": describe_csv,
    "parquet": describe_parquet,
}


def prepare(
    database: Database,
    settings: LogsSettings,
    slis: Sequence[Sli],
    zone: str | None,
    by: Iterable[str] = (),
    *,
    numbers: NumberColumns = UNKNOWN_NUMBERS,
    time: Span | None = None,
) -> tuple[Prepared, LogRows]:
    """Find the logs and check the indicators and labels; reads at most a few rows.

    Args:
        database: a database that reads nothing else from then on.
        settings: the settings with the path of the logs.
        slis: the indicators.
        zone: the zone of times without one.
        by: the labels.
        numbers: the results of an earlier scan.
        time: the time of the requested rows; None: any. If the path shows the time of rows, no
            other files are read.

    Returns:
        The indicators and labels for these logs, and their rows.

    Raises:
        MeasurementError, duckdb.Error, OSError, UnicodeError: the logs themselves cannot be read.
    """
    logs = find_files(settings, database, time)
    if not database.files:
        database.confine(logs.every)
    drafts = draft_all(lambda role, text: parse(database, role, text), slis, by)
    records = settings.records
    needed = Needed(columns=needed_columns(records) | drafts.columns, numbers=numbers)
    source = _described(database, settings, logs, needed)
    timestamp, partial = timestamp_of(source, records, zone), time if logs.pattern.dated else None
    rows = LogRows(DuckEngine(database), source, timestamp, partial)
    create_rows(database, source)
    return drafts.over(rows), rows


def _described(
    database: Database, settings: LogsSettings, logs: LogFiles, needed: Needed
) -> LogSource:
    """Learn the columns of the files, and those of their path."""
    records, pattern = settings.records, logs.pattern
    partitions = {name.lower() for name in pattern.columns}
    columns = {n: kind for n, kind in records.columns.items() if n.lower() not in partitions}
    source = FORMATS[logs.kind](
        database,
        logs.files,
        pattern_of(settings),
        replace(needed, columns=needed.columns - partitions),
        replace(records, columns=columns, optional=records.optional & columns.keys()),
    )
    source = replace(with_partitions(source, pattern), remarks=logs.remarks)
    return as_declared(source, records)


def wider(settings: LogsSettings, ready: Prepared, untyped: Iterable[str]) -> LogsSettings:
    """Return settings that read columns of uncertain type as texts, if no indicator needs them.

    Args:
        settings: the settings with the path of the logs.
        ready: the indicators.
        untyped: the columns without a sure type.
    """
    records = settings.records
    used = {name.lower() for each in ready.indicators.values() for name in each.columns}
    used |= {records.timestamp.lower(), records.timestamp.partition(".")[0].lower()}
    spelled = {name.lower(): name for name in untyped}
    names = [name for key, name in spelled.items() if key not in used]
    columns = {**dict.fromkeys(names, "VARCHAR"), **records.columns}
    return replace(
        settings,
        records=replace(records, columns=columns, optional=records.optional.union(names)),
    )


_AT_MOST: Final = timedelta(seconds=10)
"""The time to parse a condition, which takes a thousandth of a second."""


def constant_condition(sli: Sli) -> str | None:
    """Return which condition of an indicator is the same for every row; None: no such condition.

    The count reports all other mistakes.
    """
    with without_rows(_AT_MOST) as database:
        for role in ("total", "bad", "good"):
            text = getattr(sli, role)
            try:
                expression = None if text is None else parse(database, role, text)
            except MeasurementError:
                continue
            try:
                if expression is not None:
                    check_changing(expression)
            except MeasurementError as error:
                return error.reason
    return None
