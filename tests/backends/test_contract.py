"""Nothing that a backend can do wrong passes for a measured budget, whatever the backend.

Every case runs the command against the real thing: a server on the loopback, or files.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pytest
import yaml

from gate.backends import BACKENDS
from gate.measure import Cause
from gate.policy.policy import DEFAULT_ACTIONS, Action
from tests.backends.aws_slo_cases import AWS_SLO
from tests.backends.cases import SECRET, Case, Contract, Play, Setup
from tests.backends.clickhouse_cases import CLICKHOUSE
from tests.backends.cloudwatch_cases import CLOUDWATCH
from tests.backends.datadog_cases import DATADOG
from tests.backends.elastic_cases import ELASTIC
from tests.backends.evaluations_cases import EVALUATIONS
from tests.backends.google_slo_cases import GOOGLE_SLO
from tests.backends.logs_cases import LOGS
from tests.backends.postgres_cases import POSTGRES
from tests.backends.prometheus.played import AT
from tests.backends.prometheus_cases import PROMETHEUS
from tests.backends.spark_cases import SPARK
from tests.backends.static_cases import STATIC
from tests.backends.toy import REGISTERED
from tests.backends.toy.cases import TOY
from tests.command import Result, gate

CONTRACTS: Mapping[str, Contract] = {
    "prometheus": PROMETHEUS,
    "logs": LOGS,
    "clickhouse": CLICKHOUSE,
    "postgres": POSTGRES,
    "spark": SPARK,
    "datadog": DATADOG,
    "google-slo": GOOGLE_SLO,
    "aws-slo": AWS_SLO,
    "cloudwatch": CLOUDWATCH,
    "elastic": ELASTIC,
    "evaluations": EVALUATIONS,
    "static": STATIC,
    "toy": TOY,
}
MISTAKES = [
    pytest.param(case, id=f"{backend}: {case.name}")
    for backend, contract in CONTRACTS.items()
    for case in contract.cases
    if case.cause is None
]
FIRST = {
    (backend, case.cause): case
    for backend, contract in CONTRACTS.items()
    for case in reversed(contract.cases)
}
"""The first failure of each cause, for each backend."""
FIRST_OF_ALL = {cause: case for (_, cause), case in reversed(FIRST.items())}
"""The first failure of each cause: what the policy lets pass goes by the cause."""


def failures(quick: Collection[Case]) -> list[Any]:
    """Return all failures of all backends; those that are not quick are marked slow."""
    chosen = {id(case) for case in quick}
    return [
        pytest.param(
            case,
            id=f"{backend}: {case.name}",
            marks=() if id(case) in chosen else pytest.mark.slow,
        )
        for backend, contract in CONTRACTS.items()
        for case in contract.cases
        if case.cause is not None
    ]


REPORTS = ("terminal", "markdown", "json")
SERVERS = {"postgres": "postgres_server", "spark": "sail_server"}
"""The fixture without which nothing can be played."""
UNMEASURED = ("remaining", "consumed", "error_ratio", "total", "bad", "spent", "compared")


@pytest.fixture(autouse=True)
def _server(request: pytest.FixtureRequest) -> None:
    """Have the server of the backend run."""
    callspec = getattr(request.node, "callspec", None)
    backend = callspec.id.partition(":")[0] if callspec else ""
    if backend in SERVERS:
        request.getfixturevalue(SERVERS[backend])


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The result of one run of the command."""

    code: int
    reports: Mapping[str, str]
    """By format, with every white space made one; empty when there was no decision."""
    stderr: str

    @property
    def policy(self) -> dict[str, Any]:
        (policy,) = json.loads(self.reports["json"])["policies"]
        return dict(policy)

    @property
    def slo(self) -> dict[str, Any]:
        (slo,) = self.policy["slos"]
        return dict(slo)

    @property
    def findings(self) -> list[str]:
        """The reasons of the findings about the measurement."""
        return [f["reason"] for f in self.policy["findings"] if f["rule"] == "measurement"]


def run(folder: Path, setup: Setup, *arguments: str) -> Result:
    """Run the command, with the backend in its registry."""
    environ = {"PASSWORD": SECRET, "NO_PROXY": "*"}
    with patch.dict(cast("dict[str, str]", BACKENDS), setup.registered):
        return gate(*arguments, cwd=folder, env=environ)


