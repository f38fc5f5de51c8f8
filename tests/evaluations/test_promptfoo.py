"""promptfoo's files after an accident or by the hand of a cheater."""

import json
from fractions import Fraction
from typing import Any

import pytest

from gate.evaluations import CaseOutcome, EvaluationRun
from gate.evaluations.cases import cases_of
from gate.evaluations.reading import read_run
from tests.evaluations.documents import Change, Document, changed
from tests.evaluations.honest import content, outcomes, run_of


def doctored(
    change: Change,
    name: str = "small",
    metric: str | None = "faithfulness",
    score: Fraction | None = None,
) -> EvaluationRun:
    return changed(f"promptfoo/{name}.json", change, metric, score)


def row(document: Document, place: int = 0) -> Document:
    results: Document = document["results"]["results"][place]
    return results


def of_first(change: Change, **more: Any) -> EvaluationRun:
    return doctored(lambda document: change(row(document)), **more)


def graded(parts: dict[str, bool], **grading: Any) -> Document:
    components = [
        {"pass": passed, "score": int(passed), "assertion": {"metric": metric}}
        for metric, passed in parts.items()
    ]
    return {"pass": True, "score": 1, "reason": "", "componentResults": components, **grading}


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (lambda d: d["results"].update(version=4), "its version is 4, and only 3"),
        (lambda d: d["results"].pop("version"), "its version is None"),
        (lambda d: d["results"]["results"].pop(), "totals are 10, 0, 0, and its rows 9, 0, 0"),
        (lambda d: d["results"].update(stats={}), "totals are none, none, none"),
        (
            lambda d: d["results"]["prompts"][0]["metrics"].update(testPassCount=9),
            "totals are 9, 0, 0, and its rows 10, 0, 0",
        ),
        (
            lambda d: row(d).update(success="true"),
            "`success` is neither true nor false (case q-001",
        ),
        (lambda d: row(d).update(failureReason=1), "`success` contradicts"),
        (lambda d: row(d).update(error="503"), "`success` contradicts"),
        (lambda d: row(d)["gradingResult"].update({"pass": False}), "`success` contradicts"),
        (lambda d: row(d)["testCase"].update(threshold=2), "`success` contradicts"),
        (
            lambda d: row(d)["namedScores"].pop("faithfulness"),
            "rows lack the metric 'faithfulness'",
        ),
        (lambda d: row(d)["namedScores"].update(faithfulness="1"), "not a finite number"),
        (lambda d: row(d)["namedScores"].update(faithfulness=True), "not a finite number"),
        (lambda d: row(d)["namedScores"].update(faithfulness=-1), "a score is negative"),
        (lambda d: row(d)["namedScores"].update(faithfulness=float("inf")), "not a finite"),
        (
            lambda d: d["config"].update(tags={"git.sha": "a" * 40, "commit": "b" * 40}),
            "it names two commits",
        ),
        (lambda d: row(d).update(score="1"), "not a finite number"),
        (lambda d: row(d).update(score=float("nan")), "not a finite number"),
        (lambda d: row(d).update(id=row(d, 1)["id"]), "two rows of one test"),
        (lambda d: row(d).update(testIdx=1), "two rows of one test"),
    ],
)
def test_a_file_that_contradicts_itself_is_flawed(change: Change, clause: str) -> None:
    run = doctored(change)

    assert clause in " ".join(run.flaws)
    assert sum(r.outcome is CaseOutcome.PASSED for r in run.rows) <= 10


