"""Numbers from the literature, with their sources."""

from datetime import timedelta
from fractions import Fraction
from math import pi, sin

import pytest

from gate.budget.ratio import allowed_downtime
from gate.policy.rule_settings import GOOGLE_30D
from tests.budget.building import DAY, HOUR, MINUTE, MINUTES, counts, known, ratio


@pytest.mark.parametrize(
    "rate, window, spent",
    # Site Reliability Workbook, chapter 5, "Recommended parameters for an SLO-based alerting
    # configuration" (https://sre.google/workbook/alerting-on-slos/): the share of a 30-day budget.
    [("14.4", HOUR, "0.02"), ("6", 6 * HOUR, "0.05"), ("1", 3 * DAY, "0.10")],
)
def test_the_workbooks_burn_rates_spend_what_it_says(
    rate: str, window: timedelta, spent: str
) -> None:
    # 100 events a second; the window burns at the rate, the rest of the 30 days at none.
    total = 100 * 30 * 86_400
    in_window = 100 * int(window.total_seconds())
    bad = Fraction(rate) * Fraction("0.001") * in_window
    budget = ratio(counts(bad=bad, total=total), {window: counts(bad=bad, total=in_window)})
    assert budget.consumed == Fraction(spent)
    assert budget.burn_rates[window] == Fraction(rate)


def test_the_named_rules_are_the_workbooks() -> None:
    # The same table; the pair of a day is in the chapter's multiwindow example only, as are the
    # short windows, each a twelfth of the long.
    hours = {rule.long // HOUR: rule.rate for rule in GOOGLE_30D}
    spent = {long: rate * long / (30 * 24) for long, rate in hours.items()}
    assert spent == {
        1: Fraction(2, 100),
        6: Fraction(5, 100),
        24: Fraction(10, 100),
        72: Fraction(10, 100),
    }
    assert all(rule.short * 12 == rule.long for rule in GOOGLE_30D)


@pytest.mark.parametrize(
    "objective, allowed",
    # Site Reliability Engineering, appendix A, availability table, per 30 days
    # (https://sre.google/sre-book/availability-table/).
    [
        ("0.9", timedelta(days=3)),
        ("0.95", timedelta(days=1.5)),
        ("0.99", timedelta(hours=7.2)),
        ("0.995", timedelta(hours=3.6)),
        ("0.999", timedelta(minutes=43.2)),
        ("0.9995", timedelta(minutes=21.6)),
        ("0.9999", timedelta(minutes=4.32)),
        ("0.99999", timedelta(seconds=25.92)),
    ],
)
def test_the_nines_allow_the_downtime_of_the_sre_books_table(
    objective: str, allowed: timedelta
) -> None:
    assert allowed_downtime(30 * DAY, 1 - Fraction(objective)) == allowed


def test_five_percent_of_30_days_are_129_600_seconds_and_not_43_200() -> None:
    assert allowed_downtime(30 * DAY, Fraction(5, 100)).total_seconds() == 129_600


def outage(extreme: int, *, background: Fraction) -> Fraction:
    """Failures of an outage of 30 minutes that begins at the daily peak (1) or trough (-1).

    Traffic is 20 + 18 sin, events a second, so 2 to 38; apart from the outage it fails at the
    background ratio.
    """
    swing = 18 * 86_400 / (2 * pi) * sin(2 * pi * 1_800 / 86_400)
    failed = 20 * 1_800 + extreme * Fraction(swing)
    return failed + background * (20 * 30 * 86_400 - failed)


@pytest.mark.parametrize("extreme, consumed", [(1, "151.7"), (-1, "27.1")])
def test_the_same_outage_costs_five_times_as_much_at_the_peak(extreme: int, consumed: str) -> None:
    # Counted by replaying such traffic through Prometheus; a mean of 5-minute ratios shows 89.4%
    # for both.
    bad = outage(extreme, background=Fraction("0.0002"))
    budget = ratio(counts(bad=bad, total=20 * 30 * 86_400))
    assert f"{float(known(budget.consumed) * 100):.1f}" == consumed


def test_in_timeslices_the_same_outage_costs_the_same_at_any_hour() -> None:
    budget = ratio(counts(bad=30, total=43_200), {HOUR: counts(bad=30, total=60)}, slices=MINUTES)
    # 30 of 43.2 minutes.
    assert f"{float(known(budget.consumed) * 100):.1f}" == "69.4"
    assert budget.burn_rates[HOUR] == 500
    assert allowed_downtime(30 * DAY, Fraction("0.001")) - 30 * MINUTE == timedelta(minutes=13.2)
