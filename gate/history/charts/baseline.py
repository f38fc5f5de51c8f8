"""The baseline of a chart: the centre, by the time of day if that matters, and the spread."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import sqrt
from typing import Final

from gate.dataclass import dataclass
from gate.history.charts import Sample
from gate.history.charts.dependence import Dependence, dependence, moving_sigma

_DAYS: Final = 4
"""The minimum number of samples at a time of day, or of days of a kind."""
_SHARE: Final = 0.3
"""The share of the variance that the time of day, or the kind of day, must explain to be used,
after the share that it would explain by chance: of noise, 24 hours in 7 days explain a seventh."""
_DAYS_DIFFER: Final = 1.1
"""The factor by which the kind of day must reduce the unexplained variance to be used."""
_FEWEST_DAYS: Final = 2
"""The minimum numbers of working days, and of weekend days, to estimate their difference."""
_SATURDAY: Final = 5
_HAIR: Final = 1e-9
"""The tolerance for a mean: rounding errors of sums of floats are not a variation."""
_MIDNIGHT: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1)
_MANY: Final = 1.5
"""The ratio of events between the busier and the quieter half of a baseline from which chance can
be estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The expected values, from the baseline."""

    ratios: bool
    """Whether it is about ratios, not means."""
    centre: float
    """The centre of the whole baseline."""
    by_time: Mapping[timedelta, float]
    """The values by the time of day in UTC at which samples begin; empty: it does not matter, or
    the baseline is too short."""
    by_day: Mapping[bool, float]
    """The factors for working days (False) and weekend days (True), by the day in UTC; empty: they
    do not matter, or the baseline is too short."""
    events: float
    """The number of events of a sample, as the harmonic mean."""
    chance: float
    """The share of the variance that shrinks with more events, 0 to 1; the rest does not."""
    spread: float
    """For ratios, Laney's sigma z: how much wider the limits of a sample of this many events are
    than chance alone makes them, at least 1. For means, the sigma of such a sample. In both cases
    it is widened by the uncertainty of sigma, which is estimated from this many, possibly
    correlated, points."""
    dependence: Dependence
    """The correlation of neighbouring values."""
    count: int
    """The number of samples in the baseline."""

    def centre_of(self, sample: Sample) -> float:
        """Return the centre for the sample's time of day and kind of day."""
        centre = self.by_time.get(_time_of_day(sample), self.centre)
        usual = centre * self.by_day.get(_is_weekend(sample), 1.0)
        # A factor of a high ratio must not lead to a ratio above 1.
        return min(usual, (1 + centre) / 2) if self.ratios else usual

    def sigma_of(self, sample: Sample) -> float:
        """Return the standard deviation of a sample of this many events."""
        centre = self.centre_of(sample)
        usually = sqrt(centre * (1 - centre) / self.events) if self.ratios else 1.0
        fewer = self.events / sample.events
        return self.spread * usually * sqrt(1 - self.chance + self.chance * fewer)


def baseline_of_ratios(baseline: Sequence[Sample]) -> Baseline:
    """Return the baseline of ratios.

    Laney's sigma z widens the limits by the same factor whatever the traffic. But variation beyond
    chance is about the same for many events as for few, so the share that his sigma z leaves to
    chance is treated as chance; with even traffic, the result is the same.

    Args:
        baseline: the samples, at least two, at least one with a bad event. If all events are bad,
            the spread is 0.
    """
    events = sum(sample.events for sample in baseline)
    centre = sum(sample.value * sample.events for sample in baseline) / events

    def pooled(group: Sequence[Sample]) -> float:
        # As if one more event had been bad at the overall ratio: no bad event in a few hours does
        # not mean never.
        bad = sum(sample.value * sample.events for sample in group) + 1
        return bad / (sum(sample.events for sample in group) + 1 / centre)

    if centre == 1:
        return replace(_flat(baseline, centre, chance=1.0, ratios=True), spread=0.0)
    laney = _fitted(baseline, centre, pooled, chance=1.0, ratios=True)
    return _fitted(baseline, centre, pooled, chance=1 / laney.spread**2, ratios=True)


