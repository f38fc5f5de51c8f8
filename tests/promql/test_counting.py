import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.promql.counting import (
    count_of_counters,
    is_selector,
    quotient_of_counts,
    read_count,
    read_quotient,
    rest_of,
    with_absent_parts,
)
from gate.promql.grammar import ExpressionError
from gate.promql.selectors import either_boundary

ANY_TEXT = st.text(alphabet="ab(){}[]\"'$#, \n5mx:+-/*1<ornwindow")


@pytest.mark.parametrize(
    "text",
    [
        'sum(increase(x{a="rate("}[$window]))',
        "sum by (job) (increase(x[$window])) - sum by (job) (increase(y[$window]))",
        "sum(increase(old[$window]) or increase(new[$window]))",
        "sum(sum_over_time(up[$window]))",
        "sum(increase(x[$window])) OR on() vector(0)",
        "sum_over_time((count(x < 0.75))[$window:]) OR on() vector(0)",
        "sum_over_time(count(x)[$window:1m])",
        "(count_over_time((x)[$window:30s]))",
    ],
)
def test_what_counts_is_left_as_it_is_written(text: str) -> None:
    count = read_count(f" {text}\n")

    assert (count.text, count.rate) == (text, False)


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ('sum(rate(x{a="1"}[$window]))', 'sum(increase(x{a="1"}[$window]))'),
        ("sum( rate (x[$window]) ) or vector(0)", "sum( increase (x[$window]) ) or vector(0)"),
        (
            "(\n  sum(rate(n[$window]))\n  -\n  sum(rate(b[$window]))\n)",
            "( sum(increase(n[$window])) - sum(increase(b[$window])) )",
        ),
    ],
)
def test_a_rate_over_the_window_becomes_the_increase_over_it(text: str, counted: str) -> None:
    count = read_count(text)

    assert (count.text, count.rate) == (counted, True)


@pytest.mark.parametrize(
    "text",
    [
        "x_total",
        "rate",
        "vector(1)",
        "sum(rate(x[5m]))",
        "sum(rate(x[$window])) * 60",
        "sum(rate(x[$window] offset 5m))",
        "avg(rate(x[$window]))",
        "sum(irate(x[$window]))",
        "sum(rate(x[$window])) > 0",
        "1 - histogram_share(0.2, sum by (le) (rate(x[$window])))",
        "increase(x[$window])[$window:]",
        "sum_over_time((increase(x[$window]))[$window:])",
        "sum_over_time(sum by (a) (x)[$window:])",
        "increase((x)[$window:]) / 2",
        "sum(increase(x[$window])) or vector(1)",
    ],
)
def test_of_anything_else_it_is_not_known_what_it_counts(text: str) -> None:
    with pytest.raises(ExpressionError, match="no count of events over the window"):
        read_count(text)


def test_a_rate_and_a_count_do_not_add_up() -> None:
    with pytest.raises(ExpressionError, match="a rate and a count"):
        read_count("sum(rate(x[$window])) + sum(increase(y[$window]))")


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ('x{a="1"}', 'x{a="1"}'),
        ('sum(x{a="1"})', 'sum(increase(x{a="1"}[$window]))'),
        (
            "sum by (b) (x) - sum(y)",
            "sum by (b) (increase(x[$window])) - sum(increase(y[$window]))",
        ),
        ("sum(old or new)", "sum(increase(old[$window]) or increase(new[$window]))"),
        ("sum(x or vector(0))", "sum(increase(x[$window]) or vector(0))"),
    ],
)
def test_a_counter_is_counted_over_the_window(text: str, counted: str) -> None:
    assert count_of_counters(text) == counted


@pytest.mark.parametrize(
    "text", ["sum(increase(x[$window]))", "sum(rate(x[5m]))", "max(x)", "sum(x) * 2", "avg(x)"]
)
def test_no_increase_is_taken_of_what_is_no_counter(text: str) -> None:
    with pytest.raises(ExpressionError, match="neither a counter"):
        count_of_counters(text)


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
        ("a /", ("a", "", False)),
    ],
)
def test_a_division_has_two_sides(text: str, sides: tuple[str, str, bool]) -> None:
    found = read_quotient(text)

    assert found is not None
    assert (found.numerator, found.denominator, found.complement) == sides


