"""A budget's burn-down in a line of text, one sign a step."""

from collections.abc import Mapping
from typing import Final

from gate.budget.assessment import Assessment
from gate.budget.burn_down import BurnDown
from gate.reporters.column import Column
from gate.reporters.style import Style

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_TENTHS: Final = "0123456789"
"""Where there is only ASCII: how many tenths of the budget were left, rounded down."""
_OVERSPENT: Final = ("_", "-")
_UNKNOWN: Final = ("·", "?")


def sparkline(known: BurnDown | None, style: Style) -> str:
    """Draw what was left at the end of each step, the newest at the right.

    Rounded down: the highest sign is for seven eighths and more, the lowest for what was hardly
    left. Overspent is a sign of its own, and so is a step of which nothing is known.
    """
    if known is None:
        return ""
    ascii_only = not style.unicode
    levels = _TENTHS if ascii_only else _LEVELS

    def sign(left: float | None) -> str:
        if left is None:
            return _UNKNOWN[ascii_only]
        if left <= 0:
            return _OVERSPENT[ascii_only]
        return levels[min(int(left * len(levels)), len(levels) - 1)]

    return "".join(map(sign, known.left))


def column(burn_downs: Mapping[str, BurnDown], style: Style) -> Column[Assessment]:
    """Return a column with the burn-down of each budget, where it is known."""
    return Column(
        title="Burn-down",
        cell=lambda known: sparkline(burn_downs.get(known.slo.name), style),
        right=False,
        keep=7,
    )
