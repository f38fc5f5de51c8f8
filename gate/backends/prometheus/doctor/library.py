"""What the server says of itself, beside queries: asked all at once, each at most once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gate.backends.prometheus.batches import Workers
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.response import Body
from gate.request_failure import RequestFailure


@dataclass(frozen=True, slots=True)
class ServerQuestion:
    """One part of the API, with its parameters."""

    name: str
    """After ``/api/v1/``."""
    parameters: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LibraryAnswer:
    """An answer, and by our clock when it was asked for and when it came."""

    body: Body | RequestFailure
    sent: datetime
    received: datetime


METRICS: Final = ServerQuestion("label/__name__/values")


def labels_of(metric: str) -> ServerQuestion:
    """Ask which labels the series of a metric have."""
    return ServerQuestion("labels", (("match[]", metric),))


@dataclass(slots=True, kw_only=True)
class Library:
    """The answers so far. A question that was never asked, or not answered, has none."""

    client: Client
    until: float
    """When an answer is of no more use, on the clock's monotonic scale."""
    parallel: int
    _told: dict[ServerQuestion, LibraryAnswer] = field(default_factory=dict)
    _workers: Workers[ServerQuestion, LibraryAnswer] | None = None

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
            self._told[done[0]] = done[1]

    def told(self, question: ServerQuestion) -> LibraryAnswer | None:
        """Return an answer with its times; None: there is none."""
        told = self._told.get(question)
        return None if told is None or isinstance(told.body, RequestFailure) else told

    def failure(self, question: ServerQuestion) -> str | None:
        """Return why a question was not answered; None: it was, or was never asked."""
        told = self._told.get(question)
        return (
            told.body.reason if told is not None and isinstance(told.body, RequestFailure) else None
        )

    def data(self, question: ServerQuestion) -> object:
        """Return what an answer says; None: there is none."""
        told = self.told(question)
        return (
            None if told is None or isinstance(told.body, RequestFailure) else told.body.get("data")
        )

    def facts(self, question: ServerQuestion) -> Mapping[str, object]:
        """Return an answer that is a block of keys; empty: there is none."""
        data = self.data(question)
        return data if isinstance(data, dict) else {}

    def names(self, question: ServerQuestion) -> list[str]:
        """Return an answer that is a list of texts; empty: there is none."""
        data = self.data(question)
        return [str(one) for one in data] if isinstance(data, list) else []

    def _ask(self, question: ServerQuestion) -> LibraryAnswer:
        clock = self.client.clock
        sent = clock.now()
        body = self.client.ask(question.name, dict(question.parameters), until=self.until)
        return LibraryAnswer(body, sent, clock.now())
