"""Slices of time, counted by the server."""

from datetime import timedelta
from fractions import Fraction

import pytest

from gate.measure import Cause, Counts, Unmeasured
from gate.slo.indicator import EmptySlice, Sli, Slices
from tests.backends.prometheus.played import (
    RATIO,
    VALUES,
    FakePrometheus,
    ask,
)

FIVE = Slices(length=timedelta(minutes=5), target=Fraction(9, 10))
SLICE_PARTS: dict[str, str | None] = {"sum_over_time": "12", "count_over_time": "8000"}


@pytest.mark.parametrize(
    "sli, seen, bad",
    [
        (
            RATIO,
            "count_over_time((sum(sum(increase(x[300s]))) > 0)[2591999999ms:300s])",
            'sum_over_time((((sum(sum(increase(x{code="500"}[300s]))) or vector(0))'
            " / (sum(sum(increase(x[300s]))) > 0)) > bool 0.100000000001)[2591999999ms:300s])",
        ),
        (
            Sli(good="g", total="x"),
            "count_over_time((sum(sum(increase(x[300s]))) > 0)[2591999999ms:300s])",
            "sum_over_time(((sum(sum(increase(g[300s]))) / (sum(sum(increase(x[300s]))) > 0))"
            " < bool 0.899999999999)[2591999999ms:300s])",
        ),
        (
            Sli(good="x", bad="b500"),
            "count_over_time((((sum(sum(increase(x[300s]))) or vector(0))"
            " + (sum(sum(increase(b500[300s]))) or vector(0))) > 0)[2591999999ms:300s])",
            "sum_over_time((((sum(sum(increase(b500[300s]))) or vector(0))"
            " / ((sum(sum(increase(x[300s]))) + (sum(sum(increase(b500[300s]))) or vector(0)))"
            " > 0)) > bool 0.100000000001)[2591999999ms:300s])",
        ),
    ],
)
def test_slices_are_counted_in_the_same_query(
    prometheus: FakePrometheus, sli: Sli, seen: str, bad: str
) -> None:
    prometheus.values = {**SLICE_PARTS, "(g[": "900", **VALUES}
    answer = ask(sli, slices=FIVE)

    assert isinstance(answer, Counts)
    assert answer.total == 8000
    assert answer.bad == 12
    assert answer.evidence.notes == ("640 slices had no data and were excluded",)
    assert len(prometheus.queries) == 1
    assert f"slices: {seen}\n" in answer.evidence.query
    assert f"bad slices: {bad}" in answer.evidence.query


def test_slices_are_not_judged_when_events_are_not_countable(prometheus: FakePrometheus) -> None:
    prometheus.values = {**SLICE_PARTS, "(g[": None, **VALUES}
    answer = ask(Sli(good="g", total="x"), slices=FIVE)

    assert isinstance(answer, Unmeasured)
    assert "good: nothing came back" in answer.reason


@pytest.mark.parametrize("empty", list(EmptySlice))
def test_window_without_events_is_all_empty_slices(
    prometheus: FakePrometheus, empty: EmptySlice
) -> None:
    prometheus.values = {"over_time": None, "500": None, "x": "0"}
    slices = Slices(length=timedelta(minutes=5), target=Fraction(9, 10), empty=empty)
    answer = ask(RATIO, slices=slices)

    if isinstance(answer, Counts):
        assert answer.total == 8640
        assert answer.bad == {EmptySlice.GOOD: 0, EmptySlice.BAD: 8640}[empty]
    else:
        assert isinstance(answer, Unmeasured)
        assert answer.cause is Cause.NO_TRAFFIC
        assert empty is EmptySlice.LEFT_OUT


def test_gauge_is_judged_by_its_mean_per_slice(prometheus: FakePrometheus) -> None:
    prometheus.values = SLICE_PARTS
    answer = ask(Sli(gauge="min(up{$labels})", labels={"job": "a"}), slices=FIVE)

    assert isinstance(answer, Counts)
    assert answer.total == 8000
    assert answer.bad == 12
    assert 'avg_over_time((min(up{job="a"}))[299999ms:60s]) < bool' in answer.evidence.query
