"""SLOs of Application Signals are looked up by exact name or ARN, and read as they are defined."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any
from urllib.parse import unquote

import pytest

from gate.http import Clock
from gate.measure import Cause, Definition, Granted
from gate.slo.calendar import Period
from gate.slo.objective import CalendarWindow, RollingWindow
from tests.backends.aws_slo.asked import (
    AT,
    NAME,
    ask,
    backend,
    define,
    events,
    only,
    share,
    unmeasured,
)
from tests.servers.application_signals import ApplicationSignals, FakeSlo, monthly, rolling

OTHER = "210987654321"


def one(goal: Any, **slo: Any) -> Any:
    (definition,) = define(only(FakeSlo(name=NAME, goal=goal, **slo)), [NAME])
    return definition


def interval(kind: str, unit: str, count: Any, **more: Any) -> dict[str, Any]:
    return {"Interval": {kind: {"DurationUnit": unit, "Duration": count, **more}}}


def calendar(unit: str, count: int, start: str = "2024-01-01T00:00Z") -> dict[str, Any]:
    begins = datetime.fromisoformat(start).timestamp()
    return interval("CalendarInterval", unit, count, StartTime=begins)


@pytest.mark.parametrize(
    ("goal", "objective", "window"),
    [
        (rolling(30), "0.999", RollingWindow(timedelta(days=30))),
        ({}, "0.99", RollingWindow(timedelta(days=7))),
        ({"AttainmentGoal": 95}, "0.95", RollingWindow(timedelta(days=7))),
        ({"AttainmentGoal": None, "Interval": None}, "0.99", RollingWindow(timedelta(days=7))),
        (interval("RollingInterval", "HOUR", 36), "0.99", RollingWindow(timedelta(hours=36))),
        (interval("RollingInterval", "MINUTE", 90), "0.99", RollingWindow(timedelta(minutes=90))),
        (
            {**interval("RollingInterval", "DAY", 1), "AttainmentGoal": 99.99999},
            "0.9999999",
            RollingWindow(timedelta(days=1)),
        ),
        (calendar("DAY", 1), "0.99", CalendarWindow(Period.DAY, UTC)),
        (calendar("DAY", 7), "0.99", CalendarWindow(Period.WEEK, UTC)),
        (calendar("HOUR", 168), "0.99", CalendarWindow(Period.WEEK, UTC)),
        (calendar("MONTH", 1), "0.99", CalendarWindow(Period.MONTH, UTC)),
        (calendar("MONTH", 3), "0.99", CalendarWindow(Period.QUARTER, UTC)),
        (calendar("MONTH", 12), "0.99", CalendarWindow(Period.YEAR, UTC)),
        (
            calendar("DAY", 7, "2024-01-03T06:00Z"),
            "0.99",
            CalendarWindow(Period.WEEK, UTC, datetime(2024, 1, 3, 6)),  # noqa: DTZ001
        ),
    ],
)
def test_goal_and_interval_are_read_with_their_defaults(
    goal: Any, objective: str, window: Any
) -> None:
    definition = one(goal)

    assert isinstance(definition, Definition)
    (promise,) = definition.promises
    assert (promise.objective, promise.window) == (Fraction(objective), window)


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        (interval("RollingInterval", "MONTH", 1), "rolls over 1 months, which have no length"),
        (interval("RollingInterval", "DAY", 0), "an interval of 0 'DAY'"),
        (interval("RollingInterval", "DAY", -7), "an interval of -7 'DAY'"),
        (interval("RollingInterval", "WEEK", 1), "an interval of 1 'WEEK'"),
        (interval("RollingInterval", "DAY", None), "Duration is None and must be a number"),
        (interval("RollingInterval", "DAY", "7"), "Duration is '7' and must be a number"),
        (interval("RollingInterval", "DAY", 7.5), "Duration is 7.5 and must be a whole number"),
        (interval("RollingInterval", "DAY", 10**12), "an interval that is too long"),
        (calendar("DAY", 14), "a calendar interval of 14 DAY; gate knows a day, a week, a month"),
        (calendar("MONTH", 6), "a calendar interval of 6 MONTH"),
        (calendar("MONTH", 1, "2024-01-31T00:00Z"), "not every month has a day 31"),
        (interval("CalendarInterval", "DAY", 1), "StartTime is None and must be a number"),
        (interval("CalendarInterval", "DAY", 1, StartTime=1e20), "must be seconds since 1970"),
        ({"Interval": {}}, "neither rolling nor calendar"),
        ({"Interval": {"Fortnight": {}}}, "neither rolling nor calendar"),
        ({"Interval": "7 days"}, "an unreadable Interval"),
        ({"Interval": {"RollingInterval": 7}}, "an unreadable RollingInterval"),
        ({"AttainmentGoal": 100}, "the attainment goal 100%, which leaves no budget"),
        ({"AttainmentGoal": 0}, "the attainment goal 0%"),
        ({"AttainmentGoal": 999}, "the attainment goal 999%"),
        ({"AttainmentGoal": "99.9"}, "AttainmentGoal is '99.9' and must be a number"),
        ({"AttainmentGoal": True}, "AttainmentGoal is True and must be a number"),
        ({"AttainmentGoal": float("nan")}, "AttainmentGoal is nan and must be a number"),
    ],
)
def test_what_the_gate_cannot_express_is_invalid_and_reported(goal: Any, words: str) -> None:
    answer = unmeasured(one(goal))

    assert answer.cause is Cause.INVALID
    assert words in answer.reason


@pytest.mark.parametrize(
    ("requests", "goal", "granted", "to_date"),
    [
        (True, rolling(30), Granted.EVENTS, False),
        (False, rolling(30), Granted.SECONDS, False),
        (True, monthly(AT), Granted.EVENTS, True),
        (False, monthly(AT), Granted.SECONDS, False),
    ],
)
@pytest.mark.parametrize("says_type", [True, False])
def test_what_is_granted_follows_from_the_type_or_from_the_indicator_of_older_slos(
    requests: bool, goal: Any, granted: Granted, to_date: bool, says_type: bool
) -> None:
    def older(_path: str, answer: Any) -> Any:
        if not says_type and "Slo" in answer:
            del answer["Slo"]["EvaluationType"]
        return answer

    slo = FakeSlo(name=NAME, goal=goal, requests=requests)
    (definition,) = define(only(slo, spoil=older), [NAME])

    assert (definition.granted, definition.to_date) == (granted, to_date)
    assert [note.partition(" ")[2][:30] for note in definition.notes] == (
        ["Signals judges periods of time"] * (not requests)
        + ["Signals' own budget is that of"] * to_date
    )


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"EvaluationType": "Composite"}, "neither period-based nor request-based: 'Composite'"),
        ({"EvaluationType": None, "RequestBasedSli": None}, "neither period-based nor"),
        ({"Goal": None}, "has no Goal"),
        ({"Name": ""}, "has no Arn or no Name"),
        ({"Arn": "arn:of:another"}, "the answer is not about arn:aws"),
        ({"CreatedTime": None}, "CreatedTime is None and must be a number"),
    ],
)
def test_a_definition_that_lacks_a_part_is_invalid(changed: Any, words: str) -> None:
    def spoil(_path: str, answer: Any) -> Any:
        return {"Slo": answer["Slo"] | changed} if "Slo" in answer else answer

    (answer,) = define(only(spoil=spoil), [NAME])

    assert unmeasured(answer).cause is Cause.INVALID
    assert words in answer.reason


# Names and ARNs


def test_a_name_is_found_on_any_page_and_all_are_defined_with_few_requests() -> None:
    service = ApplicationSignals([FakeSlo(name=f"slo {n}") for n in range(120)])
    definitions = define(service, ["slo 119", "slo 0", "slo 119"])

    assert [definition.name for definition in definitions] == ["slo 119", "slo 0", "slo 119"]
    assert [path for _, path, _, _ in service.log].count("/slos") == 3
    assert len(service.log) == 3 + 2


def test_an_arn_is_requested_without_a_list() -> None:
    service = only()
    (definition,) = define(service, [service.slos[0].arn])

    assert definition.name == NAME
    assert [path for _, path, _, _ in service.log if path == "/slos"] == []


@pytest.mark.parametrize("name", ["chat availability", "Chat availabilit", " Chat availability"])
def test_another_name_is_not_mistaken_for_it(name: str) -> None:
    (answer,) = define(only(), [name])

    assert unmeasured(answer).cause is Cause.NO_DATA
    assert 'it has "Chat availability"; correct sli.slo' in answer.reason


def test_an_account_without_any_slo_has_none_of_the_name() -> None:
    (answer,) = define(ApplicationSignals([]), [NAME])

    assert f'Application Signals has no SLO with the name or id "{NAME}"; corr' in answer.reason


def test_an_arn_of_nothing_is_no_data_and_not_an_error_of_the_service() -> None:
    service = only()
    (answer,) = define(service, [f"{service.slos[0].arn} old"])

    assert unmeasured(answer).cause is Cause.NO_DATA
    assert 'has no SLO with the name or id "arn:aws:' in answer.reason


def test_an_arn_of_another_region_is_invalid_and_names_both() -> None:
    service = only()
    (answer,) = define(service, [service.slos[0].arn.replace("eu-central-1", "us-east-1")])

    assert unmeasured(answer).cause is Cause.INVALID
    assert "is an SLO of us-east-1, and the backend asks eu-central-1" in answer.reason
    assert service.log == []


def two_accounts() -> ApplicationSignals:
    return ApplicationSignals(
        [
            FakeSlo(name=NAME, events=events(29)),
            FakeSlo(name=NAME, account=OTHER),
            FakeSlo(name="of the other", account=OTHER, events=events(10)),
        ]
    )


def test_two_slos_of_one_name_are_invalid_and_both_arns_are_reported() -> None:
    (answer,) = define(two_accounts(), [NAME], linked_accounts=True)

    assert unmeasured(answer).cause is Cause.INVALID
    assert all(account in answer.reason for account in ("123456789012", OTHER))


def test_the_same_slo_on_two_pages_is_one() -> None:
    def repeat(path: str, answer: Any) -> Any:
        if path == "/slos":
            answer["SloSummaries"] *= 2
        return answer

    (answer,) = ask(only(spoil=repeat))

    assert share(answer).bad > 0


def test_linked_accounts_are_looked_through_only_where_the_policy_says_so() -> None:
    own, other = define(two_accounts(), [NAME, "of the other"])
    (linked,) = define(two_accounts(), ["of the other"], linked_accounts=True)

    assert own.id.split(":")[4] == "123456789012"
    assert unmeasured(other).cause is Cause.NO_DATA
    assert linked.id.split(":")[4] == OTHER


@pytest.mark.parametrize(
    ("token", "answers"),
    [("1", 2), (None, 200)],
)
def test_pages_that_do_not_end_are_an_error(token: str | None, answers: int) -> None:
    pages: list[int] = []

    def endless(path: str, answer: Any) -> Any:
        if path == "/slos":
            pages.append(len(pages))
            answer["NextToken"] = token or str(len(pages))
        return answer

    (answer,) = define(only(spoil=endless), [NAME])

    assert unmeasured(answer).cause is Cause.INVALID
    assert "the pages of SloSummaries do not end" in answer.reason
    assert len(pages) in {answers, answers + 1}


@pytest.mark.parametrize("summaries", [None, {}, "x", [None], ["Chat availability"]])
def test_a_list_that_is_none_is_invalid(summaries: Any) -> None:
    def spoil(path: str, answer: Any) -> Any:
        return {"SloSummaries": summaries} if path == "/slos" else answer

    (answer,) = define(only(spoil=spoil), [NAME])

    assert unmeasured(answer).cause is Cause.INVALID
    assert "has no list SloSummaries" in answer.reason


# Many SLOs


def many(count: int = 12, **last: Any) -> list[FakeSlo]:
    slos = [FakeSlo(name=f"slo {n}", events=events(n)) for n in range(count - 1)]
    return [*slos, FakeSlo(**{"name": "last", "events": events(9), **last})]


def single(service: ApplicationSignals) -> list[str]:
    """Return the names of the SLOs that were asked for one by one."""
    paths = [path for _, path, _, _ in service.log if path.startswith("/slo/")]
    return [unquote(path).rpartition("slo/")[2] for path in paths if "exclusion" not in path]


def test_the_definitions_of_many_slos_come_with_their_reports() -> None:
    goal = {"AttainmentGoal": 95.0}
    few, service = ApplicationSignals(many(10)), ApplicationSignals(many(12, goal=goal))
    names = [slo.name for slo in service.slos]
    definitions = define(service, names)
    define(few, [slo.name for slo in few.slos])

    assert [definition.name for definition in definitions] == names
    assert definitions[-1].promises[0].objective == Fraction(95, 100)
    assert single(service) == []
    assert len(single(few)) == 10


def without_goal(path: str, answer: Any) -> Any:
    if path == "/budget-report":
        del answer["Reports"][-1]["Goal"]
    return answer


def missing(path: str, answer: Any) -> Any:
    if path == "/budget-report":
        answer["Reports"].pop()
    return answer


@pytest.mark.parametrize("spoil", [without_goal, missing])
def test_what_the_reports_do_not_define_is_requested_by_itself(spoil: Any) -> None:
    service = ApplicationSignals(many(), spoil=spoil)
    definitions = define(service, [slo.name for slo in service.slos])

    assert all(isinstance(definition, Definition) for definition in definitions)
    assert single(service) == ["last"]


@pytest.mark.parametrize("reports", [None, {}, ["x"], "x"])
def test_where_reports_cannot_be_read_each_slo_is_requested(reports: Any) -> None:
    def spoil(path: str, answer: Any) -> Any:
        return {"Reports": reports} if path == "/budget-report" else answer

    service = ApplicationSignals(many(), spoil=spoil)
    define(service, [slo.name for slo in service.slos])

    assert len(single(service)) == 12


def test_where_reports_are_refused_each_slo_is_requested() -> None:
    def refuse(path: str, answer: Any) -> Any:
        return (403, "AccessDeniedException", "no") if path == "/budget-report" else answer

    service = ApplicationSignals(many(), spoil=refuse)
    define(service, [slo.name for slo in service.slos])

    assert len(single(service)) == 12


def test_one_definition_that_cannot_be_read_leaves_the_others_as_they_are() -> None:
    goal = {"AttainmentGoal": 100.0}
    *good, bad = ask(ApplicationSignals(many(goal=goal)))

    assert all(share(answer) for answer in good)
    assert unmeasured(bad).cause is Cause.INVALID
    assert "the attainment goal 100.0%, which leaves no budget" in unmeasured(bad).reason


@pytest.mark.parametrize("created", ["there", None, "absent"])
@pytest.mark.parametrize("by", ["name", "arn"])
def test_of_many_slos_too_it_is_known_how_young_they_are(created: str | None, by: str) -> None:
    """Without the time of their creation in the list, they are asked for one by one."""

    def old(path: str, answer: Any) -> Any:
        for summary in answer["SloSummaries"] if path == "/slos" and created != "there" else ():
            summary["CreatedTime"] = None
            if created == "absent":
                del summary["CreatedTime"]
        return answer

    service = ApplicationSignals(many(created=AT - timedelta(days=6)), spoil=old)
    *_, last = ask(service, *(getattr(slo, by) for slo in service.slos))

    assert share(last).evidence.coverage == Fraction(1, 5)
    assert len(single(service)) == (0 if created == "there" else 12)


def test_many_slos_with_arns_do_not_need_the_right_to_list() -> None:
    def deny(path: str, answer: Any) -> Any:
        return (403, "AccessDeniedException", "no") if path == "/slos" else answer

    young = AT - timedelta(days=6)
    service = ApplicationSignals(many(created=young), spoil=deny)
    *_, last = ask(service, *(slo.arn for slo in service.slos))
    mixed = ask(service, NAME, *(slo.arn for slo in service.slos))

    assert share(last).evidence.coverage == Fraction(1, 5)
    assert {unmeasured(answer).cause for answer in mixed} == {Cause.BACKEND_ERROR}


class Waiting:
    """A clock on which a request takes a tenth of a second, and which notes how long it waits."""

    def __init__(self) -> None:
        self.waits, self.seconds = list[float](), 0.0

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=lambda: self.seconds, sleep=self.sleep)


def test_no_more_requests_are_sent_in_a_second_than_aws_allows() -> None:
    waiting, service = Waiting(), ApplicationSignals(many(23))
    with backend(service, clock=waiting.clock) as opened:
        arns = [slo.arn for slo in service.slos]
        platform: Any = opened.platform
        answers = platform._service.slos(arns)

    assert [answer["Slo"]["Arn"] for answer in answers] == arns
    assert waiting.waits == [1.0] * 4


def test_requests_for_definitions_and_for_numbers_are_counted_together() -> None:
    waiting, service = Waiting(), ApplicationSignals([])
    with backend(service, clock=waiting.clock) as opened:
        platform: Any = opened.platform
        for _ in range(3):
            platform._service.reports([["a"]] * 6, AT)
        waiting.seconds += 5
        platform._service.reports([["a"]] * 10, AT)

    assert len(service.log) == 28
    assert waiting.waits == [1.0]


def test_after_the_deadline_nobody_waits_for_the_next_second() -> None:
    waiting, service = Waiting(), ApplicationSignals(many(23))
    with backend(service, clock=waiting.clock) as opened:
        waiting.seconds = 100.0
        platform: Any = opened.platform
        answers = platform._service.slos([slo.arn for slo in service.slos])

    assert {answer.status for answer in answers} == {None}
    assert waiting.waits == []
