from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.budget.composite import composed
from gate.budget.forecast import Recovery, affordable_failures, bad_slices, recovery, renewal
from gate.measure.history import Series
from gate.slo.indicator import EmptySlice, Slices

AT = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
BAD = st.lists(st.integers(0, 1000), min_size=1, max_size=60)


def series(*bad: float | None) -> Series:
    total = tuple(None if one is None else 1000.0 for one in bad)
    return Series(total=total, bad=bad, query="asked")


def test_a_budget_comes_back_as_its_failures_leave_the_window() -> None:
    # Of 10 failures 4 are in the oldest hour and 6 in the third: they leave after 1 and 3 hours.
    found = recovery(series(4, 0, 6, 0), AT, HOUR)
    assert found is not None

    assert list(found.remaining(Fraction(-1, 2))) == [
        (AT + 1 * HOUR, 1 - Fraction(3, 2) * Fraction(6, 10)),
        (AT + 2 * HOUR, 1 - Fraction(3, 2) * Fraction(6, 10)),
        (AT + 3 * HOUR, Fraction(1)),
        (AT + 4 * HOUR, Fraction(1)),
    ]


def test_hours_without_known_data_give_nothing_back() -> None:
    found = recovery(series(None, 5), AT, HOUR)
    assert found is not None

    assert found.left == (Fraction(1), Fraction(0))


def test_without_failures_there_is_nothing_to_recover() -> None:
    assert recovery(series(0, None, 0), AT, HOUR) is None


@given(BAD, st.fractions(-3, 1))
def test_recovery_never_takes_back_and_ends_with_a_full_budget(
    bad: list[int], left: Fraction
) -> None:
    found = recovery(series(*bad), AT, HOUR)
    if found is None:
        assert sum(bad) == 0
        return
    remaining = [share for _, share in found.remaining(left)]

    assert len(remaining) == len(bad)
    assert remaining == sorted(remaining)
    assert remaining[0] >= left
    assert remaining[-1] == 1


def test_what_is_left_at_an_instant_is_what_was_left_after_the_last_whole_step() -> None:
    found = Recovery(at=AT, step=HOUR, left=(Fraction(3, 4), Fraction(0)))

    minutes = {
        minute: found.left_at(AT + timedelta(minutes=minute)) for minute in (-9, 59, 60, 119)
    }
    assert minutes == {-9: 1, 59: 1, 60: Fraction(3, 4), 119: Fraction(3, 4)}
    assert found.left_at(found.end) == found.left_at(found.end + 99 * HOUR) == 0


def test_a_composite_comes_back_as_its_members_do_weighted_by_what_they_took() -> None:
    # a took 60%, and half of that leaves in an hour; b took 20%, and resets in 3 hours.
    a = Recovery(at=AT, step=HOUR, left=(Fraction(1, 2), Fraction(1, 2)))
    b = renewal(AT + 3 * HOUR, HOUR / 12)

    found = composed([(Fraction(6, 10), a), (Fraction(2, 10), b)])

    assert list(found.remaining(Fraction(2, 10))) == [
        (AT + 1 * HOUR, Fraction(5, 10)),
        (AT + 2 * HOUR, Fraction(5, 10)),
        (AT + 3 * HOUR, Fraction(7, 10)),
    ]


def test_a_composite_of_one_member_comes_back_as_that_does() -> None:
    found = recovery(series(4, 0, 6, 0), AT, HOUR)
    assert found is not None
    assert composed([(Fraction(3, 2), found)]) == found


@given(BAD, BAD, st.fractions(1, 5), st.integers(1, 12))
def test_a_composite_never_comes_back_before_its_members_have(
    one: list[int], other: list[int], weight: Fraction, step: int
) -> None:
    fine, coarse = recovery(series(*one), AT, HOUR), recovery(series(*other), AT, step * HOUR)
    if fine is None or coarse is None:
        return
    found = composed([(weight, fine), (Fraction(1), coarse)])

    for place, left in enumerate(found.left, start=1):
        instant = AT + place * found.step
        exactly = (weight * fine.left_at(instant) + coarse.left_at(instant)) / (weight + 1)
        assert left == exactly
    assert found.left[-1] == 0
    assert found.end >= max(fine.end, coarse.end)


@given(BAD, st.fractions(-3, 1))
def test_at_the_pace_of_the_last_week_as_much_comes_as_came_in_it(
    bad: list[int], left: Fraction
) -> None:
    found = recovery(series(*[0] * 200, *bad), AT, HOUR)
    if found is None:
        return
    week = [0] * (168 - len(bad)) + bad
    old = [0] * 200 + bad
    consumed = 1 - left

    steps = list(found.consumed(paced=True))

    for place, (instant, share) in enumerate(steps, start=1):
        there = sum(old[place:]) + place * Fraction(sum(week), 168)
        assert instant == AT + place * HOUR
        assert consumed * share == consumed * there / sum(bad)


