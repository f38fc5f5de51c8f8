"""Instants at equal distances at which a server evaluates an expression."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from gate.dataclass import dataclass
from gate.promql.moving import MILLISECOND
from gate.slo.objective import Span

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class QueryGrid:
    """Instants at equal distances at which an expression is evaluated."""

    first: datetime
    step: timedelta
    count: int
    """The number of instants, at least 1."""

    @property
    def last(self) -> datetime:
        """The last instant."""
        return self.first + (self.count - 1) * self.step

    @property
    def steps(self) -> Span:
        """The total time of all steps that end at one of the instants."""
        return Span(self.first - self.step, self.last)

    def halves(self) -> "tuple[QueryGrid, QueryGrid] | None":
        """Return the newer and the older half; None for a single instant."""
        older = self.count // 2
        if not older:
            return None
        newer = QueryGrid(self.first + older * self.step, self.step, self.count - older)
        return newer, QueryGrid(self.first, self.step, older)

    def pieces(self, most: int) -> "Iterator[QueryGrid]":
        """Yield pieces of at most this many instants; the newest is first, and none is longer."""
        for end in range(self.count, 0, -most):
            first = self.first + max(end - most, 0) * self.step
            yield QueryGrid(first, self.step, min(most, end))


def endpoint_of(when: datetime | QueryGrid) -> tuple[str, dict[str, str]]:
    """Return the API path that evaluates at an instant or on a grid, and its time parameters."""
    if isinstance(when, datetime):
        return "query", {"time": _seconds(since_1970(when))}
    return "query_range", {
        "start": _seconds(since_1970(when.first)),
        "end": _seconds(since_1970(when.last)),
        "step": _seconds(when.step),
    }


def since_1970(instant: datetime) -> timedelta:
    """Return the time of an instant since 1970 in the unit of servers, whole milliseconds."""
    return round((instant - EPOCH) / MILLISECOND) * MILLISECOND


def _seconds(length: timedelta) -> str:
    return f"{length.total_seconds():.3f}"


def grid_of_two(older: datetime, newer: datetime) -> QueryGrid | None:
    """Return the grid of two instants; None: they are equal in milliseconds, the server's unit."""
    first, step = since_1970(older), since_1970(newer) - since_1970(older)
    return QueryGrid(EPOCH + first, step, 2) if step > timedelta() else None


@lru_cache(maxsize=8)
def seconds_of(grid: QueryGrid) -> dict[float, None]:
    """Return the instants in order, as keys for a fast lookup."""
    first, step = milliseconds_of(grid)
    return dict.fromkeys((first + place * step) / 1000 for place in range(grid.count))


def milliseconds_of(grid: QueryGrid) -> tuple[int, int]:
    """Return the first instant and the step in milliseconds, the unit of servers."""
    return since_1970(grid.first) // MILLISECOND, round(grid.step / MILLISECOND)
