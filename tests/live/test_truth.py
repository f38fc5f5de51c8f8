"""Services whose every event is known, as `benchmarks.truth` makes them, on real servers.

``make truth`` runs 1,000 of them.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.truth.cases import ROWS, Case
from benchmarks.truth.generator import END
from benchmarks.truth.lives import LIVES
from benchmarks.truth.mutations import Kind
from benchmarks.truth.run import CHANGE, Outcome, explained, judged_by, serving, write_policy
from gate.check.measure import main_request
from gate.config.load import load
from gate.measure import Counts
from gate.policy.findings import Verdict
from gate.slo.objective import RatioSlo
from tests.live.asking import measure
from tests.live.command import check
from tests.servers.proxy import counting_proxy

pytestmark = pytest.mark.slow

SEEDS = range(len(ROWS))
"""Every life of a healthy service once, and every mutation of one that fails."""


@pytest.fixture(scope="module", params=["prometheus", "victoria"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, list[Case]]]:
    with serving(request.param, tmp_path_factory.mktemp("truth"), SEEDS) as url_and_cases:
        yield url_and_cases


@pytest.fixture(scope="module")
def outcomes(
    served: tuple[str, list[Case]], tmp_path_factory: pytest.TempPathFactory
) -> list[Outcome]:
    url, cases = served
    return judged_by(tmp_path_factory.mktemp("policies"), url, cases)


def said_of(outcomes: list[Outcome]) -> str:
    return "\n".join(map(explained, outcomes))


def test_what_no_mutation_has_touched_is_counted_as_it_happened(outcomes: list[Outcome]) -> None:
    untouched = [outcome for outcome in outcomes if outcome.case.mutation is None]

    assert {outcome.case.name for outcome in untouched} == {life.name for life in LIVES}
    for outcome in untouched:
        history, (assessment,) = outcome.case.history, outcome.decision.assessments
        assert assessment.total is not None, outcome.reasons
        # The first scrape of each pod comes two minutes after its start.
        assert float(assessment.total) == pytest.approx(history.total, rel=0.05)
        assert float(assessment.bad or 0) == pytest.approx(history.failures, rel=0.05, abs=5)


def test_nothing_that_healthy_services_do_is_doubted(outcomes: list[Outcome]) -> None:
    healthy = [
        outcome
        for outcome in outcomes
        if outcome.case.mutation is None and not outcome.case.history.blocks
    ]

    assert len(healthy) > 15
    doubted = [outcome for outcome in healthy if outcome.doubted]
    assert not doubted, said_of(doubted)


def test_no_mutation_lets_a_change_ship_that_the_truth_forbids(outcomes: list[Outcome]) -> None:
    failing = [
        outcome
        for outcome in outcomes
        if outcome.case.kind is not Kind.TRACELESS and outcome.case.history.blocks
    ]

    assert len({outcome.case.name for outcome in failing}) > 25
    wrongly = [outcome for outcome in failing if outcome.allowed_wrongly]
    assert not wrongly, said_of(wrongly)


def test_each_service_has_the_answer_that_it_has_alone(
    served: tuple[str, list[Case]], tmp_path: Path
) -> None:
    url, cases = served
    file = load(str(write_policy(tmp_path / "policy.yaml", url, cases)), {})
    slos = [slo for slo in file.policy.slos if isinstance(slo, RatioSlo)]
    requests = [main_request(slo, END) for slo in slos]

    with counting_proxy(url) as proxy:
        answers = measure(proxy.url, requests, END)
    assert proxy.traffic.requests > 8  # so that some of the evidence had to wait
    assert answers == [answer for request in requests for answer in measure(url, [request], END)]
    counted = [answer for answer in answers if isinstance(answer, Counts)]
    assert len({s.cause for answer in counted for s in answer.evidence.suspicions}) > 3


def test_the_command_says_the_same_of_a_policy_with_one_service(
    served: tuple[str, list[Case]], outcomes: list[Outcome], tmp_path: Path
) -> None:
    for verdict in (Verdict.ALLOW, Verdict.UNDECIDED, Verdict.BLOCK):
        outcome = next(outcome for outcome in outcomes if outcome.verdict is verdict)
        path = write_policy(tmp_path / "policy.yaml", served[0], [outcome.case])

        assert check(path, change=CHANGE).decision["verdict"] == verdict
