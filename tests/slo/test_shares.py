from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.slo.quantities import parse_ratio


@pytest.mark.parametrize("text", ["99.9%", "99.9 %", " 99.90%", "0.999", ".999", "+0.999"])
def test_a_percentage_and_its_share_are_the_same_exact_number(text: str) -> None:
    assert parse_ratio(text) == Fraction(999, 1000)


@pytest.mark.parametrize(
    "text, value",
    [
        ("0", Fraction(0)),
        ("1", Fraction(1)),
        ("1.", Fraction(1)),
        ("-0.5", Fraction(-1, 2)),
        ("-50%", Fraction(-1, 2)),
        ("1%", Fraction(1, 100)),
        ("250%", Fraction(5, 2)),
        ("99.999999999999999999%", 1 - Fraction(1, 10**20)),
    ],
)
def test_a_share_is_read_exactly(text: str, value: Fraction) -> None:
    assert parse_ratio(text) == value


@pytest.mark.parametrize("text", ["99.9", "1.1", "-2"])
def test_a_bare_number_above_one_is_ambiguous(text: str) -> None:
    with pytest.raises(ValueError, match=f"a bare {text} is ambiguous; write {text}% or"):
        parse_ratio(text)


@pytest.mark.parametrize(
    "text", ["", "%", "nan", "inf", "1e-3", "1/3", "0,5", "99.9%%", "½", "1 2"]
)
def test_what_is_not_a_share_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a valid percentage or share"):
        parse_ratio(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_no_digit_is_lost_in_a_percentage(billionths: int) -> None:
    text = f"{billionths // 10**10}.{billionths % 10**10:010}%"
    assert parse_ratio(text) == Fraction(billionths, 10**12)
