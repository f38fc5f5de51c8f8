import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.promql.expression import Expression, read_expression
from gate.promql.grammar import ExpressionError, TokenKind, tokenize, write_tokens
from gate.promql.selectors import matchers, quote


def over(text: str, labels: dict[str, str] | None = None, *, gauge: bool = False) -> str:
    return read_expression(text, labels, gauge=gauge).over("60s")


def test_window_is_replaced_wherever_it_stands() -> None:
    text = 'sum(increase(x{a="1"}[$window])) / count_over_time(x[$window:5m])'

    assert over(text) == 'sum(increase(x{a="1"}[60s])) / count_over_time(x[60s:5m])'


def test_window_inside_a_string_or_comment_is_left_alone() -> None:
    assert over('increase(x{a="$window"}[$window]) # $window') == 'increase(x{a="$window"}[60s])'


@pytest.mark.parametrize("selector", ["x_total", '{__name__="x"}', 'x_total{code="500"}'])
def test_bare_selector_becomes_the_sum_of_its_increase(selector: str) -> None:
    assert over(f" {selector} ") == f"sum(increase({selector}[60s]))"


def test_gauge_needs_no_window() -> None:
    assert over("up", gauge=True) == "up"
    assert over("min(up) # all", gauge=True) == "min(up)"


@pytest.mark.parametrize(
    "text, labels, expected",
    [
        ('x{$labels,code="500"}', {"a": "1", "b": "2"}, 'x{a="1",b="2",code="500"}'),
        ('x{$labels,code="500"}', {}, 'x{code="500"}'),
        ('x{$labels,code="500"}', None, 'x{code="500"}'),
        ('x{code="500", $labels}', {}, 'x{code="500"}'),
        ('x{code="500", $labels ,}', {"a": "1"}, 'x{code="500",a="1"}'),
        ("x{$labels}", {}, "x{}"),
        ("x{code=~'a,b',$labels}", {}, "x{code=~'a,b'}"),
        ('x{code="500"}', {"a": "1"}, 'x{code="500",a="1"}'),
        ('x{code="500",}', {"a": "1"}, 'x{code="500",a="1"}'),
        ("x{}", {"a": "1"}, 'x{a="1"}'),
        ("x", {"a": "1"}, 'x{a="1"}'),
        ('{__name__="x"}', {"a": "1"}, '{__name__="x",a="1"}'),
    ],
)
def test_labels_fill_their_place_or_join_a_bare_selector(
    text: str, labels: dict[str, str] | None, expected: str
) -> None:
    assert over(text, labels) == f"sum(increase({expected}[60s]))"


def test_labels_are_not_pushed_into_a_full_expression() -> None:
    assert over("sum(increase(x[$window]))", {"a": "1"}) == "sum(increase(x[60s]))"


@pytest.mark.parametrize(
    "text, words",
    [
        ("sum(x_total)", "no $window and is not a bare selector"),
        ("", "no $window"),
        ("sum(x[$window]", "closing ) is missing"),
        ("sum(x[$window]))", ") closes nothing"),
        ("sum(x[$window)]", "closes nothing"),
        ('x{a="1}', 'quote " is not closed'),
        ("increase(x[$__range])", "is not filled in here; only $window"),
        ("increase(x[$window_s])", "is not filled in here; only $window"),
        ("increase($labels[$window])", "$labels belongs inside braces"),
    ],
)
def test_unusable_expression_says_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_expression(text, None)

    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text, selectors",
    [
        ("sum by (a, b) (increase(x_total[$window]))", ["x_total"]),
        ('sum(increase(x{a="["}[$window])) by (a)', ['x{a="["}']),
        ("increase(x[$window]) + increase(y[$window])", ["x", "y"]),
        ("increase(x[$window]) + increase(x[$window])", ["x"]),
        ("a / on(job) group_left(z) b > bool 3 and increase({b='c'}[$window] offset 5m)", None),
        ("vector($window)", []),
        ("sum(increase(ns:job:rate5m{a='}'}[$window]))", ["ns:job:rate5m{a='}'}"]),
        ("max_over_time(up[$window:1m]) * 5m", ["up"]),
        ("sum_over_time((count(x < 0.75))[$window:1m]) OR on() vector(0)", ["x"]),
        ("sum_over_time(count(x)[$window : ]) + max_over_time(y[1h : 5m])", ["x", "y"]),
    ],
)
def test_selectors_are_found(text: str, selectors: list[str] | None) -> None:
    found = list(read_expression(text, None).selectors)

    assert found == (["a", "b", "{b='c'}"] if selectors is None else selectors)


