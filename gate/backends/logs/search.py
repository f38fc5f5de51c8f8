"""How many of some bounds a row has passed, as SQL: by comparison, or in a table of minutes."""

# ruff: noqa: S608 - made of numbers only

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from gate.backends.logs.database import literal
from gate.backends.logs.timestamps import MICROSECOND, microseconds, sql_instant
from gate.dataclass import dataclass

FEW_BOUNDS: Final = 32
"""With which every row is compared."""
_CELL: Final = timedelta(minutes=1) // MICROSECOND
"""In which the bounds before a row are searched, where there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What separates rows between different bounds."""

    passed: str
    """The value of the column ``_at``; any, or NULL, where no bound or the last one is passed."""
    table: str | None = None
    """The statement that makes the table ``cells``, which is joined; None: none is needed."""
    condition: str = ""
    """On which it is joined to ``rows``."""


def search(bounds: Sequence[datetime]) -> Search:
    """Return what separates rows between different bounds, which ascend."""
    if len(bounds) <= FEW_BOUNDS:
        *before, end = map(sql_instant, bounds)
        number = " + ".join(f"(_at > {bound})::INTEGER" for bound in before)
        return Search(passed=f"CASE WHEN _at <= {end} THEN {number} END")
    moments = [microseconds(bound) for bound in bounds]
    most = max(Counter(moment // _CELL for moment in moments).values())
    within = (
        f" + coalesce((epoch_us(_at) > bounds[{place}])::INTEGER, 0)"
        for place in range(1, most + 1)
    )
    return Search(
        passed=f"passed{''.join(within)}",
        table=_cells(moments),
        condition=f"cell = (epoch_us(rows._at) - 1) // {_CELL}",
    )


def _cells(moments: Sequence[int]) -> str:
    """Return what makes the table ``cells``: of each minute how many bounds lie before it.

    And in ``bounds`` those within it. It takes a few bytes a minute, whereas to sort rows beside
    the bounds would take memory for all of them.
    """
    first, last = moments[0] // _CELL, moments[-1] // _CELL
    texts = literal(",".join(map(str, moments)))
    by_cell = (
        f"SELECT moment // {_CELL} AS cell, count(*) AS number, "
        f"count_if(moment % {_CELL} = 0) AS at_start, "
        f"list(moment ORDER BY moment) FILTER (WHERE moment % {_CELL} > 0) AS bounds "
        f"FROM (SELECT unnest(string_split({texts}, ','))::BIGINT AS moment) GROUP BY 1"
    )
    before = "sum(number) OVER (ORDER BY cell ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)"
    return (
        "CREATE OR REPLACE TEMP TABLE cells AS SELECT cell, bounds, "
        f"coalesce({before}, 0) + coalesce(at_start, 0) AS passed "
        f"FROM (SELECT unnest(range({first}, {last + 1})) AS cell) "
        f"LEFT JOIN ({by_cell}) USING (cell)"
    )
