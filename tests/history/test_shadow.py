"""A shadow passes where it is shown to be within the margin, and fails where it is worse."""

import random
from collections.abc import Sequence

import pytest

from gate.history.cohorts import Arm, Pair
from gate.history.cohorts.ratios import critical
from gate.history.shadow import (
    Doubted,
    ShadowComparison,
    ShadowOutcome,
    ShadowTest,
    as_counted,
    compare_paired,
    compare_unpaired,
)
from gate.measure.cohorts import Cohort, missing_steps
from gate.measure.pairing import Pairs, PairSteps, Unpaired
from gate.policy.findings import Verdict
from gate.policy.requirements import RequirementState
from tests.amounts import EXPLORING

STEPS = 12
WITHIN, WORSE, UNSURE = ShadowOutcome.WITHIN, ShadowOutcome.WORSE, ShadowOutcome.UNSURE


def arm(total: float | Sequence[float], bad: float | Sequence[float]) -> Arm:
    """Return events by step: numbers are of all steps together, spread evenly."""
    totals, bads = (
        [number / STEPS] * STEPS if isinstance(number, int | float) else number
        for number in (total, bad)
    )
    return Arm(tuple(totals), tuple(bads))


def compare(shadow: Arm, live: Arm, allowed: float = 0.005, **fields: object) -> ShadowComparison:
    test = ShadowTest(allowed=allowed, **fields)  # type: ignore[arg-type]  # by name
    return compare_unpaired(Pair(shadow, live), test)


@pytest.mark.parametrize(
    ("shadow", "live", "outcome"),
    [
        ((60_000, 60), (60_000, 60), WITHIN),
        ((60_000, 6), (60_000, 60), WITHIN),
        ((6_000, 60), (60_000, 600), WITHIN),
        ((768, 0), (600_000, 0), WITHIN),  # z^2 / (n + z^2) is 0.00498
        ((700, 0), (600_000, 0), UNSURE),
        ((60_000, 600), (60_000, 60), WORSE),
        ((6_000, 6), (60_000, 600), WITHIN),
        ((600, 6), (60_000, 600), UNSURE),
        ((60_000, 360), (60_000, 60), UNSURE),  # exactly at the margin
    ],
)
def test_what_is_shown_follows_from_the_counts(
    shadow: tuple[int, int], live: tuple[int, int], outcome: ShadowOutcome
) -> None:
    comparison = compare(arm(*shadow), arm(*live))

    assert comparison.outcome is outcome
    assert not comparison.in_doubt
    assert comparison.effect == 1
    low, high = comparison.interval
    assert low <= comparison.excess <= high
    assert comparison.excess == pytest.approx(shadow[1] / shadow[0] - live[1] / live[0])
    assert (comparison.used <= 1) == (outcome is WITHIN)
    assert comparison.used == pytest.approx(high / 0.005)


def test_how_many_more_requests_it_takes_is_enough_and_less_is_not() -> None:
    few = compare(arm(600, 6), arm(60_000, 600))

    assert few.needed is not None
    assert (
        compare(
            arm(600 * few.needed * 1.01, 6 * few.needed * 1.01),
            arm(60_000 * few.needed * 1.01, 600 * few.needed * 1.01),
        ).outcome
        is WITHIN
    )
    assert (
        compare(
            arm(600 * few.needed * 0.99, 6 * few.needed * 0.99),
            arm(60_000 * few.needed * 0.99, 600 * few.needed * 0.99),
        ).outcome
        is UNSURE
    )


def test_no_number_of_requests_shows_what_is_above_the_margin_to_be_within_it() -> None:
    assert compare(arm(600, 10), arm(60_000, 600)).needed is None
    assert compare(arm(60_000, 60), arm(60_000, 60)).needed is None


def test_failures_in_bursts_widen_the_interval() -> None:
    burst = [0.0] * STEPS
    burst[3] = burst[8] = 90.0

    spread = compare(arm(30_000, 180), arm(300_000, 1_200))
    bursts = compare(arm(30_000, burst), arm(300_000, 1_200))

    assert spread.outcome is WITHIN
    assert bursts.outcome is UNSURE
    assert bursts.effect > 30
    assert bursts.interval[1] - bursts.interval[0] > 4 * (spread.interval[1] - spread.interval[0])


