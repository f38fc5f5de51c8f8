import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.promql.counting import count_of_counters, is_selector, read_count
from gate.promql.grammar import ExpressionError
from gate.promql.quotients import check_share, read_quotient
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
    ("text", "counted"),
    [
        ("sum(rate(x[$window])) > 0", "sum(increase(x[$window]))"),
        ("(sum(increase(x[$window])) >= 0)", "(sum(increase(x[$window])))"),
        ("sum(increase(x[$window]) != 0)", "sum(increase(x[$window]))"),
        (
            "sum(increase(x[$window])) - sum(increase(y[$window])) > 0",
            "clamp_min(sum(increase(x[$window])) - sum(increase(y[$window])), 0)",
        ),
        ("sum(sum_over_time(g[$window]) > 0)", "sum(clamp_min(sum_over_time(g[$window]), 0))"),
        ("clamp_min(sum(rate(x[$window])), 0)", "(sum(increase(x[$window])))"),
        (
            "clamp_min(sum_over_time(g[$window]), 0)",
            "clamp_min(sum_over_time(g[$window]), 0)",
        ),
        (
            'sum(label_replace(rate(x[$window]), "a", "$1", "b", "(.*)")) by (a)',
            "sum((increase(x[$window]))) by (a)",
        ),
        ('label_join(increase(x[$window]), "a", "-", "b")', "(increase(x[$window]))"),
        ("round(sum(increase(x[$window])))", "round(sum(increase(x[$window])))"),
        ("sort(sum(increase(x[$window])))", "(sum(increase(x[$window])))"),
        (
            "sum without (a) (sum by (a, b) (rate(x[$window]))) + sum by (b) (rate(y[$window]))",
            "sum without (a) (sum by (a, b) (increase(x[$window])))"
            " + sum by (b) (increase(y[$window]))",
        ),
        ("ceil(sum(increase(x[$window])))", "ceil(sum(increase(x[$window])))"),
        ("round(sum(increase(x[$window])), 0.01)", "round(sum(increase(x[$window])), 0.01)"),
        (
            "sum(rate(x[$window])) or 0 * sum(rate(t[$window]))",
            "sum(increase(x[$window])) or 0 * sum(rate(t[$window]))",
        ),
        ("0.5 * sum(rate(x[$window]))", "0.5 * sum(increase(x[$window]))"),
        ("sum(rate(x[$window] offset 5m))", "sum(increase(x[$window] offset 5m))"),
    ],
)
def test_what_changes_no_number_of_events_is_left_out(text: str, counted: str) -> None:
    assert read_count(text).text == counted


def test_means_of_gauges_are_read_where_they_are_expected() -> None:
    text = "sum by (a) (avg_over_time(x[$window])) or vector(0)"
    level = read_count(text, levels=True)

    assert (level.text, level.level, level.rate) == (text, True, False)
    with pytest.raises(ExpressionError, match="is a count, and another part is a mean"):
        read_count("sum(avg_over_time(x[$window])) + sum(increase(y[$window]))", levels=True)


def test_a_rate_and_a_count_do_not_add_up() -> None:
    with pytest.raises(
        ExpressionError, match=r"`increase.*` is a count, and another part is a rate"
    ):
        read_count("sum(rate(x[$window])) + sum(increase(y[$window]))")


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ('x{a="1"}', 'x{a="1"}'),
        ('sum(x{a="1"})', 'sum(increase(x{a="1"}[$window]))'),
        (
            "sum by (b) (x) - sum by (b) (y)",
            "sum by (b) (increase(x[$window])) - sum by (b) (increase(y[$window]))",
        ),
        ("sum(old or new)", "sum(increase(old[$window]) or increase(new[$window]))"),
        ("sum(x or vector(0))", "sum(increase(x[$window]) or vector(0))"),
    ],
)
def test_a_counter_is_counted_over_the_window(text: str, counted: str) -> None:
    assert count_of_counters(text).text == counted


@pytest.mark.parametrize(
    "text", ["sum(increase(x[$window]))", "sum(rate(x[5m]))", "max(x)", "sum(x) * 2", "avg(x)"]
)
def test_no_increase_is_taken_of_what_is_no_counter(text: str) -> None:
    with pytest.raises(ExpressionError, match="neither a counter"):
        count_of_counters(text)


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
    for read in (read_count, count_of_counters, read_quotient, is_selector, check_share):
        try:
            read(text)
        except ExpressionError:
            continue
