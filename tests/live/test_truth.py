"""Histories whose every event is known, as `benchmarks.truth` makes them, on real servers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.truth.lives import LIVES
from benchmarks.truth.run import Outcome, judged, serving, write_policy

SEEDS = range(96)
"""Every life and every mutation comes twice."""


@pytest.fixture(scope="module", params=["prometheus", "victoria"])
def outcomes(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Outcome]]:
    folder: Path = tmp_path_factory.mktemp("truth")
    with serving(request.param, folder, SEEDS) as (url, cases):
        yield judged(write_policy(folder / "policy.yaml", url, cases), cases)


@pytest.mark.real
def test_what_no_mutation_has_touched_is_counted_as_it_happened(outcomes: list[Outcome]) -> None:
    untouched = [outcome for outcome in outcomes if outcome.case.mutation is None]

    assert {outcome.case.name for outcome in untouched} == {life.name for life in LIVES}
    for outcome in untouched:
        history, (assessment,) = outcome.case.history, outcome.decision.assessments
        assert assessment.total is not None, outcome.reasons
        # The first scrape of each pod comes two minutes after its start.
        assert float(assessment.total) == pytest.approx(history.total, rel=0.05)
        assert float(assessment.bad or 0) == pytest.approx(history.failures, rel=0.05, abs=5)
