"""Numbers from the readings, and sums of the numbers of several parts."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from fractions import Fraction

from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import (
    Labels,
    QueryError,
    QueryResult,
    QueryResults,
    QueryValue,
)
from gate.dataclass import dataclass
from gate.measure import MeasurementError


class PartAnswers(ABC):
    """The numbers of parts; the server must have answered each part that is read."""

    __slots__ = ()

    @abstractmethod
    def reading(self, part: Query) -> QueryResult:
        """Return the reading of a part, even if it is an error."""

    def number(self, part: Query) -> Fraction | None:
        """Return a part's number; None: no series.

        Raises:
            MeasurementError: the server did not answer it.
        """
        return self._value(part).number

    def amount(self, part: Query) -> Fraction:
        """Return a part's number, 0 if there is no series.

        Raises:
            MeasurementError: the server did not answer it.
        """
        return self.number(part) or Fraction()

    def table(self, part: Query) -> Mapping[str, Fraction]:
        """Return a part's numbers by label.

        Raises:
            MeasurementError: the server did not answer it.
        """
        return self._value(part).numbers

    def _value(self, part: Query) -> QueryValue:
        reading = self.reading(part)
        if isinstance(reading, QueryError):
            raise MeasurementError(reading.cause, reading.reason)
        return reading


@dataclass(slots=True)
class GatheredNumbers:
    """Numbers from readings, with the server's remarks about them."""

    readings: QueryResults
    warnings: dict[str, None] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    lost: dict[str, Fraction | None] = field(default_factory=dict)
    """The most events, by name, that were lost where the window was cut; None: no bound."""

    def number(self, name: str, part: Query) -> Fraction | None:
        """Return a part's number; None: no series.

        Raises:
            MeasurementError: the server did not answer it.
        """
        reading = self.readings(part)
        if isinstance(reading, QueryError):
            raise MeasurementError(reading.cause, f"{name}: {reading.reason}")
        self.warnings |= dict.fromkeys(reading.warnings)
        self.notes |= dict.fromkeys(reading.notes)
        if reading.lost != 0:
            self.lost[name] = reading.lost
        return reading.number

    def reading(self, part: Query) -> QueryResult:
        """Return the reading of a part; its gaps are remembered as those of any other part."""
        reading = self.readings(part)
        if isinstance(reading, QueryValue):
            self.warnings |= dict.fromkeys(reading.warnings)
        return reading

    def number_or_none(self, part: Query) -> Fraction | None:
        """Return the number of a part that no count depends on; None: no number."""
        reading = self.readings(part)
        return None if isinstance(reading, QueryError) else reading.number


def add_results(results: Sequence[QueryResult]) -> QueryResult:
    """Add up the numbers of several parts over the same time; a point that all lack is absent."""
    values = list[QueryValue]()
    for result in results:
        if isinstance(result, QueryError):
            return result
        values.append(result)
    numbers = [value.number for value in values if value.number is not None]
    losses = [value.lost for value in values]
    keys = dict.fromkeys(key for value in values for key in value.groups)
    return QueryValue(
        number=sum(numbers, Fraction()) if numbers else None,
        points=_added([value.points for value in values]),
        groups={
            key: _added([value.groups.get(key, value.points) for value in values]) for key in keys
        },
        by_labels=added_by_labels(values),
        warnings=tuple(dict.fromkeys(text for value in values for text in value.warnings)),
        notes=tuple(dict.fromkeys(text for value in values for text in value.notes)),
        lost=None if None in losses else sum((loss or Fraction() for loss in losses), Fraction()),
    )


def added_by_labels(values: Iterable[QueryValue]) -> dict[Labels, Fraction]:
    """Add up the numbers of each combination of labels."""
    added = dict[Labels, Fraction]()
    for value in values:
        for labels, number in value.by_labels.items():
            added[labels] = added.get(labels, Fraction()) + number
    return added


def _added(rows: Sequence[tuple[float | None, ...]]) -> tuple[float | None, ...]:
    """Add up the rows point by point; a point that all rows lack is absent."""
    columns = (
        [point for point in column if point is not None] for column in zip(*rows, strict=True)
    )
    return tuple(sum(column) if column else None for column in columns)