@pytest.mark.parametrize(
    ("change", "outcome"),
    [
        (lambda r: r.update(success="true"), CaseOutcome.UNSCORED),
        (lambda r: r["namedScores"].clear(), CaseOutcome.UNSCORED),
        (lambda r: r["namedScores"].update(faithfulness=float("nan")), CaseOutcome.UNSCORED),
        (lambda r: r["namedScores"].update(faithfulness=-1), CaseOutcome.UNSCORED),
        (lambda r: r["namedScores"].update(faithfulness=0), CaseOutcome.UNCHECKED),
        (lambda r: r.update(success=False, failureReason=2, error="503"), CaseOutcome.ERRORED),
        (
            lambda r: (r.update(success=False, gradingResult=None), r.pop("failureReason")),
            CaseOutcome.ERRORED,
        ),
        (
            lambda r: r.update(gradingResult={"pass": True, "reason": "No assertions"}),
            CaseOutcome.UNCHECKED,
        ),
        (lambda r: r.update(gradingResult=graded({"faithfulness": False})), CaseOutcome.FAILED),
        (lambda r: r.update(gradingResult=graded({"length": False})), CaseOutcome.PASSED),
        (
            lambda r: (r.update(gradingResult=None), r["testCase"].update({"assert": []})),
            CaseOutcome.UNCHECKED,
        ),
    ],
)
def test_a_row_without_a_proof_is_not_a_pass(change: Change, outcome: CaseOutcome) -> None:
    assert of_first(change).rows[0].outcome is outcome


def test_every_check_of_a_row_counts_where_all_do() -> None:
    # A threshold of the test lets it succeed although a check fails.
    run = of_first(
        lambda r: r.update(gradingResult=graded({"faithfulness": True, "length": False})),
        metric="all",
    )

    assert run.rows[0].outcome is CaseOutcome.FAILED
    assert outcomes(run) == {"failed": 1, "passed": 9}


@pytest.mark.parametrize(
    ("weight", "score", "outcome"),
    [
        (0, 0.5, CaseOutcome.UNCHECKED),
        (0, 1, CaseOutcome.PASSED),
        (1, 0.5, CaseOutcome.PASSED),
        (None, 0.5, CaseOutcome.PASSED),
    ],
)
def test_an_assertion_that_only_measures_checks_nothing(
    weight: int | None, score: float, outcome: CaseOutcome
) -> None:
    def weigh(r: Document) -> None:
        grading = graded({"faithfulness": True})
        grading["componentResults"][0]["assertion"]["weight"] = weight
        r.update(gradingResult=grading, score=score, namedScores={"faithfulness": score})

    assert of_first(weigh).rows[0].outcome is outcome


def test_a_bar_of_nothing_makes_no_pass() -> None:
    def lower(r: Document) -> None:
        r.update(score=0, namedScores={"faithfulness": 0}, gradingResult=None)
        r["testCase"].update(threshold=0)

    assert of_first(lower).rows[0].outcome is CaseOutcome.UNCHECKED
    assert of_first(lower, score=Fraction(1, 2)).rows[0].outcome is CaseOutcome.FAILED


def test_a_pass_by_a_bar_inside_the_file_needs_one_of_the_policy() -> None:
    def lower(r: Document) -> None:
        r.update(score=0.3, namedScores={"faithfulness": 0.3}, gradingResult=None)
        r["testCase"]["assert"][0].update(threshold=0.2)

    by_file = of_first(lower)

    assert by_file.flaws == (
        "cases pass only by a bar inside the file (0.2): the policy has to say `score`"
        " (case q-001)",
    )
    assert of_first(lower, score=Fraction(3, 10)).rows[0].outcome is CaseOutcome.PASSED
    assert of_first(lower, score=Fraction(31, 100)).rows[0].outcome is CaseOutcome.FAILED
    assert of_first(lower, score=Fraction(3, 10)).flaws == ()


def test_a_grade_below_the_full_score_is_a_pass_where_the_grader_says_so() -> None:
    run = of_first(lambda r: r.update(score=0.8, namedScores={"faithfulness": 0.8}))

    assert run.flaws == ()
    assert outcomes(run) == {"passed": 10}


def test_upper_and_lower_case_of_a_metric_make_no_difference() -> None:
    assert outcomes(run_of("promptfoo/small.json", metric="Faithfulness")) == {"passed": 10}


def test_a_metric_that_the_file_lacks_is_named_beside_those_that_it_has() -> None:
    run = run_of("promptfoo/small.json", metric="correctness")

    assert run.flaws == ("there is no metric 'correctness' in it: it has faithfulness",)
    assert outcomes(run) == {"unscored": 10}


