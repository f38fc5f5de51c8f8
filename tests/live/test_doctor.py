"""gate doctor and gate check agree on real servers' counts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final

import pytest

from gate.backends import open_doctor
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import Answer, Cause, Counts, Limits, Spent
from gate.measure.diagnosis import CheckedSlo, CheckResult, Level
from tests.live.doubts import FAULTS
from tests.live.sound import SOUND
from tests.live.test_evidence import (  # the same servers and counts
    CASES,
    answers,
    count_request,
    doubtful_data,
    doubtful_prometheus,
    doubtful_victoria,
    kind,
)
from tests.servers.doubtful import WINDOW
from tests.servers.series import END

pytestmark = pytest.mark.slow

__all__ = ["answers", "doubtful_data", "doubtful_prometheus", "doubtful_victoria", "kind"]
ABOUT: Final[Mapping[Cause, str]] = {
    Cause.UNMATCHED: "labels",
    Cause.BORN: "born",
    Cause.CONTRADICTED: "contradicted",
    Cause.LOST: "gaps",
    Cause.NO_TRAFFIC: "counted",
    Cause.STALE: "moving",
}
Results = Mapping[str, Sequence[CheckResult]]


@pytest.fixture(scope="session")
def examined(kind: str, request: pytest.FixtureRequest) -> Results:
    """Return what the doctor says of every service."""
    settings = PrometheusSettings(url=request.getfixturevalue(f"doubtful_{kind}").url)
    doctor = open_doctor(settings, Limits(timeout=timedelta(minutes=5)))
    slos = [
        CheckedSlo(
            name=name,
            request=count_request(name, case),
            whole=WINDOW,
            max_age=timedelta(minutes=10),
            min_coverage=Fraction(9, 10),
        )
        for name, case in CASES.items()
    ]
    return dict(zip(CASES, doctor.examine(slos, END).slos, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_what_check_suspects_is_in_doctor_with_the_same_words_and_remedy(
    answers: dict[str, Answer], examined: Results, name: str
) -> None:
    answer = answers[name]
    assert isinstance(answer, Counts | Spent)
    said = {
        (str(result.check), result.message, result.remedy)
        for result in examined[name]
        if result.level is not Level.OK
    }
    assert {
        (ABOUT[suspicion.cause], suspicion.reason, suspicion.remedy)
        for suspicion in answer.evidence.suspicions
    } <= said


@pytest.mark.parametrize("name", FAULTS)
def test_a_count_that_is_not_what_happened_is_not_sound(examined: Results, name: str) -> None:
    cause = FAULTS[name].cause
    assert cause is not None
    wrong = {str(result.check) for result in examined[name] if result.level is not Level.OK}
    assert ABOUT[cause] in wrong


@pytest.mark.parametrize("name", SOUND)
def test_a_legitimate_service_has_no_fault(examined: Results, name: str) -> None:
    assert [result for result in examined[name] if result.level is Level.FAULT] == []
