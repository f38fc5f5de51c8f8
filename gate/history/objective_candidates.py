"""What an objective would have meant: whether it was met, and how much was left at each moment."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from math import ceil, floor, log10
from typing import Final

from gate.budget.ratio import budget_to_date
from gate.dataclass import dataclass
from gate.history.periods import PastPeriod, PeriodCut
from gate.measure.history import Series
from gate.slo.objective import RatioSlo, RollingWindow

MOST: Final = Fraction(95, 100)
"""The share of the periods in which an objective should be met."""
MOVES: Final = 30
"""A window is moved by this part of itself: by a day, of 30."""
_QUARTER: Final = Fraction(1, 4)
_FEWEST: Final = 3
"""Periods that say something."""
_A_STEP: Final = 2
"""Half of the budget, or twice the budget."""


class Fit(StrEnum):
    """How an objective fits what the service does."""

    STRICT = "too strict"
    """Missed in more than a quarter of the periods."""
    LOOSE = "too loose"
    """Never more than a quarter of the budget was used."""
    RIGHT = "about right"
    UNDECIDED = "too few periods to tell"


class CandidateKind(StrEnum):
    """Where a candidate comes from."""

    PRESENT = "present"
    STRICTER = "stricter"
    LAXER = "laxer"
    MET = "met in 95 %"
    SLA = "SLA"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An objective that could have been."""

    kind: CandidateKind
    objective: Fraction


def fit(slo: RatioSlo, periods: Sequence[PastPeriod]) -> Fit:
    """Return how the objective fits the periods that count."""
    consumed = [period.consumed(slo.objective) for period in periods]
    if len(consumed) < _FEWEST:
        return Fit.UNDECIDED
    if sum(share > 1 for share in consumed) > _QUARTER * len(consumed):
        return Fit.STRICT
    return Fit.LOOSE if max(consumed) <= _QUARTER else Fit.RIGHT


def met_in_most(ratios: Sequence[Fraction]) -> Fraction | None:
    """Return the strictest objective of two digits of budget that 95 % of the ratios meet.

    Of fewer than twenty that is all of them. None: there are none, or nothing was bad in so many.
    """
    worst = sorted(ratios)[ceil(MOST * len(ratios)) - 1] if ratios else Fraction(0)
    if not 0 < worst < 1:
        return None
    digit = Fraction(10) ** (floor(log10(worst)) - 1)
    budget = ceil(worst / digit) * digit
    return 1 - budget if budget < 1 else None


def candidates(slo: RatioSlo, met: Fraction | None) -> list[Candidate]:
    """Return the objectives that are held beside each other, each once: the strictest first.

    A step stricter is half of the budget, a step laxer twice the budget.
    """
    objectives = {
        CandidateKind.PRESENT: slo.objective,
        CandidateKind.SLA: slo.sla,
        CandidateKind.MET: met,
        CandidateKind.STRICTER: 1 - slo.budget / _A_STEP,
        CandidateKind.LAXER: 1 - slo.budget * _A_STEP,
    }
    by_objective: dict[Fraction, Candidate] = {}
    for kind, objective in objectives.items():
        if objective is not None and objective > 0:
            by_objective.setdefault(objective, Candidate(kind, objective))
    return [by_objective[objective] for objective in sorted(by_objective, reverse=True)]


def moved_windows(series: Series, cut: PeriodCut, min_coverage: Fraction) -> list[Fraction]:
    """Return the error ratios of windows as long as a period, moved by a part of it each time.

    They overlap, so they tell less than as many periods would. Those with too little data, or no
    traffic, are left out.
    """
    sums, width = _Sums(series), len(series.total) // len(cut.spans)
    ends = range(len(series.total), width - 1, -max(width // MOVES, 1))
    ratios = (sums.ratio(end - width, end, min_coverage) for end in ends)
    return [Fraction(ratio) for ratio in ratios if ratio is not None]


def budget_spent_by_step(
    slo: RatioSlo, series: Series, cut: PeriodCut, min_coverage: Fraction
) -> list[float | None]:
    """Return at the end of each step the share of the budget's events that was gone, times b.

    What is consumed of an objective's budget b is this by b, counted as the policy counts: over
    the window that ends there; of a calendar period so far, times the share of it that is over,
    unless the denominator is ``to-date``. None: too little is known.
    """
    return list(_spent(slo, _Sums(series), cut, min_coverage))


def _spent(
    slo: RatioSlo, sums: "_Sums", cut: PeriodCut, min_coverage: Fraction
) -> Iterator[float | None]:
    places = [cut.places(span) for span in cut.spans]
    if isinstance(slo.window, RollingWindow):
        width = places[0].stop
        for end in range(width, places[-1].stop + 1):
            yield sums.ratio(end - width, end, min_coverage)
        return
    to_date = budget_to_date(slo)
    for period in places:
        length = period.stop - period.start
        for end in range(period.start + 1, period.stop + 1):
            ratio = sums.ratio(period.start, end, min_coverage)
            over = 1.0 if to_date else (end - period.start) / length
            yield None if ratio is None else ratio * over


class _Sums:
    """What happened between any two steps."""

    def __init__(self, series: Series) -> None:
        self._total = _running(series.total)
        self._bad = _running(series.bad)
        self._measured = list(accumulate((total is not None for total in series.total), initial=0))

    def ratio(self, start: int, end: int, min_coverage: Fraction) -> float | None:
        """Return the error ratio of some steps; None: too few are known, or nothing happened."""
        measured = self._measured[end] - self._measured[start]
        total = self._total[end] - self._total[start]
        if measured < min_coverage * (end - start) or total <= 0:
            return None
        return (self._bad[end] - self._bad[start]) / total


def _running(values: Sequence[float | None]) -> list[float]:
    return list(accumulate((value or 0.0 for value in values), initial=0.0))
