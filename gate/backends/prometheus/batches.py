"""Threads that carry out queries while the main thread decides what to ask next."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Generic, TypeVar

from gate.backends.prometheus.client import ALLOW_MORE, Client, Reply
from gate.backends.prometheus.gathered import add_results
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import (
    LABEL,
    QueryError,
    QueryResult,
    merge_results,
    read_reply,
)
from gate.http import NO_TIME
from gate.measure import Cause
from gate.promql.selectors import quote
from gate.request_failure import RequestFailure, RetryAdvice

Job = TypeVar("Job")
Outcome = TypeVar("Outcome")


class Workers(Generic[Job, Outcome]):
    """A few daemon threads.

    The executors of the standard library are joined at exit: Ctrl-C would then wait for a server
    that does not answer.
    """

    def __init__(self, work: Callable[[Job], Outcome], most: int) -> None:
        """Start nothing yet; ``work`` must not raise."""
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

    def submit(self, job: Job) -> None:
        """Start a job, on a thread that is free or a new one."""
        self.under_way += 1
        if self._threads < min(self.under_way, self._most):
            self._threads += 1
            threading.Thread(target=self._run, daemon=True).start()
        self._jobs.put(job)

    def next(self, timeout: float) -> tuple[Job, Outcome] | None:
        """Wait for a job to be done; None when none is in so many seconds."""
        try:
            done = self._done.get(timeout=max(timeout, 0))
        except queue.Empty:
            return None
        self.under_way -= 1
        return done

    def dismiss(self) -> None:
        """Let the threads end, those at work after their job."""
        for _ in range(self._threads):
            self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._done.put((job, self._work(job)))


_MOST_BYTES: Final = 12_000
"""VictoriaMetrics takes 16 KiB (-search.maxQueryLen), counted before percent-encoding."""
_MOST_POINTS: Final = 32_768
"""Of one answer: some 0.7 MB, and 5 MB once read. What a server does for an ``or`` of many series
over many steps grows faster than their number (benchmarks/README.md)."""
_FEWEST_PIECES: Final = 2
_WORTH_WHILE: Final = 1.0
"""Seconds that a query needs to be answered at all, on a server that is slow already."""
_GRACE: Final = 0.5
"""Seconds more for a query that ran out of time to say so itself."""
Batch = tuple[Query, ...]


def batch_query(batch: Batch) -> str:
    """Write one query for several parts, each marked; a single part is sent as it is.

    Alone, so that the server's complaint speaks of the very expression in the policy.
    """
    if len(batch) == 1:
        return batch[0].text
    return _union([_marked(part, place) for place, part in enumerate(batch)])


def _union(texts: Sequence[str]) -> str:
    """Write halves of halves: a server copies, for each ``or``, all that is on its two sides.

    In a chain that is half the square of their number, here it is their number by its logarithm.
    """
    if len(texts) == 1:
        return texts[0]
    half = len(texts) // 2
    return f"({_union(texts[:half])} or {_union(texts[half:])})"


def _marked(part: Query, place: int) -> str:
    return f'label_replace({part.text},"{LABEL}",{quote(str(place))},"","")'


def batches_of(parts: Iterable[Query]) -> list[Batch]:
    """Put parts into batches of a size that every server takes; equal parts once.

    A query has one grid, so parts that follow each other in another one begin another batch.
    """
    batches, batch, size = list[Batch](), list[Query](), 0
    for part in dict.fromkeys(parts):
        length = len(_marked(part, 999).encode()) + len("( or )")
        if batch and (size + length > _MOST_BYTES or not _has_room(batch, part)):
            batches.append(tuple(batch))
            batch, size = [], 0
        batch.append(part)
        size += length
    return [*batches, tuple(batch)] if batch else batches


def _has_room(batch: Sequence[Query], part: Query) -> bool:
    points = 1 if part.grid is None else part.grid.count
    return part.grid == batch[0].grid and points * (len(batch) + 1) <= _MOST_POINTS


def split_batch(batch: Batch, pieces: int) -> list[Batch]:
    """Cut a batch into so many pieces of about equal size, or fewer."""
    size = -(-len(batch) // max(pieces, _FEWEST_PIECES))
    return [batch[start : start + size] for start in range(0, len(batch), size)]


@dataclass(slots=True, kw_only=True)
class Fetch:
    """Queries at one instant, and what came back so far."""

    client: Client
    at: datetime
    until: float
    """When an answer is of no more use, on the clock's monotonic scale."""
    parallel: int
    hopeless: str | None = None
    """Why no query would be answered; None: some may be."""
    _readings: dict[Query, QueryResult] = field(default_factory=dict)
    _halves: dict[Query, tuple[Query, Query]] = field(default_factory=dict)
    _asked_again: set[Batch] = field(default_factory=set)

    def reading(self, part: Query) -> QueryResult:
        """Return a part's reading, put together from its halves where it had to be cut."""
        if part.terms:
            return add_results([self.reading(term) for term in part.terms])
        if part in self._halves:
            newer, older = self._halves[part]
            return merge_results(self.reading(newer), self.reading(older))
        return self._readings.get(part) or _fault(NO_TIME + ALLOW_MORE)

    def run(self, parts: Iterable[Query]) -> None:
        """Ask for those of the parts that are not read yet, until each is or time is up."""
        leaves = (leaf for part in parts for leaf in part.leaves)
        unread = (leaf for leaf in leaves if not self._is_read(leaf))
        waiting = deque(self._hopeful(batches_of(unread)))
        workers = Workers(self._ask, self.parallel)
        while waiting or workers.under_way:
            while waiting and not workers.full:
                workers.submit(waiting.popleft())
            done = workers.next(self.until + _GRACE - self.client.clock.monotonic())
            if done is None:
                break
            waiting.extend(self._settle(*done))
            waiting = deque(self._hopeful(waiting))
        workers.dismiss()

    def _is_read(self, part: Query) -> bool:
        return part in self._readings or part in self._halves

    def _ask(self, batch: Batch) -> Reply | RequestFailure:
        left = self.until - self.client.clock.monotonic()
        # What can be asked for in pieces leaves time to do so, as long as that is worth while.
        divisible = len(batch) > 1 or batch[0].halves() is not None
        allowed = left / 2 if divisible and left / 2 > _WORTH_WHILE else left
        when = self.at if batch[0].grid is None else batch[0].grid
        return self.client.query(batch_query(batch), when, until=self.until, allowed=allowed)

    def _settle(self, batch: Batch, outcome: Reply | RequestFailure) -> list[Batch]:
        """Keep what came back; return what to ask instead of a batch that failed."""
        if isinstance(outcome, Reply):
            self._readings.update(zip(batch, read_reply(outcome, batch), strict=True))
            return []
        if outcome.advice in {RetryAdvice.SEPARATE, RetryAdvice.SMALLER} and len(batch) > 1:
            return split_batch(batch, self.parallel)
        halves = batch[0].halves() if outcome.advice is RetryAdvice.SMALLER else None
        if halves is not None:
            self._halves[batch[0]] = halves
            return [(half,) for half in halves]
        if outcome.slow and batch not in self._asked_again:
            self._asked_again.add(batch)  # at the end, when the others no longer slow it down
            return [batch]
        if outcome.advice is RetryAdvice.GIVE_UP:
            self.hopeless = outcome.reason
        self._read_all(batch, outcome.reason)
        return []

    def _hopeful(self, batches: Iterable[Batch]) -> Iterable[Batch]:
        """Return the batches, or none when it is known that none would be answered."""
        if self.hopeless is None:
            return batches
        self._read_all([part for batch in batches for part in batch], self.hopeless)
        return ()

    def _read_all(self, parts: Iterable[Query], reason: str) -> None:
        self._readings.update(dict.fromkeys(parts, _fault(reason)))


def _fault(reason: str) -> QueryError:
    return QueryError(cause=Cause.BACKEND_ERROR, reason=reason)
