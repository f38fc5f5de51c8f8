from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.backends.prometheus.counting import (
    Numbers,
    amount_spent,
    count_events,
    count_notes,
    count_slices,
)
from gate.backends.prometheus.query import Role
from gate.measure import Cause, MeasurementError
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span

AT = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = Span(AT - timedelta(hours=1), AT)


def events(**numbers: float | str | None) -> tuple[Fraction | int, Fraction | int]:
    given = {Role(k): None if v is None else Fraction(v) for k, v in numbers.items()}
    return count_events(given, HOUR)


def slice_numbers(seen: int | None, judged: int | None, bad: int | None) -> Numbers:
    numbers = {Role.TOTAL: 1, Role.SLICES: seen, Role.JUDGED_SLICES: judged, Role.BAD_SLICES: bad}
    return {role: None if number is None else Fraction(number) for role, number in numbers.items()}


def five_minutes(empty: EmptySlice) -> Slices:
    return Slices(length=timedelta(minutes=5), target=Fraction(9, 10), empty=empty)


def slices(
    seen: int | None, judged: int | None, bad: int | None, empty: EmptySlice = EmptySlice.LEFT_OUT
) -> tuple[Fraction | int, Fraction | int]:
    return count_slices(slice_numbers(seen, judged, bad), five_minutes(empty), HOUR)


def test_bad_and_total_are_taken_as_they_are() -> None:
    assert events(total="0.3", bad="0.1") == (Fraction(3, 10), Fraction(1, 10))


def test_good_is_taken_from_total() -> None:
    assert events(total=10, good=7) == (10, 3)


def test_good_and_bad_add_up_to_total() -> None:
    assert events(good=7, bad=3) == (10, 3)


@pytest.mark.parametrize("other", [{"total": 10}, {"good": 10}])
def test_absent_bad_is_zero_beside_events_and_says_so(other: dict[str, float]) -> None:
    assert events(**other, bad=None) == (10, 0)

    (name,) = other
    (note,) = count_notes({Role(name): Fraction(10), Role.BAD: None}, None, HOUR)
    assert note == f"no 'bad' series found; counted as 0 because '{name}' has data"


def test_nothing_is_noted_of_numbers_that_are_there() -> None:
    assert count_notes({Role.TOTAL: Fraction(10), Role.GOOD: Fraction(7)}, None, HOUR) == ()


@pytest.mark.parametrize(
    "numbers, cause, words",
    [
        ({"total": None, "bad": 3}, Cause.NO_DATA, "total: nothing came back"),
        ({"total": None, "bad": None}, Cause.NO_DATA, "in the 1h"),
        ({"total": None, "good": 3}, Cause.NO_DATA, "total: nothing came back"),
        ({"good": None, "bad": None}, Cause.NO_DATA, "good: nothing came back"),
        ({"good": None, "bad": 5}, Cause.NO_DATA, "though bad counts 5 events"),
        ({"total": 5, "good": None}, Cause.NO_DATA, "add: or vector(0)"),
        ({"total": 0, "bad": None}, Cause.NO_TRAFFIC, "no event"),
        ({"total": 0, "bad": 0}, Cause.NO_TRAFFIC, "no event"),
        ({"total": 0, "good": 0}, Cause.NO_TRAFFIC, "no event"),
        ({"total": 0, "good": None}, Cause.NO_TRAFFIC, "no event"),
        ({"good": 0, "bad": None}, Cause.NO_TRAFFIC, "no event"),
        ({"total": 0, "bad": 1}, Cause.INVALID, "more than total"),
        ({"total": 10, "bad": 11}, Cause.INVALID, "bad is 11.00 and more than total"),
        ({"total": 10, "good": 11}, Cause.INVALID, "is good more than total?"),
        ({"total": 10, "bad": -1}, Cause.INVALID, "cannot be negative"),
        ({"total": -1, "bad": 0}, Cause.INVALID, "total: the value is -1"),
        ({"total": 1, "good": -1}, Cause.INVALID, "good: the value is -1"),
        ({"good": 5, "bad": -1}, Cause.INVALID, "bad: the value is -1"),
    ],
)
def test_what_is_not_a_count_is_not_measured(
    numbers: dict[str, float | None], cause: Cause, words: str
) -> None:
    with pytest.raises(MeasurementError) as caught:
        events(**numbers)

    assert caught.value.cause is cause
    assert words in caught.value.reason


def test_float_noise_beyond_total_is_clamped() -> None:
    assert events(total=10**9, bad="1000000000.9") == (10**9, 10**9)
    assert events(total=10**9, good="1000000000.9") == (10**9, 0)


@given(
    total=st.fractions(min_value=0, max_value=10**6),
    bad=st.none() | st.fractions(min_value=-10, max_value=10**6),
)
def test_counts_keep_their_promise_or_there_are_none(total: Fraction, bad: Fraction | None) -> None:
    try:
        counted_total, counted_bad = count_events({Role.TOTAL: total, Role.BAD: bad}, HOUR)
    except MeasurementError:
        return
    assert 0 <= counted_bad <= counted_total
    assert counted_total > 0


def test_spent_may_be_zero_but_not_absent_or_negative() -> None:
    assert amount_spent(Fraction(0), HOUR) == 0
    with pytest.raises(MeasurementError, match="spent: nothing came back"):
        amount_spent(None, HOUR)
    with pytest.raises(MeasurementError, match="spent: the value is -2"):
        amount_spent(Fraction(-2), HOUR)


@pytest.mark.parametrize(
    "empty, total, bad, done",
    [
        (EmptySlice.LEFT_OUT, 10, 3, "excluded"),
        (EmptySlice.GOOD, 12, 3, "counted as good"),
        (EmptySlice.BAD, 12, 5, "counted as bad"),
    ],
)
def test_empty_slices_count_as_the_policy_says(
    empty: EmptySlice, total: int, bad: int, done: str
) -> None:
    assert slices(10, 10, 3, empty) == (total, bad)

    (note,) = count_notes(slice_numbers(10, 10, 3), five_minutes(empty), HOUR)
    assert note == f"2 slices had no data and were {done}"
    (note,) = count_notes(slice_numbers(11, 11, 3), five_minutes(empty), HOUR)
    assert note == f"1 slice had no data and was {done}"


def test_one_slice_more_than_fit_is_not_an_empty_one() -> None:
    assert slices(13, 13, None, EmptySlice.BAD) == (13, 0)


def test_slices_without_a_ratio_are_not_passed_over() -> None:
    with pytest.raises(MeasurementError, match="1 of 10 have events but no good ratio") as caught:
        slices(10, 9, 3)

    assert caught.value.cause is Cause.INVALID


def test_no_slice_at_all_is_no_data() -> None:
    with pytest.raises(MeasurementError, match="none of 5m in the window has data"):
        slices(None, None, None)


@pytest.mark.parametrize("empty", list(EmptySlice))
def test_gauge_that_does_not_exist_is_no_data_whatever_empty_slices_are(empty: EmptySlice) -> None:
    five = Slices(length=timedelta(minutes=5), target=Fraction(9, 10), empty=empty)
    absent = dict.fromkeys((Role.SLICES, Role.JUDGED_SLICES, Role.BAD_SLICES))
    with pytest.raises(MeasurementError, match="gauge: nothing came back") as caught:
        count_slices(absent, five, HOUR)

    assert caught.value.cause is Cause.NO_DATA
