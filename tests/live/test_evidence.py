"""Real servers' counts are doubted where they are not what happened, and only there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gate.measure import Answer, Cause, CountRequest, Counts, Spent, Suspicion
from gate.slo.objective import RollingWindow
from tests.live.asking import measure
from tests.live.doubts import FAULTS, FIRST, named
from tests.live.sound import HARMLESS, SOUND
from tests.servers.doubtful import WINDOW, Doubtful, write_doubtful
from tests.servers.fixtures import Data, made_once, serving
from tests.servers.metrics import Server, victoria
from tests.servers.series import END

CASES = {**FAULTS, **SOUND, **HARMLESS}


def _write(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        write_doubtful(CASES, file)


@pytest.fixture(scope="session")
def doubtful_data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    return made_once("doubtful", _write, tmp_path_factory)


@pytest.fixture(scope="session")
def doubtful_prometheus(
    doubtful_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with serving(doubtful_data, tmp_path_factory) as server:
        yield server


@pytest.fixture(scope="session")
def doubtful_victoria(
    doubtful_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with victoria(tmp_path_factory.mktemp("victoria"), doubtful_data.text) as server:
        yield server


@pytest.fixture(scope="session", params=["prometheus", "victoria"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def answers(kind: str, request: pytest.FixtureRequest) -> dict[str, Answer]:
    """Return what is counted of every service, all in one run."""
    url = request.getfixturevalue(f"doubtful_{kind}").url
    requests = [count_request(name, case) for name, case in CASES.items()]
    return dict(zip(CASES, measure(url, requests), strict=True))


def count_request(name: str, case: Doubtful) -> CountRequest:
    """Return how a service is counted."""
    return CountRequest(
        sli=named(name, case.sli),
        span=RollingWindow(WINDOW).counted(END),
        slices=case.slices,
        probe=True,
        amount=case.sli.spent is not None,
    )


def _suspicions(answer: Answer) -> tuple[Suspicion, ...]:
    assert isinstance(answer, Counts | Spent), answer
    return answer.evidence.suspicions


def _first_values(suspicion: Suspicion) -> bool:
    """Return whether it is only the first of a counter's events, by which it was born."""
    hidden = suspicion.hidden
    return suspicion.cause is Cause.BORN and hidden is not None and hidden < FIRST + 0.1


@pytest.mark.parametrize("name", FAULTS)
def test_a_count_that_is_not_what_happened_is_doubted_by_as_much(
    answers: dict[str, Answer], name: str
) -> None:
    fault, suspicions = FAULTS[name], _suspicions(answers[name])
    suspicion, *more = (s for s in suspicions if not _first_values(s))
    assert suspicion.cause is fault.cause, suspicion
    assert {other.cause for other in more} <= {Cause.CONTRADICTED, Cause.UNMATCHED}
    assert fault.words in suspicion.reason
    # Extrapolation is off by a scrape or so.
    assert suspicion.hidden is None or suspicion.hidden >= fault.hidden * 0.98
    assert suspicion.doubtful is None or suspicion.doubtful >= fault.doubtful * 0.98
    if fault.most_hidden is not None:
        assert suspicion.hidden is not None
        assert suspicion.hidden <= fault.most_hidden * 1.02


@pytest.mark.parametrize("name", [name for name, fault in FAULTS.items() if fault.true_bad])
def test_what_is_counted_and_what_is_hidden_is_what_happened(
    answers: dict[str, Answer], name: str
) -> None:
    answer = answers[name]
    assert isinstance(answer, Counts | Spent)
    counted = answer.bad if isinstance(answer, Counts) else answer.amount
    (suspicion,) = answer.evidence.suspicions
    assert suspicion.hidden is not None
    assert counted + suspicion.hidden == pytest.approx(FAULTS[name].true_bad, rel=1e-3)


@pytest.mark.parametrize("name", [*SOUND, *HARMLESS])
def test_a_count_of_a_legitimate_service_is_not_doubted(
    answers: dict[str, Answer], name: str
) -> None:
    assert [s for s in _suspicions(answers[name]) if not _first_values(s)] == []
