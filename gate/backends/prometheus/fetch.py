"""The readings of all parts, whichever round read them."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from fractions import Fraction
from functools import reduce
from typing import Final

from gate.backends.prometheus.alike import TOGETHER, AlikeQuery, alike, is_groupable
from gate.backends.prometheus.batches import Cuts
from gate.backends.prometheus.client import ALLOW_MORE, Client
from gate.backends.prometheus.gathered import add_results, added_by_labels
from gate.backends.prometheus.limits import ServerLimits
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.backends.prometheus.rounds import Rounds
from gate.backends.prometheus.seams import (
    ALL,
    MIDDLE,
    NEAR,
    Seam,
    absences,
    joined,
    lack_samples,
    seams_of,
    still_open,
)
from gate.http import NO_TIME
from gate.measure import Cause

_IN_PIECES: Final = "the window was counted in pieces, since it is too large for one query"


class NotAskedError(Exception):
    """An answer was needed whose question was not asked."""


class Fetch:
    """The queries at one instant, and the answers so far."""

    def __init__(
        self,
        *,
        client: Client,
        at: datetime,
        until: float,
        parallel: int,
        limits: ServerLimits | None = None,
    ) -> None:
        """Prepare; nothing has been read yet.

        Args:
            client: the client of the server.
            at: the instant at which all queries are evaluated.
            until: the deadline of the answers, on the clock's monotonic scale.
            parallel: the largest number of concurrent queries.
            limits: the limits of the server that are known already; None: none.
        """
        self._cuts = Cuts(client=client, limits=limits or ServerLimits())
        self._rounds = Rounds(cuts=self._cuts, at=at, until=until, parallel=parallel)
        self._seams: dict[Query, tuple[Seam, ...]] = {}
        self._alike = dict[Query, AlikeQuery]()

    @property
    def until(self) -> float:
        """The deadline of the answers, on the clock's monotonic scale."""
        return self._rounds.until

    @property
    def hopeless(self) -> str | None:
        """The reason why no query would be answered; None: some may be."""
        return self._rounds.hopeless

    def reading(self, part: Query) -> QueryResult:
        """Return a part's reading; a part that was cut is merged from its pieces."""
        if part.terms:
            return add_results([self.reading(term) for term in part.terms])
        together = self._together(part)
        if together is not None:
            return together
        if not self._cuts.pieces:
            return self._piece(part)
        pieces = list(self._cuts.leaves(part))
        merge = largest_result if part.largest else merge_results
        whole = reduce(merge, map(self._piece, pieces))
        if part not in self._seams or isinstance(whole, QueryError):
            return whole
        across = joined(self._seams[part], self._piece)
        return _with_steps(whole, across.steps, across.lost)

    def there(self, part: Query) -> QueryResult:
        """Return a part's reading.

        Raises:
            NotAskedError: it was not asked, or nothing came back in time.
        """
        if all(map(self._is_read, part.leaves)):
            return self.reading(part)
        raise NotAskedError

    def run(self, parts: Iterable[Query], spare: Iterable[Query] = ()) -> None:
        """Ask for all parts that are not read yet, until each is read or the time is up.

        Args:
            parts: the parts to read, iterated over while the first of them are being answered.
            spare: further parts, asked for if that takes no more time.
        """
        unread = dict[Query, None]()
        self._rounds.ask(self._unread(parts, unread), self._unread(spare, unread))
        for part in unread:
            if part.counters and len(pieces := tuple(self._cuts.leaves(part))) > 1:
                self._seams[part] = seams_of(pieces, self._piece)
        seams = [seam for part in unread for seam in self._seams.get(part, ())]
        if seams:
            self._join(seams)

    def forget(self, parts: Iterable[Query]) -> None:
        """Forget the results of some parts, none of which is a sum."""
        for part in parts:
            self._cuts.forget(part)

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Extend the time limit by the time of a pause in which no query is sent."""
        monotonic = self._cuts.client.clock.monotonic
        begin = monotonic()
        yield
        self._rounds.until += monotonic() - begin

    def _unread(self, parts: Iterable[Query], noted: dict[Query, None]) -> Iterator[Query]:
        """Yield and remember the queries for unread parts; some parts share a query."""
        waiting = list[Query]()
        for part in parts:
            for leaf in part.leaves:
                if leaf in noted or self._is_read(leaf):
                    continue
                noted[leaf] = None
                if self._cuts.limits.longest is None and is_groupable(leaf):
                    waiting.append(leaf)
                else:
                    yield leaf
            if len(waiting) >= TOGETHER:
                yield from self._by_few_queries(waiting)
                waiting = []
        yield from self._by_few_queries(waiting)

    def _by_few_queries(self, parts: Sequence[Query]) -> Iterator[Query]:
        # A part without an answer to such a query is asked for by itself.
        first = [part for part in parts if part not in self._alike]
        self._alike |= alike(first)
        queries = (self._alike[part].query if part in self._alike else part for part in first)
        yield from dict.fromkeys(queries)
        yield from (part for part in parts if part not in first)

    def _is_read(self, part: Query) -> bool:
        return self._cuts.is_read(part) or self._together(part) is not None

    def _together(self, part: Query) -> QueryValue | None:
        """Return the reading of a part that was asked for together with similar parts."""
        several = self._alike.get(part) if part.series else None
        return None if several is None else several.of(self._piece(several.query))

    def _join(self, seams: Sequence[Seam]) -> None:
        """Add the counts across the cuts; use longer windows where samples are missing."""
        ask, piece = self._rounds.ask, self._piece
        ask(query for seam in seams for query in (seam.step(NEAR), *absences(seam)))
        ask(seam.returned(NEAR) for seam in seams if lack_samples(seam, piece))
        near = still_open(seams, piece, NEAR)
        ask(query for seam in near for query in (seam.step(MIDDLE), seam.returned(MIDDLE)))
        middle = still_open(near, piece, MIDDLE)
        self._rounds.ask_once(
            query for seam in middle for query in (seam.step(ALL), seam.returned(ALL))
        )

    def _piece(self, piece: Query) -> QueryResult:
        reading = self._cuts.readings.get(piece)
        return reading or QueryError(cause=Cause.BACKEND_ERROR, reason=NO_TIME + ALLOW_MORE)


def merge_results(first: QueryResult, second: QueryResult) -> QueryResult:
    """Join two halves, the newer one first; a half without any series adds nothing."""
    if isinstance(first, QueryError):
        return first
    if isinstance(second, QueryError):
        return second
    warnings = tuple(dict.fromkeys(first.warnings + second.warnings))
    if first.points:
        groups = {
            values: second.groups.get(values, second.points)
            + first.groups.get(values, first.points)
            for values in {**second.groups, **first.groups}
        }
        points = second.points + first.points
        return QueryValue(number=None, points=points, groups=groups, warnings=warnings)
    numbers = [value.number for value in (first, second) if value.number is not None]
    return QueryValue(
        number=sum(numbers, Fraction()) if numbers else None,
        by_labels=added_by_labels((first, second)),
        warnings=warnings,
        notes=tuple(dict.fromkeys((*first.notes, *second.notes, _IN_PIECES))),
    )


def _with_steps(value: QueryValue, steps: Fraction, lost: Fraction | None) -> QueryValue:
    """Return a count in pieces plus the counts across its cuts; an absent count stays absent."""
    if value.number is None:
        return value
    return replace(value, number=max(value.number + steps, Fraction()), lost=lost)


def largest_result(first: QueryResult, second: QueryResult) -> QueryResult:
    """Return the larger of two numbers; a part without any series has none."""
    if isinstance(first, QueryError):
        return first
    if isinstance(second, QueryError):
        return second
    numbers = [value.number for value in (first, second) if value.number is not None]
    warnings = tuple(dict.fromkeys(first.warnings + second.warnings))
    return QueryValue(number=max(numbers, default=None), warnings=warnings)
