import calendar
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.slo.calendar import Period
from gate.slo.objective import CalendarWindow, RollingWindow, Span

INSTANTS = st.datetimes(
    min_value=datetime(2015, 1, 1),  # noqa: DTZ001 - the zone is given below
    max_value=datetime(2037, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


PERIODS = """
day      Europe/Berlin        2026-03-29T12:00     2026-03-28T23:00  2026-03-29T22:00  23
day      Europe/Berlin        2026-10-25T12:00     2026-10-24T22:00  2026-10-25T23:00  25
week     Europe/Berlin        2026-03-29T12:00     2026-03-22T23:00  2026-03-29T22:00  167
week     Europe/Berlin        2026-10-25T12:00     2026-10-18T22:00  2026-10-25T23:00  169
month    Europe/Berlin        2026-03-31T21:59     2026-02-28T23:00  2026-03-31T22:00  743
month    Europe/Berlin        2026-10-31T22:59     2026-09-30T22:00  2026-10-31T23:00  745
quarter  Europe/Berlin        2026-01-01T00:00     2025-12-31T23:00  2026-03-31T22:00  2159
year     Europe/Berlin        2026-07-01T00:00     2025-12-31T23:00  2026-12-31T23:00  8760
day      Australia/Lord_Howe  2026-04-05T00:00     2026-04-04T13:00  2026-04-05T13:30  24.5
day      Australia/Lord_Howe  2026-10-04T00:00     2026-10-03T13:30  2026-10-04T13:00  23.5
month    Australia/Lord_Howe  2026-04-15T00:00     2026-03-31T13:00  2026-04-30T13:30  720.5
day      Asia/Kolkata         2026-11-20T18:29:59  2026-11-19T18:30  2026-11-20T18:30  24
day      Asia/Kolkata         2026-11-20T18:30     2026-11-20T18:30  2026-11-21T18:30  24
month    Asia/Kolkata         2026-11-20T00:00     2026-10-31T18:30  2026-11-30T18:30  720
week     Asia/Kathmandu       2026-11-22T18:14     2026-11-15T18:15  2026-11-22T18:15  168
day      UTC                  2028-02-29T23:59:59  2028-02-29        2028-03-01        24
month    UTC                  2028-02-29T12:00     2028-02-01        2028-03-01        696
month    UTC                  2027-02-28T12:00     2027-02-01        2027-03-01        672
quarter  UTC                  2028-02-29T12:00     2028-01-01        2028-04-01        2184
year     UTC                  2028-02-29T12:00     2028-01-01        2029-01-01        8784
year     UTC                  2027-12-31T23:59:59  2027-01-01        2028-01-01        8760
week     UTC                  2026-11-20T12:00     2026-11-16        2026-11-23        168
week     UTC                  2026-11-22T23:59:59  2026-11-16        2026-11-23        168
week     UTC                  2026-11-23T00:00     2026-11-23        2026-11-30        168
week     UTC                  2026-12-31T12:00     2026-12-28        2027-01-04        168
month    UTC                  2026-12-31T23:59:59  2026-12-01        2027-01-01        744
day      Africa/Cairo         2026-04-24T12:00     2026-04-23T22:00  2026-04-24T21:00  23
day      America/Havana       2026-11-01T12:00     2026-11-01T04:00  2026-11-02T05:00  25
day      America/St_Johns     2010-11-07T02:45     2010-11-07T02:30  2010-11-08T03:30  25
month    Pacific/Apia         2011-12-15T00:00     2011-12-01T10:00  2011-12-31T10:00  720
"""
"""Period, zone, instant; first instant, end and hours, by hand from the zones' rules. All in UTC.

The clocks change at midnight in the last four: Cairo has none that day, Havana has two, St. John's
goes back at 00:01 to 23:01, and Samoa left 30 December out.
Weeks begin on Mondays, which 2026-11-16 is.
"""


@pytest.mark.parametrize("case", [" ".join(line.split()) for line in PERIODS.split("\n") if line])
def test_a_calendar_period_has_the_length_that_the_clocks_on_the_wall_give_it(case: str) -> None:
    period, zone, at, start, end, hours = case.split()
    whole = CalendarWindow(Period(period), ZoneInfo(zone)).whole(utc(at))
    assert (whole.start, whole.end) == (utc(start), utc(end))
    assert whole.length == timedelta(hours=float(hours))


@pytest.mark.parametrize(
    "quarter, days", [(0, 31 + 28 + 31), (1, 30 + 31 + 30), (2, 31 + 31 + 30), (3, 31 + 30 + 31)]
)
def test_a_quarter_has_three_months(quarter: int, days: int) -> None:
    window = CalendarWindow(Period.QUARTER, UTC)
    months = [
        window.whole(datetime(2026, 3 * quarter + month, 28, 23, tzinfo=UTC)) for month in (1, 2, 3)
    ]
    assert len(set(months)) == 1
    assert months[0].start == datetime(2026, 3 * quarter + 1, 1, tzinfo=UTC)
    assert months[0].length == timedelta(days=days)


@pytest.mark.parametrize("period", Period)
def test_a_period_begins_anew_at_the_first_instant_of_the_next(period: Period) -> None:
    window = CalendarWindow(period, ZoneInfo("Europe/Berlin"))
    new_year = utc("2026-12-31T23:00")
    if period is Period.WEEK:
        new_year = utc("2027-01-03T23:00")
    last = window.counted(new_year - timedelta(microseconds=1))
    assert last.end < window.whole(last.end).end == new_year
    assert window.counted(new_year) == Span(new_year, new_year)
    assert window.counted(new_year).length == timedelta()


def test_the_first_minute_of_a_month_is_one_minute_long() -> None:
    window = CalendarWindow(Period.MONTH, ZoneInfo("Europe/Berlin"))
    counted = window.counted(utc("2026-10-31T23:01"))
    assert counted == Span(utc("2026-10-31T23:00"), utc("2026-10-31T23:01"))
    assert counted.length == timedelta(minutes=1)


@pytest.mark.parametrize("at, hours", [("2026-10-25T00:30", 2.5), ("2026-10-25T01:30", 3.5)])
def test_an_hour_that_the_clock_shows_twice_passes_twice(at: str, hours: float) -> None:
    window = CalendarWindow(Period.DAY, ZoneInfo("Europe/Berlin"))
    at_local = utc(at).astimezone(ZoneInfo("Europe/Berlin"))
    assert at_local.strftime("%H:%M") == "02:30"
    assert window.counted(at_local).length == timedelta(hours=hours)


FROM_A_START = """
week    America/New_York 2022-01-01T12:00 2026-11-29T00:00    2026-11-28T17:00 2026-12-05T17:00 168
week    America/New_York 2022-01-01T12:00 2026-11-28T17:00    2026-11-28T17:00 2026-12-05T17:00 168
week    America/New_York 2022-01-01T12:00 2026-11-28T16:59:59 2026-11-21T17:00 2026-11-28T17:00 168
week    America/New_York 2022-01-01T12:00 2026-03-08T12:00    2026-03-07T17:00 2026-03-14T16:00 167
week    America/New_York 2022-01-01T12:00 2026-11-01T12:00    2026-10-31T16:00 2026-11-07T17:00 169
week    America/New_York 2022-01-01T12:00 2021-12-30T00:00    2021-12-25T17:00 2022-01-01T17:00 168
week    UTC              2020-01-21T12:30 2026-11-29T00:00    2026-11-24T12:30 2026-12-01T12:30 168
day     Europe/Berlin    2026-01-03T06:00 2026-03-29T03:59    2026-03-28T05:00 2026-03-29T04:00 23
day     Europe/Berlin    2026-01-03T02:30 2026-03-29T01:10    2026-03-28T01:30 2026-03-29T01:30 24
day     Europe/Berlin    2026-01-03T02:30 2026-03-29T12:00    2026-03-29T01:30 2026-03-30T00:30 23
day     Europe/Berlin    2026-01-03T02:30 2026-10-25T01:10    2026-10-25T00:30 2026-10-26T01:30 25
day     Pacific/Apia     2011-12-01T12:00 2011-12-30T12:00    2011-12-29T22:00 2011-12-30T22:00 24
month   UTC              2026-01-15T00:00 2026-03-14T23:59    2026-02-15       2026-03-15       672
month   Europe/Berlin    2026-01-28T08:00 2028-03-28T05:00    2028-02-28T07:00 2028-03-28T06:00 695
quarter UTC              2026-02-01T00:00 2026-01-31T23:00    2025-11-01       2026-02-01       2208
quarter UTC              2026-01-30T00:00 2026-05-01T00:00    2026-04-30       2026-07-30       2184
year    Asia/Kolkata     2026-04-01T00:00 2026-03-31T18:00    2025-03-31T18:30 2026-03-31T18:30 8760
year    UTC              2024-07-31T00:00 2028-08-01T00:00    2028-07-31       2029-07-31       8760
"""
"""Period, zone, local start; instant; first instant, end and hours of its period in UTC, by hand.

2022-01-01 is a Saturday. A start at 02:30 in Berlin is skipped in March 2026 (an hour after 01:30
is 03:30 on that day), and in October the first of two counts.
"""


def beginning(period: str, zone: str, begins: str) -> CalendarWindow:
    return CalendarWindow.beginning(Period(period), ZoneInfo(zone), datetime.fromisoformat(begins))


@pytest.mark.parametrize(
    "case", [" ".join(line.split()) for line in FROM_A_START.split("\n") if line]
)
def test_periods_repeat_from_where_a_window_begins(case: str) -> None:
    period, zone, begins, at, start, end, hours = case.split()
    window = beginning(period, zone, begins)
    whole = window.whole(utc(at))
    assert (whole.start, whole.end) == (utc(start), utc(end))
    assert whole.length == timedelta(hours=float(hours))
    assert window.counted(utc(at)) == Span(utc(start), utc(at))


@pytest.mark.parametrize(
    ("period", "begins"),
    [
        ("day", "2026-01-03"),
        ("week", "2026-01-05"),
        ("month", "2026-02-01"),
        ("quarter", "2026-10-01"),
        ("year", "1999-01-01"),
    ],
)
def test_a_start_on_the_calendar_is_the_calendar(period: str, begins: str) -> None:
    window = beginning(period, "Asia/Tokyo", begins)
    assert window == CalendarWindow(Period(period), ZoneInfo("Asia/Tokyo"))
    assert str(window) == f"calendar {period} (Asia/Tokyo)"


@pytest.mark.parametrize(
    ("period", "begins", "message"),
    [
        ("month", "2026-01-29", "not every month has a day 29 to begin on; write day 28 or"),
        ("quarter", "2028-02-29", "not every quarter has a day 29 to begin on; write day 28 or"),
        ("quarter", "2026-10-31", "not every quarter has a day 31 to begin on; write day 30 or"),
        ("year", "2024-02-29", "not every year has a day 29 to begin on; write day 28 or earlier"),
        ("week", "2026-01-03T12:00:00.5", "has fractions of a second; write 2026-01-03 12:00:00"),
    ],
)
def test_a_start_that_not_every_period_has_is_refused(
    period: str, begins: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        beginning(period, "UTC", begins)


STARTS = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - local times
    max_value=datetime(2040, 12, 28),  # noqa: DTZ001
).map(lambda start: start.replace(day=min(start.day, 28), microsecond=0))


def is_shown(local: datetime, zone: ZoneInfo) -> bool:
    """Return whether the clocks of a zone ever show a time."""
    back = local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return back.replace(tzinfo=None) == local


@given(st.sampled_from(Period), st.sampled_from(sorted(available_timezones())), STARTS, INSTANTS)
def test_periods_from_any_start_leave_no_gap_and_begin_at_its_time_of_day(
    period: Period, zone: str, begins: datetime, at: datetime
) -> None:
    window = CalendarWindow.beginning(period, ZoneInfo(zone), begins)
    whole = window.whole(at)
    assert whole.start <= at < whole.end
    assert window.counted(at) == Span(whole.start, at)
    assert window.whole(whole.start) == whole
    assert window.whole(whole.end - timedelta(microseconds=1)) == whole
    assert window.whole(whole.end).start == whole.end
    local = whole.start.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    due = [datetime.combine(local - timedelta(days=days), begins.time()) for days in (0, 1)]
    skipped = any(not is_shown(time, ZoneInfo(zone)) for time in due)
    assert local.time() == begins.time() or skipped


@given(st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]), INSTANTS)
def test_around_each_change_of_the_clocks_every_minute_is_in_one_period(
    zone: str, at: datetime
) -> None:
    # All minutes of the two hours in which clocks change, which a random instant seldom meets.
    tz = ZoneInfo(zone)
    hours = [
        at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=h) for h in range(8784)
    ]
    change = next(h for h in hours if h.astimezone(tz).utcoffset() != at.astimezone(tz).utcoffset())
    window = CalendarWindow.beginning(Period.DAY, tz, datetime(2020, 5, 5, 2, 15))  # noqa: DTZ001
    minutes = [change + timedelta(minutes=minute) for minute in range(-150, 150)]
    wholes = [window.whole(minute) for minute in minutes]
    assert all(w.start <= minute < w.end for w, minute in zip(wholes, minutes, strict=True))
    different = sorted(set(wholes), key=lambda whole: whole.start)
    assert all(a.end == b.start for a, b in pairwise(different))


