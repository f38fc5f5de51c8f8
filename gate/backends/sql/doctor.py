"""The doctor of every backend that reads rows."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from gate.backends.sql.backend import OpenEngine, SqlBackend
from gate.backends.sql.judgement import Source, count_result, of_all, of_slo, unseen
from gate.backends.sql.settings import TableSettings
from gate.backends.sql.survey import Survey, SurveyedEvents, survey
from gate.measure import Answer, Backend, Cause, CountRequest, Limits, MeasurementError, Unmeasured
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    account_for,
    suspicion_results,
)

_EXPECTED: Final = (Check.COUNTED, Check.COLUMNS, Check.UNKNOWN, Check.COVERAGE, Check.GAPS)
"""The checks that each SLO needs; a check that is not made has a reason."""
_LOOKED_FOR: Final = (Check.COLUMNS, Check.LABELS)
"""The checks that a successful count implies."""


class RowsDoctor(ABC):
    """Measures as for a budget, and then surveys the rows for problems that a count hides."""

    source: Source
    backend: Backend

    @abstractmethod
    def _survey(self, requests: Sequence[CountRequest], at: datetime) -> Survey:
        """Survey the rows; raises `MeasurementError` if they cannot be read."""

    def _server(self) -> Sequence[CheckResult]:
        """Return the results about the server; empty without a server."""
        return ()

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Examine every SLO; errors in the rows never raise an exception."""
        source = self.source
        try:
            server = tuple(self._server())
        except MeasurementError as refusal:
            return Diagnosis(backend=(unseen(refusal.reason, source),), slos=((),) * len(slos))
        answers = self.backend.measure([slo.request for slo in slos], at)
        common = _common(answers)
        if common is not None:
            refused = _refused(common, source)
            return Diagnosis(backend=(*server, refused), slos=((),) * len(answers))
        counts = [tuple(_counted(answer, source)) for answer in answers]
        measured = [
            slo.request
            for slo, answer in zip(slos, answers, strict=True)
            if not isinstance(answer, Unmeasured)
        ]
        try:
            surveyed = self._survey(measured, at)
        except MeasurementError as refusal:
            seen = unseen(refusal.reason, source)
            return Diagnosis(backend=(*server, seen), slos=tuple(counts))
        events = iter(surveyed.events)
        outcomes = [
            account_for(
                _EXPECTED,
                count
                if isinstance(answer, Unmeasured)
                else (*count, *_of_rows(slo, next(events), count, source)),
                (),
            )
            for slo, answer, count in zip(slos, answers, counts, strict=True)
        ]
        return Diagnosis(
            backend=(*server, *of_all(surveyed, slos, at, source)),
            slos=tuple(results for results, _ in outcomes),
            skipped=tuple(skipped for _, skipped in outcomes),
        )


_WORDS: Final = {
    "noun": "the rows",
    "unreadable": "correct the table, the login or the user's rights; give more time where it was"
    " short",
    "missing": "see whether the table has rows of this time, and whether where leaves them out",
    "stale": "see whether the service still writes to this table",
    "late": "keep rows for longer, or choose a shorter window; a young service has to wait",
    "gaps": "see why no row is of these days; what failed then is missing from the count",
    "repeats": "see whether requests are written twice, or retries under one id",
}


class SqlDoctor(RowsDoctor):
    """Examines the server and the rights of the user, too."""

    def __init__(self, open_engine: OpenEngine, table: TableSettings, limits: Limits) -> None:
        """Prepare; no connection is opened yet; see `SqlBackend`."""
        self._open, self._table = open_engine, table
        self.source = Source(examined=table.table, **_WORDS)
        self.backend = self._sql = SqlBackend(open_engine, table, limits)

    def _server(self) -> Sequence[CheckResult]:
        """Examine the engine, in a connection of its own."""
        engine = self._open()
        try:
            return engine.examine(self._table.table)
        finally:
            engine.close()

    def _survey(self, requests: Sequence[CountRequest], at: datetime) -> Survey:
        """Survey the rows."""
        slis, zone = [request.sli for request in requests], self._table.time_zone
        return self._sql.ask(slis, (), lambda ready: survey(ready, requests, at, zone))


def _counted(answer: Answer, source: Source) -> Iterator[CheckResult]:
    """Describe the count, and the suspicions of `gate check` about it."""
    yield count_result(answer, source)
    if not isinstance(answer, Unmeasured):
        doubts = list(suspicion_results(answer))
        yield from doubts
        for check in _LOOKED_FOR:
            if all(doubt.check is not check for doubt in doubts):
                yield CheckResult(check=check, examined=source.examined)


def _of_rows(
    slo: CheckedSlo, events: SurveyedEvents, count: Sequence[CheckResult], source: Source
) -> Iterator[CheckResult]:
    """Judge the rows of an SLO; a suspicion about unknown outcomes is reported once."""
    suspected = {result.check for result in count} & {Check.UNKNOWN}
    judged = of_slo(slo, events, source)
    yield from (result for result in judged if result.check not in suspected)


def _common(answers: Sequence[Answer]) -> Unmeasured | None:
    """Return the reason why no SLO has a count, if all SLOs have the same reason."""
    refused = [answer for answer in answers if isinstance(answer, Unmeasured)]
    if len(refused) < len(answers) or len({answer.reason for answer in refused}) > 1:
        return None
    return refused[0]


def _refused(answer: Unmeasured, source: Source) -> CheckResult:
    if answer.cause is Cause.BACKEND_ERROR:
        return unseen(answer.reason, source)
    return count_result(answer, source)
