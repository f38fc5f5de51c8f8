"""One number that is asked for: its role, its expression and window, and how to halve it."""

from collections.abc import Sequence
from dataclasses import field, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, Self

from gate.dataclass import dataclass
from gate.promql.moving import MILLISECOND, SECOND, moved, window_text
from gate.slo.objective import Span

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_INSTANTS: Final = 10_000
"""The points of a range query: Prometheus answers 11,000, VictoriaMetrics 30,000
(-search.maxPointsPerTimeseries)."""
_MOST_CUTS: Final = 5
"""A window is cut into 32 pieces at most: 30 days into pieces of less than a day."""


class Role(StrEnum):
    """What a number stands for: a part of an indicator, or of what follows from it."""

    TOTAL = "total"
    GOOD = "good"
    BAD = "bad"
    SUM = "sum"
    """The sum of a histogram's values; its events are the total."""
    SPENT = "spent"
    GAUGE = "gauge"
    SLICES = "slices"
    """Slices that have something to judge."""
    JUDGED_SLICES = "judged slices"
    BAD_SLICES = "bad slices"


EVENTS: Final = frozenset({Role.TOTAL, Role.GOOD, Role.BAD})


@dataclass(frozen=True, slots=True)
class QueryGrid:
    """Instants at equal distances, at which an expression is evaluated."""

    first: datetime
    step: timedelta
    count: int
    """At least 1."""

    @property
    def last(self) -> datetime:
        """The last instant."""
        return self.first + (self.count - 1) * self.step

    @property
    def steps(self) -> Span:
        """The time of all steps that end with one of the instants."""
        return Span(self.first - self.step, self.last)

    def halves(self) -> "tuple[QueryGrid, QueryGrid] | None":
        """Return the newer and the older half; None: it is a single instant."""
        older = self.count // 2
        if not older:
            return None
        newer = QueryGrid(self.first + older * self.step, self.step, self.count - older)
        return newer, QueryGrid(self.first, self.step, older)


def endpoint_of(when: datetime | QueryGrid) -> tuple[str, dict[str, str]]:
    """Return the part of the API that evaluates at an instant or on a grid, and its times."""
    if isinstance(when, datetime):
        return "query", {"time": _seconds(since_1970(when))}
    return "query_range", {
        "start": _seconds(since_1970(when.first)),
        "end": _seconds(since_1970(when.last)),
        "step": _seconds(when.step),
    }


def since_1970(instant: datetime) -> timedelta:
    """Return the time of an instant since 1970 as servers take it, in whole milliseconds."""
    return round((instant - EPOCH) / MILLISECOND) * MILLISECOND


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.3f}"


