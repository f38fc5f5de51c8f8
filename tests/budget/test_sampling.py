from decimal import Decimal, localcontext
from fractions import Fraction
from statistics import NormalDist

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from benchmarks.sampling import SAMPLINGS, Sampling, coverage
from gate.budget.ratio import samples_needed, samples_without_bad, wilson_interval
from gate.slo.objective import Bound
from tests.budget.building import counts, known, ratio

samples = st.integers(1, 10**7).flatmap(
    lambda total: st.tuples(st.integers(0, total), st.just(total))
)
percents = st.integers(0, 1000).map(lambda thousandths: Fraction(thousandths, 1000))


def wilson_by_hand(ratio: Fraction, total: int) -> tuple[Decimal, Decimal]:
    """Solve Wilson's quadratic (1 + z^2/n) p^2 - (2 r + z^2/n) p + r^2 = 0 with 60 digits."""
    with localcontext() as context:
        context.prec = 60
        square = Decimal(NormalDist().inv_cdf(0.975)) ** 2 / total
        share = Decimal(ratio.numerator) / Decimal(ratio.denominator)
        a, b, c = 1 + square, -(2 * share + square), share * share
        root = (b * b - 4 * a * c).sqrt()
        return (-b - root) / (2 * a), (-b + root) / (2 * a)


@pytest.mark.parametrize(
    "bad, total, low, high",
    # R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of
    # seven methods", Statistics in Medicine 17 (1998), 857-872, table I, method 3 (score).
    [
        (81, 263, "0.2553", "0.3662"),
        (15, 148, "0.0624", "0.1605"),
        (0, 20, "0.0000", "0.1611"),
        (1, 29, "0.0061", "0.1718"),
    ],
)
def test_the_interval_is_newcombes_published_one(bad: int, total: int, low: str, high: str) -> None:
    interval = wilson_interval(Fraction(bad), Fraction(total))
    assert [f"{float(end):.4f}" for end in interval] == [low, high]


@given(samples)
def test_the_interval_solves_wilsons_equation(sample: tuple[int, int]) -> None:
    bad, total = sample
    ends = wilson_interval(Fraction(bad), Fraction(total))
    by_hand = wilson_by_hand(Fraction(bad, total), total)
    assert [float(end) for end in ends] == pytest.approx([float(end) for end in by_hand], abs=1e-12)


@given(samples)
def test_the_interval_holds_the_measured_share_and_is_a_share(sample: tuple[int, int]) -> None:
    bad, total = sample
    low, high = wilson_interval(Fraction(bad), Fraction(total))
    assert 0 <= low <= Fraction(bad, total) <= high <= 1
    assert low < high


@given(st.integers(1, 10**7))
def test_no_failure_at_all_still_leaves_a_doubt_and_only_upwards(total: int) -> None:
    low, high = wilson_interval(Fraction(0), Fraction(total))
    square = NormalDist().inv_cdf(0.975) ** 2
    assert low == 0
    assert float(high) == pytest.approx(square / (total + square))
    # All of them is the mirror image.
    mirrored, all_of_them = wilson_interval(Fraction(total), Fraction(total))
    assert all_of_them == 1
    assert float(mirrored) == pytest.approx(total / (total + square))


@given(percents, percents)
def test_the_number_of_samples_that_would_do_does_and_one_fewer_does_not(
    ratio: Fraction, threshold: Fraction
) -> None:
    assume(ratio != threshold and 0 < threshold < 1)
    needed = samples_needed(ratio, threshold)
    assert needed is not None
    border = Decimal(threshold.numerator) / Decimal(threshold.denominator)
    low, high = wilson_by_hand(ratio, needed)
    assert not low <= border <= high
    if needed > 1:
        low, high = wilson_by_hand(ratio, needed - 1)
        assert low <= border <= high


@pytest.mark.parametrize(
    "ratio, threshold",
    [("0.02", "0.02"), ("0.02", "0"), ("0.02", "1"), ("0.02", "-0.5"), ("0.02", "1.5")],
)
def test_no_number_of_samples_shows_what_cannot_be_told(ratio: str, threshold: str) -> None:
    assert samples_needed(Fraction(ratio), Fraction(threshold)) is None


