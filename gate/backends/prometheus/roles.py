"""What a number that is asked for stands for."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Part of an indicator, or of what follows from it."""

    TOTAL = "total"
    GOOD = "good"
    BAD = "bad"
    SPENT = "spent"
    GAUGE = "gauge"
    SLICES = "slices"
    """Slices that have something to judge."""
    JUDGED_SLICES = "judged slices"
    BAD_SLICES = "bad slices"


EVENTS: Final = frozenset({Role.TOTAL, Role.GOOD, Role.BAD})
