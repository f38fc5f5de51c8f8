"""What the server says of itself, beside queries: asked all at once, each at most once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gate.backends.prometheus.client import Client
from gate.backends.prometheus.outcome import Failure
from gate.backends.prometheus.response import Body
from gate.backends.prometheus.workers import Workers


@dataclass(frozen=True, slots=True)
class Question:
    """One part of the API, with its parameters."""

    name: str
    """After ``/api/v1/``."""
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """An answer, and by our clock when it was asked for and when it came."""

    body: Body | Failure
    sent: datetime
    received: datetime


METRICS: Final = Question("label/__name__/values")


def labels_of(metric: str) -> Question:
    """Ask which labels the series of a metric have."""
    return Question("labels", (("match[]", metric),))


@dataclass(slots=True, kw_only=True)
class Library:
    """The answers so far. A question that was never asked, or not answered, has none."""

    client: Client
    until: float
    """When an answer is of no more use, on the clock's monotonic scale."""
    parallel: int
    _told: dict[Question, Told] = field(default_factory=dict)
    _workers: Workers[Question, Told] | None = None

    def begin(self, questions: Iterable[Question]) -> None:
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
            self._told[done[0]] = done[1]

    def told(self, question: Question) -> Told | None:
        """Return an answer with its times; None: there is none."""
        told = self._told.get(question)
        return None if told is None or isinstance(told.body, Failure) else told

    def failure(self, question: Question) -> str | None:
        """Return why a question was not answered; None: it was, or was never asked."""
        told = self._told.get(question)
        return told.body.reason if told is not None and isinstance(told.body, Failure) else None

    def data(self, question: Question) -> object:
        """Return what an answer says; None: there is none."""
        told = self.told(question)
        return None if told is None or isinstance(told.body, Failure) else told.body.get("data")

    def facts(self, question: Question) -> Mapping[str, object]:
        """Return an answer that is a block of keys; empty: there is none."""
        data = self.data(question)
        return data if isinstance(data, dict) else {}

    def names(self, question: Question) -> list[str]:
        """Return an answer that is a list of texts; empty: there is none."""
        data = self.data(question)
        return [str(one) for one in data] if isinstance(data, list) else []

    def _ask(self, question: Question) -> Told:
        clock = self.client.clock
        sent = clock.now()
        body = self.client.ask(question.name, dict(question.parameters), until=self.until)
        return Told(body, sent, clock.now())
