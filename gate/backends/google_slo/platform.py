"""Google Cloud Monitoring as an SLO platform: definitions, counts, history and permissions."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final
from urllib.parse import urlsplit

from gate.backends.google_slo.counting import (
    Aligned,
    QuestionPlan,
    parts_of,
    plans_of,
    read_all,
    series_of,
)
from gate.backends.google_slo.definitions import definition_of, look_up
from gate.backends.google_slo.evidence import evidence_of, more_in_steps
from gate.backends.google_slo.pages import DIALOGUE
from gate.backends.google_slo.points import SloPoints
from gate.backends.google_slo.resources import GoogleSlo
from gate.backends.google_slo.settings import GoogleSloSettings, secrets
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import Call
from gate.backends.platforms.platform import Question, SeriesQuestion
from gate.budget.ratio import seconds
from gate.measure import (
    Answer,
    Cause,
    Counts,
    Definition,
    Evidence,
    Limits,
    MeasurementError,
    Unmeasured,
)
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.measure.history import SeriesAnswer
from gate.slo.indicator import Sli
from gate.slo.quantities import format_duration
from gate.wording import amount

PointsRead = Mapping[Aligned, SloPoints | MeasurementError]
_DIFFERENCE: Final = timedelta(seconds=10)
"""The tolerated difference between two clocks: the header Date has whole seconds, and answers take
some time."""
_SECOND: Final = timedelta(seconds=1)


class GoogleMonitoring:
    """The SLOs of Google Cloud Monitoring."""

    title: str = "Google Cloud Monitoring"

    def __init__(self, settings: GoogleSloSettings, limits: Limits) -> None:
        """Prepare; no request is sent yet."""
        bearer, quota = settings.bearer, settings.quota_project
        self._settings, self._project = settings, settings.project
        self._window_periods = dict[str, timedelta]()
        self._api = Api(
            url=settings.url,
            shown=settings.shown or urlsplit(settings.url).netloc.rpartition("@")[2],
            headers={
                **({} if bearer is None else {"Authorization": f"Bearer {bearer}"}),
                **({} if quota is None else {"X-Goog-User-Project": quota}),
            },
            secrets=secrets(settings),
            dialogue=DIALOGUE,
            timeout=limits.timeout.total_seconds(),
            login=settings.login if bearer is None else None,
            retries=settings.retries,
        )

    def begin(self) -> None:
        """Start the time limit of the next questions together."""
        self._api.begin()

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return the project's definition for each indicator, in order."""
        outcomes = look_up(self._api, self._project, slis)
        for slo in outcomes:
            if isinstance(slo, GoogleSlo) and slo.window_period is not None:
                self._window_periods[slo.definition.id] = slo.window_period
        return [definition_of(slo) for slo in outcomes]

    def answer(
        self,
        questions: Sequence[Question],
        at: datetime,  # noqa: ARG002 - each span ends with it
    ) -> list[Answer]:
        """Count every question's span; the questions contain the instant."""
        plans = plans_of(questions)
        wanted = [
            aligned
            for plan in plans
            if plan is not None
            for aligned in (plan.counted, plan.overview, plan.lately)
            if aligned is not None
        ]
        read = read_all(self._api, self._project, wanted)
        return [
            self._answered(question, plan, read)
            for question, plan in zip(questions, plans, strict=True)
        ]

    def series(self, questions: Sequence[SeriesQuestion]) -> list[SeriesAnswer]:
        """Count every step of every question; a step shorter than a minute is unknown."""
        cut = [parts_of(question) for question in questions]
        read = read_all(self._api, self._project, [part for parts in cut for part in parts])
        return [
            self._history(question, parts, read)
            for question, parts in zip(questions, cut, strict=True)
        ]

    def examine(self) -> list[CheckResult]:
        """Return the results for the project as a whole."""
        return _examined(self._api, self._settings)

    def _history(
        self, question: SeriesQuestion, parts: Sequence[Aligned], read: PointsRead
    ) -> SeriesAnswer:
        try:
            points = [_points(read, part) for part in parts]
            period = self._window_periods.get(question.definition.id)
            series = series_of(question, parts, points, period)
        except MeasurementError as error:
            return error.answer(parts[0].query if parts else None)
        warnings = dict.fromkeys(text for each in points for text in each.warnings)
        if warnings:
            reason = f"a part of the history is missing: {'; '.join(warnings)}"
            return Unmeasured(cause=Cause.PARTIAL, reason=reason, query=series.query)
        return series

    def _answered(self, question: Question, plan: QuestionPlan | None, read: PointsRead) -> Answer:
        if plan is None:
            reason = "Google Cloud Monitoring cannot count less than a minute; wait for it to pass"
            return Unmeasured(cause=Cause.NO_DATA, reason=reason)
        query = f"{plan.counted.query}, ALIGN_SUM over {plan.span.length // timedelta(seconds=1)}s"
        try:
            return self._counted(question.definition.id, plan, read, query)
        except MeasurementError as error:
            return error.answer(query)

    def _counted(self, slo: str, plan: QuestionPlan, read: PointsRead, query: str) -> Counts:
        aligned = [each for each in (plan.counted, plan.overview, plan.lately) if each is not None]
        points = [_points(read, each) for each in aligned]
        warnings = tuple(dict.fromkeys(text for each in points for text in each.warnings))
        evidence = Evidence(query=query, warnings=warnings)
        counts = points[0].within(plan.span)
        if counts is None and warnings:
            raise MeasurementError(Cause.PARTIAL, f"nothing came back: {'; '.join(warnings)}")
        if counts is None:
            reason = "no good and no bad events came back: the SLO has no data in this time"
            raise MeasurementError(Cause.NO_DATA, reason)
        period = self._window_periods.get(slo)
        unit = Fraction(1) if period is None else seconds(period)
        total, bad = (number * unit for number in counts)
        if not total:
            reason = "Google Cloud Monitoring counts 0 good and 0 bad events"
            raise MeasurementError(Cause.NO_TRAFFIC, reason)
        if period is not None and total > seconds(plan.span.length + period):
            shown = f"{amount(counts[0])} windows of {format_duration(period)}"
            reason = f"{shown} do not fit into {format_duration(plan.span.length)}"
            raise MeasurementError(Cause.INVALID, reason)
        if plan.overview is not None:
            overview = (plan.overview, points[1])
            evidence = evidence_of(evidence, overview, points[2], period, total)
            own = (*evidence.suspicions, *more_in_steps(counts, overview))
            evidence = replace(evidence, suspicions=own)
        return Counts(total=total, bad=bad, evidence=evidence)


