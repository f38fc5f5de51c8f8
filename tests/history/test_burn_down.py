"""How a budget came down, held against histories whose truth is known."""

from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction

import pytest

from gate.budget.assess import assess_ratio
from gate.budget.assessment import Assessment
from gate.history.past_budget import burn_down, burn_down_request
from gate.measure.history import Series
from gate.slo.indicator import Sli
from gate.slo.objective import Span, SpendSlo
from tests.budget.building import (
    AT,
    DAY,
    GUARDS,
    HOUR,
    MINUTE,
    MINUTES,
    MONTH,
    ROLLING,
    lost,
    ratio_slo,
)
from tests.history.telling import asked, measured, series


def test_a_budget_comes_down_by_each_failure_to_what_is_left_now() -> None:
    # 1,000,000 events at 99.9 %: 1,000 may fail. 200 and then 550 do.
    known = burn_down(
        series(0, 200, 0, 550, 0), asked(5, 6 * DAY), measured(bad=750, total=1_000_000)
    )
    assert known is not None

    assert known.start == AT - 30 * DAY
    assert known.full == pytest.approx(1)
    assert known.left == pytest.approx((1, 0.8, 0.8, 0.25, 0.25))
    assert known.left[-1] == 0.25


def test_an_overspent_budget_goes_below_zero() -> None:
    known = burn_down(series(500, 1000), asked(2, 15 * DAY), measured(bad=1500, total=1_000_000))
    assert known is not None

    assert known.left == pytest.approx((0.5, -0.5))


def test_a_calendar_budget_is_full_at_the_start_of_its_period() -> None:
    # 20 November, 14:00: 19 days and 14 hours of 30 days have passed.
    slo = ratio_slo(window=MONTH)
    elapsed = Fraction(19 * 24 + 14, 30 * 24)
    known = burn_down(
        series(9999, 0, 300), asked(3, 9 * DAY), measured(bad=300, total=1_000_000, slo=slo)
    )
    assert known is not None

    # The first step began before the month, so it is left out: it is no part of this budget.
    assert known.start == AT - 18 * DAY
    assert known.left == pytest.approx((1, 1 - 0.3 * float(elapsed)))


def test_a_history_shorter_than_the_window_begins_with_what_was_left_then() -> None:
    # 600 of the 1,000 that may fail did so before.
    known = burn_down(series(0, 100), asked(2, DAY), measured(bad=700, total=1_000_000))
    assert known is not None

    assert known.full == pytest.approx(0.4)
    assert known.left == pytest.approx((0.4, 0.3))


def test_what_is_not_known_stays_so_and_costs_nothing() -> None:
    known = burn_down(
        series(100, None, 100), asked(3, 10 * DAY), measured(bad=200, total=1_000_000)
    )
    assert known is not None

    first, unknown, last = known.left
    assert (first, last) == pytest.approx((0.9, 0.8))
    assert unknown is None


def test_without_a_failure_the_budget_stays_full() -> None:
    known = burn_down(series(0, 0), asked(2, 15 * DAY), measured(bad=0, total=1_000_000))
    assert known is not None

    assert (known.full, known.left) == (1, (1, 1))


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (series(None, None), measured(bad=1, total=1000)),
        (series(1, 2), assess_ratio(ratio_slo(), lost(), {}, at=AT, guards=GUARDS)),
    ],
)
def test_what_nothing_is_known_of_has_no_burn_down(told: Series, known: Assessment) -> None:
    assert burn_down(told, asked(2, 15 * DAY), known) is None


def test_a_window_is_sketched_in_twenty_steps_that_end_now() -> None:
    request = burn_down_request(ratio_slo(), AT)
    assert request is not None

    assert (request.step, request.span) == (36 * HOUR, Span(AT - 30 * DAY, AT))


def test_a_calendar_window_is_sketched_from_its_start() -> None:
    at = datetime(2026, 11, 1, 5, 0, 7, tzinfo=UTC)
    request = burn_down_request(ratio_slo(window=MONTH), at)
    assert request is not None

    # 18,007 seconds in 20 steps of whole seconds: 900 s each, which leaves 7 s out.
    assert (request.step, request.steps) == (15 * MINUTE, 20)
    assert request.span == Span(at - 5 * HOUR, at)


def test_a_young_window_has_fewer_steps_and_a_newborn_one_none() -> None:
    slo = ratio_slo(window=MONTH)
    month = datetime(2026, 11, 1, tzinfo=UTC)
    young = burn_down_request(slo, month + 12 * MINUTE)
    assert young is not None

    assert (young.step, young.steps) == (5 * MINUTE, 2)
    assert burn_down_request(slo, month + 4 * MINUTE) is None


def test_what_is_not_counted_in_events_is_not_sketched() -> None:
    money = SpendSlo(
        name="m", window=ROLLING, sli=Sli(spent="s"), allowance=Fraction(5), unit="USD"
    )
    assert burn_down_request(money, AT) is None
    assert burn_down_request(replace(ratio_slo(window=ROLLING), slices=MINUTES), AT) is None
