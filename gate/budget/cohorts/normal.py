"""The standard normal distribution, as far as tests need it."""

from math import erfc, sqrt
from typing import Final

_FARTHEST: Final = 38.0
"""Beyond it the tail is no float above 0."""
_HALVINGS: Final = 60


def two_sided(z: float) -> float:
    """Return how likely a standard normal number is at least as far from 0 as this, 0 to 1."""
    return erfc(abs(z) / sqrt(2))


def critical(level: float) -> float:
    """Return beyond which number a share ``level`` lies, both sides together; 0 < level < 1."""
    low, high = 0.0, _FARTHEST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle) > level else (low, middle)
    return (low + high) / 2
