"""Evidence that a canary is worse than its baseline: exact by enumeration, and by hand."""

from itertools import product
from math import comb, exp, inf, isfinite, log, prod

import pytest

from gate.history.sequential import (
    FROM_THE_START,
    RATIOS,
    ComparedStep,
    Worse,
    worse_evidence,
)

Chances = tuple[float, float]
"""The failure ratios of the canary and the baseline in a step."""


def binomial(trials: int, failures: int, chance: float) -> float:
    return comb(trials, failures) * chance**failures * (1 - chance) ** (trials - failures)


def mean_evidence(
    sizes: list[tuple[int, int]], chances: list[Chances], **claim: float | bool
) -> float:
    """Return the expected e-value, over every outcome there is."""
    outcomes = [list(product(range(n + 1), range(m + 1))) for n, m in sizes]
    mean = 0.0
    for outcome in product(*outcomes):
        worse, likely = Worse(**claim), 1.0  # type: ignore[arg-type]
        for (n, m), (p, q), (x, y) in zip(sizes, chances, outcome, strict=True):
            worse = worse.after(ComparedStep(n, x, m, y))
            likely *= binomial(n, x, p) * binomial(m, y, q)
        mean += likely * exp(worse.log_evidence)
    return mean


@pytest.mark.crossed
@pytest.mark.parametrize(
    "chances",
    [
        [(0.1, 0.1)] * 3,
        [(0.1, 0.1), (0.9, 0.9), (0.02, 0.02)],
        [(0.0, 0.0), (1.0, 1.0), (0.5, 0.5)],
        [(0.0, 0.3), (0.2, 0.2), (0.1, 0.6)],
    ],
    ids=["steady", "outage", "nothing and everything", "better"],
)
@pytest.mark.parametrize(
    "sizes",
    [[(2, 3)] * 3, [(1, 6), (6, 1), (3, 3)], [(4, 0), (2, 2), (0, 4)]],
    ids=["steady", "changing shares", "an arm without traffic"],
)
def test_without_a_difference_the_expected_evidence_is_at_most_1(
    sizes: list[tuple[int, int]], chances: list[Chances]
) -> None:
    assert mean_evidence(sizes, chances) <= 1 + 1e-12


def test_a_worse_canary_makes_the_expected_evidence_more_than_1() -> None:
    assert mean_evidence([(3, 3)] * 2, [(0.4, 0.1)] * 2) > 1.05


@pytest.mark.variants(2)
@pytest.mark.parametrize("base", [0.0, 0.05, 0.5, 0.8])
def test_an_excess_of_just_the_margin_keeps_the_expected_evidence_at_most_1(base: float) -> None:
    chances = [(base + 0.2, base), (base, base), (base + 0.2, base)]

    assert mean_evidence([(2, 3), (3, 1), (1, 4)], chances, margin=0.2) <= 1 + 1e-12


@pytest.mark.parametrize("lasting", [True, False])
def test_a_canary_alone_with_just_the_ratio_it_may_have_keeps_it_at_most_1(lasting: bool) -> None:
    sizes, claim = [(4, 0)] * 3, {"margin": 0.3, "alone": True, "lasting": lasting}

    assert mean_evidence(sizes, [(0.3, 0.0)] * 3, **claim) <= 1 + 1e-12
    assert mean_evidence(sizes, [(0.9, 0.0)] * 3, **claim) > 1


def test_a_lasting_claim_is_about_the_average_and_forgives_one_bad_step() -> None:
    sizes, chances = [(4, 0)] * 3, [(0.0, 0.0), (0.0, 0.0), (0.9, 0.0)]

    mean = mean_evidence(sizes, chances, margin=0.3, alone=True, lasting=True)

    assert mean <= 1 + 1e-12


def test_the_evidence_of_one_step_is_the_mean_of_likelihood_ratios() -> None:
    # The split of 5 failures between the two is binomial, with r n of r n + m as the canary's part.
    ratios = [
        binomial(5, 4, r * 100 / (r * 100 + 900)) / binomial(5, 4, 0.1)
        for r in (1.25, 1.5, 2, 3, 5, 8, 13, 30)
    ]

    evidence = worse_evidence([ComparedStep(100, 4, 900, 1)])

    assert evidence == pytest.approx(0.3 + 0.7 * sum(ratios) / 8)


def test_the_evidence_of_a_margin_takes_off_what_the_margin_allows() -> None:
    # By the formula of the module's docstring, with b = (r - 1) m / (r n + m).
    lifts = [(r - 1) * 900 / (100 * r + 900) for r in RATIOS]
    gains = [prod([(1 + b) ** 4, (1 - b / 9) ** 1, exp(-b * 100 * 0.01)]) for b in lifts]

    evidence = worse_evidence([ComparedStep(100, 4, 900, 1)], margin=0.01)

    assert evidence == pytest.approx(0.3 + 0.7 * sum(gains) / len(RATIOS))