def test_a_window_shorter_than_a_week_goes_on_as_it_was() -> None:
    found = recovery(series(4, 0, 6, 2), AT, HOUR)
    assert found is not None

    assert found.added == Fraction(1, 4)


def test_the_pace_of_a_composite_is_that_of_its_members_weighted_by_what_they_took() -> None:
    fine = Recovery(at=AT, step=HOUR, left=(Fraction(0),) * 4, added=Fraction(1, 4))
    coarse = Recovery(at=AT, step=2 * HOUR, left=(Fraction(0),) * 2, added=Fraction(1, 8))

    found = composed([(Fraction(6, 10), fine), (Fraction(2, 10), coarse)])

    # In two hours the first adds half of its 60%, the other an eighth of its 20%.
    assert found.step == 2 * HOUR
    assert found.added == (Fraction(6, 10) / 2 + Fraction(2, 10) / 8) / Fraction(8, 10)
    reset = renewal(AT + 4 * HOUR, HOUR)
    assert composed([(Fraction(6, 10), fine), (Fraction(2, 10), reset)]).added is None


STRETCHES = st.lists(st.tuples(st.fractions(0, 2), st.fractions(0, Fraction(1, 2))), max_size=3)


@given(BAD, STRETCHES, st.booleans())
def test_the_first_step_is_the_one_that_a_look_at_every_step_finds(
    bad: list[int], wanted: list[tuple[Fraction, Fraction]], paced: bool
) -> None:
    found = recovery(series(*[0] * 200, *bad), AT, HOUR)
    if found is None:
        return

    def suits(least: Fraction, most: Fraction) -> bool:
        return any(low <= most and least <= low + width for low, width in wanted)

    every = found.consumed(paced=paced)
    expected = next((instant for instant, share in every if suits(share, share)), None)
    assert found.first(suits, paced=paced) == expected


@pytest.mark.parametrize("paced", [False, True])
def test_of_a_month_of_hours_few_are_examined(paced: bool) -> None:
    found = recovery(series(*[1] * 720), AT, HOUR)
    assert found is not None
    asked = []

    def suits(least: Fraction, most: Fraction) -> bool:
        asked.append((least, most))
        return least <= Fraction(1, 3)

    # What leaves in an hour also comes in it, at the pace of the last week.
    assert found.first(suits, paced=paced) == (None if paced else AT + 480 * HOUR)
    assert len(asked) < 30


THRESHOLDS = st.fractions(0, Fraction(9, 10))
SHARES = st.fractions(Fraction(1, 1000), Fraction(1, 10))


@given(BAD, st.fractions(-3, 1), THRESHOLDS, SHARES, st.integers(1, 60))
def test_as_many_failures_as_can_be_afforded_leave_what_is_wanted_and_one_more_does_not(
    bad: list[int], left: Fraction, threshold: Fraction, share: Fraction, hours: int
) -> None:
    found = recovery(series(*bad), AT, HOUR)
    if found is None:
        return
    future = list(found.remaining(left))[:hours]
    until = AT + hours * HOUR

    rate = affordable_failures(future, left, at=AT, until=until, threshold=threshold, share=share)

    def kept(failures: Fraction) -> bool:
        after = [
            remaining - failures * place * share
            for place, (_, remaining) in enumerate(future, start=1)
        ]
        return all(one >= threshold for one in (after if left >= threshold else after[-1:]))

    if rate is None:
        assert not kept(Fraction(0))
    else:
        assert kept(rate)
        assert not kept(rate + Fraction(1, 10**9))


def test_nothing_is_reported_about_an_instant_before_the_first_step() -> None:
    future = [(AT + HOUR, Fraction(1))]
    values = {"threshold": Fraction(0), "share": Fraction(1, 100)}

    assert affordable_failures(future, Fraction(1), at=AT, until=AT, **values) is None
    assert affordable_failures(future, Fraction(1), at=AT, until=AT + HOUR, **values) == 100


@pytest.mark.parametrize(
    "empty, expected", [(EmptySlice.LEFT_OUT, 0), (EmptySlice.GOOD, 0), (EmptySlice.BAD, 1)]
)
def test_a_slice_is_bad_where_too_few_are_good_and_an_empty_one_as_the_slo_says(
    empty: EmptySlice, expected: int
) -> None:
    slices = Slices(length=HOUR, target=Fraction(95, 100), empty=empty)
    events = Series(total=(100.0, 100.0, 0.0, None), bad=(5.0, 6.0, 0.0, None), query="asked")

    found = bad_slices(events, slices)

    assert list(found.bad) == [0, 1, expected, None]
    assert list(found.total) == [1, 1, 1, None]
    assert found.query == "asked"


def test_a_slice_that_meets_its_target_but_for_the_last_digit_is_not_bad() -> None:
    slices = Slices(length=HOUR, target=Fraction(7, 10))
    events = Series(total=(10.0,), bad=(3.00000000000001,), query="asked")
    assert (10.0 - 3.00000000000001) / 10.0 < 0.7

    assert list(bad_slices(events, slices).bad) == [0]