@pytest.mark.parametrize(
    "text",
    [
        "x_total",
        "sum(increase(x[$window]))",
        "sum by (a) (increase(x[$window]))",
        "sum(increase(x[$window])) by (a)",
        "(sum(increase(x[$window])) + sum(increase(y[$window]))) or vector(0)",
        "sum(increase(x[$window]) or vector(0))",
        "sum(increase(x[$window])) - sum(increase(y[$window]))",
        "sum(sum_over_time(x[$window])) + count_over_time(y[$window:1m])",
        "sum_over_time(increase(x[5m])[$window:5m])",
        "sum_over_time((a / on () (b > 0))[$window:5m])",
    ],
)
def test_sums_of_counts_may_be_counted_in_halves(text: str) -> None:
    assert read_expression(text, None).additive


@pytest.mark.parametrize(
    "text",
    [
        "sum(increase(x[$window])) / sum(increase(y[$window]))",
        "sum(rate(x[$window]))",
        "avg_over_time(x[$window])",
        "sum(increase(x[$window] offset 1d))",
        "sum(increase(x[$window] @ 1609746000))",
        "max(increase(x[$window]))",
        "avg(increase(x[$window]))",
        "round(sum(increase(x[$window])))",
        "sum(increase(x[$window])) * 2",
        "sum(increase(x[$window])) > 5",
        "sum(increase(x[$window])) + 5",
        "sum(increase(x[$window])) + sum(y)",
        "sum(increase(x[$window])) or sum(increase(y[$window]))",
        "sum(increase(x[$window])) or vector(1)",
        "sum(increase(x[$window]) and y)",
        "max_over_time((x)[$window:5m])",
        "sum_over_time(increase(x[$window])[$window:5m])",
        "increase(x[5m]) + sum(increase(x[$window]))",
    ],
)
def test_anything_else_is_never_counted_in_halves(text: str) -> None:
    assert not read_expression(text, None).additive


def test_union_is_distinguished_from_a_sum() -> None:
    def union(text: str) -> bool:
        return read_expression(text, None).union

    assert union("sum(increase(x[$window]) or increase(y[$window]))")
    assert union("sum(increase(x[$window]) OR increase(y[$window]))")
    assert not union("sum(increase(x[$window])) + sum(increase(y{a=' or '}[$window]))")


@given(st.text())
def test_quoted_text_is_one_string_token_that_reads_back(text: str) -> None:
    quoted = quote(text)
    (token,) = tokenize(quoted)
    plain = quoted[1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\\n", "\n")

    assert token.kind is TokenKind.STRING
    assert "\n" not in quoted
    assert "\0" in text or plain.replace("\0", "\\") == text


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_labels_cannot_break_out_of_the_selector(labels: dict[str, str]) -> None:
    expression = read_expression("x{$labels}", labels)

    assert isinstance(expression, Expression)
    assert expression.selectors == ("x{" + matchers(labels) + "}",)
    assert expression.over("60s") == "sum(increase(x{" + matchers(labels) + "}[60s]))"


@given(st.text(alphabet="ab(){}[]\"'`\\$#, \n5mxwindow"))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        expression = read_expression(text, {"a": "b"})
    except ExpressionError:
        return
    tokens = tokenize(expression.over("60s"))
    assert "$" not in {token.text for token in tokens if token.kind is TokenKind.SYMBOL}


@given(st.text(alphabet='ab(){}[]", 5mx_:+-/'))
def test_tokens_join_to_the_text(text: str) -> None:
    try:
        tokens = tokenize(text)
    except ExpressionError:
        return
    assert write_tokens(tokens) == " ".join(text.split(" ")) or "  " in text