def test_what_begins_later_is_weighed_by_the_failures_before() -> None:
    steps = [ComparedStep(100, 0, 900, 60), ComparedStep(100, 8, 900, 2)]
    begun = 0.3 * (1 - (1 + 60 / 20) ** -0.5)

    def ratio_of(r: float, step: ComparedStep) -> float:
        share, bad = r * 100 / (r * 100 + 900), round(step.canary_bad + step.baseline_bad)
        chances = [binomial(bad, round(step.canary_bad), each) for each in (share, 0.1)]
        return chances[0] / chances[1]

    gains = [(0.7 * ratio_of(r, steps[0]) + begun) * ratio_of(r, steps[1]) for r in RATIOS]

    assert worse_evidence(steps) == pytest.approx(sum(gains) / len(RATIOS) + 0.3 - begun)


@pytest.mark.parametrize(
    "step", [ComparedStep(0, 0, 900, 5), ComparedStep(100, 7), ComparedStep(100, 0, 900, 0)]
)
def test_a_step_that_compares_nothing_says_nothing(step: ComparedStep) -> None:
    before = Worse().after(ComparedStep(100, 3, 900, 2))

    assert before.after(step) == before


def test_an_outage_of_both_accuses_nobody() -> None:
    calm, outage = ComparedStep(100, 0, 900, 2), ComparedStep(100, 80, 900, 720)

    assert worse_evidence([calm] * 10 + [outage] * 20 + [calm] * 10) < 1


def test_a_canary_that_becomes_worse_late_is_seen() -> None:
    calm, worse = ComparedStep(100, 1, 900, 9), ComparedStep(100, 5, 900, 9)

    late = [*[calm] * 600, *[worse] * 12]

    assert worse_evidence([calm] * 612) < 1
    assert worse_evidence(late) > 20
    assert worse_evidence(late[590:]) > worse_evidence(late)


@pytest.mark.variants(3)
@pytest.mark.parametrize(
    ("step", "shown"),
    [
        (ComparedStep(1e7, 0, 9e7, 0), False),
        (ComparedStep(1e7, 1e7, 9e7, 9e7), False),
        (ComparedStep(1e7, 1e4, 9e7, 9e4), False),
        (ComparedStep(1e7, 2e4, 9e7, 9e4), True),
        (ComparedStep(1e7, 1e7, 9e7, 0), True),
        (ComparedStep(1e4, 10, 9.99e6, 9990), False),
        (ComparedStep(9.99e6, 9990, 1e4, 10), False),
        (ComparedStep(9.99e6, 99900, 1e4, 10), True),
        (ComparedStep(100.4, 0.2, 899.7, 1.9), False),
    ],
)
def test_a_day_of_looks_every_minute_overflows_nowhere(step: ComparedStep, shown: bool) -> None:
    worse = Worse()
    for _ in range(1440):
        worse = worse.after(step)

    assert isfinite(worse.log_evidence)
    assert (worse.log_evidence >= log(20)) is shown


def test_evidence_above_the_largest_float_is_infinite() -> None:
    assert worse_evidence([ComparedStep(1e6, 1e6, 1e6, 0)]) == inf


@pytest.mark.parametrize("count", [-1.0, float("nan"), inf])
def test_a_count_that_is_none_is_refused(count: float) -> None:
    with pytest.raises(ValueError, match="finite number of at least 0"):
        Worse().after(ComparedStep(100, 1, 900, count))


def test_the_evidence_goes_on_from_its_document() -> None:
    steps = [ComparedStep(100, 3, 900, 2), ComparedStep(80, 0, 700, 4)]
    first = Worse(margin=0.001).after(steps[0])

    restored = Worse(margin=0.001).restored(first.document())

    assert restored == first
    assert restored.after(steps[1]) == first.after(steps[1])


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"stake": 1.0, "started": []},
        {"stake": 1.0, "started": [0.0] * 7},
        {"stake": 1.0, "started": [0.0] * 7 + ["0"]},
        {"stake": 1.0, "started": [0.0] * 7 + [float("nan")]},
        {"stake": True, "started": [0.0] * 8},
    ],
)
def test_a_document_that_is_none_of_this_version_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="the kept state"):
        Worse().restored(document)


def test_the_weight_of_all_beginnings_is_1() -> None:
    worse = Worse()

    assert worse.log_evidence == pytest.approx(0)
    assert FROM_THE_START == 0.7
