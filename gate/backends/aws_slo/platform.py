"""SLOs of CloudWatch Application Signals: looked up by name or ARN, and judged by their budgets."""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from difflib import get_close_matches
from fractions import Fraction
from typing import Final

from gate.backends.aws_slo.client import (
    ARN,
    MOST_REPORTS,
    ApplicationSignals,
    invalid,
    listed,
)
from gate.backends.aws_slo.definitions import definition_of, instant
from gate.backends.aws_slo.examination import examine
from gate.backends.aws_slo.exclusions import exclusion_notes
from gate.backends.aws_slo.reports import bad_share, middle
from gate.backends.aws_slo.settings import AwsSloSettings
from gate.backends.platforms.api import ApiError, JsonObject
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
from gate.measure.diagnosis import CheckResult
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from gate.slo.quantities import format_duration

_MISSING: Final = "ResourceNotFoundException"


class AwsSloPlatform:
    """Application Signals of one account in one region; implements `Platform`."""

    title: str = "Application Signals"

    def __init__(
        self, settings: AwsSloSettings, limits: Limits, clock: Clock | None = None
    ) -> None:
        """Send nothing yet."""
        self._service = ApplicationSignals(settings, limits, clock)
        self._created: dict[str, datetime] = {}
        self._changed: dict[str, datetime] = {}

    def begin(self) -> None:
        """Let the time begin that the next questions may take together."""
        self._service.api.begin()

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return what the platform has for each name or ARN, in order."""
        names = [str(sli.slo) for sli in slis]
        arns = self._arns(names)
        wanted = list(dict.fromkeys(arn for arn in arns.values() if isinstance(arn, str)))
        found = dict(zip(wanted, self._service.slos(wanted), strict=True))
        return [
            arn if isinstance(arn, Unmeasured) else self._definition(arn, found[arn])
            for arn in (arns[name] for name in names)
        ]

    def _arns(self, names: Sequence[str]) -> dict[str, str | Unmeasured]:
        """Return the ARN of each SLO: of one account and region no two have one name."""
        arns: dict[str, str | Unmeasured] = {
            name: self._own(match) for name in names if (match := ARN.fullmatch(name))
        }
        if len(arns) == len(set(names)):
            return arns
        known = dict[str, list[str]]()
        for summary in self._service.summaries():
            known.setdefault(str(summary.get("Name")), []).append(str(summary.get("Arn")))
        return arns | {name: _only(name, known) for name in names if name not in arns}

    def _own(self, arn: re.Match[str]) -> str | Unmeasured:
        region = arn[1]
        if region == self._service.region:
            return arn[0]
        reason = (
            f"{arn[0]} is an SLO of {region}, and the backend asks {self._service.region}; give"
            " region the same, or use a second backend"
        )
        return Unmeasured(cause=Cause.INVALID, reason=reason)

    def _definition(self, arn: str, answer: JsonObject | ApiError) -> Definition | Unmeasured:
        if isinstance(answer, ApiError):
            if answer.kind != _MISSING:
                return answer.answer()
            reason = f"{self._service.shown} has no SLO {arn}; correct sli.slo"
            return Unmeasured(cause=Cause.NO_DATA, reason=reason)
        try:
            slo = answer.get("Slo")
            if not isinstance(slo, dict) or slo.get("Arn") != arn:
                raise invalid(f"{self._service.shown}: the answer is not about {arn}")
            self._created[arn] = instant(slo, "CreatedTime")
            self._changed[arn] = instant(slo, "LastUpdatedTime")
            return definition_of(slo)
        except MeasurementError as error:
            return error.answer()

    def answer(self, questions: Sequence[Question], at: datetime) -> list[Answer]:
        """Answer every question, in order, all of one second."""
        at = at.astimezone(UTC).replace(microsecond=0)
        main = [question.definition for question in questions if question.main]
        answers = self._measured({d.id: d for d in main}, at) if main else {}
        return [
            answers[question.definition.id] if question.main else _burn(question)
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
        evidence = Evidence(
            query=query,
            newest=at,
            coverage=self._coverage(arn, definition.promises[0].window.counted(at)),
            notes=(bad.note,),
        )
        return Share(bad=share, error=error, evidence=evidence)

    def _noted(
        self, answers: Mapping[str, Answer], definitions: Mapping[str, Definition], at: datetime
    ) -> dict[str, Answer]:
        """Return the answers with a note on each time window that is left out, and on a change."""
        shares = {arn: answer for arn, answer in answers.items() if isinstance(answer, Share)}
        windows = dict(zip(shares, self._service.exclusions(list(shares)), strict=True))
        noted = dict[str, Answer]()
        for arn, share in shares.items():
            span = definitions[arn].promises[0].window.counted(at)
            excluded = exclusion_notes(windows[arn], span, definitions[arn].granted)
            notes = (*self._change(arn, span), *map(self._service.api.words, excluded))
            evidence = replace(share.evidence, notes=(*share.evidence.notes, *notes))
            noted[arn] = replace(share, evidence=evidence)
        return {**answers, **noted}

    def _report(
        self, arn: str, body: JsonObject, definition: Definition, at: datetime
    ) -> JsonObject:
        """Return the one report on an SLO.

        Raises:
            MeasurementError: there is none, several, or one of another instant.
        """
        if instant(body, "Timestamp").replace(microsecond=0) != at:
            seen = instant(body, "Timestamp")
            raise invalid(
                f"{self._service.shown}: the reports are of {seen:%Y-%m-%d %H:%M:%S} UTC, and"
                f" {at:%Y-%m-%d %H:%M:%S} UTC was asked for"
            )
        for failure in listed(body, "Errors", self._service.shown):
            if failure.get("Arn") == arn or (
                not failure.get("Arn") and failure.get("Name") == definition.name
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

    def _coverage(self, arn: str, span: Span) -> Fraction | None:
        """Return the share of a window since the SLO was created; None: all of it is."""
        created = self._created[arn]
        if created <= span.start:
            return None
        age = max((span.end - created).total_seconds(), 0.0)
        return Fraction(age) / Fraction(span.length.total_seconds())

    def _change(self, arn: str, span: Span) -> Iterator[str]:
        changed = self._changed[arn]
        if max(self._created[arn], span.start) < changed <= span.end:
            yield (
                f"the SLO was changed at {changed:%Y-%m-%d %H:%M} UTC; where that was its period or"
                " its threshold, nothing before it counts"
            )

    def examine(self) -> list[CheckResult]:
        """Return what is seen of the account, the region and the rights."""
        return examine(self._service)


def _only(name: str, known: Mapping[str, Sequence[str]]) -> str | Unmeasured:
    """Return the ARN of the one SLO with a name."""
    arns = list(dict.fromkeys(known.get(name, ())))
    if len(arns) == 1:
        return arns[0]
    if arns:
        reason = (
            f"{len(arns)} SLOs are named {name}: {', '.join(sorted(arns))}; give sli.slo the ARN of"
            " the one that is meant"
        )
        return Unmeasured(cause=Cause.INVALID, reason=reason)
    near = get_close_matches(name, known, 1)
    hint = f"; did you mean {near[0]}?" if near else ""
    shown = f"Application Signals has no SLO named {name} among {len(known)}{hint}"
    return Unmeasured(cause=Cause.NO_DATA, reason=shown)


def _burn(question: Question) -> Unmeasured:
    """Say that the service keeps budgets of an SLO's own interval only."""
    window = format_duration(question.span.length)
    reason = (
        f"Application Signals reports on the interval of an SLO, and not on the last {window}: its"
        " burn rates are metrics, which the cloudwatch backend can count"
    )
    return Unmeasured(cause=Cause.NO_DATA, reason=reason)
