"""Many comparisons at once: of twenty without any difference, one looks like one at the 5 % level.

Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
Statistics 6 (1979), 65-70.
"""

from collections.abc import Sequence


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return the adjusted probabilities, in order: each is at most the level that it passes at."""
    order = sorted(range(len(probabilities)), key=lambda place: probabilities[place])
    adjusted, least = [0.0] * len(order), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(probabilities[place] * (len(order) - rank), 1.0))
        adjusted[place] = least
    return adjusted
