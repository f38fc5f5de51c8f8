"""The backend: everything counted from one scan."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import duckdb

from gate.backends.logs.database import Database, opened
from gate.backends.logs.prepare import prepare
from gate.backends.logs.refusals import unreadable
from gate.backends.logs.settings import LogsSettings
from gate.backends.logs.source import UNKNOWN_NUMBERS, LargeNumbers, NumberColumns, settle
from gate.backends.logs.timestamps import zone_name
from gate.backends.sql.answering import RowsBackend
from gate.backends.sql.prepared import Prepared
from gate.measure import Limits
from gate.slo.indicator import Sli

T = TypeVar("T")


class LogsBackend(RowsBackend):
    """Counts rows of request logs."""

    def __init__(self, settings: LogsSettings, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits

    def ask(self, slis: Sequence[Sli], by: Sequence[str], work: Callable[[Prepared], T]) -> T:
        """Find the files and open DuckDB over them, for as long as the work takes."""
        try:
            zone = zone_name(self._settings.records.time_zone)
            with opened(self._limits.timeout, zone) as database:
                try:
                    return self._attempt(database, slis, by, work)
                except duckdb.Error as error:
                    raise database.refusal(error) from None
        except (OSError, UnicodeError) as error:
            raise unreadable(f"the logs cannot be read: {error}") from None

    def _attempt(
        self,
        database: Database,
        slis: Sequence[Sli],
        by: Sequence[str],
        work: Callable[[Prepared], T],
        numbers: NumberColumns = UNKNOWN_NUMBERS,
    ) -> T:
        """Do the work; where columns must be read otherwise, once more."""
        zone = zone_name(self._settings.records.time_zone)
        ready, rows = prepare(database, self._settings, slis, zone, by, numbers=numbers)
        try:
            return work(ready)
        except LargeNumbers as large:
            numbers = settle(database, rows.source, large, numbers)
        return self._attempt(database, slis, by, work, numbers)