@pytest.mark.parametrize(
    "text",
    [
        "",
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
        "x[5m] / (y) / z",
    ],
)
def test_anything_else_has_no_two_sides(text: str) -> None:
    assert read_quotient(text) is None


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("sum(x) - sum(y)", "sum(y)"),
        ("( sum( x ) - sum(y{a='-'}) )", "sum(y{a='-'})"),
        ("sum(x) - sum(y) - sum(z)", None),
        ("sum(y) - sum(x)", None),
        ("sum(x) + sum(y)", None),
        ("sum(x)", None),
    ],
)
def test_the_rest_is_what_is_taken_from_the_whole(text: str, rest: str | None) -> None:
    assert rest_of("sum(x)", text) == rest


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("sum(increase(a[$window]))", "sum(increase(a[$window]))"),
        ("(sum(increase(a[$window])))", "(sum(increase(a[$window])))"),
        (
            "(increase(a[$window])+ increase(b[$window]) - increase(c[$window]))",
            "(increase(a[$window]) or vector(0)) + (increase(b[$window]) or vector(0))"
            " - (increase(c[$window]) or vector(0))",
        ),
        (
            "increase(a[$window]) + increase(b[$window]) OR on() vector(0)",
            "(increase(a[$window]) or vector(0)) + (increase(b[$window]) or vector(0))",
        ),
        (
            "increase(a[$window]) or increase(b[$window])",
            "increase(a[$window]) or increase(b[$window])",
        ),
        ("increase(a[$window]) or vector(0)", "increase(a[$window]) or vector(0)"),
        (
            "(increase(a[$window]) or vector(0)) + increase(b[$window])",
            "((increase(a[$window]) or vector(0)) or vector(0))"
            " + (increase(b[$window]) or vector(0))",
        ),
    ],
)
def test_a_part_that_is_absent_does_not_take_the_others_with_it(text: str, safe: str) -> None:
    assert with_absent_parts(text) == safe


@pytest.mark.parametrize(
    "text",
    [
        "sum(increase(a[$window]) + increase(b[$window]))",
        "(increase(a[$window]) + increase(b[$window])) or vector(0)",
        "increase(a[$window]) - (increase(b[$window]) - increase(c[$window]))",
        "increase(a[$window]) or increase(b[$window]) + increase(c[$window])",
        "increase(a[$window]) + increase(b[$window]) or increase(c[$window])",
    ],
)
def test_parts_that_cannot_be_told_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match="one of which may be absent"):
        with_absent_parts(text)


def test_a_selector_is_one_metric() -> None:
    assert is_selector(' x{a="1"} # errors')
    assert is_selector('{__name__="x"}')
    assert not is_selector("sum(x)")
    assert not is_selector("")


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ('x_bucket{le="5"}', 'x_bucket{le=~"5([.]0)?"}'),
        ("x_bucket{job='a', le = '5.0'}", """x_bucket{job='a', le=~"5([.]0)?"}"""),
        ('x_bucket{le="0.5"}', 'x_bucket{le="0.5"}'),
        ('x_bucket{le="+Inf"}', 'x_bucket{le="+Inf"}'),
        ('x_bucket{title="5",scale="5"}', 'x_bucket{title="5",scale="5"}'),
        ('x_bucket{le!="5"}', 'x_bucket{le!="5"}'),
    ],
)
def test_a_whole_boundary_is_found_however_the_server_writes_it(written: str, found: str) -> None:
    assert either_boundary(written) == found


@given(ANY_TEXT)
def test_any_text_is_taken_or_refused(text: str) -> None:
    for read in (read_count, count_of_counters, read_quotient, is_selector, with_absent_parts):
        try:
            read(text)
        except ExpressionError:
            continue


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("increase(a[$window]) / sum(rate(b[$window]))", True),
        ("1 - increase(a[$window]) / increase(b[$window])", True),
        ("increase(a[$window]) / (increase(b[$window]) > 0)", False),
        ("avg(increase(a[$window])) / increase(b[$window])", False),
        ("increase(a[$window])", False),
    ],
)
def test_a_quotient_of_counts_has_a_count_on_either_side(text: str, counts: bool) -> None:
    assert quotient_of_counts(text) == (read_quotient(text) if counts else None)