def test_an_outage_that_both_had_does_not_widen_it_much() -> None:
    outage = [5.0] * STEPS
    outage[6] = 2_500.0

    shared = compare(arm(60_000, outage), arm(60_000, outage))

    assert shared.outcome is WITHIN
    assert shared.effect == 1


def test_a_shadow_that_grew_while_all_failed_is_compared_at_the_same_times() -> None:
    growing = [500.0] * 6 + [5_000.0] * 6
    failing = [0.001] * 6 + [0.02] * 6
    bad = [total * ratio for total, ratio in zip(growing, failing, strict=True)]

    found = compare(arm(growing, bad), arm(60_000, [5_000 * ratio for ratio in failing]))

    assert found.outcome is WITHIN
    assert found.excess == pytest.approx(0)


def test_the_policys_own_design_effect_counts_where_it_is_larger() -> None:
    assert compare(arm(6_000, 60), arm(60_000, 600), effect=4.0).effect == 4
    assert compare(arm(6_000, 60), arm(60_000, 600), effect=4.0).outcome is UNSURE


def test_of_several_slos_each_is_held_to_its_part_of_the_level_to_fail() -> None:
    # The lower bound is z below, so it depends on z which of the two it is.
    alone = compare(arm(60_000, 410), arm(60_000, 60))
    among = compare(arm(60_000, 410), arm(60_000, 60), comparisons=100)

    assert critical(0.05) < critical(0.05 / 100)
    assert (alone.outcome, among.outcome) == (WORSE, UNSURE)


@pytest.mark.parametrize(
    ("doubted", "outcome"),
    [
        (Doubted(hidden=100.0), WITHIN),
        (Doubted(hidden=300.0), UNSURE),
        (Doubted(hidden=None), UNSURE),
        (Doubted(doubtful=60.0), WITHIN),
        (Doubted(doubtful=None), WITHIN),
    ],
)
def test_what_is_hidden_counts_as_the_shadows_before_it_passes(
    doubted: Doubted, outcome: ShadowOutcome
) -> None:
    found = compare(arm(60_000, 60), arm(60_000, 60), doubted=doubted)

    assert found.outcome is outcome
    assert found.in_doubt == (outcome is UNSURE)
    assert found.needed is None


@pytest.mark.parametrize(("doubtful", "outcome"), [(100.0, WORSE), (500.0, UNSURE), (None, UNSURE)])
def test_what_may_not_have_failed_does_not_count_before_it_fails(
    doubtful: float | None, outcome: ShadowOutcome
) -> None:
    found = compare(arm(60_000, 600), arm(60_000, 60), doubted=Doubted(doubtful=doubtful))

    assert found.outcome is outcome
    assert found.in_doubt == (outcome is UNSURE)


NOBODY = Unpaired(events=60_000, alone=0, alone_bad=0, without_id=0, repeated=0)


