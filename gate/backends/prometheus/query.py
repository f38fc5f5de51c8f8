"""One number to ask for: its role, its expression and window, and how to halve it."""

from collections.abc import Sequence
from dataclasses import field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from gate.backends.prometheus.query_grid import EPOCH, QueryGrid, since_1970
from gate.dataclass import dataclass
from gate.promql.moving import MILLISECOND, SECOND, moved, window_text

_MOST_INSTANTS: Final = 10_000
"""The most points of a range query: Prometheus answers 11,000, VictoriaMetrics 30,000
(-search.maxPointsPerTimeseries)."""
_MOST_CUTS: Final = 5
"""The most cuts: a window is cut into at most 32 pieces, 30 days into pieces of less than a day."""


class Role(StrEnum):
    """The meaning of a number: a part of an indicator, or of a check that follows from it."""

    TOTAL = "total"
    GOOD = "good"
    BAD = "bad"
    SUM = "sum"
    """The sum of a histogram's values; the total is the number of its events."""
    SPENT = "spent"
    GAUGE = "gauge"
    SLICES = "slices"
    """Slices that have events to judge."""
    JUDGED_SLICES = "judged slices"
    BAD_SLICES = "bad slices"


EVENTS: Final = frozenset({Role.TOTAL, Role.GOOD, Role.BAD})


