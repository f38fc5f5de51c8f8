"""What can be said of each group beside the rest, with all comparisons taken together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from gate.budget.cohorts.arms import Pair
from gate.budget.cohorts.dispersion import FEWEST_STEPS, design_effect, fewest_steps
from gate.budget.cohorts.holm import holm
from gate.budget.cohorts.ratios import LEVEL, Method, compare, detectable, interval, ratio_of
from gate.budget.cohorts.stratified import cmh, common_interval, common_ratio


class Outcome(StrEnum):
    """What can be said of a group. The names are part of the JSON report."""

    WORSE = "worse"
    """It fails more often; also within the strata, where these were looked at."""
    BETTER = "better"
    MIX = "mix"
    """It differs, but not from what is alike: it has more of another kind of traffic."""
    REVERSED = "reversed"
    """It differs, and from what is alike the other way."""
    HIDDEN = "hidden"
    """On the whole it does not differ, but from what is alike it does."""
    UNSURE = "unsure"
    """It differs, and whether that is the mix cannot be told."""
    NONE = "none"
    """No difference was seen, which is not to say that there is none."""
    NOT_COMPARED = "not-compared"
    """There is too little to compare it by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """How a group compares with the rest."""

    ratio: float | None
    """How many times as often it fails; infinite: the rest never does; None: nothing failed."""
    interval: tuple[float, float]
    """95 %, of this ratio by itself."""
    probability: float
    """Of a difference at least so large where there is none."""
    adjusted: float
    """The same, for all comparisons together."""
    method: Method
    effect: float
    """The design effect: by how much the counts were divided, since failures come in bursts."""

    @property
    def seen(self) -> bool:
        """Whether there is a difference that all the comparisons together do not explain."""
        return self.adjusted <= LEVEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A group beside the rest, or beside the baseline."""

    outcome: Outcome
    why: str = ""
    """Of what was not compared."""
    crude: Contrast | None = None
    """All events; given unless it was not compared."""
    within: Contrast | None = None
    """Events that are alike; None: not looked at, or too few."""
    stratified: bool = False
    """Whether it was to be looked at within strata."""
    detectable: float | None = None
    """The smallest share of failures that would show; None: none would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """What is to be compared."""

    whole: Pair
    strata: tuple[Pair, ...] | None = None
    """None: not to be looked at."""


def compare_all(contests: Sequence[Contest]) -> list[Comparison]:
    """Return what can be said of each, in order; Holm's correction is over all of them.

    The comparisons within strata are corrected by themselves: where there are strata they decide,
    and the crude ones are told beside them.
    """
    reasons = [_why_not(one) for one in contests]
    possible = [one for one, why in zip(contests, reasons, strict=True) if not why]
    crude = _corrected([_crude(one.whole) for one in possible])
    inner = [_within(one.strata) for one in possible]
    corrected = iter(_corrected([one for one in inner if one is not None]))
    within = [None if one is None else next(corrected) for one in inner]
    found = iter(zip(possible, crude, within, strict=True))
    level = LEVEL / max(len(possible), 1)
    return [
        Comparison(outcome=Outcome.NOT_COMPARED, why=why) if why else _told(*next(found), level)
        for why in reasons
    ]


def _why_not(contest: Contest) -> str:
    table, steps = contest.whole.table, fewest_steps([contest.whole])
    if not table.total or not table.rest_total:
        return "there is nothing to compare it with"
    if steps < FEWEST_STEPS:
        return (
            f"it and what it is compared with have events in only {steps} of"
            f" {len(contest.whole.group.total)} steps, in which a burst of failures would look the"
            " same; look at a shorter time, in shorter steps, with --last"
        )
    return ""


def _crude(pair: Pair) -> Contrast:
    effect = design_effect([pair])
    thinned = pair.table.thinned(effect)
    probability, method = compare(thinned.whole())
    return Contrast(
        ratio=ratio_of(pair.table),
        interval=interval(thinned),
        probability=probability,
        adjusted=probability,
        method=method,
        effect=effect,
    )


def _within(strata: Sequence[Pair] | None) -> Contrast | None:
    """Compare within strata; None: they were not to be looked at, or have too few events."""
    both = [one for one in strata or () if one.table.total and one.table.rest_total]
    if not both or fewest_steps(both) < FEWEST_STEPS:
        return None
    effect, tables = design_effect(both), [one.table for one in both]
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


def _corrected(contrasts: Sequence[Contrast]) -> list[Contrast]:
    adjusted = holm([one.probability for one in contrasts])
    pairs = zip(contrasts, adjusted, strict=True)
    return [replace(one, adjusted=more) for one, more in pairs]


def _told(contest: Contest, crude: Contrast, within: Contrast | None, level: float) -> Comparison:
    stratified = contest.strata is not None
    return Comparison(
        outcome=_outcome(crude, within, stratified=stratified),
        crude=crude,
        within=within,
        stratified=stratified,
        detectable=detectable(contest.whole.table.thinned(crude.effect), level),
    )


def _outcome(crude: Contrast, within: Contrast | None, *, stratified: bool) -> Outcome:
    if not stratified:
        return _direction(crude) if crude.seen else Outcome.NONE
    if within is None:
        return Outcome.UNSURE if crude.seen else Outcome.NONE
    if not crude.seen:
        return Outcome.HIDDEN if within.seen else Outcome.NONE
    if within.seen:
        same = _direction(within) is _direction(crude)
        return _direction(crude) if same else Outcome.REVERSED
    low, high = within.interval
    goes_away = crude.ratio is not None and not low <= crude.ratio <= high
    return Outcome.MIX if goes_away else Outcome.UNSURE


def _direction(one: Contrast) -> Outcome:
    return Outcome.WORSE if one.ratio is not None and one.ratio > 1 else Outcome.BETTER
