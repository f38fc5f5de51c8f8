"""Why a query has no answer, and what may be done about it."""

from dataclasses import dataclass
from enum import Enum, auto


class Remedy(Enum):
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
    remedy: Remedy = Remedy.NONE
    transient: bool = False
    """Whether the same query may fare better in a moment."""
    wait: float | None = None
    """Seconds until then, as the server asks for; None: it does not say."""
