"""Answers in which Application Signals says yes without having measured; none is let through.

Beside each trap are the legitimate answers that look like it.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.backends.platforms.platform import Platform
from gate.measure import Answer, Cause, Share, Unmeasured
from tests.backends.aws_slo.asked import (
    AT,
    NAME,
    SECRET,
    ask,
    backend,
    events,
    only,
    request,
    share,
    unmeasured,
    within,
)
from tests.servers.application_signals import (
    ApplicationSignals,
    FakeSlo,
    monthly,
    rolling,
)

OTHER = "Chat latency"
PERIODS = FakeSlo(name=NAME, requests=False, events=events(10))


def reports(change: Callable[[dict[str, Any]], Any]) -> Callable[[str, Any], Any]:
    """Return what spoils every answer with budget reports."""
    return lambda path, answer: change(answer) if path == "/budget-report" else answer


def changed(**fields: Any) -> Callable[[str, Any], Any]:
    """Return what gives every report these fields; None takes them away."""

    def change(answer: dict[str, Any]) -> Any:
        for report in answer["Reports"]:
            report.update(fields)
            for name in [name for name, value in fields.items() if value is None]:
                del report[name]
        return answer

    return reports(change)


def two() -> list[FakeSlo]:
    return [FakeSlo(name=NAME, events=events(29)), FakeSlo(name=OTHER, events=events(300))]


def is_about(answer: Answer, bad: int) -> bool:
    return within(answer, Fraction(bad, 720_000))


# Errors inside a 200, and reports that are not the one that was asked for


def test_an_error_inside_a_200_is_the_error_of_its_slo_and_of_no_other() -> None:
    def fail(answer: dict[str, Any]) -> Any:
        arn = answer["Reports"].pop(1)["Arn"]
        failure = {"Arn": arn, "Name": OTHER, "ErrorCode": "InternalError", "ErrorMessage": "boom"}
        return answer | {"Errors": [failure]}

    good, bad = ask(ApplicationSignals(two(), spoil=reports(fail)))

    assert is_about(good, 29)
    assert unmeasured(bad).cause is Cause.BACKEND_ERROR
    assert f"cannot report on {OTHER}: InternalError: boom" in unmeasured(bad).reason


@pytest.mark.parametrize("arn", ["", None])
def test_an_error_that_has_a_name_only_is_of_the_slo_with_that_name(arn: Any) -> None:
    def fail(answer: dict[str, Any]) -> Any:
        failure = {"Arn": arn, "Name": NAME, "ErrorCode": "E", "ErrorMessage": "m"}
        return answer | {"Errors": [failure]}

    bad, good = ask(ApplicationSignals(two(), spoil=reports(fail)))

    assert unmeasured(bad).cause is Cause.BACKEND_ERROR
    assert is_about(good, 300)


def test_an_error_goes_before_a_report_on_the_same_slo() -> None:
    def fail(answer: dict[str, Any]) -> Any:
        arn = answer["Reports"][0]["Arn"]
        failure = {"Arn": arn, "Name": NAME, "ErrorCode": "E", "ErrorMessage": "m"}
        return answer | {"Errors": [failure]}

    (answer,) = ask(only(spoil=reports(fail)))

    assert unmeasured(answer).cause is Cause.BACKEND_ERROR


def test_an_slo_that_is_in_neither_list_is_invalid() -> None:
    spoil = reports(lambda answer: answer | {"Reports": answer["Reports"][:1]})
    good, missing = ask(ApplicationSignals(two(), spoil=spoil))

    assert is_about(good, 29)
    assert unmeasured(missing).cause is Cause.INVALID
    assert "neither a report nor an error for arn:aws" in unmeasured(missing).reason


def test_a_report_on_another_slo_is_not_mistaken_for_the_one_that_was_requested() -> None:
    def swap(answer: dict[str, Any]) -> Any:
        answer["Reports"][0]["Arn"] += " of another"
        return answer

    (answer,) = ask(only(spoil=reports(swap)))

    assert unmeasured(answer).cause is Cause.INVALID


def test_two_reports_on_one_slo_are_invalid() -> None:
    spoil = reports(lambda answer: answer | {"Reports": answer["Reports"] * 2})
    (answer,) = ask(only(spoil=spoil))

    assert unmeasured(answer).cause is Cause.INVALID
    assert "answers with 2 reports" in unmeasured(answer).reason


def test_reports_in_another_order_are_each_of_their_own_slo() -> None:
    spoil = reports(lambda answer: answer | {"Reports": answer["Reports"][::-1]})
    first, second = ask(ApplicationSignals(two(), spoil=spoil))

    assert (is_about(first, 29), is_about(second, 300)) == (True, True)


@pytest.mark.parametrize("key", ["Reports", "Errors", "Timestamp"])
@pytest.mark.parametrize("value", [None, "x", {}, ["x"]])
def test_an_answer_without_its_parts_is_invalid(key: str, value: Any) -> None:
    (answer,) = ask(only(spoil=reports(lambda answer: answer | {key: value})))

    assert unmeasured(answer).cause is Cause.INVALID


def test_a_batch_that_fails_leaves_the_others_as_they_are() -> None:
    slos = [FakeSlo(name=f"slo {n}", events=events(n)) for n in range(60)]

    def fail(path: str, answer: Any) -> Any:
        late = path == "/budget-report" and len(answer["Reports"]) < 50
        return (500, "InternalServerException", "boom") if late else answer

    answers = ask(ApplicationSignals(slos, spoil=fail))

    assert all(is_about(answer, n) for n, answer in enumerate(answers[:50]))
    assert {unmeasured(answer).cause for answer in answers[50:]} == {Cause.BACKEND_ERROR}


# The instant


@pytest.mark.parametrize("shift", [-1, 1, -3600, 86_400, 1767225600 * 999, -1767225600])
def test_reports_of_another_instant_are_invalid(shift: int) -> None:
    late = reports(lambda answer: answer | {"Timestamp": answer["Timestamp"] + shift})
    (answer,) = ask(only(spoil=late))

    assert unmeasured(answer).cause is Cause.INVALID


def test_an_instant_that_is_written_with_a_point_is_the_same() -> None:
    same = reports(lambda answer: answer | {"Timestamp": answer["Timestamp"] + 0.25})
    (answer,) = ask(only(spoil=same))

    assert is_about(answer, 29)


# No data, no traffic, and a young SLO


@pytest.mark.parametrize("slo", [FakeSlo(name=NAME), FakeSlo(name=NAME, events=events(0))])
def test_insufficient_data_is_no_data_whatever_is_beside_it(slo: FakeSlo) -> None:
    (answer,) = ask(only(slo, spoil=changed(BudgetStatus="INSUFFICIENT_DATA")))

    assert unmeasured(answer).cause is Cause.NO_DATA
    assert f"no attainment of {NAME} for this instant (INSUFFICIENT_DATA)" in str(answer)


@pytest.mark.parametrize("status", ["OK", "WARNING", "BREACHED"])
def test_a_status_without_an_attainment_is_no_data(status: str) -> None:
    (answer,) = ask(only(spoil=changed(BudgetStatus=status, Attainment=None)))

    assert unmeasured(answer).cause is Cause.NO_DATA


@pytest.mark.parametrize("slo", [FakeSlo(name=NAME, events=events(0)), PERIODS])
def test_a_budget_of_nothing_is_no_traffic(slo: FakeSlo) -> None:
    unit = "Requests" if slo.requests else "Seconds"
    nothing = {f"TotalBudget{unit}": 0, f"Budget{unit}Remaining": 0, "Attainment": 100.0}
    (answer,) = ask(only(slo, spoil=changed(BudgetStatus="OK", **nothing)))

    assert unmeasured(answer).cause is Cause.NO_TRAFFIC
    assert "has a budget of 0" in unmeasured(answer).reason


@pytest.mark.parametrize("left", [0, -1])
def test_a_budget_of_nothing_with_failures_is_spent_and_not_no_traffic(left: int) -> None:
    few = FakeSlo(name=NAME, events=events(2, hours=60, each=10))
    spoil = changed(BudgetRequestsRemaining=left, BudgetStatus="BREACHED")
    (answer,) = ask(only(few, spoil=spoil))

    assert within(answer, Fraction(2, 600))
    assert share(answer).bad > 3 * Fraction(1, 1000)


def test_an_slo_that_is_younger_than_its_window_covers_a_part_of_it() -> None:
    young, old = AT - timedelta(days=6), AT - timedelta(days=30)
    (part,) = ask(only(FakeSlo(name=NAME, events=events(9), created=young)))
    (whole,) = ask(only(FakeSlo(name=NAME, events=events(9), created=old)))

    assert share(part).evidence.coverage == Fraction(1, 5)
    assert share(whole).evidence.coverage is None


def test_an_slo_of_the_future_covers_nothing() -> None:
    def early(_path: str, answer: Any) -> Any:
        if "Slo" in answer:
            answer["Slo"]["CreatedTime"] += 10 * 365 * 86_400
        return answer

    (answer,) = ask(only(spoil=early))

    assert share(answer).evidence.coverage == 0


# Budgets that are spent, too small, or contradict themselves


@pytest.mark.parametrize("requests", [True, False])
def test_an_overspent_budget_is_not_clamped(requests: bool) -> None:
    slo = FakeSlo(name=NAME, requests=requests, events=events(720, each=10))
    (answer,) = ask(only(slo))

    truth = Fraction(720, 7200) if requests else Fraction(720, 43_200)
    # Of periods those with events are known; each hour has one of a minute here.
    assert within(answer, truth)
    assert share(answer).bad > Fraction(1, 100)


def test_ten_requests_of_budget_are_known_to_a_tenth_and_no_better() -> None:
    small = changed(
        TotalBudgetRequests=10, BudgetRequestsRemaining=5, Attainment=99.95, BudgetStatus="OK"
    )
    (answer,) = ask(only(spoil=small))

    spent = share(answer).bad / Fraction(1, 1000), share(answer).error / Fraction(1, 1000)
    assert abs(spent[0] - Fraction(1, 2)) < Fraction(1, 50)
    assert Fraction(1, 25) < spent[1] < Fraction(3, 50)


@pytest.mark.parametrize(
    ("slo", "fields", "words"),
    [
        (None, {"BudgetRequestsRemaining": 721}, "has 721 of a budget of 720 requests left"),
        (None, {"TotalBudgetRequests": -5}, "of a budget of -5 requests left"),
        (None, {"Attainment": 99.5}, "its attainment 0."),
        (None, {"Attainment": 100.0, "BudgetRequestsRemaining": 100}, "and its attainment 0%"),
        (None, {"Attainment": 99.9}, "says that 0% to 0."),
        (None, {"Attainment": 100.5}, "must be within 0% and 100%"),
        (None, {"Attainment": -1}, "must be within 0% and 100%"),
        (None, {"BudgetStatus": "BREACHED"}, "of its budget left and is BREACHED"),
        (None, {"BudgetRequestsRemaining": -10}, "of its budget left and is OK"),
        (None, {"BudgetStatus": "GREAT"}, "the unknown status 'GREAT'"),
        (None, {"BudgetStatus": None}, "the unknown status None"),
        (None, {"EvaluationType": "PeriodBased"}, "is PeriodBased, and the SLO is not"),
        (None, {"EvaluationType": "Other"}, "neither period-based nor request-based"),
        (PERIODS, {"EvaluationType": "RequestBased"}, "is RequestBased, and the SLO is not"),
        (PERIODS, {"Attainment": 100.0}, "and its attainment 0%"),
        (PERIODS, {"BudgetSecondsRemaining": 2592}, "and its attainment 1."),
        (PERIODS, {"TotalBudgetSeconds": 25_920}, "grants no more than 0.1% of itself"),
        (PERIODS, {"TotalBudgetSeconds": 25_920_000}, "has a budget of 25920000 seconds"),
        (None, {"Goal": rolling(7)}, "is for 99.9% over 7d, and the SLO promises 99.9% over 30d"),
        (None, {"Goal": rolling(30, 99.0)}, "is for 99% over 30d"),
        (None, {"Goal": monthly(AT)}, "it was changed"),
        (None, {"Goal": []}, "has an unreadable Goal"),
    ],
)
def test_a_report_that_contradicts_itself_or_the_slo_is_invalid(
    slo: FakeSlo | None, fields: Mapping[str, Any], words: str
) -> None:
    (answer,) = ask(only(slo or FakeSlo(name=NAME, events=events(0)), spoil=changed(**fields)))

    assert unmeasured(answer).cause is Cause.INVALID
    assert words in unmeasured(answer).reason


@pytest.mark.variants(43)
@pytest.mark.parametrize("field", ["TotalBudget", "Remaining", "Attainment"])
@pytest.mark.parametrize("requests", [True, False])
@pytest.mark.parametrize(
    "value", ["720", True, [], {}, float("nan"), float("inf"), float("-inf"), 719.5, 10**400, 1e308]
)
def test_a_field_of_another_type_is_never_a_number(field: str, requests: bool, value: Any) -> None:
    unit = "Requests" if requests else "Seconds"
    names = {"TotalBudget": f"TotalBudget{unit}", "Remaining": f"Budget{unit}Remaining"}
    spoil = changed(**{names.get(field, field): value})
    (answer,) = ask(only(FakeSlo(name=NAME, requests=requests, events=events(9)), spoil=spoil))

    assert unmeasured(answer).cause is Cause.INVALID


@pytest.mark.parametrize("field", ["TotalBudgetRequests", "BudgetRequestsRemaining"])
def test_a_field_that_is_absent_is_never_zero(field: str) -> None:
    (answer,) = ask(only(spoil=changed(**{field: None})))

    assert unmeasured(answer).cause is Cause.INVALID
    assert f"{field} is None and must be a number" in unmeasured(answer).reason


@pytest.mark.parametrize("goal", [99.0, 99.9, 99.99])
def test_a_budget_that_is_whole_beside_an_attainment_that_spends_it_is_invalid(goal: float) -> None:
    slo = FakeSlo(name=NAME, goal=rolling(30, goal), events=events(0))
    (answer,) = ask(only(slo, spoil=changed(Attainment=goal)))

    assert unmeasured(answer).cause is Cause.INVALID


@pytest.mark.parametrize(("left", "bad"), [(435, 287), (465, 253)])
def test_where_budget_and_attainment_differ_by_little_either_may_be_right(
    left: int, bad: int
) -> None:
    slo = FakeSlo(name=NAME, events=events(bad))
    (answer,) = ask(only(slo, spoil=changed(BudgetRequestsRemaining=left)))

    assert is_about(answer, bad)
    assert is_about(answer, 720 - left)
    assert not is_about(answer, 270)


LEGITIMATE: Mapping[str, tuple[FakeSlo, Callable[[str, Any], Any]]] = {
    "nothing failed": (FakeSlo(name=NAME, events=events(0)), changed()),
    "no type and no goal in the report": (
        FakeSlo(name=NAME, events=events(3)),
        changed(EvaluationType=None, Goal=None),
    ),
    "whole numbers with a point": (
        FakeSlo(name=NAME, events=events(0)),
        changed(TotalBudgetRequests=720.0, BudgetRequestsRemaining=720.0, Attainment=100),
    ),
    "below the warning threshold": (FakeSlo(name=NAME, events=events(500)), changed()),
    "spent to the last request": (FakeSlo(name=NAME, events=events(720)), changed()),
    "an attainment of two decimals": (
        FakeSlo(name=NAME, events=events(500)),
        changed(Attainment=99.93),
    ),
    "an attainment with the digits of a small float": (
        FakeSlo(name=NAME, events=events(500)),
        changed(Attainment=99.93055725097656),
    ),
    "periods without data are in the budget and not in the attainment": (
        FakeSlo(name=NAME, requests=False, events=events(9, hours=100)),
        changed(),
    ),
    "the budget of an average month": (
        FakeSlo(name=NAME, requests=False, events=events(9)),
        changed(TotalBudgetSeconds=2629, BudgetSecondsRemaining=2629 - 540),
    ),
    "periods of which a little more are bad by the budget than by the attainment": (
        FakeSlo(name=NAME, requests=False, events=events(720)),
        changed(BudgetSecondsRemaining=2592 - 43_500),
    ),
    "every period failed": (
        FakeSlo(name=NAME, requests=False, events=events(100, hours=100)),
        changed(),
    ),
    "the default goal, written out in the report": (
        FakeSlo(name=NAME, goal={}, events=events(3)),
        changed(Goal=rolling(7, 99.0)),
    ),
    "a field that is not known yet": (FakeSlo(name=NAME, events=events(3)), changed(New={"a": 1})),
}


@pytest.mark.parametrize("case", LEGITIMATE)
def test_what_only_looks_like_a_trap_is_measured(case: str) -> None:
    slo, spoil = LEGITIMATE[case]
    (answer,) = ask(only(slo, spoil=spoil))

    assert isinstance(answer, Share), answer


# Calendar intervals


@pytest.mark.parametrize("requests", [True, False])
def test_an_interval_that_has_just_begun_has_no_share(requests: bool) -> None:
    slo = FakeSlo(name=NAME, requests=requests, goal=monthly(AT), events=events(3))
    nothing = {"Attainment": 100.0, "BudgetStatus": "OK"}
    unit, total = ("Requests", 0) if requests else ("Seconds", 2678)
    nothing |= {f"TotalBudget{unit}": total, f"Budget{unit}Remaining": total}
    (answer,) = ask(only(slo, spoil=changed(**nothing)))

    assert unmeasured(answer).cause is (Cause.NO_TRAFFIC if requests else Cause.NO_DATA)


def test_more_time_cannot_have_been_bad_than_has_passed() -> None:
    slo = FakeSlo(name=NAME, requests=False, goal=monthly(AT), events=events(1))
    fields = {"TotalBudgetSeconds": 2678, "BudgetSecondsRemaining": 2678 - 30_000}
    bad = changed(**fields, BudgetStatus="BREACHED", Attainment=0.0)
    (answer,) = ask(only(slo, spoil=bad), at=AT + timedelta(hours=2))

    assert unmeasured(answer).cause is Cause.INVALID
    assert "more seconds that were bad than there were" in unmeasured(answer).reason


# Burn rates


def test_the_window_of_a_burn_rate_is_never_answered_with_the_budget() -> None:
    service = only()
    (answer,) = ask(service, main=False)

    assert unmeasured(answer).cause is Cause.NO_DATA
    assert "own interval only; its burn rates are metrics, which the backend cloudwatch" in str(
        answer
    )
    assert [path for _, path, _, _ in service.log if path == "/budget-report"] == []


# What is left out, and what was changed


def excluded(start: datetime, hours: int = 2, **more: Any) -> dict[str, Any]:
    window = {"DurationUnit": "HOUR", "Duration": hours}
    return {"Window": window, "StartTime": start.timestamp(), **more}


DAY = timedelta(days=1)
CRON: dict[str, Any] = {"RecurrenceRule": {"Expression": "cron(0 3 * * SUN)"}}


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (excluded(AT - DAY, Reason="move"), "2 HOUR from 2025-12-31 00:00 UTC (move)"),
        (excluded(AT - 30 * DAY, 1), "1 HOUR from 2025-12-02 00:00 UTC, whose requests are not"),
        (excluded(AT - 31 * DAY, 25), "25 HOUR from 2025-12-01 00:00 UTC"),
        (excluded(AT - 90 * DAY, **CRON), "that recurs by cron(0 3 * * SUN)"),
        ({"Window": {"DurationUnit": "MONTH", "Duration": 3}}, "3 MONTH from an unknown time"),
        (excluded(AT - 90 * DAY) | {"Window": None}, "None None from 2025-10-03"),
        (
            excluded(AT - 60 * DAY) | {"Window": {"DurationUnit": "MONTH", "Duration": 1}},
            "1 MONTH from 2025-11-02 00:00 UTC",
        ),
    ],
)
def test_an_exclusion_window_that_may_be_in_the_window_is_named(window: Any, words: str) -> None:
    (answer,) = ask(only(FakeSlo(name=NAME, events=events(3), exclusions=[window])))
    notes = share(answer).evidence.notes

    assert [note for note in notes if "exclusion window of" in note and words in note], notes


@pytest.mark.parametrize(
    "window",
    [
        excluded(AT + DAY),
        excluded(AT + DAY, **CRON),
        excluded(AT - 40 * DAY),
        excluded(AT - 31 * DAY, 24),
        excluded(AT - 90 * DAY) | {"Window": {"DurationUnit": "MONTH", "Duration": 1}},
    ],
)
def test_an_exclusion_window_at_another_time_is_not_named(window: Any) -> None:
    (answer,) = ask(only(FakeSlo(name=NAME, events=events(3), exclusions=[window])))

    assert not [note for note in share(answer).evidence.notes if "exclusion" in note]


def test_of_periods_the_time_that_is_left_out_counts_as_good() -> None:
    slo = FakeSlo(name=NAME, requests=False, events=events(3), exclusions=[excluded(AT - DAY)])
    (answer,) = ask(only(slo))

    assert share(answer).evidence.notes[-1].endswith("UTC, in which all time counts as good")


@pytest.mark.parametrize(
    "refusal", [(403, "AccessDeniedException", "not authorized"), {"ExclusionWindows": None}]
)
def test_exclusion_windows_that_cannot_be_seen_are_reported_and_change_no_number(
    refusal: Any,
) -> None:
    def deny(path: str, answer: Any) -> Any:
        return refusal if path.endswith("/exclusion-windows") else answer

    (answer,) = ask(only(spoil=deny))

    assert is_about(answer, 29)
    assert "which time is left out could not be seen: " in share(answer).evidence.notes[-1]


@pytest.mark.parametrize(("days", "said"), [(3, True), (40, False), (-3, False)])
def test_a_change_of_the_slo_within_its_window_is_reported(days: int, said: bool) -> None:
    def change(_path: str, answer: Any) -> Any:
        if "Slo" in answer:
            answer["Slo"]["LastUpdatedTime"] = (AT - days * DAY).timestamp()
        return answer

    (answer,) = ask(only(spoil=change))
    notes = [n for n in share(answer).evidence.notes if "the SLO was changed at" in n]

    assert bool(notes) == said


# Refusals of AWS, and what to do about each


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (403, "AccessDeniedException", "let the login have application-signals:List"),
        (403, "ExpiredTokenException", "get new keys: the session that these belong to has ended"),
        (403, "UnrecognizedClientException", "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (403, "InvalidSignatureException", "set this machine's clock by NTP"),
        (403, "SignatureDoesNotMatch", "a proxy must leave path and headers as they are"),
        (403, "RequestTimeTooSkewed", "set this machine's clock by NTP"),
        (400, "RequestExpired", "set this machine's clock by NTP"),
        (403, "OptInRequired", "enable the region for the account"),
        (400, "ValidationException", "correct the name or the ARN, or ask for an instant"),
        (429, "ThrottlingException", "run fewer checks at once, or ask AWS for a higher quota"),
    ],
)
@pytest.mark.parametrize("path", ["/slos", "/budget-report"])
def test_a_refusal_is_explained(status: int, kind: str, advice: str, path: str) -> None:
    def refuse(asked: str, answer: Any) -> Any:
        return (status, kind, f"no, {SECRET}") if asked == path else answer

    (answer,) = ask(only(spoil=refuse))

    assert unmeasured(answer).cause is Cause.BACKEND_ERROR
    assert f"({kind}): no, " in unmeasured(answer).reason
    assert advice in unmeasured(answer).reason
    assert SECRET not in unmeasured(answer).reason


def test_a_refusal_of_one_definition_is_of_its_slo_alone() -> None:
    def refuse(path: str, answer: Any) -> Any:
        return (403, "AccessDeniedException", "no") if OTHER.split()[1] in path else answer

    good, bad = ask(ApplicationSignals(two(), spoil=refuse))

    assert is_about(good, 29)
    assert unmeasured(bad).cause is Cause.BACKEND_ERROR


def test_a_throttled_request_is_sent_again() -> None:
    times: list[str] = []

    def throttle(path: str, answer: Any) -> Any:
        times.append(path)
        return (429, "ThrottlingException", "slow down") if len(times) == 1 else answer

    (answer,) = ask(only(spoil=throttle), retries=1)

    assert is_about(answer, 29)


# The doctor


def examined(service: ApplicationSignals) -> list[tuple[str, str, str, str]]:
    with backend(service) as opened:
        platform: Platform = opened.platform
        return [(r.check, r.level, r.message, r.remedy) for r in platform.examine()]


def test_the_doctor_names_region_account_and_rights() -> None:
    site, rights = examined(ApplicationSignals(two()))

    assert site[:3] == (
        "site",
        "ok",
        "Application Signals in eu-central-1 (the fake) of account 123456789012 has 2 SLOs",
    )
    assert rights[:2] == ("rights", "ok")


def test_the_doctor_says_that_a_region_without_slos_is_probably_the_wrong_one() -> None:
    ((check, level, message, remedy),) = examined(ApplicationSignals([]))

    assert (check, level) == ("site", "fault")
    assert message == "Application Signals in eu-central-1 (the fake) has no SLO"
    assert remedy.startswith("check the region and the account")


@pytest.mark.parametrize(
    ("path", "level", "action"),
    [
        ("/budget-report", "fault", "BatchGetServiceLevelObjectiveBudgetReport"),
        ("/slo/", "fault", "GetServiceLevelObjective"),
        ("/exclusion-windows", "doubt", "ListServiceLevelObjectiveExclusionWindows"),
    ],
)
def test_the_doctor_says_which_right_is_missing(path: str, level: str, action: str) -> None:
    def deny(asked: str, answer: Any) -> Any:
        last = asked.endswith("/exclusion-windows")
        fits = last if path == "/exclusion-windows" else path in asked and not last
        return (403, "AccessDeniedException", "not authorized") if fits else answer

    _, missing = examined(only(spoil=deny))

    assert missing[:2] == ("rights", level)
    assert missing[3] == f"let the login have application-signals:{action}"


@pytest.mark.parametrize(
    ("status", "kind"), [(500, "InternalError"), (403, "ExpiredTokenException")]
)
def test_the_doctor_takes_another_refusal_for_no_lack_of_rights(status: int, kind: str) -> None:
    def fail(path: str, answer: Any) -> Any:
        return (status, kind, "boom") if path == "/budget-report" else answer

    _, doubt = examined(only(spoil=fail))

    assert doubt[1] == "doubt"
    assert doubt[3] == "see what it says, and run gate doctor again"


def test_an_answer_is_made_once_a_run_and_definitions_are_not_requested_again() -> None:
    service = only()
    with backend(service) as opened:
        first = opened.measure([request()], AT)
        again = opened.measure([request(), request(main=False)], AT)

    assert isinstance(first[0], Share)
    assert isinstance(again[1], Unmeasured)
    assert [path for _, path, _, _ in service.log].count("/slos") == 1
    assert json.dumps([body for *_, body in service.log]).count("Timestamp") == 2


# Of a part of the window, or of another SLO than was asked for


def periods(**fields: Any) -> Answer:
    """Return the answer for periods of 30 days at 99.9% whose report has these fields."""
    (answer,) = ask(only(PERIODS, spoil=changed(**fields)))
    return answer


@pytest.mark.parametrize(
    ("fields", "share_with_data"),
    [
        # 120 seconds were bad, which are half of the time with data.
        ({"BudgetSecondsRemaining": 2472, "Attainment": 50.0}, Fraction(240, 2_592_000)),
        # A second at most was bad, and nothing was good.
        ({"BudgetSecondsRemaining": 2591, "Attainment": 0.0}, Fraction(1, 2_592_000)),
        # The budget is that of a day.
        (
            {"TotalBudgetSeconds": 86, "BudgetSecondsRemaining": 86, "Attainment": 100.0},
            Fraction(1, 30),
        ),
        ({"TotalBudgetSeconds": 1, "BudgetSecondsRemaining": 1, "Attainment": 100.0}, 0),
    ],
)
def test_budget_and_attainment_of_periods_say_how_much_time_has_data(
    fields: dict[str, Any], share_with_data: Fraction
) -> None:
    evidence = share(periods(**fields, BudgetStatus="OK")).evidence
    covered = evidence.coverage

    assert covered is not None
    assert evidence.notes[-1].endswith("% of the interval so far has data at most")
    assert share_with_data <= covered < share_with_data * 11 / 10 + Fraction(1, 100_000) * 100


@pytest.mark.parametrize(
    "fields",
    [
        {"BudgetSecondsRemaining": 2592, "Attainment": 100.0},  # how much has data is not said
        # Every minute has data: 10 of 43,200 were bad.
        {"BudgetSecondsRemaining": 1992, "Attainment": 100 * 43_190 / 43_200},
        {"BudgetSecondsRemaining": 1992, "Attainment": 99.977},
        # A budget that is smaller by what calendars leave open.
        {"TotalBudgetSeconds": 2419, "BudgetSecondsRemaining": 2419, "Attainment": 100.0},
    ],
)
def test_a_window_that_may_be_covered_is_not_called_uncovered(fields: dict[str, Any]) -> None:
    assert share(periods(**fields, BudgetStatus="OK")).evidence.coverage is None


def named_otherwise(path: str, answer: Any) -> Any:
    if path.startswith("/slo/"):
        answer["Slo"]["Name"] = OTHER
    return answer


@pytest.mark.parametrize("spoil", [named_otherwise, changed(Name=OTHER), changed(Name=["x"])])
def test_an_slo_of_another_name_is_not_taken(spoil: Any) -> None:
    (answer,) = ask(only(spoil=spoil))

    assert unmeasured(answer).cause is Cause.INVALID


def test_an_error_may_have_the_arn_as_its_name() -> None:
    def fail(answer: dict[str, Any]) -> Any:
        failure = {"Name": answer["Reports"][0]["Arn"], "ErrorCode": "X", "ErrorMessage": "boom"}
        return answer | {"Errors": [failure]}

    (answer,) = ask(only(spoil=reports(fail)))

    assert unmeasured(answer).cause is Cause.BACKEND_ERROR


@pytest.mark.parametrize("value", [[], {}, 5, 1e308])
@pytest.mark.parametrize("place", ["EvaluationType", "DurationUnit", "Duration"])
@pytest.mark.parametrize("path", ["/slo/", "/budget-report"])
def test_a_definition_of_another_form_is_invalid(path: str, place: str, value: Any) -> None:
    def spoil(asked: str, answer: Any) -> Any:
        slos = [answer["Slo"]] if "Slo" in answer else answer.get("Reports", [])
        for slo in slos if path in asked else []:
            if place == "EvaluationType":
                slo[place] = value
            else:
                interval = {"DurationUnit": "DAY", "Duration": 30, place: value}
                slo["Goal"] = {**slo["Goal"], "Interval": {"RollingInterval": interval}}
        return answer

    (answer,) = ask(only(spoil=spoil))

    assert unmeasured(answer).cause is Cause.INVALID


def left_out(days: float, length: int, unit: str = "DAY", **more: Any) -> dict[str, Any]:
    start = (AT - timedelta(days=days)).timestamp()
    return {"Window": {"DurationUnit": unit, "Duration": length}, "StartTime": start, **more}


@pytest.mark.parametrize("requests", [True, False])
@pytest.mark.parametrize(
    ("windows", "days"),
    [
        ([left_out(30, 30)], 30),
        ([left_out(40, 1, "MONTH")], 18),
        ([left_out(33, 9), left_out(26, 3), left_out(2, 9)], 6 + 1 + 2),
        ([left_out(12, 6, "HOUR")], 0.25),
    ],
)
def test_time_that_is_left_out_is_not_measured(
    windows: list[Any], days: float, requests: bool
) -> None:
    slo = FakeSlo(name=NAME, requests=requests, events=events(0), exclusions=windows)
    (answer,) = ask(only(slo))

    assert share(answer).evidence.coverage == 1 - Fraction(days) / 30


@pytest.mark.parametrize(
    "window",
    [
        left_out(12, 6, RecurrenceRule={"Expression": "rate(7 days)"}),  # a note says so
        left_out(40, 9),
        left_out(-1, 9),
        left_out(12, 6, "FORTNIGHT"),
        left_out(12, 10**12),
        {"Window": None, "StartTime": AT.timestamp()},
        {"Window": {"DurationUnit": "DAY", "Duration": "x"}, "StartTime": None},
    ],
)
def test_time_that_may_be_left_out_counts_as_measured(window: Any) -> None:
    slo = FakeSlo(name=NAME, events=events(3), exclusions=[window])
    (answer,) = ask(only(slo))

    assert share(answer).evidence.coverage is None
