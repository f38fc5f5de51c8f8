"""The requests to Kibana, their batches, and the reading of its definitions."""

from datetime import UTC, timedelta
from fractions import Fraction
from typing import Any

import pytest

from gate.backends.elastic.platform import ElasticPlatform
from gate.backends.elastic.settings import ElasticSettings, secrets
from gate.measure import Cause, Counts, Definition, Granted, MeasurementError, Promise, Unmeasured
from gate.measure.diagnosis import Check, Level
from gate.slo.calendar import Period
from gate.slo.objective import CalendarWindow, RollingWindow, Window
from tests.backends.elastic.asking import backend, definition, measure, request
from tests.backends.elastic_cases import ID, events, slo
from tests.backends.prometheus.played import AT
from tests.servers.elastic import Kibana

DAY = timedelta(days=1)


def test_hundreds_of_slos_are_counted_at_one_instant_in_batches_of_a_hundred() -> None:
    slos = [
        slo(id=f"slo-number-{number}", name=f"slo {number}", events={"*": events(number, 1000, 1)})
        for number in range(250)
    ]
    kibana = Kibana(slos, now=AT)
    answers = measure(kibana, *(request(each.name) for each in slos))

    good = [each.total - each.bad for each in answers if isinstance(each, Counts)]
    assert good == list(range(250))
    assert sorted(len(body["requests"]) for body in kibana.bodies) == [50, 100, 100]
    assert {body["at"] for body in kibana.bodies} == {"2026-01-01T00:00:00.000Z"}
    # 250 names of about 20 characters, twice each, fit into a few addresses.
    assert len(kibana.requests) <= 3 + 6


def test_an_slo_that_is_requested_twice_is_counted_once() -> None:
    kibana = Kibana([slo()], now=AT)
    measure(kibana, request(), request(ID), request())

    # Its name and its id are two indicators for one SLO.
    assert [len(body["requests"]) for body in kibana.bodies] == [1]


def test_a_list_is_read_with_all_of_its_pages() -> None:
    regions = {f"region-{number}": events(1, 1, 1) for number in range(1002)}
    kibana = Kibana([slo(group_by="region", events=regions)], now=AT)
    (found,) = measure(kibana, request(group="region-1001"))

    assert isinstance(found, Counts)
    assert sum(each.startswith("GET") for each in kibana.requests) == 2


def test_definitions_are_asked_once_a_run() -> None:
    kibana = Kibana([slo()], now=AT)
    with backend(kibana) as asking:
        asking.definitions([request().sli])
        asking.measure([request()], AT)
        asking.measure([request()], AT)

    assert sum(each.startswith("GET") for each in kibana.requests) == 1


WINDOWS: dict[str, tuple[str, str, Window]] = {
    "days": ("rolling", "30d", RollingWindow(30 * DAY)),
    "a week that rolls": ("rolling", "1w", RollingWindow(7 * DAY)),
    "hours": ("rolling", "24h", RollingWindow(DAY)),
    "a week": ("calendarAligned", "1w", CalendarWindow(Period.WEEK, UTC)),
    "a month": ("calendarAligned", "1M", CalendarWindow(Period.MONTH, UTC)),
}


@pytest.mark.parametrize(("kind", "duration", "window"), WINDOWS.values(), ids=WINDOWS)
def test_a_window_is_read_as_kibana_means_it(kind: str, duration: str, window: Window) -> None:
    found = definition(Kibana([slo(more={"timeWindow": {"duration": duration, "type": kind}})]))

    assert isinstance(found, Definition)
    assert found.promises == (Promise(window=window, objective=Fraction(999, 1000)),)
    assert found.to_date == (kind == "calendarAligned")


@pytest.mark.parametrize(
    "fields",
    [
        {"timeWindow": {"duration": "1M", "type": "rolling"}},
        {"timeWindow": {"duration": "2w", "type": "calendarAligned"}},
        {"timeWindow": {"duration": "30d", "type": "calendarAligned"}},
        {"timeWindow": {"duration": "30", "type": "rolling"}},
        {"timeWindow": {"duration": "0d", "type": "rolling"}},
        {"timeWindow": {"duration": 30, "type": "rolling"}},
        {"timeWindow": {"duration": "30d", "type": "other"}},
        {"timeWindow": {"duration": "999999d", "type": "rolling"}},
        {"timeWindow": {"duration": ["1M"], "type": "calendarAligned"}},
        {"timeWindow": {"duration": {}, "type": []}},
        {"timeWindow": None},
        {"timeWindow": []},
        {"objective": []},
        {"objective": {"target": 10**400}},
        {"budgetingMethod": []},
        {"id": None},
        {"id": 12345678},
        {"id": ["chat-availability"]},
        {"groupBy": None},
        {"groupBy": {"field": "x"}},
        {"objective": {"target": 1}},
        {"objective": {"target": 0}},
        {"objective": {"target": 99.9}},
        {"objective": {"target": "0.99"}},
        {"objective": {"target": None}},
        {"objective": {}},
        {"objective": None},
        {"budgetingMethod": "timeslices"},
        {"budgetingMethod": "other"},
        {"budgetingMethod": None},
    ],
)
def test_a_definition_that_the_gate_does_not_know_is_invalid(fields: dict[str, Any]) -> None:
    found = definition(Kibana([slo(more=fields)]))

    assert isinstance(found, Unmeasured)
    assert found.cause is Cause.INVALID
    assert '"Chat availability"' in found.reason


