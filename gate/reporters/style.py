"""How a report may look, as far as the place that it is written to decides."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What the output can show. Only the terminal report depends on it."""

    width: int = 80
    """Columns."""
    color: bool = False
    """Whether ANSI colours may be written."""
    unicode: bool = True
    """Whether more than ASCII may be written in the report's own signs."""
