"""Google's own description of the API: of what the gate sends, and of what the fake answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.backends.google_slo.policies import NAME, Commands, slo
from tests.servers.google_discovery import Discovery, discovery
from tests.servers.google_monitoring import (
    BASIC,
    CUT,
    LATENCY,
    FakeMonitoring,
    FakeSlo,
    error_info,
    refusal,
    served,
)

WINDOWS = {"windowsBased": {"windowPeriod": "300s", "goodBadMetricFilter": "a"}}
CALENDAR = {"calendarPeriod": "MONTH"}


@pytest.fixture
def monitoring() -> Discovery:
    return discovery("monitoring.v3")


def every_kind() -> list[FakeSlo]:
    """SLOs of every kind of indicator and period; in all, three services with five SLOs."""
    return [
        slo(),
        slo(id="cut", display_name="Chat speed", indicator=CUT),
        slo(id="basic", service="mesh", display_name="Mesh", indicator=BASIC, period=CALENDAR),
        slo(id="latency", service="mesh", display_name=None, indicator=LATENCY),
        slo(id="windows", service="batch", display_name="Batch", indicator=WINDOWS),
    ]


def test_what_is_sent_and_what_is_answered_are_as_google_describes_them(
    monitoring: Discovery, tmp_path: Path
) -> None:
    fake, commands = FakeMonitoring(every_kind(), page=50), Commands(folder=tmp_path)
    rolling = [NAME, "Chat speed", fake.slos[3].name, "Batch"]
    slos: list[dict[str, Any]] = [
        {"name": f"slo-{place}", "objective": "99%", "window": "30d", "sli": {"slo": name}}
        for place, name in enumerate(rolling)
    ]
    month = {"name": "month", "objective": "99%", "window": {"calendar": "month"}}
    slos.append({**month, "sli": {"slo": "Mesh"}})
    with served(fake) as url:
        commands.write(url, slos, burn_rates="google-30d")
        commands.run("check", "--change=canary")
        commands.run("doctor")
        commands.run("incidents", "--last=2d")

    methods = {monitoring.method("GET", path)["id"] for path, _ in fake.requests}
    assert methods == {
        "monitoring.services.list",
        "monitoring.services.serviceLevelObjectives.list",
        "monitoring.services.serviceLevelObjectives.get",
        "monitoring.projects.timeSeries.list",
    }
    pages = [params for _, params in fake.requests if "pageToken" in params]
    assert pages
    for (path, params), answer in zip(fake.requests, fake.answers, strict=True):
        assert list(monitoring.wrong_in_call("GET", path, params)) == []
        assert list(monitoring.wrong_in_answer("GET", path, answer)) == []


@pytest.mark.parametrize(
    ("params", "wrong"),
    [
        ({"aggregation.alignmentPeriod": "1h"}, "'1h' is not a google-duration"),
        ({"aggregation.perSeriesAligner": "SUM"}, "'SUM' is not in the enumeration"),
        ({"interval.startTime": "2026-01-01"}, "'2026-01-01' is not a google-datetime"),
        ({"interval.endTime": None}, "missing parameter interval.endTime"),
        ({"slo": "a"}, "unknown parameter slo"),
        ({"pageSize": "many"}, "'many' is not a int32"),
    ],
)
def test_a_call_that_google_does_not_describe_is_seen(
    monitoring: Discovery, params: dict[str, str | None], wrong: str
) -> None:
    sound: dict[str, str | None] = {
        "filter": "a",
        "interval.endTime": "2026-01-01T00:00:00Z",
        "view": "FULL",
    }
    sent = {key: text for key, text in {**sound, **params}.items() if text is not None}
    path = "/v3/projects/acme-prod/timeSeries"
    (said,) = monitoring.wrong_in_call("GET", path, sent)
    assert wrong in said


@pytest.mark.parametrize(
    ("answer", "wrong"),
    [
        ({"timeSeries": {}}, "is not of the type array"),
        ({"unreachable": [1]}, "is not of the type string"),
        ({"timeSeries": [{"points": [{"value": {"int64Value": 1}}]}]}, "not of the type string"),
        ({"timeSeries": [{"points": [{"value": {"doubleValue": True}}]}]}, "of the type number"),
        ({"timeSeries": [{"metricKind": "SUM"}]}, "is not in the enumeration"),
        ({"series": []}, "unknown field series"),
    ],
)
def test_an_answer_that_google_does_not_describe_is_seen(
    monitoring: Discovery, answer: dict[str, Any], wrong: str
) -> None:
    (said,) = monitoring.wrong_in_answer("GET", "/v3/projects/acme-prod/timeSeries", answer)
    assert wrong in said


def test_a_refusal_is_a_status(monitoring: Discovery) -> None:
    details = error_info("IAM_PERMISSION_DENIED", permission="monitoring.timeSeries.list")
    error = json.loads(refusal(403, "PERMISSION_DENIED", "no", details))["error"]
    # In HTTP the status also has its name, which google.rpc.Status has not:
    # https://cloud.google.com/apis/design/errors#http_mapping
    assert error.pop("status") == "PERMISSION_DENIED"
    assert list(monitoring.wrong_in("Status", error)) == []


def test_the_shortest_alignment_period_is_a_minute(monitoring: Discovery) -> None:
    method = monitoring.method("GET", "/v3/projects/acme-prod/timeSeries")
    described = method["parameters"]["aggregation.alignmentPeriod"]["description"]
    assert "must be at least 60 seconds" in described
