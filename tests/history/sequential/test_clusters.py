"""Failures that come together on one side accuse nobody by themselves, and a regression does."""

from itertools import product
from math import comb, exp, isfinite, log
from random import Random

import pytest

from gate.history.sequential import ComparedStep, Worse
from gate.history.sequential.clusters import BETS, Clusters
from gate.history.sequential.verdict import CanaryEvidence, CanaryStanding

NEEDED = log(20)


def after(steps: list[ComparedStep]) -> Clusters:
    clusters = Clusters()
    for step in steps:
        clusters = clusters.after(step)
    return clusters


def evidence_of(steps: list[ComparedStep]) -> CanaryEvidence:
    evidence = CanaryEvidence.compared_with_baseline(0.001)
    for step in steps:
        evidence = evidence.after(step)
    return evidence


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (7, 1, 30, 2), (5, 5, 5, 5)])
def test_failures_that_all_hit_one_side_keep_the_expected_evidence_at_1(
    sizes: tuple[int, ...],
) -> None:
    # A tenth of the requests are the canary's, so it is hit by a tenth of the clusters. The
    # evidence that takes each failure by itself is far above 1 in the mean.
    mean = mean_of_worse = 0.0
    for hits in product((True, False), repeat=len(sizes)):
        likely, worse, clusters = 1.0, Worse(), Clusters()
        for hit, size in zip(hits, sizes, strict=True):
            step = ComparedStep(100, size * hit, 900, size * (not hit))
            likely *= 0.1 if hit else 0.9
            worse, clusters = worse.after(step), clusters.after(step)
        mean += likely * exp(clusters.log_evidence)
        mean_of_worse += likely * exp(worse.log_evidence)

    assert mean == pytest.approx(1)
    assert (mean_of_worse > 100) is (max(sizes) > 1)


def test_the_expected_evidence_is_at_most_1_for_single_failures_and_changing_shares_too() -> None:
    mean, shares = 0.0, (0.1, 0.5, 0.9)
    for hits in product(range(4), repeat=3):
        likely, clusters = 1.0, Clusters()
        for hit, share in zip(hits, shares, strict=True):
            likely *= comb(3, hit) * share**hit * (1 - share) ** (3 - hit)
            clusters = clusters.after(ComparedStep(1000 * share, hit, 1000 - 1000 * share, 3 - hit))
        mean += likely * exp(clusters.log_evidence)

    assert mean == pytest.approx(1)


def test_the_evidence_of_one_step_is_a_bet_on_the_canarys_share_of_the_failures() -> None:
    # 3 of 4 failures where a tenth was to be expected: 1 + bet (7.5 - 1).
    mean = sum(1 + bet * 6.5 for bet in BETS) / len(BETS)

    clusters = after([ComparedStep(100, 3, 900, 1)])

    assert exp(clusters.log_evidence) == pytest.approx(0.3 + 0.7 * mean)


def clustered(
    rng: Random, minutes: int, size: int, canary: float, baseline: float
) -> list[ComparedStep]:
    """Return steps in which clusters of one size come so many times a minute to each side."""

    def failures(rate: float) -> int:
        return size * sum(rng.random() < rate / 20 for _ in range(20))

    return [ComparedStep(100, failures(canary), 900, failures(baseline)) for _ in range(minutes)]


def test_a_burst_of_one_step_accuses_no_canary_and_the_same_in_four_steps_does() -> None:
    calm, burst = ComparedStep(100, 0, 900, 2), ComparedStep(100, 12, 900, 2)

    once, often = evidence_of([calm, calm, burst]), evidence_of([calm, calm, *[burst] * 4])

    assert once.worse.log_evidence > NEEDED
    assert once.log_evidence(NEEDED) < NEEDED
    assert once.standing(1) == CanaryStanding.NOT_SHOWN
    assert often.standing(1) == CanaryStanding.WORSE


def test_a_canary_of_which_all_fails_is_accused_after_two_steps() -> None:
    dead = ComparedStep(100, 100, 900, 2)

    assert evidence_of([dead]).standing(1) == CanaryStanding.NOT_SHOWN
    assert evidence_of([dead] * 2).standing(1) == CanaryStanding.WORSE


def test_clusters_are_seen_and_single_failures_are_not() -> None:
    single = after(clustered(Random(1), 240, 1, 0.4, 3.6))
    of_five = after(clustered(Random(2), 240, 5, 0.08, 0.72))

    assert single.factor == 1
    assert 3.5 < of_five.factor < 7
    assert (single.bar(NEEDED), of_five.bar(NEEDED)) == (log(2), NEEDED)