@pytest.mark.parametrize("enabled", [False, None, "true", 1])
def test_an_slo_that_is_not_said_to_be_enabled_is_not_mistaken_for_it(enabled: object) -> None:
    found = definition(Kibana([slo(more={"enabled": enabled})]))

    assert isinstance(found, Unmeasured)
    assert found.cause is Cause.STALE


def test_timeslices_are_seconds_and_say_what_silence_is() -> None:
    found = definition(Kibana([slo(timeslice="5m", target=0.99)]))

    assert isinstance(found, Definition)
    assert found.granted is Granted.SECONDS
    assert not found.to_date
    assert "Kibana takes a slice without data for good" in found.no_data


@pytest.mark.parametrize(
    ("kind", "duration", "hours"), [("calendarAligned", "1M", 24), ("rolling", "7d", 168)]
)
def test_the_window_of_the_slo_is_counted(kind: str, duration: str, hours: int) -> None:
    """At noon of the second day of a month."""
    at = AT + timedelta(days=1, hours=12)
    minutes = [(at - place * timedelta(hours=1), 9, 10) for place in range(1000)]
    kibana = Kibana([slo(kind=kind, duration=duration, events={"*": minutes})], now=at)
    (found,) = measure(kibana, at=at)

    assert isinstance(found, Counts)
    # Both bounds belong to the window, and each hour has 10 events.
    assert found.total == 10 * (37 if kind == "calendarAligned" else hours + 1)


def test_slices_of_a_period_that_goes_on_are_those_that_have_passed() -> None:
    at = AT + timedelta(days=2)
    minutes = [
        (at - timedelta(minutes=1) - place * timedelta(hours=1), 1, 1) for place in range(36)
    ]
    monthly = slo(kind="calendarAligned", duration="1M", timeslice="1h", events={"*": minutes})
    (found,) = measure(Kibana([monthly], now=at), at=at)

    assert isinstance(found, Counts)
    assert found.total == 36 * 3600
    assert found.evidence.coverage == Fraction(36, 48)


# The examination


def examined(kibana: Kibana) -> list[tuple[Check, Level, str]]:
    with backend(kibana) as asking:
        results = asking.platform.examine()
    return [(result.check, result.level, result.message) for result in results]


def test_a_space_is_examined() -> None:
    assert examined(Kibana([slo()], now=AT)) == [
        (Check.SITE, Level.OK, "SLOs and groups in the space default: 1"),
        (
            Check.VERSION,
            Level.OK,
            "this Kibana counts all SLOs at one instant (_bulk_snapshot)",
        ),
    ]


def test_a_space_without_slos_is_doubted_and_an_older_kibana_is_not() -> None:
    assert examined(Kibana([], now=AT, snapshots=False)) == [
        (Check.SITE, Level.DOUBT, "the space default lists no SLO"),
        (
            Check.VERSION,
            Level.OK,
            "this Kibana has no _bulk_snapshot: it reports ratios with six decimals, for now only",
        ),
    ]


def test_a_kibana_that_refuses_is_not_examined() -> None:
    with pytest.raises(MeasurementError, match="403 Forbidden"):
        examined(Kibana([slo()], now=AT, licensed=False))


def test_a_kibana_that_refuses_numbers_only_is_not_sound() -> None:
    kibana = Kibana([slo()], now=AT)

    with pytest.raises(MeasurementError, match="400 Bad Request"):
        examined_without_header(kibana)


def examined_without_header(kibana: Kibana) -> None:
    def strip(handler: Any, body: bytes) -> None:
        del handler.headers["kbn-xsrf"]
        kibana(handler, body)

    with backend(strip) as asking:
        asking.platform.examine()


# Settings


def test_the_key_is_a_secret_as_it_is_sent_and_as_it_is_meant() -> None:
    settings = ElasticSettings(url="http://a", api_key="aWQ6dGhlLWtleQ==")  # id:the-key

    assert secrets(settings) == ("aWQ6dGhlLWtleQ==", "id:the-key", "the-key")


@pytest.mark.parametrize("key", ["not base64!", "/////w=="])
def test_a_key_that_is_not_a_base64_is_a_secret_as_it_is(key: str) -> None:
    assert secrets(ElasticSettings(url="http://a", api_key=key)) == (key,)


def test_a_login_within_the_address_is_not_shown() -> None:
    settings = ElasticSettings(url="http://ada:pa55word@127.0.0.1:1", api_key="k3y", retries=0)
    platform = ElasticPlatform(settings, 5.0)

    with pytest.raises(MeasurementError) as caught:
        platform.examine()

    assert "pa55word" not in caught.value.reason
    assert "http://127.0.0.1:1: connection refused" in caught.value.reason
