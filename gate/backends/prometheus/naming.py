"""The names that an indicator has on the server, and the processes that each of them counts."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import Query
from gate.backends.prometheus.query_result import QueryResults, QueryValue, is_absent
from gate.backends.prometheus.resolve import (
    Resolved,
    boundaries_over,
    count_query,
    first_expression,
    guess,
    lacking_query,
    read,
    recent,
    resolve_ended,
    resolve_live,
)
from gate.backends.prometheus.spellings import (
    selectors_of,
    shown_name,
)
from gate.dataclass import dataclass
from gate.measure.history import coverage_step
from gate.promql.expression import Expression, read_expression
from gate.promql.moving import SECOND, window_text
from gate.promql.names import Presence
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from gate.wording import instant

OTHER_NAME: Final = "counted under another name"
_NAME: Final = "gate_name"
"""The label that holds the name to which a number belongs."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Scope:
    """The scope of a question, beyond the one request that needs its answer."""

    span: Span
    """The longest span over which the same indicator is counted, up to the same instant."""
    slos: tuple[str, ...] = ()
    """The SLOs whose recording rules are searched for together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """A name that counts in the window."""

    resolved: Resolved
    presence: Presence | None = None
    """If given, some processes export a newer name, too: this name counts only the other
    processes."""
    names: tuple[Sli, ...] = ()
    """If given, all names of the indicator: any of them shows whether there is data."""

    def sources(self) -> Iterator[Expression]:
        """Yield, for each name, the expression that best shows whether there is data."""
        for name in self.names:
            yield first_expression(guess(name).sli)


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """All names of one way to measure an indicator, and the longest span over which it is counted.

    Each name counts for its part of that time.
    """

    names: tuple[Sli, ...]
    """The newest first, at least one; several are distinguished as `gate.promql.names` does."""
    span: Span

    def questions(self) -> Iterator[Query]:
        """Yield the questions about the server that come before the indicator is counted.

        Raises:
            ExpressionError: a selector or expression cannot be read.
        """
        for name in self.names:
            if name.histogram is not None or len(self.names) == 1:
                yield from recent(name)
        if len(self.names) > 1:
            yield from (self._since, self._beside)

    def guesses(self) -> Iterator[Counted]:
        """Yield the names that `counted` most likely returns: each name by itself."""
        names = self.names if len(self.names) > 1 else ()
        for name in self.names:
            yield Counted(resolved=guess(name), names=names)

    def further(self, readings: QueryResults) -> Iterator[Query]:
        """Yield the questions that follow from the answers to `questions`; most have none.

        Raises:
            MeasurementError: the server did not answer.
        """
        for place in self._places(readings) if len(self.names) > 1 else ():
            name = self.names[place]
            if (
                name.histogram is not None
                and resolve_live(name.histogram, name, readings) is None
                and not self._guess_holds(name, readings)
            ):
                yield boundaries_over(name.histogram, name, self._length)

    def counted(self, readings: QueryResults) -> tuple[Counted, ...]:
        """Return the names that count, the newest first; empty: the server has none of them.

        Raises:
            MeasurementError: the server did not answer, or cannot count this threshold.
        """
        if len(self.names) == 1:
            resolved = self._only(self.names[0], readings)
            return () if resolved is None else (Counted(resolved=resolved),)
        beside = read(readings(self._beside)).numbers
        return tuple(
            Counted(
                resolved=self._resolve(self.names[place], readings),
                presence=self.presence(place) if str(place) in beside else None,
                names=self.names,
            )
            for place in self._places(readings)
        )

    def note(self, readings: QueryResults) -> str | None:
        """Describe which names count since when; None: only the newest name counts."""
        since = read(readings(self._since)).numbers if len(self.names) > 1 else {"0": Fraction()}
        if list(since) == ["0"]:
            return None
        places = sorted(map(int, since), key=lambda place: (since[str(place)], -place))
        first, *later = [shown_name(self.names[place]) for place in places]
        if not later:
            return f"{OTHER_NAME}: {first}"
        times = (instant(_EPOCH + timedelta(seconds=float(since[str(p)]))) for p in places[1:])
        then = ", ".join(f"{name} since {time}" for name, time in zip(later, times, strict=True))
        return f"counted under {len(places)} names, each for its part: {first} at first, {then}"

    def presence(self, place: int) -> Presence:
        """Return the series that show which processes export a name, and which a newer name."""
        newer = dict.fromkeys(text for name in self.names[:place] for text in selectors_of(name))
        return Presence(selectors=selectors_of(self.names[place]), newer=tuple(newer))

    @property
    def _length(self) -> timedelta:
        return self.span.length // SECOND * SECOND

    def _places(self, readings: QueryResults) -> list[int]:
        """Return the positions of the names that some process has exported without a newer name."""
        return sorted(map(int, read(readings(self._since)).numbers))

    def _only(self, name: Sli, readings: QueryResults) -> Resolved | None:
        if name.histogram is not None:
            return resolve_live(name.histogram, name, readings)
        there = all(read(readings(part)).number is not None for part in recent(name))
        return guess(name) if there else None

    def _resolve(self, name: Sli, readings: QueryResults) -> Resolved:
        if name.histogram is None:
            return guess(name)
        live = resolve_live(name.histogram, name, readings)
        if live is not None:
            return live
        if self._guess_holds(name, readings):
            return guess(name)
        return resolve_ended(name.histogram, name, self._length, readings)

    def _guess_holds(self, name: Sli, readings: QueryResults) -> bool:
        """Return whether a histogram was counted as `guess` expects, always with the boundary."""
        guessed = guess(name)
        counts = [
            readings(count_query(read_expression(text, None), self._length))
            for text in (guessed.sli.good, guessed.sli.total)
            if text is not None
        ]
        lacking = [readings(lacking_query(text, self._length)) for text in guessed.lacking]
        return all(
            isinstance(count, QueryValue) and count.number is not None for count in counts
        ) and all(map(is_absent, lacking))

    @property
    def _since(self) -> Query:
        """Return when each name was first seen by itself, in Unix time."""
        alone = self._by_name(lambda place: self.presence(place).by_itself)
        lately = self._by_name(lambda place: self.presence(place).recent)
        text = (
            f"min_over_time((0 * ({alone}) + time())[$window:$step]) or (0 * ({lately}) + time())"
        )
        return self._table(text)

    @property
    def _beside(self) -> Query:
        """Return whether each name was seen beside a newer name of the same process."""
        beside = self._by_name(lambda place: self.presence(place).beside, first=1)
        return self._table(f"count_over_time(({beside})[$window:$step])")

    def _by_name(self, write: Callable[[int], str], first: int = 0) -> str:
        return " or ".join(
            f'label_replace(count({write(place)}),"{_NAME}","{place}","","")'
            for place in range(first, len(self.names))
        )

    def _table(self, text: str) -> Query:
        step = window_text(coverage_step(self._length))
        pieces = tuple(text.replace("$step", step).split("$window"))
        return Query(pieces=pieces, length=self._length, label=_NAME)
