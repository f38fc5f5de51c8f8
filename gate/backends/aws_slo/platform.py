"""SLOs of CloudWatch Application Signals: looked up by name or ARN, judged by their budgets."""

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Final

from gate.backends.aws_slo.budgets import middle
from gate.backends.aws_slo.catalog import SignalsCatalog
from gate.backends.aws_slo.client import ARN, MOST_REPORTS, ApplicationSignals, invalid, listed
from gate.backends.aws_slo.definitions import excluded_share, exclusion_notes, instant
from gate.backends.aws_slo.reports import bad_share
from gate.backends.aws_slo.settings import AwsSloSettings
from gate.backends.platforms.messages import ApiError, JsonObject
from gate.backends.platforms.platform import Question
from gate.http import Clock
from gate.measure import (
    Answer,
    Cause,
    Definition,
    Evidence,
    Limits,
    MeasurementError,
    Share,
    Unmeasured,
)
from gate.measure.diagnosis import Check, CheckResult, Level
from gate.slo.indicator import Sli

_NO_WINDOWS: Final = Unmeasured(
    cause=Cause.NO_DATA,
    reason="Application Signals reports on an SLO's own interval only; its burn rates are metrics,"
    " which the backend cloudwatch can count",
)
_MOST_WINDOWS: Final = 25
"""The maximum number of SLOs whose exclusion windows are read, at one request for each."""


class AwsSloPlatform:
    """Application Signals of one account and region; implements `Platform`."""

    title: str = "Application Signals"

    def __init__(
        self, settings: AwsSloSettings, limits: Limits, clock: Clock | None = None
    ) -> None:
        """Prepare; no request is sent yet."""
        self._service = ApplicationSignals(settings, limits, clock)
        self._catalog = SignalsCatalog(self._service)

    def begin(self) -> None:
        """Start the time limit of the next questions together."""
        self._service.api.begin()

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return the platform's definition for each name or ARN, in order."""
        return self._catalog.define([str(sli.slo) for sli in slis])

    def answer(self, questions: Sequence[Question], at: datetime) -> list[Answer]:
        """Answer every question, in order, all for the same second."""
        at = at.astimezone(UTC).replace(microsecond=0)
        main = [question.definition for question in questions if question.main]
        answers = self._measured({d.id: d for d in main}, at) if main else {}
        return [
            answers[question.definition.id] if question.main else _NO_WINDOWS
            for question in questions
        ]

    def _measured(self, definitions: Mapping[str, Definition], at: datetime) -> dict[str, Answer]:
        arns = list(definitions)
        batches = [arns[i : i + MOST_REPORTS] for i in range(0, len(arns), MOST_REPORTS)]
        answers: dict[str, Answer] = {}
        for batch, answer in zip(batches, self._service.reports(batches, at), strict=True):
            if isinstance(answer, ApiError):
                answers |= dict.fromkeys(batch, answer.answer())
            else:
                answers |= {arn: self._of(arn, answer, definitions[arn], at) for arn in batch}
        return self._noted(answers, definitions, at)

    def _of(self, arn: str, body: JsonObject, definition: Definition, at: datetime) -> Answer:
        """Return the answer for one SLO of a batch."""
        query = (
            "aws application-signals batch-get-service-level-objective-budget-report --timestamp"
            f" {int(at.timestamp())} --slo-ids {shlex.quote(arn)}"
        )
        try:
            bad = bad_share(self._report(arn, body, definition, at), definition, at)
        except MeasurementError as refusal:
            return refusal.answer(query)
        share, error = middle(bad.bounds)
        since = self._catalog.coverage(arn, definition.promises[0].window.counted(at))
        covered = bad.covered if since is None else min(bad.covered, since)
        evidence = Evidence(
            query=query,
            newest=at,
            coverage=covered if covered < 1 else None,
            notes=(bad.note,),
        )
        return Share(bad=share, error=error, evidence=evidence)

    def _noted(
        self, answers: Mapping[str, Answer], definitions: Mapping[str, Definition], at: datetime
    ) -> dict[str, Answer]:
        """Return the answers with notes on each excluded window, and on a change."""
        shares = {arn: answer for arn, answer in answers.items() if isinstance(answer, Share)}
        windows = dict(zip(shares, self._exclusions(list(shares)), strict=True))
        noted = dict[str, Answer]()
        for arn, share in shares.items():
            span = definitions[arn].promises[0].window.counted(at)
            excluded = exclusion_notes(windows[arn], span, definitions[arn].granted)
            notes = (*self._catalog.change(arn, span), *map(self._service.api.words, excluded))
            evidence = replace(share.evidence, notes=(*share.evidence.notes, *notes))
            left_in = 1 - excluded_share(windows[arn], span)
            if left_in < 1:
                covered = min(
                    left_in, Fraction(1) if evidence.coverage is None else evidence.coverage
                )
                evidence = replace(evidence, coverage=covered)
            noted[arn] = replace(share, evidence=evidence)
        return {**answers, **noted}

    def _report(
        self, arn: str, body: JsonObject, definition: Definition, at: datetime
    ) -> JsonObject:
        """Return the single report on an SLO.

        Raises:
            MeasurementError: the answer has no report, several, or one for another instant.
        """
        if instant(body, "Timestamp").replace(microsecond=0) != at:
            seen = instant(body, "Timestamp")
            raise invalid(
                f"{self._service.shown}: the reports are of {seen:%Y-%m-%d %H:%M:%S} UTC, and"
                f" {at:%Y-%m-%d %H:%M:%S} UTC was requested"
            )
        for failure in listed(body, "Errors", self._service.shown):
            if failure.get("Arn") == arn or (
                not failure.get("Arn") and failure.get("Name") in (definition.name, arn)
            ):
                said = self._service.api.words(
                    f"{failure.get('ErrorCode')}: {failure.get('ErrorMessage')}"
                )
                reason = f"{self._service.shown} cannot report on {definition.name}: {said}"
                raise MeasurementError(Cause.BACKEND_ERROR, reason)
        every = listed(body, "Reports", self._service.shown)
        reports = [report for report in every if report.get("Arn") == arn]
        if len(reports) != 1:
            count = f"{len(reports)} reports" if reports else "neither a report nor an error"
            raise invalid(f"{self._service.shown} answers with {count} for {arn}")
        return reports[0]

    def _exclusions(self, arns: Sequence[str]) -> Sequence[Sequence[JsonObject] | MeasurementError]:
        if len(arns) <= _MOST_WINDOWS:
            return self._service.exclusions(arns)
        reason = f"a run looks at those of {_MOST_WINDOWS} SLOs at most, since AWS limits requests"
        return [MeasurementError(Cause.BACKEND_ERROR, reason)] * len(arns)

    def examine(self) -> list[CheckResult]:
        """Return the results for the account, the region and the permissions."""
        return _examine(self._service)


