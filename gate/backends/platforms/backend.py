"""The backend of every SLO platform: it looks up definitions, once, and then counts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeVar

from gate.backends.platforms.platform import Platform, PlatformHistory, Question, SeriesQuestion
from gate.measure import (
    Answer,
    Cause,
    CountRequest,
    Counts,
    Definition,
    MeasurementError,
    Share,
    Unmeasured,
)
from gate.measure.history import SeriesAnswer, SeriesRequest
from gate.measure.remedies import advice_in, hint_for
from gate.slo.indicator import Sli

A = TypeVar("A")
_OF_ANSWERS: Final = {Cause.NO_DATA: "platform-silent", Cause.INVALID: "platform-answer"}
_OF_DEFINITIONS: Final = {Cause.NO_DATA: "platform-name", Cause.INVALID: "platform-definition"}
"""The remedies for definitions without one, since the general remedies are about expressions."""


class PlatformBackend:
    """Counts the SLOs of one platform."""

    def __init__(self, platform: Platform) -> None:
        """Prepare; nothing is requested yet."""
        self.platform = platform
        self._defined: dict[Sli, Definition] = {}

    def definitions(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        """Return the platform's definition for each indicator; each is requested once."""
        unknown = list(dict.fromkeys(sli for sli in slis if sli not in self._defined))
        answers: dict[Sli, Definition | Unmeasured] = {**self._defined}
        if unknown:
            self.platform.begin()
            try:
                answers |= zip(unknown, self.platform.define(unknown), strict=True)
            except MeasurementError as error:
                answers |= dict.fromkeys(unknown, error.answer())
            answers = {sli: _advised(answer, _OF_DEFINITIONS) for sli, answer in answers.items()}
            self._defined = {
                sli: replace(answer, platform=self.platform.title)
                for sli, answer in answers.items()
                if isinstance(answer, Definition)
            }
        return [self._defined.get(sli, answers[sli]) for sli in slis]

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:
        """Answer every request, in order."""
        definitions = self.definitions([request.sli for request in requests])
        self.platform.begin()
        questions = [
            Question(definition=definition, sli=request.sli, span=request.span, main=request.probe)
            for request, definition in zip(requests, definitions, strict=True)
            if isinstance(definition, Definition)
        ]
        try:
            answers = self.platform.answer(questions, at) if questions else []
        except MeasurementError as error:
            answers = [error.answer()] * len(questions)
        measured = [
            _defined(answer, question) for answer, question in zip(answers, questions, strict=True)
        ]
        return _merged(definitions, measured)


class PlatformHistoryBackend(PlatformBackend):
    """Counts the SLOs of a platform whose past can be read."""

    def __init__(self, platform: Platform, past: PlatformHistory) -> None:
        """Prepare; ``past`` is the same platform."""
        super().__init__(platform)
        self._past = past

    def history(self, requests: Sequence[SeriesRequest]) -> list[SeriesAnswer]:
        """Return the events of each step, for every request in order; never raises."""
        definitions = self.definitions([request.sli for request in requests])
        self.platform.begin()
        questions = [
            SeriesQuestion(
                definition=definition,
                sli=request.sli,
                span=request.span,
                step=request.step,
                max_age=request.max_age,
            )
            for request, definition in zip(requests, definitions, strict=True)
            if isinstance(definition, Definition)
        ]
        try:
            answers = self._past.series(questions) if questions else []
        except MeasurementError as error:
            answers = [error.answer()] * len(questions)
        return _merged(definitions, answers)


def _defined(answer: Answer, question: Question) -> Answer:
    """Return the answer for an SLO's own window with its definition."""
    if not question.main:
        return answer
    if not isinstance(answer, Counts | Share):
        return _advised(answer, _OF_ANSWERS)
    evidence = replace(
        answer.evidence,
        definition=question.definition,
        granted=question.definition.granted,
        notes=(*question.definition.notes, *answer.evidence.notes),
    )
    return replace(answer, evidence=evidence)


def _advised(answer: A, remedies: Mapping[Cause, str]) -> A | Unmeasured:
    """Return an answer; for a missing one, the reason with a remedy."""
    if not isinstance(answer, Unmeasured) or answer.cause not in remedies:
        return answer
    if advice_in(answer.reason):
        return answer
    return replace(answer, reason=f"{answer.reason}{hint_for(remedies[answer.cause])}")


def _merged(
    definitions: Sequence[Definition | Unmeasured], answers: Sequence[A]
) -> list[A | Unmeasured]:
    """Return an answer for each, in order; for an undefined one, the reason."""
    following = iter(answers)
    return [
        definition if isinstance(definition, Unmeasured) else next(following)
        for definition in definitions
    ]