def baseline_of_means(baseline: Sequence[Sample]) -> Baseline:
    """Return the baseline of means.

    Args:
        baseline: the samples, at least two. If all are equal, the spread is 0.
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
    by_time = _by_time(baseline, pooled)
    daily = replace(flat, by_time=by_time)
    weekly = [replace(usual, by_day=_by_day(baseline, usual)) for usual in (flat, daily)]

    def unexplained(usual: Baseline) -> float:
        # Each centre is the mean of a few days, and is nearer to these than to future days.
        more = _DAYS_DIFFER if usual.by_day else 1.0
        return _squares(_scores(baseline, usual)) * _optimism(baseline, usual) * more

    best = min(daily, *weekly, key=unexplained)
    if unexplained(best) >= (1 - _SHARE) * unexplained(flat):
        best = flat
    scores = _scores(baseline, best)
    resembles = dependence(scores)
    spread = sqrt(_optimism(baseline, best)) * moving_sigma(scores, resembles.neighbours)
    # Requests that fail independently of each other vary at least by chance.
    least = 1.0 if ratios else 0.0
    return replace(
        best,
        dependence=resembles,
        spread=max(spread, least) * resembles.widening(len(baseline)),
    )


def _optimism(baseline: Sequence[Sample], usual: Baseline) -> float:
    """Return the factor by which the variance of future days exceeds that of the baseline."""
    if not usual.by_time:
        return 1.0
    days = len(baseline) / len(usual.by_time)
    return (days + 1) / (days - 1)


def _flat(baseline: Sequence[Sample], centre: float, *, chance: float, ratios: bool) -> Baseline:
    """Return a baseline with only its centre."""
    return Baseline(
        ratios=ratios,
        centre=centre,
        by_time={},
        by_day={},
        events=len(baseline) / sum(1 / sample.events for sample in baseline),
        chance=chance,
        spread=1.0,
        dependence=Dependence(),
        count=len(baseline),
    )


def _scores(baseline: Sequence[Sample], usual: Baseline) -> list[float]:
    return [
        (sample.value - usual.centre_of(sample)) / usual.sigma_of(sample) for sample in baseline
    ]


def _chance_of_means(baseline: Sequence[Sample], even: Baseline) -> float:
    """Return the share of the variance of means that shrinks with more events.

    It follows from the moving ranges of the busier and of the quieter half of the baseline: their
    variances are 1 - c + c v, where v is the usual number of events divided by the present one.
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
    """Return the centre of each time of day; empty if one of them has too few samples."""
    groups: dict[timedelta, list[Sample]] = {}
    for sample in baseline:
        groups.setdefault(_time_of_day(sample), []).append(sample)
    whole = _DAY / (baseline[0].end - baseline[0].start)
    if len(groups) != whole or min(map(len, groups.values())) < _DAYS:
        return {}
    return {time: pooled(group) for time, group in groups.items()}


def _by_day(baseline: Sequence[Sample], usual: Baseline) -> Mapping[bool, float]:
    """Return the factor of each kind of day; empty if one of them has too few days."""
    days: dict[bool, set[date]] = {False: set(), True: set()}
    sums: dict[bool, list[float]] = {False: [0.0, 0.0], True: [0.0, 0.0]}
    for sample in baseline:
        kind, centre = _is_weekend(sample), usual.centre_of(sample)
        days[kind].add(sample.start.astimezone(UTC).date())
        # All means have the same weight, ratios the weight of their events.
        weight = sample.events if usual.ratios else 1 / centre if centre else 0.0
        sums[kind][0] += sample.value * weight
        sums[kind][1] += centre * weight
    few = min(map(len, days.values())) < _FEWEST_DAYS
    if few or not all(there > 0 for there, _ in sums.values()):
        return {}
    return {kind: there / expected for kind, (there, expected) in sums.items()}


def _is_weekend(sample: Sample) -> bool:
    return sample.start.astimezone(UTC).weekday() >= _SATURDAY


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
