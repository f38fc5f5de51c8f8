"""Reading the toy's lines."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from gate.measure import (
    Answer,
    Backend,
    Cause,
    CountRequest,
    Counts,
    Evidence,
    MeasurementError,
    Unmeasured,
)
from gate.measure.diagnosis import Check, CheckedSlo, CheckResult, Diagnosis, Level


@dataclass(frozen=True, slots=True)
class ToyBackend:
    """Answers from the lines of a file."""

    path: Path

    def measure(self, requests: Sequence[CountRequest], at: datetime) -> list[Answer]:  # noqa: ARG002 - a line has no time
        return [self._answer(request.sli.series) for request in requests]

    def _answer(self, name: str | None) -> Answer:
        try:
            return count([line for line in self._lines() if line[0] == name])
        except MeasurementError as error:
            return error.answer(f"{name} in {self.path}")

    def _lines(self) -> list[list[str]]:
        try:
            text = self.path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = f"the lines cannot be read: {type(error).__name__}"
            raise MeasurementError(Cause.BACKEND_ERROR, reason) from error
        if text and not text.endswith("\n"):
            raise MeasurementError(Cause.BACKEND_ERROR, "the last line is cut off")
        return [line.split() for line in text.splitlines()]


def count(lines: list[list[str]]) -> Counts:
    """Return the counts of the one line of a name.

    Raises:
        MeasurementError: there is no such line, or it says something else.
    """
    if not lines:
        raise MeasurementError(Cause.NO_DATA, "no line has this name")
    if len(lines) > 1:
        raise MeasurementError(Cause.INVALID, "several lines have this name")
    numbers = lines[0][1:]
    if len(numbers) != 2 or not all(number.isdecimal() for number in numbers):
        raise MeasurementError(Cause.INVALID, "two whole numbers were expected")
    bad, total = map(Fraction, numbers)
    if bad > total:
        raise MeasurementError(Cause.INVALID, "bad is more than total")
    if not total:
        raise MeasurementError(Cause.NO_TRAFFIC, "total is 0")
    return Counts(total=total, bad=bad, evidence=Evidence(query=" ".join(lines[0])))


@dataclass(frozen=True, slots=True)
class ToyDoctor:
    """Says whether each SLO has its line."""

    backend: Backend

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        answers = self.backend.measure([slo.request for slo in slos], at)
        return Diagnosis(backend=(), slos=tuple((_result(answer),) for answer in answers))


def _result(answer: Answer) -> CheckResult:
    if not isinstance(answer, Unmeasured):
        return CheckResult(check=Check.COUNTED, message="there is a line")
    return CheckResult(
        check=Check.COUNTED, level=Level.FAULT, message=answer.reason, remedy="write the line"
    )
