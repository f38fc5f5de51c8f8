"""What is known of the history, for the rules that look back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from gate.measure.counts import Unmeasured

if TYPE_CHECKING:  # every decision comes by here, and most policies do not look back
    from gate.history.charts.chart import Drawn
    from gate.history.incidents import Incident
    from gate.measure.history import Series, SeriesRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class SloIncidents:
    """The incidents of one SLO, and the history that they were found in."""

    found: "tuple[Incident, ...]"
    """The oldest first."""
    allowed: Fraction
    """How many bad events the budget of one SLO window has; above 0 where anything was found."""
    known: Fraction
    """The share of the time looked at of which anything is known; above 0, at most 1."""
    request: "SeriesRequest"
    series: "Series"


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What each rule that looks back has found, by SLO; nothing for a rule that there is not."""

    incidents: Mapping[str, SloIncidents | Unmeasured] = field(default_factory=dict)
    """Of each SLO that counts events; for ``postmortems``."""
    charts: "Mapping[str, tuple[Drawn, ...] | Unmeasured]" = field(default_factory=dict)
    """Likewise; for ``control_charts``."""


NOTHING: Final = Past()
"""Of a policy that does not look back."""