def _examine(service: ApplicationSignals) -> list[CheckResult]:
    """Try each kind of request that counting needs, for the first listed SLO.

    Raises:
        MeasurementError: SLOs cannot be listed.
    """
    summaries = service.summaries()
    arns = [str(summary.get("Arn")) for summary in summaries]
    accounts = sorted({match[2] for arn in arns if (match := ARN.fullmatch(arn))})
    where = f" of account {' and '.join(accounts)}" if accounts else ""
    site = CheckResult(
        check=Check.SITE, message=f"{service.shown}{where} has {len(summaries)} SLOs"
    )
    if not arns:
        remedy = "check the region and the account of the login, or create the SLO"
        message = f"{service.shown} has no SLO"
        return [CheckResult(check=Check.SITE, level=Level.FAULT, message=message, remedy=remedy)]
    return [site, *_rights(service, arns[0])]


def _rights(service: ApplicationSignals, arn: str) -> Iterator[CheckResult]:
    """Yield the missing permissions, or that there are none."""
    now = service.api.clock.now()
    tried: dict[str, Callable[[], Any]] = {
        "GetServiceLevelObjective": lambda: _first(service.slos([arn])),
        "BatchGetServiceLevelObjectiveBudgetReport": lambda: _first(service.reports([[arn]], now)),
        "ListServiceLevelObjectiveExclusionWindows": lambda: _first(service.exclusions([arn])),
    }
    missing = 0
    for action, ask in tried.items():
        try:
            ask()
        except MeasurementError as error:
            missing += 1
            denied = isinstance(error, ApiError) and error.kind.startswith("AccessDenied")
            needed = action != "ListServiceLevelObjectiveExclusionWindows"
            right = f"let the login have application-signals:{action}"
            yield CheckResult(
                check=Check.RIGHTS,
                level=Level.FAULT if denied and needed else Level.DOUBT,
                message=error.reason,
                remedy=right if denied else "see what it says, and run gate doctor again",
                examined=action,
            )
    if not missing:
        yield CheckResult(check=Check.RIGHTS, message="the login may read all that is needed")


def _first(answers: list[Any]) -> None:
    if isinstance(answers[0], MeasurementError):
        raise answers[0]
