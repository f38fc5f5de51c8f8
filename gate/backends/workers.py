"""Threads that run queries while the main thread decides on the next ones."""

import queue
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    pass

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


class Workers(Generic[Job, Outcome]):
    """A few daemon threads.

    The executors of the standard library are joined at exit: Ctrl-C would then wait for a server
    that does not answer.
    """

    def __init__(self, work: Callable[[Job], Outcome], most: int) -> None:
        """Prepare; ``work`` must not raise."""
        self._work = work
        self._most = most
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Job, Outcome]] = queue.SimpleQueue()
        self._threads = 0
        self.under_way = 0

    @property
    def full(self) -> bool:
        """Whether every thread has a job."""
        return self.under_way >= self._most

    def slow_down(self) -> None:
        """Start no further job while one is running: the server accepts few at once."""
        self._most = 1

    def submit(self, job: Job) -> None:
        """Start a job, on a free thread or a new one."""
        self.under_way += 1
        if self._threads < min(self.under_way, self._most):
            self._threads += 1
            threading.Thread(target=self._run, daemon=True).start()
        self._jobs.put(job)

    def next(self, timeout: float) -> tuple[Job, Outcome] | None:
        """Wait for a finished job; None if none finishes within this number of seconds."""
        try:
            done = self._done.get(timeout=max(timeout, 0))
        except queue.Empty:
            return None
        self.under_way -= 1
        return done

    def dismiss(self) -> None:
        """Let the threads end; busy ones end after their job."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._done.put((job, self._work(job)))
