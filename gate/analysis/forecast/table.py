"""The projections of a budget: their table, and when it is back; not yet escaped for any format."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

from gate import wording
from gate.analysis.forecast import Projection, SloForecast
from gate.budget.forecast import PACE
from gate.reporters.page import MUST, Column, Fact
from gate.slo.quantities import format_duration

_NO: Final = "no"


def projection_columns(forecast: SloForecast) -> tuple[Column[Projection], ...]:
    """Return the columns of an SLO's table: the rate, when it runs out, when it recovers."""
    first = forecast.projections[0]
    return (
        Column(title="If", cell=_if, right=False, keep=MUST),
        Column(title="Burn", cell=lambda projection: wording.burn(projection.burn), keep=MUST),
        Column(title="Runs out, UTC", cell=partial(_runs_out, forecast), right=False, keep=MUST),
        *(_back(tier) for tier in first.back),
        *([_LEFT] if first.left_at_reset is not None else []),
    )


def _if(projection: Projection) -> str:
    if projection.rate_of is None:
        return "nothing more fails"
    return f"as in the last {format_duration(projection.rate_of)}"


def _runs_out(forecast: SloForecast, projection: Projection) -> str:
    if forecast.gone:
        return "already exhausted"
    return _minute(projection.exhausted_at)


def _back(tier: str) -> Column[Projection]:
    def cell(projection: Projection) -> str:
        return _minute(projection.back[tier])

    return Column(title=f"Back in {tier}, UTC", cell=cell, right=False, keep=5)


def _minute(at: datetime | None) -> str:
    return _NO if at is None else wording.minute(at)


_LEFT: Final[Column[Projection]] = Column(
    title="Left at reset",
    cell=lambda projection: wording.left_or_overspent(projection.left_at_reset),
    keep=MUST,
)
BACK: Final = "Back in"
"""The beginning of labels about the return of a budget to a tier."""


def when_back(forecast: SloForecast) -> Iterator[Fact]:
    """Yield when the budget is in each better tier at the earliest, and at the usual pace."""
    by_rate = {projection.rate_of: projection.back for projection in forecast.projections}
    for tier, earliest in by_rate.get(None, {}).items():
        if earliest is None:
            yield f"{BACK} {tier}", "not within one window, even if nothing more fails"
            continue
        paced = by_rate.get(PACE, {}).get(tier)
        when = "never" if paced is None else wording.instant(paced)
        pace = f"; at the rate of the last {format_duration(PACE)}: {when}" * (PACE in by_rate)
        yield (
            f"{BACK} {tier}",
            f"{wording.instant(earliest)} at the earliest, if nothing more fails{pace}",
        )
