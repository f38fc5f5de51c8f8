"""Which SLO of Datadog is meant, and what Datadog promises with it."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.measure import Cause, Definition, Granted, Unmeasured
from gate.slo.indicator import Sli
from gate.slo.objective import RollingWindow
from tests.backends.datadog.organization import (
    AVAILABILITY,
    LATENCY,
    UPTIME,
    availability,
    backend_of,
    latency,
    uptime,
)
from tests.servers.datadog import Answer, Body, FakeDatadog, FakeSlo

LISTED = "/api/v1/slo"


def define(fake: FakeDatadog, *names: str) -> list[Definition | Unmeasured]:
    with backend_of(fake) as backend:
        return backend.definitions([Sli(slo=name) for name in names])


def defined(fake: FakeDatadog, name: str) -> Definition:
    (answer,) = define(fake, name)
    assert isinstance(answer, Definition), answer
    return answer


def refused(fake: FakeDatadog, name: str = "Chat availability") -> tuple[str, str]:
    (answer,) = define(fake, name)
    assert isinstance(answer, Unmeasured), answer
    return str(answer.cause), answer.reason


def with_entry(**values: Any) -> FakeDatadog:
    """Return an organization whose only SLO is listed with other values; None: without the key."""

    def twist(path: str, body: Body) -> None:
        if path == LISTED and body["data"]:
            entry = body["data"][0]
            entry |= values
            for key in [key for key, value in values.items() if value is None]:
                del entry[key]

    return FakeDatadog(slos=[availability()], twist=twist)


def listing(**values: Any) -> FakeDatadog:
    """Return an organization whose list of SLOs has other values."""

    def twist(path: str, body: Body) -> None:
        if path == LISTED:
            body |= values

    return FakeDatadog(slos=[availability()], twist=twist)


def test_name_and_id_mean_the_same_slo() -> None:
    fake = FakeDatadog(slos=[uptime(), availability()])
    by_id, by_name, other = define(fake, AVAILABILITY, "Chat availability", UPTIME)

    assert by_id == by_name
    assert isinstance(by_id, Definition)
    assert (by_id.id, by_id.name) == (AVAILABILITY, "Chat availability")
    assert isinstance(other, Definition)
    assert other.id == UPTIME
    # The ids in one request, and all names in another.
    assert [params.get("ids") for _, params in fake.requests] == [f"{AVAILABILITY},{UPTIME}", None]


def test_several_timeframes_are_several_promises() -> None:
    targets = {"7d": 99.5, "30d": 99.9, "90d": 99.95}
    answer = defined(FakeDatadog(slos=[availability(targets=targets)]), "Chat availability")

    assert [(promise.window, promise.objective) for promise in answer.promises] == [
        (RollingWindow(timedelta(days=7)), Fraction(995, 1000)),
        (RollingWindow(timedelta(days=30)), Fraction(999, 1000)),
        (RollingWindow(timedelta(days=90)), Fraction(9995, 10_000)),
    ]


@pytest.mark.parametrize(
    ("slo", "granted", "words"),
    [
        (availability(), Granted.EVENTS, "time without events"),
        (uptime(), Granted.SECONDS, "as the monitor is set"),
        (latency(), Granted.SECONDS, "time without data as up"),
    ],
)
def test_type_says_what_is_counted(slo: FakeSlo, granted: Granted, words: str) -> None:
    answer = defined(FakeDatadog(slos=[slo]), slo.name)

    assert answer.granted is granted
    assert words in answer.no_data
    assert not answer.to_date


def test_name_is_matched_exactly() -> None:
    names = ("Chat availability (EU)", "chat availability", "Chat", "Chat availability ")
    slos = [availability(id=f"{place}" * 32, name=name) for place, name in enumerate(names)]
    cause, reason = refused(FakeDatadog(slos=slos))

    assert cause == Cause.NO_DATA
    assert 'Datadog has no SLO with the name or id "Chat availability"; it has "chat a' in reason


def test_two_slos_of_one_name_are_reported_with_their_ids() -> None:
    cause, reason = refused(FakeDatadog(slos=[availability(), availability(id=UPTIME)]))

    assert cause == Cause.INVALID
    assert f"{AVAILABILITY}, {UPTIME}" in reason


def test_one_of_two_slos_of_one_name_is_meant_by_its_id() -> None:
    fake = FakeDatadog(slos=[availability(), availability(id=UPTIME)])

    assert defined(fake, UPTIME).id == UPTIME


def test_id_that_is_not_there_does_not_hide_the_others() -> None:
    fake = FakeDatadog(slos=[availability(), uptime()])
    there, missing, other = define(fake, AVAILABILITY, LATENCY, UPTIME)

    assert isinstance(there, Definition)
    assert isinstance(other, Definition)
    assert isinstance(missing, Unmeasured)
    assert missing.cause is Cause.NO_DATA
    assert f'no SLO with the name or id "{LATENCY}"' in missing.reason


def test_name_may_look_like_an_id() -> None:
    assert defined(FakeDatadog(slos=[availability(name="d" * 32)]), "d" * 32).id == AVAILABILITY


@pytest.mark.parametrize("status", [401, 403, 429, 500])
@pytest.mark.parametrize("path", [LISTED, f"{LISTED}/{UPTIME}"])
def test_refusal_of_ids_is_an_error(path: str, status: int) -> None:
    fake = FakeDatadog(slos=[availability()])

    def fail(asked: str, _params: Any) -> Answer | None:
        return (status, {"errors": ["no"]}, {}) if asked == path else None

    fake.fail = fail

    assert refused(fake, UPTIME)[0] == Cause.BACKEND_ERROR


def test_answer_about_one_id_is_checked() -> None:
    def twist(path: str, body: Body) -> None:
        if path == f"{LISTED}/{AVAILABILITY}":
            body["errors"] = ["broken"]

    fake = FakeDatadog(slos=[availability()], twist=twist)
    (first, _) = define(fake, AVAILABILITY, LATENCY)

    assert isinstance(first, Unmeasured)
    assert first.cause is Cause.BACKEND_ERROR


@pytest.mark.parametrize("other", [None, LATENCY, AVAILABILITY.upper(), 7])
def test_answer_about_another_id_is_invalid(other: Any) -> None:
    def twist(path: str, body: Body) -> None:
        if path == f"{LISTED}/{AVAILABILITY}":
            body["data"]["id"] = other

    fake = FakeDatadog(slos=[availability()], twist=twist)
    (first, _) = define(fake, AVAILABILITY, LATENCY)

    assert isinstance(first, Unmeasured)
    assert first.cause is Cause.INVALID
    assert f"{AVAILABILITY} is answered with" in first.reason


@pytest.mark.parametrize("most_listed", [1000, 10, 1])
def test_hundreds_of_slos_are_read_page_by_page(most_listed: int) -> None:
    slos = [availability(id=f"{place:032x}", name=f"SLO {place}") for place in range(30)]
    fake = FakeDatadog(slos=slos, most_listed=most_listed)
    answers = define(fake, *(slo.name for slo in slos))

    assert [answer.name for answer in answers if isinstance(answer, Definition)] == [
        slo.name for slo in slos
    ]
    assert len(fake.requests) == 30 // min(most_listed, 30)


@pytest.mark.parametrize(
    "metadata", [None, {}, {"page": None}, {"page": {"total_filtered_count": "30"}}]
)
def test_pages_are_read_to_the_end_where_nobody_says_how_many_there_are(metadata: Any) -> None:
    slos = [availability(id=f"{place:032x}", name=f"SLO {place}") for place in range(4)]
    fake = FakeDatadog(
        slos=slos, most_listed=2, twist=lambda _, body: body.update(metadata=metadata)
    )

    assert defined(fake, "SLO 3").id == slos[3].id
    assert len(fake.requests) == 3


@pytest.mark.parametrize("names", [("SLO 0",), ("SLO 3",)])
def test_list_that_ends_before_all_slos_that_there_are_tells_none(names: tuple[str]) -> None:
    slos = [availability(id=f"{place:032x}", name=f"SLO {place}") for place in range(4)]

    def twist(_path: str, body: Body) -> None:
        body["metadata"]["page"]["total_filtered_count"] = 5

    cause, reason = refused(FakeDatadog(slos=slos, twist=twist), *names)

    assert cause == Cause.PARTIAL
    assert "lists 4 of its 5 SLOs" in reason


def test_server_that_repeats_its_page_is_not_requested_ever() -> None:
    fake = FakeDatadog(slos=[availability()], twist=lambda _, body: body.pop("metadata"))
    fake.fail = lambda _path, params: (
        (200, {"data": [availability().definition()], "metadata": {}}, {})
        if params.get("offset") == "1"
        else None
    )

    assert defined(fake, "Chat availability").id == AVAILABILITY
    assert len(fake.requests) == 2


@pytest.mark.parametrize(
    ("fake", "cause"),
    [
        (listing(errors=["broken"]), Cause.BACKEND_ERROR),
        (listing(error="broken"), Cause.BACKEND_ERROR),
        (listing(data=None), Cause.INVALID),
        (listing(data={"a": 1}), Cause.INVALID),
        (listing(data=["a"]), Cause.INVALID),
        (listing(data=[{"name": "Chat availability"}]), Cause.INVALID),
        (listing(data=[{"name": "Chat availability", "id": 7}]), Cause.INVALID),
        (listing(data=[{"name": ["Chat availability"], "id": "7"}]), Cause.NO_DATA),
        (listing(data=[]), Cause.PARTIAL),
        (listing(data=[], metadata=None), Cause.NO_DATA),
    ],
)
def test_list_that_is_none_is_not_a_definition(fake: FakeDatadog, cause: Cause) -> None:
    assert refused(fake)[0] == cause


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"type": "forecast"}, "type is 'forecast'"),
        ({"type": None}, "type is missing"),
        ({"type": 1}, "type is 1"),
        ({"thresholds": []}, "it has no thresholds"),
        ({"thresholds": None}, "it has no thresholds"),
        ({"thresholds": "99"}, "thresholds is '99'"),
        ({"thresholds": [None]}, "thresholds is missing"),
        ({"thresholds": [{"timeframe": "30d"}]}, "target is missing"),
        ({"thresholds": [{"timeframe": "30d", "target": "99"}]}, "target is '99'"),
        ({"thresholds": [{"timeframe": "30d", "target": float("nan")}]}, "target is nan"),
        (
            {"thresholds": [{"timeframe": "30d", "target": 100.0}]},
            "100% over 30d is not an objective",
        ),
        (
            {"thresholds": [{"timeframe": "30d", "target": 0}]},
            "0% over 30d is not an objective",
        ),
        (
            {"thresholds": [{"timeframe": "30d", "target": 0.999}]},
            "0.999% over 30d is too low; a target is a percentage",
        ),
        (
            {"thresholds": [{"timeframe": "month", "target": 99}]},
            "timeframe 'month' is not a number",
        ),
        ({"thresholds": [{"timeframe": 30, "target": 99}]}, "timeframe 30 is not a number of days"),
        ({"thresholds": [{"timeframe": "custom", "target": 99}]}, "it has no thresholds"),
        (
            {
                "thresholds": [
                    {"timeframe": "30d", "target": 99},
                    {"timeframe": "30d", "target": 98},
                ]
            },
            "two objectives over 30d",
        ),
        ({"groups": "all"}, "groups is 'all'"),
    ],
)
def test_definition_that_cannot_be_read_is_invalid(values: dict[str, Any], words: str) -> None:
    cause, reason = refused(with_entry(**values))

    assert cause == Cause.INVALID
    assert words in reason


@pytest.mark.parametrize(
    "thresholds",
    [
        [{"timeframe": "30d", "target": 99}],
        [{"timeframe": "30d", "target": 99}, {"timeframe": "30d", "target": 99.0}],
        [{"timeframe": "custom", "target": 95}, {"timeframe": "30d", "target": 99}],
    ],
)
def test_threshold_that_is_repeated_or_custom_is_not_a_mistake(thresholds: list[Body]) -> None:
    answer = defined(with_entry(thresholds=thresholds), "Chat availability")

    (promise,) = answer.promises
    assert promise.objective == Fraction(99, 100)


def test_threshold_that_gate_cannot_use_is_reported_beside_the_others() -> None:
    thresholds = [{"timeframe": "7d", "target": 100}, {"timeframe": "30d", "target": 99}]
    answer = defined(with_entry(thresholds=thresholds), "Chat availability")

    assert len(answer.promises) == 1
    assert "100% over 7d is not an objective" in answer.notes[0]


def test_old_form_of_one_threshold_is_read() -> None:
    fake = with_entry(thresholds=[], timeframe="7d", target_threshold=99.25)

    (promise,) = defined(fake, "Chat availability").promises
    assert promise.objective == Fraction(9925, 10_000)


def test_groups_of_a_definition_are_reported() -> None:
    answer = defined(with_entry(groups=["env:prod", "env:eu"]), "Chat availability")

    assert answer.notes == ("only of the groups env:prod, env:eu",)


def test_name_that_is_missing_is_the_id() -> None:
    fake = with_entry(name=None)

    assert defined(fake, AVAILABILITY).name == AVAILABILITY
