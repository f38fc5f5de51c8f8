"""How often control charts of timeslices raise a false alarm: by simulation.

python -m benchmarks.slices [RUNS]

Each run draws a fortnight of slices, bad or good, of which the first week is the baseline, and
charts it as ``gate anomalies`` does by default, from the counts of each hour on. Bad slices come in
runs: each is bad or good by the one before it, as a gauge is down or a load too high for a while.
docs/anomalies.md quotes what this prints.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import inf, isinf
from statistics import fmean, median
from typing import Final

import numpy as np

from gate.history.charts.build import Charting, charts
from gate.history.charts.chart import Chart, ChartResult
from gate.history.charts.signals import DEFAULT, RULES, FalseAlarms
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import Span

HOUR: Final = timedelta(hours=1)
WEEK: Final = 7 * 24
START: Final = datetime(2026, 10, 5, tzinfo=UTC)
SHIFTED: Final = WEEK + 24
"""The hour from which more are bad, where more are."""
FEWEST: Final = 0.2
"""The share of the weeks of a kind that must be charted to count it: of fewer little is known."""
ALL: Final = 1.0
"""The budget by which no slice is one too many, so that nothing is an incident."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """Slices in control."""

    minutes: int
    """The length of a slice."""
    share: float
    """Of the slices that are bad."""
    run: int = 0
    """The mean length of a run of bad slices, in minutes; 0: they are independent."""
    rhythm: float = 0.0
    """By which share of itself the share swings by the time of day."""

    def __str__(self) -> str:
        """Name it as a row of the table does."""
        runs = f"in runs of {self.run} minutes" if self.run else "independent"
        swings = f", +/- {self.rhythm:.0%} by day" if self.rhythm else ""
        return f"{self.minutes}m slices, {self.share:.1%} bad, {runs}{swings}"


KINDS: Final = [
    Kind(minutes=minutes, share=share, run=run, rhythm=rhythm)
    for minutes in (1, 5)
    for share in (0.001, 0.01, 0.05, 0.2)
    for run, rhythm in ((0, 0.0), (0, 0.8), (15, 0.0), (15, 0.8), (45, 0.0))
]


def fortnight(kind: Kind, number: int, times: float = 1.0) -> tuple[float, ...]:
    """Return how many slices of each hour are bad: a Markov chain of two states, slice by slice.

    From a day after the baseline on so many times as many are bad, in as many times as many runs.
    """
    rng, each = np.random.default_rng([11, number]), 60 // kind.minutes
    hours = np.arange(2 * WEEK * each) / each
    shares = kind.share * (1 + kind.rhythm * np.cos(2 * np.pi * (hours - 14) / 24))
    shares = shares * np.where(hours >= SHIFTED, times, 1.0)
    chance = rng.uniform(size=len(hours))
    if not kind.run:
        bad = chance < shares
    else:
        ends = kind.minutes / kind.run
        begins = ends * shares / (1 - shares)
        bad, state = np.zeros(len(hours), bool), bool(rng.uniform() < shares[0])
        for place, drawn in enumerate(chance):
            state = bool(drawn >= ends) if state else bool(drawn < begins[place])
            bad[place] = state
    return tuple(map(float, bad.reshape(-1, each).sum(axis=1)))


def chart(kind: Kind, bad: tuple[float, ...], rules: str, budget: float = ALL) -> ChartResult:
    """Draw a fortnight, if it can be."""
    total = (60.0 / kind.minutes,) * len(bad)
    slices = Slices(length=timedelta(minutes=kind.minutes), target=Fraction(1, 2))
    span = Span(START, START + len(bad) * HOUR)
    request = SeriesRequest(sli=Sli(), span=span, step=HOUR, slices=slices)
    charting = Charting(baseline=WEEK * HOUR, rules=rules)
    (drawn,) = charts(
        Series(total=total, bad=bad, query=""), request, budget=budget, charting=charting
    )
    return drawn


def alarming_weeks(kind: Kind, rules: str, runs: int) -> list[bool]:
    """Return of each week in control that could be charted whether it had an alarm."""
    drawn = (chart(kind, fortnight(kind, number), rules) for number in range(runs))
    return [bool(each.worse) for each in drawn if isinstance(each, Chart)]


def delay(kind: Kind, runs: int) -> str:
    """Say after how many hours it is seen that twice as many are bad, and how often it is not."""
    hours, begun = list[float](), START + SHIFTED * HOUR
    for number in range(runs):
        drawn = chart(kind, fortnight(kind, number, 2.0), DEFAULT)
        if isinstance(drawn, Chart):
            ends = [one.point.sample.end for one in drawn.watched if one.worse]
            hours.append(min(((end - begun) / HOUR for end in ends if end > begun), default=inf))
    if len(hours) < FEWEST * runs:
        return ""
    never = fmean(map(isinf, hours))
    middle = median(hours)
    return f"{'—' if isinf(middle) else f'{middle:.0f}'}" + f" ({never:.0%} never)" * (never > 0)


def counted(weeks: dict[Kind, list[bool]], runs: int) -> Iterator[float]:
    """Yield the share of weeks with an alarm of each kind of which enough are charted."""
    for alarms in weeks.values():
        if len(alarms) >= FEWEST * runs:
            yield fmean(alarms)


def summary(weeks: dict[Kind, list[bool]], runs: int) -> FalseAlarms:
    """Return what the product's table has for a set of rules."""
    shares = list(counted(weeks, runs))
    return FalseAlarms(every=round(100 * fmean(shares)), most=round(100 * max(shares)))


def main() -> None:
    """Print the table in Markdown, and the figures that the report prints."""
    runs = int(sys.argv[1]) if sys.argv[1:] else 300
    found: dict[str, dict[Kind, list[bool]]] = {rules: {} for rules in RULES}
    print(f"| In control | charted | {' | '.join(RULES)} | twice as many seen after hours |")
    print(f"|:---|---:|{'---:|' * (len(RULES) + 1)}")
    for kind in KINDS:
        for rules, weeks in found.items():
            weeks[kind] = alarming_weeks(kind, rules, runs)
        cells = [f"{fmean(weeks[kind]):.0%}" if weeks[kind] else "" for weeks in found.values()]
        charted = len(found[DEFAULT][kind]) / runs
        cells.append(delay(kind, max(runs // 4, 1)))
        print(f"| {kind} | {charted:.0%} | {' | '.join(cells)} |", flush=True)
    for rules, weeks in found.items():
        print(f"{rules}: {summary(weeks, runs)}")


if __name__ == "__main__":
    main()
