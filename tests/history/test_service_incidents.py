"""The total of a service's incidents."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.history.incident_shares import drain
from gate.history.incidents import Incident, IncidentEnding
from gate.history.service_incidents import (
    SloImpact,
    composite_impacts,
    incident_id,
    joined,
    merge_incidents,
    reliability,
    total_time,
)
from gate.slo.objective import CompositeSlo, Member, Span

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
MONTH = 30 * DAY


def hours(first: int, last: int) -> Span:
    return Span(START + first * HOUR, START + last * HOUR)


HOURS = hours(0, 100)


def impact(
    slo: str,
    first: int,
    last: int,
    share: float = 0.1,
    ending: IncidentEnding = IncidentEnding.CALM,
) -> SloImpact:
    """Make an incident from one hour to another."""
    incident = Incident(
        start=START + first * HOUR,
        end=START + last * HOUR,
        ending=ending,
        bad=10,
        peak=10,
        unknown=timedelta(),
    )
    return SloImpact(slo=slo, incident=incident, share=share)


def test_what_overlaps_is_one_episode_also_by_way_of_others() -> None:
    a, b, c, d = impact("a", 0, 4), impact("b", 3, 6), impact("c", 5, 7), impact("a", 7, 8)

    first, second = merge_incidents([d, c, a, b])

    assert first.impacts == (a, b, c)
    assert (first.start, first.end, first.duration) == (START, START + 7 * HOUR, 7 * HOUR)
    assert second.impacts == (d,)  # touching is not overlapping


def test_what_begins_more_than_a_day_into_another_is_one_of_its_own() -> None:
    prompt, early, slow, slower = (
        impact("prompt", 0, 48),
        impact("errors", 24, 26),
        impact("slow", 28, 32),
        impact("slower", 30, 31),
    )

    first, second = merge_incidents([slower, slow, prompt, early])

    assert first.impacts == (prompt, early)
    assert second.impacts == (slow, slower)
    assert (second.start, second.end) == (START + 28 * HOUR, START + 32 * HOUR)


def test_an_episode_is_as_long_as_its_longest_incident() -> None:
    (one,) = merge_incidents([impact("a", 0, 9), impact("b", 1, 2)])

    assert one.duration == 9 * HOUR


@pytest.mark.parametrize(
    ("endings", "whole"),
    [
        ((IncidentEnding.CALM, IncidentEnding.CALM), IncidentEnding.CALM),
        ((IncidentEnding.CALM, IncidentEnding.LOST), IncidentEnding.LOST),
        ((IncidentEnding.LOST, IncidentEnding.OPEN), IncidentEnding.OPEN),
    ],
)
def test_an_episode_is_over_when_it_is_for_every_slo(
    endings: tuple[IncidentEnding, IncidentEnding], whole: IncidentEnding
) -> None:
    (one,) = merge_incidents(
        [impact(name, 0, 2, ending=end) for name, end in zip("ab", endings, strict=True)]
    )

    assert one.ending is whole


def test_times_to_recover_and_between_failures_are_those_of_a_worked_example() -> None:
    # 100 known hours, 4 + 2 of them in incidents: 94 hours of operation between 2 failures.
    found = merge_incidents([impact("a", 10, 14), impact("a", 50, 52)])

    figures = reliability(found, [HOURS], HOURS)

    assert (figures.count, figures.mttr, figures.longest) == (2, 3 * HOUR, 4 * HOUR)
    assert figures.mtbf == 47 * HOUR


def test_time_without_known_data_is_not_an_operating_time() -> None:
    # 20 hours unknown, two of them within the incident; so 80 known ones less its other two.
    known = [hours(32, 100), hours(0, 12)]

    figures = reliability(merge_incidents([impact("a", 10, 14)]), known, HOURS)

    assert figures.mtbf == 78 * HOUR


def test_what_was_not_seen_to_end_has_no_time_to_recover() -> None:
    found = merge_incidents([impact("a", 0, 50, ending=IncidentEnding.LOST), impact("a", 60, 62)])

    figures = reliability(found, [HOURS], HOURS)

    assert (figures.count, figures.mttr, figures.longest) == (2, 2 * HOUR, 2 * HOUR)
    only = reliability(found[:1], [HOURS], HOURS)
    assert (only.count, only.mttr, only.longest, only.mtbf) == (1, None, None, 50 * HOUR)


def test_what_several_slos_know_is_known_once_and_only_the_examined_time_counts() -> None:
    # Two SLOs know 80 hours together, of which 60 are looked at; an incident takes 4 of its 6.
    known = [hours(0, 50), hours(20, 80)]
    found = merge_incidents([impact("a", 18, 24)])

    figures = reliability(found, known, hours(20, 90))

    assert joined(known, HOURS) == [hours(0, 80)]
    assert (figures.mttr, figures.mtbf) == (6 * HOUR, 56 * HOUR)


def test_without_failures_there_is_no_time_between_them() -> None:
    figures = reliability([], [HOURS], HOURS)

    assert (figures.count, figures.mttr, figures.longest, figures.mtbf) == (0, None, None, None)


def test_the_drain_is_that_of_the_slo_that_lost_most() -> None:
    # In 60 known days b had 4 incidents of 5%: 2 in a window of 30 days, which take 10%.
    events = [
        impact("a", 0, 1, share=0.15),
        *(impact("b", n, n + 1, share=0.05) for n in (2, 4, 6, 8)),
    ]
    times = {"a": 2 * MONTH, "b": 2 * MONTH}

    found = drain(events, {"a": MONTH, "b": MONTH}, times)

    assert found is not None
    assert (found.slo, found.per_window) == ("b", 2)
    assert (found.count, found.observed) == (4, 2 * MONTH)
    assert found.each == pytest.approx(0.05)
    assert found.total == pytest.approx(0.1)
    assert (found.often, found.costly) == (True, False)


def test_one_deep_failure_is_costly_and_not_often() -> None:
    found = drain([impact("a", 0, 1, share=0.2)], {"a": MONTH}, {"a": MONTH})

    assert found is not None
    assert (found.often, found.costly) == (False, True)


def test_no_incident_drains_nothing() -> None:
    assert drain([], {"a": MONTH}, {"a": MONTH}) is None


def test_its_id_is_the_service_and_when_the_slo_felt_it_that_it_cost_most() -> None:
    found = merge_incidents([impact("a", 0, 4, share=0.1), impact("b", 1, 3, share=0.3)])

    assert found[0].id("chat") == "chat-20261101-0100"
    assert found[0].ids("chat") == {"chat-20261101-0000", "chat-20261101-0100"}


@pytest.mark.parametrize(
    "service, name",
    [("chat", "chat"), ("acme/chat eu", "acme-chat-eu"), ("v1.2_x", "v1.2_x"), ("(a)", "a")],
)
def test_an_id_is_one_word_in_utc(service: str, name: str) -> None:
    start = datetime(2026, 10, 23, 11, 40, tzinfo=timezone(2 * HOUR))

    assert incident_id(service, start) == f"{name}-20261023-0940"


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 90), st.integers(1, 10), st.integers(1, 9)),
        max_size=8,
    ),
    st.integers(1, 9),
)
def test_an_incident_keeps_its_id_whatever_smaller_ones_are_looked_for(
    made: list[tuple[str, int, int, int]], least: int
) -> None:
    events = [impact(slo, first, first + length, share) for slo, first, length, share in made]
    costly = merge_incidents([one for one in events if one.share >= least])
    every = merge_incidents(events)

    for incident in costly:
        (around,) = (one for one in every if one.start <= incident.start < one.end)
        assert incident.id("chat") in around.ids("chat")
        others = [one for one in costly if around.start <= one.start < around.end]
        costliest = max(one.share for one in around.impacts)
        if len(others) == 1 and [one.share for one in around.impacts].count(costliest) == 1:
            assert incident.id("chat") == around.id("chat")


ALL = CompositeSlo(
    name="all",
    members=(Member(slo="a", weight=Fraction(1, 2)), Member(slo="b", weight=Fraction(2))),
)


def test_a_composite_loses_what_its_members_lose_by_their_weights() -> None:
    events = [
        *(impact("a", 0, 4, share=0.1), impact("b", 3, 6, share=0.2), impact("c", 1, 9, share=5)),
        impact("a", 20, 21, share=0.3, ending=IncidentEnding.OPEN),
    ]

    first, second = composite_impacts(ALL, events)

    assert {first.slo, second.slo} == {"all"}
    # Half of 10% and twice 20%; half of 30%.
    assert [first.share, second.share] == [pytest.approx(0.45), pytest.approx(0.15)]
    assert (first.incident.start, first.incident.end) == (START, START + 6 * HOUR)
    assert (first.incident.bad, first.incident.peak) == (20, 20)
    assert second.incident.ending is IncidentEnding.OPEN


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 90), st.integers(1, 10)), max_size=20)
)
def test_episodes_do_not_overlap_and_lose_nothing(made: list[tuple[str, int, int]]) -> None:
    events = [impact(slo, first, first + length) for slo, first, length in made]

    found = merge_incidents(events)

    assert sorted(one.incident.start for each in found for one in each.impacts) == sorted(
        one.incident.start for one in events
    )
    assert all(one.end <= after.start for one, after in pairwise(found))
    covered = {hour for _, first, length in made for hour in range(first, first + length)}
    figures = reliability(found, [HOURS], HOURS)
    assert total_time(joined([Span(one.start, one.end) for one in found], HOURS)) == (
        len(covered) * HOUR
    )
    if found:
        assert figures.mtbf == (100 - len(covered)) * HOUR / len(found)
