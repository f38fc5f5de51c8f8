"""Datadog as an SLO platform: its SLOs, and the bad share of each."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from gate.backends.datadog.asking import Histories, history_call
from gate.backends.datadog.catalog import SloCatalog
from gate.backends.datadog.corrections import Corrections
from gate.backends.datadog.counting import counted, read_status, status_call
from gate.backends.datadog.history import History
from gate.backends.datadog.settings import STATUS, DatadogSettings, secrets
from gate.backends.datadog.steps import Steps
from gate.backends.datadog.suspicions import lost_events
from gate.backends.datadog.values import refusals, window_of
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, Call, Dialogue, JsonObject
from gate.backends.platforms.platform import Question, SeriesQuestion
from gate.http import Clock, retry_after
from gate.measure import Answer, Definition, Evidence, Limits, MeasurementError, Unmeasured
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.measure.history import SeriesAnswer
from gate.slo.indicator import Sli

_RESET: Final = "X-Ratelimit-Reset"
"""The seconds until requests are accepted again, as in Datadog's own client:
https://docs.datadoghq.com/api/latest/rate-limits/"""
_VALIDATE: Final = "/api/v1/validate"
_LIST: Final = "/api/v1/slo"


class DatadogPlatform:
    """One organization, with one pair of keys."""

    title = "Datadog"

    def __init__(
        self, settings: DatadogSettings, limits: Limits, clock: Clock | None = None
    ) -> None:
        """Prepare; no request is sent yet."""
        self._settings = settings
        self._shown = settings.shown or settings.address
        self._api = Api(
            url=settings.address,
            shown=self._shown,
            headers={
                "DD-API-KEY": settings.api_key,
                "DD-APPLICATION-KEY": settings.application_key,
            },
            secrets=secrets(settings),
            dialogue=Dialogue(words=refusals, hints=_hints(settings), wait=_wait),
            timeout=limits.timeout.total_seconds(),
            retries=settings.retries,
            clock=clock,
        )
        self._catalog = SloCatalog(self._api, settings.parallel)

    def begin(self) -> None:
        """Start the time limit of the next questions together."""
        self._api.begin()

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return Datadog's definition for each name or id, in order; see `SloCatalog.define`."""
        return self._catalog.define(slis)

    def answer(self, questions: Sequence[Question], at: datetime) -> list[Answer]:  # noqa: ARG002
        """Answer every question, in order: each window ends at the instant."""
        if self._settings.endpoint == STATUS:
            return self._by_status(questions)
        parallel, applied = self._settings.parallel, self._settings.corrections
        histories = Histories(self._api, parallel, corrections=applied)
        histories.ask(questions)
        corrections = Corrections(self._api, parallel, applied=applied)
        if applied:
            corrections.ask(list(_perhaps_corrected(questions, histories)))
        return [self._answer(question, histories, corrections) for question in questions]

    def _answer(self, question: Question, histories: Histories, corrections: Corrections) -> Answer:
        slo, window = question.definition.id, window_of(question.span)
        query = self._query(history_call(slo, window, corrections=self._settings.corrections))
        try:
            reading = histories.read(question)
            evidence = Evidence(query=query, warnings=reading.history.warnings)
            if question.main:
                whole, seen = histories.seen(question, reading.history)
                evidence = _evidence(evidence, seen, histories.newest(whole, seen))
                evidence = replace(evidence, notes=corrections.notes(slo, window))
            return counted(reading, evidence, corrected=corrections.left_out(slo, window))
        except MeasurementError as error:
            return error.answer(query)

    def series(self, questions: Sequence[SeriesQuestion]) -> list[SeriesAnswer]:
        """Return the events of each step, for every question in order; see `Steps`."""
        steps = Steps(self._api, self._settings.parallel, corrections=self._settings.corrections)
        return steps.series(questions)

    def _by_status(self, questions: Sequence[Question]) -> list[Answer]:
        calls = [
            status_call(question, corrections=self._settings.corrections) for question in questions
        ]
        bodies = self._api.ask_all(calls, self._settings.parallel)
        return [
            self._status(question, call, body)
            for question, call, body in zip(questions, calls, bodies, strict=True)
        ]

    def _status(self, question: Question, call: Call, body: JsonObject | ApiError) -> Answer:
        query = self._query(call)
        try:
            if isinstance(body, ApiError):
                raise body
            return read_status(body, question, Evidence(query=query))
        except MeasurementError as error:
            return error.answer(query)

    def _query(self, call: Call) -> str:
        parameters = "&".join(f"{name}={value}" for name, value in (call.params or {}).items())
        return f"GET {self._shown}{call.path}?{parameters}"

    def examine(self) -> list[CheckResult]:
        """Return whether the keys belong to this site, and whether they may read SLOs.

        Raises:
            MeasurementError: no request was possible.
        """
        valid = self._api.ask(Call(path=_VALIDATE)).get("valid") is True
        site = CheckResult(
            check=Check.SITE,
            level=Level.OK if valid else Level.FAULT,
            message=f"the API key is {'' if valid else 'not '}valid at {self._shown}",
            remedy="" if valid else _hints(self._settings)[403],
            examined=_VALIDATE,
        )
        examined = f"{_LIST}?limit=1"
        try:
            self._api.ask(Call(path=_LIST, params={"limit": "1"}))
        except ApiError as error:
            rights = CheckResult(
                check=Check.RIGHTS,
                level=Level.FAULT,
                message=f"the application key cannot read SLOs: {error.reason}",
                remedy="give the application key the scope slos_read, and nothing else",
                examined=examined,
            )
        else:
            message = "the application key may read SLOs"
            rights = CheckResult(check=Check.RIGHTS, message=message, examined=examined)
        return [site, rights]


def _perhaps_corrected(questions: Sequence[Question], histories: Histories) -> Iterator[str]:
    """Yield the ids of SLOs whose answers do not rule out corrections."""
    for question in questions:
        if question.main:
            try:
                reported = histories.read(question).history.reported
            except MeasurementError:
                continue
            if reported.corrections is not False:
                yield question.definition.id


def _evidence(evidence: Evidence, history: History, newest: datetime | None) -> Evidence:
    past = history.past
    covered = None if past is None else past.coverage()
    if covered is None:
        return replace(evidence, newest=newest)
    return replace(
        evidence,
        newest=newest,
        coverage=covered.share,
        gaps=covered.gaps,
        suspicions=tuple(lost_events(covered.gaps)),
    )


def _wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds that a refusal asks to wait."""
    text = headers.get(_RESET, "").strip()
    return float(text) if text.isdecimal() else retry_after(headers, now)


def _hints(settings: DatadogSettings) -> Mapping[int, str]:
    """Return the remedies for a status."""
    place = f"the site {settings.site}" if settings.url is None else "the site behind backend.url"
    keys = (
        f"check that backend.api_key and backend.application_key are of {place} (keys of another"
        " site are refused), and that the application key has the scope slos_read"
    )
    return {
        400: "see whether the window reaches further back than Datadog keeps data (15 months unless"
        " your account differs), or is not over yet",
        401: keys,
        403: keys,
        404: "the SLO may have been deleted, or be of another organization",
        429: "ask Datadog for a higher limit, or write a smaller backend.parallel",
    }
