"""What a baseline says is usual: the centre, by the time of day where that matters, and spread."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import sqrt
from typing import Final

from gate.dataclass import dataclass
from gate.history.charts import Sample

D2: Final = 1.128
"""The mean range of two standard normal values: 2 / sqrt(pi)."""
_MOST_ALIKE: Final = 0.98


def moving_sigma(values: Sequence[float], autocorrelation: float = 0.0) -> float:
    """Return the standard deviation by the mean moving range of at least two values.

    Args:
        values: in the order of time.
        autocorrelation: the correlation of neighbours, below 1.
    """
    moved = sum(abs(after - before) for before, after in pairwise(values))
    return moved / (len(values) - 1) / D2 / sqrt(1 - autocorrelation)


def correlation(values: Sequence[float]) -> float:
    """Return how much neighbours resemble each other: their correlation, 0 where it is negative.

    The estimate is too low by (1 + 3 r) / n, which is added (M. G. Kendall, Note on bias in the
    estimation of autocorrelation, Biometrika 41, 1954).
    """
    count = len(values)
    mean = sum(values) / count
    whole = sum((value - mean) ** 2 for value in values)
    if not whole:
        return 0.0
    raw = sum((a - mean) * (b - mean) for a, b in pairwise(values)) / whole
    return min(max(raw + (1 + 3 * raw) / count, 0.0), _MOST_ALIKE)


_DAYS: Final = 4
"""Samples of a time of day that say what is usual then, at least."""
_SHARE: Final = 0.5
"""Of the baseline's variance that the time of day must explain to be heeded. Of noise, 24 hours in
7 days explain a seventh."""
_HAIR: Final = 1e-9
"""Of a mean: what sums of floats are off by is no variation."""
_MIDNIGHT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_MANY: Final = 1.5
"""How many times as many events the busier half of a baseline must have to say what few do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What is to be expected."""

    ratios: bool
    """Whether it is of ratios, and not of means."""
    centre: float
    """Of the whole baseline."""
    by_time: Mapping[timedelta, float]
    """By the time of day in UTC at which samples begin; empty: it does not matter, or the baseline
    is too short to tell."""
    events: float
    """Of a sample, in the harmonic mean."""
    chance: float
    """The share of the variance that is less with more events, 0 to 1; the rest is the same."""
    spread: float
    """Of ratios Laney's sigma z: how much wider the limits of a sample of so many events are than
    chance alone makes them, at least 1. Of means the sigma of such a sample."""
    autocorrelation: float
    """The correlation of neighbours, 0 to 1."""
    count: int
    """Samples of the baseline."""

    def centre_of(self, sample: Sample) -> float:
        """Return what is usual at the sample's time of day."""
        return self.by_time.get(_time_of_day(sample), self.centre)

    def sigma_of(self, sample: Sample) -> float:
        """Return the standard deviation of a sample of so many events."""
        centre = self.centre_of(sample)
        usually = sqrt(centre * (1 - centre) / self.events) if self.ratios else 1.0
        fewer = self.events / sample.events
        return self.spread * usually * sqrt(1 - self.chance + self.chance * fewer)


def baseline_of_ratios(baseline: Sequence[Sample]) -> Baseline:
    """Return what is usual of ratios.

    Laney's sigma z takes limits for wider by the same factor whatever the traffic. What is beyond
    chance is rather the same for many events as for few, so that much is taken for chance as his
    sigma z leaves of it: with even traffic, that is the same.

    Args:
        baseline: at least two samples, of which not all are without a bad event. Where all events
            are bad, the spread is 0.
    """
    events = sum(sample.events for sample in baseline)
    centre = sum(sample.value * sample.events for sample in baseline) / events

    def pooled(group: Sequence[Sample]) -> float:
        # As if one more event had been bad, at the ratio of all: none in a few hours is not never.
        bad = sum(sample.value * sample.events for sample in group) + 1
        return bad / (sum(sample.events for sample in group) + 1 / centre)

    if centre == 1:
        return replace(_flat(baseline, centre, chance=1.0, ratios=True), spread=0.0)
    laney = _fitted(baseline, centre, pooled, chance=1.0, ratios=True)
    return _fitted(baseline, centre, pooled, chance=1 / laney.spread**2, ratios=True)


