"""The command on SLOs of Kibana, as a new user runs it."""

import re
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
import yaml

from tests.backends.elastic_cases import sliced, slo
from tests.backends.loopback import send, serving
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
    assert "Not checked whether the API key may do more than read SLOs" in said


def test_the_doctor_is_red_where_policy_and_kibana_differ(tmp_path: Path, url: str) -> None:
    write(tmp_path, AVAILABILITY | {"objective": "99%"})
    done = run(tmp_path, url, "doctor", "--at", AT.isoformat())

    assert done.exit_code == 12
    said = " ".join(done.stdout.split())
    assert "the policy promises 99% over 30d" in said
    assert 'Elastic\'s SLO "Chat availability" promises 99.9% over 30d' in said


def test_objective_and_window_are_taken_from_kibana(tmp_path: Path, url: str) -> None:
    taken = {"name": "availability", "from": "platform", "sli": {"slo": "Chat availability"}}
    write(tmp_path, taken)
    done = run(tmp_path, url, "status", "--at", AT.isoformat())

    assert done.exit_code == 0, done.stdout + done.stderr
    assert "99.9%" in done.stdout
    assert "30d" in done.stdout
    assert "90 of 900,000" in done.stdout


@pytest.mark.parametrize("command", ["status", "check", "doctor"])
def test_an_slo_that_kibana_does_not_have_is_undecided(
    command: str, tmp_path: Path, url: str
) -> None:
    unknown = {"name": "availability", "from": "platform", "sli": {"slo": "No such SLO"}}
    write(tmp_path, unknown, {"name": "Search latency", "from": "platform"})
    change = ["--change", "canary"] if command == "check" else []
    done = run(tmp_path, url, command, *change, "--at", AT.isoformat())

    assert done.exit_code == (12 if command == "doctor" else 3), done.stderr
    assert 'no SLO with the name or id "No such SLO"' in " ".join(done.stdout.split())


def test_a_policy_that_differs_from_kibana_is_undecided(tmp_path: Path, url: str) -> None:
    write(tmp_path, AVAILABILITY | {"window": "7d"})
    done = run(tmp_path, url, "check", "--change", "canary", "--at", AT.isoformat())

    assert done.exit_code == 3
    assert "the policy promises 99.9% over 7d" in " ".join(done.stdout.split())


def test_timeslices_of_the_policy_are_a_mistake(tmp_path: Path, url: str) -> None:
    write(tmp_path, AVAILABILITY | {"timeslices": {"length": "5m", "target": "95%"}})
    done = run(tmp_path, url, "validate")

    assert done.exit_code == 2
    assert "a platform counts its SLO as it is defined there; remove timeslices" in done.stdout


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


@pytest.mark.slow
def test_a_wait_that_kibana_asks_for_is_reported_on_stderr(tmp_path: Path) -> None:
    healthy, refused = Kibana([slo()], now=AT, api_key=KEY), list[str]()

    def handle(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if handler.command == "POST" and not refused:
            refused.append(handler.path)
            send(handler, b"{}", status=429, headers={"Retry-After": "3"})
        else:
            healthy(handler, body)

    write(tmp_path, AVAILABILITY)
    with serving(handle) as port:
        done = run(tmp_path, f"http://127.0.0.1:{port}", "status", "--at", AT.isoformat())

    assert done.exit_code == 0
    assert "90 of 900,000" in done.stdout
    assert re.fullmatch(
        r"gate: measuring chat \(2 s\); waiting 3 s before the next request to \$\{KIBANA_URL\}\n",
        done.stderr,
    )


def test_the_space_of_the_policy_is_asked(tmp_path: Path) -> None:
    write(tmp_path, AVAILABILITY, space="payments")
    with serving(Kibana([slo()], now=AT, space="payments")) as port:
        done = run(tmp_path, f"http://127.0.0.1:{port}", "doctor", "--at", AT.isoformat())

    assert done.exit_code == 0, done.stdout
    assert "SLOs and groups in the space payments: 1" in " ".join(done.stdout.split())


def test_a_refused_key_is_reported_once_by_the_doctor(tmp_path: Path, url: str) -> None:
    write(tmp_path, {"name": "Chat availability", "from": "platform"})
    environ = {"KIBANA_URL": url, "KIBANA_API_KEY": "b3RoZXI6a2V5", "NO_PROXY": "*"}
    done = gate("doctor", "--at", AT.isoformat(), cwd=tmp_path, env=environ)

    said = " ".join(done.stdout.split())
    assert done.exit_code == 3
    assert said.count("set backend.api_key to a valid key") == 1
    assert "it could not be looked up, because of the fault of its backend" in said


@pytest.mark.parametrize("both", [True, False], ids=["with an SLO that is looked up", "alone"])
def test_an_slo_that_cannot_be_looked_up_is_shown_among_several_backends(
    tmp_path: Path, url: str, both: bool
) -> None:
    login = {"type": "elastic", "url": "${KIBANA_URL}"}
    keys = {"good": "${KIBANA_API_KEY}", "other": "${OTHER_API_KEY}"}
    slo_of = {"good": "Chat availability", "other": "Search latency"}
    policy = {
        "version": 1,
        "service": "chat",
        "backends": {name: login | {"api_key": key} for name, key in keys.items()},
        "slos": [
            {"name": slo_of[name], "from": "platform", "backend": name}
            for name in (["good"] * both + ["other"])
        ],
        "tiers": [{"name": "any", "otherwise": True, "allow": "all"}],
    }
    (tmp_path / "gate.yaml").write_text(yaml.safe_dump(policy))
    environ = {"KIBANA_URL": url, "KIBANA_API_KEY": KEY, "OTHER_API_KEY": "b3RoZXI6a2V5"}
    done = gate("doctor", "--at", AT.isoformat(), cwd=tmp_path, env=environ | {"NO_PROXY": "*"})

    said = " ".join(done.stdout.split())
    assert done.exit_code == 3
    assert "✖ Search latency ✖ reach" in said
    assert "set backends.other.api_key to a valid key of this Kibana" in said
    assert ("✔ Backend good (elastic)" in said) is both
