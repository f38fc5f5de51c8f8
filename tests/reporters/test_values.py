from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate import wording
from gate.measure import Cause, Counts, Granted, Share, Spent, Unmeasured
from tests.budget.building import counts, evidence, share

SHARES = st.fractions(min_value=-20, max_value=1)


def test_what_was_not_measured_has_no_number() -> None:
    lost = Unmeasured(cause=Cause.NO_DATA, reason="none")
    shown = {
        wording.left(None),
        wording.spent(None),
        wording.amount(None),
        wording.burn(None),
        wording.burn(lost),
    }
    assert shown == {"-"}


@given(SHARES)
def test_what_is_left_is_never_shown_as_more_and_makes_100_with_what_is_spent(
    share: Fraction,
) -> None:
    left = Fraction(wording.left(share).removesuffix("%").replace(",", "")) / 100
    spent = Fraction(wording.spent(1 - share).removesuffix("%").replace(",", "")) / 100
    assert share - Fraction(1, 1000) < left <= share
    assert left + spent == 1


def test_a_hair_less_than_all_is_not_100_percent() -> None:
    assert wording.left(Fraction("0.9996")) == "99.9%"
    assert wording.left(Fraction("0.9996"), 0) == "99%"
    assert wording.left(Fraction("-0.5")) == "-50.0%"
    assert wording.spent(Fraction("0.00001")) == "0.1%"
    assert wording.spent(Fraction(0)) == "0.0%"


@pytest.mark.parametrize(
    "written, shown",
    [("0.999", "99.9%"), ("0.999999999", "99.9999999%"), ("0.5", "50%"), ("1", "100%")],
)
def test_an_objective_keeps_all_its_digits(written: str, shown: str) -> None:
    assert wording.percent(Fraction(written)) == shown


def test_an_endless_objective_is_cut_and_not_rounded_up() -> None:
    assert wording.percent(Fraction(2, 3)) == "66.6666666666%"
    assert wording.percent(1 - Fraction(1, 10**15)) == "99.9999999999%"


@pytest.mark.parametrize(
    "amount, shown",
    [
        ("0", "0"),
        ("0.02", "<0.1"),
        ("0.3", "0.3"),
        ("9.96", "10.0"),
        ("48382.94", "48,383"),
        ("1200000", "1,200,000"),
    ],
)
def test_a_small_estimate_is_not_shown_as_nothing(amount: str, shown: str) -> None:
    assert wording.amount(Fraction(amount)) == shown


@given(st.fractions(min_value=0, max_value=2_000), st.integers(1, 2_000).map(lambda n: n / 100))
def test_a_burn_rate_looks_as_if_it_had_reached_a_threshold_only_when_it_has(
    rate: Fraction, threshold: float
) -> None:
    exact = Fraction(str(threshold))
    shown = wording.burn(rate)
    if shown == "<0.01":
        assert 0 < rate < Fraction(1, 100)
    else:
        assert (Fraction(shown.replace(",", "")) >= exact) == (rate >= exact)


def test_instants_are_shown_in_utc() -> None:
    at = datetime(2026, 11, 25, 14, 0, 7, tzinfo=UTC)
    assert wording.instant(at) == "2026-11-25 14:00 UTC"
    assert wording.exact_instant(at) == "2026-11-25T14:00:07Z"


def test_time_that_is_left_is_rounded_down_and_may_be_overspent() -> None:
    allowed = timedelta(minutes=43, seconds=12)
    assert wording.downtime(Fraction(1, 2), allowed) == "21m36s of 43m12s left"
    assert wording.downtime(Fraction(-1, 2), allowed) == "21m36s more than the 43m12s"
    assert wording.downtime(Fraction(999_999, 1_000_000), allowed) == "43m11s of 43m12s left"


@pytest.mark.parametrize(
    "low, high, words",
    [
        ("0.052", "0.303", "between 5.2% and 30.3% is left"),
        ("0", "0", "0.0% is left"),
        ("-0.4286", "0.303", "the budget is anything from overspent by 42.9% to 30.3% left"),
        ("-0.2", "0", "the budget is anything from overspent by 20.0% to 0.0% left"),
        ("-2.5", "-0.5", "the budget is overspent by 50.0% to 250.0%"),
        ("-3.707", "-1.402", "the budget is overspent by 1.5 to 3.8 budgets"),
        ("0.56521", "0.56529", "56.5% is left"),
        ("0.4996", "0.5004", "between 49.9% and 50.0% is left"),
        ("-0.10039", "-0.10031", "the budget is overspent by 10.1%"),
    ],
)
def test_below_zero_a_range_says_how_far_a_budget_is_overspent(
    low: str, high: str, words: str
) -> None:
    assert wording.budget_between(Fraction(low), Fraction(high)) == words


@given(share=SHARES)
def test_nothing_negative_is_ever_left(share: Fraction) -> None:
    for text in (wording.budget_left(share), wording.left_or_overspent(share)):
        assert "-" not in text
        assert ("overspent" in text) is (share < 0)
        number = Fraction(text.split("%")[0].split()[-1].replace(",", "")) / 100
        # What is left is rounded down, so what is overspent is rounded up.
        assert abs(share) - number < Fraction(1, 1000) if share >= 0 else number >= abs(share)


def test_a_budget_that_is_just_gone_is_not_overspent() -> None:
    assert wording.budget_left(Fraction(0)) == "0.0% of its budget is left"
    assert wording.budget_left(Fraction(-1, 2)) == "its budget is overspent by 50.0%"
    assert wording.left_or_overspent(Fraction(-1, 2)) == "overspent by 50.0%"
    assert wording.left_or_overspent(None) == "-"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (counts(bad=12, total=43_190), "12 bad of 43,190"),
        (counts(bad=720, total=43_200, granted=Granted.SECONDS), "12m bad of 12h"),
        (share("0.0005", "0.00005"), "0.05% bad, give or take 0.005%"),
        (share("0.000483091787439", "0.0000001"), "0.048309% bad, give or take 0.00001%"),
        (share("0.00025463", "0.00000048"), "0.025463% bad, give or take 0.000048%"),
        (share("0.3", "0.0000000000001"), "30% bad, give or take 0.000001%"),
        (share("0.2", "0.08"), "20% bad, give or take 8%"),
        (Spent(amount=Fraction("31.5"), evidence=evidence()), "31.50 spent"),
    ],
)
def test_what_is_counted_is_written_as_what_it_is(
    answer: Counts | Share | Spent, words: str
) -> None:
    assert wording.counted(answer) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ("0.4", "0.4", "40.0%"),
        ("0.47", "0.53", "47.0% to 53.0%"),
        ("0", "0.5", "0.0% to 50.0%"),
        ("-0.1", "0.5", "overspent by 10.0% to 50.0% left"),
        ("-0.2", "-0.1", "overspent by 10.0% to 20.0%"),
        ("-0.2", "-0.2", "overspent by 20.0%"),
        ("0.56521", "0.56529", "56.5%"),
    ],
)
def test_what_is_left_is_written_between_its_ends(low: str, high: str, words: str) -> None:
    assert wording.left_between(Fraction(low), Fraction(high)) == words
