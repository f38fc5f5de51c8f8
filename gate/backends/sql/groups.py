"""The groups of rows that one scan returns, added up here and not on a server."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import fsum
from operator import itemgetter
from typing import Any, Final, TypeVar

from gate.backends.sql.engine import Row

_Place = TypeVar("_Place", bound=Hashable)


class Combine(StrEnum):
    """The way in which the numbers of several groups are combined."""

    SUM = "sum"
    """The exact sum of whole numbers, or of fractions for decimals. NULL counts as 0."""
    FLOAT = "float"
    """The sum of floats, independent of their order. NULL counts as 0."""
    LOWEST = "lowest"
    """The lowest number; None: all are NULL."""
    HIGHEST = "highest"


def float_sum(values: Iterable[float]) -> float:
    """Add up floats; infinities of both signs give NaN, and an overflow gives infinity."""
    numbers = list(values)
    try:
        return fsum(numbers)
    except (OverflowError, ValueError):
        return sum(numbers)


_COMBINED: Final[Mapping[Combine, Callable[[Iterable[Any]], Any]]] = {
    Combine.SUM: sum,
    Combine.FLOAT: float_sum,
    Combine.LOWEST: lambda values: min(_there(values), default=None),
    Combine.HIGHEST: lambda values: max(_there(values), default=None),
}


class Groups:
    """Groups of rows. Each has its keys and numbers by name, and its position, from 0."""

    def __init__(
        self, rows: Sequence[Row], keys: Iterable[str], numbers: Mapping[str, Combine]
    ) -> None:
        """Take the rows that a statement has returned.

        Args:
            rows: one for each group.
            keys: the names of the first columns.
            numbers: the names of the other columns, with the way to combine each.
        """
        names = [*keys, *numbers]
        columns = zip(*rows, strict=True) if rows else [()] * len(names)
        self._columns: dict[str, Sequence[Any]] = dict(zip(names, columns, strict=True))
        self._combine = numbers
        self._exact = dict[str, Sequence[Any]]()

    def __contains__(self, name: str) -> bool:
        """Return whether there is a key or a number of this name."""
        return name in self._columns

    def __getitem__(self, name: str) -> Sequence[Any]:
        """Return a key or a number of every group; numbers that are added up are never None."""
        if self._combine.get(name) not in (Combine.SUM, Combine.FLOAT):
            return self._columns[name]
        if name not in self._exact:
            self._exact[name] = _numbers(self._columns[name])
        return self._exact[name]

    def total(self, name: str) -> Any:
        """Return a number of all groups together."""
        return self._put_together(name)(self[name])

    def by(
        self, places: Sequence[_Place | None], names: Sequence[str]
    ) -> dict[_Place, tuple[Any, ...]]:
        """Return numbers combined by a common property of the groups.

        Args:
            places: the property of each group; None: it is left out.
            names: the names of the numbers.

        Returns:
            The numbers, in the order of their names.
        """
        members: dict[_Place, list[int]] = {}
        for number, place in enumerate(places):
            if place is not None:
                members.setdefault(place, []).append(number)
        columns = [(self[name], self._put_together(name)) for name in names]
        return {
            place: tuple(
                column[numbers[0]]
                if len(numbers) == 1
                else combine(map(column.__getitem__, numbers))
                for column, combine in columns
            )
            for place, numbers in members.items()
        }

    def in_order(
        self, places: Sequence[Hashable | None], names: Sequence[str]
    ) -> list[Sequence[Any]]:
        """Return numbers combined by a common property, in the order of the first number.

        Args:
            places: the property of each group; None: it is left out.
            names: the names of the numbers.

        Returns:
            The columns of the numbers.
        """
        numbers = [number for number, place in enumerate(places) if place is not None]
        if len({places[number] for number in numbers}) < len(numbers):
            rows = sorted(self.by(places, names).values(), key=itemgetter(0))
            return list(zip(*rows, strict=True))
        numbers.sort(key=self[names[0]].__getitem__)
        return [list(map(self[name].__getitem__, numbers)) for name in names]

    def keys(self, names: Sequence[str]) -> Sequence[tuple[Any, ...]]:
        """Return several keys of every group."""
        return list(zip(*(self._columns[name] for name in names), strict=True))

    def _put_together(self, name: str) -> Callable[[Iterable[Any]], Any]:
        return _COMBINED[self._combine[name]]


def _numbers(values: Sequence[Any]) -> Sequence[Any]:
    """Return numbers with exact sums: the sum of decimals would be rounded to 28 digits."""
    if any(type(value) is Decimal for value in values):
        return [_fraction(value) if value else 0 for value in values]
    return [value or 0 for value in values] if None in values else values


def _fraction(value: Decimal | int) -> Fraction | float:
    """Return a number exactly; a decimal can be infinite or NaN, as a float can."""
    return Fraction(value) if isinstance(value, int) or value.is_finite() else float(value)


def _there(values: Iterable[Any]) -> Iterable[Any]:
    return (value for value in values if value is not None)