def check(folder: Path, play: Play, on: Mapping[Cause, str] | None = None) -> Run:
    """Run ``gate check`` while a failure is played, with a copy of the report in each format."""
    copies = [f"--write={name}={folder / name}" for name in REPORTS]
    with play(folder) as setup:
        policy = {
            "version": 1,
            "service": "chat",
            "backend": dict(setup.backend),
            "slos": [{"name": "slo", "window": "30d", **setup.slo}],
            "tiers": [
                {"name": "healthy", "remaining": "> 50%", "allow": "all"},
                {"name": "exhausted", "otherwise": True, "allow": ["rollback"]},
            ],
            "on": {str(cause): action for cause, action in (on or {}).items()},
        }
        (folder / "gate.yaml").write_text(yaml.safe_dump(policy), encoding="utf-8")
        options = ["--change=canary", f"--at={AT.isoformat()}", f"--timeout={setup.timeout}"]
        done = run(folder, setup, "check", "gate.yaml", *options, *copies)
    files = [folder / name for name in REPORTS if (folder / name).exists()]
    reports = {file.name: " ".join(file.read_text(encoding="utf-8").split()) for file in files}
    assert not [text for text in (done.stdout, done.stderr, *reports.values()) if SECRET in text]
    return Run(code=done.exit_code, reports=reports, stderr=done.stderr)


@pytest.mark.variants(6)
@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_what_nothing_is_wrong_with_is_measured_and_allowed(
    contract: Contract, tmp_path: Path
) -> None:
    run = check(tmp_path, contract.healthy)

    assert run.code == 0, run
    assert run.slo["status"] == "measured"
    assert run.slo["remaining"] == pytest.approx(0.9, abs=0.05)


def assert_status(case: Case, run: Run) -> None:
    """See that the cause stands where it belongs."""
    assert run.slo["status"] == ("measured" if case.suspected else case.cause)
    suspicions = [suspicion["cause"] for suspicion in run.slo.get("suspicions", ())]
    assert (case.cause in suspicions) == case.suspected


@pytest.mark.parametrize("case", failures(FIRST.values()))
def test_failure_does_not_let_a_change_pass(case: Case, tmp_path: Path) -> None:
    assert case.cause is not None
    on = {case.cause: "block"} if DEFAULT_ACTIONS[case.cause] is not Action.BLOCK else {}
    run = check(tmp_path, case.play, on)

    assert run.code == case.code, run
    assert_status(case, run)
    assert [reason for reason in run.findings if case.words in reason], run.findings
    if not (case.in_doubt or case.suspected):
        assert {key: run.slo[key] for key in UNMEASURED} == dict.fromkeys(UNMEASURED)


@pytest.mark.parametrize("case", failures(FIRST_OF_ALL.values()))
def test_failure_that_the_policy_lets_pass_is_reported_in_every_report(
    case: Case, tmp_path: Path
) -> None:
    assert case.cause is not None
    run = check(tmp_path, case.play, {case.cause: "allow"})

    assert run.code == case.passes_with, run
    assert_status(case, run)
    told = "in doubt: " if case.in_doubt or case.suspected else "nothing was measured: "
    assert {name for name, report in run.reports.items() if told in report} == set(REPORTS)
    if not (case.in_doubt or case.suspected):
        assert {key: run.slo[key] for key in UNMEASURED} == dict.fromkeys(UNMEASURED)


@pytest.mark.parametrize("case", MISTAKES)
def test_mistake_in_the_policy_is_2_and_no_decision(case: Case, tmp_path: Path) -> None:
    run = check(tmp_path, case.play, dict.fromkeys(Cause, "allow"))

    assert run.code == 2, run
    assert not run.reports
    assert case.words in run.stderr


# The table itself


def test_every_backend_has_its_contract() -> None:
    assert set(CONTRACTS) == {*BACKENDS, *REGISTERED}


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_failure_is_played_or_cannot_happen(contract: Contract) -> None:
    played = {case.failure for case in contract.cases}

    assert played | contract.never.keys() == contract.failures
    assert not played & contract.never.keys()


OF_RULES = {Cause.NOT_COVERED, Cause.ROUNDED}
"""Causes that rules have, and no backend."""


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_cause_comes_of_some_failure(contract: Contract) -> None:
    said = {case.cause for case in contract.cases if case.cause is not None}

    assert said | contract.never_said.keys() | OF_RULES == set(Cause)
    assert not said & {*contract.never_said, *OF_RULES}
