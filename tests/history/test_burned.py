"""The budget spent in incidents and outside of them, and the values of labels that differ most."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.history.burned import (
    FEWEST,
    MOST_SPANS,
    Standout,
    burned,
    failure_labels,
    spans_of,
)
from gate.history.incidents import Incident, IncidentEnding
from gate.measure.cohorts import EventCounts, LabelCounts
from gate.measure.history import Series, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span

START = datetime(2026, 11, 1, 12, tzinfo=UTC)
STEP = timedelta(minutes=5)
Counts = tuple[int, int]
"""Events and bad events."""


def incident(first: int, last: int, bad: float = 1) -> Incident:
    """Return an incident from one step to before another."""
    return Incident(
        start=START + first * STEP,
        end=START + last * STEP,
        ending=IncidentEnding.CALM,
        bad=bad,
        peak=9,
        unknown=timedelta(),
    )


def split(
    bad: Sequence[float | None], incidents: list[Incident], smaller: list[Incident], skip: int = 0
) -> tuple[float, float, float]:
    span = Span(START, START + len(bad) * STEP)
    request = SeriesRequest(sli=Sli(bad="b", total="t"), span=span, step=STEP)
    total = tuple(None if value is None else 100.0 for value in bad)
    series = Series(total=total, bad=tuple(bad), query="q")
    parts = burned(series, request, Span(START + skip * STEP, span.end), incidents, smaller)
    assert (parts.incidents, parts.smaller) == (len(incidents), len(smaller))
    assert parts.share(parts.bad) == (1 if parts.bad else 0)
    return parts.in_incidents, parts.in_smaller, parts.chronic


def test_each_failure_is_in_one_part() -> None:
    bad = [1.0, 10, 20, 1, None, 2, 5, 1]

    assert split(bad, [incident(1, 3)], [incident(6, 7)]) == (30, 5, 5)
    assert split(bad, [], []) == (0, 0, 40)
    assert split([0.0, None], [], []) == (0, 0, 0)


def test_what_lies_before_the_examined_time_is_left_out() -> None:
    bad = [1.0, 10, 20, 1]

    assert split(bad, [incident(1, 3)], [], skip=2) == (20, 0, 1)


@given(
    st.lists(st.integers(0, 50), min_size=12, max_size=12),
    st.sets(st.integers(0, 11)),
    st.sets(st.integers(0, 11)),
)
def test_the_parts_add_up(bad: list[int], shown: set[int], small: set[int]) -> None:
    small -= shown
    parts = split(
        list(map(float, bad)),
        [incident(place, place + 1) for place in shown],
        [incident(place, place + 1) for place in small],
    )

    assert parts[0] == sum(bad[place] for place in shown)
    assert parts[1] == sum(bad[place] for place in small)
    assert sum(parts) == sum(bad)


def labels(**values: dict[str, list[Counts]]) -> LabelCounts:
    """Return counts by label, value and span."""
    return LabelCounts(
        labels={
            label: {
                value: tuple(EventCounts(*map(float, pair)) for pair in spans)
                for value, spans in by_value.items()
            }
            for label, by_value in values.items()
        }
    )


def chronic(counts: LabelCounts, chronic: float = 1000) -> list[Standout]:
    return list(failure_labels(counts, [], chronic=chronic).chronic)


def test_the_values_in_which_the_failures_are_concentrated_stand_out() -> None:
    found = chronic(
        labels(
            status={"200": [(9000, 0)], "429": [(92, 92)], "500": [(8, 8)]},
            model={"gpt-x": [(3000, 80)], "llama": [(6100, 20)]},
            route={"/a": [(4600, 50)], "/b": [(4500, 50)]},
        )
    )

    assert found == [
        Standout(label="status", value="429", share=0.92, traffic=92 / 9100),
        Standout(label="model", value="gpt-x", share=0.8, traffic=3000 / 9100),
    ]


@pytest.mark.parametrize(
    ("by_value", "stands_out"),
    [
        ({"a": [(5000, 90)], "b": [(5000, 10)]}, True),
        ({"a": [(9000, 90)], "b": [(1000, 10)]}, False),  # as much of the failures as of the rest
        ({"a": [(7100, 90)], "b": [(2900, 10)]}, False),  # by less than 20 points
        ({"a": [(7000, 90)], "b": [(3000, 10)]}, True),
        ({"a": [(100, 49)], "b": [(4950, 26)], "c": [(4950, 25)]}, False),  # less than half
        ({"a": [(100, 50)], "b": [(4950, 25)], "c": [(4950, 25)]}, True),
        ({"500": [(100, 100)], "200": [(9900, 0)]}, False),  # what makes an event bad
        ({"a": [(200, 100)], "b": [(9800, 0)]}, True),  # all are there, and half of it is good
        ({"a": [(2000, 18)], "b": [(8000, 1)]}, False),  # too few
        ({"a": [(2000, 19)], "b": [(8000, 1)]}, True),
        ({"": [(2000, 80)], "b": [(8000, 20)]}, True),  # that have no such label
        ({"b": [(0, 100)]}, False),
    ],
)
def test_a_value_stands_out_by_at_least_half_and_well_above_its_traffic(
    by_value: dict[str, list[Counts]], *, stands_out: bool
) -> None:
    assert bool(chronic(labels(label=by_value))) is stands_out


def test_a_label_that_only_the_failures_have_has_no_traffic() -> None:
    (standout,) = chronic(labels(reason={"timeout": [(0, 80)], "limit": [(0, 20)]}))

    assert (standout.value, standout.share, standout.traffic) == ("timeout", 0.8, None)


def test_labels_that_say_the_same_are_named_once_and_three_at_most() -> None:
    values = {"gpt-x": [(3000, 90)], "llama": [(7000, 10)]}
    others = {
        f"label{place}": {"a": [(3000 + place, 90)], "b": [(7000, 10)]} for place in range(1, 5)
    }

    assert [one.label for one in chronic(labels(model=values, model_name=values))] == ["model"]
    assert len(chronic(labels(model=values, **others))) == 3


def test_what_lies_in_incidents_is_not_chronic() -> None:
    counts = labels(
        model={"gpt-x": [(3000, 1010), (1000, 1000)], "llama": [(7000, 100), (4500, 10)]}
    )
    both = failure_labels(counts, [incident(1, 2)], chronic=100)

    assert both.chronic == (Standout(label="model", value="llama", share=0.9, traffic=2500 / 4500),)
    (standouts,) = both.incidents.values()
    assert [one.value for one in standouts] == ["gpt-x"]
    assert list(both.incidents) == [START + STEP]
    assert both.compared == ("model",)


def test_of_too_few_chronic_failures_nothing_is_reported() -> None:
    counts = labels(model={"gpt-x": [(3000, 90)], "llama": [(7000, 10)]})

    assert chronic(counts, chronic=FEWEST - 1) == []
    assert len(chronic(counts, chronic=FEWEST)) == 1


def test_the_gravest_incidents_are_asked_about() -> None:
    incidents = [incident(place, place + 1, bad=place) for place in range(MOST_SPANS + 5)]
    span = Span(START, START + 100 * STEP)
    whole, *others = spans_of(span, incidents)

    assert whole == span
    assert len(others) == MOST_SPANS
    assert others[0].start == incidents[-1].start
