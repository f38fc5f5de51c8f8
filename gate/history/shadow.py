"""Whether a shadow deployment is shown not to be worse than the live one: the statistics.

One look at a fixed sample. The excess is the shadow's error ratio less that of the live deployment.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from math import sqrt
from typing import Final

from gate.dataclass import dataclass
from gate.history.cohorts import Pair, Table, design_effect_of, difference_effect
from gate.history.cohorts.ratios import LEVEL, critical
from gate.measure.cohorts import EventCounts
from gate.measure.pairing import Pairs, PairSteps

_HALVINGS: Final = 50
"""Of an interval of length 1 or 2, so that what is left is as fine as a float."""
Score = Callable[[float], float]
"""Takes an excess; returns by how many standard errors the counts exceed it. It falls."""


class ShadowOutcome(StrEnum):
    """What one SLO says of the shadow."""

    WITHIN = "within"
    """It is shown to fail by at most the margin more often."""
    WORSE = "worse"
    """It is shown to fail by more than the margin more often."""
    UNSURE = "unsure"
    """Neither is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowComparison:
    """One SLO's error ratios beside each other; all ratios are shares of requests, 0 to 1."""

    candidate: EventCounts
    against: EventCounts
    """Both as they are compared: at the same times, or in pairs."""
    interval: tuple[float, float]
    """95% of the excess, -1 to 1."""
    allowed: float
    """The excess that the margin allows, above 0."""
    outcome: ShadowOutcome
    effect: float
    """The design effect, at least 1: by how much the counts were divided, since failures come in
    bursts."""
    needed: float | None
    """How many times as many requests would show it to be within the margin, above 1, if the ratios
    stay as they are; None: it is decided, or no number would do."""

    @property
    def excess(self) -> float:
        """The shadow's error ratio less that of the live deployment."""
        return self.candidate.bad / self.candidate.total - self.against.bad / self.against.total

    @property
    def used(self) -> float:
        """Which share of the margin the upper bound of the excess comes to; above 1: too much."""
        return self.interval[1] / self.allowed


def compare_unpaired(
    pair: Pair, allowed: float, *, effect: float = 1.0, comparisons: int = 1
) -> ShadowComparison:
    """Compare the requests of both, as if they had been spread over time alike.

    The interval is Miettinen and Nurminen's (`difference_score`), for counts that are divided by
    the design effect of the difference: what hit both at the same time does not widen it.

    Args:
        pair: the shadow as the group, the live deployment as the rest, each with some event in some
            step that both share.
        allowed: the excess that the margin allows, above 0.
        effect: the least design effect that is taken, which the policy may state.
        comparisons: how many SLOs are compared. The shadow is worse if one of them is, so each is
            held to its part of the level; it must be within the margin of all of them, which needs
            no correction (the intersection-union test; R. L. Berger, Technometrics 24, 1982).
    """
    matched = pair.matched()
    effect = max(effect, difference_effect(matched))
    table, thin = matched.table, matched.table.thinned(effect)
    return _compared(
        EventCounts(table.total, table.bad),
        EventCounts(table.rest_total, table.rest_bad),
        allowed,
        lambda excess: difference_score(thin, excess),
        lambda excess: difference_score(thin, excess),
        effect=effect,
        comparisons=comparisons,
    )


def compare_paired(
    pairs: Pairs, allowed: float, *, effect: float = 1.0, comparisons: int = 1
) -> ShadowComparison:
    """Compare requests with their own copies.

    The interval is Tango's (`paired_score`). What is in doubt speaks against every verdict: for
    "within the margin" the worst outcome of a repeated id counts, and a copy without an original
    that failed is one that the original did not share; for "worse" the best, and the other way
    round.

    Args:
        pairs: at least one pair.
        allowed: the excess that the margin allows, above 0.
        effect: as for `compare_unpaired`.
        comparisons: as for `compare_unpaired`.
    """
    total, candidate, against = sum(pairs.total), pairs.candidate, pairs.against
    effect = max(effect, *(_paired_effect(pairs.total, of) for of in (pairs.worst, pairs.best)))

    def score(steps: PairSteps, *, more: int = 0, less: int = 0) -> Score:
        counts = total + more + less, sum(steps.candidate_only) + more, sum(steps.against_only)
        events, first, second = (count / effect for count in (*counts[:2], counts[2] + less))
        return lambda excess: paired_score(events, first, second, excess)

    both = sum(pairs.worst.both)
    return _compared(
        EventCounts(total, both + sum(pairs.worst.candidate_only)),
        EventCounts(total, both + sum(pairs.worst.against_only)),
        allowed,
        score(pairs.worst, more=candidate.alone_bad),
        score(pairs.best, less=against.alone_bad),
        effect=effect,
        comparisons=comparisons,
    )