def baseline_of_means(baseline: Sequence[Sample]) -> Baseline:
    """Return what is usual of means.

    Args:
        baseline: at least two samples. Where all are the same, the spread is 0.
    """
    even = _fitted(baseline, _mean(baseline), _mean, chance=0.0, ratios=False)
    if even.spread <= _HAIR * abs(even.centre):
        return replace(even, spread=0.0)
    chance = _chance_of_means(baseline, even)
    return _fitted(baseline, even.centre, _mean, chance=chance, ratios=False)


def _fitted(
    baseline: Sequence[Sample],
    centre: float,
    pooled: Callable[[Sequence[Sample]], float],
    *,
    chance: float,
    ratios: bool,
) -> Baseline:
    flat = _flat(baseline, centre, chance=chance, ratios=ratios)
    daily, factor = replace(flat, by_time=_by_time(baseline, pooled)), 1.0
    scores = _scores(baseline, flat)
    if daily.by_time and _squares(_scores(baseline, daily)) < (1 - _SHARE) * _squares(scores):
        # Each centre comes of a few days, and lies nearer to these than to the days to come.
        days = len(baseline) / len(daily.by_time)
        flat, scores, factor = daily, _scores(baseline, daily), sqrt((days + 1) / (days - 1))
    autocorrelation = correlation(scores)
    # Requests that fail independently of each other differ by chance at least.
    least = 1.0 if ratios else 0.0
    return replace(
        flat,
        autocorrelation=autocorrelation,
        spread=max(factor * moving_sigma(scores, autocorrelation), least),
    )


def _flat(baseline: Sequence[Sample], centre: float, *, chance: float, ratios: bool) -> Baseline:
    """Return what is usual before anything but the centre is known of it."""
    return Baseline(
        ratios=ratios,
        centre=centre,
        by_time={},
        events=len(baseline) / sum(1 / sample.events for sample in baseline),
        chance=chance,
        spread=1.0,
        autocorrelation=0.0,
        count=len(baseline),
    )


def _scores(baseline: Sequence[Sample], usual: Baseline) -> list[float]:
    return [
        (sample.value - usual.centre_of(sample)) / usual.sigma_of(sample) for sample in baseline
    ]


def _chance_of_means(baseline: Sequence[Sample], even: Baseline) -> float:
    """Return the share of the variance of means that is less with more events.

    By the moving ranges of the busier half of the baseline, and of the other: their variances are
    1 - c + c v, with v the events that there are usually by those that there are.
    """
    ranges = sorted(
        (even.events / 2 * (1 / first.events + 1 / second.events), abs(after - before))
        for (first, before), (second, after) in pairwise(
            zip(baseline, _scores(baseline, even), strict=True)
        )
    )
    halves = ranges[: len(ranges) // 2], ranges[len(ranges) // 2 :]
    (busy, low), (calm, high) = map(_means, halves)
    if calm < _MANY * busy:
        return 0.0
    more = high**2 - low**2
    rest = more + low**2 * calm - high**2 * busy
    return min(max(more / rest, 0.0), 1.0) if rest > 0 else 1.0


def _by_time(
    baseline: Sequence[Sample], pooled: Callable[[Sequence[Sample]], float]
) -> Mapping[timedelta, float]:
    """Return the centre of each time of day; nothing where one of them has too few samples."""
    groups: dict[timedelta, list[Sample]] = {}
    for sample in baseline:
        groups.setdefault(_time_of_day(sample), []).append(sample)
    whole = _DAY / (baseline[0].end - baseline[0].start)
    if len(groups) != whole or min(map(len, groups.values())) < _DAYS:
        return {}
    return {time: pooled(group) for time, group in groups.items()}


def _time_of_day(sample: Sample) -> timedelta:
    return (sample.start - _MIDNIGHT) % _DAY


def _mean(group: Sequence[Sample]) -> float:
    return sum(sample.value for sample in group) / len(group)


def _means(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(first for first, _ in pairs) / len(pairs), sum(second for _, second in pairs) / len(
        pairs
    )


def _squares(values: Sequence[float]) -> float:
    return sum(value**2 for value in values)
