"""Counts told apart by labels, as text; tests/live asks real servers."""

import pytest

from gate.promql.expression import read_expression
from gate.promql.grammar import ExpressionError
from gate.promql.grouping import group_by, group_without

A, B = 'increase(a{x="1"}[$window])', "increase(b[$window])"


def grouped(text: str, *labels: str) -> str:
    return "$window".join(group_by(read_expression(text, {}), labels or ("t",)).pieces)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"sum({A})", f"sum by (t) ({A})"),
        (f"SUM ( {A} )", f"sum by (t) ({A})"),
        (A, f"sum by (t) ({A})"),
        ('a{x="1"}', f"sum by (t) ({A})"),
        (f"(sum({A}))", f"sum by (t) ({A})"),
        (f"sum(sum by (pod, x) ({A}))", f"sum by (t) ({A})"),
        (f"sum({A}) by (x)", f"sum by (t) ({A})"),
        (f"sum without (pod) ({A})", f"sum by (t) ({A})"),
        (f"0.25 * sum({A})", f"0.25 * sum by (t) ({A})"),
        (f"sum({A}) or vector(0)", f"sum by (t) ({A})"),
        ("sum(sum_over_time(a[$window]))", "sum by (t) (sum_over_time(a[$window]))"),
        ("count_over_time({x='1'}[$window])", "sum by (t) (count_over_time({x='1'}[$window]))"),
    ],
)
def test_what_is_added_up_is_added_up_by_label(text: str, expected: str) -> None:
    assert grouped(text) == expected


def test_a_part_that_a_group_lacks_hides_no_other_part() -> None:
    found = grouped(f"(sum({A}) or vector(0)) - 0.5 * (sum({B}) + {A})")

    assert found == (
        "sum by (t) ("
        f'label_replace(sum by (t) ({A}),"gate_term","0","","") or '
        f'label_replace(-0.5 * sum by (t) ({B}),"gate_term","1","","") or '
        f'label_replace(-0.5 * sum by (t) ({A}),"gate_term","2","",""))'
    )


def test_a_native_histogram_keeps_the_labels_wherever_it_is_added_up() -> None:
    sums = "sum(increase(h[$window]))"
    share = f"histogram_fraction(0, 0.5, {sums}) * histogram_count({sums}) >= 0"

    assert grouped(f"histogram_count({sums})") == (
        "histogram_count(sum by (t)(increase(h[$window])))"
    )
    for text, zero in ((f"({share}) or vector(0)", True), (f"({share})", False)):
        found = group_by(read_expression(text, {}), ["t"])
        assert "$window".join(found.pieces) == f"({share})".replace("sum(", "sum by (t)(")
        assert found.zero is zero


def test_labels_may_be_several_and_have_any_name() -> None:
    assert grouped(A, "model", "http.route") == f'sum by (model, "http.route") ({A})'


@pytest.mark.parametrize(
    ("text", "zero"),
    [(f"sum({A}) or vector(0)", True), (f"sum({A} or vector(0))", True), (f"sum({A})", False)],
)
def test_whether_nothing_is_none_is_what_the_policy_says(text: str, zero: bool) -> None:
    assert group_by(read_expression(text, {}), ["t"]).zero is zero


@pytest.mark.parametrize(
    "text",
    [
        "max(increase(a[$window]))",
        "sum(rate(a[$window]))",
        "sum(increase(a[$window])) * 2",
        "sum(increase(a[$window])) or sum(increase(b[$window]))",
        "increase(sum(a)[$window:5m])",
        "increase(a[$window:5m])",
        "sum(increase + increase(a[$window]))",
        "sum(increase(a[$window] offset 5m))",
        "sum(increase(a[$window])) unless b[$window]",
        "0x1f * sum(increase(a[$window]))",
        "2 + sum(increase(a[$window]))",
        "sum(increase(a[$window])",
        "avg_over_time(a[$window])",
        "histogram_count(sum by (pod) (increase(h[$window])))",
        "histogram_sum(sum(increase(h[$window])))",
        "increase (a[$window], b[$window])",
    ],
)
def test_what_is_not_a_sum_of_increases_is_not_distinguished(text: str) -> None:
    with pytest.raises(ExpressionError):
        grouped(text)


def without(text: str) -> str:
    return "$window".join(group_without(read_expression(text, {}), ["pod", "le"]).pieces)


def test_a_count_may_keep_all_labels_but_some() -> None:
    assert without(f"sum by (x) ({A})") == f"sum without (pod, le) ({A})"
    assert without(f"sum({A}) - 0.5 * {B}") == (
        "sum without (pod, le, gate_term) ("
        f'label_replace(sum without (pod, le) ({A}),"gate_term","0","","") or '
        f'label_replace(-0.5 * sum without (pod, le) ({B}),"gate_term","1","",""))'
    )
    with pytest.raises(ExpressionError):
        without(f"max({A})")
