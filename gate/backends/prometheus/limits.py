"""The limits of a server's queries, which its refusals reveal in the course of a run."""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import field, replace
from datetime import timedelta
from typing import Final

from gate.backends.prometheus.query import Query
from gate.dataclass import dataclass
from gate.request_failure import RequestFailure, RetryAdvice

MOST_BYTES: Final = 15_000
"""VictoriaMetrics takes 16 KiB (-search.maxQueryLen), counted before percent-encoding."""
DAY: Final = timedelta(days=1)
_MOST_PIECES: Final = 32
_FEWEST_REFUSALS: Final = 16
_PARTS_PER_REFUSAL: Final = 20
_USELESS: Final = 2
"""The number of failed searches for a shorter window, for one message, after which no other is
made."""
_MARGIN: Final = timedelta(minutes=10)
"""The margin below a limit that the server names: it looks back 5 minutes from the start."""
_SHORTEST_HINT: Final = 1.0
"""The shortest limit that is read from a message, in hours."""
_UNITS: Final = {"w": 168.0, "d": 24.0, "h": 1.0, "m": 1 / 60, "s": 1 / 3600}
_LENGTH: Final = re.compile(
    r"(?<![\w.])((?:\d+(?:\.\d+)?(?:[wdhms](?![a-z])|ms))+)(?![\w])"
    r"|(?<![\w.])(\d+)[ -]?(week|day|hour)s?\b"
)
_NUMBER_AND_UNIT: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[wdhms])")
_VARYING: Final = re.compile(r"\"[^\"]*\"|'[^']*'|[\[({][^])}]*[\])}]|[\d.]+")


@dataclass(slots=True)
class ServerLimits:
    """The limits of one server, updated during a run. Only the main thread uses them."""

    longest: timedelta | None = None
    """The longest window of one query; None: no limit."""
    most_bytes: int = MOST_BYTES
    """The most bytes of one query."""
    most_parts: int | None = None
    """The most parts of one query; None: as many as fit."""
    reach: timedelta | None = None
    """The longest time that the parts of a query may span together; None: no limit."""
    refusals: int = 0
    """The number of queries that the server has refused so far."""
    parts: int = 0
    """The number of parts that were sent to the server so far."""
    victoria: bool = False
    """Whether the server is VictoriaMetrics."""
    one_at_a_time: bool = False
    """Whether the server is too busy for concurrent queries."""
    crowded: bool = False
    """Whether the server was too busy even for a query that was repeated alone."""
    useless: Counter[tuple[int | None, str]] = field(default_factory=Counter)
    """How often a shorter window was refused with the same message."""

    def with_queries_of(self, most_bytes: int) -> "ServerLimits":
        """Return these limits with queries of ``most_bytes``, unless a smaller limit was found."""
        learnt = self.most_bytes < MOST_BYTES
        return self if learnt else replace(self, most_bytes=most_bytes)

    @property
    def exhausted(self) -> bool:
        """Whether the server refused enough queries to expect that it answers no others, either."""
        return self.refusals >= _FEWEST_REFUSALS + self.parts // _PARTS_PER_REFUSAL

    def curable(self, part: Query, failure: RequestFailure) -> bool:
        """Return whether the server may answer a refused part over a shorter window."""
        most = 1 if failure.transient else _USELESS
        if not part.divisible or self.useless[_kind(failure)] >= most:
            return False
        return part.extent > DAY or failure.advice is RetryAdvice.SMALLER

    def note_useless(self, failure: RequestFailure) -> None:
        """Remember a refusal that a shorter window did not avoid."""
        self.useless[_kind(failure)] += 1


def fitting_length(part: Query, words: str, fits: Callable[[timedelta], bool]) -> timedelta | None:
    """Return a length of window that the server answers; None: it answers no length.

    Args:
        part: the refused part.
        words: the words of the refusal. A length in them is tried, not trusted.
        fits: asks for a piece of the part, no longer than that, and says whether it was answered.
    """
    named = hint(words, part.extent)
    if named is not None and fits(named - _MARGIN):
        return named - _MARGIN
    lengths = _lengths_to_try(part)
    low, high = -1, len(lengths) - 1
    if not lengths or not fits(lengths[high]):
        return None
    while high - low > 1:  # ``low`` is refused, ``high`` is answered
        middle = (low + high) // 2
        low, high = (low, middle) if fits(lengths[middle]) else (middle, high)
    longest = lengths[high] * 3 / 2
    # Shorter than the answered length, since the queries about the cuts span half as much again.
    return (longest if fits(longest) else lengths[high]) * 2 / 3


def _lengths_to_try(part: Query) -> list[timedelta]:
    """Return the lengths to try: a part's window halved repeatedly, down to a day or 1/32."""
    lengths = [part.extent / 2]
    while lengths[-1] > DAY or (part.extent < 2 * DAY and len(lengths) < _MOST_PIECES.bit_length()):
        lengths.append(lengths[-1] / 2)
    return [length for length in lengths if part.cut(length)[0].extent <= length]


def hint(words: str, below: timedelta) -> timedelta | None:
    """Return the longest time in a message that is shorter than the window that was asked for.

    It is only tried, not trusted: it could be any number of the query that the server quotes.
    """
    hours = [_hours(*match.groups()) for match in _LENGTH.finditer(words)]
    most = below / timedelta(hours=1)
    least = max(most / (2 * _MOST_PIECES), _SHORTEST_HINT)
    fitting = [each for each in hours if least <= each < most]
    return timedelta(hours=max(fitting)) if fitting else None


def _hours(compound: str | None, count: str | None, unit: str | None) -> float:
    if compound is None:
        return int(count or 0) * _UNITS[(unit or "hour")[0]]
    pairs = _NUMBER_AND_UNIT.findall(compound)
    return sum(float(number) * _UNITS.get(each, 0.0) for number, each in pairs)


def _kind(failure: RequestFailure) -> tuple[int | None, str]:
    """Return the text that refusals of one kind share: the message without numbers and queries."""
    return failure.status, _VARYING.sub("", failure.reason)
