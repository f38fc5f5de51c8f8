"""Times in SQL: whole microseconds since 1970, in the column ``_at``."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from gate.slo.objective import Span

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)
"""The latest time of rows that are searched for: ClickHouse's DateTime64(9) ends in 2262."""
FEW_BOUNDS: Final = 32
"""The most bounds of spans beside which the clock's steps are keys; with more bounds the steps are
bounds themselves, so that the tree of comparisons finds them, too."""
BESIDE: Final = -1
"""The key of rows outside of all spans. ClickHouse took 1.4 times as long to group by keys that can
be NULL."""

_BRANCHES: Final = 16


def microseconds(moment: datetime) -> int:
    """Return the Unix time in microseconds, exactly."""
    return (moment - EPOCH) // MICROSECOND


def instant(number: int) -> datetime:
    """Return the instant of a Unix time in microseconds."""
    return EPOCH + number * MICROSECOND


def within(span: Span) -> str:
    """Return SQL for whether a row is in a span: after its start, and not after its end."""
    return f"_at > {microseconds(span.start)} AND _at <= {microseconds(span.end)}"


def passed(bounds: Sequence[datetime]) -> str:
    """Return SQL for the number of bounds before a row, minus one; `BESIDE` outside of all bounds.

    Args:
        bounds: the bounds of spans, ascending, at least two.
    """
    moments = [microseconds(bound) for bound in bounds]
    time = within(Span(bounds[0], bounds[-1]))
    return f"CASE WHEN {time} THEN {_tree(moments, 0, len(moments) - 2)} ELSE {BESIDE} END"


def _tree(moments: Sequence[int], first: int, last: int) -> str:
    """Return the search for the stretch between bounds: a tree of comparisons.

    DuckDB planned 4,000 bounds in 0.3 s with 16 branches per node, and in 0.6 s with 2.
    """
    if first == last:
        return str(first)
    size = -(-(last - first + 1) // _BRANCHES)
    *starts, end = range(first, last + 1, size)
    branches = (
        f"WHEN _at <= {moments[start + size]} THEN {_tree(moments, start, start + size - 1)}"
        for start in starts
    )
    return f"CASE {' '.join(branches)} ELSE {_tree(moments, end, last)} END"
