"""How often control charts raise a false alarm, and how soon they see a shift: by simulation.

python -m benchmarks.anomalies [RUNS]

Each run draws a fortnight of hours, of which the first week is the baseline, as ``gate anomalies``
does by default. docs/anomalies.md quotes what this prints.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean, median

import numpy as np

from benchmarks.services import SERVICES
from benchmarks.services import draw as drawn_service
from gate.history.charts import StepCounts
from gate.history.charts.build import BaselineSettings, build_chart
from gate.history.charts.chart import Chart, ChartKind, ChartResult
from gate.history.charts.signals import RULES, FalseAlarms
from gate.measure.history import SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span

WEEK = 7 * 24
START = datetime(2026, 10, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAILY = np.cos(2 * np.pi * (np.arange(2 * WEEK) - 14) / 24)
SHIFTS = (0.5, 1.0, 2.0)
SHIFTED = WEEK + 24
"""A day after the baseline."""

Rng = np.random.Generator
Draw = Callable[[Rng, float], list[StepCounts | None]]
"""Draws a fortnight, shifted by so many sigmas of a point from `SHIFTED` on."""


@dataclass(frozen=True)
class Process:
    """Something in control."""

    name: str
    kind: ChartKind
    draw: Draw


def ratio(
    ratio_: float, events: float, varies: float = 0.0, traffic: float = 0.0, rhythm: float = 0.0
) -> Draw:
    """Return a process of failures.

    Args:
        ratio_: that fails in the mean.
        events: an hour, in the mean.
        varies: by which share of itself the ratio varies from hour to hour, like a gamma
            distribution.
        traffic: by which share of itself the traffic swings by the time of day.
        rhythm: the same of the ratio.
    """

    def fortnight(rng: Rng, shift: float) -> list[StepCounts | None]:
        count = np.maximum(np.round(events * (1 + traffic * DAILY)), 1)
        fails = ratio_ * (1 + rhythm * DAILY)
        if varies:
            fails = fails * rng.gamma(1 / varies**2, varies**2, 2 * WEEK)
        sigma = np.sqrt(ratio_ * (1 - ratio_) / count + (varies * ratio_) ** 2)
        after = np.arange(2 * WEEK) >= SHIFTED
        fails = np.clip(fails + shift * sigma * after, 0, 1)
        bad = rng.binomial(count.astype(int), fails)
        return [(float(b), float(n)) for b, n in zip(bad, count, strict=True)]

    return fortnight


def mean(alike: float = 0.0, tail: float = 0.0, rhythm: float = 0.0, traffic: float = 0.0) -> Draw:
    """Return a process of means about 1, with a sigma of 0.1.

    Args:
        alike: the correlation of neighbours.
        tail: given: log-normal, with this sigma instead.
        rhythm: by which share they swing by the time of day.
        traffic: the same of the events; given: sigma is 0.1 for 1,000 events, and for n of them
            by the root of 1,000 / n as large.
    """

    def fortnight(rng: Rng, shift: float) -> list[StepCounts | None]:
        noise = rng.normal(size=2 * WEEK + 100)
        for place in range(1, len(noise)):
            noise[place] = alike * noise[place - 1] + math.sqrt(1 - alike**2) * noise[place]
        noise, sigma = noise[100:], tail or 0.1
        events = 1000 * (1 + traffic * DAILY)
        sigmas = sigma / np.sqrt(events / 1000)
        values = np.exp(sigma * noise) if tail else 1 + sigmas * noise
        values = values + rhythm * DAILY + shift * sigmas * (np.arange(2 * WEEK) >= SHIFTED)
        return [(float(v * n), float(n)) for v, n in zip(values, events, strict=True)]

    return fortnight


def service(name: str, events: float) -> Draw:
    """Return a made-up service (`benchmarks.services`), whose ratio is not drawn anew each hour."""

    def fortnight(rng: Rng, shift: float) -> list[StepCounts | None]:
        past = drawn_service(name, 2 * WEEK, int(rng.integers(2**31)), events=events)
        sigma = (past.bad / past.total).std()
        after = np.arange(2 * WEEK) >= SHIFTED
        bad = np.minimum(past.bad + rng.poisson(shift * sigma * after * past.total), past.total)
        return [(float(b), float(n)) for b, n in zip(bad, past.total, strict=True)]

    return fortnight


PROCESSES = (
    Process("ratio, 100 bad an hour", ChartKind.RATIO, ratio(0.001, 100_000)),
    Process("ratio, 10 bad an hour", ChartKind.RATIO, ratio(0.001, 10_000)),
    Process("ratio, 2 bad an hour", ChartKind.RATIO, ratio(0.001, 2_000)),
    Process("ratio, 1 bad in 2 hours", ChartKind.RATIO, ratio(0.001, 500)),
    Process("ratio, 10 bad, traffic +/- 90% by day", ChartKind.RATIO, ratio(0.001, 10_000, 0, 0.9)),
    Process("ratio that varies by 20%, 1,000 bad", ChartKind.RATIO, ratio(0.001, 10**6, 0.2)),
    Process("the same, traffic +/- 90% by day", ChartKind.RATIO, ratio(0.001, 10**6, 0.2, 0.9)),
    Process("ratio that varies by 50%, 1,000 bad", ChartKind.RATIO, ratio(0.001, 10**6, 0.5)),
    Process("ratio +/- 50% by day, 100 bad", ChartKind.RATIO, ratio(0.001, 10**5, 0, 0.5, 0.5)),
    Process(
        "ratio worse by day, twice so on working days", ChartKind.RATIO, service("weekly", 5e4)
    ),
    Process("the same, hours alike for half a day", ChartKind.RATIO, service("alike", 5e4)),
    Process("ratio that drifts within weeks", ChartKind.RATIO, service("drifting", 5e4)),
    Process("mean, normal", ChartKind.MEAN, mean()),
    Process("mean, traffic +/- 80% by day", ChartKind.MEAN, mean(traffic=0.8)),
    Process("mean, log-normal by 10%", ChartKind.MEAN, mean(tail=0.1)),
    Process("mean, log-normal by 30%", ChartKind.MEAN, mean(tail=0.3)),
    Process("mean, neighbours alike by 0.3", ChartKind.MEAN, mean(0.3)),
    Process("mean, neighbours alike by 0.6", ChartKind.MEAN, mean(0.6)),
    Process("mean, neighbours alike by 0.9", ChartKind.MEAN, mean(0.9)),
    Process("mean +/- 30% by day", ChartKind.MEAN, mean(rhythm=0.3)),
)


def chart(process: Process, counts: Sequence[StepCounts | None], rules: str) -> Chart:
    """Draw a fortnight."""
    drawn = draw_chart(process.kind, counts, rules)
    assert isinstance(drawn, Chart), drawn
    return drawn


def draw_chart(kind: ChartKind, counts: Sequence[StepCounts | None], rules: str) -> ChartResult:
    """Draw a fortnight, if it can be."""
    request = SeriesRequest(sli=Sli(), span=Span(START, START + 2 * WEEK * HOUR), step=HOUR)
    baseline = BaselineSettings(until=START + WEEK * HOUR, incidents=(), records=())
    return build_chart(kind, counts, request, baseline, RULES[rules])


def plain(counts: Sequence[StepCounts | None]) -> float:
    """Return the share of points above the limit of a plain p chart."""
    known = [one for one in counts if one is not None]
    base, after = known[:WEEK], known[WEEK:]
    centre = sum(bad for bad, _ in base) / sum(of for _, of in base)
    above = [bad / of > centre + 3 * math.sqrt(centre * (1 - centre) / of) for bad, of in after]
    return fmean(above)


def plain_mean(counts: Sequence[StepCounts | None]) -> float:
    """Return the share of points above the limit of a plain individuals chart."""
    values = [one[0] / one[1] for one in counts if one is not None]
    base = values[:WEEK]
    limit = fmean(base) + 2.66 * fmean(abs(after - before) for before, after in pairwise(base))
    return fmean(value > limit for value in values[WEEK:])


def false_alarms(process: Process, runs: int) -> str:
    """Return a row: alarms a week by plain limits, and by each set of rules with weeks of any."""
    fortnights = [process.draw(np.random.default_rng([7, run]), 0.0) for run in range(runs)]
    simple = plain if process.kind is ChartKind.RATIO else plain_mean
    cells = [f"{WEEK * fmean(map(simple, fortnights)):.2f}"]
    for rules in RULES:
        alarms = [len(chart(process, counts, rules).worse) for counts in fortnights]
        cells.append(f"{fmean(alarms):.2f} ({100 * fmean(map(bool, alarms)):.0f}%)")
    return f"| {process.name} | {' | '.join(cells)} |"


def delays(process: Process, runs: int) -> str:
    """Return a row: for each shift the median hours until it is seen, and how often it is not."""
    cells = []
    for rules in RULES:
        for shift in SHIFTS:
            hours = []
            for run in range(runs):
                drawn = chart(process, process.draw(np.random.default_rng([8, run]), shift), rules)
                begun = START + SHIFTED * HOUR
                ends = [
                    one.point.sample.end
                    for one in drawn.watched
                    if one.worse and one.point.sample.end > begun
                ]
                hours.append((ends[0] - begun) / HOUR if ends else math.inf)
            missed = fmean(math.isinf(one) for one in hours)
            cells.append(f"{median(hours):.0f}" + (f" ({100 * missed:.0f}% not)" * (missed > 0)))
    return f"| {process.name} | {' | '.join(cells)} |"


IN_CONTROL = ("steady", "weekly", "alike", "drifting")
"""Services in which nothing happens; the others of `SERVICES` have incidents and bad releases."""


def alarming_weeks(rules: str, runs: int) -> dict[str, list[bool]]:
    """Return by service, for each week in control that could be charted, whether it had an alarm.

    As `gate anomalies` charts by default: hours, and a week of them says what is usual. With few
    and with many events an hour, in equal numbers.
    """
    weeks: dict[str, list[bool]] = {name: [] for name in SERVICES if name in IN_CONTROL}
    for name, found in weeks.items():
        for events in (2_000, 10_000, 100_000):
            for run in range(runs):
                counts = service(name, events)(np.random.default_rng([9, run]), 0.0)
                result = draw_chart(ChartKind.RATIO, counts, rules)
                if isinstance(result, Chart):
                    found.append(bool(result.worse))
    return weeks


def summary(weeks: dict[str, list[bool]]) -> FalseAlarms:
    """Return what the product's table has for a set of rules."""
    return FalseAlarms(
        every=round(100 * fmean(fmean(found) for found in weeks.values())),
        most=round(100 * max(fmean(found) for found in weeks.values())),
    )


def main() -> None:
    """Print the tables in Markdown."""
    runs = int(sys.argv[1]) if sys.argv[1:] else 1000
    for rules in RULES:
        weeks = alarming_weeks(rules, runs // 2)
        each = ", ".join(f"{name} {fmean(found):.0%}" for name, found in weeks.items())
        print(f"{rules}: {summary(weeks)} ({each})", flush=True)
    names = " | ".join(RULES)
    print(f"| In control | plain limits | {names} |")
    print(f"|:---|{'---:|' * (len(RULES) + 1)}")
    for process in PROCESSES:
        print(false_alarms(process, runs), flush=True)
    shifts = " | ".join(f"{rules}, {shift}" for rules in RULES for shift in SHIFTS)
    print(f"\n| Shift in sigmas | {shifts} |")
    print(f"|:---|{'---:|' * len(RULES) * len(SHIFTS)}")
    for process in PROCESSES:
        print(delays(process, max(runs // 4, 1)), flush=True)


if __name__ == "__main__":
    main()
