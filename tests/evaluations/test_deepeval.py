"""DeepEval's test runs after an accident or by the hand of a cheater."""

from fractions import Fraction
from typing import Any

import pytest

from gate.evaluations import CaseOutcome, EvaluationRun
from gate.evaluations.cases import cases_of
from tests.evaluations.documents import Change, Document, changed
from tests.evaluations.honest import outcomes, run_of

SMALL = "deepeval/small.latest_test_run.json"


def doctored(
    change: Change, metric: str | None = "Faithfulness", score: Fraction | None = None
) -> EvaluationRun:
    return changed(SMALL, lambda document: change(document["testRunData"]), metric, score)


def check(data: Document, place: int = 0) -> Document:
    first: Document = data["testCases"][place]["metricsData"][0]
    return first


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (
            lambda d: d["testCases"].pop(),
            "totals are 10 passed and 0 failed, and its cases 9 and 0",
        ),
        (lambda d: d.update(testPassed=9, testFailed=1), "totals are 9 passed and 1 failed"),
        (lambda d: d.update(testPassed="10"), "not finished"),
        (lambda d: d.update(testPassed=-10), "not finished"),
        (lambda d: d.pop("testPassed"), "not finished"),
        (lambda d: d.update(metricsScores=[]), "not finished"),
        (lambda d: d["metricsScores"][0].update(passes=9), "totals of its metrics disagree"),
        (lambda d: d["metricsScores"][0]["scores"].pop(), "totals of its metrics disagree"),
        (lambda d: d["metricsScores"][0].pop("metric"), "totals of its metrics disagree"),
        (lambda d: check(d).update(score=0.0), "success` of a metric contradicts its score"),
        (lambda d: check(d).update(success="true"), "success` of a metric contradicts its score"),
        (lambda d: check(d).update(threshold=1.5), "success` of a metric contradicts its score"),
        (lambda d: check(d).pop("threshold"), "success` of a metric contradicts its score"),
        (lambda d: check(d).pop("score"), "a success without a score"),
        (lambda d: check(d).update(score="1.0"), "not a finite number"),
        (lambda d: check(d).update(score=float("inf")), "not a finite number"),
        (lambda d: check(d).update(score=-1.0), "negative"),
        (lambda d: check(d).update(name="Style"), "cases lack the metric 'Faithfulness'"),
        (lambda d: d["testCases"][0].update(success=False), "`success` of a case contradicts"),
        (lambda d: d["testCases"][0].update(name="", input=""), "a test case has no name"),
        (lambda d: d.update(testCases=[]), "it has no test cases"),
        (lambda d: d["hyperparameters"].update(commit="b" * 40), "it names two commits"),
    ],
)
def test_a_run_that_contradicts_itself_is_flawed(change: Change, clause: str) -> None:
    assert clause in " ".join(doctored(change).flaws)


def scored(score: Any, threshold: Any, *, success: Any) -> Change:
    """Give the first case a score, with totals that agree."""

    def change(data: Document) -> None:
        check(data).update(score=score, threshold=threshold, success=success)
        data["testCases"][0].update(success=success)
        data.update(testPassed=9 + (success is True), testFailed=int(success is False))
        total = data["metricsScores"][0]
        total.update(passes=9 + (success is True), fails=int(success is False))
        total.update(errors=int(success is None))
        if success is None:
            total["scores"].pop()

    return change


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (scored(1.0, 0.5, success=True), CaseOutcome.PASSED),
        (scored(0.2, 0.5, success=False), CaseOutcome.FAILED),
        (scored(0.0, 0.0, success=True), CaseOutcome.UNCHECKED),
        (scored(0.0, -1, success=True), CaseOutcome.UNCHECKED),
        (scored(1.0, None, success=None), CaseOutcome.PASSED),
        (scored(0, None, success=None), CaseOutcome.FAILED),
        (lambda d: check(d).update(score=float("nan"), success=False), CaseOutcome.UNSCORED),
        (lambda d: check(d).update(error="503"), CaseOutcome.ERRORED),
        (lambda d: check(d).update(score=None), CaseOutcome.ERRORED),
        (lambda d: check(d).update(flaky=True), CaseOutcome.FLAKY),
        (lambda d: d["testCases"][0].update(flaky=True), CaseOutcome.FLAKY),
        (lambda d: d["testCases"][0].update(metricsData=[]), CaseOutcome.UNCHECKED),
        (lambda d: d["testCases"][0].pop("metricsData"), CaseOutcome.UNCHECKED),
        (lambda d: check(d).pop("name"), CaseOutcome.UNSCORED),
    ],
)
def test_a_case_passes_only_by_a_score_and_a_success(change: Change, outcome: CaseOutcome) -> None:
    assert doctored(change).rows[0].outcome is outcome


