"""Statistics of a shadow deployment: whether it is shown not to be worse than the live one.

The test is one evaluation of a fixed sample. The excess is the shadow's error ratio minus that of
the live deployment.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Final

from gate.dataclass import dataclass
from gate.history.cohorts import Arm, Pair, design_effect_of, difference_effect
from gate.history.cohorts.ratios import LEVEL, critical
from gate.history.differences import Score, difference_score, excess_at, paired_score
from gate.measure.cohorts import EventCounts
from gate.measure.pairing import Pairs, PairSteps


class ShadowOutcome(StrEnum):
    """The result of one SLO."""

    WITHIN = "within"
    """It is shown to fail by at most the margin more often."""
    WORSE = "worse"
    """It is shown to fail by more than the margin more often."""
    UNSURE = "unsure"
    """Neither is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubted:
    """The number of failures of an SLO that may have been counted wrongly, by side."""

    hidden: float | None = 0.0
    """Requests counted as good, or not counted, that may have failed; None: all of them."""
    doubtful: float | None = 0.0
    """Requests counted as bad that may not have failed; None: all of them."""
    reason: str = ""
    """The reason and the remedy: a sentence without a full stop; empty: nothing is in doubt."""


NO_DOUBT: Final = Doubted()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowComparison:
    """One SLO's two error ratios; all ratios are shares of requests, 0 to 1."""

    candidate: EventCounts
    against: EventCounts
    """Both as they were counted; for pairs, only the requests in pairs."""
    ratios: tuple[float, float]
    """Both error ratios as they are compared: as if both had the same distribution over time."""
    interval: tuple[float, float]
    """The 95% interval of the excess, -1 to 1; it includes the counts in doubt."""
    allowed: float
    """The excess that the margin allows, above 0."""
    outcome: ShadowOutcome
    in_doubt: bool
    """Whether it is unsure only because of the counts in doubt."""
    effect: float
    """The design effect, at least 1: the factor by which the counts were divided, since failures
    come in bursts."""
    needed: float | None
    """The multiple of the requests that would show it to be within the margin, above 1, at the same
    ratios; None: it is decided or in doubt, or no number is enough."""

    @property
    def excess(self) -> float:
        """The shadow's error ratio minus that of the live deployment."""
        return self.ratios[0] - self.ratios[1]

    @property
    def used(self) -> float:
        """The upper bound of the excess as a share of the margin; above 1: too much."""
        return self.interval[1] / self.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowTest:
    """The parameters of the test of two error ratios."""

    allowed: float
    """The excess that the margin allows, above 0."""
    effect: float = 1.0
    """The least design effect, which the policy may set."""
    comparisons: int = 1
    """The number of compared SLOs. The shadow is worse if one of them is, so each is tested at its
    part of the level; it must be within the margin for all of them, which needs no correction (the
    intersection-union test; R. L. Berger, Technometrics 24, 1982)."""
    doubted: Doubted = NO_DOUBT


def compare_unpaired(pair: Pair, test: ShadowTest) -> ShadowComparison:
    """Compare the requests of both, as if they had the same distribution over time.

    The interval is Miettinen and Nurminen's (`difference_score`), for counts divided by the design
    effect of the difference: failures that affect both at the same time do not widen it.

    Args:
        pair: the shadow as the group, the live deployment as the rest, each with events in a step
            that both share.
        test: the parameters. Counts in doubt are against the shadow for passing it, and in its
            favour for failing it.
    """
    matched, doubted = pair.matched(), test.doubted
    effect = max(test.effect, difference_effect(matched))
    table = matched.table
    bad = _shifted(table.bad, doubted.hidden, table.total)
    good = _shifted(table.total - table.bad, doubted.doubtful, table.total)
    worst = replace(table, bad=bad).thinned(effect)
    best = replace(table, bad=table.total - good).thinned(effect)
    return _judged(
        (EventCounts(*pair.group.sums), EventCounts(*pair.rest.sums)),
        (table.bad / table.total, table.rest_bad / table.rest_total),
        lambda excess: difference_score(worst, excess),
        lambda excess: difference_score(best, excess),
        test=test,
        effect=effect,
    )


