"""Divisions, and what they are divisions of."""

import pytest

from gate.promql.grammar import ExpressionError
from gate.promql.quotients import check_share, quotient_of_counts, read_quotient


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("a / b", ("a", "b", False)),
        ("( (a - c) / b )", ("(a - c)", "b", False)),
        ("1 - (a / b)", ("a", "b", True)),
        ("1 - a / b", ("a", "b", True)),
        ("a / ignoring (le) sum(b)", ("a", "sum(b)", False)),
        ("a / on() b", ("a", "b", False)),
        ('a{x="/"} / b[5m:1m]', ('a{x="/"}', "b[5m:1m]", False)),
        ("a / b or vector(0)", ("a", "b", False)),
        ("1 - (a / b or on () vector(0))", ("a", "b", True)),
        ("a / b / c", ("a / b", "c", False)),
    ],
)
def test_a_division_has_two_sides(text: str, sides: tuple[str, str, bool]) -> None:
    found = read_quotient(text)

    assert found is not None
    assert (found.numerator, found.denominator, found.complement) == sides


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a * b",
        "a - b / c",
        "a / b * 100",
        "a / b or c",
        "2 - a / b",
        "1 - (1 - a / b)",
        "1 - a",
        "a / on(x) group_left (y) b",
        "a / b > bool 0.5",
    ],
)
def test_anything_else_has_no_two_sides(text: str) -> None:
    assert read_quotient(text) is None


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("increase(a[$window]) / sum(rate(b[$window]))", True),
        ("1 - increase(a[$window]) / increase(b[$window])", True),
        ("increase(a[$window]) / (increase(b[$window]) > 0)", True),
        ("avg(increase(a[$window])) / increase(b[$window])", False),
        ("increase(a[$window])", False),
    ],
)
def test_a_quotient_of_counts_has_a_count_on_either_side(text: str, counts: bool) -> None:
    assert quotient_of_counts(text) == (read_quotient(text) if counts else None)


E, G, T = (f"sum(rate({name}[$window]))" for name in "egt")


@pytest.mark.parametrize(
    ("text", "place", "written"),
    [
        (f"{E} or vector(0) / {T}", f"{E} ", f"({E} or vector(0)) / {T}"),
        (f"vector(0) / {T} or {E}", f"vector(0) / {T} ", f"vector(0) / ({T} or {E})"),
        (f"{T} - {G} / {T}", f"{T} ", f"({T} - {G}) / {T}"),
        (f"1 - ({E} + {G} / {T})", f"1 - ({E} ", f"({E} + {G}) / {T}"),
        (f"{E} / {T} + {G}", f"{E} / {T} ", f"{E} / ({T} + {G})"),
    ],
)
def test_a_slip_of_precedence_is_named_with_the_brackets_that_it_lacks(
    text: str, place: str, written: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        check_share(text)

    assert caught.value.place == len(place)
    assert str(caught.value) == (
        f"`{text[len(place) :].partition(' ')[0]}` binds less than `/`, so that only one side of it"
        f" is divided; write {written}"
    )


@pytest.mark.parametrize("text", [E, f"({E})", f"1 - {E}", f"{E} - {G}", f"{E} or vector(0)"])
def test_a_number_of_events_is_not_mistaken_for_a_share_of_them(text: str) -> None:
    with pytest.raises(ExpressionError, match="is a number of events and no share of them"):
        check_share(text)


@pytest.mark.parametrize("text", [f"100 * {E} / {T}", f"{E} / {T} * 100", "(avg(x) * 100)"])
def test_a_percentage_is_not_mistaken_for_a_share(text: str) -> None:
    with pytest.raises(ExpressionError, match="`100` makes a percentage"):
        check_share(text)


@pytest.mark.parametrize(
    "text",
    [
        "my_error_ratio",
        "1 - avg(up)",
        f"{E} / {T}",
        f"({E} / {T}) or vector(0)",
        f"1 - ({G} / {T})",
        "avg(x) / avg(y)",
        "a - b / c",
        "2 * x",
        f"{E} / {T} + {G} / {T}",
    ],
)
def test_a_share_stays_one(text: str) -> None:
    check_share(text)