def even(number: int) -> tuple[int, ...]:
    return (number // STEPS,) * STEPS


def steps(candidate_only: int, against_only: int, both: int) -> PairSteps:
    return PairSteps(
        candidate_only=even(candidate_only), against_only=even(against_only), both=even(both)
    )


def pairs(total: int, worst: PairSteps, best: PairSteps | None = None, **sides: Unpaired) -> Pairs:
    given = {"candidate": NOBODY, "against": NOBODY, **sides}
    return Pairs(total=even(total), worst=worst, best=best or worst, query="asked", **given)


def paired(found: Pairs, allowed: float = 0.005, **fields: object) -> ShadowComparison:
    return compare_paired(found, ShadowTest(allowed=allowed, **fields))  # type: ignore[arg-type]


def test_pairs_need_far_fewer_requests_where_both_fail_together() -> None:
    # 2% of 2,400 prompts fail with any model; each model fails 12 of its own.
    together = paired(pairs(2_400, steps(12, 12, 36)))
    separate = compare(arm(2_400, 48), arm(2_400, 48))

    assert together.outcome is WITHIN
    assert separate.outcome is UNSURE
    assert [*together.candidate, *together.against] == [2_400, 48, 2_400, 48]
    assert (separate.needed or 0) > 2


def test_pairs_show_what_is_worse_and_what_is_not_yet_known() -> None:
    assert paired(pairs(12_000, steps(240, 12, 0))).outcome is WORSE
    assert paired(pairs(1_200, steps(12, 12, 0))).outcome is UNSURE
    assert paired(pairs(1_200, steps(12, 12, 0))).needed is not None


def test_pairs_that_differ_in_bursts_widen_the_interval() -> None:
    burst = PairSteps(candidate_only=(0,) * 11 + (60,), against_only=even(60), both=even(0))

    even_ones, bursts = paired(pairs(24_000, steps(60, 60, 0))), paired(pairs(24_000, burst))

    assert even_ones.outcome is WITHIN
    assert bursts.effect > 10
    assert bursts.outcome is UNSURE


def test_ids_that_come_twice_count_against_either_verdict() -> None:
    passing = pairs(60_000, steps(360, 60, 0), steps(60, 60, 0))
    failing = pairs(60_000, steps(600, 60, 0), steps(60, 60, 0))
    sure = pairs(60_000, steps(660, 60, 0), steps(600, 60, 0))

    for doubtful in map(paired, (passing, failing)):
        assert (doubtful.outcome, doubtful.in_doubt) == (UNSURE, True)
    assert paired(sure).outcome is WORSE


def test_failures_without_a_partner_count_against_either_verdict() -> None:
    lost = Unpaired(events=60_000, alone=400, alone_bad=400, without_id=400, repeated=0)

    hidden = paired(pairs(60_000, steps(60, 60, 0), candidate=lost))
    excused = paired(pairs(60_000, steps(480, 60, 0), against=lost))

    outcomes = [(one.outcome, one.in_doubt) for one in (hidden, excused)]
    assert outcomes == [(UNSURE, True)] * 2
    assert paired(pairs(60_000, steps(60, 60, 0), against=lost)).outcome is WITHIN


def test_what_is_hidden_counts_in_pairs_too() -> None:
    for hidden in (400.0, None):
        found = paired(pairs(60_000, steps(60, 60, 0)), doubted=Doubted(hidden=hidden))
        assert (found.outcome, found.in_doubt) == (UNSURE, True)


def test_steps_are_scaled_to_what_was_counted_at_once() -> None:
    steps = Arm((100.0,) * 10, (0.0,) * 8 + (5.0, 5.0))

    scaled = as_counted(steps, 1_010.0, 8.0)
    spread_out = as_counted(Arm((100.0,) * 10, (0.0,) * 10), 1_000.0, 10.0)

    assert list(scaled.sums) == pytest.approx([1_010, 8])
    assert list(scaled.bad[-2:]) == pytest.approx([4, 4])
    assert list(spread_out.bad) == pytest.approx([1.0] * 10)


GONE = None
FLOWING = (100.0,) * 12


@pytest.mark.parametrize(
    ("own", "other", "missing"),
    [
        (FLOWING, FLOWING, []),
        # It has run for three steps only, or for all but some of them.
        ((0,) * 9 + (100,) * 3, FLOWING, [range(9)]),
        ((GONE,) * 9 + (100,) * 3, FLOWING, [range(9)]),
        ((100,) * 4 + (0,) * 2 + (100,) * 6, FLOWING, [range(4, 6)]),
        ((100,) * 4 + (GONE,) + (100,) * 7, FLOWING, [range(4, 5)]),
        ((100, 0, 100, GONE, *(100,) * 8), FLOWING, [range(1, 2), range(3, 4)]),
        ((100,) * 10 + (0,) * 2, FLOWING, [range(10, 12)]),
        # It went away while the other is still measured.
        ((100,) * 11 + (GONE,), FLOWING, [range(11, 12)]),
        # The newest data of both may yet arrive; not for long.
        ((100,) * 11 + (GONE,), (100,) * 11 + (GONE,), []),
        ((100,) * 10 + (GONE,) * 2, (100,) * 10 + (GONE,) * 2, []),
        ((100,) * 9 + (GONE,) * 3, (100,) * 9 + (GONE,) * 3, [range(9, 12)]),
        # Nobody came, or so few that it may have had none of them by chance.
        ((100,) * 6 + (0,) * 6, (100,) * 6 + (0,) * 6, []),
        ((3, 0) * 6, FLOWING, []),
        ((5, 0, 0, 0) * 3, FLOWING, []),
        ((0,) * 11 + (1,), (0,) * 11 + (1,), []),
        ((10,) * 12, (0,) * 12, []),
        ((100,) * 6 + (0,) * 6, (0,) * 12, []),
        ((0,) * 6 + (10,) * 6, (10,) * 6 + (0,) * 6, [range(6)]),
        ((0,) * 6 + (1,) * 6, (10,) * 6 + (0,) * 6, []),
    ],
)
def test_where_one_of_the_two_was_missing(
    own: tuple[float | None, ...], other: tuple[float | None, ...], missing: list[range]
) -> None:
    def cohort(total: tuple[float | None, ...]) -> Cohort:
        return Cohort(total=total, bad=tuple(None if n is None else 0.0 for n in total))

    assert missing_steps(cohort(own), cohort(other), grace=2) == missing


def test_the_states_of_a_requirement_mean_what_the_exit_codes_say() -> None:
    assert RequirementState.NOT_MET.verdict is Verdict.BLOCK
    assert RequirementState.UNDECIDED.verdict is Verdict.UNDECIDED


# Simulations: a shadow exactly at the margin passes, or fails, at most as often as is said.


def drawn(rng: random.Random, total: int, ratio: float, burst: int) -> Arm:
    """Draw failures by step; each comes in a burst of this many within its step."""
    per_step = total // STEPS
    bad = []
    for _ in range(STEPS):
        bursts, chance = 0, per_step * ratio / burst
        rest = rng.expovariate(1)
        while rest < chance:
            bursts, rest = bursts + 1, rest + rng.expovariate(1)
        bad.append(min(bursts * burst, per_step))
    return Arm((float(per_step),) * STEPS, tuple(map(float, bad)))


SIMULATED = [
    # Shadow's and live's requests, live's ratio, margin; failures that come together.
    (60_000, 60_000, 0.0002, 0.0001, 1),
    (100_000, 1_000_000, 0.00001, 0.0001, 1),
    (60_000, 6_000, 0.002, 0.001, 5),
    (6_000, 6_000, 0.03, 0.005, 20),
]
MORE_SIMULATED = [
    (6_000, 6_000, 0.03, 0.005, 1),
    (60_000, 6_000, 0.002, 0.001, 1),
    (6_000, 6_000, 0.03, 0.005, 5),
    (60_000, 600_000, 0.0002, 0.0001, 20),
]
"""Other pairings of the same kinds: `make test-all` has these as well."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("total", "rest", "ratio", "allowed", "burst"),
    SIMULATED + (MORE_SIMULATED if EXPLORING else []),
)
def test_a_shadow_exactly_at_the_margin_passes_or_fails_in_one_of_twenty_at_most(
    total: int, rest: int, ratio: float, allowed: float, burst: int
) -> None:
    rng, runs = random.Random(f"{total} {rest} {burst}"), 1_000
    outcomes = [
        compare(
            drawn(rng, total, ratio + allowed, burst), drawn(rng, rest, ratio, burst), allowed
        ).outcome
        for _ in range(runs)
    ]

    assert outcomes.count(WITHIN) / runs <= 0.05
    assert outcomes.count(WORSE) / runs <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize(
    ("total", "shared", "own", "allowed", "burst"),
    [
        (2_400, 0.02, 0.005, 0.005, 1),
        (60_000, 0.001, 0.0002, 0.0002, 1),
        (12_000, 0.02, 0.0, 0.001, 1),
        (2_400, 0.02, 0.01, 0.01, 3),
    ],
)
def test_pairs_exactly_at_the_margin_pass_or_fail_in_one_of_twenty_at_most(
    total: int, shared: float, own: float, allowed: float, burst: int
) -> None:
    rng, runs, outcomes = random.Random(f"{total} {burst}"), 1_000, []
    for _ in range(runs):
        only, other, both = (
            tuple(map(int, drawn(rng, total, ratio, each).bad))
            for ratio, each in ((own + allowed, burst), (own, burst), (shared, 1))
        )
        found = PairSteps(candidate_only=only, against_only=other, both=both)
        outcomes.append(paired(pairs(total, found), allowed).outcome)

    assert outcomes.count(WITHIN) / runs <= 0.05
    assert outcomes.count(WORSE) / runs <= 0.06