@dataclass(frozen=True, slots=True)
class ClockSteps:
    """An expression at whole multiples of a duration since 1970, as a subquery evaluates it."""

    vector: str
    step: timedelta
    adds_up: bool = False
    """Whether the values, whole numbers, are added up; else the multiples with a value are
    counted."""

    def multiples(self, end: datetime, length: timedelta) -> range:
        """Return the multiples that lie in a window, by their numbers since 1970.

        The window is half-open: (start, end]. Servers resolve instants to a millisecond.
        """
        last = since_1970(end)
        return range((last - length) // self.step + 1, last // self.step + 1)

    def points(self, places: range) -> "Query":
        """Return the query for the values at a range of multiples, at least one."""
        grid = QueryGrid(EPOCH + places.start * self.step, self.step, len(places))
        return Query(pieces=(self.vector,), length=timedelta(), grid=grid, steps=self)

    def over(self, length: timedelta) -> "Query":
        """Return the query for the values over a window of that length."""
        function = "sum_over_time" if self.adds_up else "count_over_time"
        return Query(
            pieces=(f"{function}({self.vector}[", f":{window_text(self.step)}])"),
            length=length,
            open_start=True,
            grain=self.step,
            steps=self,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """An expression that must return one number, or one number per value of labels."""

    pieces: tuple[str, ...]
    """The pieces of the text between the placeholders of the window."""
    length: timedelta
    offset: timedelta = timedelta()
    """The time from the end of the window to the instant."""
    moved: timedelta = timedelta()
    """The time from the instant of the question to the instant of the run: the whole expression
    looks that much further back, and not only its window."""
    open_start: bool = False
    """Leave the window's first instant out. For subqueries: before Prometheus 3 a step that falls
    on it is counted (https://prometheus.io/docs/prometheus/latest/migration/), one too many.
    """
    grain: timedelta | None = None
    """The window may be cut at multiples of this and the numbers added up; None: it cannot be
    cut."""
    largest: bool = False
    """Whether the largest number of the pieces counts, instead of their sum."""
    cuts: int = 0
    label: str | None = None
    """If given, one number per value of this label is expected."""
    labelled: bool = False
    """Whether one number per combination of labels is expected, whatever the labels are."""
    grid: QueryGrid | None = None
    """If given, one number per instant is expected, instead of one number at the run's instant."""
    by: tuple[str, ...] = ()
    """On a grid: the labels by whose values the numbers are expected."""
    counters: tuple[str, ...] = ()
    """Selectors of the counters whose increase is counted: a cut loses the increase from the last
    sample before it to the first sample after it, which is in neither piece."""
    steps: ClockSteps | None = None
    """If given, the query looks at multiples of a duration that it shares with other windows."""
    series: str = ""
    """If given, the query looks at the number of series of this selector, written
    ``count(series)``."""
    members: "tuple[Query, ...]" = ()
    """If given, the query asks for all of these at once; if it is refused, each is asked by
    itself."""
    terms: "tuple[Query, ...]" = ()
    """If given, the result is the sum of these queries, and only they are sent; a point that all of
    them lack is absent."""
    _hash: int | None = field(default=None, init=False, compare=False, repr=False)

    def __hash__(self) -> int:
        # Answers are looked up by query, hundreds of times per SLO; these fields separate them.
        if self._hash is None:
            separating = (self.pieces, self.length, self.offset, self.moved, self.terms, self.grid)
            object.__setattr__(self, "_hash", hash(separating))
        return self._hash or 0

    @classmethod
    def added(cls, terms: Sequence[Self]) -> Self:
        """Return the sum of numbers over the same time."""
        first = terms[0]
        return first if len(terms) == 1 else replace(first, pieces=(), terms=tuple(terms))

    @property
    def leaves(self) -> "tuple[Query, ...]":
        """The queries that are sent for it."""
        return self.terms or (self,)

    def moved_by(self, back: timedelta) -> Self:
        """Return the same question, rewritten for an instant that is this much later."""
        terms = tuple(term.moved_by(back) for term in self.terms)
        grid = self.grid and replace(self.grid, first=self.grid.first + back)
        return replace(self, moved=self.moved + back, terms=terms, grid=grid)

    def on_grid(self, grid: QueryGrid) -> Self:
        """Return the same question at several instants; this one is at one instant, not a sum."""
        by = () if self.label is None else (self.label,)
        return replace(self, grid=grid, by=by, label=None, grain=None, largest=False, counters=())

    @property
    def text(self) -> str:
        """The expression as it is sent; for a sum, as people write it."""
        if self.terms:
            return " + ".join(term.text for term in self.terms)
        return moved(self.written, self.moved)

    @property
    def written(self) -> str:
        """The expression as it is sent at the instant of the question; the query is not a sum."""
        window = window_text(self.length - MILLISECOND if self.open_start else self.length)
        pieces = self.pieces
        if self.offset:
            moved = f"] offset {window_text(self.offset)}"
            pieces = (pieces[0], *(piece.replace("]", moved, 1) for piece in pieces[1:]))
        return window.join(pieces)

    @property
    def back(self) -> timedelta:
        """The time from the end of the window to the instant of the run."""
        return self.offset + self.moved

    @property
    def order(self) -> tuple[timedelta, timedelta]:
        """The sort key that groups queries on one grid, and then queries of one stretch of time.

        The newest piece of a grid comes first: it is tried for all pieces, and none is longer.
        """
        return timedelta() if self.grid is None else EPOCH - self.grid.first, self.back

    @property
    def extent(self) -> timedelta:
        """The span from the earliest instant that the query looks at to the latest."""
        return self.length + (
            timedelta() if self.grid is None else self.grid.last - self.grid.first
        )

    @property
    def divisible(self) -> bool:
        """Whether the query can be split into pieces."""
        if self.grid is not None:
            return self.grid.count > 1
        return self.grain is not None and self.length >= 2 * self.grain

    def halves(self) -> tuple[Self, Self] | None:
        """Return two queries whose numbers add up to this one's; None: it cannot be cut further.

        The two halves of a grid follow each other instead.
        """
        if self.cuts == _MOST_CUTS:
            return None
        deeper = replace(self, cuts=self.cuts + 1)
        if self.grid is not None:
            grids = self.grid.halves()
            return grids and (replace(deeper, grid=grids[0]), replace(deeper, grid=grids[1]))
        late = self.length / 2 // self.grain * self.grain if self.grain else timedelta()
        if not late:
            return None
        return deeper.part(late, self.offset), deeper.part(self.length - late, self.offset + late)

    def cut(self, longest: timedelta | None) -> tuple[Self, ...]:
        """Return pieces, as `halves` makes them, that are at most this long, the newest first.

        No piece of a grid has more instants than servers answer, even if any length is allowed
        (None). The result is the query itself if it is short enough or cannot be cut that short.
        """
        if self.grid is not None:
            most = self.length + (_MOST_INSTANTS - 1) * self.grid.step
            longest = most if longest is None else min(longest, most)
        if longest is None or not self.divisible or self.extent <= longest:
            return (self,)
        if self.grid is not None:
            return self._grids(self.grid, longest)
        grain = self.grain or SECOND
        most = longest // grain * grain
        if not most:
            return (self,)
        count = -(-self.length // most)
        length = -(-(self.length / count) // grain) * grain
        offsets = [place * length for place in range(count) if place * length < self.length]
        return tuple(
            self.part(min(length, self.length - done), self.offset + done) for done in offsets
        )

    def part(self, length: timedelta, offset: timedelta) -> Self:
        """Return the same query over another stretch of time.

        A query that adds up samples excludes the first instant unless it is its own start: before
        Prometheus 3 a sample at a cut would be in both pieces.
        """
        first = offset + length == self.offset + self.length
        adds_up = any("_over_time" in piece for piece in self.pieces)
        opened = self.open_start or (adds_up and not first)
        return replace(self, length=length, offset=offset, open_start=opened)

    def _grids(self, grid: QueryGrid, longest: timedelta) -> tuple[Self, ...]:
        if self.length > longest:
            return (self,)
        most = (longest - self.length) // grid.step + 1
        return tuple(replace(self, grid=piece) for piece in grid.pieces(most))
