"""Looking back at allowances: what each period spent, whether it was met, and what is open."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from gate.analysis.review import ReviewReport
from gate.analysis.review.run import ReviewOptions, review_objectives
from gate.analysis.review.spending import Kept, ReviewedSpend, SpendReview, is_met
from gate.errors import ExitCode
from gate.history.periods import to_digits
from gate.measure import Cause, Unmeasured
from tests.analysis.memory import AT, Opening, file
from tests.analysis.remembered import DAY, HOUR, MONTH, Bad, Remembered

MONTHLY = "  - {name: m, allowance: 100 USD, window: {calendar: month}, sli: {spent: m}}\n"
ROLLING = "  - {name: m, allowance: 72 USD, window: 30d, sli: {spent: m}}\n"


def look(
    spent: Bad, text: str, periods: int, lost: dict[str, Unmeasured] | None = None
) -> tuple[ReviewReport, ReviewedSpend]:
    backend = Remembered({"m": spent}, lost=lost or {})
    options = ReviewOptions(at=AT, periods=periods, timeout=timedelta(seconds=3))
    report = review_objectives([file("chat", text)], options, open_with=Opening({"chat": backend}))
    assert [request.amount for request in backend.asked] == [True]
    return report, report.services[0].spending[0]


def looked_at(spent: Bad, text: str, periods: int = 3) -> SpendReview:
    review = look(spent, text, periods)[1].review
    assert review is not None
    return review


def cents(amounts: Bad) -> Fraction:
    """Return what amounts come to in decimal numbers, as a person adds them up."""
    return Fraction(sum((Decimal(str(amount)) for amount in amounts if amount), Decimal()))


def test_each_window_is_reported_with_what_it_spent_to_the_cent() -> None:
    # A tenth of a dollar an hour is the allowance; then a cent more, and half of it.
    hours = [*[0.1] * MONTH, *[0.1] * (MONTH - 1), 0.11, *[0.05] * MONTH]
    review = looked_at(hours, ROLLING)

    months = [hours[place * MONTH : (place + 1) * MONTH] for place in range(3)]
    assert [period.bad for period in review.periods] == [cents(month) for month in months]
    assert [float(period.bad) for period in review.periods] == [72, 72.01, 36]
    assert [period.total for period in review.periods] == [72] * 3
    assert [is_met(period) for period in review.periods] == [True, False, True]
    assert [period.span.end for period in review.periods] == [AT - 60 * DAY, AT - 30 * DAY, AT]
    assert (review.missed, review.open, review.kept) == (1, 0, Kept.MISSED)


def test_each_month_has_the_same_allowance_however_long_it_is() -> None:
    # August and October have 31 days, September has 30: 0.135 an hour is 100.44, or 97.20.
    review = looked_at([0.135] * (92 * 24), MONTHLY)

    assert [period.span.start.month for period in review.periods] == [8, 9, 10]
    assert [float(period.bad) for period in review.periods] == [100.44, 97.2, 100.44]
    assert [is_met(period) for period in review.periods] == [False, True, False]


def test_windows_moved_through_the_periods_tell_what_these_hide() -> None:
    # 50 in the last hour of the first window and 40 in the first hour of the second.
    hours = [*[0] * (MONTH - 1), 50, 40, *[0] * (2 * MONTH - 1)]
    review = looked_at(hours, ROLLING)

    assert review.kept is Kept.MET
    windows = [sum(hours[end - MONTH : end]) for end in range(MONTH, 3 * MONTH + 1)]
    assert review.moved.missed(Fraction(0)) == Fraction(
        sum(amount > 72 for amount in windows), len(windows)
    )
    assert review.moved.worst == pytest.approx(90 / 72)
    assert review.moved_worst_end == AT - 90 * DAY + (windows.index(90) + MONTH) * HOUR


def test_what_a_window_lacks_is_not_made_up_from_the_rest() -> None:
    # A twentieth of each window is not known: of the rest 70 of 72 are, and not 73.7.
    hours = [*([None] * 36 + [70 / 684] * 684) * 2]
    review = looked_at(hours, ROLLING, periods=2)

    assert review.moved.worst == pytest.approx(70 / 72)
    assert review.moved.missed(Fraction(0)) == 0


@pytest.mark.parametrize("hourly", [0.0, 0.05])
def test_a_period_of_which_too_little_is_known_is_open(hourly: float) -> None:
    # Also where nothing was spent in the hours around the gap.
    hours = [*[hourly] * (2 * MONTH), *[hourly] * 300, *[None] * 100, *[hourly] * 320]
    review = looked_at(hours, ROLLING)

    assert [is_met(period) for period in review.periods] == [True, True, None]
    assert review.periods[2].doubt is Cause.LOW_COVERAGE
    assert float(review.periods[2].coverage) == pytest.approx(620 / 720)
    assert (review.missed, review.open, review.kept) == (0, 1, Kept.OPEN)


def test_what_is_known_may_already_be_too_much() -> None:
    hours = [*[0.05] * (2 * MONTH), *[None] * 400, *[0.3] * 320]
    review = looked_at(hours, ROLLING)

    assert review.periods[2].doubt is not None
    assert float(review.periods[2].bad) == 96
    assert is_met(review.periods[2]) is False
    assert (review.missed, review.open) == (1, 0)


def test_history_that_begins_late_is_reported_and_proves_no_earlier_period() -> None:
    report, reviewed = look([0.05] * (MONTH + 100), ROLLING, 3)

    assert reviewed.review is not None
    assert [is_met(period) for period in reviewed.review.periods] == [None, None, True]
    assert reviewed.review.begins == AT - (MONTH + 100) * HOUR
    assert report.exit_code is ExitCode.ALLOW


def test_where_nothing_is_settled_the_review_is_undecided() -> None:
    report, reviewed = look([0.05] * 100, ROLLING, 3)

    assert reviewed.unmeasured is not None
    assert reviewed.unmeasured.reason == "of none of the last 3 enough is known to count it"
    assert report.exit_code is ExitCode.UNDECIDED


def test_a_history_that_is_not_available_is_undecided() -> None:
    lost = Unmeasured(cause=Cause.BACKEND_ERROR, reason="it is down")
    report, reviewed = look([], ROLLING, 3, lost={"m": lost})

    assert (reviewed.review, reviewed.unmeasured) == (None, lost)
    assert report.exit_code is ExitCode.UNDECIDED


@pytest.mark.parametrize(
    ("floats", "amount"),
    [
        ([0.1, 0.2], "0.3"),
        ([24.009999999999998], "24.01"),
        ([50_000.00000000001], "50000"),
        ([50_000.01], "50000.01"),
        ([1_234_567_890_123.0], "1234567890123"),
        ([123_456_789.12], "123456789.12"),
    ],
)
def test_what_floats_get_wrong_is_neither_told_nor_a_miss(floats: list[float], amount: str) -> None:
    assert to_digits(sum(floats)) == Fraction(amount)
