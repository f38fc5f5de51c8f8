"""Which SLO of a project is meant, and what it promises."""

from collections.abc import Mapping
from datetime import UTC, timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.measure import Cause, Definition, Granted, Unmeasured
from gate.slo.calendar import Period
from gate.slo.indicator import Sli
from gate.slo.objective import CalendarWindow, RollingWindow
from tests.backends.google_slo.policies import NAME, opened, slo
from tests.servers.google_monitoring import (
    BASIC,
    CUT,
    LATENCY,
    RATIO,
    TOKEN,
    FakeMonitoring,
    Refusal,
    Spoil,
)

JsonObject = dict[str, Any]
FULL = "projects/acme-prod/services/chat/serviceLevelObjectives/availability"


def look_up(fake: FakeMonitoring, *names: str, **more: Any) -> list[Definition | Unmeasured]:
    with opened(fake) as backend:
        return backend.definitions([Sli(slo=name, **more) for name in names])


def definition(fake: FakeMonitoring, name: str = NAME) -> Definition:
    (answer,) = look_up(fake, name)
    assert isinstance(answer, Definition), answer
    return answer


def unusable(fake: FakeMonitoring, name: str = NAME, **more: Any) -> Unmeasured:
    (answer,) = look_up(fake, name, **more)
    assert isinstance(answer, Unmeasured), answer
    return answer


