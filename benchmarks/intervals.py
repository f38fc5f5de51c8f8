"""How often the interval of ``gate forecast`` holds what comes: python -m benchmarks.intervals.

Histories of services are made up (`benchmarks.services`), hour by hour, with what comes after
them; the interval is drawn from the history alone. Nominally 90% of what comes lies within. What
is measured here stands in docs/forecast.md and in `gate.history.calendar_forecast.HELD`, from which
the report takes it.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from statistics import fmean, median
from typing import Final

from benchmarks.services import DAY, MONTH, SERVICES, WORDS, Past, draw
from gate.history.calendar_forecast import Expected, Held, StepEvents, expected
from gate.measure.history import Series
from gate.slo.calendar import Period
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow, RatioSlo

HOUR: Final = timedelta(hours=1)
RESET: Final = datetime(2026, 12, 1, tzinfo=UTC)
SLO: Final = RatioSlo(
    name="made-up",
    objective=Fraction(999, 1000),
    sli=Sli(),
    window=CalendarWindow(Period.MONTH, UTC),
)
HISTORIES: Final = (60, 90, 180)
"""Days."""
AHEAD: Final = (3, 10, 20)
"""Days to the reset."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What was expected of a month, and what came."""

    expected: Expected
    left: float

    @property
    def held(self) -> bool:
        """Whether the interval held what came."""
        return self.expected.low <= self.left <= self.expected.high

    @property
    def worse(self) -> bool:
        """Whether less was left than the interval had room for: the dangerous side."""
        return self.left < self.expected.low


def trials(service: str, *, days: int, ahead: int, count: int) -> list[Trial]:
    """Return so many months of a service with so many days of history and to come."""
    return [_trial(service, days, ahead, number) for number in range(count)]


def _trial(service: str, days: int, ahead: int, number: int) -> Trial:
    whole = draw(service, (days + ahead) * DAY, days, ahead, number)
    past, coming = whole.between(0, days * DAY), whole.between(days * DAY, len(whole.total))
    gone = MONTH - ahead * DAY
    so_far = past.between(len(past.total) - gone, len(past.total))
    series = Series(total=tuple(past.total), bad=tuple(past.bad), query="")
    at = RESET - ahead * DAY * HOUR
    drawn = expected(SLO, _sum(so_far), series, HOUR, at)
    bad, total = so_far.bad.sum() + coming.bad.sum(), so_far.total.sum() + coming.total.sum()
    return Trial(drawn, float(1 - bad / (float(SLO.budget) * total)))


def _sum(past: Past) -> StepEvents:
    return StepEvents(total=float(past.total.sum()), bad=float(past.bad.sum()))


def _cell(done: Sequence[Trial]) -> str:
    width = median(trial.expected.high - trial.expected.low for trial in done)
    held, worse = (
        100 * fmean(getattr(trial, name) for trial in done) for name in ("held", "worse")
    )
    return f"{held:.0f}%, {worse:.0f}% ({width:.2f})"


def summary(cells: Sequence[Sequence[Trial]]) -> Held:
    """Return what the product's table has for one length of history, from each service and time."""
    done = [trial for cell in cells for trial in cell]
    return Held(
        within=round(100 * fmean(trial.held for trial in done)),
        worse=round(100 * fmean(trial.worse for trial in done)),
        least=round(100 * min(fmean(trial.held for trial in cell) for cell in cells)),
    )


def main() -> None:
    """Print the tables of docs/forecast.md."""
    count = int(sys.argv[1]) if sys.argv[1:] else 200
    every: dict[int, list[list[Trial]]] = {days: [] for days in HISTORIES}
    print("| Service | History | 3 days ahead | 10 days | 20 days |")
    for service in SERVICES:
        for days in HISTORIES:
            row = []
            for ahead in AHEAD:
                done = trials(service, days=days, ahead=ahead, count=count)
                every[days].append(done)
                row.append(_cell(done))
            print(f"| {WORDS[service]} | {days} days | {' | '.join(row)} |", flush=True)
    for days, cells in every.items():
        print(f"{days} days: {summary(cells)}")
    print("| It lasts in | of the months so told lasted |")
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 0.9), (0.9, 0.95), (0.95, 1.01)):
        some = [
            trial
            for cells in every.values()
            for done in cells
            for trial in done
            if low <= trial.expected.lasting_futures < high
        ]
        share = 100 * fmean(trial.left > 0 for trial in some) if some else float("nan")
        print(f"| {low:.0%} to {high:.0%} | {share:.0f}% of {len(some)} |")


if __name__ == "__main__":
    main()