def _compared(
    candidate: EventCounts,
    against: EventCounts,
    allowed: float,
    against_passing: Score,
    against_failing: Score,
    *,
    effect: float,
    comparisons: int,
) -> ShadowComparison:
    """Put together what two scores say: the one that doubts a pass, and the one that doubts a no.

    The scores grow with the square root of the number of requests.
    """
    z, worse = critical(LEVEL), critical(LEVEL / comparisons)
    passing, failing = against_passing(allowed), against_failing(allowed)
    outcome, needed = ShadowOutcome.UNSURE, None
    if passing <= -z:
        outcome = ShadowOutcome.WITHIN
    elif failing >= worse:
        outcome = ShadowOutcome.WORSE
    elif passing < 0:
        needed = (z / passing) ** 2
    return ShadowComparison(
        candidate=candidate,
        against=against,
        interval=(_solve(against_failing, z), _solve(against_passing, -z)),
        allowed=allowed,
        outcome=outcome,
        effect=effect,
        needed=needed,
    )


def difference_score(table: Table, excess: float) -> float:
    """Return by how many standard errors the group's share exceeds the rest's by more than this.

    The standard error is that of the likeliest shares with this excess, with the factor N/(N - 1),
    so that it is right for rare events, and where nothing failed. Source: O. Miettinen and
    M. Nurminen, "Comparative analysis of two rates", Statistics in Medicine 4 (1985), 213-226.

    Args:
        table: need not be whole; above 0 in total and in rest_total.
        excess: above -1 and below 1.
    """
    rest = _likeliest_rest(table, excess)
    mine = rest + excess
    variance = mine * (1 - mine) / table.total + rest * (1 - rest) / table.rest_total
    apart = table.bad / table.total - table.rest_bad / table.rest_total - excess
    if variance <= 0:
        return 0.0
    # Of a single event on each side, which the design effect may leave, there is no N - 1.
    return apart / sqrt(variance * table.events / max(table.events - 1, 1.0))


def _likeliest_rest(table: Table, excess: float) -> float:
    """Return the likeliest share of the rest, where the group's is larger by the excess.

    The slope of the log-likelihood falls, so halving finds its zero; the cubic equation that it
    comes to loses digits where shares are small.
    """

    def rises(share: float) -> bool:
        mine = share + excess
        parts = (
            (table.bad, mine),
            (table.rest_bad, share),
            (table.bad - table.total, 1 - mine),
            (table.rest_bad - table.rest_total, 1 - share),
        )
        return sum(count / place for count, place in parts if count and place > 0) > 0

    low, high = max(0.0, -excess), min(1.0, 1 - excess)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if rises(middle) else (low, middle)
    return low if low == max(0.0, -excess) else high


def paired_score(pairs: float, candidate_only: float, against_only: float, excess: float) -> float:
    """Return by how many standard errors the difference of paired shares exceeds this.

    Only pairs of which one failed tell the shares apart; the standard error is that of the
    likeliest probabilities with this excess. Source: T. Tango, "Equivalence test and confidence
    interval for the difference in proportions for the paired-sample design", Statistics in Medicine
    17 (1998), 891-908.

    Args:
        pairs: all of them, above 0; no count need be whole.
        candidate_only: the copy alone failed.
        against_only: the original alone failed.
        excess: above -1 and below 1.
    """
    apart = candidate_only - against_only
    b = (2 * pairs - apart) * excess - candidate_only - against_only
    c = -against_only * excess * (1 - excess)
    root = sqrt(max(b * b - 8 * pairs * c, 0.0))
    # Of the two ways to write the root of the quadratic, the one in which nothing cancels.
    likeliest = (root - b) / (4 * pairs) if b <= 0 else -2 * c / (b + root)
    variance = pairs * (2 * likeliest + excess * (1 - excess))
    return (apart - pairs * excess) / sqrt(variance) if variance > 0 else 0.0


def _paired_effect(total: Sequence[int], steps: PairSteps) -> float:
    """Return the design effect of the difference between requests and their copies, at least 1."""
    pairs = sum(total)
    apart = [b - c for b, c in zip(steps.candidate_only, steps.against_only, strict=True)]
    mean = sum(apart) / pairs
    residuals = [difference - count * mean for difference, count in zip(apart, total, strict=True)]
    unlike = sum(steps.candidate_only) + sum(steps.against_only)
    return design_effect_of(residuals, unlike - pairs * mean**2, sum(map(bool, total)))


def _solve(score: Score, value: float) -> float:
    """Return the excess at which a score, which falls, has a value."""
    low, high = -1.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if score(middle) > value else (low, middle)
    return (low + high) / 2
