"""Expressions as they were some time ago."""

from datetime import timedelta

import pytest

from gate.promql.grammar import ExpressionError
from gate.promql.moving import is_movable, moved

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "an_hour_ago"),
    [
        ("up", "up offset 3600s"),
        ('sum(up{job="a"}) > 0', 'sum(up{job="a"} offset 3600s) > 0'),
        ("sum(increase(x[5m]))", "sum(increase(x[5m] offset 3600s))"),
        ("sum(increase(x[5m] offset 1m)) by (a)", "sum(increase(x[5m] offset 3660s)) by (a)"),
        ("max(timestamp(x offset 30m))", "max(timestamp(x  offset 5400s))"),
        # A subquery is moved as a whole, with what it looks at.
        ("count_over_time(count(x)[1d:1h])", "count_over_time(count(x)[1d:1h] offset 3600s)"),
        (
            "max_over_time((time() - x offset 1m)[1d:1h] offset 1d)",
            "max_over_time((time() - x  offset 60s)[1d:1h] offset 90000s)",
        ),
        ("avg_over_time(x[5m:1m])", "avg_over_time(x[5m:1m] offset 3600s)"),
        ("time() - max(x)", "(time() - 3600) - max(x offset 3600s)"),
        ("scalar(x) * pi() or vector(0)", "scalar(x offset 3600s) * pi() or vector(0)"),
        ('{__name__="a.b"}', '{__name__="a.b"} offset 3600s'),
    ],
)
def test_all_of_an_expression_looks_earlier(text: str, an_hour_ago: str) -> None:
    assert moved(text, HOUR) == an_hour_ago


def test_what_is_of_now_stays_as_it_is_written() -> None:
    assert moved("sum( up )", timedelta()) == "sum( up )"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x @ 1700000000", "looks at a fixed instant"),
        ("sum(x[5m] @ end())", "looks at a fixed instant"),
        ("x offset -5m", "cannot be moved"),
        ("hour() > 8", "is of the instant at which it is asked"),
        ("x default 0", "is not PromQL"),
    ],
)
def test_what_cannot_be_moved_is_reported(text: str, reason: str) -> None:
    with pytest.raises(ExpressionError, match=reason):
        moved(text, HOUR)
    assert not is_movable(text)


def test_an_expression_of_the_policy_is_movable_with_its_window() -> None:
    assert is_movable("sum(increase(x{$labels}[$window])) or vector(0)")