def _points(read: PointsRead, aligned: Aligned) -> SloPoints:
    outcome = read[aligned]
    if isinstance(outcome, MeasurementError):
        raise outcome
    return outcome


def _examined(api: Api, settings: GoogleSloSettings) -> list[CheckResult]:
    """Return the results for the project as a whole.

    Whether the login may also read time series shows when each SLO is counted.

    Raises:
        MeasurementError: the project's services cannot be listed; the reason has Google's words.
    """
    path = f"/v3/projects/{settings.project}/services"
    api.ask(Call(path=path, params={"pageSize": "1"}))
    token = (
        "its token is limited to the scope monitoring.read"
        if settings.bearer is None
        else "what else its token may do is not visible"
    )
    message = f"the services of the project {settings.project} can be listed; {token}"
    rights = CheckResult(check=Check.RIGHTS, message=message, examined=f"GET {path}")
    return [rights, *_clock(api, path)]


def _clock(api: Api, path: str) -> Iterator[CheckResult]:
    """Report whether Google's clock agrees with this machine's, if Google has sent its time."""
    if api.ahead is None:
        return
    if abs(api.ahead) <= _DIFFERENCE:
        yield CheckResult(check=Check.CLOCK, examined=f"GET {path}")
        return
    side = "ahead of" if api.ahead > timedelta() else "behind"
    shown = format_duration(abs(api.ahead) // _SECOND * _SECOND)
    yield CheckResult(
        check=Check.CLOCK,
        level=Level.DOUBT,
        message=f"Google's clock is {shown} {side} this machine's",
        remedy="set this machine's clock by NTP",
        examined=f"GET {path}",
    )
