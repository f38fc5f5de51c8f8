"""Groups of many indicators: a few are asked for together, and their points are not kept."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from gate.backends.prometheus import series_batches
from gate.backends.prometheus.fetch import Fetch
from gate.measure import Cause, Unmeasured
from gate.measure.capabilities import cohorts_of
from gate.measure.cohorts import CohortAnswer, CohortRequest, Cohorts, each_cohort_answer
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.backends.prometheus.played import AT, PlayedSteps, backend

HOUR = timedelta(hours=1)
NAMES = "abcde"


def request_of(name: str) -> CohortRequest:
    """Ask for the failures of a service of this name by route, among the events of all."""
    sli = Sli(bad=f'x{{service="{name}"}}', total="x")
    return CohortRequest(sli=sli, span=Span(AT - 3 * HOUR, AT), step=HOUR, by=("route",), most=2)


@pytest.fixture
def played(played: PlayedSteps) -> PlayedSteps:
    """Return a server on which each service has as many failures as its letter has a place."""
    failures = {f'"{name}"': [str(place), "0", "1"] for place, name in enumerate(NAMES)}
    played.points = {**failures, "increase(x[": ["90", "50", "70"]}
    played.metric = {"route": "r"}
    return played


@pytest.fixture
def fetches(monkeypatch: pytest.MonkeyPatch) -> list[Fetch]:
    """Let two requests of three steps and two values be a batch; return what asks for them."""
    fetches = list[Fetch]()
    each_cohorts = series_batches.each_cohorts

    def watched(
        requests: list[CohortRequest], fetch: Fetch, *others: object
    ) -> Iterator[CohortAnswer]:
        fetches.append(fetch)
        return each_cohorts(requests, fetch, *others)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(series_batches, "POINTS", 12)
    monkeypatch.setattr(series_batches, "each_cohorts", watched)
    return fetches


def answers_of(*requests: CohortRequest) -> Iterator[CohortAnswer]:
    teller = cohorts_of(backend())
    assert teller is not None
    return each_cohort_answer(teller, requests)


def test_a_batch_is_asked_for_when_the_ones_before_were_used_and_only_shared_parts_are_kept(
    played: PlayedSteps, fetches: list[Fetch]
) -> None:
    asked_for, kept = [], []
    for place, answer in enumerate(answers_of(*map(request_of, NAMES))):
        assert isinstance(answer, Cohorts), answer
        ((group, cohort),) = answer.groups.items()
        assert (group, cohort.bad) == (("r",), (float(place), 0.0, 1.0))
        sent = "".join(form["query"] for form in played.ranges)
        asked_for.append("".join(name for name in NAMES if f'"{name}"' in sent))
        grids = (part.text for part in fetches[0]._cuts.readings if part.grid is not None)
        texts = " ".join(grids)
        kept.append("".join(name for name in NAMES if f'"{name}"' in texts))

    assert asked_for == ["ab", "ab", "abcd", "abcd", "abcde"]
    assert kept == ["ab", "ab", "cd", "cd", "e"]
    # All events, in which all five have a part, are asked for once.
    assert sum("increase(x[" in form["query"] for form in played.ranges) == 1


@pytest.mark.usefixtures("played", "fetches")
def test_batches_have_the_answers_of_all_at_once_and_one_that_cannot_be_asked_takes_no_other() -> (
    None
):
    spent = CohortRequest(
        sli=Sli(spent="x"), span=Span(AT - 3 * HOUR, AT), step=HOUR, by=("route",), most=2
    )
    teller = cohorts_of(backend())
    assert teller is not None
    requests = [request_of("a"), spent, *map(request_of, "bc")]

    answers = list(answers_of(*requests))

    assert answers == teller.cohorts(requests)
    assert isinstance(answers[1], Unmeasured)
    assert answers[1].cause is Cause.INVALID
    assert list(answers_of()) == []
