"""What the incidents of a service come to."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.history.incidents import Incident, IncidentEnding
from gate.history.service_incidents import (
    SloImpact,
    drain,
    merge_incidents,
    reliability,
)

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = 24 * HOUR
MONTH = 30 * DAY


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

    figures = reliability(found, [True] * 100, start=START, step=HOUR)

    assert (figures.count, figures.mttr, figures.longest) == (2, 3 * HOUR, 4 * HOUR)
    assert figures.mtbf == 47 * HOUR


def test_time_of_which_nothing_is_known_is_no_operating_time() -> None:
    # 20 hours unknown, two of them within the incident; so 80 known ones less its other two.
    known = [not 12 <= place < 32 for place in range(100)]

    figures = reliability(merge_incidents([impact("a", 10, 14)]), known, start=START, step=HOUR)

    assert figures.mtbf == 78 * HOUR


def test_what_was_not_seen_to_end_has_no_time_to_recover() -> None:
    found = merge_incidents([impact("a", 0, 50, ending=IncidentEnding.LOST), impact("a", 60, 62)])

    figures = reliability(found, [True] * 100, start=START, step=HOUR)

    assert (figures.count, figures.mttr, figures.longest) == (2, 2 * HOUR, 2 * HOUR)
    only = reliability(found[:1], [True] * 100, start=START, step=HOUR)
    assert (only.count, only.mttr, only.longest, only.mtbf) == (1, None, None, 50 * HOUR)


def test_without_failures_there_is_no_time_between_them() -> None:
    figures = reliability([], [True] * 100, start=START, step=HOUR)

    assert (figures.count, figures.mttr, figures.longest, figures.mtbf) == (0, None, None, None)


def test_the_drain_is_that_of_the_slo_that_lost_most() -> None:
    # In 60 known days b had 4 incidents of 5 %: 2 in a window of 30 days, which take 10 %.
    events = [
        impact("a", 0, 1, share=0.15),
        *(impact("b", n, n + 1, share=0.05) for n in (2, 4, 6, 8)),
    ]
    times = {"a": 2 * MONTH, "b": 2 * MONTH}

    found = drain(events, {"a": MONTH, "b": MONTH}, times)

    assert found is not None
    assert (found.slo, found.per_window) == ("b", 2)
    assert found.each == pytest.approx(0.05)
    assert found.total == pytest.approx(0.1)
    assert (found.often, found.costly) == (True, False)


def test_one_deep_failure_is_costly_and_not_often() -> None:
    found = drain([impact("a", 0, 1, share=0.2)], {"a": MONTH}, {"a": MONTH})

    assert found is not None
    assert (found.often, found.costly) == (False, True)


def test_no_incident_drains_nothing() -> None:
    assert drain([], {"a": MONTH}, {"a": MONTH}) is None


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
    figures = reliability(found, [True] * 100, start=START, step=HOUR)
    if found:
        assert figures.mtbf == (100 - len(covered)) * HOUR / len(found)
