"""The command on SLOs of Kibana, as a new user runs it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.backends.elastic_cases import sliced, slo
from tests.backends.loopback import serving
from tests.backends.prometheus.played import AT
from tests.command import Result, gate
from tests.servers.elastic import Kibana

KEY = "aWQ6dGhlLWtleS1vZi1raWJhbmE="


@pytest.fixture
def url() -> Iterator[str]:
    kibana = Kibana([slo(), sliced()], now=AT, api_key=KEY)
    kibana.slos[1].id, kibana.slos[1].name = "search-latency", "Search latency"
    with serving(kibana) as port:
        yield f"http://127.0.0.1:{port}"


def run(folder: Path, url: str, *arguments: str) -> Result:
    environ = {"KIBANA_URL": url, "KIBANA_API_KEY": KEY, "NO_PROXY": "*"}
    return gate(*arguments, cwd=folder, env=environ)


def write(folder: Path, *slos: Mapping[str, object], **backend: object) -> None:
    login = {"type": "elastic", "url": "${KIBANA_URL}", "api_key": "${KIBANA_API_KEY}"}
    policy = {
        "version": 1,
        "service": "chat",
        "backend": login | backend,
        "slos": list(slos),
        "tiers": [{"name": "any", "otherwise": True, "allow": "all"}],
    }
    (folder / "gate.yaml").write_text(yaml.safe_dump(policy))


AVAILABILITY = {
    "name": "availability",
    "objective": "99.9%",
    "window": "30d",
    "sli": {"slo": "Chat availability"},
}


def test_the_first_policy_is_measured_as_it_is_written(tmp_path: Path, url: str) -> None:
    assert run(tmp_path, url, "init", "--backend", "elastic").exit_code == 0
    done = run(tmp_path, url, "status", "--at", AT.isoformat())

    assert done.exit_code == 0, done.stderr
    assert "90 of 900,000" in done.stdout
    assert "90.0%" in done.stdout


def test_the_doctor_is_green_on_healthy_slos(tmp_path: Path, url: str) -> None:
    latency = AVAILABILITY | {
        "name": "latency",
        "objective": "99%",
        "sli": {"slo": "Search latency"},
    }
    write(tmp_path, AVAILABILITY, latency)
    done = run(tmp_path, url, "doctor", "--at", AT.isoformat())

    assert done.exit_code == 0, done.stdout
    said = " ".join(done.stdout.split())
    assert "SOUND" in said
    assert "90 bad of 900,000 events" in said
    assert "0 bad of 2,592,000 seconds" in said


def test_the_doctor_is_red_where_policy_and_kibana_differ(tmp_path: Path, url: str) -> None:
    write(tmp_path, AVAILABILITY | {"objective": "99%"})
    done = run(tmp_path, url, "doctor", "--at", AT.isoformat())

    assert done.exit_code == 12
    assert "with 99.9% over 30d, and the policy has 99% over 30d" in " ".join(done.stdout.split())


def test_timeslices_of_the_policy_are_a_mistake(tmp_path: Path, url: str) -> None:
    write(tmp_path, AVAILABILITY | {"timeslices": {"length": "5m", "target": "95%"}})
    done = run(tmp_path, url, "validate")

    assert done.exit_code == 2
    assert "Kibana cuts its SLOs in timeslices itself" in done.stdout


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("space", "My Space", "is not the identifier of a space"),
        ("space", "../default", "is not the identifier of a space"),
        ("url", "https://kibana.example/s/payments", "remove /s/payments from its end"),
        ("url", "https://kibana.example/app/slos", "remove /app/slos from its end"),
        ("api_key", "aWQ6a2V5", "${"),
    ],
)
def test_a_setting_that_cannot_be_right_is_a_mistake(
    key: str, value: str, words: str, tmp_path: Path, url: str
) -> None:
    write(tmp_path, AVAILABILITY, **{key: value})
    done = run(tmp_path, url, "validate")

    assert done.exit_code == 2
    assert words in done.stdout


def test_no_report_has_the_key(tmp_path: Path, url: str) -> None:
    write(tmp_path, AVAILABILITY)
    wrong = {"KIBANA_URL": url, "KIBANA_API_KEY": "aWQ6YW5vdGhlci1rZXk=", "NO_PROXY": "*"}
    done = gate("doctor", "--at", AT.isoformat(), cwd=tmp_path, env=wrong)

    assert done.exit_code == 3
    assert "401 Unauthorized" in done.stdout
    assert "another-key" not in done.stdout + done.stderr
    assert "aWQ6YW5" not in done.stdout + done.stderr
