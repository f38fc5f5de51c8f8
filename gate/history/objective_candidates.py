"""The past of an objective: whether it was met, and how much was left at each moment."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from math import ceil, comb, floor, log10
from typing import Final

from gate.budget.ratio import budget_to_date, slices_in
from gate.dataclass import dataclass
from gate.history.periods import PastPeriod, PeriodCut
from gate.measure.history import Series
from gate.slo.objective import RatioSlo, RollingWindow, SpendSlo

MOST: Final = Fraction(95, 100)
"""The share of the periods in which an objective should be met."""
FEWEST: Final = 20
"""The fewest periods for which 95% are not all of them."""
_QUARTER: Final = Fraction(1, 4)
_FEWEST: Final = 3
"""The fewest periods for a conclusion."""
_LEVEL: Final = Fraction(1, 20)
"""The significance level: an objective is too strict if this many misses are less likely than this
for an objective that is missed in a quarter of all periods."""
_HAIR: Final = 1e-9
"""The tolerance for a budget: an error of floats is not a miss."""
_A_STEP: Final = 2
"""The factor of a step: half of the budget, or twice the budget."""


class Fit(StrEnum):
    """How an objective fits the service."""

    STRICT = "too strict"
    """It was missed significantly more often than in a quarter of the periods."""
    LOOSE = "too loose"
    """No period, and no sliding window, used more than a quarter of the budget."""
    RIGHT = "about right"
    UNDECIDED = "not enough periods"


class CandidateKind(StrEnum):
    """The origin of a candidate."""

    PRESENT = "present"
    STRICTER = "stricter"
    LAXER = "laxer"
    MET = "met in most"
    SLA = "SLA"


@dataclass(frozen=True, slots=True)
class Candidate:
    """An objective to compare with the policy's."""

    kind: CandidateKind
    objective: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedWindows:
    """Windows as long as a period, each a step later than the one before it.

    They overlap, so they are weaker evidence than the same number of periods. Windows with too
    little data, or without traffic, are left out.
    """

    ratios: tuple[float, ...]
    """The error ratios, the oldest first."""
    ends: tuple[int, ...]
    """The number of steps before the end of each."""

    def missed(self, objective: Fraction) -> Fraction:
        """Return the share of the windows, at least one, that missed an objective, 0 to 1."""
        most = float(1 - objective) * (1 + _HAIR)
        return Fraction(sum(ratio > most for ratio in self.ratios), len(self.ratios))

    @property
    def worst(self) -> float:
        """The highest error ratio of the windows, at least one."""
        return max(self.ratios)

    @property
    def worst_end(self) -> int:
        """The number of steps before the end of the first window with this ratio."""
        return self.ends[self.ratios.index(self.worst)]


def fit(slo: RatioSlo, periods: Sequence[PastPeriod], moved: MovedWindows) -> Fit:
    """Return how the objective fits the counted periods, and their sliding windows."""
    consumed = [period.consumed(slo.objective) for period in periods]
    if len(consumed) < _FEWEST:
        return Fit.UNDECIDED
    missed = sum(share > 1 for share in consumed)
    if missed > _QUARTER * len(consumed):
        return Fit.STRICT if _chance_of(missed, len(consumed)) <= _LEVEL else Fit.UNDECIDED
    most = max([*map(float, consumed), *(ratio / float(slo.budget) for ratio in moved.ratios)])
    return Fit.LOOSE if most <= _QUARTER * (1 + _HAIR) else Fit.RIGHT


def _chance_of(missed: int, count: int) -> Fraction:
    """Return the probability of at least this many misses if a quarter is missed on average."""
    return sum(
        (
            comb(count, misses) * _QUARTER**misses * (1 - _QUARTER) ** (count - misses)
            for misses in range(missed, count + 1)
        ),
        Fraction(0),
    )


def met_count(count: int) -> int:
    """Return how many of this many periods must be met for `met_in_most`: 95% of them."""
    return ceil(MOST * count)


def expected_share(count: int) -> Fraction:
    """Return the expected share of future periods that meet the result of `met_in_most`.

    The next of n + 1 exchangeable periods has every rank among them with the same probability, so
    it is not worse than the k-th best of n with probability k / (n + 1). Source: S. S. Wilks,
    "Determination of sample sizes for setting tolerance limits", Annals of Mathematical Statistics
    12 (1941), 91-96.
    """
    return Fraction(met_count(count), count + 1)


