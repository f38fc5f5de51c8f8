"""Two instants of the past that are asked about at once, however far they are apart.

A subquery whose step is their distance looks at both, if what it looks at is moved so that they
fall on multiples of the step. The samples of both windows are read once for it, and series are
chosen once. A subquery gives one number a series, so ``count_values`` makes a label of each number:
https://prometheus.io/docs/prometheus/latest/querying/operators/#aggregation-operators
"""

from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import Query, since_1970
from gate.backends.prometheus.query_result import QueryError, QueryResult, QueryValue, is_count
from gate.promql.moving import MILLISECOND, window_text

_LABEL: Final = "gate_value"
_BOTH: Final = 2
_MANY: Final = 1_000_000
"""What a number of the older instant weighs; more series than that do not come of a count."""


class InstantPair:
    """An instant and a later one."""

    def __init__(self, older: datetime, newer: datetime, until: datetime) -> None:
        """Ask nothing yet.

        Args:
            older: the one instant.
            newer: the other.
            until: the instant at which both are asked about.
        """
        self._newer = newer
        self._step = since_1970(newer) - since_1970(older)
        self._moved = -since_1970(newer) % self._step if self._step else timedelta()
        self._offset = since_1970(until) - since_1970(newer) - self._moved
        self._noted = Counter[Query]()
        self._queries = dict[Query, Query]()

    @property
    def possible(self) -> bool:
        """Whether both can be asked about at once: neither would have to look ahead."""
        return self._step > timedelta() and self._offset >= timedelta()

    def note(self, part: Query) -> None:
        """Note that one of the two instants asks a question."""
        self._noted[part] += 1

    def query(self, part: Query) -> Query | None:
        """Return a question as it is asked for both; None: not both ask it, or for a number."""
        query = self._queries.get(part)
        if query is not None:
            return query
        if self._noted[part] < _BOTH or part.grid is not None or part.label is not None:
            return None
        query = self._queries[part] = self._both(part)
        return query

    def number(self, reading: QueryResult, at: datetime) -> QueryValue | None:
        """Return the number of one of the two; None: it is not clear.

        Args:
            reading: what came back for both.
            at: which of the two.
        """
        if isinstance(reading, QueryError) or reading.warnings or reading.notes:
            return None
        own = list[str]()
        for text, weight in reading.numbers.items():
            counts = divmod(int(weight), _MANY)
            count = counts[at == self._newer]
            if count > 1 or not is_count(text):
                return None
            own += [text] * count
        if len(own) > 1:
            return None
        return QueryValue(number=Fraction(own[0]) if own else None)

    def _both(self, part: Query) -> Query:
        last = (since_1970(self._newer) + self._moved) / timedelta(seconds=1)
        weight = f"(1+{_MANY - 1}*(time()<bool {last:.3f}))"
        # A millisecond more, since from Prometheus 3 on a range leaves its first instant out.
        window = f"[{window_text(self._step + MILLISECOND)}:{window_text(self._step)}]"
        offset = f" offset {window_text(self._offset)}" if self._offset else ""
        values = f'count_values("{_LABEL}",{part.moved_by(self._moved).text})*{weight}'
        return Query(
            pieces=(f"sum_over_time(({values}){window}{offset})",),
            length=part.length + self._step,
            offset=part.offset + self._offset + self._moved,
            label=_LABEL,
        )
