"""The burn-down of a budget: the share left in the past, as the status reported it then."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from gate.budget.assessment import Assessment
from gate.budget.composite import assess_composite
from gate.budget.coverage import Guards
from gate.dataclass import dataclass
from gate.history.burn_down_plan import BurnDownPlan, window_start
from gate.history.past_instants import BudgetAtInstants
from gate.measure import Cause
from gate.measure.history import Series, SeriesAnswer, clock_start
from gate.slo.objective import CompositeSlo, RatioSlo, Slo

_CELLS: Final = 20
"""The cells of a burn-down in a line of text."""
_MICROSECOND: Final = timedelta(microseconds=1)
BUCKETS: Final = 150
"""The buckets of a line; each becomes at most two points."""
Line = tuple[tuple[datetime, float | None], ...]
"""Values at instants, the oldest first; None: unknown from there on."""
BudgetLine = list[tuple[datetime, Assessment | None]]
"""Budgets at instants, the oldest first; None: unknown from there on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnDown:
    """The shares of the budget that were left, cell by cell, as floats."""

    start: datetime
    """The start of the first cell."""
    step: timedelta
    """The length of a cell."""
    full: float | None
    """The share left at the start; None: unknown."""
    left: tuple[float | None, ...]
    """The share left at the end of each cell, below 0 if it was overspent; None: unknown. The last
    cell ends at the instant of the run."""
    compared: tuple[float | None, ...] | None = None
    """For a sampled SLO the bound that is compared with thresholds, cell by cell; else None."""


class BudgetHistory:
    """The past of one budget at the instants of a plan."""

    def __init__(
        self,
        plan: BurnDownPlan,
        answers: Mapping[str, SeriesAnswer],
        now: Assessment,
        *,
        guards: Guards,
    ) -> None:
        """Sum up the histories.

        Args:
            plan: the plan with the requests.
            answers: the histories by member.
            now: the budget measured at the instant of the run.
            guards: the guards of the policy; an SLO may override them.
        """
        self._plan = plan
        self._now = now
        self._pasts = {
            member.name: BudgetAtInstants(member, series, plan.requests[member.name], guards=guards)
            for member in plan.members
            if isinstance(series := answers[member.name], Series)
        }

    def at(self, instant: datetime) -> Assessment | None:
        """Return the budget at the end of a step, or of the run; None: unknown.

        It is unknown where ``gate status`` would have had no number, or an old one.
        """
        if instant == self._plan.span.end:
            return _shown(self._now)
        if len(self._pasts) < len(self._plan.members):
            return None
        parts = {name: past.at(instant) for name, past in self._pasts.items()}
        fresh = {name: part for name, part in parts.items() if part is not None and _fresh(part)}
        if len(fresh) < len(parts):
            return None
        if isinstance(self._plan.slo, CompositeSlo):
            return _shown(assess_composite(self._plan.slo, fresh))
        return _shown(fresh[self._plan.slo.name])

    def sketch(self) -> BurnDown | None:
        """Return the budget in about 20 cells; None: its past is unknown."""
        edges, length = self._edges()
        budgets = list(map(self.at, edges))
        if not any(budgets[:-1]):
            return None
        left = [share_of(budget) for budget in budgets]
        return BurnDown(
            start=edges[0],
            step=length,
            full=1.0 if self._begins(edges[0]) else left[0],
            left=tuple(left[1:]),
            compared=tuple(map(bound_of, budgets[1:])) if sampled(self._plan.slo) else None,
        )

    def line(self, buckets: int) -> BudgetLine:
        """Return the budget at the instants that show its course; the newest is the run's.

        The time is divided into stretches of equal length, with the instants at which most and
        least was consumed in each; composites have those of their members. None: unknown from there
        on.
        """
        instants = self._instants()
        places = {0, len(instants) - 1} if instants else set[int]()
        for past in self._pasts.values():
            places |= {place for place, _ in thin([past.ratio_at(at) for at in instants], buckets)}
        drawn = [*(instants[place] for place in sorted(places)), self._plan.span.end]
        return [(at, self.at(at)) for at in drawn]

    def _instants(self) -> list[datetime]:
        """Return all instants of the plan that lie between two steps, before the run."""
        plan = self._plan
        first = self._first + plan.step * self._begins(self._first)
        count = -(-(plan.span.end - first) // plan.step)
        return [first + place * plan.step for place in range(count)]

    def _edges(self) -> tuple[list[datetime], timedelta]:
        """Return the boundaries of the cells, the last one at the run, and the length of a cell."""
        span, step = self._plan.span, self._plan.step
        length = max(round(span.length / _CELLS / step), 1) * step
        count = -(-(span.end - self._first) // length)
        return [*(self._first + place * length for place in range(count)), span.end], length

    @property
    def _first(self) -> datetime:
        """Return the start of the first step that lies completely in the span."""
        return clock_start(self._plan.span.start + self._plan.step - _MICROSECOND, self._plan.step)

    def _begins(self, at: datetime) -> bool:
        """Return whether a period of a calendar window begins at an instant."""
        windows = (member.window for member in self._plan.members)
        return all(window_start(window, at) == at for window in windows)


def thin(values: Sequence[float | None], buckets: int = BUCKETS) -> list[tuple[int, float | None]]:
    """Return the lowest and highest value of each bucket with their positions, in order.

    A bucket without known values has its first position, and None. Few values are all kept.
    """
    width = -(-len(values) // buckets)
    if width <= 2:  # noqa: PLR2004 - two values are both kept
        return list(enumerate(values))
    points: list[tuple[int, float | None]] = []
    for first in range(0, len(values), width):
        places = range(first, min(first + width, len(values)))
        measured = [(value, place) for place in places if (value := values[place]) is not None]
        if not measured:
            points.append((first, None))
            continue
        ends = {min(measured)[1], max(measured)[1]}
        points += [(place, values[place]) for place in sorted(ends)]
    return points


def _fresh(budget: Assessment) -> bool:
    """Return whether the newest sample at that time was no older than the policy allows."""
    return budget.measured and all(doubt.cause is not Cause.STALE for doubt in budget.doubts)


def _shown(budget: Assessment) -> Assessment | None:
    return budget if budget.measured and budget.uncovered is None else None


def share_of(budget: Assessment | None) -> float | None:
    """Return the share left, if it is known."""
    return None if budget is None or budget.remaining is None else float(budget.remaining)


def bound_of(budget: Assessment | None) -> float | None:
    """Return the bound that was compared with thresholds, if it is known."""
    return None if budget is None or budget.compared is None else float(budget.compared)


def sampled(slo: Slo) -> bool:
    """Return whether the share left differs from the bound that is compared with thresholds."""
    return isinstance(slo, RatioSlo) and slo.sampled is not None
