"""The comparisons of each group with the rest, corrected for their number."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gate.dataclass import dataclass
from gate.history.cohorts import FEWEST_STEPS, Pair, fewest_steps, shared_effects
from gate.history.cohorts.comparison import Comparison, ComparisonOutcome, Contrast
from gate.history.cohorts.ratios import (
    LEVEL,
    Method,
    cmh,
    common_interval,
    common_ratio,
    compare,
    detectable,
    ratio_of,
    score_interval,
)
from gate.history.differences import Table


def holm(probabilities: Sequence[float]) -> list[float]:
    """Return the adjusted probabilities, in order: each is the least level that it passes."""
    order = sorted(range(len(probabilities)), key=lambda place: probabilities[place])
    adjusted, least = [0.0] * len(order), 0.0
    for rank, place in enumerate(order):
        least = max(least, min(probabilities[place] * (len(order) - rank), 1.0))
        adjusted[place] = least
    return adjusted


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """A comparison to make."""

    whole: Pair
    strata: tuple[Pair, ...] | None = None
    """The pair in each stratum; None: not to be compared within strata."""

    @property
    def apart(self) -> bool:
        """Whether both had events in too few common steps."""
        return sum(self.whole.shared_steps) < FEWEST_STEPS

    def at_the_same_time(self) -> "Contest":
        """Return the pair with the same distribution over time, if they have enough common steps.

        Otherwise an outage before a template existed would count in its favour, and a later one
        against it.
        """
        if self.apart:
            return self
        strata = self.strata
        return Contest(
            whole=self.whole.matched(),
            strata=None if strata is None else tuple(pair.matched() for pair in strata),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Uncorrected:
    """A comparison that is not corrected yet; its size does not grow with the steps."""

    why: str
    """The reason if it was not compared."""
    crude: Contrast | None = None
    within: Contrast | None = None
    stratified: bool = False
    apart: bool = False
    plain: float | None = None
    table: Table | None = None
    """All events, with the same distribution over time; None: it was not compared."""


def compare_all(families: Iterable[Sequence[Contest]]) -> list[list[Comparison]]:
    """Return the result of each comparison, in order; Holm's correction is over all of them.

    The comparisons within strata are corrected separately: if there are strata they decide, and the
    crude comparisons are reported beside them.

    Args:
        families: the contests by SLO; the design effects of a family use all of its groups. None
            is kept when the next is asked for.
    """
    compared = list(map(_compare, families))
    crude = _corrected([[contest.crude for contest in family] for family in compared])
    within = _corrected([[contest.within for contest in family] for family in compared])
    possible = sum(not contest.why for family in compared for contest in family)
    level = LEVEL / max(possible, 1)
    return [
        [
            Comparison(outcome=ComparisonOutcome.NOT_COMPARED, why=contest.why)
            if outer is None or contest.table is None
            else _comparison(contest, contest.table, outer, inner, level)
            for contest, outer, inner in zip(family, outers, inners, strict=True)
        ]
        for family, outers, inners in zip(compared, crude, within, strict=True)
    ]


def _compare(family: Sequence[Contest]) -> list[_Uncorrected]:
    """Compare the groups of one SLO, without regard to how many comparisons there are."""
    whys = list(map(_why_not, family))
    possible = [contest for contest, why in zip(family, whys, strict=True) if not why]
    matched = [contest.at_the_same_time() for contest in possible]
    crude = _crude([contest.whole for contest in matched])
    within = _within([contest.strata for contest in matched])
    compared = (
        _Uncorrected(
            why="",
            crude=outer,
            within=inner,
            stratified=contest.strata is not None,
            apart=contest.apart,
            plain=ratio_of(contest.whole.table),
            table=alike.whole.table,
        )
        for contest, alike, outer, inner in zip(possible, matched, crude, within, strict=True)
    )
    return [_Uncorrected(why=why) if why else next(compared) for why in whys]


def _why_not(contest: Contest) -> str:
    table, steps = contest.whole.table, fewest_steps([contest.whole])
    if not table.total or not table.rest_total:
        return "there is nothing to compare it with"
    every = len(contest.whole.group.total)
    if every < FEWEST_STEPS:
        return (
            f"it takes at least {FEWEST_STEPS} steps and there are {every}; look at a longer time"
        )
    if steps < FEWEST_STEPS:
        return (
            f"it, or what it is compared with, has events in only {steps} of"
            f" {every} steps, in which a burst of failures would look the"
            " same; look at a shorter time, in shorter steps"
        )
    return ""


def _crude(pairs: Sequence[Pair]) -> list[Contrast]:
    effects = shared_effects([[pair] for pair in pairs])
    return [_compared(pair.table, effect) for pair, effect in zip(pairs, effects, strict=True)]


def _compared(table: Table, effect: float) -> Contrast:
    thinned = table.thinned(effect)
    probability, method = compare(thinned.whole())
    return Contrast(
        ratio=ratio_of(table),
        interval=score_interval(thinned),
        probability=probability,
        adjusted=probability,
        method=method,
        effect=effect,
    )


def _within(several: Sequence[Sequence[Pair] | None]) -> list[Contrast | None]:
    """Compare within strata; None: no strata were requested, or they have too few events."""
    fit = [
        [pair for pair in strata or () if pair.table.total and pair.table.rest_total]
        for strata in several
    ]
    fit = [both if both and fewest_steps(both) >= FEWEST_STEPS else [] for both in fit]
    effects = iter(shared_effects([both for both in fit if both]))
    return [
        _stratified([pair.table for pair in both], next(effects)) if both else None for both in fit
    ]


def _stratified(tables: Sequence[Table], effect: float) -> Contrast | None:
    probability = cmh(tables, effect)
    if probability is None:
        return None
    return Contrast(
        ratio=common_ratio(tables),
        interval=common_interval(tables, effect),
        probability=probability,
        adjusted=probability,
        method=Method.STRATIFIED,
        effect=effect,
    )


def _corrected(families: Sequence[Sequence[Contrast | None]]) -> list[list[Contrast | None]]:
    flat = [contrast for family in families for contrast in family if contrast is not None]
    adjusted = iter(holm([contrast.probability for contrast in flat]))
    return [
        [
            None if contrast is None else replace(contrast, adjusted=next(adjusted))
            for contrast in family
        ]
        for family in families
    ]


def _comparison(
    contest: _Uncorrected, table: Table, crude: Contrast, within: Contrast | None, level: float
) -> Comparison:
    return Comparison(
        outcome=outcome_of(crude, within, stratified=contest.stratified),
        crude=crude,
        plain=contest.plain,
        within=within,
        stratified=contest.stratified,
        apart=contest.apart,
        rest=table.rest_bad / table.rest_total,
        detectable=detectable(table.thinned(crude.effect), level),
    )


def outcome_of(crude: Contrast, within: Contrast | None, *, stratified: bool) -> ComparisonOutcome:
    """Return the outcome of two contrasts of a group.

    Args:
        crude: the contrast of all events.
        within: the contrast within strata; None: too few events, or not examined.
        stratified: whether strata were requested.
    """
    if not stratified:
        return _direction(crude) if crude.seen else ComparisonOutcome.NONE
    if within is None:
        return ComparisonOutcome.UNSURE if crude.seen else ComparisonOutcome.NONE
    if not crude.seen:
        return _seen_within(crude, within) if within.seen else ComparisonOutcome.NONE
    if within.seen:
        same = _direction(within) is _direction(crude)
        return _direction(crude) if same else ComparisonOutcome.REVERSED
    goes_away = within.holds(1) and not within.holds(crude.ratio)
    return ComparisonOutcome.MIX if goes_away else ComparisonOutcome.UNSURE


def _seen_within(crude: Contrast, within: Contrast) -> ComparisonOutcome:
    """Return the outcome of a difference that is significant only within the strata.

    The mix hides the difference if the crude ratio is outside the interval within the strata. If it
    is inside, all events together were only too few to show it, after the correction.
    """
    if not crude.holds(within.ratio):
        return ComparisonOutcome.HIDDEN
    same = _direction(within) is _direction(crude)
    return _direction(within) if same else ComparisonOutcome.UNSURE


def _direction(contrast: Contrast) -> ComparisonOutcome:
    worse = contrast.ratio is not None and contrast.ratio > 1
    return ComparisonOutcome.WORSE if worse else ComparisonOutcome.BETTER
