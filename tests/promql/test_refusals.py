"""Expressions that count no events over the window: the part, its place, reason and remedy."""

import pytest

from gate.promql.counting import read_count
from gate.promql.grammar import ExpressionError

HERE = "¦"
CASES = {
    "¦x_total": ("`x_total`", "write increase(x_total[$window])"),
    "¦rate": ("`rate`", "at one instant"),
    "¦vector(1)": ("`vector(1)`", "a fixed number"),
    "¦5": ("`5`", "a fixed number"),
    "sum(¦rate(x[5m]))": ("`rate(x[5m])`", "over 5m, not over the window; write [$window]"),
    "sum(¦rate(x))": ("`rate(x)`", "has no range"),
    "sum(¦rate(x[$window], 5))": ("`rate(x[$window], 5)`", "has no range"),
    "sum(rate(x[$window])) ¦* 60": ("`*`", "leave the factor out"),
    "60 ¦* sum(rate(x[$window]))": ("`*`", "leave the factor out"),
    "sum(¦rate(x[$window] offset 2h))": ("offset 2h", "leave out `offset`"),
    "sum(¦rate(x[$window] @ 16))": ("@ 16", "leave out `@`"),
    "¦avg(rate(x[$window]))": ("`avg(rate(x[$window]))`", "write sum(...)"),
    "¦max by (a) (rate(x[$window]))": ("`max by (a)", "write sum(...)"),
    "sum(¦irate(x[$window]))": ("`irate(x[$window])`", "write rate(...)"),
    "sum(¦avg_over_time(x[$window]))": ("`avg_over_time", "write sum_over_time(...)"),
    "¦histogram_quantile(0.9, rate(x[$window])) > 1": ("`histogram_q", "a quantile"),
    "sum(rate(x[$window])) ¦> 5": ("`>`", "by their size"),
    "sum(rate(x[$window])) ¦> bool 0": ("`>`", "by their size"),
    "¦increase(x[$window])[$window:]": ("`increase(x[$window])[$window:]`", "write a sum of"),
    "¦sum_over_time((increase(x[$window]))[$window:])": ("sum_over_time", "window within a window"),
    "increase((x)[$window:]) ¦/ 2": ("`/`", "give each count by itself"),
    "sum(increase(x[$window])) or ¦vector(1)": ("`vector(1)`", "vector(0) is allowed"),
    "¦vector(0) or sum(increase(x[$window]))": ("`vector(0)`", "write it last"),
    "sum(increase(x[$window])) ¦unless y": ("`unless`", "select events by their labels"),
    "sum(increase(x[$window]) ¦and on (a) y)": ("`and`", "select events by their labels"),
    "increase(x[$window]) ¦+ on (a) group_left increase(y[$window])": ("`+`", "aggregate"),
    "sum(¦round(increase(x[$window])))": ("`round(", "round(sum(increase"),
    "¦round(sum(rate(x[$window])))": ("`round(", "rounds a rate"),
    "¦round(sum(increase(x[$window])), 100)": ("`round(", "write round("),
    "¦clamp_min(sum(increase(x[$window])), 1)": ("`clamp_min(", "clamp_min(..., 0)"),
    "¦-sum(increase(x[$window]))": ("`-sum(", "write a sum of"),
    "sum(increase(x[$window])) ¦^ 2": ("`^`", "write a sum of"),
    "¦topk(1, increase(x[$window]))": ("`topk(", "leaves out"),
    "¦stddev(increase(x[$window]))": ("`stddev(", "write a sum of"),
    "¦time()": ("`time()`", "write a sum of"),
    "¦'x'": ("`'x'`", "write a sum of"),
    "sum(increase(x[$window])) + ¦up offset 5m": ("`up offset 5m`", "write a sum of"),
    f"¦rate(x{{a='{'long' * 20}'}}[5m])": ("longl...`", "over 5m"),
    "sum(¦x[$window])": ("`x[$window]`", "write increase(...) around it"),
    "sum(¦rate(x[$window] offset -5m))": ("offset -5m", "leave out `offset`"),
    "sum(¦rate(x[$window] @ end()))": ("@ end()", "leave out `@`"),
    "sum(¦rate(x[$window] offset $window))": ("offset $window", "leave out `offset`"),
    "sum(¦sum_over_time((x offset 5m)[$window:1m]))": ("offset 5m", "leave out `offset`"),
    "increase(a[$window] offset 5m) + ¦increase(b[$window])": ("`increase(b[", "the same offset"),
    "sum(increase(x[$window])) ¦- sum by (a) (increase(y[$window]))": ("`-`", "both sides"),
    "sum by (a, b) (rate(x[$window])) ¦+ sum by (a) (rate(y[$window]))": ("`+`", "both sides"),
    "rate(x[$window]) ¦+ sum(rate(y[$window]))": ("`+`", "both sides"),
    "label_replace(rate(x[$window]), 'a', '', '', '') ¦- rate(y[$window])": ("`-`", "these differ"),
    "rate(x[$window]) or ¦label_replace(rate(y[$window]), 'a', '', '', '')": (
        "`label_r",
        "after both",
    ),
    "0x1f ¦* sum(rate(x[$window]))": ("`*`", "leave the factor out"),
    "¦{__name__='x'}": ("`{__name__='x'}`", "at one instant"),
    "sum(increase(x[$window])) + sum(¦rate(y[$window]))": ("`rate(", "is a rate, and another"),
    "¦avg_over_time(label_replace(x, 'a', 'b', 'c', 'd')[$window:1m])": ("`avg_", "a mean"),
}


@pytest.mark.parametrize("marked", CASES)
def test_the_part_that_does_not_count_is_named_at_its_place(marked: str) -> None:
    before, _, after = marked.partition(HERE)
    part, advice = CASES[marked]
    with pytest.raises(ExpressionError) as caught:
        read_count(before + after)
    message = str(caught.value)
    assert part in message
    assert advice in message
    assert caught.value.place == len(before)


def test_a_quantile_is_named_and_the_bucket_that_counts_instead() -> None:
    with pytest.raises(ExpressionError, match=r"quantile, not a count.*_bucket"):
        read_count("histogram_quantile(0.9, sum by (le) (rate(x_bucket[$window])))")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a +", None),
        ("", None),
        ("a b", 2),
        ("sum(a", 3),
        ("sum by a (x)", 7),
        ("f(a b)", 4),
        ("(a b)", 3),
        ("a[]", 1),
        ("sum(a)[5m]", 6),
        ("a offset (5m)", 9),
        ("a{b='c'", 1),
        ("a)", 1),
        ("increase(x[$range])", 11),
        ("a + 'b", 4),
        ("[5m]", 0),
        ("increase($labels[5m])", 9),
    ],
)
def test_what_is_not_promql_is_refused_where_that_shows(text: str, place: int | None) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_count(text)
    assert caught.value.place == place


@pytest.mark.parametrize(
    "text",
    [
        "(" * 90 + "x" + ")" * 90 + "/ 2" * 90,
        "(" * 5000 + "x" + ")" * 5000,
        "-" * 5000 + "x",
        "x" + " ^ x" * 5000,
        "sum(increase(x[$window]))" + " + sum(increase(x[$window]))" * 5000,
    ],
)
def test_an_expression_that_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="more than 100 parts within each other; split it"):
        read_count(text)


def test_a_sum_of_many_parts_is_read() -> None:
    text = "sum(increase(x[$window]))" + " + sum(increase(x[$window]))" * 90

    assert read_count(text).text == text
