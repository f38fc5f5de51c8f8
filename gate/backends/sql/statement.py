"""The one scan that serves all requests: rows are grouped by time, and spans are sums of groups."""

# ruff: noqa: S608 - names and texts are quoted, the policy's expressions are checked first

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Final

from gate.backends.sql.engine import Row
from gate.backends.sql.groups import Combine, Groups
from gate.backends.sql.rows import Faults, Label, RowSource, SqlIndicator
from gate.backends.sql.times import BESIDE, FEW_BOUNDS, MICROSECOND, microseconds, passed, within
from gate.dataclass import dataclass
from gate.measure import MeasurementError
from gate.slo.objective import Span

_VALUE: Final = re.compile(r"\b_v[0-9]+\b")
"""The name of an expression that is computed once per row."""


class StatementError(MeasurementError):
    """The engine could not run the one statement."""


class TooManyGroupsError(Exception):
    """There are more groups than allowed."""


@dataclass(slots=True)
class Statement:
    """Groups of rows, and numbers of each group; equal parts are computed once.

    A group has only rows between two adjacent bounds, so each row is read once, however many spans
    there are.
    """

    rows: RowSource
    bounds: tuple[datetime, ...]
    """The bounds of spans, ascending, at least two; rows outside of them are not counted."""
    columns: set[str] = field(default_factory=set)
    """The columns that are read."""
    moments: list[str] = field(default_factory=list)
    """The keys that separate rows between different bounds."""
    _values: dict[str, str] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)
    _sums: dict[str, str] = field(default_factory=dict)
    _numbers: dict[str, Combine] = field(default_factory=dict)

    @property
    def time(self) -> Span:
        """The time from the first bound to the last."""
        return Span(self.bounds[0], self.bounds[-1])

    def use(self, used: SqlIndicator | Label) -> None:
        """Add the columns of an indicator or of a label."""
        self.columns |= used.columns

    def value(self, sql: str) -> str:
        """Compute an expression once per row; return the name of its result."""
        return self._values.setdefault(sql, f"_v{len(self._values)}")

    def key(self, sql: str) -> str:
        """Group by an expression over ``_at`` and values; return the name of its result.

        Rows outside of the bounds should share a key: a log can be older than any window.
        """
        return self._keys.setdefault(sql, f"_k{len(self._keys)}")

    def step_key(self, span: Span, step: timedelta) -> str:
        """Group by the number of the step of a span, from 0; rows outside of it share a key."""
        start = microseconds(span.start)
        number = self.rows.dialect.divide(f"(_at - {start + 1})", step // MICROSECOND)
        return self.key(f"CASE WHEN {within(span)} THEN {number} ELSE {BESIDE} END")

    def cut(self, steps: Mapping[timedelta, Span]) -> None:
        """Group so that no bound, and no whole multiple of these steps, lies within a group.

        If there are many bounds they must include the multiples in the times that need them.

        Args:
            steps: the time of the needed steps, which begins with a step, by their length.
        """
        self.newest()
        self.moments = [self.key(passed(self.bounds))]
        if len(self.bounds) <= FEW_BOUNDS:
            self.moments += [self.step_key(span, step) for step, span in steps.items()]

    def newest(self) -> str:
        """Request the newest instant of each group; return its name."""
        return self._number("max(_at)", Combine.HIGHEST)

    def oldest(self) -> str:
        """Request the oldest instant of each group; return its name."""
        return self._number("min(_at)", Combine.LOWEST)

    def newest_of(self, *conditions: str | None) -> str:
        """Request the newest instant for which all conditions hold; return its name."""
        if (kept := self._kept(conditions)) is None:
            return self.newest()
        return self._number(self.rows.dialect.highest("_at", kept), Combine.HIGHEST)

    def count(self, *conditions: str | None) -> str:
        """Count the rows of each group for which all conditions hold; return its name.

        A condition is true or false for every row; None: it is true for all.
        """
        kept = self._kept(conditions)
        sql = "count(*)" if kept is None else self.rows.dialect.count(kept)
        return self._number(sql, Combine.SUM)

    def dated(self) -> str:
        """Count the rows of each group that have a time; return its name."""
        return self._number("count(_at)", Combine.SUM)

    def count_values(self, sql: str, condition: str | None = None) -> str:
        """Count the rows of each group in which an expression is not NULL; return its name."""
        return self._number(f"count({self._when(sql, condition)})", Combine.SUM)

    def sum(self, sql: str) -> str:
        """Add up an expression exactly; return its name."""
        return self._number(f"sum({self.value(sql)})", Combine.SUM)

    def float_sum(self, sql: str, condition: str | None = None) -> str:
        """Add up floats; return its name."""
        added = self.rows.dialect.float_sum(self._when(sql, condition))
        return self._number(added, Combine.FLOAT)

    def lowest(self, sql: str) -> str:
        """Request the lowest value of each group; return its name."""
        return self._number(f"min({self.value(sql)})", Combine.LOWEST)

    def _when(self, sql: str, condition: str | None) -> str:
        value = self.value(sql)
        return value if condition is None else f"CASE WHEN {self.value(condition)} THEN {value} END"

    def _kept(self, conditions: Sequence[str | None]) -> str | None:
        names = [self.value(condition) for condition in conditions if condition is not None]
        return " AND ".join(names) or None

    def _number(self, sql: str, combine: Combine) -> str:
        name = self._sums.setdefault(sql, f"_s{len(self._sums)}")
        self._numbers[name] = combine
        return name

    def run(self, times: Sequence[Span], most: int | None = None) -> tuple[Groups, Faults]:
        """Run the scan; return the groups, and why columns cannot be used in some times.

        Args:
            times: the times of the examined rows, each between bounds; all that are needed later.
            most: the maximum number of groups; None: unlimited.

        Raises:
            TooManyGroupsError: there are more.
            StatementError: the engine could not run it.
            MeasurementError: rows whose time is not known, or that cannot be read.
        """
        look = self.rows.watch(self)
        try:
            rows = self._ask(most)
        except MeasurementError as error:
            raise StatementError(error.cause, error.reason) from error
        groups = Groups(rows, self._keys.values(), self._numbers)
        del rows
        return groups, look(groups, times)

    def _ask(self, most: int | None) -> list[Row]:
        """Return the groups: keys and numbers.

        If an engine allows columns for only a part of the numbers, there is a statement for each
        part; such an engine shows all of its statements the same rows.
        """
        limit = "" if most is None else f" LIMIT {most + 1}"
        rows, *more = (self.rows.engine.rows(self.sql(part) + limit) for part in self._parts())
        if most is not None and len(rows) > most:
            raise TooManyGroupsError
        keys = len(self._keys)
        for part in more:
            numbers = {row[:keys]: row[keys:] for row in part}
            rows = [row + numbers[row[:keys]] for row in rows]
        return rows

    def _parts(self) -> Iterator[Mapping[str, str]]:
        """Divide the numbers so that neither a statement nor a sub-select has too many columns."""
        most, part, used = self.rows.dialect.most_columns, dict[str, str](), set[str]()
        for sql, name in self._sums.items():
            values = {*_VALUE.findall(sql)}
            # A sub-select has the time in addition to the values.
            wide = max(len(part), len(used | values)) + len(self._keys) + 1
            if most is not None and wide > most:
                yield part
                part, used = {}, set()
            part[sql] = name
            used |= values
        yield part

    def sql(self, sums: Mapping[str, str] | None = None) -> str:
        """Return the statement.

        Args:
            sums: the numbers that are asked for, by their SQL; None: all.
        """
        sums = self._sums if sums is None else sums
        needed = {name for sql in (*sums, *self._keys) for name in _VALUE.findall(sql)}
        values = {sql: name for sql, name in self._values.items() if name in needed}
        used = sorted(self.columns | {self.rows.timestamp})
        inner_columns = [f"{self.rows.moment} AS _at"]
        inner_columns += [f"{sql} AS {name}" for sql, name in values.items()]
        inner = f"SELECT {', '.join(inner_columns)} FROM {self.rows.relation(used)} AS rows"
        if (skipped := self.rows.chosen(self.time)) is not None:
            inner += f" WHERE {skipped}"
        inner += f" {self.rows.dialect.computed_once}"
        keys = [f"{sql} AS {name}" for sql, name in self._keys.items()]
        middle = ", ".join(["_at", *values.values(), *keys])
        chosen = [*self._keys.values(), *(f"{sql} AS {name}" for sql, name in sums.items())]
        return (
            f"SELECT {', '.join(chosen)} FROM (SELECT {middle} FROM ({inner}) AS rows) AS rows "
            f"GROUP BY {', '.join(self._keys.values())}"
        )
