"""A platform in memory, which counts what it is asked and fails as it is told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction

from gate.backends.platforms.platform import Question, SeriesQuestion
from gate.measure import (
    Answer,
    Cause,
    CountRequest,
    Counts,
    Definition,
    Evidence,
    MeasurementError,
    Promise,
    Unmeasured,
)
from gate.measure.diagnosis import Check, CheckResult
from gate.measure.history import Series, SeriesAnswer
from gate.slo.indicator import Sli
from gate.slo.objective import RollingWindow, Span

AT = datetime(2026, 11, 1, tzinfo=UTC)
MONTH = RollingWindow(timedelta(days=30))
UNREACHABLE = MeasurementError(Cause.BACKEND_ERROR, "https://platform.example: 503")


def defined(name: str = "chat", **more: object) -> Definition:
    values: dict[str, object] = {
        "id": f"id-of-{name}",
        "name": name,
        "platform": "Example",
        "promises": (Promise(window=MONTH, objective=Fraction(999, 1000)),),
        **more,
    }
    return Definition(**values)  # type: ignore[arg-type]


def request(name: str = "chat", *, probe: bool = True, hours: int = 720) -> CountRequest:
    span = Span(AT - timedelta(hours=hours), AT)
    return CountRequest(sli=Sli(slo=name), span=span, probe=probe)


def counts(bad: int = 400, total: int = 1_000_000, **evidence: object) -> Counts:
    seen = Evidence(query="GET /slos/id-of-chat", **evidence)  # type: ignore[arg-type]
    return Counts(total=Fraction(total), bad=Fraction(bad), evidence=seen)


NOT_THERE = Unmeasured(cause=Cause.NO_DATA, reason="the platform has no such SLO")


@dataclass
class Played:
    """Answers by the name of the SLO."""

    answers: Mapping[str, Answer]
    definitions: dict[str, Definition | Unmeasured] = field(default_factory=dict)
    """Definitions by SLO; any other SLO has the one that `defined` makes."""
    cannot: set[str] = field(default_factory=set)
    """The methods that nothing comes of: define, answer, series, examine."""
    whole: tuple[CheckResult, ...] = (
        CheckResult(check=Check.RIGHTS, message="the key may only read"),
    )
    asked: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """The calls, with the names of the SLOs."""
    title: str = "Example"

    def begin(self) -> None:
        self.asked.append(("begin", ()))

    def define(self, slis: Sequence[Sli]) -> list[Definition | Unmeasured]:
        names = self._called("define", slis)
        return [self.definitions.get(name, defined(name)) for name in names]

    def answer(self, questions: Sequence[Question], at: datetime) -> list[Answer]:
        assert at == AT
        names = self._called("answer", [question.sli for question in questions])
        return [self.answers[name] for name in names]

    def series(self, questions: Sequence[SeriesQuestion]) -> list[SeriesAnswer]:
        names = self._called("series", [question.sli for question in questions])
        return [Series(total=(10.0,), bad=(1.0,), query=name) for name in names]

    def examine(self) -> list[CheckResult]:
        self._called("examine", ())
        return list(self.whole)

    def _called(self, method: str, slis: Sequence[Sli]) -> tuple[str, ...]:
        names = tuple(str(sli.slo) for sli in slis)
        self.asked.append((method, names))
        if method in self.cannot:
            raise UNREACHABLE
        return names

    @property
    def calls(self) -> list[str]:
        return [method for method, _ in self.asked]
