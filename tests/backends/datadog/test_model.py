"""Datadog's own client reads all that the small Datadog says, and takes what the gate asks."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.backends.datadog.organization import (
    AVAILABILITY,
    DAY,
    END,
    HOUR,
    LATENCY,
    MONTH,
    UPTIME,
    availability,
    backend_of,
    latency,
    measure,
    request,
    uptime,
)
from tests.servers.datadog import API_KEY, APP_KEY, FakeDatadog, running

MODELS = Path(__file__).parents[3] / ".servers" / "models"
CORRECTION = (END - 10 * DAY, END - 10 * DAY + HOUR, "Deployment")


@pytest.fixture(scope="session")
def _models() -> Iterator[None]:
    """Have the vendor's client on the path; skip where it is not installed."""
    if not (MODELS / "datadog_api_client").is_dir():
        required = os.environ.get("GATE_REQUIRE_SERVERS") == "1"
        (pytest.fail if required else pytest.skip)("datadog_api_client is not in .servers/models")
    sys.path.append(str(MODELS))
    yield
    sys.path.remove(str(MODELS))


@contextmanager
def client(fake: FakeDatadog, version: str = "v1") -> Iterator[Any]:
    """Serve a fake while the block lasts; give the vendor's client of its SLOs."""
    vendor = import_module("datadog_api_client")
    with running(fake) as url:
        configuration = vendor.Configuration(
            server_index=1,
            server_variables={"protocol": "http", "name": url.removeprefix("http://")},
            api_key={"apiKeyAuth": API_KEY, "appKeyAuth": APP_KEY},
        )
        configuration.unstable_operations["get_slo_status"] = True
        with vendor.ApiClient(configuration) as made:
            yield _module(version, "service_level_objectives").ServiceLevelObjectivesApi(made)


def _module(version: str, name: str) -> Any:
    return import_module(f"datadog_api_client.{version}.api.{name}_api")


def organization() -> FakeDatadog:
    groups = {"env:prod": [(END - 40 * DAY, 0)]}
    return FakeDatadog(
        slos=[availability(corrections=[CORRECTION]), uptime(groups=groups), latency()]
    )


@pytest.mark.usefixtures("_models")
def test_client_reads_the_history_of_events() -> None:
    with client(organization()) as api:
        data = api.get_slo_history(AVAILABILITY, END - 30 * DAY, END, target=99.9).data

    # An hour with 1,000 requests is left out; it had no bad one.
    assert (data.series.numerator.sum, data.series.denominator.sum) == (718_820, 719_000)
    assert data.series.interval == DAY
    assert len(data.series.times) == len(data.series.numerator.values) == 30
    assert str(data.type) == "metric"


@pytest.mark.usefixtures("_models")
@pytest.mark.parametrize(("slo", "kind"), [(UPTIME, "monitor"), (LATENCY, "time_slice")])
def test_client_reads_the_history_of_time(slo: str, kind: str) -> None:
    with client(organization()) as api:
        data = api.get_slo_history(slo, END - 30 * DAY, END, apply_correction=False).data

    down = END - 10 * DAY
    assert [list(map(int, pair)) for pair in data.overall.history] == [
        [END - 40 * DAY, 0],
        [down, 1],
        [down + 36 * 60, 0],
    ]
    assert data.overall.sli_value == pytest.approx(100 - 36 * 60 / (30 * DAY) * 100)
    assert str(data.type) == kind


@pytest.mark.usefixtures("_models")
def test_client_reads_groups_errors_and_null() -> None:
    fake = FakeDatadog(slos=[availability(events=[]), organization().slos[1]])
    with client(fake) as api:
        silent = api.get_slo_history(AVAILABILITY, END - DAY, END).data.overall
        (group,) = api.get_slo_history(UPTIME, END - DAY, END).data.groups

    assert silent.sli_value is None
    assert silent.errors[0].error_type == "ZERO_VALUED_DENOMINATOR"
    assert (group.name, group.preview, group.sli_value) == ("env:prod", False, 100)


