"""Query several backends at once, with the result if one of them fails."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from time import monotonic
from typing import Any, Final, Generic, TypeVar

from gate.backends import OF_PLATFORMS, Settings, registration, secrets_of
from gate.backends.waits import start
from gate.errors import UsageError
from gate.measure import Backend, Cause, Counts, Limits, Share, Spent, Unmeasured
from gate.redaction import Redactor, redactable
from gate.wording import NO_HISTORY

T = TypeVar("T")
Opened = TypeVar("Opened")
A = TypeVar("A")
_GRACE: Final = 1.0
"""The seconds beyond the time limit: a backend that keeps the limit has the best message itself."""


class AskedBackend(Generic[Opened]):
    """One of several backends: opened, or the reason why not; and whether it is busy."""

    def __init__(self, name: str, settings: Settings, open_: Callable[[], Opened]) -> None:
        self.name = f"{name} ({settings.kind})"
        """The name in a sentence."""
        keys = "|".join(map(re.escape, registration(settings.kind).block.fields))
        self._keys = re.compile(rf"(?<![\w./@-])backend\.(?=(?:{keys})\b)")
        self._place = f"backends.{name}."
        self.of_platform = registration(settings.kind).indicators == OF_PLATFORMS
        """Whether it is an SLO platform."""
        self._redact = Redactor(redactable(secrets_of(settings)))
        self.opened: Opened | None = None
        self.why_not = ""
        """The reason why it could not be opened."""
        self._task: Future[Any] | None = None
        try:
            self.opened = open_()
        except Exception as error:  # noqa: BLE001 - the other backends go on
            self.why_not = self._failure(error)

    def placed(self, text: str) -> str:
        """Return a text about keys of a single backend with their place in this policy."""
        return self._keys.sub(self._place, text)

    def start(self, ask: Callable[[Opened], T]) -> "Future[T]":
        """Query it in a daemon thread, without delaying Ctrl-C; the future has its exception.

        A backend that is still busy with an earlier query gets no other: it may answer one query at
        a time.
        """
        refused: Future[T] = Future()
        opened = self.opened
        if opened is None:
            refused.set_exception(_NotAskedError(self.why_not))
            return refused
        if self._task is not None and not self._task.done():
            why = f"the backend {self.name} is still busy with an earlier request"
            refused.set_exception(_NotAskedError(why))
            return refused
        future = start(lambda: ask(opened))
        self._task = future
        return future

    def outcome(self, future: "Future[T]", until: float, limits: Limits) -> T | Unmeasured:
        """Return its answer until a monotonic instant, or the reason why it is missing."""
        try:
            error = future.exception(timeout=max(until - monotonic(), 0))
        except TimeoutError:
            seconds = f"{limits.timeout.total_seconds():g}s"
            reason = f"the backend {self.name} did not answer within {seconds}"
        else:
            if error is None:
                return future.result()
            reason = str(error) if isinstance(error, _NotAskedError) else self._failure(error)
        return Unmeasured(cause=Cause.BACKEND_ERROR, reason=reason)

    def _failure(self, error: BaseException) -> str:
        if isinstance(error, UsageError):
            return self._redact(f"the backend {self.name}: {error}")
        words = self._redact(f"{type(error).__name__}: {error}")
        return f"the backend {self.name} failed: {words}"


class HandedOver(Generic[T]):
    """The answers of one backend, one at a time: it keeps one that nobody has taken, and waits."""

    def __init__(
        self,
        source: AskedBackend[Opened],
        ask: Callable[[Opened], Iterator[T]],
        number: int,
        limits: Limits,
    ) -> None:
        """Ask a backend in a thread of its own.

        Args:
            source: the backend.
            ask: yields its answers.
            number: the number of expected answers.
            limits: it is not waited for any longer than its time limit; the time in which it waits
                for its answers to be taken is not counted.
        """
        self._source, self._limits = source, limits
        self._number, self._taken = number, 0
        self._left = limits.timeout.total_seconds() + _GRACE
        self._since: float | None = monotonic()
        """Since when it works on the next answer; None: it waits for the one before to be taken."""
        self._changed = threading.Condition()
        self._waiting: list[T] = []
        self._wanted = True
        self._lost: Unmeasured | None = None
        self._future = source.start(lambda opened: self._hand_over(ask(opened)))
        self._future.add_done_callback(self._wake)

    def take(self) -> T | Unmeasured:
        """Return the next answer; once one is missing, the reason, also for all that follow."""
        if self._lost is None:
            with self._changed:
                self._changed.wait_for(self._answered, self._left_now())
                if self._waiting:
                    self._taken += 1
                    answer = self._waiting.pop()
                    if self._since is None:
                        self._since = monotonic()
                    self._changed.notify_all()
                    if self._taken == self._number:
                        # A backend that is asked something else has to be free by then.
                        self._changed.wait_for(self._future.done, self._left_now())
                    return answer
            self._lost = self._why_none()
            self.leave()
        return self._lost

    def leave(self) -> None:
        """Take no more answers."""
        with self._changed:
            self._wanted = False
            self._changed.notify_all()

    def _answered(self) -> bool:
        return bool(self._waiting) or self._future.done()

    def _left_now(self) -> float:
        """Return the seconds that the backend has left if it works."""
        since = monotonic() if self._since is None else self._since
        return max(self._left - (monotonic() - since), 0)

    def _why_none(self) -> Unmeasured:
        outcome = self._source.outcome(self._future, monotonic(), self._limits)
        if isinstance(outcome, Unmeasured):
            return outcome
        of = f"{self._taken} answers to {self._number} requests"
        reason = f"the backend {self._source.name} gave {of}"
        return Unmeasured(cause=Cause.BACKEND_ERROR, reason=reason)

    def _hand_over(self, answers: Iterator[T]) -> None:
        for answer in answers:
            with self._changed:
                self._left, self._since = self._left_now(), None
                self._changed.wait_for(lambda: not self._waiting or not self._wanted)
                if not self._wanted:
                    return
                self._waiting.append(answer)
                self._since = monotonic()
                self._changed.notify_all()
            del answer

    def _wake(self, _future: "Future[None]") -> None:
        with self._changed:
            self._changed.notify_all()


class _NotAskedError(Exception):
    """No query was sent; the message says why."""


def ask_all(
    sources: Mapping[str, AskedBackend[Opened]],
    tasks: Mapping[str, Callable[[Opened], T]],
    limits: Limits,
) -> dict[str, T | Unmeasured]:
    """Return the answer of each of these backends, all queried at the same time.

    Args:
        sources: all backends, by name.
        tasks: the requests to each queried backend, by name.
        limits: the time limit of each backend.
    """
    until = monotonic() + limits.timeout.total_seconds() + _GRACE
    started = {name: sources[name].start(task) for name, task in tasks.items()}
    outcomes: dict[str, T | Unmeasured] = {}
    for name, future in started.items():
        outcome: T | Unmeasured = sources[name].outcome(future, until, limits)
        outcomes[name] = outcome
    return outcomes


def answers_of(
    outcome: list[A] | Unmeasured | None, number: int, source: AskedBackend[Backend], lack: str
) -> Sequence[A | Unmeasured]:
    """Return an answer for each of this number of requests to a backend."""
    if outcome is None:
        if source.of_platform and lack.startswith(NO_HISTORY):
            lack = f"{NO_HISTORY} that can be read"
        reason = f"the backend {source.name} {lack}"
        return [Unmeasured(cause=Cause.NO_DATA, reason=reason)] * number
    if isinstance(outcome, Unmeasured):
        return [outcome] * number
    if len(outcome) != number:
        reason = f"the backend {source.name} gave {len(outcome)} answers to {number} requests"
        return [Unmeasured(cause=Cause.BACKEND_ERROR, reason=reason)] * number
    return [placed_answer(answer, source) for answer in outcome]


def placed_answer(answer: A, source: AskedBackend[Backend]) -> A | Unmeasured:
    """Return an answer whose remedy names the keys of this backend."""
    if isinstance(answer, Unmeasured):
        return replace(answer, reason=source.placed(answer.reason))
    if isinstance(answer, Counts | Spent | Share) and answer.evidence.suspicions:
        suspicions = tuple(
            replace(each, reason=source.placed(each.reason), remedy=source.placed(each.remedy))
            for each in answer.evidence.suspicions
        )
        return replace(answer, evidence=replace(answer.evidence, suspicions=suspicions))
    return answer
