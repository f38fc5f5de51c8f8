"""What comes before counting: files found, columns learned, expressions checked."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from gate.backends.logs.columns import describe_csv, describe_parquet
from gate.backends.logs.database import Database
from gate.backends.logs.dialect import DuckEngine
from gate.backends.logs.expressions import parse
from gate.backends.logs.files import find_files, pattern_of
from gate.backends.logs.jsonl import describe_jsonl
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
from gate.backends.sql.prepared import Prepared, draft_all
from gate.slo.indicator import Sli

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
) -> tuple[Prepared, LogRows]:
    """Find the logs and check the indicators and labels; reads a few rows at most.

    Args:
        database: which reads nothing else from then on.
        settings: where the logs are.
        slis: the indicators.
        zone: of times that carry none.
        by: the labels.
        numbers: what an earlier scan has found out.

    Returns:
        What fits the logs, and their rows.

    Raises:
        MeasurementError, duckdb.Error, OSError, UnicodeError: the logs themselves cannot be read.
    """
    kind, files = find_files(settings)
    if not database.files:
        database.confine(files)
    drafts = draft_all(lambda role, text: parse(database, role, text), slis, by)
    records = settings.records
    needed = Needed(columns=needed_columns(records) | drafts.columns, numbers=numbers)
    described = FORMATS[kind](database, files, pattern_of(settings), needed, records)
    source = as_declared(described, records)
    rows = LogRows(DuckEngine(database), source, timestamp_of(source, records, zone))
    create_rows(database, source)
    return drafts.over(rows), rows
