from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.policy.changes import BUILT_IN_CHANGES, DEFAULT_CHANGE, REPAIRS, ROLLBACK
from gate.policy.findings import Verdict, worst
from gate.wording import burn_shown, percent_left

ALLOW, WARN, UNDECIDED, BLOCK = Verdict


def test_nothing_proved_is_undecided() -> None:
    assert worst([]) is UNDECIDED


@pytest.mark.parametrize("verdicts", list(permutations(Verdict)))
def test_the_worst_verdict_counts_in_any_order(verdicts: tuple[Verdict, ...]) -> None:
    order = [ALLOW, WARN, UNDECIDED, BLOCK]
    for place in range(1, len(verdicts) + 1):
        assert worst(verdicts[:place]) is order[max(map(order.index, verdicts[:place]))]


@pytest.mark.parametrize(
    "share, text",
    [
        ("1", "100.0%"),
        ("0.99999", "99.9%"),
        ("0.57142857", "57.1%"),
        ("0.0009", "0.0%"),
        ("0", "0.0%"),
        ("-0.00001", "-0.1%"),
        ("-0.5", "-50.0%"),
        ("-11", "-1,100.0%"),
    ],
)
def test_what_is_left_is_rounded_down(share: str, text: str) -> None:
    assert percent_left(Fraction(share)) == text


def test_what_is_left_can_be_shown_without_decimals() -> None:
    assert percent_left(Fraction("0.999"), 0) == "99%"


@given(st.fractions(min_value=-100, max_value=1))
def test_what_is_shown_is_never_more_than_what_is_left_nor_much_less(share: Fraction) -> None:
    shown = Fraction(percent_left(share).removesuffix("%").replace(",", "")) / 100
    assert shown <= share < shown + Fraction(1, 1000)


@pytest.mark.parametrize(
    "rate, text",
    [
        ("0", "0.00"),
        ("0.000001", "<0.01"),
        ("0.01", "0.01"),
        ("14.399999", "14.39"),
        ("14.4", "14.40"),
        ("1000", "1,000.00"),
    ],
)
def test_a_burn_rate_is_rounded_down_and_never_to_none(rate: str, text: str) -> None:
    assert burn_shown(Fraction(rate)) == text


def test_the_change_classes_are_those_of_the_glossary() -> None:
    assert set(BUILT_IN_CHANGES) == {
        "canary",
        "full-rollout",
        "model-update",
        "prompt-update",
        "config-change",
        "experiment",
        "bug-fix",
        "reliability-fix",
        "security-patch",
        "rollback",
    }
    assert {DEFAULT_CHANGE, ROLLBACK} | REPAIRS <= set(BUILT_IN_CHANGES)
    assert DEFAULT_CHANGE not in REPAIRS
    assert ROLLBACK in REPAIRS