@given(st.sampled_from(Period), st.sampled_from(sorted(available_timezones())), INSTANTS)
def test_every_instant_is_in_one_period_and_the_periods_leave_no_gap(
    period: Period, zone: str, at: datetime
) -> None:
    window = CalendarWindow(period, ZoneInfo(zone))
    whole = window.whole(at)
    assert whole.start <= at < whole.end
    assert window.counted(at) == Span(whole.start, at)
    assert window.whole(whole.start) == whole
    assert window.whole(whole.end - timedelta(microseconds=1)) == whole
    assert window.whole(whole.end).start == whole.end


@given(
    st.sampled_from(
        ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney"]
    ),
    st.integers(min_value=2015, max_value=2037),
    st.integers(min_value=1, max_value=12),
)
def test_a_month_is_as_long_as_its_days_less_what_the_clocks_were_put_forward(
    zone: str, year: int, month: int
) -> None:
    tz = ZoneInfo(zone)
    days = calendar.monthrange(year, month)[1]
    whole = CalendarWindow(Period.MONTH, tz).whole(datetime(year, month, 15, tzinfo=tz))
    offsets = [moment.astimezone(tz).utcoffset() for moment in (whole.start, whole.end)]
    assert offsets[0] is not None
    assert offsets[1] is not None
    assert whole.length == timedelta(days=days) - (offsets[1] - offsets[0])


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=400)), INSTANTS)
def test_a_rolling_window_is_as_long_as_it_says_whenever_one_looks(
    length: timedelta, at: datetime
) -> None:
    window = RollingWindow(length)
    assert window.counted(at) == window.whole(at) == Span(at - length, at)
    assert window.counted(at).length == length


@pytest.mark.parametrize(
    "window",
    [RollingWindow(timedelta(days=30)), CalendarWindow(Period.MONTH, ZoneInfo("Europe/Berlin"))],
)
def test_spans_are_in_utc_whatever_zone_the_instant_is_in(
    window: RollingWindow | CalendarWindow,
) -> None:
    at = utc("2026-11-20T14:00")
    abroad = at.astimezone(timezone(timedelta(hours=-7)))
    for span in (window.counted(abroad), window.whole(abroad)):
        assert (span.start.tzinfo, span.end.tzinfo) == (UTC, UTC)
    assert window.counted(abroad) == window.counted(at)


def test_windows_say_what_they_are() -> None:
    assert str(RollingWindow(timedelta(days=30))) == "30d"
    month = CalendarWindow(Period.MONTH, ZoneInfo("Europe/Berlin"))
    assert str(month) == "calendar month (Europe/Berlin)"
    week = beginning("week", "America/New_York", "2022-01-01T12:00")
    assert str(week) == "calendar week from 2022-01-01 12:00 (America/New_York)"
    assert str(beginning("day", "UTC", "2026-01-03T00:00:30")).endswith("03 00:00:30 (UTC)")
