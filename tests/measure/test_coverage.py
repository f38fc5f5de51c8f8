"""How much of a stretch of time has data: faults that must be seen, and silence that is usual."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from random import Random
from zoneinfo import ZoneInfo

import pytest

from gate.measure.coverage import (
    StepCoverage,
    between_samples,
    coverage_by_steps,
    usual_within,
    where_sampled_rarely,
)
from gate.slo.objective import Span

END = datetime(2026, 11, 20, 14, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOURS = 720
ALL, NONE = Fraction(1), Fraction(0)
Traffic = Callable[[datetime], float]
"""Events in the hour from an instant on."""


def month(traffic: Traffic, lost: Callable[[int], bool] = lambda _: False) -> StepCoverage:
    """Return the coverage of 30 days by the hour, where these hours from the start are lost."""
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
def test_silence_that_is_usual_is_not_a_gap(traffic: Traffic) -> None:
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
    busy = [place for place in range(HOURS) if traffic(start + place * HOUR) > 1]
    # What is silent at its ends on other days, too, does not belong to it.
    lost = [place for place in busy if first <= place < after]
    assert start + first * HOUR <= hole.start <= start + lost[0] * HOUR
    assert start + (lost[-1] + 1) * HOUR <= hole.end <= start + after * HOUR
    assert seen.gaps.holes == 1 - seen.share == Fraction(hole.length // HOUR, HOURS)
    assert float(seen.gaps.usual) == pytest.approx(usual, rel=0.05)
    assert seen.gaps.late == 0


def test_a_late_start_is_not_a_hole() -> None:
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
def test_hours_that_are_lost_again_and_again_are_not_mistaken_for_sleep(
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


def test_many_short_parts_are_examined_together() -> None:
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


CHANGES = {
    # Where the clocks go, and when: back, forward, by half an hour.
    "Europe/Berlin": [datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC)],
    "America/New_York": [datetime(2026, 11, 1, tzinfo=UTC)],
    "Australia/Lord_Howe": [datetime(2026, 10, 3, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC)],
    "Asia/Kathmandu": [datetime(2026, 10, 25, tzinfo=UTC)],
}
"""Nepal's stay as they are."""


def by_local_day(zone: str, shortest: int, weekends: bool = True) -> Traffic:
    """100 events an hour from 8 to 20 o'clock, as people's clocks show it."""
    minutes = timedelta(minutes=5)

    def traffic(at: datetime) -> float:
        moments = [(at + place * minutes).astimezone(ZoneInfo(zone)) for place in range(shortest)]
        open_ = [8 <= local.hour < 20 and (weekends or local.weekday() < 5) for local in moments]
        return 100.0 / 12 * sum(open_)

    return traffic


def in_the_night(day: datetime, zone: str) -> datetime:
    return datetime.combine(day.date(), time(3), ZoneInfo(zone)).astimezone(UTC)


