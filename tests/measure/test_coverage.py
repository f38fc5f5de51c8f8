"""How much of a stretch of time has data: faults that must be seen, and silence that is usual."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random

import pytest

from gate.measure.coverage import StepCoverage, coverage_by_steps, usual_within
from gate.slo.objective import Span

END = datetime(2026, 11, 20, 14, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS = 720
ALL, NONE = Fraction(1), Fraction(0)
Traffic = Callable[[datetime], float]
"""Events in the hour from an instant on."""


def month(traffic: Traffic, lost: Callable[[int], bool] = lambda _: False) -> StepCoverage:
    """What is known of 30 days by the hour where these hours, counted from the first, are lost."""
    start = END - HOURS * HOUR
    events = [traffic(start + place * HOUR) for place in range(HOURS)]
    known = [None if lost(place) or not count else count for place, count in enumerate(events)]
    return coverage_by_steps(known, Span(start, END))


def steady(_: datetime) -> float:
    return 100.0


def by_day(at: datetime) -> float:
    return 100.0 if 7 <= at.hour < 22 else 0.0


def on_weekdays(at: datetime) -> float:
    return 100.0 if at.weekday() < 5 and 7 <= at.hour < 22 else 0.0


def rare(at: datetime) -> float:
    """One event in each of about a tenth of the hours."""
    return float(Random(at.timestamp()).random() < 0.1)


def with_a_rare_night(at: datetime) -> float:
    """By day as `by_day`; at night one event in each of about a fifth of the hours."""
    quiet = float(Random(at.timestamp()).random() < 0.2)
    return by_day(at) or quiet


def daily_batch(at: datetime) -> float:
    return 5_000.0 if at.hour == 3 else 0.0


@pytest.mark.parametrize(
    "traffic", [steady, by_day, on_weekdays, rare, with_a_rare_night, daily_batch]
)
def test_silence_that_is_usual_is_no_gap(traffic: Traffic) -> None:
    seen = month(traffic)
    assert (seen.share, seen.gaps.late, seen.gaps.holes) == (ALL, NONE, NONE)
    assert (seen.gaps.longest, seen.gaps.since, seen.gaps.usual) == (None, None, NONE)


@pytest.mark.parametrize(
    "traffic, first, after, usual",
    [
        (steady, 100, 101, 100),
        (steady, 100, 316, 21_600),
        # By day there are 15 hours with traffic; the nights are not missed.
        (by_day, 300, 420, 5 * 1_500),
        (with_a_rare_night, 300, 420, 5 * 1_500),
    ],
)
def test_a_hole_is_found_with_its_time_and_what_is_usual_in_it(
    traffic: Traffic, first: int, after: int, usual: float
) -> None:
    seen = month(traffic, lambda place: first <= place < after)
    hole = seen.gaps.longest
    assert hole is not None
    start = END - HOURS * HOUR
    # What is silent at its ends belongs to it.
    assert hole.start <= start + first * HOUR
    assert hole.end >= start + after * HOUR
    assert hole.length <= (after - first + 18) * HOUR
    assert seen.gaps.holes == 1 - seen.share == Fraction(hole.length // HOUR, HOURS)
    assert float(seen.gaps.usual) == pytest.approx(usual, rel=0.05)
    assert seen.gaps.late == 0


def test_a_late_start_is_no_hole() -> None:
    seen = month(steady, lambda place: place < 648)
    assert (seen.share, seen.gaps.late, seen.gaps.holes) == (
        Fraction(1, 10),
        Fraction(9, 10),
        NONE,
    )
    assert seen.gaps.since == END - 72 * HOUR
    assert seen.gaps.usual == 0


def test_what_has_ended_is_neither_late_nor_a_hole() -> None:
    seen = month(steady, lambda place: place >= 696)
    assert (seen.share, seen.gaps.late, seen.gaps.holes) == (
        Fraction(696, 720),
        NONE,
        NONE,
    )


@pytest.mark.parametrize(
    "lost, share",
    [
        (lambda place: place % 2 == 1, Fraction(1, 2)),
        (lambda place: place % 10 < 3, Fraction(7, 10)),
        (lambda place: Random(place).random() < 0.3, Fraction(7, 10)),
    ],
    ids=["every second hour", "three of ten", "at random"],
)
def test_hours_that_are_lost_again_and_again_are_not_taken_for_sleep(
    lost: Callable[[int], bool], share: Fraction
) -> None:
    seen = month(steady, lost)
    assert abs(seen.share - share) < Fraction(1, 25)
    assert abs(seen.gaps.holes - (1 - share)) < Fraction(1, 25)


def test_the_same_hour_of_one_other_week_does_not_excuse_a_hole() -> None:
    seen = month(steady, lambda place: place in {200, 368})
    assert seen.gaps.holes == Fraction(2, 720)


def test_where_nothing_is_known_nothing_is_covered() -> None:
    seen = coverage_by_steps([None, None], Span(END - 2 * HOUR, END))
    assert (seen.share, seen.gaps.late, seen.gaps.holes) == (NONE, NONE, NONE)


def test_few_events_before_the_first_are_not_missed() -> None:
    # Three in the last ten days: six would be usual in the twenty days before.
    seen = month(lambda at: float(at in {END - 10 * HOUR, END - 90 * HOUR, END - 240 * HOUR}))
    assert (seen.share, seen.gaps.late) == (ALL, NONE)


def test_twenty_minutes_of_data_are_not_a_month() -> None:
    seen = month(steady, lambda place: place < 719)
    assert seen.share == Fraction(1, 720)


def test_where_only_presence_is_known_the_shortest_gap_counts() -> None:
    presence = [1.0] * 100
    presence[40:42] = [None, None]  # type: ignore[list-item]
    span = Span(END - 100 * HOUR, END)
    assert coverage_by_steps(presence, span).share == 1
    assert coverage_by_steps(presence, span, fewest=0).share == Fraction(98, 100)


def test_many_short_parts_are_looked_at_together() -> None:
    known: list[float | None] = [1.0] * 1_440
    known[100:104] = [None] * 4
    seen = coverage_by_steps(known, Span(END - 1_440 * HOUR, END), fewest=0)
    assert seen.gaps.holes == Fraction(2, 720)


def test_a_pause_over_midnight_counts_once() -> None:
    short = timedelta(days=3)
    parts = 3 * 24
    start = END - short
    awake = [
        None if (start + place * HOUR).hour in {22, 23, 0, 1, 2, 3} else 50.0
        for place in range(parts)
    ]
    assert coverage_by_steps(awake, Span(start, END)).share == 1


@pytest.mark.parametrize(("minutes", "traffic"), [(60, by_day), (14, steady)])
def test_parts_of_any_length_know_the_same_time_of_other_days(
    minutes: int, traffic: Traffic
) -> None:
    part = timedelta(minutes=minutes)
    count = 7 * DAY // part
    start = END - count * part
    awake = [traffic(start + place * part) or None for place in range(count)]
    place = (3 * DAY + 20 * HOUR) // part  # at about 10 o'clock
    lost = [
        None if abs(other - place) * part < HOUR else number for other, number in enumerate(awake)
    ]

    assert coverage_by_steps(awake, Span(start, END)).share == 1
    seen = coverage_by_steps(lost, Span(start, END))
    assert seen.share < 1
    assert [gap.length < 3 * HOUR for gap in seen.missing] == [True]


def test_what_is_usual_in_a_gap_is_what_happens_at_its_time_on_other_days() -> None:
    span = Span(END - 14 * DAY, END)
    hours = [by_day(span.start + place * HOUR) or None for place in range(14 * 24)]
    noon = END.replace(hour=12, minute=0)

    assert usual_within(hours, span, Span(noon, noon + HOUR / 4)) == 25
    assert usual_within(hours, span, Span(noon + 10 * HOUR, noon + 18 * HOUR)) == 0
    # After the end of what is known the same hours of the days before are looked at.
    assert usual_within(hours, span, Span(noon + DAY, noon + DAY + 2 * HOUR)) == 200
    assert usual_within([None] * 24, Span(END - DAY, END), Span(noon, noon + HOUR)) == 0


def test_a_gap_that_is_excused_is_not_missing() -> None:
    known = [None if 10 <= place < 12 else 100.0 for place in range(48)]
    span = Span(END - 48 * HOUR, END)

    (gap,) = coverage_by_steps(known, span).missing
    assert gap == Span(span.start + 10 * HOUR, span.start + 12 * HOUR)
    seen = coverage_by_steps(known, span, excused=lambda missing: missing == gap)
    assert (seen.missing, seen.share, seen.gaps.holes) == ((), ALL, NONE)
