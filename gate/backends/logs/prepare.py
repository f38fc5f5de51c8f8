"""What comes before counting: files found, columns learned, expressions checked."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from gate.backends.logs.columns import describe_csv, describe_parquet
from gate.backends.logs.database import Database
from gate.backends.logs.files import LogFiles, find_files, pattern_of
from gate.backends.logs.indicators import (
    IndicatorDraft,
    Label,
    LogIndicator,
    drafted,
    drafted_label,
    indicator_of,
    label_of,
)
from gate.backends.logs.jsonl import describe_jsonl
from gate.backends.logs.path_columns import with_partitions
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
from gate.backends.logs.statement import Logs
from gate.backends.logs.timestamps import timestamp_of
from gate.backends.records import Records
from gate.dataclass import dataclass
from gate.measure import MeasurementError, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import Span

Describe = Callable[[Database, list[str], str, Needed, Records], LogSource]
Key = tuple[object, ...]
"""What an indicator is made of: windows of the same one are parsed and checked once."""
Name = TypeVar("Name")
Before = TypeVar("Before")
After = TypeVar("After")
FORMATS: Final[dict[str, Describe]] = {
    "jsonl": describe_jsonl,
    "csv": describe_csv,
    "parquet": describe_parquet,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The logs and the indicators over them, by their keys."""

    logs: Logs
    drafts: Mapping[Key, IndicatorDraft]
    indicators: Mapping[Key, LogIndicator]
    """Those that fit the logs."""
    refused: Mapping[Key, Unmeasured]
    """Those that do not, and why."""
    labels: Mapping[str, Label]
    """What rows are grouped by, as the user wrote it."""
    unlabelled: Mapping[str, Unmeasured]
    """What they cannot be grouped by, and why."""


def key_of(sli: Sli) -> Key:
    """Return what an indicator is made of."""
    return (sli.good, sli.bad, sli.total, sli.column, sli.threshold, sli.spent)


def prepare(
    database: Database,
    settings: LogsSettings,
    slis: Sequence[Sli],
    zone: str | None,
    by: Iterable[str] = (),
    *,
    numbers: NumberColumns = UNKNOWN_NUMBERS,
    window: Span | None = None,
) -> Prepared:
    """Find the logs and check the indicators and labels; reads a few rows at most.

    Args:
        database: which reads nothing else from then on.
        settings: where the logs are.
        slis: the indicators.
        zone: of times that carry none.
        by: the labels.
        numbers: what an earlier scan has found out.
        window: in which the rows are that are asked for; None: at any time. Where the path says
            when rows are of, other files are not read.

    Raises:
        MeasurementError, duckdb.Error, OSError, UnicodeError: the logs themselves cannot be read.
    """
    log_files = find_files(settings, database, window)
    if not database.files:
        database.confine(log_files.every)
    given = {key_of(sli): sli for sli in slis}
    drafts, refused = _sort_out(given, lambda sli: drafted(database, sli))
    parsed, unread = _sort_out({text: text for text in by}, lambda t: drafted_label(database, t))
    records = settings.records
    columns = needed_columns(records).union(
        *(draft.wanted for draft in drafts.values()), *(label.columns for label in parsed.values())
    )
    needed = Needed(columns=columns, numbers=numbers)
    logs = _Reader(database, settings, needed, zone).logs(log_files, window)
    source = logs.source
    create_rows(database, source)
    indicators, unfit = _sort_out(drafts, lambda draft: indicator_of(database, draft, source))
    labels, unlike = _sort_out(parsed, lambda draft: label_of(database, draft, source))
    return Prepared(
        logs=logs,
        drafts=drafts,
        indicators=indicators,
        refused=refused | unfit,
        labels=labels,
        unlabelled=unread | unlike,
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """What reads the logs of a time."""

    database: Database
    settings: LogsSettings
    needed: Needed
    zone: str | None

    def logs(self, log_files: LogFiles, window: Span | None) -> Logs:
        """Learn which columns the files have, and those of their path."""
        records, pattern, needed = self.settings.records, log_files.pattern, self.needed
        partitions = {name.lower() for name in pattern.columns}
        needed = replace(needed, columns=needed.columns - partitions)
        columns = {n: kind for n, kind in records.columns.items() if n.lower() not in partitions}
        of_files = replace(records, columns=columns, optional=records.optional & columns.keys())
        describe = FORMATS[log_files.kind]
        shown = pattern_of(self.settings)
        source = describe(self.database, log_files.files, shown, needed, of_files)
        source = replace(with_partitions(source, pattern), remarks=log_files.remarks)
        source = as_declared(source, records)
        since = None
        if pattern.dated and window is not None:

            def since(start: datetime) -> Logs:
                wider = Span(min(start, window.start), window.end)
                return self.logs(find_files(self.settings, self.database, wider), wider)

        return Logs(source, timestamp_of(source, records, self.zone), since)


def _sort_out(
    work: Mapping[Name, Before], step: Callable[[Before], After]
) -> tuple[dict[Name, After], dict[Name, Unmeasured]]:
    """Take the step for each, and keep apart those that are refused."""
    done: dict[Name, After] = {}
    refused: dict[Name, Unmeasured] = {}
    for key, before in work.items():
        try:
            done[key] = step(before)
        except MeasurementError as refusal:
            refused[key] = refusal.answer()
    return done, refused
