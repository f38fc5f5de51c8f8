"""Whom a policy names: people (``@ada``), teams (``@acme/sre``), and all who may ``write``."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

WRITE: Final = "write"
"""Stands in a policy for all who may write to the repository."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """Whether somebody is one of those whom a policy names."""

    holds: bool
    """True only where it is known."""
    untold: str = ""
    """What could not be found out; it might have made the difference."""


AskRight = Callable[[str, Sequence[str]], Right]
"""From a name and those whom a policy names to whether it is one of them."""


def plain(name: str) -> str:
    """Return a name as it is compared."""
    return name.strip().removeprefix("@").lower()


def by_name(who: str, wanted: Sequence[str]) -> Right:
    """Return whether a policy names somebody themselves; who is in a team nobody asks here."""
    groups = [one for one in wanted if is_group(one)]
    if plain(who) in {plain(one) for one in wanted if one not in groups}:
        return Right(holds=True)
    untold = f"who is among {' or '.join(groups)} cannot be asked here" if groups else ""
    return Right(holds=False, untold=untold)


def is_group(name: str) -> bool:
    """Tell whether a name in a policy stands for several people, whom a code host knows."""
    return name == WRITE or "/" in name
