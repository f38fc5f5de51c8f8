"""The columns of a table, whatever its rows are about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

T = TypeVar("T")

MUST: Final = 9
"""The ``keep`` of a column that stays even where it does not fit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[T]):
    """One column; its cells are not yet escaped for any format."""

    title: str
    cell: Callable[[T], str]
    right: bool = True
    """Numbers stand to the right."""
    keep: int
    """Where there is no room for all, the lowest goes first; what it says is in the details too."""
    share: int | None = None
    """Given: a column of words, which wraps where it would take more than this part of the width.
    """
