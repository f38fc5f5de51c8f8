"""The doctor of request logs in files."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, cast

from gate.backends.logs.backend import LogsBackend
from gate.backends.logs.files import pattern_of
from gate.backends.logs.rows import LogRows
from gate.backends.logs.settings import LogsSettings
from gate.backends.sql.doctor import RowsDoctor
from gate.backends.sql.judgement import Source
from gate.backends.sql.prepared import Prepared
from gate.backends.sql.survey import Survey, survey
from gate.measure import CountRequest, Limits
from gate.measure.diagnosis import Check, CheckedSlo, CheckResult, Diagnosis

_WORDS: Final = {
    "noun": "the logs",
    "unreadable": "correct the path, or the files; give more time where it was short",
    "missing": "see whether the logs of this time are where the policy's path looks",
    "stale": "see whether the service still logs, and whether the newest file is fetched",
    "late": "fetch older logs, or choose a shorter window; a young service has to wait",
    "gaps": "fetch the logs of these days; what failed then is missing from the count",
    "repeats": "see whether the path takes a file twice, or retries are logged under one id",
}


class LogsDoctor(RowsDoctor):
    """Measures as for a budget, and then surveys the files for problems that a count hides."""

    def __init__(self, settings: LogsSettings, limits: Limits) -> None:
        self.source = Source(examined=pattern_of(settings), **_WORDS)
        self.backend = self._logs = LogsBackend(settings, limits)
        self._zone = settings.records.time_zone
        self._remarks: tuple[str, ...] = ()

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Examine every SLO; report the amount read from a store, and days without a partition."""
        diagnosis = super().examine(slos, at)
        if not self._remarks:
            return diagnosis
        read = CheckResult(
            check=Check.REACH, message="; ".join(self._remarks), examined=self.source.examined
        )
        return replace(diagnosis, backend=(read, *diagnosis.backend))

    def _survey(self, requests: Sequence[CountRequest], at: datetime) -> Survey:
        """Survey the files and the order of their rows."""
        slis = [request.sli for request in requests]

        def look(ready: Prepared) -> Survey:
            surveyed = survey(ready, requests, at, self._zone)
            self._remarks = cast(LogRows, ready.rows).remarks
            return surveyed

        return self._logs.ask(slis, (), look)