def seen_at(
    end: datetime, traffic: Traffic, part: timedelta, days: int, lost: Span | None = None
) -> StepCoverage:
    """Return the coverage of the last days by parts, of which some are lost."""
    span = Span(end - days * DAY, end)
    starts = [span.start + place * part for place in range(span.length // part)]
    known = [
        None if lost is not None and lost.start <= start < lost.end else traffic(start) or None
        for start in starts
    ]
    return coverage_by_steps(known, span)


@pytest.mark.variants(4)
@pytest.mark.parametrize(
    ("part", "days", "weekends"),
    [
        (HOUR, 30, True),
        (HOUR, 30, False),
        (HOUR / 4, 14, True),
        (3 * HOUR, 90, True),
        (3 * HOUR, 90, False),
    ],
)
@pytest.mark.parametrize("zone", CHANGES)
def test_a_service_that_keeps_its_hours_loses_nothing_when_the_clocks_change(
    zone: str, part: timedelta, days: int, weekends: bool
) -> None:
    traffic = by_local_day(zone, part // timedelta(minutes=5), weekends)
    for change in CHANGES[zone]:
        for after in (3, 4, 8, 15, 25):
            # At night: the day after the change is over.
            seen = seen_at(in_the_night(change + after * DAY, zone), traffic, part, days)
            assert seen.missing == (), (change, after)


@pytest.mark.variants(2)
@pytest.mark.parametrize("weekends", [True, False])
@pytest.mark.parametrize("zone", CHANGES)
def test_from_the_second_morning_after_the_clocks_change_nothing_is_missed_by_day(
    zone: str, weekends: bool
) -> None:
    traffic = by_local_day(zone, 12, weekends)
    for change in CHANGES[zone]:
        for after in (4, 5, 6, 9, 16):
            noon = in_the_night(change + after * DAY, zone) + 9 * HOUR
            assert seen_at(noon, traffic, HOUR, 30).missing == (), (change, after)


@pytest.mark.variants(2)
@pytest.mark.parametrize("zone", CHANGES)
def test_on_each_day_an_hour_that_is_lost_in_the_morning_is_missed_by_noon(zone: str) -> None:
    traffic = by_local_day(zone, 12)
    for change in CHANGES[zone]:
        for day in (-9, 4, 12):
            night = in_the_night(change + day * DAY, zone)
            lost = Span(night + 5 * HOUR, night + 7 * HOUR)
            (gap,) = seen_at(night + 9 * HOUR, traffic, HOUR, 30, lost).missing
            assert gap.start < lost.end
            assert lost.start < gap.end


@pytest.mark.variants(4)
@pytest.mark.parametrize("hour", [8, 9, 13, 18, 19])
@pytest.mark.parametrize("zone", CHANGES)
def test_an_hour_that_is_lost_beside_the_change_of_the_clocks_is_missed(
    zone: str, hour: int
) -> None:
    traffic = by_local_day(zone, 12)
    for change in CHANGES[zone]:
        # Of an hour in which it was asleep until now nobody can say that it is missing.
        for day in (-3, 2, 5) if 8 < hour < 19 else (-3,):
            local = datetime.combine((change + day * DAY).date(), time(hour), ZoneInfo(zone))
            lost = Span(local.astimezone(UTC), local.astimezone(UTC) + HOUR)
            gaps = seen_at(in_the_night(change + 12 * DAY, zone), traffic, HOUR, 30, lost).missing
            assert any(gap.start < lost.end and lost.start < gap.end for gap in gaps)
            # Of such a day the hours that the clocks moved are missed as well, and not the night.
            assert sum((gap.length for gap in gaps), timedelta()) <= 3 * HOUR


def test_a_gap_that_ends_within_an_hour_is_missed_by_what_is_usual_in_its_part_of_it() -> None:
    span = Span(END - 14 * DAY, END)
    hours = [by_day(span.start + place * HOUR) or None for place in range(14 * 24)]
    morning = END.replace(hour=7)

    # Three silent hours, and three minutes of one that has 100 events.
    assert usual_within(hours, span, Span(morning - 3 * HOUR, morning + HOUR / 20)) == 5
    assert usual_within(hours, span, Span(morning + HOUR * 3 / 4, morning + 2 * HOUR)) == 125


STEP = timedelta(minutes=5)


def steps_with_samples(
    minutes: int, *, hours: int = 24, lost: Callable[[int], bool] = lambda _: False
) -> list[int]:
    """Return the steps of five minutes with a scrape at an interval of whole minutes."""
    scrapes = range(1, hours * 60 + 1, minutes)
    return sorted({-(-scrape // 5) - 1 for scrape in scrapes if not lost(scrape)})


@pytest.mark.parametrize("minutes", [1, 5, 6, 7, 9, 10, 15, 20, 30, 60])
def test_no_step_between_two_regular_scrapes_lacks_one(minutes: int) -> None:
    places = steps_with_samples(minutes)

    silent = between_samples(places, STEP)

    assert silent == set(range(places[0], places[-1])) - set(places)


@pytest.mark.parametrize("minutes", [1, 5, 6, 7, 10, 15, 20, 30])
def test_a_gap_of_an_hour_between_regular_scrapes_lacks_some(minutes: int) -> None:
    places = steps_with_samples(minutes, lost=lambda scrape: 600 < scrape <= 600 + 2 * 60)
    gap = range(max(place for place in places if place < 120) + 1, 144)

    silent = between_samples(places, STEP)

    lacking = set(range(places[0], places[-1])) - set(places) - silent
    assert lacking == set(range(gap.start, min(place for place in places if place > gap.start)))


@pytest.mark.parametrize(
    "places",
    [
        [],
        [3],
        [0, 7, 14, 21, 28],  # too few to show an interval
        [0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 20, 21, 22, 23, 24, 25],  # outages of several lengths
        [0, 2, 5, 11, 12, 20, 28, 30],  # no interval at all
    ],
)
def test_what_is_not_regular_lacks_samples(places: list[int]) -> None:
    assert between_samples(places, STEP) == frozenset()


def test_a_pause_of_five_minutes_is_always_usual() -> None:
    assert between_samples([0, 5, 11], timedelta(minutes=1)) == {1, 2, 3, 4}


def samples_in_steps(seconds: int, step: timedelta, phase: int = 1) -> list[float | None]:
    """Return the scrapes at an interval in each step of a day."""
    numbers = [0] * (DAY // step)
    for scrape in range(phase, 86_400 + 1, seconds):
        numbers[-(-scrape // step.seconds) - 1] += 1
    return [number or None for number in numbers]


@pytest.mark.parametrize("step", [timedelta(minutes=2), STEP, timedelta(minutes=15), HOUR], ids=str)
@pytest.mark.parametrize("seconds", [360, 420, 600, 900, 1800, 3600])
@pytest.mark.parametrize("phase", [1, 200, 359])
def test_rare_samples_cover_the_time_between_them(
    seconds: int, step: timedelta, phase: int
) -> None:
    seen = where_sampled_rarely(samples_in_steps(seconds, step, phase), step)

    assert len(seen) == DAY // step
    assert None not in seen


@pytest.mark.parametrize("step", [timedelta(minutes=2), STEP, timedelta(minutes=15), HOUR], ids=str)
@pytest.mark.parametrize("seconds", [15, 60, 120, 240])
def test_frequent_samples_are_not_rare(seconds: int, step: timedelta) -> None:
    assert where_sampled_rarely(samples_in_steps(seconds, step), step) == ()


@pytest.mark.parametrize("step", [timedelta(minutes=2), STEP, timedelta(minutes=15), HOUR], ids=str)
@pytest.mark.parametrize("seconds", [15, 60, 300, 360])
@pytest.mark.parametrize("hours", [2, 6, 12])
def test_an_outage_that_comes_back_is_not_the_interval_of_the_scrapes(
    hours: int, seconds: int, step: timedelta
) -> None:
    numbers = [0] * (4 * DAY // step)
    for start in range(0, 4 * 86_400, hours * 3600):
        for scrape in range(start + 1, start + 601, seconds):
            numbers[-(-scrape // step.seconds) - 1] += 1
    samples = [number or None for number in numbers]
    places = [place for place, number in enumerate(numbers) if number]

    # Whether samples are taken for rare or for frequent ones, no more than half is covered.
    seen = where_sampled_rarely(samples, step) or samples
    silent = between_samples(places, step)

    assert sum(number is not None for number in seen) <= len(seen) / 2
    assert len(places) + len(silent) <= len(seen) / 2


def test_no_sample_at_all_is_not_rare_but_nothing() -> None:
    assert where_sampled_rarely([None] * 12, STEP) == ()
