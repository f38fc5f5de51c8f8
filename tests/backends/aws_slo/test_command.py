"""Application Signals through the command, as a person uses it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.backends.aws_slo.asked import AT, NAME, SECRET, ask, events, only
from tests.backends.aws_slo.test_model import operation
from tests.backends.loopback import serving
from tests.command import Run
from tests.servers.application_signals import ApplicationSignals, FakeSlo, rolling

ENVIRON = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": SECRET, "NO_PROXY": "*"}
TIERS = [
    {"name": "healthy", "remaining": "> 50%", "allow": "all"},
    {"name": "exhausted", "otherwise": True, "allow": ["rollback"]},
]
OBJECTIVE = {"name": "availability", "objective": "99.9%", "window": "30d"}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Yield the address of a service with 29 of 720 requests of a budget spent."""
    slos = [
        FakeSlo(name=NAME, events=events(29)),
        FakeSlo(name="coarse", goal=rolling(30, 99.9), events=events(5, hours=100, each=100)),
    ]
    with serving(ApplicationSignals(slos)) as port:
        yield f"http://127.0.0.1:{port}"


def write(folder: Path, url: str, slo: dict[str, Any] | None = None, **more: Any) -> str:
    policy = {
        "version": 1,
        "service": "chat",
        "backend": {"type": "aws-slo", "region": "eu-central-1", "url": url, "retries": 0},
        "slos": [{**OBJECTIVE, "sli": {"slo": NAME}, **(slo or {})}],
        "tiers": TIERS,
        **more,
    }
    path = folder / "gate.yaml"
    path.write_text(yaml.safe_dump(policy), encoding="utf-8")
    return str(path)


CHECK = ("--change=canary", f"--at={AT.isoformat()}", "--policy-ref=none")


def test_a_change_is_judged_by_the_budget_of_the_platform(
    gate: Run, url: str, tmp_path: Path
) -> None:
    done = gate(
        "status", write(tmp_path, url), f"--at={AT.isoformat()}", "--format=json", env=ENVIRON
    )

    assert done.exit_code == 0, done.stderr
    (slo,) = json.loads(done.stdout)["policies"][0]["slos"]
    assert slo["status"] == "measured"
    assert abs(slo["remaining"] - (1 - 29 / 720)) < 0.001
    assert SECRET not in done.stdout


def test_a_burn_rate_rule_is_undecided_and_names_the_backend_that_can_count_it(
    gate: Run, url: str, tmp_path: Path
) -> None:
    done = gate("check", write(tmp_path, url, burn_rates="google-30d"), *CHECK, env=ENVIRON)

    assert done.exit_code == 3
    assert "which the backend cloudwatch can count" in " ".join(done.stdout.split())


def test_the_doctor_looks_at_login_region_and_definition(
    gate: Run, url: str, tmp_path: Path
) -> None:
    done = gate("doctor", write(tmp_path, url), f"--at={AT.isoformat()}", env=ENVIRON)
    text = " ".join(done.stdout.split())

    assert done.exit_code == 0, done.stdout
    assert "of account 123456789012 has 2 SLOs; the login may read all that is needed" in text
    assert "with 99.9% over 30d" in text


def test_what_needs_a_history_says_that_there_is_none(gate: Run, url: str, tmp_path: Path) -> None:
    done = gate("incidents", write(tmp_path, url), env=ENVIRON)

    assert done.exit_code == 2
    assert "keeps no history" in done.stderr


@pytest.mark.parametrize(
    ("slo", "words"),
    [
        ({"timeslices": {"length": "1m", "target": "99%"}}, "remove timeslices"),
        ({"sli": {"slo": NAME, "group": "a"}}, "has no groups of an SLO; remove group"),
        ({"sli": {"bad": "a", "total": "b"}}, "does not support 'ratio' indicators"),
    ],
)
def test_what_the_platform_cannot_count_is_a_mistake_of_the_policy(
    gate: Run, url: str, tmp_path: Path, slo: dict[str, Any], words: str
) -> None:
    done = gate("validate", write(tmp_path, url, slo))

    assert done.exit_code == 2
    assert words in done.stdout


PAGE = Path(__file__).parents[3] / "docs" / "platforms.md"
SECTION = re.split(r"\n## ", PAGE.read_text(encoding="utf-8"))[4]


def test_the_example_of_the_docs_is_a_policy(gate: Run, tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", SECTION, re.DOTALL)
    rest = yaml.safe_dump({"version": 1, "service": "chat", "tiers": TIERS})
    (tmp_path / "gate.yaml").write_text(rest + example, encoding="utf-8")
    done = gate("validate", "gate.yaml")

    assert (done.exit_code, done.stdout) == (0, "gate.yaml: sound\n")


def test_the_rights_of_the_docs_are_those_that_the_requests_need() -> None:
    (policy,) = re.findall(r"```json\n(.*?)```", SECTION, re.DOTALL)
    (statement,) = json.loads(policy)["Statement"]
    service = only()
    ask(service)
    needed = {f"application-signals:{operation(path).name}" for _, path, _, _ in service.log}

    assert set(statement["Action"]) == needed


def test_a_first_policy_is_written(gate: Run, tmp_path: Path) -> None:
    done = gate("init", str(tmp_path / "new.yaml"), "--backend", "aws-slo")
    text = (tmp_path / "new.yaml").read_text(encoding="utf-8")

    assert done.exit_code == 0
    assert "type: aws-slo" in text
    assert "region: eu-central-1" in text
