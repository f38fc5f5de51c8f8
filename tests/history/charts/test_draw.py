"""Charts drawn of histories: what is left out, what is found and since when."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction

import pytest

from gate.history.charts import StepCounts
from gate.history.charts.build import BaselineSettings, build_chart
from gate.history.charts.chart import Chart, ChartKind, ChartResult, NoChart
from gate.history.charts.signals import DEFAULT, RULES
from gate.history.records import IncidentRecord, RecordStatus
from gate.measure import Cause
from gate.slo.indicator import Slices
from tests.history.charts.plotting import DAY, HOUR, START, of_1000, request

WEEK = 7 * 24
MINUTES = Slices(length=timedelta(minutes=1), target=Fraction(9, 10))


def drawing(
    counts: Sequence[StepCounts | None],
    *,
    kind: ChartKind = ChartKind.RATIO,
    baseline: timedelta = 7 * DAY,
    incidents: Sequence[tuple[datetime, datetime]] = (),
    records: Sequence[IncidentRecord] = (),
    step: timedelta = HOUR,
    rules: str = DEFAULT,
    slices: Slices | None = None,
) -> ChartResult:
    usual = BaselineSettings(until=START + baseline, incidents=incidents, records=records)
    asked = replace(request(len(counts), step), slices=slices)
    return build_chart(kind, counts, asked, usual, RULES[rules])


def chart(counts: Sequence[StepCounts | None], **more: object) -> Chart:
    drawn = drawing(counts, **more)  # type: ignore[arg-type]  # by name
    assert isinstance(drawn, Chart), drawn
    return drawn


def lacking(counts: Sequence[StepCounts | None], **more: object) -> NoChart:
    drawn = drawing(counts, **more)  # type: ignore[arg-type]  # by name
    assert isinstance(drawn, NoChart)
    return drawn


def record(start: int, end: int | None) -> IncidentRecord:
    return IncidentRecord(
        id="INC-1",
        title="known",
        services=("chat",),
        start=START + start * HOUR,
        end=None if end is None else START + end * HOUR,
        status=RecordStatus.RESOLVED,
    )


def usual(seed: int = 4, hours: int = WEEK, bad: float = 10) -> list[float | None]:
    """Return a process in control: about 10 +/- 3 bad of 1,000 in every hour, none far off."""
    rng = random.Random(seed)
    return [bad + max(-6, min(rng.gauss(0, 3), 6)) for _ in range(hours)]


def test_an_outage_after_the_baseline_is_a_signal_as_long_as_it_lasts() -> None:
    found = chart(of_1000([*usual(), *usual(5, 24), 80, 90, 80, *usual(6, 24)]))
    newest, *older = found.worse

    assert newest.since == START + (WEEK + 24) * HOUR
    assert newest.end >= newest.since + 3 * HOUR
    assert newest.rules == ("Western Electric 1", "EWMA")
    assert newest.peak.sample.value == 0.09
    assert (newest.open, older) == (False, [])


def test_what_goes_on_at_the_newest_point_is_open() -> None:
    assert chart(of_1000([*usual(), *usual(5, 24), 80])).worse[0].open


def test_a_small_shift_is_seen_by_the_average_and_dated_back_to_where_it_began() -> None:
    # Two thirds of a sigma for two days.
    found = chart(of_1000([*usual(), *usual(5, 48), *usual(6, 48, 13)]))
    (shift,) = found.worse

    assert shift.rules == ("EWMA",)
    began = START + (WEEK + 48) * HOUR
    assert began - 6 * HOUR <= shift.since <= began + 6 * HOUR
    assert shift.points[0].point.sample.start > shift.since


def test_what_is_better_is_reported_and_is_not_an_alarm() -> None:
    (found,) = chart(of_1000([*usual(), *usual(5, 24), *[1.0] * 24])).signals

    assert not found.worse
    assert found.rules == ()
    assert found.peak.sample.value == 0.001
    assert found.since == START + (WEEK + 24) * HOUR


def test_the_newest_signal_comes_first() -> None:
    found = chart(of_1000([*usual(), 90, *usual(5, 30), 90, *usual(6, 30)]))

    assert [one.peak.sample.start for one in found.worse] == [
        START + (WEEK + 31) * HOUR,
        START + WEEK * HOUR,
    ]


def test_an_incident_in_the_baseline_does_not_say_what_is_usual() -> None:
    spoilt = [*usual(hours=50), *[400.0] * 10, *usual(5, WEEK - 60)]
    stretch = (START + 50 * HOUR, START + 60 * HOUR)

    whole = chart(of_1000([*spoilt, 30]))
    without = chart(of_1000([*spoilt, 30]), incidents=[stretch])
    known = chart(of_1000([*spoilt, 30]), records=[record(50, 60)])

    assert whole.usual.centre > 0.03
    assert without.usual.centre == pytest.approx(0.01, rel=0.1)
    assert (len(without.baseline), len(without.excluded)) == (WEEK - 10, 10)
    assert without.usual == known.usual
    assert whole.worse == ()
    assert len(without.worse) == 1
    assert len(without.points) == WEEK + 1


def test_points_of_the_baseline_beyond_its_own_limits_are_counted() -> None:
    odd = [*usual(hours=50), 60.0, *usual(5, WEEK - 51)]

    assert chart(of_1000([*odd, 10])).unruly == 1
    assert chart(of_1000([*usual(), 10])).unruly == 0


def test_a_known_incident_is_put_to_the_signals_that_it_overlaps() -> None:
    counts = of_1000([*usual(), 90, *usual(5, 30), 90, *usual(6, 30)])

    found = chart(counts, records=[record(WEEK + 31, None)]).worse

    assert [[one.id for one in signal.records] for signal in found] == [["INC-1"], []]


def test_where_few_events_are_bad_steps_are_put_together_so_that_they_divide_the_day() -> None:
    # One in five hours: 2 are expected in 10 hours, and 12 divide the day.
    sparse = [1.0 if hour % 5 == 0 else 0.0 for hour in range(20 * 24)]

    found = chart(of_1000(sparse), baseline=14 * DAY)

    assert found.step == 12 * HOUR
    assert len(found.baseline) == 28
    assert found.worse == ()


def test_where_bad_slices_come_in_runs_steps_are_put_together_until_points_are_alike() -> None:
    # 40 in every fourth hour: ten an hour in the mean, but three of four hours have none.
    runs = [40.0 if hour % 4 == 0 else 0.0 for hour in range(2 * WEEK)]
    counts = of_1000([*runs[:-3], 90.0, 90.0, 90.0])

    found = chart(counts, slices=MINUTES)

    assert found.step == 3 * HOUR
    assert len(found.baseline) == WEEK // 3
    assert [one.points[0].point.sample.value for one in found.worse] == [0.09]
    # Of requests so many are independent of each other.
    assert chart(counts).step == HOUR


def test_runs_that_are_rare_are_not_charted_however_long_the_baseline_is() -> None:
    # Fifty in an hour of every ninth day: a point of a day has 5.6 in the mean, and mostly none.
    rare = [50.0 if hour % (9 * 24) == 7 else 0.0 for hour in range(70 * 24)]

    found = lacking(of_1000(rare), baseline=60 * DAY, slices=MINUTES)

    assert found.cause is Cause.LOW_TRAFFIC
    assert found.reason == (
        "runs of bad slices are so rare that points vary too much, however long they are"
    )


def test_an_outage_in_a_baseline_makes_no_longer_points_of_slices_that_are_alike() -> None:
    odd = [*usual(hours=50), 400.0, *usual(5, WEEK - 51)]

    assert chart(of_1000([*odd, 10]), slices=MINUTES).step == HOUR


def test_slices_that_do_not_divide_the_day_are_put_together_as_they_are() -> None:
    sparse = [1.0 if step % 5 == 0 else 0.0 for step in range(400)]
    step = timedelta(hours=5)

    found = chart(of_1000(sparse), step=step, baseline=70 * DAY, slices=MINUTES)

    assert found.step == 10 * step


def test_where_steps_cannot_divide_the_day_as_many_as_it_takes_are_put_together() -> None:
    sparse = [1.0 if step % 5 == 0 else 0.0 for step in range(400)]

    found = chart(of_1000(sparse), step=timedelta(hours=5), baseline=70 * DAY)

    assert found.step == timedelta(hours=50)


def test_what_fails_too_rarely_to_be_charted_is_reported() -> None:
    rare = [1.0 if hour == 30 else 0.0 for hour in range(2 * WEEK)]

    found = lacking(of_1000(rare))

    assert found.cause is Cause.LOW_TRAFFIC
    assert found.reason == (
        "not enough data for a baseline: 0 of the 20 points needed; failures, or runs of bad"
        " slices, are so rare that a point takes 336 steps"
    )


def test_a_baseline_of_few_points_is_none_and_not_in_control() -> None:
    found = lacking(of_1000([*[None] * 150, *usual(hours=18), *usual(5)]))

    assert found.cause is Cause.LOW_COVERAGE
    assert found.reason == (
        "not enough data for a baseline: 18 of the 20 points needed; look further back"
    )


def test_a_baseline_that_is_all_incidents_is_none() -> None:
    found = lacking(of_1000([*usual(), *usual(5)]), incidents=[(START, START + 160 * HOUR)])

    assert found.reason.endswith("8 of the 20 points needed (160 more in incidents)")
    every = lacking(of_1000([*usual(), *usual(5)]), incidents=[(START, START + 300 * HOUR)])
    assert "0 of the 20 points needed (168 more in incidents)" in every.reason


def test_without_anything_bad_there_is_nothing_to_see() -> None:
    flawless = lacking(of_1000([0.0] * 2 * WEEK))
    then = lacking(of_1000([*[0.0] * WEEK, *usual()]))

    assert (flawless.cause, flawless.reason) == (None, "nothing failed at all")
    assert then.cause is Cause.LOW_TRAFFIC
    assert "nothing failed in the baseline" in then.reason


def test_without_any_point_after_the_baseline_nothing_is_in_control() -> None:
    found = lacking(of_1000([*usual(), *[None] * 24]))

    assert found.cause is Cause.NO_DATA


def test_means_that_never_vary_are_not_a_baseline() -> None:
    found = lacking([(2000.0, 1000.0)] * 2 * WEEK, kind=ChartKind.MEAN)

    assert found.cause is Cause.INVALID


def test_a_mean_that_rises_by_two_sigmas_is_found_within_a_day() -> None:
    rng = random.Random(9)
    level = [400.0] * WEEK + [400.0] * 100 + [440.0] * 68
    counts = [(1000 * (mean + rng.gauss(0, 20)), 1000.0) for mean in level]

    found = chart(counts, kind=ChartKind.MEAN)
    (shift,) = found.worse

    began = START + (WEEK + 100) * HOUR
    assert shift.open
    assert abs(shift.since - began) <= 4 * HOUR
    assert shift.points[0].point.sample.end - began <= 6 * HOUR


def test_more_rules_find_more() -> None:
    # Two of three points between 2 and 3 sigmas; then all is as before.
    counts = of_1000([*usual(), *usual(5, 24), 18.5, 10, 18.5, *usual(6, 24)])

    assert chart(counts).worse == ()
    (found,) = chart(counts, rules="western-electric").worse
    assert found.rules == ("Western Electric 2",)


@pytest.mark.parametrize(
    ("value", "ratio", "mean"),
    [
        (0.00419, "0.419%", "0.00419 s"),
        (1.0, "100%", "1 s"),
        (1e-7, "0.00001%", "0.0000001 s"),
        (0, "0%", "0 s"),
    ],
)
def test_values_are_written_with_three_digits_that_say_something(
    value: float, ratio: str, mean: str
) -> None:
    drawn = chart(of_1000([*usual(), 10]))
    other = chart([(400.0 + hour % 7, 1000.0) for hour in range(WEEK + 1)], kind=ChartKind.MEAN)

    assert drawn.write(value) == ratio
    assert f"{other.write(value)} s" == mean
