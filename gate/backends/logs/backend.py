"""The backend: files found, columns learned, expressions checked, everything counted."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, TypeVar

import duckdb

from gate.backends.logs.counting import count
from gate.backends.logs.database import Database, opened
from gate.backends.logs.delimited import describe_csv
from gate.backends.logs.files import find_files, pattern_of
from gate.backends.logs.indicators import Indicator, drafted, indicator_of
from gate.backends.logs.jsonl import describe_jsonl
from gate.backends.logs.parquet import describe_parquet
from gate.backends.logs.records import as_declared, needed_columns
from gate.backends.logs.refusal import Refusal, from_duckdb, unreadable
from gate.backends.logs.source import Source, create_rows
from gate.backends.logs.statement import Logs
from gate.backends.logs.timestamps import timestamp_of, zone_name
from gate.settings import Limits, LogsSettings, Records
from gate.slo.measurement import Answer, Cause, CountRequest, Sli

Describe = Callable[[Database, list[str], str, frozenset[str], Records], Source]
Asked = dict[int, tuple[CountRequest, Indicator]]
"""By the request's place."""
Key = tuple[object, ...]
"""What an indicator is made of: windows of the same one are parsed and checked once."""
Before = TypeVar("Before")
After = TypeVar("After")

FORMATS: Final[dict[str, Describe]] = {
    "jsonl": describe_jsonl,
    "csv": describe_csv,
    "parquet": describe_parquet,
}


class LogsBackend:
    """Counts rows of request logs."""

    def __init__(self, settings: LogsSettings, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer all requests from one scan of the files.

        What spoils one indicator (an expression, a value that does not fit) spoils no other.
        """
        if not requests:
            return []
        try:
            zone = zone_name(self._settings.records.time_zone)
            with opened(self._limits.timeout, zone) as database:
                return self._measure(database, requests, at, zone)
        except duckdb.Error as error:
            return [from_duckdb(error).answer()] * len(requests)
        except (OSError, UnicodeError) as error:
            return [unreadable(f"the logs cannot be read: {error}").answer()] * len(requests)
        except Refusal as refusal:
            return [refusal.answer()] * len(requests)

    def _measure(
        self, database: Database, requests: Sequence[CountRequest], at: datetime, zone: str | None
    ) -> list[Answer]:
        kind, files = find_files(self._settings)
        database.confine(files)
        slis = {_key(request.sli): request.sli for request in requests}
        drafts, refused = _sort_out(slis, lambda sli: drafted(database, sli))
        records, pattern = self._settings.records, pattern_of(self._settings)
        wanted = needed_columns(records).union(*(draft.wanted for draft in drafts.values()))
        source = as_declared(FORMATS[kind](database, files, pattern, wanted, records), records)
        logs = Logs(source, timestamp_of(source, records.timestamp, zone))
        create_rows(database, source)
        indicators, unfit = _sort_out(drafts, lambda draft: indicator_of(database, draft, source))
        asked = {
            place: (request, indicators[key])
            for place, request in enumerate(requests)
            if (key := _key(request.sli)) in indicators
        }
        counted, refused = _counted(database, logs, asked, at), refused | unfit
        return [
            counted[place] if place in counted else refused[_key(request.sli)]
            for place, request in enumerate(requests)
        ]


def _key(sli: Sli) -> Key:
    return (sli.good, sli.bad, sli.total, sli.column, sli.threshold, sli.spent)


def _sort_out(
    work: Mapping[Key, Before], step: Callable[[Before], After]
) -> tuple[dict[Key, After], dict[Key, Answer]]:
    """Take the step for each, and keep apart those that are refused."""
    done: dict[Key, After] = {}
    refused: dict[Key, Answer] = {}
    for key, one in work.items():
        try:
            done[key] = step(one)
        except Refusal as refusal:
            refused[key] = refusal.answer()
    return done, refused


def _counted(database: Database, logs: Logs, asked: Asked, at: datetime) -> dict[int, Answer]:
    if not asked:
        return {}
    try:
        return dict(zip(asked, count(database, logs, list(asked.values()), at), strict=True))
    except duckdb.Error as error:
        refusal = from_duckdb(error)
        alike: dict[Indicator, Asked] = {}
        for place, (request, indicator) in asked.items():
            alike.setdefault(indicator, {})[place] = request, indicator
        if len(alike) == 1 or refusal.cause is not Cause.INVALID:
            return dict.fromkeys(asked, refusal.answer())
    # A value that one indicator cannot read ends the scan for all; so each gets its own.
    answers: dict[int, Answer] = {}
    for group in alike.values():
        answers |= _counted(database, logs, group, at)
    return answers