def test_what_varies_by_chance_is_seldom_taken_for_clusters() -> None:
    factors = [after(clustered(Random(seed), 60, 1, 2, 2)).factor for seed in range(60)]

    # By 1.5 standard deviations a fifteenth varies more, by any amount a good fourth.
    assert sum(factor > 1 for factor in factors) <= 6


def test_a_canary_that_is_worse_all_the_time_does_not_look_like_clusters() -> None:
    worse = after(clustered(Random(3), 240, 1, 2.0, 3.6))

    assert worse.factor == 1
    assert worse.log_evidence > 10 * NEEDED


def test_an_outage_of_both_does_not_look_like_clusters() -> None:
    rng = Random(4)
    outage = [
        ComparedStep(100, sum(rng.random() < 0.5 for _ in range(100)), 900, 450 + rng.randrange(30))
        for _ in range(10)
    ]

    assert after([*clustered(rng, 60, 1, 0.2, 1.8), *outage]).factor == 1


@pytest.mark.slow
def test_clusters_accuse_few_canaries_and_clusters_of_a_worse_canary_are_still_seen() -> None:
    accused = accused_by_worse = caught = 0
    for seed in range(30):
        same = clustered(Random(seed), 120, 4, 0.05, 0.45)
        worse = clustered(Random(seed), 120, 4, 0.5, 0.45)
        accused += is_ever_accused(same)
        accused_by_worse += is_ever_accused(same, by_steps=False)
        caught += is_ever_accused(worse)

    # By the failures alone more than half of these canaries would go back.
    assert accused_by_worse > 15
    assert accused <= 5
    assert caught == 30


def is_ever_accused(steps: list[ComparedStep], *, by_steps: bool = True) -> bool:
    evidence = CanaryEvidence.compared_with_baseline(0.001)
    for step in steps:
        evidence = evidence.after(step)
        shown = evidence.log_evidence(NEEDED) if by_steps else evidence.worse.log_evidence
        if shown >= NEEDED:
            return True
    return False


def test_clusters_make_the_bounds_wider() -> None:
    evidence = evidence_of(clustered(Random(2), 240, 5, 0.08, 0.72))

    lower, upper = evidence.bounds()
    plain_lower, plain_upper = evidence.excess.bounds(0.05)

    assert lower < plain_lower
    assert plain_upper < upper


@pytest.mark.parametrize(
    "step",
    [
        ComparedStep(100, 0, 900, 0),
        ComparedStep(100, 9),
        ComparedStep(0, 0, 900, 9),
        ComparedStep(100, 0.1, 900, 0.2),
        ComparedStep(1e30, 5, 1, 0),
    ],
)
def test_a_step_without_a_split_says_nothing(step: ComparedStep) -> None:
    before = after([ComparedStep(100, 3, 900, 2)])

    assert before.after(step) == before


@pytest.mark.variants(2)
@pytest.mark.parametrize(
    "step",
    [
        ComparedStep(1e7, 1e7, 9e7, 0),
        ComparedStep(1e7, 1e7, 9e7, 9e7),
        ComparedStep(9.99e6, 0, 1e4, 1e4),
        ComparedStep(1e4, 0.6, 9.99e6, 0),
    ],
)
def test_a_day_of_looks_every_minute_overflows_nowhere(step: ComparedStep) -> None:
    clusters = after([step] * 1440)

    assert isfinite(clusters.log_evidence)
    assert 1 <= clusters.factor <= 100
    assert isfinite(evidence_of([step] * 100).bounds()[1])


def test_a_canary_alone_has_no_split_and_needs_none() -> None:
    evidence = CanaryEvidence.alone(0.001, 0.001)
    for _ in range(20):
        evidence = evidence.after(ComparedStep(1000, 5))

    assert evidence.clusters == Clusters()
    assert evidence.log_evidence(NEEDED) == evidence.worse.log_evidence
    assert evidence.standing(1) == CanaryStanding.WORSE


def test_the_split_goes_on_from_its_document() -> None:
    first = after(clustered(Random(5), 30, 2, 0.2, 1.0))

    assert Clusters().restored(first.document()) == first


@pytest.mark.parametrize("change", [{"steps": None}, {"started": [0.0]}, {"spreads": ["x"] * 9}])
def test_a_document_that_is_none_of_this_version_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the kept state"):
        Clusters().restored(Clusters().document() | change)
