"""The contract of an SLO's check: its queries, and the answers that it receives."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime, timedelta
from typing import ClassVar, Final

from gate.backends.prometheus.client import Client
from gate.backends.prometheus.evidence.roles import is_counted
from gate.backends.prometheus.gathered import PartAnswers
from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_result import (
    QueryResult,
    QueryResults,
    QueryValue,
)
from gate.backends.prometheus.replies import Body
from gate.backends.workers import Workers
from gate.dataclass import dataclass
from gate.measure.diagnosis import Check, CheckResult, SkippedCheck
from gate.promql.expression import Expression
from gate.promql.selectors import Selector
from gate.request_failure import RequestFailure


@dataclass(frozen=True, slots=True)
class ServerQuestion:
    """One part of the API, with its parameters."""

    name: str
    """The path after ``/api/v1/``."""
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """An answer, and by our clock when it was requested and received."""

    body: Body | RequestFailure
    sent: datetime
    received: datetime


METRICS: Final = ServerQuestion("label/__name__/values")


def labels_of(metric: str) -> ServerQuestion:
    """Return the question for the labels of a metric's series."""
    return ServerQuestion("labels", (("match[]", metric),))


@dataclass(slots=True, kw_only=True)
class ServerAnswers:
    """The answers so far. A question that was not asked, or not answered, has none."""

    client: Client
    until: float
    """The deadline of the answers, on the clock's monotonic scale."""
    parallel: int
    _answers: dict[ServerQuestion, ServerAnswer] = field(default_factory=dict)
    _workers: Workers[ServerQuestion, ServerAnswer] | None = None

    def begin(self, questions: Iterable[ServerQuestion]) -> None:
        """Send questions, without waiting for the answers."""
        self._workers = Workers(self._ask, self.parallel)
        for question in dict.fromkeys(questions):
            self._workers.submit(question)

    def finish(self) -> None:
        """Wait for the answers to the questions that have been sent."""
        workers = self._workers
        while workers is not None and workers.under_way:
            done = workers.next(self.until - self.client.clock.monotonic())
            if done is None:
                break
            self._answers[done[0]] = done[1]

    def answer(self, question: ServerQuestion) -> ServerAnswer | None:
        """Return an answer with its times; None: not answered."""
        answer = self._answers.get(question)
        return None if answer is None or isinstance(answer.body, RequestFailure) else answer

    def failure(self, question: ServerQuestion) -> str | None:
        """Return why a question was not answered; None: it was answered, or never asked."""
        answer = self._answers.get(question)
        body = None if answer is None else answer.body
        return body.reason if isinstance(body, RequestFailure) else None

    def data(self, question: ServerQuestion) -> object:
        """Return the data of an answer; None: not answered."""
        answer = self._answers.get(question)
        body = None if answer is None else answer.body
        return None if body is None or isinstance(body, RequestFailure) else body.get("data")

    def facts(self, question: ServerQuestion) -> Mapping[str, object]:
        """Return an answer that is a block of keys; empty: no such answer."""
        data = self.data(question)
        return data if isinstance(data, dict) else {}

    def names(self, question: ServerQuestion) -> list[str]:
        """Return an answer that is a list of texts; empty: no such answer."""
        data = self.data(question)
        return [str(name) for name in data] if isinstance(data, list) else []

    def _ask(self, question: ServerQuestion) -> ServerAnswer:
        clock = self.client.clock
        sent = clock.now()
        body = self.client.ask(question.name, dict(question.parameters), until=self.until)
        return ServerAnswer(body, sent, clock.now())


@dataclass(slots=True, kw_only=True)
class CheckAnswers(PartAnswers):
    """All readings, as the checks of one SLO receive them."""

    readings: QueryResults
    server: ServerAnswers
    at: datetime
    retention: timedelta | None
    """The server's retention; None: unknown."""
    warnings: dict[str, None] = field(default_factory=dict)
    """The server's warnings about missing data in the readings used."""

    def reading(self, part: Query) -> QueryResult:
        """Return the reading of a part, even if it is an error."""
        reading = self.readings(part)
        if isinstance(reading, QueryValue):
            self.warnings |= dict.fromkeys(reading.warnings)
        return reading


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorSource:
    """A selector, and the part of the indicator that contains it."""

    role: Role
    text: str
    """The text in the expression."""
    selector: Selector
    counter: bool
    """Whether its increase is taken."""
    others: tuple[str, ...] = ()
    """Alternative selectors in the same expression, for a metric that was renamed."""


class SloCheck(ABC):
    """One check of one SLO: its queries, and its judgement of the answers."""

    check: ClassVar[Check]
    """The check to report if it could not be made."""

    def queries(self) -> Iterable[Query]:
        """Return the queries of the round of all checks."""
        return ()

    def follow_ups(self, answers: CheckAnswers) -> Iterable[Query]:
        """Return the queries that follow from the first answers."""
        del answers
        return ()

    def questions(self, answers: CheckAnswers) -> Iterable[ServerQuestion]:
        """Return the other questions to the server."""
        del answers
        return ()

    @abstractmethod
    def results(self, answers: CheckAnswers) -> Iterator[CheckResult | SkippedCheck]:
        """Yield the results, or why the check does not apply or could not be made.

        Raises:
            MeasurementError: the server did not answer.
        """


def sources_of(expressions: Mapping[Role, Expression]) -> tuple[SelectorSource, ...]:
    """Return every distinct selector of an indicator, with the first role that has it."""
    sources: dict[str, SelectorSource] = {}
    for role, expression in expressions.items():
        for text in expression.selectors:
            others = expression.selectors if expression.union else ()
            source = SelectorSource(
                role=role,
                text=text,
                selector=Selector.read(text),
                counter=is_counted(expression, text),
                others=tuple(other for other in others if other != text),
            )
            sources.setdefault(text, source)
    return tuple(sources.values())
