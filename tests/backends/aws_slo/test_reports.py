"""The bad share that is read from a budget report, and its error, compared with the truth."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import ceil, floor, trunc
from random import Random
from typing import Any

import pytest

from gate.backends.aws_slo.reports import bad_share
from gate.measure import Definition, Granted, Promise
from gate.slo.calendar import Period
from gate.slo.objective import CalendarWindow, RollingWindow, Window
from tests.backends.aws_slo.asked import AT, NAME, ask, events, only, share, within
from tests.servers.application_signals import ApplicationSignals, FakeSlo, monthly, rolling

ROUNDINGS: dict[str, Callable[[Fraction], int]] = {
    "down": floor,
    "up": ceil,
    "towards zero": trunc,
    "half up": lambda number: floor(number + Fraction(1, 2)),
}


def definition(objective: Fraction, granted: Granted, window: Window) -> Definition:
    promise = Promise(window=window, objective=objective)
    return Definition(id="arn", name=NAME, promises=(promise,), granted=granted)


def reported(unit: str, total: int, left: int, attainment: float) -> dict[str, Any]:
    return {
        "BudgetStatus": "BREACHED" if left <= 0 else "OK",
        "Attainment": attainment,
        f"TotalBudget{unit}": total,
        f"Budget{unit}Remaining": left,
    }


DAYS = RollingWindow(timedelta(days=30))


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("digits", [None, 2, 4])
def test_the_truth_is_within_the_error_however_requests_were_rounded(
    rounding: str, digits: int | None
) -> None:
    random, round_ = Random(f"{rounding} {digits}"), ROUNDINGS[rounding]
    for _ in range(300):
        objective = 1 - Fraction(random.choice([1, 5, 10, 50, 100, 300]), 1000)
        requests = random.randint(1, random.choice([20, 2_000, 10**7]))
        bad = min(requests, random.choice([0, 1, random.randint(0, requests)]))
        if random.random() < 0.7:
            bad = min(bad, round(2 * (1 - objective) * requests))
        granted = (1 - objective) * requests
        left = granted - bad
        attainment = 100 * (requests - bad) / requests
        attainment = attainment if digits is None else round(attainment, digits)
        report = reported("Requests", round_(granted), round_(left), attainment)
        report["BudgetStatus"] = "OK" if left > 0 else "BREACHED"
        if not report["TotalBudgetRequests"] and attainment == 100:
            continue  # nothing is known of so few
        found = bad_share(report, definition(objective, Granted.EVENTS, DAYS), AT).bounds

        assert found.low <= Fraction(bad, requests) <= found.high, (report, bad, requests)


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("calendar", [False, True])
def test_the_truth_is_within_the_error_however_seconds_were_rounded(
    rounding: str, calendar: bool
) -> None:
    random, round_ = Random(f"{rounding} {calendar}"), ROUNDINGS[rounding]
    window: Window = CalendarWindow(Period.MONTH, UTC) if calendar else DAYS
    for _ in range(300):
        objective = 1 - Fraction(random.choice([1, 5, 10, 50]), 1000)
        at = AT + timedelta(minutes=random.randint(1, 31 * 1440 - 1))
        periods = round(window.counted(at).length / timedelta(minutes=1))
        bad = min(periods, random.randint(0, random.choice([1, 50, 5000])))
        granted = (1 - objective) * Fraction(window.whole(at).length / timedelta(seconds=1))
        left = granted - 60 * bad
        attainment = 100 * (periods - bad) / periods
        report = reported("Seconds", round_(granted), round_(left), attainment)
        report["BudgetStatus"] = "OK" if left > 0 else "BREACHED"
        found = bad_share(report, definition(objective, Granted.SECONDS, window), at).bounds

        assert found.low <= Fraction(bad, periods) <= found.high, (report, bad, periods)


def test_the_reports_of_the_documentation_are_read_as_they_say_of_themselves() -> None:
    # https://github.com/aws/aws-cli/blob/develop/awscli/examples/application-signals/batch-get-service-level-objective-budget-report.rst
    whole = reported("Seconds", 6048, 6048, 100.0)
    breached = reported("Seconds", 86, -2154, 97.39583275)
    week, day = (RollingWindow(timedelta(days=days)) for days in (7, 1))
    first = bad_share(whole, definition(Fraction(99, 100), Granted.SECONDS, week), AT).bounds
    second = bad_share(breached, definition(Fraction(999, 1000), Granted.SECONDS, day), AT).bounds

    assert first.low == 0
    assert first.high < Fraction(1, 500_000)
    assert second.low < 1 - Fraction("97.39583275") / 100 < second.high
    assert second.high - second.low < second.low / 20


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize(
    ("requests", "good", "granted", "left"),
    [
        (10, 9, "1.5", "0.5"),
        (16, 13, "2.4", "-0.6"),
        (40, 37, "6.0", "3.0"),
        (60, 52, "9.0", "1.0"),
        (56, 47, "8.4", "-0.6"),
        (57, 40, "8.55", "-8.45"),
    ],
)
def test_the_days_of_the_documentation_s_example_are_within_their_error(
    rounding: str, requests: int, good: int, granted: str, left: str
) -> None:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-ServiceLevelObjectives.html#CloudWatch-ServiceLevelObjectives-budget-request
    total, rest = (ROUNDINGS[rounding](Fraction(text)) for text in (granted, left))
    report = reported("Requests", total, rest, round(100 * good / requests, 2))
    report["BudgetStatus"] = "BREACHED" if Fraction(left) <= 0 else "OK"
    days = RollingWindow(timedelta(days=5))
    found = bad_share(report, definition(Fraction(85, 100), Granted.EVENTS, days), AT).bounds

    assert found.low <= 1 - Fraction(good, requests) <= found.high


@pytest.mark.parametrize(
    ("total", "left", "attainment", "least", "most"),
    [
        # Of a budget of 10 requests a step is 10%; rounded, it may be one of 9 to 11 requests.
        (10, 5, 99.9, "5/11", "5/9"),
        (10, 10, 100.0, "0", "1/18"),
        (1000, 500, 99.9, "49/100", "51/100"),
        (1, 0, 99.9, "1/2", "1000"),
    ],
)
def test_a_small_budget_is_known_as_coarsely_as_it_is_counted(
    total: int, left: int, attainment: float, least: str, most: str
) -> None:
    goal = Fraction(998, 1000)
    report = reported("Requests", total, left, attainment)
    spent = bad_share(report, definition(goal, Granted.EVENTS, DAYS), AT).bounds

    assert Fraction(least) <= spent.low / (1 - goal) <= spent.high / (1 - goal) <= Fraction(most)


def test_an_attainment_with_many_digits_makes_a_small_budget_exact() -> None:
    slo = FakeSlo(name=NAME, events=events(3, hours=700, each=10))
    (answer,) = ask(only(slo))

    assert within(answer, Fraction(3, 7000))
    assert share(answer).error < Fraction(1, 1_000_000)
    assert "4 of 7 requests of the budget left" in share(answer).evidence.notes[-1]


# Through the service


@pytest.mark.parametrize("bad", [0, 1, 29, 72, 300, 720])
def test_a_rolling_window_of_requests_has_the_share_that_failed(bad: int) -> None:
    (answer,) = ask(only(FakeSlo(name=NAME, events=events(bad, each=10_000))))

    assert within(answer, Fraction(bad, 7_200_000))
    assert share(answer).evidence.granted is Granted.EVENTS


@pytest.mark.parametrize("bad", [0, 1, 43, 44, 720])
def test_a_rolling_window_of_time_has_the_share_of_its_seconds(bad: int) -> None:
    slo = FakeSlo(name=NAME, requests=False, events=events(bad))
    (answer,) = ask(only(slo))

    assert within(answer, Fraction(60 * bad, 30 * 86400))
    assert share(answer).evidence.granted is Granted.SECONDS
    assert share(answer).error < Fraction(1, 20_000)


NOON = datetime(2026, 1, 11, 12, tzinfo=UTC)
"""After 10.5 of 31 days, or 252 of 744 hours."""


def hourly(bad: int) -> list[tuple[datetime, int, int]]:
    return [(NOON - timedelta(hours=hour), 1000, int(hour < bad)) for hour in range(600)]


def test_a_month_of_time_so_far_is_the_share_of_what_has_passed() -> None:
    slo = FakeSlo(name=NAME, requests=False, goal=monthly(AT), events=hourly(25))
    (answer,) = ask(only(slo), at=NOON)

    assert within(answer, Fraction(25 * 60, 252 * 3600))
    assert share(answer).error * 252 * 3600 < 5


def test_a_month_of_requests_so_far_is_their_own_share() -> None:
    slo = FakeSlo(name=NAME, goal=monthly(AT), events=hourly(100))
    (answer,) = ask(only(slo), at=NOON)

    assert within(answer, Fraction(100, 252_000))
    definition = share(answer).evidence.definition
    assert definition is not None
    assert definition.to_date


def test_every_report_is_of_the_instant_that_is_requested() -> None:
    service = only(FakeSlo(name=NAME, events=events(30)))
    late = AT + timedelta(hours=1, microseconds=250)
    (then,) = ask(service, at=AT - timedelta(hours=20))
    (now,) = ask(service, at=late)

    assert within(then, Fraction(10, 700_000))
    assert share(now).evidence.newest == AT + timedelta(hours=1)
    stamps = [body["Timestamp"] for _, path, _, body in service.log if path == "/budget-report"]
    assert stamps == [1767225600 - 72_000, 1767225600 + 3600]


def test_the_query_is_a_command_that_a_person_can_run() -> None:
    (answer,) = ask(only())

    assert share(answer).evidence.query == (
        "aws application-signals batch-get-service-level-objective-budget-report --timestamp"
        " 1767225600 --slo-ids"
        " 'arn:aws:application-signals:eu-central-1:123456789012:slo/Chat availability'"
    )


def test_fifty_slos_are_requested_at_once_and_each_has_its_own_answer() -> None:
    slos = [FakeSlo(name=f"slo {n}", goal=rolling(30), events=events(n)) for n in range(120)]
    service = ApplicationSignals(slos)
    answers = ask(service)

    assert all(within(answer, Fraction(n, 720_000)) for n, answer in enumerate(answers))
    batches = [len(body["SloIds"]) for _, path, _, body in service.log if path == "/budget-report"]
    assert sorted(batches) == [20, 20, 50, 50, 50, 50]  # for the definitions, too
    assert len(service.log) == 3 + 6
    notes = share(answers[0]).evidence.notes
    assert "looks at those of 25 SLOs at most, since AWS limits requests" in notes[-1]
