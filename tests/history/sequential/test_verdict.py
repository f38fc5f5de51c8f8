"""The verdict on a canary: what accuses it, what excuses it, and what is not enough."""

from itertools import repeat

import pytest

from gate.history.sequential import ComparedStep
from gate.history.sequential.verdict import (
    CanaryEvidence,
    CanaryStanding,
    CanaryVerdict,
    canary_verdict,
)

SAME = ComparedStep(1000, 1, 9000, 9)
TWICE = ComparedStep(1000, 2, 9000, 9)
FIVE_TIMES = ComparedStep(1000, 5, 9000, 9)


def after(evidence: CanaryEvidence, *runs: tuple[int, ComparedStep]) -> CanaryEvidence:
    for count, step in runs:
        for each in repeat(step, count):
            evidence = evidence.after(each)
    return evidence


def standing(*runs: tuple[int, ComparedStep], margin: float = 0.001, slos: int = 1) -> str:
    return after(CanaryEvidence.compared_with_baseline(margin), *runs).standing(slos)


def test_a_canary_that_fails_as_often_as_the_baseline_is_within_the_margin_at_last() -> None:
    assert standing((5, SAME)) == CanaryStanding.NOT_SHOWN
    assert standing((60, SAME)) == CanaryStanding.WITHIN


def test_a_canary_that_fails_five_times_as_often_is_worse() -> None:
    assert standing((20, FIVE_TIMES)) == CanaryStanding.WORSE


def test_several_slos_need_more_evidence_for_worse_and_no_more_for_within() -> None:
    steps = next(n for n in range(1, 60) if standing((n, FIVE_TIMES)) == CanaryStanding.WORSE)

    assert standing((steps, FIVE_TIMES), slos=20) == CanaryStanding.NOT_SHOWN
    assert standing((60, SAME), slos=20) == CanaryStanding.WITHIN


def test_a_canary_that_is_worse_but_within_the_margin_is_excused() -> None:
    # Twice as often is 0.1% more, of which a margin of 0.5% allows five times as much.
    assert standing((600, TWICE)) == CanaryStanding.WORSE
    assert standing((600, TWICE), margin=0.005) == CanaryStanding.WITHIN


def test_a_bad_minute_of_a_canary_that_is_within_the_margin_is_excused() -> None:
    bad = ComparedStep(1000, 50, 9000, 9)

    assert standing((300, SAME), (1, bad)) == CanaryStanding.NOT_SHOWN
    assert standing((300, SAME), (1, bad), (60, SAME)) == CanaryStanding.WITHIN


def test_a_canary_that_breaks_late_is_worse_although_its_average_is_within_the_margin() -> None:
    # 5 steps of 1% more after 300 are 0.016% on average, of a margin of 0.1%.
    bad = ComparedStep(1000, 11, 9000, 9)
    evidence = after(CanaryEvidence.compared_with_baseline(0.001), (300, SAME), (8, bad))

    assert evidence.excess.ratio == pytest.approx(80 / 308_000)
    assert evidence.excess.bounds(0.05)[1] < 0.001
    assert evidence.standing(1) == CanaryStanding.WORSE


def test_an_outage_of_both_leaves_a_canary_within_the_margin() -> None:
    outage = ComparedStep(1000, 100, 9000, 900)

    assert standing((600, SAME), (3, outage), (600, SAME)) == CanaryStanding.WITHIN
    assert standing((100, outage)) == CanaryStanding.NOT_SHOWN


@pytest.mark.parametrize("step", [ComparedStep(0, 0, 9000, 9), ComparedStep(0, 0)])
def test_a_canary_without_traffic_is_never_within_the_margin(step: ComparedStep) -> None:
    assert standing((1440, step)) == CanaryStanding.NOT_SHOWN


def test_a_canary_that_has_lost_its_baseline_and_fails_is_not_within_the_margin() -> None:
    assert standing((300, SAME), (60, ComparedStep(1000, 30))) == CanaryStanding.NOT_SHOWN


def alone(*runs: tuple[int, ComparedStep]) -> str:
    return after(CanaryEvidence.alone(budget=0.001, margin=0.001), *runs).standing(1)


def test_a_canary_alone_is_compared_with_the_budget() -> None:
    assert alone((60, ComparedStep(1000, 0.5))) == CanaryStanding.WITHIN
    assert alone((60, ComparedStep(1000, 5))) == CanaryStanding.WORSE
    assert alone((5, ComparedStep(1000, 1))) == CanaryStanding.NOT_SHOWN


def test_a_canary_alone_may_have_the_budget_and_the_margin() -> None:
    # 0.13% is more than the budget of 0.1%, and less than that and a margin of 0.1%.
    assert alone((1500, ComparedStep(1000, 1.3))) == CanaryStanding.WITHIN
    assert alone((1500, ComparedStep(1000, 2.3))) == CanaryStanding.WORSE


def test_a_canary_alone_that_spends_its_average_in_one_outage_is_not_worse() -> None:
    steps = (200, ComparedStep(1000, 0)), (2, ComparedStep(1000, 80)), (100, ComparedStep(1000, 0))

    assert alone(*steps) == CanaryStanding.WITHIN


def test_a_canary_alone_that_fails_now_is_not_healthy_by_its_average() -> None:
    steps = (600, ComparedStep(1000, 0)), (6, ComparedStep(1000, 20))

    assert alone(*steps) == CanaryStanding.NOT_SHOWN


WORSE, WITHIN, OPEN = CanaryStanding.WORSE, CanaryStanding.WITHIN, CanaryStanding.NOT_SHOWN


@pytest.mark.parametrize(
    ("standings", "overspent", "finished", "verdict"),
    [
        ([WITHIN, WITHIN], False, True, "healthy"),
        ([WITHIN, WITHIN], False, False, "cannot-tell"),
        ([WITHIN, OPEN], False, True, "cannot-tell"),
        ([OPEN], False, True, "cannot-tell"),
        ([], False, True, "cannot-tell"),
        ([WITHIN, WORSE], False, False, "roll-back"),
        ([WORSE, OPEN], False, True, "roll-back"),
        ([WITHIN], True, True, "roll-back"),
        ([], True, False, "roll-back"),
    ],
)
def test_a_canary_is_healthy_only_after_the_whole_watch_and_by_every_slo(
    standings: list[CanaryStanding], overspent: bool, finished: bool, verdict: str
) -> None:
    given = canary_verdict(standings, overspent=overspent, finished=finished)

    assert given is CanaryVerdict(verdict)


def test_the_outlook_is_that_of_the_margin() -> None:
    evidence = after(CanaryEvidence.compared_with_baseline(0.001), (5, SAME))

    assert evidence.outlook() == evidence.excess.outlook(0.001, 0.05)
    assert evidence.outlook() is not None


def test_the_evidence_goes_on_from_its_document() -> None:
    bad = ComparedStep(1000, 50, 9000, 9)
    first = after(CanaryEvidence.compared_with_baseline(0.001), (10, SAME), (2, bad))

    restored = CanaryEvidence.compared_with_baseline(0.001).restored(first.document())

    assert first.beyond_steps == 2
    assert restored == first


@pytest.mark.parametrize(
    "change",
    [{"worse": None}, {"beyond": []}, {"excess": 1}, {"beyond_steps": -1}, {"beyond_steps": True}],
)
def test_a_document_that_is_none_of_this_version_is_refused(change: dict[str, object]) -> None:
    evidence = CanaryEvidence.compared_with_baseline(0.001)

    with pytest.raises(ValueError, match="the kept state"):
        evidence.restored(evidence.document() | change)
