"""One query for several questions about series that differ only in the value of one label.

The cost of a subquery grows with its steps more than with its series: Prometheus works three times
as long for fifty subqueries as for one over the same series, grouped by the label.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from gate.backends.prometheus.evidence.witness import label_text
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue
from gate.dataclass import dataclass
from gate.promql.selectors import LabelMatcher, Selector

TOGETHER: Final = 50
"""The most questions in one query: some hundred bytes, and a number of series that a server
takes."""
_FEWEST: Final = 2


@dataclass(frozen=True, slots=True)
class AlikeQuery:
    """A query for several questions, and the value of its label that belongs to one of them."""

    query: Query
    value: str

    def of(self, reading: QueryResult) -> QueryValue | None:
        """Return the answer to this question; None: the joint answer has no series for it."""
        if isinstance(reading, QueryError):
            return None
        number = reading.numbers.get(self.value)
        return QueryValue(number=number, warnings=reading.warnings, notes=reading.notes)


def is_groupable(part: Query) -> bool:
    """Return whether a question may be asked together with others in one query."""
    return bool(part.series) and not part.moved and part.grid is None


def alike(parts: Sequence[Query]) -> dict[Query, AlikeQuery]:
    """Return the query for each part that shares its query with similar parts.

    Args:
        parts: groupable parts, each of them once.
    """
    left, queries = set(parts), dict[Query, AlikeQuery]()
    groups = sorted(_groups(parts), key=len, reverse=True)
    for group in groups:
        own = [(part, matcher) for part, matcher in group if part in left]
        if len(own) >= _FEWEST:
            query = _grouped(own)
            queries |= {part: AlikeQuery(query, matcher.value) for part, matcher in own}
            left.difference_update(part for part, _ in own)
    return queries


def _groups(parts: Iterable[Query]) -> Iterator[list[tuple[Query, LabelMatcher]]]:
    """Yield the parts that differ in the value of a label, for each label that may be grouped."""
    groups = defaultdict[object, list[tuple[Query, LabelMatcher]]](list)
    for part in parts:
        selector = Selector.read(part.series)
        for matcher in selector.matchers:
            if matcher.operator == "=" and matcher.value:
                rest = (part.steps and part.steps.step, part.length, part.offset)
                groups[selector.without(matcher), matcher.label, rest].append((part, matcher))
    yield from groups.values()


def _grouped(group: Sequence[tuple[Query, LabelMatcher]]) -> Query:
    part, matcher = group[0]
    selector = Selector.read(part.series).without(matcher)
    values = "|".join(sorted(re.escape(own.value) for _, own in group))
    every = selector.only(
        (*selector.matchers, LabelMatcher(label=matcher.label, operator="=~", value=values))
    )
    counted = f"count by ({label_text(matcher.label)}) ({every.text})"
    pieces = tuple(piece.replace(f"count({part.series})", counted) for piece in part.pieces)
    # Pieces of the window cannot be combined into a number for each value.
    whole = replace(part, grain=None, steps=None, series="")
    members = tuple(own for own, _ in group)
    return replace(whole, pieces=pieces, label=matcher.label, members=members)