@pytest.mark.usefixtures("_models")
def test_client_reads_lists_definitions_and_corrections() -> None:
    with client(organization()) as api:
        listed = api.list_slos(limit=1000, offset=0)
        (by_id,) = api.list_slos(ids=UPTIME).data
        single = api.get_slo(LATENCY).data
        (correction,) = api.get_slo_corrections(AVAILABILITY).data

    assert [slo.name for slo in listed.data] == [
        "Chat availability",
        "Chat uptime",
        "Chat latency",
    ]
    assert listed.metadata.page.total_count == 3
    assert (by_id.thresholds[0].target, str(by_id.thresholds[0].timeframe)) == (99, "30d")
    assert str(single.type) == "time_slice"
    assert str(correction.attributes.category) == "Deployment"


@pytest.mark.usefixtures("_models")
@pytest.mark.filterwarnings("ignore:Using unstable operation")
def test_client_reads_the_status() -> None:
    with client(organization(), "v2") as api:
        status = api.get_slo_status(UPTIME, END - 30 * DAY, END, disable_corrections=False)

    assert status.data.attributes.sli == 99.92
    assert status.data.attributes.state == "ok"


@pytest.mark.usefixtures("_models")
def test_client_has_each_request_that_the_gate_sends() -> None:
    fake = FakeDatadog(slos=organization().slos, twist=_without_corrections)
    names = [slo.name for slo in fake.slos]
    measure(
        fake,
        *(request(name) for name in (*names, AVAILABILITY, "d" * 32)),
        request(AVAILABILITY, timedelta(minutes=5), probe=False),
    )
    measure(fake, request(AVAILABILITY, MONTH), endpoint="status")
    with backend_of(fake) as backend:
        backend.platform.examine()

    endpoints = list(_endpoints())
    paths = {path for path, _ in fake.requests}
    assert len(fake.requests) > 10
    for path, params in fake.requests:
        fitting = [known for known in endpoints if _fits(known.settings["endpoint_path"], path)]
        assert fitting, path
        assert any(_takes(endpoint, params) for endpoint in fitting), (path, params)
    assert {path.rpartition("/")[2] for path in paths} >= {
        *("validate", "slo", "history", "corrections", "status")
    }


def _without_corrections(path: str, body: dict[str, Any]) -> None:
    if path.endswith("/history"):
        del body["data"]["overall"]["corrections"]


def _endpoints() -> Iterator[Any]:
    """Yield the endpoints of the vendor's client that the gate may ask."""
    vendor = import_module("datadog_api_client")
    with vendor.ApiClient(vendor.Configuration()) as made:
        for api in (
            _module("v1", "authentication").AuthenticationApi(made),
            _module("v1", "service_level_objectives").ServiceLevelObjectivesApi(made),
            _module("v2", "service_level_objectives").ServiceLevelObjectivesApi(made),
        ):
            yield from (
                value
                for value in vars(api).values()
                if hasattr(value, "params_map") and value.settings["http_method"] == "GET"
            )


def _fits(known: str, path: str) -> bool:
    parts = list(zip(known.split("/"), path.split("/"), strict=False))
    return known.count("/") == path.count("/") and all(
        first == second or first.startswith("{") for first, second in parts
    )


def _takes(endpoint: Any, params: Mapping[str, str]) -> bool:
    """Return whether an endpoint has every parameter, and takes its value."""
    known = {
        value["attribute"]: value
        for value in endpoint.params_map.values()
        if value["location"] == "query"
    }
    if not params.keys() <= known.keys():
        return False
    required = {name for name, value in known.items() if value.get("required")}
    return required <= params.keys() and all(
        _is(params[name], known[name]["openapi_types"][0]) for name in params
    )


def _is(text: str, kind: type) -> bool:
    if kind is bool:
        return text in {"true", "false"}
    return kind is str or text.isdecimal()
