from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from gate.budget.assessment import Assessment
from gate.budget.face_value import PRESENT
from gate.budget.forecast import forecast
from gate.measure import Cause
from gate.slo.objective import Denominator, Window
from tests.budget.building import AT, DAY, MONTH, ROLLING, counts, lost, ratio, spend

MONTH_END = datetime(2026, 12, 1, tzinfo=UTC)
lefts = st.fractions(min_value=-2, max_value=1, max_denominator=1000)
burns = st.fractions(min_value=0, max_value=1000, max_denominator=1000)


def burning(burn: float, *, left: str, window: Window = ROLLING, **fields: Any) -> Assessment:
    """A budget at 99% of which this much is left, while the last hour burns at this rate."""
    now = {PRESENT: counts(bad=Fraction(burn) * 100, total=10_000)}
    spent = 1 - Fraction(left)
    if window is MONTH and "denominator" not in fields:
        spent /= Fraction(19 * 24 + 14, 30 * 24)
    return ratio(
        counts(bad=spent * 1_000, total=100_000), now, objective="0.99", window=window, **fields
    )


def test_half_a_budget_lasts_a_quarter_of_the_window_at_a_burn_rate_of_two() -> None:
    made = burning(2, left="0.5").forecast
    assert made is not None
    assert made.exhausted_at == AT + timedelta(days=7.5)
    assert (made.resets_at, made.lasts_until_reset) == (None, None)


def test_a_calendar_budget_is_known_to_last_until_it_renews_or_not() -> None:
    # 10 d 10 h of 30 days are left: a burn rate of 1 spends 34.7% in them.
    lasting, not_lasting = (
        burning(1, left="0.35", window=MONTH),
        burning(1, left="0.34", window=MONTH),
    )
    assert lasting.forecast is not None
    assert not_lasting.forecast is not None
    assert lasting.forecast.resets_at == not_lasting.forecast.resets_at == MONTH_END
    assert lasting.forecast.lasts_until_reset is True
    assert lasting.forecast.exhausted_at == AT + timedelta(days=10.5)
    assert not_lasting.forecast.lasts_until_reset is False
    assert not_lasting.forecast.exhausted_at == AT + timedelta(days=10.2)


def test_a_budget_that_is_just_gone_when_it_renews_lasts() -> None:
    exact = Fraction(10 * 24 + 10, 30 * 24)
    for left, lasts in ((exact, True), (exact - Fraction(1, 10**15), False)):
        made = forecast(
            at=AT, remaining=left, spending=Fraction(1), period=30 * DAY, resets_at=MONTH_END
        )
        # Both are the same instant: it is shown to the microsecond.
        assert made.exhausted_at == MONTH_END
        assert made.lasts_until_reset is lasts


@given(lefts, burns)
def test_a_forecast_spends_what_is_left(left: Fraction, burn: Fraction) -> None:
    made = forecast(at=AT, remaining=left, spending=burn, period=30 * DAY, resets_at=MONTH_END)
    if left <= 0:
        assert made.exhausted_at is None
        assert made.lasts_until_reset is False
    elif burn == 0:
        assert made.exhausted_at is None
        assert made.lasts_until_reset is True
    else:
        assert made.exhausted_at is not None
        spent = burn * Fraction((made.exhausted_at - AT) / (30 * DAY))
        assert abs(spent - left) < Fraction(1, 10**6)


def test_what_lasts_beyond_the_year_9999_is_never_gone() -> None:
    made = forecast(
        at=AT,
        remaining=Fraction(1),
        spending=Fraction(1, 10**9),
        period=30 * DAY,
        resets_at=MONTH_END,
    )
    assert made.exhausted_at is None
    assert made.lasts_until_reset is True


def test_without_the_present_burn_rate_nothing_is_predicted() -> None:
    answer = counts(bad=1, total=100_000)
    assert ratio(answer).forecast is None
    assert ratio(answer, {PRESENT: lost()}).forecast is None
    assert ratio(answer, {PRESENT: lost(Cause.NO_TRAFFIC)}).forecast is None


@given(burn=st.integers(0, 30), percent=st.integers(0, 99))
def test_a_budget_to_date_is_gone_when_the_events_so_far_have_failed_too_often(
    burn: int, percent: int
) -> None:
    left = Fraction(percent, 100)
    budget = burning(burn, left=str(left), window=MONTH, denominator=Denominator.TO_DATE)
    made = budget.forecast
    assert made is not None
    assert budget.remaining == left
    if burn <= 1 or left <= 0:
        # Failing as often as is allowed, or less, spends nothing of it.
        assert made.exhausted_at is None
        assert made.lasts_until_reset is (left > 0)
        return
    assert made.exhausted_at is not None
    # 100,000 events in 19 d 14 h; those to come fail `burn` times as often as is allowed.
    more = Fraction((made.exhausted_at - AT) / timedelta(days=19, hours=14)) * 100_000
    failed = (1 - left) * 1_000 + more * burn / 100
    assert abs(failed / (100_000 + more) - Fraction(1, 100)) < Fraction(1, 10**9)
    assume(made.exhausted_at != MONTH_END)
    assert made.lasts_until_reset is (made.exhausted_at > MONTH_END)


def test_an_allowance_is_predicted_from_what_the_period_has_spent_so_far() -> None:
    # 80 of 100 in 19 d 14 h (470 h): the rest goes in a quarter of that.
    made = spend(80).forecast
    assert made is not None
    assert made.exhausted_at == AT + timedelta(hours=470 / 4)
    assert (made.resets_at, made.lasts_until_reset) == (MONTH_END, False)
    rolling = spend(80, window=ROLLING).forecast
    assert rolling is not None
    assert rolling.exhausted_at == AT + 30 * DAY / 4
    assert rolling.resets_at is None


def test_an_allowance_is_not_predicted_in_the_instant_in_which_its_period_begins() -> None:
    budget = spend(0, at=datetime(2026, 11, 1, tzinfo=UTC))
    assert budget.forecast is None
    assert budget.remaining == 1
