"""Datadog in a policy: sites, keys, proxies, and how long it is waited for."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.backends import secrets_of
from gate.backends.datadog.platform import DatadogPlatform
from gate.backends.datadog.settings import SITES, DatadogSettings
from gate.config.load import load
from gate.errors import PolicyError
from gate.http import Clock
from gate.measure import Cause, MeasurementError
from gate.measure.diagnosis import Check, CheckResult, Level
from tests.backends.datadog.organization import (
    AT,
    LIMITS,
    availability,
    backend_of,
    counts,
    measure,
    refused,
    request,
    uptime,
)
from tests.command import gate
from tests.servers.datadog import API_KEY, APP_KEY, Answer, FakeDatadog, running

KEYS = {"api_key": "${DD_API_KEY}", "application_key": "${DD_APP_KEY}"}
ENVIRON = {"DD_API_KEY": API_KEY, "DD_APP_KEY": APP_KEY, "NO_PROXY": "*"}
AVAILABLE = {
    "name": "availability",
    "objective": "99.9%",
    "window": "30d",
    "sli": {"slo": "Chat availability"},
}


def write(folder: Path, *slos: Mapping[str, Any], **backend: Any) -> str:
    """Write a policy; return its path."""
    policy = {
        "version": 1,
        "service": "chat",
        "backend": {"type": "datadog", **KEYS, **backend},
        "slos": list(slos or [AVAILABLE]),
        "tiers": [
            {"name": "healthy", "remaining": "> 50%", "allow": "all"},
            {"name": "rest", "otherwise": True, "allow": ["rollback"]},
        ],
    }
    path = folder / "gate.yaml"
    path.write_text(yaml.safe_dump(policy), encoding="utf-8")
    return str(path)


def settings(folder: Path, **backend: Any) -> DatadogSettings:
    environ = {**ENVIRON, "SITE": "us5.datadoghq.com", "WRONG": "datadog.example"}
    loaded = load(write(folder, **backend), environ).settings
    assert isinstance(loaded, DatadogSettings)
    return loaded


@pytest.mark.parametrize("site", SITES)
def test_each_site_has_its_address(site: str, tmp_path: Path) -> None:
    assert settings(tmp_path, site=site).address == f"https://api.{site}"


@pytest.mark.parametrize(
    ("site", "address"),
    [
        ("https://app.datadoghq.eu/", "https://api.datadoghq.eu"),
        ("api.us3.datadoghq.com", "https://api.us3.datadoghq.com"),
        ("DATADOGHQ.EU", "https://api.datadoghq.eu"),
        ("${SITE}", "https://api.us5.datadoghq.com"),
    ],
)
def test_site_is_recognised_as_people_write_it(site: str, address: str, tmp_path: Path) -> None:
    assert settings(tmp_path, site=site).address == address


def test_site_is_that_of_the_united_states_unless_the_policy_says_another(tmp_path: Path) -> None:
    assert settings(tmp_path).address == "https://api.datadoghq.com"


def test_settings_of_the_block_are_kept(tmp_path: Path) -> None:
    made = settings(tmp_path, parallel=2, retries=0, corrections=False, endpoint="status")

    assert (made.parallel, made.retries) == (2, 0)
    assert (made.corrections, made.endpoint) == (False, "status")


def test_url_is_in_place_of_the_site(tmp_path: Path) -> None:
    made = settings(tmp_path, url="https://proxy.example:8443/dd/")

    assert made.address == "https://proxy.example:8443/dd"


@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ({"site": "datadog.eu"}, "'datadog.eu' is not a site of Datadog; did you mean"),
        ({"site": "example.org"}, "known: ap1.datadoghq.com"),
        ({"site": "${WRONG}"}, "the value of the environment variable is not valid here"),
        ({"site": "datadoghq.eu", "url": "https://a"}, "do not go together"),
        ({"url": "https://a/api/v1"}, "remove /api/v1 from its end"),
        ({"url": "api.datadoghq.eu"}, "no http:// or https://"),
        ({"api_key": "abc"}, "write ${NAME}"),
        ({"application_key": "abc"}, "write ${NAME}"),
        ({"endpoint": "search"}, "'search' is not a valid value"),
        ({"corrections": "perhaps"}, "write true or false"),
        ({"parallel": 0}, "at least 1 is needed"),
        ({"app_key": "${DD_APP_KEY}"}, "write application_key"),
        ({"timeout": "5s"}, "the time limit is an option"),
    ],
)
def test_mistakes_of_the_block_are_reported(
    backend: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(PolicyError) as mistake:
        settings(tmp_path, **backend)

    assert words in str(mistake.value)


def test_keys_and_an_address_from_outside_are_secret(tmp_path: Path) -> None:
    path = write(tmp_path, url="${URL}/t3nant-9f8e")
    loaded = load(path, {**ENVIRON, "URL": "https://proxy.example/dd"}).settings

    assert set(secrets_of(loaded)) == {
        API_KEY,
        APP_KEY,
        "https://proxy.example/dd/t3nant-9f8e",
        "dd",
        "t3nant-9f8e",
    }
    assert API_KEY not in repr(loaded)
    assert APP_KEY not in repr(loaded)


def test_timeslices_of_the_policy_do_not_go_with_those_of_datadog(tmp_path: Path) -> None:
    sliced = {**AVAILABLE, "timeslices": {"length": "5m", "target": "99%"}}
    done = gate("check", write(tmp_path, sliced), "--change=canary", cwd=tmp_path, env=ENVIRON)

    assert done.exit_code == 2
    assert "remove timeslices" in done.stderr


# How long is waited


class Waits:
    """A clock that remembers for how long somebody slept."""

    def __init__(self) -> None:
        self.slept = list[float]()

    def clock(self) -> Clock:
        return Clock(sleep=self.slept.append, jitter=lambda: 0.0)


def limited(headers: Mapping[str, str]) -> FakeDatadog:
    """Return an organization that refuses the first request for its rate."""
    fake = FakeDatadog(slos=[availability()])

    def fail(_path: str, _params: Mapping[str, str]) -> Answer | None:
        if len(fake.requests) > 1:
            return None
        return 429, {"errors": ["Rate limit of 300 requests in 3600 seconds reached."]}, headers

    fake.fail = fail
    return fake


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-Ratelimit-Reset": "7"}, 7),
        ({"X-Ratelimit-Reset": "7", "Retry-After": "3"}, 7),
        ({"Retry-After": "3"}, 3),
        ({"X-Ratelimit-Reset": "soon"}, 0.5),
        ({}, 0.5),
    ],
)
def test_rate_limit_is_waited_for_as_datadog_says(
    headers: Mapping[str, str], seconds: float
) -> None:
    waits = Waits()
    (answer,) = measure(limited(headers), clock=waits.clock(), retries=1)

    assert counts(answer) == (180, 720_000)
    assert waits.slept == [seconds]


def test_rate_limit_that_ends_after_the_time_of_the_run_is_an_error() -> None:
    waits = Waits()
    fake = limited({"X-Ratelimit-Reset": "3600"})
    (answer,) = measure(fake, clock=waits.clock(), retries=1)

    cause, reason = refused(answer)
    assert cause == Cause.BACKEND_ERROR
    assert "Rate limit of 300 requests" in reason
    assert "no time left to wait 3600.0 s" in reason
    assert not waits.slept


# What gate doctor sees of the whole


def examine(fake: FakeDatadog, **keys: Any) -> list[CheckResult]:
    with backend_of(fake, **keys) as backend:
        return backend.platform.examine()


def test_keys_that_may_read_slos_are_sound() -> None:
    results = examine(FakeDatadog(slos=[availability()]))

    assert [(result.check, result.level) for result in results] == [
        (Check.SITE, Level.OK),
        (Check.RIGHTS, Level.OK),
    ]


def test_key_of_another_site_is_reported() -> None:
    with pytest.raises(MeasurementError) as error:
        examine(FakeDatadog(slos=[]), api_key="of-another-site")

    assert "keys of another site are refused" in error.value.reason


def test_api_key_that_is_not_valid_is_a_fault() -> None:
    fake = FakeDatadog(slos=[], twist=lambda _, body: body.update(valid=False))
    site = examine(fake)[0]

    assert (site.check, site.level) == (Check.SITE, Level.FAULT)
    assert "the API key is not valid at" in site.message


def test_application_key_without_the_scope_is_a_fault() -> None:
    rights = examine(FakeDatadog(slos=[]), application_key="of-somebody")[1]

    assert (rights.check, rights.level) == (Check.RIGHTS, Level.FAULT)
    assert "scope slos_read" in rights.remedy


def test_message_names_the_site(tmp_path: Path) -> None:
    # Nothing is sent: the time of the run is over.
    made = settings(tmp_path, site="datadoghq.eu")
    late = Clock(monotonic=iter([0.0, *range(100, 200)]).__next__)

    with pytest.raises(MeasurementError) as error:
        DatadogPlatform(made, LIMITS, late).examine()

    assert "https://api.datadoghq.eu" in error.value.reason


# Through the command


def test_command_checks_slos_of_each_type(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    shift = int(now.timestamp()) - int(AT.timestamp())
    slos = [availability(), uptime(targets={"7d": 99.5, "30d": 99.0})]
    for slo in slos:
        slo.events = [type(e)(e.time + shift, e.total, e.bad) for e in slo.events]
        slo.states = [(time + shift, state) for time, state in slo.states]
    other = {"name": "uptime", "objective": "99%", "window": "30d", "sli": {"slo": "Chat uptime"}}
    with running(FakeDatadog(slos=slos)) as url:
        path = write(tmp_path, AVAILABLE, other, url=url)
        options = ["--change=canary", "--format=json", "--policy-ref=none"]
        done = gate("check", path, *options, cwd=tmp_path, env=ENVIRON)
        doctor = gate("doctor", path, cwd=tmp_path, env=ENVIRON)

    assert done.exit_code == 0, done
    (policy,) = json.loads(done.stdout)["policies"]
    assert [(slo["bad"], slo["total"]) for slo in policy["slos"]] == [
        (180, 720_000),
        (2160, 2_592_000),
    ]
    assert doctor.exit_code == 0, doctor
    assert "the application key may read SLOs" in " ".join(doctor.stdout.split())


def test_command_passes_the_instant_on(tmp_path: Path) -> None:
    fake = FakeDatadog(slos=[availability()])
    with running(fake) as url:
        options = ["--change=canary", f"--at={AT.isoformat()}", "--dry-run"]
        done = gate("check", write(tmp_path, url=url), *options, cwd=tmp_path, env=ENVIRON)

    assert done.exit_code == 0, done
    ends = {params["to_ts"] for path, params in fake.requests if path.endswith("/history")}
    assert ends == {str(int(AT.timestamp()))}


def test_hundreds_of_slos_are_requested_in_batches_and_each_once() -> None:
    slos = [uptime(id=f"{place:032x}", name=f"SLO {place}") for place in range(120)]
    fake = FakeDatadog(slos=slos)
    answers = measure(fake, *(request(slo.id) for slo in slos))

    assert {counts(answer) for answer in answers} == {(36 * 60, 30 * 86400)}
    # Fifty ids in each of three requests, and one history for each SLO.
    assert len(fake.requests) == 3 + 120
