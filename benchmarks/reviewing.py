"""How often ``gate review`` is right of services that are made up: python -m benchmarks.reviewing.

Each service has months back to back, and one more that comes. It is measured how often that month
meets what most of the months before met, and what becomes of objectives that are called too strict
or too loose. docs/review.md quotes what this prints.
"""

import sys
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from statistics import fmean
from typing import Final

from benchmarks.services import MONTH, SERVICES, Past, draw
from gate.history.objective_candidates import (
    Fit,
    expected_share,
    fit,
    met_in_most,
    moved_windows,
)
from gate.history.periods import PastPeriod, PeriodCut
from gate.measure.history import Series
from gate.slo.indicator import Sli
from gate.slo.objective import RatioSlo, RollingWindow, Span

HOUR: Final = timedelta(hours=1)
START: Final = datetime(2026, 1, 5, tzinfo=UTC)
OBJECTIVES: Final = ("0.99", "0.998", "0.999", "0.9995", "0.9998")
"""From one that hardly any service misses to one that most miss each month."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said of an objective, and the ratio of the month that came."""

    slo: RatioSlo
    fit: Fit
    met: Fraction | None
    coming: Fraction

    def coming_share(self) -> float:
        """Return the share of the budget that the month took."""
        return float(self.coming / self.slo.budget)


def judged(service: str, periods: int, number: int) -> list[Judged]:
    """Return what is said of each objective by so many months of a service."""
    whole = draw(service, (periods + 1) * MONTH, 13, periods, number)
    past, coming = whole.between(0, periods * MONTH), whole.between(periods * MONTH, None)
    bounds = tuple(START + place * MONTH * HOUR for place in range(periods + 1))
    cut = PeriodCut(bounds=bounds, step=HOUR)
    months = [_period(past, place) for place in range(periods)]
    series = Series(total=tuple(past.total), bad=tuple(past.bad), query="")
    slos = [
        RatioSlo(name="a", objective=Fraction(text), sli=Sli(), window=RollingWindow(MONTH * HOUR))
        for text in OBJECTIVES
    ]
    moved = moved_windows(slos[0], series, cut, Fraction(9, 10))
    met = met_in_most([month.error_ratio for month in months])
    ratio = Fraction(coming.bad.sum()) / Fraction(coming.total.sum())
    return [Judged(slo, fit(slo, months, moved), met, ratio) for slo in slos]


def _period(past: Past, place: int) -> PastPeriod:
    month = past.between(place * MONTH, (place + 1) * MONTH)
    start = START + place * MONTH * HOUR
    return PastPeriod(
        span=Span(start, start + MONTH * HOUR),
        total=Fraction(month.total.sum()),
        bad=Fraction(month.bad.sum()),
        coverage=Fraction(1),
        doubt=None,
    )


def main() -> None:
    """Print the figures of docs/review.md."""
    runs = int(sys.argv[1]) if sys.argv[1:] else 60
    for periods in (3, 6):
        said = defaultdict[Fit, list[Judged]](list)
        held = []
        for service in SERVICES:
            for number in range(runs):
                several = judged(service, periods, number)
                held += [one.coming <= 1 - one.met for one in several[:1] if one.met is not None]
                for one in several:
                    said[one.fit].append(one)
        print(f"{periods} months: what all met is met next in {fmean(held):.0%},", end=" ")
        print(f"expected {float(expected_share(periods)):.0%}")
        for verdict, several in said.items():
            missed = fmean(one.coming_share() > 1 for one in several)
            half = fmean(one.coming_share() > 1 / 2 for one in several)
            print(f"  {verdict}: {len(several)}, missed next {missed:.0%}, half used {half:.0%}")


if __name__ == "__main__":
    main()
