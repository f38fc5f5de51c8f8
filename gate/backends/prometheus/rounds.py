"""Rounds of queries: a refused query is repeated in other forms while that may help.

The message of a refusal decides nothing, since every server words it differently. Possible limits
are tried: the part with the longest window alone, then a short piece of it, then lengths between
the two. A limit that was found applies to all queries that follow.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from gate.backends.prometheus.batches import (
    Batch,
    Cuts,
    Refused,
    batch_query,
    batches_of,
    one_by_one,
    parts_of,
    span_of,
    split_batch,
    without_parts,
)
from gate.backends.prometheus.limits import fitting_length
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.replies import Reply
from gate.backends.workers import Workers
from gate.dataclass import dataclass
from gate.request_failure import RequestFailure, RetryAdvice

_WORTH_WHILE: Final = 1.0
"""The fewest seconds that a query needs to be answered on a server that is slow already."""
_GRACE: Final = 0.5
"""The extra seconds in which a query that ran out of time can report that itself."""
_SLOW: Final = 1.0
"""A refusal within this many seconds is not a time-out, whatever the server says."""
_PERHAPS_A_LIMIT: Final = frozenset({RetryAdvice.SEPARATE, RetryAdvice.SMALLER})
_HALVES: Final = 2
_FRAGMENTS: Final = 4
"""The number of fragments into which a refused batch is split: few, as their size may be what the
server takes."""


@dataclass(slots=True, kw_only=True)
class Rounds:
    """The queries at one instant."""

    cuts: Cuts
    at: datetime
    until: float
    """The deadline of the answers, on the clock's monotonic scale."""
    parallel: int
    hopeless: str | None = None
    """The reason why no query would be answered; None: some may be."""
    _asked_again: set[Batch] = field(default_factory=set)
    _searched: set[Query] = field(default_factory=set)
    _refused: list[Refused] = field(default_factory=list)
    _reach: timedelta | None = None
    """The time that each fragment spans while fragments of a batch are tried; None: no limit but
    the known one."""

    def ask(self, parts: Iterable[Query], spare: Iterable[Query] = ()) -> None:
        """Ask for the parts until each is read or has failed, or the time is up.

        Args:
            parts: the parts to ask for, iterated over while the first of them are being answered.
            spare: further parts, asked for only if all of them can be sent at once.
        """
        added = set[Query]()

        def noted() -> Iterator[Query]:
            for part in spare:
                added.add(part)
                yield part

        first = self.cuts.as_they_come(parts, noted(), self.parallel)
        self._round(first, most_refusals=self.parallel)
        # Where the server refuses a batch, its spare parts wait until an answer needs them.
        batches, waiting, trial = self._instead(list(without_parts(added, self._refused)))
        while batches:
            self._round(batches, most_refusals=self.parallel)
            if trial and not self._refused:
                # All fragments of a batch were answered: the rest is cut in the same way.
                self.cuts.learn(batches, self._reach)
                batches, waiting, trial = self.cuts.batches(parts_of(waiting)), [], False
            else:
                batches, waiting, trial = self._instead([*self._refused, *waiting])

    def ask_once(self, parts: Iterable[Query]) -> None:
        """Ask for the parts, each by itself and a few at a time; a refusal is the answer."""
        parts = list(parts)
        self.cuts.limits.parts += len(parts)
        batches = self.cuts.batches(parts)
        if len(parts) <= self.parallel:
            batches = [(part,) for batch in batches for part in batch]
        self._round(batches)
        for batch, failure in self._refused:
            self.cuts.fail(batch, "" if failure is None else failure.reason)

    def _round(self, batches: Iterable[Batch], most_refusals: int | None = None) -> None:
        """Send batches, a few at a time; keep the answers, and the refused batches largest first.

        The fragments of the largest refused batch show how much may be asked for at once.

        Args:
            batches: the batches to send.
            most_refusals: the number of refusals after which the rest is held back until the
                server's limits are known; None: everything is sent.
        """
        self._refused = []
        batches, again = iter(batches), deque[Batch]()
        workers = Workers(self._send, 1 if self.cuts.limits.one_at_a_time else self.parallel)
        while True:
            held = most_refusals is not None and len(self._refused) >= most_refusals
            while not (held or workers.full) and (batch := self._next(batches, again)):
                workers.submit(batch)
            if not workers.under_way:
                # The largest come first, in an order that does not depend on the times of answers.
                self._refused.sort(key=lambda refused: (-len(refused[0]), refused[0][0].text))
                self._refused += ((batch, None) for batch in chain(batches, again))
                break
            done = workers.next(self.until + _GRACE - self.cuts.client.clock.monotonic())
            if done is None:
                break
            again.extend(self._settle(*done))
            if self.cuts.limits.one_at_a_time:
                workers.slow_down()
        workers.dismiss()

    def _next(self, batches: Iterator[Batch], again: deque[Batch]) -> Batch | None:
        """Return the next batch to send; None: no batch is left, or no query would be answered."""
        while batch := next(batches, None) or (again.popleft() if again else None):
            if self.hopeless is None:
                return batch
            self.cuts.fail(batch, self.hopeless)
        return None

    def _send(self, batch: Batch) -> Reply | RequestFailure:
        left = self.until - self.cuts.client.clock.monotonic()
        # A batch that can be cut leaves time for its pieces, if that time is long enough.
        divisible = len(batch) > 1 or batch[0].halves() is not None
        allowed = left / 2 if divisible and left / 2 > _WORTH_WHILE else left
        when = self.at if batch[0].grid is None else batch[0].grid
        query = batch_query(batch)
        outcome = self.cuts.client.query(query, when, until=self.until, allowed=allowed)
        took = left - (self.until - self.cuts.client.clock.monotonic())
        if isinstance(outcome, RequestFailure) and outcome.slow and took < _SLOW:
            # A limit, or a proxy without a server behind it.
            return replace(outcome, slow=False, advice=RetryAdvice.NONE, transient=True)
        return outcome

    def _settle(self, batch: Batch, outcome: Reply | RequestFailure) -> list[Batch]:
        """Keep an answer; return the batches to send at once in place of a failed one."""
        if isinstance(outcome, Reply):
            self.cuts.read(batch, outcome)
            return []
        late = outcome.slow or outcome.timed_out  # these end at the deadline
        self.cuts.limits.refusals += not late
        if outcome.advice in _PERHAPS_A_LIMIT and not late:
            self._refused.append((one_by_one(batch), outcome))
            return []
        if outcome.advice is RetryAdvice.SMALLER:
            batch = one_by_one(batch)
            if len(batch) > 1:
                return split_batch(batch, self.parallel)
            if halves := batch[0].halves():
                self.cuts.pieces[batch[0]] = halves
                return [(half,) for half in halves]
        return self._once_more(batch, outcome)

    def _once_more(self, batch: Batch, failure: RequestFailure) -> list[Batch]:
        """Return a batch to repeat once, when the other queries no longer slow the server."""
        busy = failure.transient and failure.advice is RetryAdvice.NONE
        given_up = batch in self._asked_again or (busy and self.cuts.limits.crowded)
        if (failure.slow or busy) and not given_up:
            self._asked_again.add(batch)
            self.cuts.limits.one_at_a_time |= busy
            return [batch]
        if busy and failure.wait is None and self.cuts.longest([(batch, failure)]):
            # Some servers report a query that is too large in the same way.
            self.cuts.limits.crowded = True
            self._refused.append((batch, failure))
            return []
        if failure.advice is RetryAdvice.GIVE_UP:
            self.hopeless = failure.reason
        self.cuts.fail(batch, failure.reason)
        return []

    def _instead(self, refused: Sequence[Refused]) -> tuple[list[Batch], list[Refused], bool]:
        """Return the queries to send instead, the refused that wait, and whether it is a trial."""
        waiting = list[Refused]()
        for batch, failure in refused:
            if failure is not None and (
                self.cuts.limits.exhausted
                or (len(batch) == 1 and not self.cuts.limits.curable(batch[0], failure))
            ):
                self.cuts.fail(batch, failure.reason)
            else:
                waiting.append((batch, failure))
        waiting.sort(key=lambda refused: refused[1] is None)
        most = self.cuts.most_bytes  # it may have been found since
        too_long = (len(b) > 1 and len(batch_query(b).encode()) > most for b, _ in waiting)
        if not waiting or waiting[0][1] is None or any(too_long):
            return self.cuts.batches(parts_of(waiting)), [], False
        chosen = self.cuts.longest(waiting, self._searched)
        if chosen is not None:
            again = self._search(*chosen)
            if again is not None:
                return [*again, *self.cuts.batches(parts_of(waiting))], [], False
        (batch, _), *others = waiting
        unread = tuple(part for part in batch if part not in self.cuts.readings)
        longest = max(part.extent for part in unread)
        if span_of(unread) > longest and unread not in self._asked_again:
            self._asked_again.add(unread)
            self._reach = longest
            return batches_of(unread, reach=longest), others, True
        self._reach = None
        most_parts = self.cuts.limits.most_parts
        # Of a size that was answered elsewhere, something else is too large, and not by far.
        many = most_parts is None or len(unread) > most_parts
        fragments = _FRAGMENTS if many else _HALVES
        return split_batch(unread, fragments), others, True

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
            self.cuts.limits.note_useless(failure)
            self.cuts.fail((part,), failure.reason)
        else:
            self.cuts.limits.longest = length
        return []

    def _fits(self, part: Query, length: timedelta) -> bool:
        piece = part.cut(length)[0]
        outcome = self._send((piece,))
        self._settle((piece,), outcome)
        return isinstance(outcome, Reply)
