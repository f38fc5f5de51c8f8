"""What comes of one query: the server's answer, or why there is none and what may be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

NO_TIME: Final = "no answer in the time that this run has (--timeout)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A successful answer."""

    kind: str
    """Prometheus' ``resultType``."""
    result: Sequence[Any]
    warnings: tuple[str, ...] = ()
    """What the server says is missing."""
    notes: tuple[str, ...] = ()


class RetryAdvice(Enum):
    """What may help, other than to try again."""

    NONE = auto()
    """Nothing that this run can do."""
    SEPARATE = auto()
    """One part may be wrong: ask the others without it."""
    SMALLER = auto()
    """Too large or too slow: ask for less at once."""
    GIVE_UP = auto()
    """No other query would fare better: nobody there, or not let in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A query that was not answered."""

    reason: str
    """With the server's words."""
    remedy: RetryAdvice = RetryAdvice.NONE
    slow: bool = False
    """Whether the server ran out of its own time: alone, the same query may fare better."""
    transient: bool = False
    """Whether the same query may fare better in a moment."""
    wait: float | None = None
    """Seconds until then, as the server asks for; None: it does not say."""
