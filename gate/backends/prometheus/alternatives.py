"""The ways to measure an indicator: the first that the server has counts, under all its names."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby

from gate.backends.prometheus.naming import OTHER_NAME, Counted, Naming
from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryResults
from gate.backends.prometheus.resolve import guess, nothing_there
from gate.backends.prometheus.spellings import (
    all_names,
    is_merging,
    one_gauge,
    roles_of,
    shown_name,
)
from gate.dataclass import dataclass
from gate.slo.indicator import Sli
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternatives:
    """The ways to measure an indicator that differ in more than a name.

    A preset's family with notes of its own begins another way.
    """

    ways: tuple[Naming, ...]
    """The ways, at least one, in the order of preference."""

    @classmethod
    def of(cls, sli: Sli, span: Span) -> "Alternatives":
        """Return the ways to measure an indicator over a span of at most this length.

        Raises:
            ExpressionError: a selector or expression of it cannot be read.
        """
        names = (one_gauge(sli),) if sli.gauge is not None else all_names(sli)
        if len(names) == 1:
            return cls(ways=(Naming(names=names, span=span),))
        ways = list[Naming]()
        for _, similar in groupby(names, key=lambda name: (name.notes, roles_of(name))):
            group = tuple(similar)
            merging = all(map(is_merging, group))
            for together in (group,) if merging else ((name,) for name in group):
                ways.append(Naming(names=together, span=span))
        return cls(ways=tuple(ways))

    def questions(self) -> Iterator[Query]:
        """Yield the questions about the server that come before the indicator is counted."""
        if not self._is_sure:
            for way in self.ways:
                yield from way.questions()

    def guesses(self) -> Iterator[Counted]:
        """Yield the names that `counted` most likely returns: each name by itself."""
        for way in self.ways:
            yield from way.guesses()

    def further(self, readings: QueryResults) -> Iterator[Query]:
        """Yield the questions that follow from the answers to `questions`; most have none.

        Raises:
            MeasurementError: the server did not answer.
        """
        for way in self.ways:
            yield from way.further(readings)

    def counted(self, readings: QueryResults) -> tuple[Counted, ...]:
        """Return the names that count, the newest first; at least one name.

        Raises:
            MeasurementError: the server did not answer, has no such histogram, or cannot count
                this threshold.
        """
        first = self.ways[0].names[0]
        if self._is_sure:
            return (Counted(resolved=guess(first)),)
        for way in self.ways:
            if counted := way.counted(readings):
                name = way.names[0]
                if way is self.ways[0] or name.notes:
                    return counted
                note = f"{OTHER_NAME}: {shown_name(name)}"
                return tuple(_noted(counted_name, note) for counted_name in counted)
        if first.histogram is not None:
            raise nothing_there(first.histogram, first)
        return (Counted(resolved=guess(first)),)  # the count reports what is missing

    def note(self, readings: QueryResults) -> str | None:
        """Say which names count since when; None: only the newest counts."""
        if self._is_sure:
            return None
        return next((way.note(readings) for way in self.ways if way.counted(readings)), None)

    @property
    def _is_sure(self) -> bool:
        """Return whether there is only one name, which counts whether the server has it or not."""
        return (
            len(self.ways) == 1 == len(self.ways[0].names) and not self.ways[0].names[0].histogram
        )


def _noted(counted: Counted, note: str) -> Counted:
    resolved = replace(counted.resolved, notes=(*counted.resolved.notes, note))
    return replace(counted, resolved=resolved)
