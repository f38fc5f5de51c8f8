"""What a server turns out to take in one query: learnt from its refusals, for the rest of a run."""

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
"""So many searches for a shorter window that find none, and no third one is made."""
_MARGIN: Final = timedelta(minutes=10)
"""Less than a limit that the server names, since it looks back 5 minutes from the start."""
_SHORTEST_HINT: Final = 1.0
"""Hours."""
_UNITS: Final = {"w": 168.0, "d": 24.0, "h": 1.0, "m": 1 / 60, "s": 1 / 3600}
_LENGTH: Final = re.compile(
    r"(?<![\w.])((?:\d+(?:\.\d+)?(?:[wdhms](?![a-z])|ms))+)(?![\w])"
    r"|(?<![\w.])(\d+)[ -]?(week|day|hour)s?\b"
)
_NUMBER_AND_UNIT: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[wdhms])")
_VARYING: Final = re.compile(r"\"[^\"]*\"|'[^']*'|[\[({][^])}]*[\])}]|[\d.]+")


@dataclass(slots=True)
class ServerLimits:
    """What is known of one server; filled while it is asked. Used by the main thread alone."""

    longest: timedelta | None = None
    """The longest window that it is asked for at once; None: as long as the policy wants."""
    most_bytes: int = MOST_BYTES
    """The most bytes of one query."""
    most_parts: int | None = None
    """The most parts of one query; None: as many as fit."""
    reach: timedelta | None = None
    """How much time all parts of a query may span; None: as much as it likes."""
    refusals: int = 0
    """Queries that it refused so far."""
    parts: int = 0
    """Numbers that it was asked for so far."""
    victoria: bool = False
    """Whether it is a VictoriaMetrics."""
    one_at_a_time: bool = False
    """Whether it is too busy for several queries at once."""
    crowded: bool = False
    """Whether it was too busy for a query that was sent once more, alone."""
    useless: Counter[tuple[int | None, str]] = field(default_factory=Counter)
    """How often a shorter window was refused in the same words."""

    def with_queries_of(self, most_bytes: int) -> "ServerLimits":
        """Return the same with queries of ``most_bytes``, unless a smaller limit is known."""
        learnt = self.most_bytes < MOST_BYTES
        return self if learnt else replace(self, most_bytes=most_bytes)

    @property
    def exhausted(self) -> bool:
        """Whether so much was refused that nothing else will be answered, either."""
        return self.refusals >= _FEWEST_REFUSALS + self.parts // _PARTS_PER_REFUSAL

    def curable(self, part: Query, failure: RequestFailure) -> bool:
        """Return whether a part that was refused may be answered over a shorter window."""
        most = 1 if failure.transient else _USELESS
        if not part.divisible or self.useless[_kind(failure)] >= most:
            return False
        return part.extent > DAY or failure.advice is RetryAdvice.SMALLER

    def note_useless(self, failure: RequestFailure) -> None:
        """Remember a refusal that no shorter window has cured."""
        self.useless[_kind(failure)] += 1


def fitting_length(part: Query, words: str, fits: Callable[[timedelta], bool]) -> timedelta | None:
    """Return a length of window that the server answers; None: it answers none.

    Args:
        part: what was refused.
        words: of the refusal. A length in them is tried and not believed.
        fits: asks for a piece of the part, no longer than that, and says whether it was answered.
    """
    named = hint(words, part.extent)
    if named is not None and fits(named - _MARGIN):
        return named - _MARGIN
    lengths = _lengths_to_try(part)
    low, high = -1, len(lengths) - 1
    if not lengths or not fits(lengths[high]):
        return None
    while high - low > 1:  # what is at ``low`` is refused, what is at ``high`` is answered
        middle = (low + high) // 2
        low, high = (low, middle) if fits(lengths[middle]) else (middle, high)
    longest = lengths[high] * 3 / 2
    # Less than what was answered, for what is asked of the cuts takes a half more.
    return (longest if fits(longest) else lengths[high]) * 2 / 3


def _lengths_to_try(part: Query) -> list[timedelta]:
    """Return the halves of halves of a part's window, the longest first, down to a day or 1/32."""
    lengths = [part.extent / 2]
    while lengths[-1] > DAY or (part.extent < 2 * DAY and len(lengths) < _MOST_PIECES.bit_length()):
        lengths.append(lengths[-1] / 2)
    return [length for length in lengths if part.cut(length)[0].extent <= length]


def hint(words: str, below: timedelta) -> timedelta | None:
    """Return the longest time that a refusal speaks of and that is shorter than what was asked.

    It is tried and not believed: it could be any number of the query that the server repeats.
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
    """Return what refusals of one kind have in common: the words without numbers and queries."""
    return failure.status, _VARYING.sub("", failure.reason)