def test_a_threshold_that_was_lowered_needs_a_bar_of_the_policy() -> None:
    lowered = scored(0.3, 0.2, success=True)

    assert doctored(lowered).flaws == (
        "cases pass only by a bar inside the file (0.2): the policy has to say `score`"
        " (case q-001)",
    )
    assert outcomes(doctored(lowered, score=Fraction(1, 2))) == {"failed": 1, "passed": 9}
    assert doctored(lowered, score=Fraction(1, 2)).flaws == ()


def test_a_bar_of_the_policy_may_be_below_that_of_the_file() -> None:
    run = doctored(scored(0.6, 0.9, success=False), score=Fraction(1, 2))

    assert (outcomes(run), run.flaws) == ({"passed": 10}, ())


def test_a_metric_without_a_bar_needs_one_of_the_policy() -> None:
    graded = scored(0.7, None, success=None)

    assert "the policy has no `score`" in doctored(graded).flaws[0]
    assert doctored(graded, score=Fraction(7, 10)).rows[0].outcome is CaseOutcome.PASSED


def test_every_metric_of_a_case_counts_where_all_do() -> None:
    def second(data: Document) -> None:
        for case in data["testCases"]:
            case["metricsData"].append({**case["metricsData"][0], "name": "Style"})
        data["testCases"][0]["metricsData"][1].update(score=0.0, success=False)
        data["testCases"][0].update(success=False)
        data.update(testPassed=9, testFailed=1)
        style = {"metric": "Style", "passes": 9, "fails": 1, "errors": 0, "scores": [1.0] * 10}
        data["metricsScores"].append(style)

    run = doctored(second, metric="all")

    assert (outcomes(run), run.flaws) == ({"failed": 1, "passed": 9}, ())
    assert run.metrics == ("Faithfulness", "Style")
    assert outcomes(doctored(second)) == {"passed": 10}


def test_an_expectation_may_fail_a_case_whose_metrics_pass() -> None:
    def expect(data: Document) -> None:
        data["testCases"][0].update(success=False, expectationsData={"score": 0.0})
        data.update(testPassed=9, testFailed=1)

    assert outcomes(doctored(expect, metric="all")) == {"failed": 1, "passed": 9}
    assert outcomes(doctored(expect)) == {"passed": 10}
    assert doctored(expect).flaws == ()


def test_a_case_of_a_conversation_is_a_case() -> None:
    def talk(data: Document) -> None:
        data["conversationalTestCases"] = [{**data["testCases"].pop(), "turns": []}]

    run = doctored(talk)

    assert (len(run.rows), run.flaws) == (10, ())


def test_a_name_that_follows_the_order_gives_way_to_the_question() -> None:
    run = doctored(lambda d: d["testCases"][0].update(name="test_case_0"))

    assert run.rows[0].case_id == "What is 1 plus 7?"


def test_metrics_of_traced_spans_are_in_the_totals_of_metrics() -> None:
    def trace(data: Document) -> None:
        data["testCases"][0]["trace"] = {"agentSpans": []}
        data["metricsScores"][0].update(passes=11)

    assert doctored(trace).flaws == ()


def test_the_same_name_twice_is_the_same_case() -> None:
    run = doctored(lambda d: d["testCases"][1].update(name="q-001"))

    assert cases_of([run]).duplicates == ("q-001",)


def test_a_run_has_no_time() -> None:
    run = run_of(SMALL)

    assert run.started_at is None
    assert run.tool == "deepeval"


def test_a_run_without_its_wrapper_is_recognised() -> None:
    run = run_of("deepeval/shape_of.latest_run_full.json")  # of which all but three lines were cut

    assert run.tool == "deepeval"
    assert run.commit is not None