def resource(**changed: Any) -> FakeMonitoring:
    """Return a project whose SLO has other fields; None leaves one out."""
    whole = {**slo().resource, **changed}
    sent = {key: value for key, value in whole.items() if value is not None}

    def spoil(path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        return {"serviceLevelObjectives": [sent]} if path.endswith("Objectives") else answer

    return FakeMonitoring([slo()], spoil)


# By name


@pytest.mark.parametrize("name", [NAME, "availability", FULL])
def test_an_slo_is_meant_by_its_display_name_its_id_or_its_full_name(name: str) -> None:
    other = slo(id="latency", display_name="Chat latency")
    answer = definition(FakeMonitoring([other, slo()]), name)

    assert (answer.id, answer.name) == (FULL, NAME)
    (promise,) = answer.promises
    assert promise.window == RollingWindow(timedelta(days=30))
    assert promise.objective == Fraction(99, 100)
    assert answer.granted is Granted.EVENTS
    assert not answer.to_date


def test_one_with_its_full_name_is_looked_up_without_a_list() -> None:
    fake = FakeMonitoring([slo()])
    look_up(fake, FULL, FULL)

    assert [path for path, _ in fake.requests] == [f"/v3/{FULL}"]


def test_all_names_need_one_list_of_each_service() -> None:
    slos = [slo(service=f"s-{place % 3}", id=f"i-{place}") for place in range(9)]
    fake = FakeMonitoring(slos)
    answers = look_up(fake, *(each.id for each in slos))

    assert [answer.id for answer in answers if isinstance(answer, Definition)] == [
        each.name for each in slos
    ]
    assert len(fake.requests) == 1 + 3


def test_lists_come_in_pages() -> None:
    slos = [slo(service=f"s-{place % 5}", id=f"i-{place}") for place in range(25)]
    fake = FakeMonitoring(slos, page=2)
    answers = look_up(fake, *(each.id for each in slos))

    assert all(isinstance(answer, Definition) for answer in answers)
    # 3 pages of services, and 3 pages of the SLOs of each.
    assert len(fake.requests) == 3 + 5 * 3


def test_an_slo_without_a_display_name_has_its_id_as_a_name() -> None:
    assert definition(FakeMonitoring([slo(display_name=None)]), "availability").name == (
        "availability"
    )


def test_two_slos_of_one_name_are_invalid_and_their_full_names_are_listed() -> None:
    other = slo(service="batch")
    answer = unusable(FakeMonitoring([slo(), other]))

    assert answer.cause is Cause.INVALID
    assert answer.reason == (
        f'2 SLOs of the project acme-prod have the name "Chat availability": {other.name}, {FULL};'
        " write one of these as sli.slo"
    )


def test_a_name_and_an_id_that_are_the_same_are_two_matches() -> None:
    answer = unusable(FakeMonitoring([slo(), slo(id=NAME, display_name="Other")]))

    assert answer.cause is Cause.INVALID


def test_names_in_other_letters_or_parts_of_names_do_not_match() -> None:
    for name in ("chat availability", "Chat", "Chat availability "):
        answer = unusable(FakeMonitoring([slo()]), name)
        assert answer.cause is Cause.NO_DATA
        assert '; it has "Chat availability"; ' in answer.reason


def test_of_many_names_the_nearest_are_shown() -> None:
    slos = [slo(id=f"i-{place}", display_name=f"Batch {place}") for place in range(7)]
    answer = unusable(FakeMonitoring([*slos, slo()]), "Chat availabilty")

    assert '; it has "Chat availability", "Batch 0", ' in answer.reason
    assert '"Batch 3" and 3 more; ' in answer.reason


def test_a_project_without_slos_is_no_data() -> None:
    assert unusable(FakeMonitoring([])).reason == (
        'the project acme-prod has no SLO with the name or id "Chat availability"; it has no SLO at'
        " all; correct sli.slo, which is the exact name or the id of an SLO of the platform"
    )


def test_a_full_name_that_is_not_there_is_no_data() -> None:
    answer = unusable(FakeMonitoring([slo()]), f"{FULL}-2")

    assert answer.cause is Cause.NO_DATA
    assert answer.reason.startswith(f"there is no SLO {FULL}-2: 127.0.0.1")


def test_a_full_name_may_have_the_number_of_the_project() -> None:
    numbered = FULL.replace("acme-prod", "1234567")

    def spoil(path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        return {**answer, "name": numbered} if path.endswith("/availability") else answer

    assert definition(FakeMonitoring([slo()], spoil), FULL).id == numbered


@pytest.mark.parametrize("name", [FULL + "-2", "availability", f'{FULL}"', "", None, 7])
def test_an_answer_about_another_slo_is_invalid(name: object) -> None:
    def spoil(_path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        return {**answer, "name": name}

    assert unusable(FakeMonitoring([slo()], spoil), FULL).cause is Cause.INVALID


def test_a_group_is_invalid() -> None:
    answer = unusable(FakeMonitoring([slo()]), group="model:llama")

    assert answer.cause is Cause.INVALID
    assert "has no groups; remove the key group" in answer.reason


def refuse_slos_of(service: str) -> Spoil:
    def spoil(path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        if path.endswith(f"/{service}/serviceLevelObjectives"):
            raise Refusal(500, "INTERNAL", "try later")
        return answer

    return spoil


@pytest.mark.parametrize(
    ("missing", "cause"),
    [
        ({"error": {"code": 500, "message": "boom"}}, Cause.BACKEND_ERROR),
        ({"unreachable": ["boom"]}, Cause.PARTIAL),
    ],
)
def test_a_list_that_says_itself_that_it_is_not_whole_resolves_no_name(
    missing: JsonObject, cause: Cause
) -> None:
    def spoil(path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        return missing if path.endswith("batch/serviceLevelObjectives") else answer

    answer = unusable(FakeMonitoring([slo(), slo(service="batch")], spoil))

    assert answer.cause is cause
    assert "boom" in answer.reason


def test_where_some_slos_cannot_be_listed_no_name_is_resolved_since_it_may_be_there_twice() -> None:
    fake = FakeMonitoring([slo(), slo(service="batch", id="b")], refuse_slos_of("batch"))
    by_name, by_full_name = look_up(fake, NAME, FULL)

    assert isinstance(by_name, Unmeasured)
    assert by_name.cause is Cause.BACKEND_ERROR
    assert isinstance(by_full_name, Definition)


@pytest.mark.parametrize(
    "services",
    [
        "none",
        {},
        [None],
        [{"displayName": "chat"}],
        [{"name": ""}],
        [{"name": []}],
        [{"name": "chat"}],
    ],
)
def test_a_list_of_another_shape_is_invalid(services: object) -> None:
    def spoil(path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        return {"services": services} if path.endswith("/services") else answer

    assert unusable(FakeMonitoring([slo()], spoil)).cause is Cause.INVALID


# What it promises


@pytest.mark.parametrize(
    ("goal", "objective"),
    [(0.999, Fraction(999, 1000)), (0.9999, Fraction(9999, 10_000)), (0.95, Fraction(19, 20))],
)
def test_a_goal_is_read_as_it_is_written(goal: float, objective: Fraction) -> None:
    (promise,) = definition(resource(goal=goal)).promises

    assert promise.objective == objective


@pytest.mark.parametrize("goal", [None, 0, 1, 1.0, 99.9, -0.5, "0.99", True, [], float("nan")])
def test_a_goal_that_is_not_a_share_is_invalid(goal: object) -> None:
    answer = unusable(resource(goal=goal))

    assert answer.cause is Cause.INVALID
    assert f"the SLO {FULL} cannot be used: its goal is" in answer.reason


@pytest.mark.parametrize(
    ("period", "window"),
    [
        ({"rollingPeriod": "86400s"}, RollingWindow(timedelta(days=1))),
        ({"rollingPeriod": "2419200s"}, RollingWindow(timedelta(days=28))),
        ({"rollingPeriod": "2592000.0s"}, RollingWindow(timedelta(days=30))),
        ({"calendarPeriod": "DAY"}, CalendarWindow(Period.DAY, UTC)),
        ({"calendarPeriod": "WEEK"}, CalendarWindow(Period.WEEK, UTC)),
        ({"calendarPeriod": "MONTH"}, CalendarWindow(Period.MONTH, UTC)),
        ({"calendarPeriod": "QUARTER"}, CalendarWindow(Period.QUARTER, UTC)),
        ({"calendarPeriod": "YEAR"}, CalendarWindow(Period.YEAR, UTC)),
    ],
)
def test_a_compliance_period_is_a_window(
    period: JsonObject, window: RollingWindow | CalendarWindow
) -> None:
    answer = definition(resource(**{"rollingPeriod": None, **period}))

    assert [promise.window for promise in answer.promises] == [window]
    assert answer.to_date == isinstance(window, CalendarWindow)


@pytest.mark.parametrize(
    "period",
    [
        {},
        {"rollingPeriod": "2592000s", "calendarPeriod": "MONTH"},
        {"rollingPeriod": "0s"},
        {"rollingPeriod": "30d"},
        {"rollingPeriod": "2592000"},
        {"rollingPeriod": "-86400s"},
        {"rollingPeriod": 2592000},
        {"calendarPeriod": "CALENDAR_PERIOD_UNSPECIFIED"},
        {"calendarPeriod": "HALF"},
        {"calendarPeriod": "month"},
        {"calendarPeriod": ["MONTH"]},
        {"calendarPeriod": 3},
    ],
)
def test_a_period_that_cannot_be_a_window_is_invalid(period: JsonObject) -> None:
    answer = unusable(resource(**{"rollingPeriod": None, **period}))

    assert answer.cause is Cause.INVALID
    assert "cannot be used: it" in answer.reason


def test_a_fortnight_is_invalid_and_what_is_possible_is_reported() -> None:
    answer = unusable(resource(rollingPeriod=None, calendarPeriod="FORTNIGHT"))

    assert answer.cause is Cause.INVALID
    assert answer.reason.endswith(
        "its calendarPeriod is FORTNIGHT; the gate can count DAY, WEEK, MONTH, QUARTER, YEAR;"
        " correct sli.slo or sli.group, or the SLO in the platform"
    )


@pytest.mark.parametrize(
    ("indicator", "note"),
    [
        (RATIO, "Google counts the good and bad events of two metrics"),
        (CUT, "Google estimates how many values of a distribution are in the good range"),
        (BASIC, "Google counts the requests of the service, by its own metric of availability"),
        (LATENCY, "Google counts the requests of the service, by its own metric of latency"),
    ],
)
def test_what_is_counted_is_reported(indicator: JsonObject, note: str) -> None:
    answer = definition(resource(serviceLevelIndicator=indicator))

    assert answer.notes == (note,)
    assert answer.no_data


@pytest.mark.parametrize("seconds", ["60s", "300s", "86400s", "60.0s"])
def test_an_slo_of_windows_grants_seconds(seconds: str) -> None:
    indicator = {"windowsBased": {"windowPeriod": seconds, "goodBadMetricFilter": "a"}}
    answer = definition(resource(serviceLevelIndicator=indicator))

    assert answer.granted is Granted.SECONDS
    assert not answer.no_data


@pytest.mark.parametrize("seconds", [None, "30s", "0s", "7000s", "172800s", "5m", 300])
def test_windows_that_do_not_divide_a_day_are_invalid(seconds: object) -> None:
    indicator = {"windowsBased": {"windowPeriod": seconds}}
    answer = unusable(resource(serviceLevelIndicator=indicator))

    assert answer.cause is Cause.INVALID
    assert "its windowPeriod is" in answer.reason


@pytest.mark.parametrize(
    "indicator",
    [None, {}, "requestBased", {"requestBased": None}, {"newKind": {}}, {**RATIO, **BASIC}],
)
def test_an_slo_without_one_kind_of_indicator_is_invalid(indicator: object) -> None:
    answer = unusable(resource(serviceLevelIndicator=indicator))

    assert answer.cause is Cause.INVALID
    assert "basicSli, requestBased, windowsBased" in answer.reason


@pytest.mark.parametrize("display_name", [None, "", 7, [], {}])
def test_a_display_name_of_another_shape_is_none(display_name: object) -> None:
    fake = resource(displayName=display_name)

    assert definition(fake, "availability").name == "availability"
    assert unusable(fake).cause is Cause.NO_DATA


def test_what_is_quoted_of_an_slo_shows_no_token() -> None:
    assert TOKEN not in unusable(resource(goal=f"of {TOKEN}")).reason


def test_definitions_are_looked_up_once() -> None:
    fake = FakeMonitoring([slo()])
    with opened(fake) as backend:
        first, second = (backend.definitions([Sli(slo=NAME)]) for _ in range(2))

    assert first == second
    assert len(fake.requests) == 2
