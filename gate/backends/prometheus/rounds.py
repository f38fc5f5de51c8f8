"""Rounds of queries: what a server refuses is asked in another form, as long as that may help.

The words of a refusal decide nothing, since every server has its own. What may be a limit is tried:
the part with the longest window alone, then a short piece of it, then lengths between the two. What
is learnt holds for all that is still to be asked.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Final

from gate.backends.prometheus.batches import Batch, batch_query, batches_of, span_of, split_batch
from gate.backends.prometheus.client import Client
from gate.backends.prometheus.limits import ServerLimits, fitting_length
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryError, QueryResult, read_reply
from gate.backends.prometheus.replies import Reply
from gate.backends.workers import Workers
from gate.dataclass import dataclass
from gate.measure import Cause
from gate.request_failure import RequestFailure, RetryAdvice

_WORTH_WHILE: Final = 1.0
"""Seconds that a query needs to be answered at all, on a server that is slow already."""
_GRACE: Final = 0.5
"""Seconds more for a query that ran out of time to say so itself."""
_SLOW: Final = 1.0
"""Seconds before which no query has run out of time, whatever the server says."""
_PERHAPS_A_LIMIT: Final = frozenset({RetryAdvice.SEPARATE, RetryAdvice.SMALLER})
_AT_A_TIME: Final = 500
"""Parts that are put into batches at once: some ten batches."""
_FRAGMENTS: Final = 4
"""The fragments of a batch in which something is refused: few, as their size may be what the server
takes."""
Refused = tuple[Batch, RequestFailure | None]
"""What was refused, and how; None: it was not sent, since the batches before it were refused."""


@dataclass(slots=True, kw_only=True)
class Rounds:
    """Queries at one instant, and what came back so far."""

    client: Client
    at: datetime
    until: float
    """When an answer is of no more use, on the clock's monotonic scale."""
    parallel: int
    limits: ServerLimits
    hopeless: str | None = None
    """Why no query would be answered; None: some may be."""
    readings: dict[Query, QueryResult] = field(default_factory=dict)
    pieces: dict[Query, tuple[Query, ...]] = field(default_factory=dict)
    """What was cut, the newest piece first; pieces may have been cut, too."""
    _asked_again: set[Batch] = field(default_factory=set)
    _searched: set[Query] = field(default_factory=set)
    _refused: list[Refused] = field(default_factory=list)
    _reach: timedelta | None = None
    """The time that each fragment of a batch spans that is being tried; None: they are smaller."""

    def leaves(self, part: Query) -> Iterator[Query]:
        """Yield the pieces of a part that were asked for, the newest first; itself if uncut."""
        pieces = self.pieces.get(part) if self.pieces else None
        if pieces is None:
            yield part
            return
        for piece in pieces:
            yield from self.leaves(piece)

    def is_read(self, part: Query) -> bool:
        """Return whether there is an answer, or the pieces that a part was cut into have theirs."""
        return part in self.readings or (bool(self.pieces) and part in self.pieces)

    def ask(self, parts: Iterable[Query], spare: Iterable[Query] = ()) -> None:
        """Ask for the parts until each is read, or cannot be, or time is up.

        Args:
            parts: what to ask; gone through while the first of them are being answered.
            spare: what to ask as well if all of it can be under way at once.
        """
        self._round(self._as_they_come(parts, spare), most_refusals=self.parallel)
        batches, waiting, trial = self._instead(self._refused)
        while batches:
            self._round(batches, most_refusals=self.parallel)
            if trial and not self._refused:
                # The fragments of a batch were all answered: the rest is asked like them.
                self._learn(batches)
                batches, waiting, trial = self._batches(_parts_of(waiting)), [], False
                continue
            batches, waiting, trial = self._instead([*self._refused, *waiting])

    def ask_once(self, parts: Iterable[Query]) -> None:
        """Ask for the parts, a few each by itself, and take a refusal for an answer."""
        parts = list(parts)
        self.limits.parts += len(parts)
        batches = self._batches(parts)
        if len(parts) <= self.parallel:
            batches = [(part,) for batch in batches for part in batch]
        self._round(batches)
        for batch, failure in self._refused:
            self._read_all(batch, "" if failure is None else failure.reason)

    def _as_they_come(self, parts: Iterable[Query], spare: Iterable[Query]) -> Iterator[Batch]:
        """Yield batches as soon as they are full, while the other parts are still to be made."""
        parts, sent, rest = iter(parts), 0, list[Query]()
        while some := list(islice(parts, _AT_A_TIME)):
            self.limits.parts += len(_one_by_one(tuple(some)))
            *full, last = self._batches([*rest, *some]) or [()]
            yield from full
            sent, rest = sent + len(full), list(last)
        last_ones = self._batches(rest)
        if sent + len(last_ones) <= self.parallel and last_ones:
            more = list(spare)
            with_more = self._batches([*rest, *more])
            if sent + len(with_more) <= self.parallel:
                self.limits.parts += len(more)
                last_ones = with_more
        yield from last_ones

    def _batches(self, parts: Iterable[Query]) -> list[Batch]:
        """Cut what is longer than the server takes, and put what is not read yet into batches."""
        longest, leaves = self.limits.longest, list[Query]()
        for part in parts:
            for leaf in list(self.leaves(part)):
                pieces = leaf.cut(longest)
                if len(pieces) > 1:
                    self.pieces[leaf] = pieces
                leaves += (piece for piece in pieces if piece not in self.readings)
        # Pieces of one stretch of time together: some servers limit what all of a query spans.
        leaves.sort(key=lambda leaf: leaf.order)
        # What cannot be cut as short as need be does not spoil the batches of the others.
        cut = [leaf for leaf in leaves if longest is None or leaf.extent <= longest]
        whole = [leaf for leaf in leaves if longest is not None and leaf.extent > longest]
        limits = (self._most_bytes, self.limits.reach, self.limits.most_parts)
        return [batch for some in (cut, whole) for batch in batches_of(some, *limits)]

    @property
    def _most_bytes(self) -> int:
        return min(self.limits.most_bytes, self.client.most_bytes or self.limits.most_bytes)

    def _round(self, batches: Iterable[Batch], most_refusals: int | None = None) -> None:
        """Send batches, a few at once, and keep what comes back; the largest refused come first.

        The fragments of the largest are as much as may be asked at once.

        Args:
            batches: what to send.
            most_refusals: after this many the rest is not sent before it is known what the server
                takes; None: all of it is.
        """
        self._refused = []
        batches, again = iter(batches), deque[Batch]()
        workers = Workers(self._send, 1 if self.limits.one_at_a_time else self.parallel)
        while True:
            held = most_refusals is not None and len(self._refused) >= most_refusals
            while not (held or workers.full) and (batch := self._next(batches, again)):
                workers.submit(batch)
            if not workers.under_way:
                # Largest first; what is left over was held back.
                self._refused.sort(key=lambda refused: -len(refused[0]))
                self._refused += ((batch, None) for batch in chain(batches, again))
                break
            done = workers.next(self.until + _GRACE - self.client.clock.monotonic())
            if done is None:
                break
            again.extend(self._settle(*done))
            if self.limits.one_at_a_time:
                workers.slow_down()
        workers.dismiss()

    def _next(self, batches: Iterator[Batch], again: deque[Batch]) -> Batch | None:
        """Return what to send next; None: nothing, or it is known that none would be answered."""
        while batch := next(batches, None) or (again.popleft() if again else None):
            if self.hopeless is None:
                return batch
            self._read_all(batch, self.hopeless)
        return None

    def _send(self, batch: Batch) -> Reply | RequestFailure:
        left = self.until - self.client.clock.monotonic()
        # What can be asked for in pieces leaves time to do so, as long as that is worth while.
        divisible = len(batch) > 1 or batch[0].halves() is not None
        allowed = left / 2 if divisible and left / 2 > _WORTH_WHILE else left
        when = self.at if batch[0].grid is None else batch[0].grid
        outcome = self.client.query(batch_query(batch), when, until=self.until, allowed=allowed)
        took = left - (self.until - self.client.clock.monotonic())
        if isinstance(outcome, RequestFailure) and outcome.slow and took < _SLOW:
            # A limit, or a proxy that has nobody to ask.
            return replace(outcome, slow=False, advice=RetryAdvice.NONE, transient=True)
        return outcome

    def _settle(self, batch: Batch, outcome: Reply | RequestFailure) -> list[Batch]:
        """Keep what came back; return what to ask at once instead of a batch that failed."""
        if isinstance(outcome, Reply):
            self.limits.victoria |= outcome.victoria
            self.readings.update(zip(batch, read_reply(outcome, batch), strict=True))
            return []
        late = outcome.slow or outcome.timed_out  # which time itself puts an end to
        self.limits.refusals += not late
        if outcome.advice in _PERHAPS_A_LIMIT and not late:
            self._refused.append((_one_by_one(batch), outcome))
            return []
        if outcome.advice is RetryAdvice.SMALLER:
            batch = _one_by_one(batch)
            if len(batch) > 1:
                return split_batch(batch, self.parallel)
            if halves := batch[0].halves():
                self.pieces[batch[0]] = halves
                return [(half,) for half in halves]
        return self._once_more(batch, outcome)

    def _once_more(self, batch: Batch, failure: RequestFailure) -> list[Batch]:
        """Return a batch once, to be asked when the others no longer slow the server down."""
        busy = failure.transient and failure.advice is RetryAdvice.NONE
        given_up = batch in self._asked_again or (busy and self.limits.crowded)
        if (failure.slow or busy) and not given_up:
            self._asked_again.add(batch)
            self.limits.one_at_a_time |= busy
            return [batch]
        if busy and failure.wait is None and self._is_long(batch, failure):
            # Some servers say so of a query that is too large for them, too.
            self.limits.crowded = True
            self._refused.append((batch, failure))
            return []
        if failure.advice is RetryAdvice.GIVE_UP:
            self.hopeless = failure.reason
        self._read_all(batch, failure.reason)
        return []

    def _instead(self, refused: Sequence[Refused]) -> tuple[list[Batch], list[Refused], bool]:
        """Return what to ask instead, what waits for the outcome, and whether that is a trial."""
        waiting = list[Refused]()
        for batch, failure in refused:
            if failure is not None and (
                self.limits.exhausted
                or (len(batch) == 1 and not self.limits.curable(batch[0], failure))
            ):
                self._read_all(batch, failure.reason)
            else:
                waiting.append((batch, failure))
        waiting.sort(key=lambda refused: refused[1] is None)
        if not waiting or waiting[0][1] is None:
            return self._batches(_parts_of(waiting)), [], False
        if any(len(b) > 1 and len(batch_query(b).encode()) > self._most_bytes for b, _ in waiting):
            return self._batches(_parts_of(waiting)), [], False  # the limit has become known since
        chosen = self._longest(waiting)
        if chosen is not None:
            again = self._search(*chosen)
            if again is not None:
                return [*again, *self._batches(_parts_of(waiting))], [], False
        (batch, _), *others = waiting
        unread = tuple(part for part in batch if part not in self.readings)
        longest = max(part.extent for part in unread)
        if span_of(unread) > longest and unread not in self._asked_again:
            self._asked_again.add(unread)
            self._reach = longest
            return batches_of(unread, reach=longest), others, True
        self._reach = None
        return split_batch(unread, _FRAGMENTS), others, True

    def _learn(self, batches: Sequence[Batch]) -> None:
        """Remember by what the fragments differ from the batch that they come from.

        Whether it is their length or the number of their parts is not known.
        """
        if self._reach is not None:
            self.limits.reach = self._reach
            return
        largest = max(len(batch_query(batch).encode()) for batch in batches)
        self.limits.most_bytes = min(self.limits.most_bytes, largest)
        self.limits.most_parts = max(map(len, batches))

    def _longest(self, refused: Iterable[Refused]) -> tuple[Batch, Query, RequestFailure] | None:
        """Return the part with the longest window that may be what a server refuses."""
        parts = [
            (batch, part, failure)
            for batch, failure in refused
            if failure is not None
            for part in batch
            if part not in self._searched and self.limits.curable(part, failure)
        ]
        return max(parts, key=lambda each: each[1].extent, default=None)

    def _search(self, batch: Batch, part: Query, failure: RequestFailure) -> list[Batch] | None:
        """Find out whether a shorter window is answered; None: this window is answered alone."""
        self._searched.add(part)
        if len(batch) > 1:
            outcome = self._send((part,))
            further = self._settle((part,), outcome)
            if isinstance(outcome, Reply):
                return None
            if not self._refused or self._refused[-1][0] != (part,):
                return further
            failure = outcome
        length = fitting_length(part, failure.reason, lambda least: self._fits(part, least))
        if length is None:
            self.limits.note_useless(failure)
            self._read_all((part,), failure.reason)
        else:
            self.limits.longest = length
        return []

    def _is_long(self, batch: Batch, failure: RequestFailure) -> bool:
        """Return whether a shorter window of one of the parts may be answered."""
        return any(self.limits.curable(part, failure) for part in batch)

    def _fits(self, part: Query, length: timedelta) -> bool:
        piece = part.cut(length)[0]
        outcome = self._send((piece,))
        self._settle((piece,), outcome)
        return isinstance(outcome, Reply)

    def _read_all(self, parts: Iterable[Query], reason: str) -> None:
        for part in parts:
            error = QueryError(cause=Cause.BACKEND_ERROR, reason=reason)
            self.readings.setdefault(part, error)


def _one_by_one(batch: Batch) -> Batch:
    """Return what a batch asks, each by itself."""
    return tuple(own for part in batch for own in part.members or (part,))


def _parts_of(refused: Iterable[Refused]) -> list[Query]:
    return [part for batch, _ in refused for part in batch]
