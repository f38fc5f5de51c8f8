"""The parts that are added up to a count."""

import pytest

from gate.promql.counting import count_of_counters, read_count
from gate.promql.grammar import ExpressionError
from gate.promql.parts import rest_of, with_absent_parts

A, B, C = (f"increase({name}[$window])" for name in "abc")
UP, SEEN = "sum_over_time(up[$window])", "count_over_time(up[$window])"


@pytest.mark.parametrize(
    ("whole", "text", "rest"),
    [
        (f"sum({A})", f"sum({A}) - sum({B})", f"sum({B})"),
        (f"sum({A})", f"( sum( {A} ) - sum(increase(b{{a='-'}}[$window])) )", None),
        (f"sum({A})", f"(sum({A}) - sum({B})) or vector(0)", f"sum({B})"),
        (f"sum by (x) ({A})", f"clamp_min(sum by (x) ({A}) - sum by (x) ({B}), 0)", "BY"),
        (f"sum({A})", f"sum({A}) - sum({B}) > 0", f"sum({B})"),
        (f"sum({A}) > 0", f"sum({A}) - sum({B})", f"sum({B})"),
        (f"sum({SEEN})", f"sum({SEEN} - {UP})", f"sum({UP})"),
        (f"sum by (x) ({SEEN})", f"sum by (x) ({SEEN} - {UP})", f"sum({UP})"),
        (f"sum({A} + {B})", f"sum({A} + {B}) - sum({C})", f"sum({C})"),
        (f"sum({A})", f"sum({A} - {B})", None),
        (f"sum({A})", f"sum({A}) - sum({B}) - sum({C})", None),
        (f"sum({A})", f"sum({B}) - sum({A})", None),
        (f"sum({A})", f"sum({A}) + sum({B})", None),
        (f"sum({A})", f"sum({A})", None),
        (f"sum({A} or {B})", f"(sum({A}) or sum({B})) - sum({C})", None),
    ],
)
def test_the_rest_is_what_is_taken_from_the_whole(whole: str, text: str, rest: str | None) -> None:
    expected = {"BY": f"sum by (x) ({B})"}.get(rest or "", rest)
    if "'-'" in text:
        expected = "sum(increase(b{a='-'}[$window]))"
    assert rest_of(read_count(whole), read_count(text)) == expected


def test_the_rest_of_counters_is_their_increase() -> None:
    counters = map(count_of_counters, ("sum(x)", "sum(x) - sum(y)"))

    assert rest_of(*counters) == "sum(increase(y[$window]))"


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        (f"sum({A})", f"sum({A})"),
        (f"(sum({A}))", f"(sum({A}))"),
        (f"sum({A})+sum({B})", f"(sum({A}) or vector(0)) + (sum({B}) or vector(0))"),
        (
            f"({A}+ {B} - {C})",
            f"(sum({A}) or vector(0)) + (sum({B}) or vector(0)) - (sum({C}) or vector(0))",
        ),
        (f"{A} + {B} OR on() vector(0)", f"(sum({A}) or vector(0)) + (sum({B}) or vector(0))"),
        (f"{A} or {B}", f"{A} or {B}"),
        (f"{A} or vector(0)", f"{A} or vector(0)"),
        (f"({A} or vector(0)) + {B}", f"(sum({A}) or vector(0)) + (sum({B}) or vector(0))"),
        (f"({A} + {B}) or vector(0)", f"(sum({A}) or vector(0)) + (sum({B}) or vector(0))"),
        (
            f"{A} - ({B} - {C})",
            f"(sum({A}) or vector(0)) - (sum({B}) or vector(0)) + (sum({C}) or vector(0))",
        ),
        (
            f"sum(sum({A}) + sum({B}))",
            f"(sum({A}) or vector(0)) + (sum({B}) or vector(0))",
        ),
        (f"sum({SEEN} - {UP})", f"(sum({SEEN}) or vector(0)) - (sum({UP}) or vector(0))"),
        (f"sum({A}) + sum({B}) > 0", f"(sum({A}) or vector(0)) + (sum({B}) or vector(0))"),
        (
            f"clamp_min(sum({A}) - sum({B}), 0)",
            f"clamp_min((sum({A}) or vector(0)) - (sum({B}) or vector(0)), 0)",
        ),
        (f"clamp_min(sum({UP}), 0)", f"clamp_min(sum({UP}), 0)"),
        (
            f"sum({A}) - sum({B}) > 0",
            f"clamp_min((sum({A}) or vector(0)) - (sum({B}) or vector(0)), 0)",
        ),
        (
            f"sum(sum({UP}) > 0) + sum({A})",
            f"(sum(clamp_min(sum({UP}), 0)) or vector(0)) + (sum({A}) or vector(0))",
        ),
        (
            f"label_replace(sum({A}), 'a', 'b', 'c', 'd')"
            f" + label_replace(sum({B}), 'a', 'b', 'c', 'd')",
            f"(sum({A}) or vector(0)) + (sum({B}) or vector(0))",
        ),
    ],
)
def test_a_part_that_is_absent_does_not_take_the_others_with_it(text: str, safe: str) -> None:
    assert with_absent_parts(read_count(text)) == safe


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (f"sum({A} + {B})", f"sum({A} "),
        (f"{A} or {B} + {C}", f"{A} or {B} "),
        (f"{A} + {B} or {C}", f"{A} "),
        (f"clamp_min(sum by (x) ({A}) - sum by (x) ({B}), 0)", f"clamp_min(sum by (x) ({A}) "),
        (f"0.5 * (sum({A}) + sum({B}))", f"0.5 * (sum({A}) "),
    ],
)
def test_parts_that_cannot_be_told_are_refused(text: str, place: str) -> None:
    with pytest.raises(ExpressionError, match="one of which may be absent") as caught:
        with_absent_parts(read_count(text))
    assert caught.value.place == len(place)