def test_a_threshold_a_hair_away_needs_a_great_many_samples_and_no_float() -> None:
    ratio = Fraction(1, 50)
    needed = samples_needed(ratio, ratio + Fraction(1, 10**200))
    assert needed is not None
    assert needed > 10**390


def test_the_interval_is_carried_to_what_remains_with_its_ends_turned_round() -> None:
    budget = ratio(counts(bad=6, total=700), objective="0.98", sampled=Bound.POINT)
    assert budget.interval is not None
    low, high = (float(end) for end in budget.interval)
    fewest, most = (float(end) for end in wilson_by_hand(Fraction(6, 700), 700))
    assert (low, high) == pytest.approx((1 - most / 0.02, 1 - fewest / 0.02))
    assert low < float(known(budget.remaining)) < high


@pytest.mark.parametrize("bound, place", [(Bound.PESSIMISTIC, 0), (Bound.OPTIMISTIC, 1)])
def test_the_bound_that_the_policy_names_is_compared(bound: Bound, place: int) -> None:
    budget = ratio(counts(bad=6, total=700), objective="0.98", sampled=bound)
    assert budget.interval is not None
    assert budget.compared == budget.interval[place]
    assert budget.bound is bound


def test_without_a_sample_there_is_only_the_point() -> None:
    budget = ratio(counts(bad=6, total=700), objective="0.98")
    assert (budget.interval, budget.bound) == (None, Bound.POINT)
    assert budget.compared == budget.remaining == Fraction(4, 7)
    point = ratio(counts(bad=6, total=700), objective="0.98", sampled=Bound.POINT)
    assert point.compared == Fraction(4, 7)


@pytest.mark.parametrize("effect", [1, Fraction(5, 2), 7])
def test_a_sample_is_worth_as_many_events_as_its_design_effect_says(effect: Fraction) -> None:
    whole = ratio(
        counts(bad=6, total=700),
        objective="0.98",
        sampled=Bound.PESSIMISTIC,
        design_effect=Fraction(effect),
    )
    alike = ratio(
        counts(bad=6 / Fraction(effect), total=700 / Fraction(effect)),
        objective="0.98",
        sampled=Bound.PESSIMISTIC,
    )

    assert whole.remaining == alike.remaining
    assert whole.interval == alike.interval
    assert whole.left_with(Fraction(1, 2)) == alike.left_with(Fraction(1, 2))
    assert whole.design_effect == effect


def test_it_takes_as_many_times_more_samples_to_prove_something_without_a_bad_one() -> None:
    few = ratio(counts(bad=0, total=200), objective="0.98", sampled=Bound.PESSIMISTIC)
    alike = ratio(
        counts(bad=0, total=200),
        objective="0.98",
        sampled=Bound.PESSIMISTIC,
        design_effect=Fraction(3),
    )

    needed = few.samples_for(Fraction(1, 2))
    assert needed is not None
    assert alike.samples_for(Fraction(1, 2)) == 3 * needed


@given(st.fractions(min_value=Fraction(1, 1000), max_value=Fraction(999, 1000)))
def test_none_of_so_many_puts_a_threshold_outside_the_interval_and_one_less_does_not(
    threshold: Fraction,
) -> None:
    needed = samples_without_bad(threshold)

    assert needed is not None
    assert float(wilson_interval(Fraction(0), Fraction(needed))[1]) < float(threshold) + 1e-12
    if needed > 1:
        fewer = wilson_interval(Fraction(0), Fraction(needed - 1))[1]
        assert float(fewer) >= float(threshold) - 1e-12


@pytest.mark.parametrize("threshold", [0, -1])
def test_no_number_of_samples_shows_that_nothing_is_ever_bad(threshold: int) -> None:
    assert samples_without_bad(Fraction(threshold)) is None


@pytest.mark.slow
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_interval_of_what_comes_in_conversations_holds_the_truth(sampling: Sampling) -> None:
    """A reduced run of benchmarks/sampling.py: near 95%, where the counts alone hold 59 to 96."""
    plain, effective = coverage(sampling, 600)

    assert 0.92 <= effective <= 0.99
    assert plain < 0.9 or sampling.answers == 1