def test_rows_alone_may_be_those_of_an_interrupted_run() -> None:
    run = run_of("promptfoo/half_INT.jsonl")

    assert len(run.rows) == 50
    assert run.tool == "promptfoo"
    assert "an interrupted run looks the same" in run.flaws[0]


def test_cases_that_share_a_description_differ_by_their_variables() -> None:
    def share(document: Document) -> None:
        for place, each in enumerate(document["results"]["results"]):
            each["testCase"].update(description="a sum", vars={"q": place})

    run = doctored(share)

    assert run.rows[1].case_id == 'a sum {"q":1}'
    assert cases_of([run]).total == 10


def test_a_repeated_case_keeps_its_description() -> None:
    def add(document: Document) -> None:
        for each in document["results"]["results"]:
            each["testCase"]["vars"] = {"q": each["testCase"]["description"]}

    run = doctored(add, name="repeat")

    assert {row.case_id for row in run.rows} == {f"q-{number:03}" for number in range(1, 201)}


def test_a_copy_of_a_case_is_the_same_case() -> None:
    def copy(document: Document) -> None:
        rows = document["results"]["results"]
        for place, each in enumerate(rows):
            each.update(testCase=rows[0]["testCase"], testIdx=place, id=str(place))

    cases = cases_of([doctored(copy)])

    assert (cases.total, cases.duplicates) == (1, ("q-001",))


@pytest.mark.parametrize(
    ("test_case", "variables", "case_id"),
    [
        ({"vars": {"b": 2, "a": 1}}, {}, '{"a":1,"b":2}'),
        ({"metadata": {"case_id": "q-1"}}, {"a": 1}, '{"a":1}'),
        ({"metadata": {"case_id": "q-1"}}, {}, '{"case_id":"q-1"}'),
        ({}, {}, "{}"),
        ({"description": "two\nlines"}, {}, '"two\\nlines"'),
        ({"description": " q-1 "}, {}, "q-1"),
    ],
)
def test_a_case_is_identified_by_what_it_has(
    test_case: Document, variables: Document, case_id: str
) -> None:
    run = of_first(lambda r: r.update(testCase=test_case, vars=variables))

    assert run.rows[0].case_id == case_id


def test_several_prompts_make_several_rows_of_a_case() -> None:
    def twice(document: Document) -> None:
        results = document["results"]
        results["prompts"] *= 2
        again = [{**each, "promptIdx": 1, "id": f"{each['id']}-1"} for each in results["results"]]
        results["results"] += again
        results["stats"]["successes"] = 20

    run = doctored(twice)

    assert run.repeats == 2
    assert run.flaws == ()
    assert cases_of([run]).passed == 10


def test_the_time_of_an_export_makes_a_run_no_younger() -> None:
    run = doctored(lambda d: d["metadata"].update(exportedAt="2026-12-24T00:00:00Z"))

    assert run.started_at == run_of("promptfoo/small.json").started_at
    assert run.flaws == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["results"].update(timestamp="2026-12-24T00:00:00Z"),
        lambda d: d["metadata"].update(evaluationCreatedAt="2026-11-28T22:00:00Z"),
    ],
)
def test_times_of_one_creation_agree(change: Change) -> None:
    assert doctored(change).flaws == ("its times contradict each other",)


def test_a_time_may_stand_in_one_place_only() -> None:
    def strip(document: Document) -> None:
        document.pop("metadata")

    def strip_all(document: Document) -> None:
        strip(document)
        document["results"].pop("timestamp")

    assert doctored(strip).started_at is not None
    assert doctored(strip_all).started_at is None


def test_a_summary_may_be_the_document_itself() -> None:
    summary = json.loads(content("promptfoo/small.json"))["results"]
    run = read_run(json.dumps(summary).encode(), file_name="x", metric="faithfulness")

    assert (outcomes(run), run.flaws) == ({"passed": 10}, ())


def test_the_totals_of_prompts_may_be_left_out() -> None:
    run = doctored(lambda d: d["results"]["prompts"][0].pop("metrics"))

    assert run.flaws == ()
