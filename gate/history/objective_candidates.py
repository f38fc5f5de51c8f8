"""What an objective would have meant: whether it was met, and how much was left at each moment."""

from collections.abc import Iterator, Sequence
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from math import ceil, comb, floor, log10
from typing import Final

from gate.budget.ratio import budget_to_date
from gate.dataclass import dataclass
from gate.history.periods import PastPeriod, PeriodCut
from gate.measure.history import Series
from gate.slo.objective import RatioSlo, RollingWindow

MOST: Final = Fraction(95, 100)
"""The share of the periods in which an objective should be met."""
FEWEST: Final = 20
"""Periods of which 95% are not all."""
_QUARTER: Final = Fraction(1, 4)
_FEWEST: Final = 3
"""Periods that say something."""
_LEVEL: Final = Fraction(1, 20)
"""How likely this many misses may be of an objective that is missed in a quarter of all periods, to
call it too strict."""
_HAIR: Final = 1e-9
"""The tolerance for a budget: what floats get wrong is not a miss."""
_A_STEP: Final = 2
"""Half of the budget, or twice the budget."""


class Fit(StrEnum):
    """How an objective fits what the service does."""

    STRICT = "too strict"
    """Missed in more periods than an objective would be that is missed in a quarter of them."""
    LOOSE = "too loose"
    """No period, and no window moved through them, used more than a quarter of the budget."""
    RIGHT = "about right"
    UNDECIDED = "not enough periods"


class CandidateKind(StrEnum):
    """Where a candidate comes from."""

    PRESENT = "present"
    STRICTER = "stricter"
    LAXER = "laxer"
    MET = "met in most"
    SLA = "SLA"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An objective that could have been."""

    kind: CandidateKind
    objective: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedWindows:
    """Windows as long as a period, moved through the time by a step each time.

    They overlap, so they tell less than as many periods would. Those with too little data, or no
    traffic, are left out.
    """

    ratios: tuple[float, ...]
    """The error ratio of each, the oldest first."""
    ends: tuple[int, ...]
    """The steps before the end of each."""

    def missed(self, objective: Fraction) -> Fraction:
        """Return the share of them that missed an objective, 0 to 1; there is one at least."""
        most = float(1 - objective) * (1 + _HAIR)
        return Fraction(sum(ratio > most for ratio in self.ratios), len(self.ratios))

    @property
    def worst(self) -> float:
        """The highest error ratio; there is one at least."""
        return max(self.ratios)

    @property
    def worst_end(self) -> int:
        """The steps before the end of the first window with it."""
        return self.ends[self.ratios.index(self.worst)]


def fit(slo: RatioSlo, periods: Sequence[PastPeriod], moved: MovedWindows) -> Fit:
    """Return how the objective fits the periods that count, and the windows moved through them."""
    consumed = [period.consumed(slo.objective) for period in periods]
    if len(consumed) < _FEWEST:
        return Fit.UNDECIDED
    missed = sum(share > 1 for share in consumed)
    if missed > _QUARTER * len(consumed):
        return Fit.STRICT if _chance_of(missed, len(consumed)) <= _LEVEL else Fit.UNDECIDED
    most = max([*map(float, consumed), *(ratio / float(slo.budget) for ratio in moved.ratios)])
    return Fit.LOOSE if most <= _QUARTER * (1 + _HAIR) else Fit.RIGHT


def _chance_of(missed: int, count: int) -> Fraction:
    """Return how likely at least this many misses are where a quarter is missed in the long run."""
    return sum(
        (
            comb(count, misses) * _QUARTER**misses * (1 - _QUARTER) ** (count - misses)
            for misses in range(missed, count + 1)
        ),
        Fraction(0),
    )


def met_count(count: int) -> int:
    """Return how many of this many periods `met_in_most` wants to be met: 95% of them."""
    return ceil(MOST * count)


def expected_share(count: int) -> Fraction:
    """Return which share of the periods to come will meet what `met_in_most` returns.

    The next of n + 1 periods that are alike is as likely to have any rank among them, so that it
    is not worse than the k-th best of n with probability k / (n + 1). Source: S. S. Wilks,
    "Determination of sample sizes for setting tolerance limits", Annals of Mathematical Statistics
    12 (1941), 91-96.
    """
    return Fraction(met_count(count), count + 1)


def met_in_most(ratios: Sequence[Fraction]) -> Fraction | None:
    """Return the strictest objective of two digits of budget that 95% of the ratios meet.

    Of fewer than twenty that is all of them. None: there are none, or nothing was bad in this many.
    """
    worst = sorted(ratios)[met_count(len(ratios)) - 1] if ratios else Fraction(0)
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


def moved_windows(
    series: Series, cut: PeriodCut, min_coverage: Fraction, *, granted: float | None = None
) -> MovedWindows:
    """Return windows as long as a period, in the mean, moved through a cut by a step each time.

    Args:
        series: what happened in the whole of the cut.
        cut: the periods.
        min_coverage: how much of a window must be known.
        granted: the total of any window, such as an allowance; None: the events that it has.
    """
    sums, width = _Sums(series), len(series.total) // len(cut.spans)
    ratios = {
        end: ratio
        for end in range(width, len(series.total) + 1)
        if (ratio := sums.ratio(end - width, end, min_coverage, granted)) is not None
    }
    return MovedWindows(ratios=tuple(ratios.values()), ends=tuple(ratios))


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

    def ratio(
        self, start: int, end: int, min_coverage: Fraction, granted: float | None = None
    ) -> float | None:
        """Return the error ratio of some steps; None: too few are known, or nothing happened."""
        measured = self._measured[end] - self._measured[start]
        total = granted or self._total[end] - self._total[start]
        if measured < min_coverage * (end - start) or total <= 0:
            return None
        return (self._bad[end] - self._bad[start]) / total


def _running(values: Sequence[float | None]) -> list[float]:
    return list(accumulate((value or 0.0 for value in values), initial=0.0))
