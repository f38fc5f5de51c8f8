"""The backend: everything counted from one scan."""

from collections.abc import Sequence
from datetime import datetime

import duckdb

from gate.backends.logs.counting import count
from gate.backends.logs.database import Database, opened
from gate.backends.logs.indicators import Indicator
from gate.backends.logs.prepare import key_of, prepare
from gate.backends.logs.refusal import Refusal, from_duckdb, unreadable
from gate.backends.logs.statement import Logs
from gate.backends.logs.timestamps import zone_name
from gate.settings import Limits, LogsSettings
from gate.slo.measurement import Answer, Cause, CountRequest

Asked = dict[int, tuple[CountRequest, Indicator]]
"""By the request's place."""


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
        ready = prepare(database, self._settings, [request.sli for request in requests], zone)
        asked = {
            place: (request, ready.indicators[key])
            for place, request in enumerate(requests)
            if (key := key_of(request.sli)) in ready.indicators
        }
        counted = _counted(database, ready.logs, asked, at)
        return [
            counted[place] if place in counted else ready.refused[key_of(request.sli)]
            for place, request in enumerate(requests)
        ]


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
