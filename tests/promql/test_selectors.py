"""Selectors taken apart into a metric and its matchers, whatever way they are written."""

from fractions import Fraction

import pytest

from gate.promql.buckets import Boundary, Buckets
from gate.promql.expression import read_selector
from gate.promql.grammar import ExpressionError
from gate.promql.selectors import LabelMatcher, Selector
from gate.slo.indicator import Histogram

A = LabelMatcher(label="a", operator="=", value="b")


@pytest.mark.parametrize(
    ("text", "name", "matchers"),
    [
        ("x", "x", ()),
        ('x{a="b"}', "x", (A,)),
        ("x { a = 'b' , }", "x", (A,)),
        ('{__name__="x",a="b"}', "x", (A,)),
        ('{a="b"}', "", (A,)),
        ('{"a"="b"}', "", (A,)),
        ("x{a=`b`}", "x", (A,)),
        (r'x{a="\"\n\\"}', "x", (LabelMatcher(label="a", operator="=", value='"\n\\'),)),
        (r"x{a=~`\d`}", "x", (LabelMatcher(label="a", operator="=~", value=r"\d"),)),
        (
            'vllm:x{a!="b",c=~"5..",d!~"e"}',
            "vllm:x",
            (
                LabelMatcher(label="a", operator="!=", value="b"),
                LabelMatcher(label="c", operator="=~", value="5.."),
                LabelMatcher(label="d", operator="!~", value="e"),
            ),
        ),
    ],
)
def test_a_selector_is_read(text: str, name: str, matchers: tuple[LabelMatcher, ...]) -> None:
    selector = Selector.read(text)

    assert (selector.name, selector.matchers) == (name, matchers)
    assert Selector.read(selector.text) == selector


def test_a_label_that_is_not_a_plain_name_is_quoted() -> None:
    assert LabelMatcher(label="k8s.pod", operator="=", value="a").text == '"k8s.pod"="a"'


def test_a_matcher_can_be_taken_away() -> None:
    assert Selector.read('x{a="b",c="d"}').without(A).text == 'x{c="d"}'


@pytest.mark.parametrize(
    ("operator", "value", "tried", "fits"),
    [
        ("=", "500", "500", True),
        ("=", "5", "500", False),
        ("!=", "500", "200", True),
        ("=~", "5..", "500", True),
        ("=~", "5.", "500", False),
        ("!~", "5..", "500", False),
        ("=~", "[", "500", None),
    ],
)
def test_a_matcher_fits_whole_values(
    operator: str, value: str, tried: str, fits: bool | None
) -> None:
    assert LabelMatcher(label="code", operator=operator, value=value).matches(tried) is fits


@pytest.mark.parametrize(
    ("text", "name", "braces"),
    [
        ("http.server.duration", "http.server.duration", '{job="a"}'),
        ('http.server.duration{code="500"}', "http.server.duration", '{code="500",job="a"}'),
        ('{"http.server.duration"}', "http.server.duration", '{job="a"}'),
        ('{"http.server.duration",code="500"}', "http.server.duration", '{code="500",job="a"}'),
        ('{__name__="http.server.duration"}', "http.server.duration", '{job="a"}'),
        ('{"http.route"="/",__name__="x"}', "x", '{"http.route"="/",job="a"}'),
        ("x", "x", '{job="a"}'),
    ],
)
def test_a_name_may_have_dots_and_may_stand_in_the_braces(
    text: str, name: str, braces: str
) -> None:
    assert read_selector(text, {"job": "a"}) == (name, braces)


def test_braces_of_which_nothing_is_left_are_left_out() -> None:
    assert read_selector('{"http.server.duration"}', {}) == ("http.server.duration", "")
    assert read_selector("http.server.duration{}", {}) == ("http.server.duration", "")


@pytest.mark.parametrize(
    "text", ["http.server.duration + 1", "http.server{a} b", '{job="a"}', 'x.y{} or {a="b"}']
)
def test_what_is_not_a_bare_selector_has_no_name(text: str) -> None:
    with pytest.raises(ExpressionError, match="a metric's name is expected"):
        read_selector(text, {})


def test_a_histogram_with_dots_in_its_name_is_selected_in_a_form_that_every_server_reads() -> None:
    dotted = 'http.server.request.duration{code="500"}'
    histogram = Histogram(good=dotted, total=dotted, threshold=Fraction(1), unit="s")
    buckets = Buckets.of(histogram, None)

    counted = buckets.up_to([Boundary(value=Fraction(1), texts=())])

    assert counted.total == (
        'sum(increase({code="500",__name__="http.server.request.duration_count"}[$window]))'
    )
    assert counted.good == (
        'sum(increase({code="500",__name__="http.server.request.duration_bucket",'
        'le=~"1|1\\\\.0"}[$window]))'
    )
