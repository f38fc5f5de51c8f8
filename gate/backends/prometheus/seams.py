"""The events that are lost where a window of counters is cut, and how they are counted.

The increase over a window is the sum of the steps between its samples. The step across a cut is in
neither piece; the server only estimates it, and estimates nothing for a gap, a burst or a new
counter. So a short window across each cut is counted, minus its two halves: the difference is the
step. It is complete if every series has a sample in both halves; otherwise the windows are made
longer, and if that does not help either, the counter itself bounds the loss.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import Query, Role
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryResults, is_absent
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.promql.moving import SECOND, window_text

NEAR: Final = Fraction(1, 4)
"""Share of the pieces on both sides of a cut that is counted again. Each piece is extrapolated to
its ends by the time between two samples: too much for events that came at once. Events within a
quarter of that time from a cut are reduced by as much, so that the mean error is zero."""
MIDDLE: Final = Fraction(1, 2)
"""The share if series have no sample that near: as long as a piece, so that every server takes
it."""
ALL: Final = Fraction(1)
"""The share if there is still no sample: two pieces long, which a server may take if samples are
sparse."""
_CHAIN: Final = 3
"""The most pieces before a cut that are searched for a series that reappears after it."""
_NONE: Final = "vector(0)"


@dataclass(frozen=True, slots=True)
class Seam:
    """Two consecutive pieces, perhaps with other pieces without any sample between them."""

    newer: Query
    older: tuple[Query, ...]
    """The piece before the cut, and a few earlier ones, the newest first."""

    def step(self, share: Fraction) -> Query:
        """Return the query for the events between the last sample before a cut and the next one."""
        before, after = self.sides(share)
        length = before.offset + before.length - after.offset
        whole = replace(after, length=length, offset=after.offset)
        sides = (f"(({side.written}) or {_NONE})" for side in (before, after))
        return _query(f"({whole.written}) - {' - '.join(sides)}", after, before)

    def returned(self, share: Fraction) -> Query:
        """Return the counters of series that existed before and lack a sample near the cut."""
        before, after = self.sides(share)
        return _query(
            _sum(
                f"sum(max_over_time({_range(selector, self.newer)})"
                f" and ({' or '.join(_present(selector, piece) for piece in self.older)})"
                f" unless ({_present(selector, before)} and {_present(selector, after)}))"
                for selector in self.newer.counters
            ),
            self.newer,
            self.older[-1],
        )

    def sides(self, share: Fraction) -> tuple[Query, Query]:
        """Return the stretches of time before and after the cut."""
        return _newest_of(self.older[0], share), _oldest_of(self.newer, share)


@dataclass(frozen=True, slots=True)
class Joined:
    """The events that the cuts of a window removed from its count."""

    steps: Fraction
    lost: Fraction | None = Fraction(0)
    """The most further events that were lost; None: no bound."""


def seams_of(pieces: Sequence[Query], readings: QueryResults) -> tuple[Seam, ...]:
    """Return the seams between those pieces, newest first, that have a number."""
    seen = [piece for piece in pieces if not is_absent(readings(piece))]
    return tuple(
        Seam(newer, tuple(seen[place : place + _CHAIN]))
        for place, newer in enumerate(seen[:-1], start=1)
    )


def absences(seam: Seam) -> tuple[Query, ...]:
    """Return queries for the series without a sample near a cut, or on one side of it only.

    If all are 0, the two windows across the cut contain every step. Each looks at little more than
    one piece, so a server that counts the piece answers this, too.
    """
    before, after = seam.sides(NEAR)
    older, newer = list[str](), list[str]()
    for selector in seam.newer.counters:
        earlier, later = _present(selector, before), _present(selector, after)
        older.append(f"count({_present(selector, seam.older[0])} unless {earlier})")
        newer.append(f"count({_present(selector, seam.newer)} unless ({earlier} and {later}))")
    return (
        _query(_sum(older), seam.older[0], seam.older[0]),
        _query(_sum(newer), seam.newer, before),
    )


def lack_samples(seam: Seam, readings: QueryResults) -> bool:
    """Return whether some series may lack a sample near a cut, or the server does not answer."""
    return any(_number_of(readings(query)) != 0 for query in absences(seam))


def still_open(seams: Iterable[Seam], readings: QueryResults, share: Fraction) -> tuple[Seam, ...]:
    """Return the seams at which this share did not contain the step of every series."""
    return tuple(seam for seam in seams if not _is_closed(seam, share, readings))


def joined(seams: Iterable[Seam], readings: QueryResults) -> Joined:
    """Return the count across all cuts of a window, and a bound of the remaining loss."""
    parts = [_joined(seam, readings) for seam in seams]
    return Joined(
        steps=sum((part.steps for part in parts), Fraction()),
        lost=_total_of(part.lost for part in parts),
    )


def _joined(seam: Seam, readings: QueryResults) -> Joined:
    best = Joined(steps=Fraction(), lost=None)
    for share in (NEAR, MIDDLE, ALL):
        steps = _number_of(readings(seam.step(share)))
        if steps is None:
            continue
        if _is_closed(seam, share, readings):
            return Joined(steps=steps)
        best = Joined(steps=steps, lost=_number_of(readings(seam.returned(share))))
    return best


def _is_closed(seam: Seam, share: Fraction, readings: QueryResults) -> bool:
    """Return whether the step of every series that is on both sides is counted."""
    if _number_of(readings(seam.step(share))) is None:
        return False
    if share == NEAR and not lack_samples(seam, readings):
        return True
    return _number_of(readings(seam.returned(share))) == 0


def _number_of(reading: QueryResult) -> Fraction | None:
    """Return a number, 0 without series; None: the server did not answer."""
    return None if isinstance(reading, QueryError) else reading.number or Fraction()


def _query(text: str, newest: Query, oldest: Query) -> Query:
    """Return a query over several stretches of time, with the span that they cover."""
    length = oldest.offset + oldest.length - newest.offset
    return Query(pieces=(text,), length=length, offset=newest.offset, moved=newest.moved)


def _sum(texts: Iterable[str]) -> str:
    every = tuple(texts)
    return every[0] if len(every) == 1 else " + ".join(f"({text} or {_NONE})" for text in every)


def _present(selector: str, piece: Query) -> str:
    return f"count_over_time({_range(selector, piece)})"


def _range(selector: str, piece: Query) -> str:
    moved = f" offset {window_text(piece.offset)}" if piece.offset else ""
    return f"{selector}[{window_text(piece.length)}]{moved}"


def _newest_of(piece: Query, share: Fraction) -> Query:
    return replace(piece, length=_share(piece, share))


def _oldest_of(piece: Query, share: Fraction) -> Query:
    length = _share(piece, share)
    return replace(piece, length=length, offset=piece.offset + piece.length - length)


def _share(piece: Query, share: Fraction) -> timedelta:
    seconds = piece.length // SECOND * share
    return max(int(seconds) * SECOND, SECOND)


def lost_at_cuts(
    lost: Mapping[str, Fraction | None], numbers: Mapping[Role, Fraction | None]
) -> tuple[Suspicion, ...]:
    """Return the doubt about events that cuts may have removed; none if nothing was lost.

    Args:
        lost: the most lost events by role; None: no bound.
        numbers: the counts by role.
    """
    losses = {role: lost[role] for role in numbers if role in lost}
    if not losses:
        return ()
    most = _total_of(losses.values())
    number = "any number of them" if most is None else f"at most {float(most):,.0f}"
    return (
        Suspicion(
            cause=Cause.LOST,
            reason=(
                "the server takes no longer windows, so the window was counted in pieces; series"
                f" without samples where it was cut may have lost events there, {number}"
            ),
            remedy="let the server answer longer queries, or record the counts by rules",
            hidden=_total_of(loss for role, loss in losses.items() if role in _hiding(numbers)),
            doubtful=_doubtful(losses, numbers),
        ),
    )


def _hiding(numbers: Mapping[Role, Fraction | None]) -> frozenset[Role]:
    """Return the roles in which additional events mean more bad events."""
    return frozenset({Role.SPENT, Role.BAD if Role.BAD in numbers else Role.TOTAL})


def _doubtful(
    losses: Mapping[Role, Fraction | None], numbers: Mapping[Role, Fraction | None]
) -> Fraction | None:
    """Return how many fewer bad events have the same effect on the share as more good ones."""
    more = _total_of(loss for role, loss in losses.items() if role not in _hiding(numbers))
    bad, every = numbers.get(Role.BAD), numbers.get(Role.TOTAL) or numbers.get(Role.GOOD)
    if more is None or bad is None or not every:
        return more  # each further good event is one bad event fewer of the total
    return bad * more / (every + more)


def _total_of(losses: Iterable[Fraction | None]) -> Fraction | None:
    every = list(losses)
    numbers = [loss for loss in every if loss is not None]
    return sum(numbers, Fraction()) if len(numbers) == len(every) else None
