"""What the checks see: numbers, what the server says, and the words of whatever is missing."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from typing import ClassVar, Final

from gate.backends.prometheus.doctor.library import Library, ServerQuestion
from gate.backends.prometheus.query import SECOND, Query, Role
from gate.backends.prometheus.query_result import (
    QueryError,
    QueryResult,
    QueryResults,
    QueryValue,
)
from gate.measure.counts import MeasurementError
from gate.measure.diagnosis import Check, CheckResult
from gate.promql.expression import Expression
from gate.promql.selectors import Selector
from gate.slo.window import Span


@dataclass(slots=True, kw_only=True)
class Sight:
    """Everything that came back, as the checks of one SLO see it."""

    readings: QueryResults
    library: Library
    at: datetime
    retention: timedelta | None
    """How long the server keeps data; None: it does not tell."""
    warnings: dict[str, None] = field(default_factory=dict)
    """What the server said is missing from the answers that were looked at."""

    def number(self, part: Query) -> Fraction | None:
        """Return a part's number; None: no series.

        Raises:
            NotMeasuredError: the server did not answer it.
        """
        return self._value(part).number

    def amount(self, part: Query) -> Fraction:
        """Return a part's number, 0 where there is no series.

        Raises:
            NotMeasuredError: the server did not answer it.
        """
        return self.number(part) or Fraction()

    def table(self, part: Query) -> Mapping[str, Fraction]:
        """Return a part's numbers by label.

        Raises:
            NotMeasuredError: the server did not answer it.
        """
        return self._value(part).numbers

    def reading(self, part: Query) -> QueryResult:
        """Return what came back for a part, a fault as well."""
        reading = self.readings(part)
        if isinstance(reading, QueryValue):
            self.warnings |= dict.fromkeys(reading.warnings)
        return reading

    def _value(self, part: Query) -> QueryValue:
        reading = self.reading(part)
        if isinstance(reading, QueryError):
            raise MeasurementError(reading.cause, reading.reason)
        return reading


_NATIVE: Final = re.compile(r"\bhistogram_(?:avg|count|fraction|sum)\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectorSource:
    """A selector, and the part of the indicator that it stands in."""

    role: Role
    text: str
    """As it stands in the expression."""
    selector: Selector
    counter: bool
    """Its increase is taken."""
    others: tuple[str, ...] = ()
    """Selectors of the same expression that may stand in for it: a metric that was renamed."""


class Look(ABC):
    """One check of one SLO: what it asks, and what it makes of the answers."""

    check: ClassVar[Check]
    """The word for it when it could not be done."""

    def parts(self) -> Iterable[Query]:
        """Return what is asked for in the round of all checks."""
        return ()

    def clues(self, sight: Sight) -> Iterable[Query]:
        """Return what else to ask, now that the first answers are there."""
        del sight
        return ()

    def questions(self, sight: Sight) -> Iterable[ServerQuestion]:
        """Return what else to ask the server beside queries."""
        del sight
        return ()

    @abstractmethod
    def symptoms(self, sight: Sight) -> Iterator[CheckResult]:
        """Yield what was seen.

        Raises:
            NotMeasuredError: the server did not answer.
        """


def sources_of(expressions: Mapping[Role, Expression]) -> tuple[SelectorSource, ...]:
    """Return every different selector of an indicator, under the first role that it has."""
    found: dict[str, SelectorSource] = {}
    for role, expression in expressions.items():
        for text in expression.selectors:
            others = expression.selectors if expression.union else ()
            source = SelectorSource(
                role=role,
                text=text,
                selector=Selector.read(text),
                counter=_is_counted(expression, text),
                others=tuple(other for other in others if other != text),
            )
            found.setdefault(text, source)
    return tuple(found.values())


def at_once(text: str, label: str | None = None) -> Query:
    """Ask for a value of now."""
    return Query(pieces=(text,), length=timedelta(), label=label)


def over(text: str, span: Span, label: str | None = None) -> Query:
    """Ask for a value over the whole of a window, written as ``$window``."""
    length = span.length // SECOND * SECOND
    return Query(pieces=tuple(text.split("$window")), length=length, label=label)


def _is_counted(expression: Expression, selector: str) -> bool:
    text = "".join(expression.over("$window").split())
    if _NATIVE.search(text) and not Selector.read(selector).name.endswith("_bucket"):
        return False  # its samples are histograms, which are no numbers
    bare = "".join(selector.split())
    return any(f"{function}({bare}[" in text for function in ("increase", "rate"))
