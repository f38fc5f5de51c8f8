"""The results of an objective in the past, compared with a count step by step."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.history.objective_candidates import (
    Candidate,
    CandidateKind,
    Fit,
    MovedWindows,
    budget_spent_by_step,
    candidates,
    expected_share,
    fit,
    met_in_most,
    moved_windows,
)
from gate.history.periods import PastPeriod, PeriodCut
from gate.measure.history import Series
from gate.slo.calendar import Period as Unit
from gate.slo.indicator import Sli, Slices
from gate.slo.objective import CalendarWindow, Denominator, RatioSlo, RollingWindow, Span

AT = datetime(2026, 11, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE
DAY = 24 * HOUR
SLO = RatioSlo(
    name="a", objective=Fraction(99, 100), window=RollingWindow(12 * HOUR), sli=Sli(), sla=None
)
DAILY = replace(SLO, window=CalendarWindow(Unit.DAY, UTC))
SLICED = replace(SLO, slices=Slices(length=20 * MINUTE, target=Fraction(1, 2)))
NINE_TENTHS = Fraction(9, 10)

NOTHING_MOVED = MovedWindows(ratios=(), ends=())
Steps = list[tuple[int, int] | None]
"""Total and bad of each hour."""
STEPS = st.lists(
    st.none() | st.integers(1, 50).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))),
    min_size=48,
    max_size=48,
)


def series(steps: Steps) -> Series:
    return Series(
        total=tuple(None if one is None else float(one[0]) for one in steps),
        bad=tuple(None if one is None else float(one[1]) for one in steps),
        query="asked",
    )


def ratio(steps: Steps) -> float | None:
    """Return the error ratio of some hours, if nine of ten are known."""
    known = [one for one in steps if one is not None]
    if 10 * len(known) < 9 * len(steps):
        return None
    return sum(bad for _, bad in known) / sum(total for total, _ in known)


def bad_slices(steps: Steps, slices: int) -> float | None:
    """Return the share of so many slices that was bad, if nine of ten hours are known."""
    known = [one for one in steps if one is not None]
    return sum(bad for _, bad in known) / slices if 10 * len(known) >= 9 * len(steps) else None


def pieces(width: int, count: int) -> PeriodCut:
    return PeriodCut(
        bounds=tuple(AT + place * width * HOUR for place in range(count + 1)), step=HOUR
    )


@settings(max_examples=20)
@given(STEPS)
def test_a_rolling_budget_is_that_of_the_window_that_ends_at_each_step(steps: Steps) -> None:
    found = budget_spent_by_step(SLO, series(steps), pieces(12, 4), NINE_TENTHS)

    expected = [ratio(steps[end - 12 : end]) for end in range(12, 49)]
    assert found == [one if one is None else pytest.approx(one) for one in expected]


@settings(max_examples=20)
@given(STEPS)
def test_a_calendar_budget_is_full_at_each_start_and_spent_as_time_goes_by(steps: Steps) -> None:
    found = budget_spent_by_step(DAILY, series(steps), pieces(24, 2), NINE_TENTHS)
    to_date = replace(DAILY, denominator=Denominator.TO_DATE)
    so_far = budget_spent_by_step(to_date, series(steps), pieces(24, 2), NINE_TENTHS)

    for place in range(48):
        day, hour = divmod(place, 24)
        expected = ratio(steps[day * 24 : place + 1])
        if expected is None:
            assert found[place] is so_far[place] is None
        else:
            assert so_far[place] == pytest.approx(expected)
            assert found[place] == pytest.approx(expected * (hour + 1) / 24)


@settings(max_examples=20)
@given(STEPS)
def test_of_all_slices_of_a_window_those_that_are_not_known_are_not_bad(steps: Steps) -> None:
    found = budget_spent_by_step(SLICED, series(steps), pieces(12, 4), NINE_TENTHS)
    moved = moved_windows(SLICED, series(steps), pieces(12, 4), NINE_TENTHS)

    expected = [bad_slices(steps[end - 12 : end], 12 * 3) for end in range(12, 49)]
    assert found == [one if one is None else pytest.approx(one) for one in expected]
    assert moved.ratios == pytest.approx([one for one in expected if one is not None])


@settings(max_examples=20)
@given(STEPS)
def test_a_calendar_period_grants_a_share_of_all_its_slices_at_its_start(steps: Steps) -> None:
    daily = replace(SLICED, window=DAILY.window)
    found = budget_spent_by_step(daily, series(steps), pieces(24, 2), NINE_TENTHS)

    for place in range(48):
        expected = bad_slices(steps[place // 24 * 24 : place + 1], 24 * 3)
        assert found[place] == (expected if expected is None else pytest.approx(expected))


def test_a_window_is_moved_by_a_step_and_the_worst_of_them_is_reported() -> None:
    # 30 of 6,000 fail in one hour: 0.5% of any window of 60 hours that has it.
    steps: Steps = [(100, 30 if place == 100 else 0) for place in range(180)]

    moved = moved_windows(SLO, series(steps), pieces(60, 3), NINE_TENTHS)

    assert moved.ends == tuple(range(60, 181))
    assert moved.ratios == tuple(0.005 if 100 < end <= 160 else 0 for end in range(60, 181))
    assert (moved.worst, moved.worst_end) == (0.005, 101)
    assert moved.missed(Fraction(996, 1000)) == Fraction(60, 121)
    # What is used up to the last event is not missed.
    assert moved.missed(Fraction(995, 1000)) == 0


def test_a_window_of_one_step_is_moved_by_one_and_what_is_unknown_left_out() -> None:
    steps: Steps = [(10, 1), (10, 2), None, (10, 3)]

    moved = moved_windows(SLO, series(steps), pieces(1, 4), NINE_TENTHS)

    assert moved.ratios == pytest.approx((0.1, 0.2, 0.3))
    assert moved.ends == (1, 2, 4)
    assert moved_windows(SLO, series([(0, 0)]), pieces(1, 1), NINE_TENTHS).ratios == ()


@pytest.mark.parametrize(
    ("ratios", "objective"),
    [
        (["0.0012", "0.00134", "0.001"], "0.9986"),
        (["0.001"], "0.999"),
        (["0.5"] + ["0.012"] * 19, "0.988"),  # of twenty one may be missed
        (["0.5"] + ["0.012"] * 18, "0.5"),  # of nineteen none
        (["0.0999"], "0.9"),
        ([], None),
        (["0", "0"], None),
        (["1"], None),
        (["0.999"], None),
    ],
)
def test_the_objective_that_95_percent_meet_has_two_digits_of_budget_and_is_met(
    ratios: list[str], objective: str | None
) -> None:
    found = met_in_most([Fraction(one) for one in ratios])

    assert found == (None if objective is None else Fraction(objective))


def period(consumed: str) -> PastPeriod:
    bad = Fraction(consumed) * SLO.budget * 1000
    return PastPeriod(
        span=Span(AT - DAY, AT), total=Fraction(1000), bad=bad, coverage=Fraction(1), doubt=None
    )


@pytest.mark.parametrize(
    ("consumed", "expected"),
    [
        (["0.1", "0.9", "1"], Fit.RIGHT),
        (["0.1", "0.9", "1.01"], Fit.UNDECIDED),  # one miss of three is no proof
        (["0.1", "1.01", "2"], Fit.UNDECIDED),
        (["1.01", "1.01", "2"], Fit.STRICT),  # of a quarter 1 time in 64
        (["0.1", "0.2", "0.9", "1.01"], Fit.RIGHT),
        (["0", "0", "0", "2", "2", "2"], Fit.UNDECIDED),  # of a quarter 17 times in 100
        (["0", "0", "2", "2", "2", "2"], Fit.STRICT),  # of a quarter 4 times in 100
        (["0.1", "0.25", "0"], Fit.LOOSE),
        (["0.1", "0.26", "0"], Fit.RIGHT),
        (["2", "2"], Fit.UNDECIDED),
        ([], Fit.UNDECIDED),
    ],
)
def test_an_objective_fits_by_how_often_it_was_missed_and_how_much_was_used(
    consumed: list[str], expected: Fit
) -> None:
    assert fit(SLO, [period(one) for one in consumed], NOTHING_MOVED) is expected


@pytest.mark.parametrize(("most", "expected"), [(0.0025, Fit.LOOSE), (0.0026, Fit.RIGHT)])
def test_an_objective_is_not_too_loose_where_a_moved_window_used_more(
    most: float, expected: Fit
) -> None:
    moved = MovedWindows(ratios=(0.0, most, 0.0), ends=(1, 2, 3))

    assert fit(SLO, [period("0.1")] * 3, moved) is expected


@pytest.mark.parametrize(
    ("count", "expected"), [(1, "1/2"), (3, "3/4"), (19, "19/20"), (20, "19/21"), (100, "95/101")]
)
def test_what_was_met_in_all_periods_is_met_less_often_to_come(count: int, expected: str) -> None:
    assert expected_share(count) == Fraction(expected)


@pytest.mark.parametrize("count", [3, 20])
def test_the_expected_share_is_how_often_the_next_of_periods_alike_is_no_worse(count: int) -> None:
    rng = Random(count)
    runs = 2000
    held = 0
    for _ in range(runs):
        *past, coming = (Fraction(rng.lognormvariate(-8, 1)) for _ in range(count + 1))
        objective = met_in_most(past)
        assert objective is not None
        held += coming <= 1 - objective
    # The budget is rounded up to two digits, so it is met a little more often.
    assert float(expected_share(count)) - 0.02 < held / runs < float(expected_share(count)) + 0.04


def listed(found: Sequence[Candidate]) -> list[tuple[str, str]]:
    return [(one.kind.value, f"{float(one.objective):g}") for one in found]


def test_candidates_are_half_and_twice_the_budget_the_sla_and_what_was_met() -> None:
    slo = replace(SLO, sla=Fraction(95, 100))

    assert listed(candidates(slo, Fraction(985, 1000))) == [
        *[("stricter", "0.995"), ("present", "0.99"), ("met in most", "0.985")],
        *[("laxer", "0.98"), ("SLA", "0.95")],
    ]


def test_a_candidate_that_is_another_is_there_once_and_none_promises_nothing() -> None:
    half = replace(SLO, objective=Fraction(1, 2), sla=Fraction(1, 4))

    assert listed(candidates(half, Fraction(1, 4))) == [
        *[("stricter", "0.75"), ("present", "0.5"), ("SLA", "0.25")]
    ]
    assert [one.kind for one in candidates(SLO, None)] == [
        CandidateKind.STRICTER,
        CandidateKind.PRESENT,
        CandidateKind.LAXER,
    ]