def met_in_most(ratios: Sequence[Fraction]) -> Fraction | None:
    """Return the strictest objective, with two digits of budget, that 95% of the ratios meet.

    With fewer than twenty ratios all of them must meet it. None: no ratios, or all of them
    are 0.
    """
    worst = sorted(ratios)[met_count(len(ratios)) - 1] if ratios else Fraction(0)
    if not 0 < worst < 1:
        return None
    digit = Fraction(10) ** (floor(log10(worst)) - 1)
    budget = ceil(worst / digit) * digit
    return 1 - budget if budget < 1 else None


def candidates(slo: RatioSlo, met: Fraction | None) -> list[Candidate]:
    """Return the distinct objectives to compare, the strictest first.

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
    slo: RatioSlo | SpendSlo, series: Series, cut: PeriodCut, min_coverage: Fraction
) -> MovedWindows:
    """Return sliding windows of the mean length of a period, each a step later.

    Args:
        slo: the SLO whose budget each window has.
        series: the events in the whole cut.
        cut: the periods.
        min_coverage: the share of a window that must be known.
    """
    sums, width = _Sums(series), len(series.total) // len(cut.spans)
    granted = _granted(slo, width * cut.step)
    ratios = {
        end: ratio
        for end in range(width, len(series.total) + 1)
        if (ratio := sums.ratio(end - width, end, min_coverage, granted)) is not None
    }
    return MovedWindows(ratios=tuple(ratios.values()), ends=tuple(ratios))


def budget_spent_by_step(
    slo: RatioSlo, series: Series, cut: PeriodCut, min_coverage: Fraction
) -> list[float | None]:
    """Return the consumed share of an objective's budget b at the end of each step, times b.

    The share for a budget b is this divided by b, counted as the policy counts: over the window
    that ends there; for a calendar period over the period so far, times the elapsed share of it,
    unless the denominator is ``to-date``. Of slices it is the share of all of the window or the
    period that are bad. None: too little is known.
    """
    return list(_spent(slo, _Sums(series), cut, min_coverage))


def _spent(
    slo: RatioSlo, sums: "_Sums", cut: PeriodCut, min_coverage: Fraction
) -> Iterator[float | None]:
    places = [cut.places(span) for span in cut.spans]
    if isinstance(slo.window, RollingWindow):
        width = places[0].stop
        granted = _granted(slo, width * cut.step)
        for end in range(width, places[-1].stop + 1):
            yield sums.ratio(end - width, end, min_coverage, granted)
        return
    to_date = budget_to_date(slo)
    for period in places:
        length = period.stop - period.start
        granted = _granted(slo, length * cut.step)
        for end in range(period.start + 1, period.stop + 1):
            ratio = sums.ratio(period.start, end, min_coverage, granted)
            over = 1.0 if to_date or granted else (end - period.start) / length
            yield None if ratio is None else ratio * over


def _granted(slo: RatioSlo | SpendSlo, window: timedelta) -> float | None:
    """Return the total of any window of a length, known or not; None: the events that it has.

    An allowance is the same for each; slices without data are in the total, and are not bad.
    """
    if isinstance(slo, SpendSlo):
        return float(slo.allowance)
    return None if slo.slices is None else float(slices_in(window, slo.slices.length))


class _Sums:
    """The events between any two steps."""

    def __init__(self, series: Series) -> None:
        self._total = _running(series.total)
        self._bad = _running(series.bad)
        self._measured = list(accumulate((total is not None for total in series.total), initial=0))

    def ratio(
        self, start: int, end: int, min_coverage: Fraction, granted: float | None
    ) -> float | None:
        """Return the error ratio of some steps; None: too few are known, or no events."""
        measured = self._measured[end] - self._measured[start]
        total = granted or self._total[end] - self._total[start]
        if measured < min_coverage * (end - start) or total <= 0:
            return None
        return (self._bad[end] - self._bad[start]) / total


def _running(values: Sequence[float | None]) -> list[float]:
    return list(accumulate((value or 0.0 for value in values), initial=0.0))
