"""Sums of rows between any two bounds of a scan, without reading them again.

A scan leaves sums of short stretches of time, such that no bound of any span lies within one. They
are few, and the cumulative sums give that of every span by one subtraction.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from typing import Any

from gate.backends.sql.coverage import Parts
from gate.backends.sql.groups import Groups
from gate.backends.sql.statement import Statement
from gate.backends.sql.times import MICROSECOND, instant, microseconds
from gate.slo.objective import Span


class Timeline:
    """Sums of stretches of time, the oldest first; a stretch has its position, from 0."""

    def __init__(self, statement: Statement, groups: Groups, names: Sequence[str]) -> None:
        """Take the result of a scan.

        Args:
            statement: it was `cut`.
            groups: its groups.
            names: the names of the numbers.
        """
        time = microseconds(statement.time.start), microseconds(statement.time.end)
        newest = statement.newest()
        places = [
            key if moment is not None and time[0] < moment <= time[1] else None
            for key, moment in zip(groups.keys(statement.moments), groups[newest], strict=True)
        ]
        ends, *columns = groups.in_order(places, [newest, *names])
        self.ends: Sequence[int] = ends
        """The Unix time of the newest row of each stretch, in microseconds."""
        self._columns: Mapping[str, Sequence[Any]] = dict(zip(names, columns, strict=True))
        self._sums = dict[str, Sequence[Any]]()
        self._last = dict[tuple[str, ...], Sequence[int]]()
        self._places = dict[Span, range]()
        self._parts = dict[
            tuple[str, timedelta], tuple[Sequence[int], Sequence[int], Sequence[int]]
        ]()

    def places(self, span: Span) -> range:
        """Return the stretches of a span; its bounds must be bounds of the scan."""
        if span not in self._places:
            self._places[span] = range(self.after(span.start), self.after(span.end))
        return self._places[span]

    def after(self, bound: datetime) -> int:
        """Return the position of the first stretch after a bound."""
        return bisect_right(self.ends, microseconds(bound))

    def sum(self, name: str, places: range) -> Any:
        """Return the exact sum of a number: whole, or a fraction."""
        if name not in self._sums:
            self._sums[name] = list(accumulate(self._columns[name], initial=0))
        sums = self._sums[name]
        return sums[places.stop] - sums[places.start] if places else 0

    def values(self, name: str, places: range) -> Sequence[Any]:
        """Return the numbers of some stretches that are not None."""
        column = self._columns[name][places.start : places.stop]
        return [value for value in column if value is not None]

    def last(self, places: range, name: str, less: str | None = None) -> int | None:
        """Return the last stretch in which a number is neither 0 nor None; None: no such stretch.

        Args:
            places: the indices to search.
            name: the name of the number.
            less: the number less this one must not be 0.
        """
        key = (name,) if less is None else (name, less)
        if key not in self._last:
            columns = zip(*(self._columns[part] for part in key), strict=True)
            there = [bool(value and value - sum(less)) for value, *less in columns]
            marks = (place if is_there else -1 for place, is_there in enumerate(there))
            self._last[key] = list(accumulate(marks, max))
        last = self._last[key][places.stop - 1] if places else -1
        return last if last >= places.start else None

    def by_part(self, name: str, parts: Parts) -> Mapping[int, int]:
        """Return the sums of a number in the parts of a span, by the number of the part.

        The span must have rows.
        """
        places = self.places(parts.span)
        starts, numbers, sums = self._by_parts(name, parts.step)
        first, last = (bisect_right(starts, place) - 1 for place in (places[0], places[-1]))
        by_part = dict(zip(numbers[first : last + 1], sums[first : last + 1], strict=True))
        # The span may contain only a portion of the first and of the last part.
        end = starts[first + 1] if first < last else places.stop
        by_part[numbers[first]] = self.sum(name, range(places.start, end))
        if first < last:
            by_part[numbers[last]] = self.sum(name, range(starts[last], places.stop))
        return by_part

    def _by_parts(
        self, name: str, step: timedelta
    ) -> tuple[Sequence[int], Sequence[int], Sequence[int]]:
        """Return for each part with rows its first stretch, its number and its sum."""
        key = name, step
        if key not in self._parts:
            length = step // MICROSECOND
            which = [(end - 1) // length for end in self.ends]
            starts = [
                place for place, part in enumerate(which) if which[place - 1 : place] != [part]
            ]
            sums = [self.sum(name, range(*ends)) for ends in pairwise([*starts, len(which)])]
            self._parts[key] = starts, [which[start] for start in starts], sums
        return self._parts[key]

    def newest(self, name: str, places: range) -> datetime | None:
        """Return the instant in a number of the last stretch that has it."""
        last = self.last(places, name)
        return None if last is None else instant(self._columns[name][last])
