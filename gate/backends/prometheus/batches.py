"""Batches: queries for several numbers, each marked with its part, within a server's limits."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import field
from datetime import timedelta
from itertools import islice
from typing import Final

from gate.backends.prometheus.client import Client
from gate.backends.prometheus.limits import MOST_BYTES, ServerLimits
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import LABEL, QueryError, QueryResult, read_reply
from gate.backends.prometheus.replies import Reply
from gate.dataclass import dataclass
from gate.measure import Cause
from gate.promql.selectors import quote
from gate.request_failure import RequestFailure

_MOST_POINTS: Final = 32_768
"""The most points of one answer: about 0.7 MB, and 5 MB once parsed. A server's work for an ``or``
of many series over many steps grows faster than their number (benchmarks/README.md)."""
_AT_A_TIME: Final = 500
"""The number of parts that are put into batches at once: about ten batches."""
_FEWEST_PIECES: Final = 2
Batch = tuple[Query, ...]
Refused = tuple[Batch, RequestFailure | None]
"""A refused batch, and its failure; None: it was held back since the batches before it were
refused."""


def batch_query(batch: Batch) -> str:
    """Write one query for several parts, each marked; a single part is sent unmarked.

    So the server's error message quotes the exact expression in the policy.
    """
    if len(batch) == 1:
        return batch[0].text
    return _union([_marked(part, place) for place, part in enumerate(batch)])


def _union(texts: Sequence[str]) -> str:
    """Join the parts by ``or`` as a balanced tree: a server copies both sides of each ``or``.

    The cost of a chain is half the square of their number; here it is the number times its
    logarithm.
    """
    if len(texts) == 1:
        return texts[0]
    half = len(texts) // 2
    return f"({_union(texts[:half])} or {_union(texts[half:])})"


def _marked(part: Query, place: int) -> str:
    return f'label_replace({part.text},"{LABEL}",{quote(str(place))},"","")'


def batches_of(
    parts: Iterable[Query],
    most_bytes: int = MOST_BYTES,
    reach: timedelta | None = None,
    most_parts: int | None = None,
) -> list[Batch]:
    """Put parts into batches of a size that every server takes; equal parts appear once.

    A query has one grid, so a part on another grid than the part before it begins a new batch.

    Args:
        parts: the parts in the order of their queries.
        most_bytes: the longest text of one query, in bytes.
        reach: the maximum time that a batch of several parts spans; None: unlimited.
        most_parts: the most parts of one query; None: as many as fit.
    """
    batches, batch, size = list[Batch](), list[Query](), 0
    for part in dict.fromkeys(parts):
        length = len(_marked(part, 999).encode()) + len("( or )")
        too_far = reach is not None and span_of([*batch, part]) > reach
        full = size + length > most_bytes or len(batch) == most_parts
        if batch and (full or too_far or not _has_room(batch, part)):
            batches.append(tuple(batch))
            batch, size = [], 0
        batch.append(part)
        size += length
    return [*batches, tuple(batch)] if batch else batches


def span_of(batch: Sequence[Query]) -> timedelta:
    """Return the time from the earliest instant that any part looks at to the latest."""
    return max(part.back + part.extent for part in batch) - min(part.back for part in batch)


def _has_room(batch: Sequence[Query], part: Query) -> bool:
    points = 1 if part.grid is None else part.grid.count
    return part.grid == batch[0].grid and points * (len(batch) + 1) <= _MOST_POINTS


def split_batch(batch: Batch, pieces: int) -> list[Batch]:
    """Cut a batch into at most this number of pieces of about equal size."""
    size = -(-len(batch) // max(pieces, _FEWEST_PIECES))
    return [batch[start : start + size] for start in range(0, len(batch), size)]


def one_by_one(batch: Batch) -> Batch:
    """Return the queries of a batch, with the members of a joint query instead of that query."""
    return tuple(own for part in batch for own in part.members or (part,))


@dataclass(slots=True, kw_only=True)
class Cuts:
    """The parts as a server takes them: cut to its limits, in batches; and their readings."""

    client: Client
    limits: ServerLimits
    readings: dict[Query, QueryResult] = field(default_factory=dict)
    pieces: dict[Query, tuple[Query, ...]] = field(default_factory=dict)
    """The pieces of each part that was cut, the newest first; a piece may have been cut, too."""

    def leaves(self, part: Query) -> Iterator[Query]:
        """Yield the pieces of a part, the newest first; an uncut part itself."""
        pieces = self.pieces.get(part) if self.pieces else None
        if pieces is None:
            yield part
            return
        for piece in pieces:
            yield from self.leaves(piece)

    def is_read(self, part: Query) -> bool:
        """Return whether a part, or each piece that it was cut into, has a reading."""
        return part in self.readings or (bool(self.pieces) and part in self.pieces)

    def forget(self, part: Query) -> None:
        """Forget the result of a part, and the results of the pieces that it was cut into."""
        self.readings.pop(part, None)
        for piece in self.pieces.pop(part, ()):
            self.forget(piece)

    def read(self, batch: Batch, reply: Reply) -> None:
        """Keep the server's answer to a batch."""
        self.limits.victoria |= reply.victoria
        self.readings.update(zip(batch, read_reply(reply, batch), strict=True))

    def fail(self, parts: Iterable[Query], reason: str) -> None:
        """Keep the reason why parts without a reading have none."""
        for part in parts:
            self.readings.setdefault(part, QueryError(cause=Cause.BACKEND_ERROR, reason=reason))

    def longest(
        self, refused: Iterable[Refused], searched: Collection[Query] = ()
    ) -> tuple[Batch, Query, RequestFailure] | None:
        """Return the part with the longest window, which may be the reason for a refusal."""
        parts = [
            (batch, part, failure)
            for batch, failure in refused
            if failure is not None
            for part in batch
            if part not in searched and self.limits.curable(part, failure)
        ]
        return max(parts, key=lambda each: each[1].extent, default=None)

    def learn(self, batches: Sequence[Batch], reach: timedelta | None) -> None:
        """Remember the limit that the fragments kept and their batch exceeded.

        Whether the limit is their length or the number of their parts is unknown.
        """
        if reach is not None:
            self.limits.reach = reach
            return
        largest = max(len(batch_query(batch).encode()) for batch in batches)
        self.limits.most_bytes = min(self.limits.most_bytes, largest)
        self.limits.most_parts = max(map(len, batches))

    def as_they_come(
        self, parts: Iterable[Query], spare: Iterable[Query], parallel: int
    ) -> Iterator[Batch]:
        """Yield batches as soon as they are full, while further parts are still being made.

        Args:
            parts: the parts to ask for.
            spare: further parts, added only if all batches can be sent at once.
            parallel: the largest number of concurrent queries.
        """
        parts, sent, rest = iter(parts), 0, list[Query]()
        while some := list(islice(parts, _AT_A_TIME)):
            self.limits.parts += len(one_by_one(tuple(some)))
            batches = self.batches([*rest, *some])
            # Further parts of this grid may follow: it waits for them, whatever its place.
            open_ = next(
                (batch for batch in reversed(batches) if batch[0].grid == some[-1].grid), ()
            )
            full = [batch for batch in batches if batch is not open_]
            yield from full
            sent, rest = sent + len(full), list(open_)
        last_ones = self.batches(rest)
        if sent + len(last_ones) <= parallel and last_ones:
            more = list(spare)
            with_more = self.batches([*rest, *more])
            if sent + len(with_more) <= parallel:
                self.limits.parts += len(more)
                last_ones = with_more
        yield from last_ones

    def batches(self, parts: Iterable[Query]) -> list[Batch]:
        """Cut parts that are longer than the server takes, and put unread parts into batches."""
        longest, leaves = self.limits.longest, list[Query]()
        for part in parts:
            for leaf in list(self.leaves(part)):
                pieces = leaf.cut(longest)
                if len(pieces) > 1:
                    self.pieces[leaf] = pieces
                leaves += (piece for piece in pieces if piece not in self.readings)
        # Pieces of one stretch of time share a batch: some servers limit the span of a query.
        leaves.sort(key=lambda leaf: leaf.order)
        # A part that cannot be cut short enough gets a batch of its own.
        cut = [leaf for leaf in leaves if longest is None or leaf.extent <= longest]
        whole = [leaf for leaf in leaves if longest is not None and leaf.extent > longest]
        limits = (self.most_bytes, self.limits.reach, self.limits.most_parts)
        return [batch for some in (cut, whole) for batch in batches_of(some, *limits)]

    @property
    def most_bytes(self) -> int:
        """The most bytes of a query that both the server and the client take."""
        return min(self.limits.most_bytes, self.client.most_bytes or self.limits.most_bytes)


def without_parts(parts: Collection[Query], refused: Iterable[Refused]) -> Iterator[Refused]:
    """Yield the refused batches without some parts."""
    for batch, failure in refused:
        if kept := tuple(part for part in batch if part not in parts):
            yield kept, failure


def parts_of(refused: Iterable[Refused]) -> list[Query]:
    """Return the parts of all refused batches."""
    return [part for batch, _ in refused for part in batch]
