"""Whether no error series means that none failed, or that the label is wrong."""

import pytest

from gate.backends.prometheus.doctor.presence import alike
from gate.backends.prometheus.evidence.roles import could_match, misspelt
from gate.errors import nearest_first
from gate.promql.selectors import LabelMatcher


def matcher(value: str, operator: str = "=") -> LabelMatcher:
    return LabelMatcher(label="code", operator=operator, value=value)


@pytest.mark.parametrize(
    ("operator", "value", "values", "could"),
    [
        ("=~", "5..", ["200", "404"], True),
        ("=", "500", ["200"], True),
        ("=~", "5.*", ["200"], True),
        ("!~", "2..", ["200"], True),
        ("=", "5xx", ["200", "404"], False),
        ("=~", "5xx", ["200"], False),
        ("=", "5xx", ["2xx", "4xx"], True),
        ("=~", "5..", ["2xx"], True),
        ("=", "500", ["2xx"], False),
        ("=", "INTERNAL", ["OK"], True),
        ("=", "Internal", ["OK", "NOT_FOUND"], False),
        ("=", "DeadlineExceeded", ["Unavailable", "NotFound"], True),
        ("=", "false", ["true"], True),
        ("=", "False", ["true"], False),
        ("=", "error", ["stop"], None),
        ("=", "500", [], None),
        ("=", "500", ["200", "weird"], None),
        ("=~", "[", ["200"], None),
    ],
)
def test_values_of_one_family_tell_which_others_there_may_be(
    operator: str, value: str, values: list[str], could: bool | None
) -> None:
    assert could_match(matcher(value, operator), values) is could


def test_an_empty_value_is_of_series_without_the_label() -> None:
    assert could_match(matcher("500"), ["", "200"]) is True


@pytest.mark.parametrize(
    ("value", "values", "wrong"),
    [
        ("eror", ["error", "stop"], True),
        ("Error", ["error"], True),
        ("aborted|eror", ["error"], True),
        ("error", ["stop", "length"], False),
        (".*rror", ["error"], False),
    ],
)
def test_a_value_much_like_one_that_is_there_is_misspelt(
    value: str, values: list[str], wrong: bool
) -> None:
    assert misspelt(matcher(value), values) is wrong


def test_the_nearest_value_comes_first() -> None:
    assert nearest_first("5xx", ["200", "404", "500", "", "503"])[:2] == ["500", "503"]


@pytest.mark.parametrize(
    ("name", "near"), [("llm_request_total", "llm_requests_total"), ("other", None)]
)
def test_a_metric_is_suggested_only_where_it_is_much_alike(name: str, near: str | None) -> None:
    assert alike(name, ["up", "llm_requests_total"]) == near
