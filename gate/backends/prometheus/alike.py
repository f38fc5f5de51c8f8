"""Questions about series that differ in the value of one label only, asked by one query.

What a subquery costs a server is its steps more than its series: Prometheus works three times as
long for fifty of them as for one over the same series, grouped by the label.
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
"""Questions that are asked by one query: some hundred bytes, and series that a server takes."""
_FEWEST: Final = 2


@dataclass(frozen=True, slots=True)
class AlikeQuery:
    """What asks for several, and the value of its label that is for one of them."""

    query: Query
    value: str

    def of(self, reading: QueryResult) -> QueryValue | None:
        """Return the answer to the one; None: the question for several has none."""
        if isinstance(reading, QueryError):
            return None
        number = reading.numbers.get(self.value)
        return QueryValue(number=number, warnings=reading.warnings, notes=reading.notes)


def is_groupable(part: Query) -> bool:
    """Return whether a question may be one of several that are asked by one query."""
    return bool(part.series) and not part.moved and part.grid is None


def alike(parts: Sequence[Query]) -> dict[Query, AlikeQuery]:
    """Return the query for each part that has others like it.

    Args:
        parts: each is groupable, and is there once.
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
    """Yield the parts that differ in the value of a label, for each label in which some may."""
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
    # A number for each value cannot be put together from pieces of the window.
    whole = replace(part, grain=None, steps=None, series="")
    members = tuple(own for own, _ in group)
    return replace(whole, pieces=pieces, label=matcher.label, members=members)