def compare_paired(pairs: Pairs, test: ShadowTest) -> ShadowComparison:
    """Compare requests with their own copies.

    The interval is Tango's (`paired_score`). For a repeated id the worst outcome counts for passing
    the shadow, and the best one for failing it. Failures without a partner count in the same way:
    the shadow's as failures that the live deployment did not have, and the reverse.

    Args:
        pairs: the pairs, at least one.
        test: as for `compare_unpaired`.
    """
    total, doubted = sum(pairs.total), test.doubted
    effect = max(
        test.effect, *(_paired_effect(pairs.total, of) for of in (pairs.worst, pairs.best))
    )

    def score(steps: PairSteps, *, more: float, less: float) -> Score:
        candidate_only = sum(steps.candidate_only) + more
        against_only = sum(steps.against_only) + less
        counts = (total + more + less, candidate_only, against_only)
        events, first, second = (count / effect for count in counts)
        return lambda excess: paired_score(events, first, second, excess)

    more = pairs.candidate.alone_bad + _shifted(0, doubted.hidden, total)
    less = pairs.against.alone_bad + _shifted(0, doubted.doubtful, total)
    both = sum(pairs.worst.both)
    bad = [both + sum(only) for only in (pairs.worst.candidate_only, pairs.worst.against_only)]
    return _judged(
        (EventCounts(total, bad[0]), EventCounts(total, bad[1])),
        (bad[0] / total, bad[1] / total),
        score(pairs.worst, more=more, less=0),
        score(pairs.best, more=0, less=less),
        test=test,
        effect=effect,
    )


def _shifted(number: float, more: float | None, most: float) -> float:
    """Return a number with an addition, limited to all; None: the addition is all."""
    return most if more is None else min(number + more, most)


def _judged(
    counts: tuple[EventCounts, EventCounts],
    ratios: tuple[float, float],
    worst: Score,
    best: Score,
    *,
    test: ShadowTest,
    effect: float,
) -> ShadowComparison:
    """Combine the two readings of counts in doubt; without doubt they are equal.

    The scores grow with the square root of the number of requests.
    """
    z, worse = critical(LEVEL), critical(LEVEL / test.comparisons)
    highest, lowest = worst(test.allowed), best(test.allowed)
    outcome, in_doubt = ShadowOutcome.UNSURE, False
    if highest <= -z:
        outcome = ShadowOutcome.WITHIN
    elif lowest >= worse:
        outcome = ShadowOutcome.WORSE
    else:
        in_doubt = lowest <= -z or highest >= worse
    more = outcome is ShadowOutcome.UNSURE and not in_doubt and highest < 0
    return ShadowComparison(
        candidate=counts[0],
        against=counts[1],
        ratios=ratios,
        interval=(excess_at(best, z), excess_at(worst, -z)),
        allowed=test.allowed,
        outcome=outcome,
        in_doubt=in_doubt,
        effect=effect,
        needed=(z / highest) ** 2 if more else None,
    )


def _paired_effect(total: Sequence[int], steps: PairSteps) -> float:
    """Return the design effect of the difference between requests and their copies, at least 1."""
    pairs = sum(total)
    apart = [b - c for b, c in zip(steps.candidate_only, steps.against_only, strict=True)]
    mean = sum(apart) / pairs
    residuals = [difference - count * mean for difference, count in zip(apart, total, strict=True)]
    unlike = sum(steps.candidate_only) + sum(steps.against_only)
    return design_effect_of(residuals, unlike - pairs * mean**2, sum(map(bool, total)))


def as_counted(steps: Arm, total: float, bad: float) -> Arm:
    """Return the events by step, scaled to the counts of the whole time.

    A server that extrapolates misses in each step the events between its last sample and the first
    of the next, and far fewer over the whole time. Failures that no step contains are distributed
    like the requests.

    Args:
        steps: the steps, with events.
        total: the events of the whole time, above 0.
        bad: the failures among them.
    """
    events, failed = steps.sums
    ratio = bad / events if not failed else 0.0
    return Arm(
        tuple(number * total / events for number in steps.total),
        tuple(
            number * bad / failed if failed else number_of_all * ratio
            for number, number_of_all in zip(steps.bad, steps.total, strict=True)
        ),
    )
