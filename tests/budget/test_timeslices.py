from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.ratio import allowed_downtime, slices_in
from gate.slo.indicator import Slices
from gate.slo.objective import Denominator
from gate.wording import describe_time
from tests.budget.building import AT, BERLIN, DAY, HOUR, MINUTE, MINUTES, MONTH, counts, ratio


def test_bad_minutes_are_counted_against_all_minutes_of_the_window() -> None:
    # Half of the minutes had no traffic and are left out of both; the budget stays 43.2 minutes.
    budget = ratio(counts(bad=12, total=21_600), slices=MINUTES, window=MONTH)
    assert budget.consumed == Fraction(12) / Fraction("43.2")
    assert budget.error_ratio == Fraction(12, 21_600)


def test_a_month_of_timeslices_has_as_many_as_its_clocks_give_it() -> None:
    # October in Berlin has 745 hours.
    at = AT - 30 * DAY
    budget = ratio(counts(bad=1, total=1_000), slices=MINUTES, window=BERLIN, at=at)
    assert budget.consumed == 1 / (Fraction("0.001") * 745 * 60)


def test_the_events_so_far_are_not_a_measure_of_timeslices() -> None:
    answer = counts(bad=12, total=21_600)
    to_date = ratio(answer, slices=MINUTES, window=MONTH, denominator=Denominator.TO_DATE)
    assert to_date.consumed == ratio(answer, slices=MINUTES, window=MONTH).consumed


def test_slices_burn_against_the_slices_of_their_window() -> None:
    # 6 of the 60 minutes of the last hour, of which 12 had traffic.
    budget = ratio(counts(bad=6, total=1_000), {HOUR: counts(bad=6, total=12)}, slices=MINUTES)
    assert budget.burn_rates == {HOUR: Fraction(100)}


@pytest.mark.parametrize(
    "window, length, number",
    [
        (30 * DAY, MINUTE, Fraction(43_200)),
        (timedelta(hours=24.5), HOUR, Fraction(49, 2)),
        (HOUR, timedelta(minutes=7), Fraction(60, 7)),
        (timedelta(milliseconds=1), timedelta(milliseconds=3), Fraction(1, 3)),
    ],
)
def test_a_window_that_is_not_a_multiple_has_a_part_of_a_slice(
    window: timedelta, length: timedelta, number: Fraction
) -> None:
    assert slices_in(window, length) == number


@given(
    st.timedeltas(min_value=HOUR, max_value=366 * DAY),
    st.fractions(min_value=Fraction(1, 10**5), max_value=Fraction(1, 2)),
)
def test_a_bad_time_as_long_as_allowed_spends_all(window: timedelta, budget: Fraction) -> None:
    allowed = allowed_downtime(window, budget)
    assert abs(Fraction(allowed / window) - budget) <= Fraction(timedelta(microseconds=1) / window)


@pytest.mark.parametrize(
    "length, text",
    [
        (timedelta(), "0s"),
        (timedelta(milliseconds=999), "0s"),
        (timedelta(seconds=59.9), "59s"),
        (timedelta(minutes=43, seconds=12), "43m12s"),
        (timedelta(minutes=59, seconds=59.9), "59m59s"),
        (timedelta(hours=1, seconds=59), "1h"),
        (timedelta(hours=47, minutes=59, seconds=59), "1d23h59m"),
        (timedelta(days=2, minutes=59), "2d"),
        (timedelta(days=7.5), "7d12h"),
        (timedelta(milliseconds=-999), "0s"),
        (-timedelta(minutes=43, seconds=12.9), "-43m12s"),
        (-timedelta(days=2, hours=3, minutes=4), "-2d3h"),
    ],
)
def test_a_time_is_shown_to_what_matters_and_never_as_more(length: timedelta, text: str) -> None:
    assert describe_time(length) == text


def test_slices_of_five_minutes_are_a_fifth_as_many() -> None:
    fives = Slices(length=5 * MINUTE, target=Fraction(1, 2))
    budget = ratio(counts(bad=1, total=8_640), slices=fives)
    assert budget.consumed == 1 / Fraction("8.64")
