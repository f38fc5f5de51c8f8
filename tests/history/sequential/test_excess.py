"""Bounds on a canary's excess failures: their level by enumeration, and their values by hand."""

from itertools import product
from math import comb, exp, inf, isfinite, log

import pytest

from gate.history.sequential import ComparedStep
from gate.history.sequential.excess import DROPS, LIFTS, Excess, excess_bounds


def binomial(trials: int, failures: int, chance: float) -> float:
    return comb(trials, failures) * chance**failures * (1 - chance) ** (trials - failures)


def mean_evidence(
    sizes: list[tuple[int, int]], chances: list[tuple[float, float]], margin: float, alone: bool
) -> tuple[float, float]:
    """Return the expected e-values against a larger and a smaller excess, over every outcome."""
    outcomes = [list(product(range(n + 1), range(m + 1))) for n, m in sizes]
    below = above = 0.0
    for outcome in product(*outcomes):
        excess, likely = Excess(alone=alone), 1.0
        for (n, m), (p, q), (x, y) in zip(sizes, chances, outcome, strict=True):
            excess = excess.after(ComparedStep(n, x, m, y))
            likely *= binomial(n, x, p) * binomial(m, y, q)
        below += likely * exp(excess.log_evidence_below(margin))
        above += likely * exp(excess.log_evidence_above(margin))
    return below, above


@pytest.mark.crossed
@pytest.mark.parametrize(
    "chances",
    [
        [(0.1, 0.1)] * 3,
        [(0.3, 0.1), (0.9, 0.9), (0.0, 0.1)],
        [(0.0, 0.0), (0.7, 0.2), (1.0, 1.0)],
        [(0.2, 0.6), (0.1, 0.2), (0.9, 0.1)],
    ],
)
@pytest.mark.parametrize(
    "sizes", [[(2, 3)] * 3, [(1, 4), (4, 1), (2, 2)], [(3, 0), (2, 3), (0, 4)]]
)
def test_at_the_true_average_the_expected_evidence_is_at_most_1(
    sizes: list[tuple[int, int]], chances: list[tuple[float, float]]
) -> None:
    requests = sum(n for n, _ in sizes)
    # What the baseline's ratio is without traffic is not known: any will do, such as 0 and 1.
    least, most = (
        sum(n * (p - (q if m else unknown)) for (n, m), (p, q) in zip(sizes, chances, strict=True))
        / requests
        for unknown in (1.0, 0.0)
    )

    assert mean_evidence(sizes, chances, most, alone=False)[0] <= 1 + 1e-12
    assert mean_evidence(sizes, chances, least, alone=False)[1] <= 1 + 1e-12


def test_at_the_average_ratio_of_a_canary_alone_the_expected_evidence_is_at_most_1() -> None:
    sizes, chances = [(4, 0), (2, 0), (3, 0)], [(0.1, 0.0), (0.9, 0.0), (0.0, 0.0)]
    average = (4 * 0.1 + 2 * 0.9) / 9

    below, above = mean_evidence(sizes, chances, average, alone=True)

    assert below <= 1 + 1e-12
    assert above <= 1 + 1e-12


def test_the_expected_evidence_against_another_excess_is_more_than_1() -> None:
    sizes, chances = [(4, 4)] * 2, [(0.3, 0.3)] * 2

    below, above = mean_evidence(sizes, chances, 0.9, alone=False)[0], 0.0
    above = mean_evidence(sizes, chances, -0.9, alone=False)[1]

    assert below > 1.5
    assert above > 1.5


def test_without_any_failure_the_upper_bound_is_what_the_requests_can_show() -> None:
    # exp(a margin n) is 20 in the mean; alone the largest a would need log(20 * 22) / 0.95.
    lower, upper = excess_bounds([ComparedStep(1000, 0, 9000, 0)], 0.05)

    weights = [0.5 / 11] * 11 + [0.5 / 16] * 16
    mean = sum(w * exp(a * upper * 1000) for w, a in zip(weights, DROPS, strict=True))
    assert lower < 0
    assert mean == pytest.approx(20)
    assert log(20) / 1000 < upper < log(20 * 22) / 0.95 / 1000


def test_the_evidence_is_the_mean_over_the_grids() -> None:
    steps = [ComparedStep(100, 2, 900, 5), ComparedStep(50, 1, 100, 3)]
    excess = Excess().after(steps[0]).after(steps[1])
    weights = [0.5 / 11] * 11 + [0.5 / 16] * 16
    drops = [
        (1 - a) ** 3 * (1 + a / 9) ** 5 * (1 + a / 2) ** 3 * exp(a * 0.03 * 150) for a in DROPS
    ]
    # Of 50 requests beside 100 a lift of 2 and more is too large.
    lifts = [
        (1 + b) ** 3 * (1 - b / 9) ** 5 * (1 - b / 2) ** 3 * exp(-b * 0.01 * 150) if b < 2 else 0.0
        for b in LIFTS
    ]
    lift_weights = [0.5 / 11] * 11 + [0.5 / 7] * 7

    below = sum(w * e for w, e in zip(weights, drops, strict=True))
    above = sum(w * e for w, e in zip(lift_weights, lifts, strict=True))

    assert exp(excess.log_evidence_below(0.03)) == pytest.approx(below)
    assert exp(excess.log_evidence_above(0.01)) == pytest.approx(above)


