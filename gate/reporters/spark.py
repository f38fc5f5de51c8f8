"""A budget's burn-down in a line of text, one sign a step."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from gate.budget.assessment import Assessment
from gate.reporters.column import Column
from gate.reporters.style import Style

if TYPE_CHECKING:  # `gate check` comes by here, and draws none
    from gate.budget.burn_down import BurnDown

_LEVELS: Final = "▁▂▃▄▅▆▇█"
_TENTHS: Final = "0123456789"
"""Where there is only ASCII: how many tenths of the budget were left, rounded down."""
_OVERSPENT: Final = ("_", "-")
_UNKNOWN: Final = ("·", "?")


def sparkline(known: "BurnDown | None", style: Style) -> str:
    """Draw what was left at the end of each step, the newest at the right."""
    return "" if known is None else signs(known.left, ascii_only=not style.unicode)


def signs(
    shares: Iterable[float | None], *, nothing: str | None = None, ascii_only: bool = False
) -> str:
    """Draw shares of a whole, one sign each.

    Rounded down: the highest sign is for seven eighths (nine tenths in ASCII) and more, the lowest
    for hardly any. Nothing at all, or less, is a sign of its own, and so is what is not known.
    """
    levels = _TENTHS if ascii_only else _LEVELS
    none = nothing or _OVERSPENT[ascii_only]

    def sign(share: float | None) -> str:
        if share is None:
            return _UNKNOWN[ascii_only]
        return none if share <= 0 else levels[min(int(share * len(levels)), len(levels) - 1)]

    return "".join(map(sign, shares))


def column(burn_downs: Mapping[str, "BurnDown"], style: Style) -> Column[Assessment]:
    """Return a column with the burn-down of each budget, where it is known."""
    return Column(
        title="Burn-down",
        cell=lambda known: sparkline(burn_downs.get(known.slo.name), style),
        right=False,
        keep=7,
    )
