"""The forecast of budgets, compared with one that is computed hour by hour from the events."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.analysis.forecast import ForecastOptions, ForecastReport, Projection, SloForecast
from gate.analysis.forecast.run import forecast_budgets
from gate.errors import ExitCode, UsageError
from gate.measure import Cause, Unmeasured
from gate.measure.history import SeriesRequest
from tests.analysis.memory import AT, Memory, Opening, file, slo
from tests.analysis.remembered import (
    ALLOWED,
    CALENDAR,
    DAY,
    HOUR,
    MID,
    MONTH,
    Bad,
    Remembered,
)


def told(
    backend: Remembered,
    *slos: str,
    at: datetime = AT,
    last: timedelta = 90 * DAY,
    until: datetime | None = None,
) -> ForecastReport:
    asked = ForecastOptions(at=at, last=last, timeout=timedelta(seconds=3), until=until)
    return forecast_budgets([file("chat", *slos)], asked, open_with=Opening({"chat": backend}))


def only(report: ForecastReport) -> SloForecast:
    (service,) = report.services
    (one,) = service.slos
    return one


def rolling(bad: Bad) -> SloForecast:
    return only(told(Remembered({"a": bad}), slo("a")))


def projection(one: SloForecast, hours: int | None) -> Projection:
    wanted = None if hours is None else hours * HOUR
    (found,) = [projection for projection in one.projections if projection.rate_of == wanted]
    return found


def first_hour(bad: Sequence[int], rate: Fraction, above: Fraction | None) -> datetime | None:
    """Return when more than so much is left, or for None when nothing is.

    Hour by hour an old one leaves the window and a new one comes.
    """
    old = sum(bad)
    for hours, leaving in enumerate(bad, start=1):
        old -= leaving
        left = ALLOWED - old - rate * hours
        if left <= 0 if above is None else left > above * ALLOWED:
            return AT + hours * HOUR
    return None


BURSTS = st.dictionaries(st.integers(0, MONTH - 1), st.integers(1, 900), max_size=6)


@pytest.mark.slow
@settings(max_examples=8)
@given(BURSTS, st.integers(0, 3))
def test_recovery_and_end_are_those_of_a_window_moved_hour_by_hour(
    bursts: dict[int, int], steady: int
) -> None:
    bad = [bursts.get(hour, 0) + steady for hour in range(MONTH)]

    one = rolling(bad)

    now = 1 - Fraction(sum(bad), ALLOWED)
    assert one.assessment.remaining == now
    for hours in (None, 1, 6, 72):
        rate = Fraction(sum(bad[-hours:]), hours) if hours else Fraction(0)
        found = projection(one, hours)
        assert found.burn == rate  # 1 of 1,000 an hour burns at 1
        assert found.exhausted_at == (None if now <= 0 else first_hour(bad, rate, None))
        tenth, half = Fraction(1, 10), Fraction(1, 2)
        above = {"healthy": half, "caution": tenth}
        expected = {tier: first_hour(bad, rate, share) for tier, share in above.items()}
        better = [tier for tier, share in above.items() if now <= share]
        assert found.back == {tier: expected[tier] for tier in better}
    # A division does not see that old failures leave: it is never too late.
    division, end = one.assessment.forecast, projection(one, 1).exhausted_at
    assert division is not None
    assert end is None or (division.exhausted_at is not None and division.exhausted_at <= end)


def test_an_outage_of_nine_days_ago_leaves_the_window_in_twenty_one_days() -> None:
    bad = [0] * MONTH
    bad[-9 * 24] = 600

    one = rolling(bad)

    assert one.tier is not None
    assert one.tier.name == "caution"
    assert projection(one, None).back == {"healthy": AT + 21 * DAY + HOUR}
    assert projection(one, None).exhausted_at is None


def test_a_rate_of_one_spends_as_much_as_comes_back_and_never_recovers() -> None:
    found = projection(rolling([1] * MONTH), 1)

    assert found.burn == 1
    assert found.back == {"healthy": None, "caution": None}


def test_where_old_failures_leave_it_lasts_longer_than_a_division_says() -> None:
    # 360 failed 29 days ago; at 0.9 an hour the 360 that are left would be gone in 400 hours.
    bad = [0] * MONTH
    bad[24] = 360
    bad[-10:] = [0] * 9 + [1]

    one = rolling(bad)

    assert one.assessment.forecast is not None
    assert one.assessment.forecast.exhausted_at is not None
    assert one.assessment.forecast.exhausted_at < AT + 400 * HOUR
    # The newest failure, too, is in the window until its end.
    assert projection(one, 1).exhausted_at == AT + (MONTH - 1) * HOUR


def test_a_budget_of_which_nothing_is_spent_needs_no_failures_to_be_predicted() -> None:
    one = rolling([0] * MONTH)

    assert len(one.projections) == 5
    assert not any(
        projection.burn or projection.exhausted_at or projection.back
        for projection in one.projections
    )
    assert one.assessment.remaining == 1


def test_failures_that_the_history_does_not_have_are_not_mistaken_for_gone() -> None:
    class Forgetful(Remembered):
        def _series(self, request: SeriesRequest):  # type: ignore[no-untyped-def]
            return Remembered({"a": [0] * MONTH})._series(request)

    report = told(Forgetful({"a": [1] * MONTH}), slo("a"))

    lost = only(report).unmeasured
    assert lost is not None
    assert (lost.cause, only(report).projections) == (Cause.NO_DATA, ())
    assert report.exit_code is ExitCode.UNDECIDED


def test_a_history_that_is_not_available_is_undecided_and_the_budget_is_still_reported() -> None:
    lost = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    for kind in (slo("a"), CALENDAR):
        report = told(Remembered({"a": [0] * MONTH}, lost={"a": lost}, end=MID), kind, at=MID)

        assert only(report).unmeasured is lost
        assert only(report).assessment.remaining == 1
        assert report.exit_code is ExitCode.UNDECIDED


def test_a_budget_that_could_not_be_measured_is_undecided() -> None:
    report = told(Remembered({"a": []}), slo("a"))

    one = only(report)
    assert (one.tier, one.projections, one.gone) == (None, (), False)
    assert one.unmeasured == Unmeasured(cause=Cause.NO_DATA, reason="nothing is known")
    assert report.exit_code is ExitCode.UNDECIDED


def test_hours_that_are_not_known_are_reported() -> None:
    one = rolling([None] * 72 + [1] * (MONTH - 72))

    assert one.unknown == Fraction(1, 10)
    assert one.notes == ("seen",)


def test_a_rate_that_is_not_known_is_left_out_and_reported() -> None:
    one = rolling([1] * (MONTH - 6) + [None] * 6)

    assert [projection.rate_of for projection in one.projections] == [None, 72 * HOUR, 7 * DAY]
    assert one.notes[:1] == ("the burn rate over 1h, 6h is not known: nothing is known",)


def calendar(bad: Bad, *, more: str = "", last: timedelta = 90 * DAY) -> SloForecast:
    text = CALENDAR.replace("month}", f"month{more}}}")
    return only(told(Remembered({"a": bad}, end=MID), text, at=MID, last=last))


@pytest.mark.parametrize("denominator", ["", ", denominator: to-date"])
def test_what_is_left_at_the_reset_is_what_the_whole_month_would_have_left(
    denominator: str,
) -> None:
    # 288 of 720 that may fail in the month failed in its first half; 0.5 an hour from now on.
    bad = [0] * (90 * 24)
    bad[-300], bad[-1], bad[-6] = 285, 0, 3

    one = calendar(bad, more=denominator)

    assert projection(one, None).left_at_reset == 1 - Fraction(288, 720)
    assert projection(one, 6).burn == Fraction(1, 2)
    assert projection(one, 6).left_at_reset == 1 - Fraction(288 + 180, 720)
    assert projection(one, 6).exhausted_at is None


def test_a_calendar_budget_that_does_not_last_says_when_it_is_gone() -> None:
    bad = [0] * (90 * 24)
    bad[-1], bad[-200] = 3, 357

    one = calendar(bad)

    # 360 are left, 3 an hour.
    assert projection(one, 1).exhausted_at == MID + 120 * HOUR
    assert projection(one, 1).left_at_reset == 1 - Fraction(360 + 3 * 360, 720)


def test_a_month_like_every_other_leaves_what_every_other_left() -> None:
    one = calendar([1, 0] * (45 * 24))

    assert one.expected is not None
    # In 1 of 14 weeks what comes is twice as bad as all that was.
    assert (one.expected.low, one.expected.high) == pytest.approx((0.5 - 84 / 720, 0.5))
    assert one.expected.lasting == pytest.approx(7 / 8)
    assert one.expected.history_length == 90 * DAY


def test_too_short_a_history_has_no_interval() -> None:
    one = calendar([None] * (80 * 24) + [1] * 240)

    assert one.expected is None
    assert one.limitation == "only 10d of history are known; an interval needs 60d"
    assert one.unknown == 0


def test_a_history_without_known_data_has_no_interval() -> None:
    # The counts are from another server than the history, say.
    class Forgetful(Remembered):
        def _series(self, request: SeriesRequest):  # type: ignore[no-untyped-def]
            return Remembered({"a": []}, end=MID)._series(request)

    backend = Forgetful({"a": [1] * 360}, end=MID)

    one = only(told(backend, CALENDAR, at=MID))

    assert one.expected is None
    assert one.unknown == 0
    assert one.limitation == "only 0s of history are known; an interval needs 60d"


def test_timeslices_come_back_as_bad_ones_leave_the_window_and_at_the_reset() -> None:
    # Of 720 hours 7.2 may be bad. Ten were, 20 to 10 hours after the window began.
    bad = [0] * 3 * MONTH
    bad[-MONTH + 10 : -MONTH + 20] = [1] * 10
    sliced = slo("a", budget="objective: 99%", more="timeslices: {length: 1h, target: 99%}")

    report = told(
        Remembered({"a": bad}, end=MID),
        sliced,
        sliced.replace("{name: a,", "{name: b,").replace("30d", "{calendar: month}"),
        at=MID,
    )
    rolling, calendar = report.services[0].slos

    calm, *_ = rolling.projections
    # With five gone, 5 of 7.2 are spent: 30% are left; with nine gone 86%.
    assert calm.back == {"healthy": MID + 17 * HOUR, "caution": MID + 14 * HOUR}
    assert [one.left_at_reset for one in calendar.projections] == [1] * 5
    assert calendar.expected is not None
    assert calendar.expected.high > calendar.expected.low
    assert report.exit_code is ExitCode.ALLOW


def test_what_is_spent_goes_on_as_in_the_hours_and_days_before() -> None:
    # 1 USD an hour, and 5 in each of the last six: of 1,000 in 720 hours 1.39 an hour are even.
    spent = [*[1] * (MONTH - 6), *[5] * 6]
    money = "  - {name: s, allowance: 1000, window: 30d, sli: {spent: s}}\n"

    report = told(
        Remembered({"s": spent, "a": [0] * MONTH}, end=MID),
        money,
        money.replace("name: s", "name: t").replace("30d", "{calendar: month}"),
        slo("a"),
        "  - {name: c, composite: [{slo: a, weight: 1}]}\n",
        at=MID,
    )
    rolling, calendar, _, composite = report.services[0].slos

    burns = [
        Fraction(0),
        Fraction(18, 5),
        Fraction(18, 5),
        Fraction(6 * 5 + 66, 100),
        Fraction(6 * 5 + 162, 168) * Fraction(18, 25),
    ]
    for forecast in (rolling, calendar):
        assert [float(one.burn) for one in forecast.projections] == pytest.approx(
            [float(burn) for burn in burns]
        )
    # 100 are spent, 90% are left, and half of the month is to come.
    assert [one.left_at_reset for one in calendar.projections] == pytest.approx(
        [0.9, 0.9 - 1.8, 0.9 - 1.8, 0.9 - 0.48, 0.9 - (30 + 162) / 168 * 0.36]
    )
    assert calendar.limitation is not None
    assert composite.limitation == "it is a composite; its members have forecasts of their own"


def test_a_rate_over_more_than_the_history_is_not_told() -> None:
    money = "  - {name: s, allowance: 1000, window: {calendar: month}, sli: {spent: s}}\n"

    one = only(told(Remembered({"s": [2] * MONTH}, end=MID), money, at=MID, last=DAY))

    assert [projection.rate_of for projection in one.projections] == [
        None,
        timedelta(hours=1),
        timedelta(hours=6),
    ]


def test_a_backend_without_a_history_is_a_usage_error() -> None:
    asked = ForecastOptions(at=AT, last=DAY, timeout=timedelta(seconds=3))

    with pytest.raises(UsageError, match=r"chat\.yaml: the backend static keeps no history"):
        forecast_budgets([file("chat", slo("a"))], asked, open_with=Opening({"chat": Memory({})}))


def lefts(bad: Sequence[int], rate: Fraction, hours: int) -> list[Fraction]:
    """Return what is left of a rolling budget after each hour, at so many failures an hour."""
    return [1 - (sum(bad[place:]) + rate * place) / ALLOWED for place in range(1, hours + 1)]


@pytest.mark.crossed
@pytest.mark.parametrize("hours", [12, 48, 400, MONTH])
@pytest.mark.parametrize(
    "bad",
    [
        [*[0] * (MONTH - 216), 600, *[0] * 215],
        [1] * MONTH,
        [*[2] * (MONTH - 100), *[0] * 100],
        [0] * MONTH,
    ],
)
def test_what_can_be_afforded_is_what_just_keeps_the_budget(bad: list[int], hours: int) -> None:
    one = only(told(Remembered({"a": bad}), slo("a"), until=AT + hours * HOUR))
    assert one.affordable is not None
    rate, more = one.affordable.rate, Fraction(1, 10**6)

    assert one.affordable.until == AT + hours * HOUR
    gone = sum(bad) > ALLOWED
    if rate is None:
        assert lefts(bad, Fraction(0), hours)[-1] < 0
    elif gone:
        assert lefts(bad, rate, hours)[-1] >= 0 > lefts(bad, rate + more, hours)[-1]
    else:
        assert min(lefts(bad, rate, hours)) >= 0 > min(lefts(bad, rate + more, hours))


def test_without_a_date_it_is_one_window_from_now_and_with_a_later_one_as_well() -> None:
    backend = Remembered({"a": [1] * MONTH})
    for until in (None, AT + 90 * DAY):
        one = only(told(backend, slo("a"), until=until)).affordable
        assert one is not None
        assert (one.until, one.at_reset, one.rate) == (
            AT + 30 * DAY,
            False,
            Fraction(ALLOWED, MONTH),
        )


def test_a_date_within_the_first_step_says_nothing() -> None:
    one = only(told(Remembered({"a": [1] * MONTH}), slo("a"), until=AT + HOUR / 2))
    assert one.affordable is None


def test_how_much_may_fail_to_be_in_a_better_tier_is_reported_too() -> None:
    # 700 of the 720 that may fail have, and are out of the window when all of it has passed.
    bad = [*[0] * 100, *[7] * 100, *[0] * (MONTH - 200)]
    one = only(told(Remembered({"a": bad}), slo("a"))).affordable
    assert one is not None
    tiers = {tier.name: tier.condition for tier in file("chat", slo("a")).policy.tiers}
    assert len(one.back) == 2
    for name, rate in one.back.items():
        condition = tiers[name]
        assert condition is not None
        assert rate == (1 - condition.threshold) * ALLOWED / MONTH


def test_a_calendar_budget_can_afford_what_is_left_until_the_reset() -> None:
    # Half of November is over: 360,000 of 720,000 events, of which 720 may fail; 180 have.
    bad = [*[0] * (45 * 24 - 360), *[1] * 180, *[0] * 180]
    for until, hours, at_reset in ((None, 360, True), (MID + 36 * HOUR, 36, False)):
        one = only(told(Remembered({"a": bad}, end=MID), CALENDAR, at=MID, until=until)).affordable
        assert one is not None
        assert (one.until, one.at_reset) == (MID + hours * HOUR, at_reset)
        assert one.rate == Fraction(720 - 180, hours)
        assert one.what == "failures"


def test_what_an_allowance_can_afford_is_reported_in_its_unit() -> None:
    money = "  - {name: m, allowance: 400 USD, window: {calendar: month}, sli: {spent: a}}\n"
    # 100 are spent, as the backend in memory has it.
    one = only(told(Remembered({"a": [0] * MONTH}, end=MID), money, at=MID)).affordable
    assert one is not None
    assert (one.what, one.rate) == ("USD", Fraction(300, 360))


def test_what_slices_can_afford_is_reported_in_slices() -> None:
    sliced = slo("a", more="timeslices: {length: 1h, target: 95%}")
    one = only(told(Remembered({"a": [0] * MONTH}), sliced)).affordable
    assert one is not None
    assert (one.what, one.rate) == ("bad slices", Fraction(1, 1000))


def test_what_is_not_known_can_afford_nothing_that_could_be_told() -> None:
    both = slo("a"), "  - {name: all, composite: [{slo: a, weight: 1}]}\n"
    (service,) = told(Remembered({"a": [1] * MONTH}), *both).services
    assert service.slos[1].affordable is None
    assert rolling([None] * MONTH).affordable is None