@dataclass(frozen=True, slots=True)
class ClockSteps:
    """An expression at whole multiples of a length since 1970, as a subquery evaluates it."""

    vector: str
    step: timedelta
    adds_up: bool = False
    """The values, whole numbers, are added up; else the multiples are counted that have one."""

    def multiples(self, end: datetime, length: timedelta) -> range:
        """Return which multiples lie in a window, by their numbers since 1970.

        The window's end belongs to it, its start does not. Servers take instants by the
        millisecond.
        """
        last = since_1970(end)
        return range((last - length) // self.step + 1, last // self.step + 1)

    def points(self, places: range) -> "Query":
        """Ask for the values at some of the multiples, at least one."""
        grid = QueryGrid(EPOCH + places.start * self.step, self.step, len(places))
        return Query(pieces=(self.vector,), length=timedelta(), grid=grid, steps=self)

    def over(self, length: timedelta) -> "Query":
        """Ask for it over a window of that length."""
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
    """An expression that must give one number, or one per value of a label or of several."""

    pieces: tuple[str, ...]
    """The text around each place for the window."""
    length: timedelta
    offset: timedelta = timedelta()
    """How long before the instant the window ends."""
    moved: timedelta = timedelta()
    """How long before the instant of the run that of the question is: all of it looks so much
    earlier, and not only its window."""
    open_start: bool = False
    """Leave the window's first instant out. For subqueries: before Prometheus 3 a step that falls
    on it is counted (https://prometheus.io/docs/prometheus/latest/migration/), one too many.
    """
    grain: timedelta | None = None
    """The window may be cut at multiples of this, and the numbers added up; None: it may not."""
    largest: bool = False
    """Of pieces the largest number counts, and they are not added up."""
    cuts: int = 0
    label: str | None = None
    """Given: one number per value of this label is expected."""
    labelled: bool = False
    """Whether one number per combination of labels is expected, whichever labels there are."""
    grid: QueryGrid | None = None
    """Given: one number per instant is expected, instead of one at the run's instant."""
    by: tuple[str, ...] = ()
    """With a grid: the numbers that are expected per values of these labels."""
    counters: tuple[str, ...] = ()
    """Selectors of the counters whose increase it is: where it is cut, the step from the last
    sample before the cut to the first one after it is in neither piece."""
    steps: ClockSteps | None = None
    """Given: it looks at multiples of a length, which other windows have in common with it."""
    series: str = ""
    """Given: it looks at how many series of this selector there are, written ``count(series)``."""
    members: "tuple[Query, ...]" = ()
    """Given: it asks all of these at once; where it is refused, each is asked by itself."""
    terms: "tuple[Query, ...]" = ()
    """Given: the numbers of these are added up, and nothing else is sent; what none of them has is
    absent."""
    _hash: int | None = field(default=None, init=False, compare=False, repr=False)

    def __hash__(self) -> int:
        # Answers are looked up by their queries, hundreds of times an SLO; this separates them.
        if self._hash is None:
            separating = (self.pieces, self.length, self.offset, self.moved, self.terms, self.grid)
            object.__setattr__(self, "_hash", hash(separating))
        return self._hash or 0

    @classmethod
    def added(cls, terms: Sequence[Self]) -> Self:
        """Return the sum of numbers that are counted over the same time."""
        first = terms[0]
        return first if len(terms) == 1 else replace(first, pieces=(), terms=tuple(terms))

    @property
    def leaves(self) -> "tuple[Query, ...]":
        """What is sent for it."""
        return self.terms or (self,)

    def moved_by(self, back: timedelta) -> Self:
        """Return the same question, to be asked so much later than its own instant."""
        terms = tuple(term.moved_by(back) for term in self.terms)
        grid = self.grid and replace(self.grid, first=self.grid.first + back)
        return replace(self, moved=self.moved + back, terms=terms, grid=grid)

    def on_grid(self, grid: QueryGrid) -> Self:
        """Return the same question of several instants; this one is of an instant and no sum."""
        by = () if self.label is None else (self.label,)
        return replace(self, grid=grid, by=by, label=None, grain=None, largest=False, counters=())

    @property
    def text(self) -> str:
        """The expression as it is sent; a sum as people write it."""
        if self.terms:
            return " + ".join(term.text for term in self.terms)
        return moved(self.written, self.moved)

    @property
    def written(self) -> str:
        """The expression of what is not a sum, as it is sent at the instant of the question."""
        window = window_text(self.length - MILLISECOND if self.open_start else self.length)
        pieces = self.pieces
        if self.offset:
            moved = f"] offset {window_text(self.offset)}"
            pieces = (pieces[0], *(piece.replace("]", moved, 1) for piece in pieces[1:]))
        return window.join(pieces)

    @property
    def back(self) -> timedelta:
        """How long before the instant of the run it ends."""
        return self.offset + self.moved

    @property
    def order(self) -> tuple[timedelta, timedelta]:
        """The key that puts questions of one grid together, and those about one stretch of time.

        Of the pieces of a grid the newest comes first: it is tried for all, and is as long as any.
        """
        return timedelta() if self.grid is None else EPOCH - self.grid.first, self.back

    @property
    def extent(self) -> timedelta:
        """The span from the earliest instant that is looked at to the last."""
        return self.length + (
            timedelta() if self.grid is None else self.grid.last - self.grid.first
        )

    @property
    def divisible(self) -> bool:
        """Whether it can be asked for in pieces."""
        if self.grid is not None:
            return self.grid.count > 1
        return self.grain is not None and self.length >= 2 * self.grain

    def halves(self) -> tuple[Self, Self] | None:
        """Return two parts whose numbers add up to this one's; None: it cannot be cut further.

        Of a grid they follow each other instead.
        """
        if self.grid is not None:
            grids = self.grid.halves() if self.cuts < _MOST_CUTS else None
            return grids and (
                replace(self, grid=grids[0], cuts=self.cuts + 1),
                replace(self, grid=grids[1], cuts=self.cuts + 1),
            )
        if self.grain is None or self.cuts == _MOST_CUTS:
            return None
        late = self.length / 2 // self.grain * self.grain
        if not late:
            return None
        newer, older = (
            self.part(late, self.offset),
            self.part(self.length - late, self.offset + late),
        )
        return replace(newer, cuts=self.cuts + 1), replace(older, cuts=self.cuts + 1)

    def cut(self, longest: timedelta | None) -> tuple[Self, ...]:
        """Return pieces as `halves` does, none longer than that and the newest first.

        None of a grid has more instants than servers answer, even where they take any length
        (None). Itself alone: it is no longer, or it cannot be cut so short.
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
        """Return the same over another stretch of time.

        What adds up samples leaves the first instant out unless it is this one's own: before
        Prometheus 3 a sample that lies on a cut would be in both pieces.
        """
        first = offset + length == self.offset + self.length
        adds_up = any("_over_time" in piece for piece in self.pieces)
        opened = self.open_start or (adds_up and not first)
        return replace(self, length=length, offset=offset, open_start=opened)

    def _grids(self, grid: QueryGrid, longest: timedelta) -> tuple[Self, ...]:
        if self.length > longest:
            return (self,)
        most = (longest - self.length) // grid.step + 1
        # The newest piece, which is tried for all of them, is as long as any.
        grids = [
            QueryGrid(grid.first + max(end - most, 0) * grid.step, grid.step, min(most, end))
            for end in range(grid.count, 0, -most)
        ]
        return tuple(replace(self, grid=piece) for piece in grids)