def test_the_bounds_are_where_the_evidence_reaches_1_over_alpha() -> None:
    excess = Excess().after(ComparedStep(10000, 80, 90000, 180))

    lower, upper = excess.bounds(0.05)

    assert excess.log_evidence_above(lower) == pytest.approx(log(20))
    assert excess.log_evidence_below(upper) == pytest.approx(log(20))
    assert lower < 0.006 < upper
    assert excess.ratio == pytest.approx(0.006)
    assert excess.excess_bad == pytest.approx(60)


def test_bounds_narrow_with_the_requests_and_with_a_larger_alpha() -> None:
    few = excess_bounds([ComparedStep(1000, 8, 9000, 18)] * 3, 0.05)
    many = excess_bounds([ComparedStep(1000, 8, 9000, 18)] * 300, 0.05)
    bolder = excess_bounds([ComparedStep(1000, 8, 9000, 18)] * 300, 0.2)

    assert few[0] < many[0] < bolder[0] < 0.006 < bolder[1] < many[1] < few[1]
    # The standard error of so many requests is 0.0002, a quarter of the smaller side.
    assert many[1] - many[0] < 0.0012


@pytest.mark.parametrize(("alone", "least"), [(False, -1.0), (True, 0.0)])
def test_without_requests_nothing_is_shown(alone: bool, least: float) -> None:
    excess = Excess(alone=alone)

    assert excess.bounds(0.05) == (least, 1.0)
    assert excess.ratio is None
    assert excess.outlook(0.01, 0.05) is None


def test_the_ratio_of_a_canary_alone_has_bounds_around_it() -> None:
    excess = Excess(alone=True)
    for _ in range(20):
        excess = excess.after(ComparedStep(1000, 10))

    lower, upper = excess.bounds(0.05)

    # Robbins' beta-binomial mixture has 0.74% to 1.31% at 200 of 20,000, both sides at 5% together.
    assert 0.0075 < lower < 0.01 < upper < 0.0130
    assert excess.expected_bad == 0


def test_requests_without_a_baseline_excuse_nothing() -> None:
    calm, lonely = ComparedStep(1000, 1, 9000, 9), ComparedStep(1000, 100)

    lower, upper = excess_bounds([*[calm] * 50, *[lonely] * 50], 0.05)

    assert upper > 0.05
    assert lower < 0
    assert Excess().after(lonely).excess_bad == 100


def test_failures_of_the_baseline_without_the_canary_say_nothing() -> None:
    excess = Excess().after(ComparedStep(1000, 1, 9000, 9))

    later = excess.after(ComparedStep(0, 0, 9000, 900))

    assert later == excess


def test_a_canary_with_nearly_all_the_traffic_has_no_lower_bound_at_last() -> None:
    # 4096 requests beside one: a lift of 1 / 4096 is too large, too.
    excess = Excess().after(ComparedStep(4096, 4096, 1, 0))

    assert excess.log_evidence_above(-1.0) == -inf
    assert excess.bounds(0.05)[0] == -1.0
    assert excess.after(ComparedStep(5, 0)).lifts == (None,) * len(LIFTS)


@pytest.mark.variants(3)
@pytest.mark.parametrize(
    ("step", "within"),
    [
        (ComparedStep(1e7, 0, 9e7, 0), True),
        (ComparedStep(1e7, 1e7, 9e7, 9e7), True),
        (ComparedStep(1e7, 1e4, 9e7, 9e4), True),
        (ComparedStep(1e7, 3e4, 9e7, 9e4), False),
        (ComparedStep(1e4, 10, 9.99e6, 9990), True),
        (ComparedStep(9.99e6, 9990, 1e4, 10), True),
        (ComparedStep(100.4, 0.3, 899.7, 1.9), False),
    ],
)
def test_a_day_of_looks_every_minute_overflows_nowhere(step: ComparedStep, within: bool) -> None:
    excess = Excess()
    for _ in range(1440):
        excess = excess.after(step)
    lower, upper = excess.bounds(0.05)
    true = step.canary_bad / step.canary_total - step.baseline_bad / step.baseline_total

    assert isfinite(excess.log_evidence_below(0.001))
    assert lower <= true <= upper
    assert (upper <= 0.001) is within
    assert (excess.log_evidence_below(0.001) >= log(20)) is within


def test_the_outlook_is_how_many_requests_it_then_takes() -> None:
    step, excess = ComparedStep(100, 0.1, 900, 0.9), Excess()
    for _ in range(30):
        excess = excess.after(step)
    outlook = excess.outlook(0.001, 0.05)
    assert outlook is not None

    later, steps = excess, 0
    while later.log_evidence_below(0.001) < log(20):
        later, steps = later.after(step), steps + 1

    assert outlook == pytest.approx(steps * 100, abs=100)
    assert later.outlook(0.001, 0.05) == 0


def test_a_canary_that_fails_as_much_beyond_as_the_margin_has_no_outlook() -> None:
    assert Excess().after(ComparedStep(1000, 5, 9000, 27)).outlook(0.001, 0.05) is None


def test_bounds_go_on_from_their_document() -> None:
    steps = [ComparedStep(100, 3, 50, 2), ComparedStep(80, 0, 700, 4)]
    first = Excess().after(steps[0])

    restored = Excess().restored(first.document())

    assert None in first.lifts
    assert restored == first
    assert restored.after(steps[1]) == first.after(steps[1])


@pytest.mark.parametrize(
    "change", [{"canary": [1.0]}, {"drops": None}, {"lifts": None}, {"lifts": ["x"] * len(LIFTS)}]
)
def test_a_document_that_is_none_of_this_version_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the kept state"):
        Excess().restored(Excess().document() | change)
