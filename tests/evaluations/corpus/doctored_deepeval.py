"""Doctored files of DeepEval, whose runs attest to them as the format has no time."""

from typing import Any

from tests.evaluations.corpus.bases import DEEPEVAL, DEEPEVAL_ALL, DEEPEVAL_ALONE, DEEPEVAL_SCORED
from tests.evaluations.corpus.doctoring import BLOCKED, doctored
from tests.evaluations.corpus.scene import OTHER_COMMIT, Scene

Json = Any


def cases(document: Json) -> Json:
    """Return the cases of a document."""
    return document["testRunData"]["testCases"]


def restate(document: Json) -> None:
    """Make the totals agree with the cases, as the tool would have counted them."""
    run = document["testRunData"]
    entries = [entry for case in cases(document) for entry in case["metricsData"]]
    passes = sum(entry["success"] is True for entry in entries)
    errors = sum("score" not in entry for entry in entries)
    run["metricsScores"][0].update(
        scores=[entry["score"] for entry in entries if "score" in entry],
        passes=passes,
        fails=len(entries) - passes - errors,
        errors=errors,
    )
    passed = sum(case["success"] is True for case in cases(document))
    run.update(testPassed=passed, testFailed=len(cases(document)) - passed)


@doctored(DEEPEVAL, "150 of 200", ends=BLOCKED)
def deepeval_honest_failure(scene: Scene) -> None:
    """Every fourth answer is wrong, and the tool ends with exit code 0."""
    scene.take("deepeval/fail.latest_test_run.json")


@doctored(DEEPEVAL, "12 errored", ends=BLOCKED)
def deepeval_errored(scene: Scene) -> None:
    """The provider was down for a minute, and the tool was told to ignore errors."""
    with scene.json() as document:
        for case in cases(document)[:12]:
            case["success"] = False
            entry = case["metricsData"][0]
            entry.update(success=False, error="RuntimeError: provider answered 503")
            del entry["score"]
        restate(document)


@doctored(DEEPEVAL, "12 errored", ends=BLOCKED)
def deepeval_errored_without_a_word(scene: Scene) -> None:
    """The test runner leaves neither a score nor an error where a case raised an exception."""
    with scene.json() as document:
        for case in cases(document)[:12]:
            case["success"] = False
            case["metricsData"][0]["success"] = False
            del case["metricsData"][0]["score"]
        restate(document)


@doctored(DEEPEVAL, "a metric is a success without a score")
def deepeval_no_score_but_success(scene: Scene) -> None:
    """Cases without a score are called successes."""
    with scene.json() as document:
        for case in cases(document)[:12]:
            del case["metricsData"][0]["score"]
        restate(document)


@doctored(DEEPEVAL, "totals are missing")
def deepeval_interrupted(scene: Scene) -> None:
    """The run was interrupted after 71 cases, and somebody renames the temporary file."""
    scene.take("deepeval/half_INT.temp_test_run_data.json")


@doctored(DEEPEVAL, "totals are missing")
def deepeval_interrupted_at_the_end(scene: Scene) -> None:
    """The run was interrupted before the totals were written, after 200 cases."""
    with scene.json() as document:
        document["testRunData"]["metricsScores"] = []
        del document["testRunData"]["testPassed"]
        del document["testRunData"]["testFailed"]


@doctored(DEEPEVAL, "50 unchecked", ends=BLOCKED)
def deepeval_threshold_zero(scene: Scene) -> None:
    """The metric's threshold is 0, so that 50 scores of 0 are successes."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            case["success"] = True
            case["metricsData"][0].update(threshold=0, success=True)
        restate(document)


@doctored(DEEPEVAL_SCORED, "150 of 200", ends=BLOCKED)
def deepeval_threshold_lowered(scene: Scene) -> None:
    """The metric's threshold was lowered to 0.1, below the score that the policy asks for."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            entry = case["metricsData"][0]
            if not case["success"]:
                entry["score"] = 0.2
            case["success"] = True
            entry.update(threshold=0.1, success=True)
        restate(document)


@doctored(DEEPEVAL, "`success` of a metric contradicts")
def deepeval_success_flipped(scene: Scene) -> None:
    """Somebody sets success to true everywhere, and leaves scores below the threshold."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            case["success"] = True
            case["metricsData"][0]["success"] = True
        restate(document)


@doctored(DEEPEVAL, "`success` of a metric contradicts")
def deepeval_scores_raised(scene: Scene) -> None:
    """Somebody raises the scores, and leaves that the cases failed."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            case["metricsData"][0]["score"] = 1.0


@doctored(DEEPEVAL, "`success` of a case contradicts")
def deepeval_only_the_metrics_flipped(scene: Scene) -> None:
    """Somebody changes the metric of each case, and leaves that the case itself failed."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            case["metricsData"][0].update(score=1.0, success=True)


@doctored(DEEPEVAL, "its totals are 200 passed")
def deepeval_totals_changed(scene: Scene) -> None:
    """Somebody changes the number of passed tests to 200."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        document["testRunData"].update(testPassed=200, testFailed=0)


@doctored(DEEPEVAL, "its totals are 150 passed")
def deepeval_cases_changed(scene: Scene) -> None:
    """Somebody changes all cases to passes, and leaves the totals."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            case["success"] = True
            case["metricsData"][0].update(score=1.0, success=True)


@doctored(DEEPEVAL, "totals of its metrics disagree")
def deepeval_totals_of_the_metric_left(scene: Scene) -> None:
    """Somebody changes cases and totals, and forgets the totals of the metric."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            case["success"] = True
            case["metricsData"][0].update(score=1.0, success=True)
        document["testRunData"].update(testPassed=200, testFailed=0)


@doctored(DEEPEVAL, "12 flaky", ends=BLOCKED)
def deepeval_flaky(scene: Scene) -> None:
    """Twelve cases passed only when they were tried again."""
    with scene.json() as document:
        for case in cases(document)[:12]:
            case["flaky"] = True
            case["metricsData"][0]["flaky"] = True


@doctored(DEEPEVAL, "12 unchecked", ends=BLOCKED)
def deepeval_without_metrics(scene: Scene) -> None:
    """Twelve cases have no metric, and count as successes."""
    with scene.json() as document:
        for case in cases(document)[:12]:
            case["metricsData"] = []
        restate(document)


@doctored(DEEPEVAL, "Faithfulness")
def deepeval_metric_renamed(scene: Scene) -> None:
    """The metric has another name."""
    scene.replace('"Faithfulness"', '"Faithfulness lite"')


@doctored(DEEPEVAL, "`success` of a case contradicts")
def deepeval_metric_twice(scene: Scene) -> None:
    """Each case has the metric twice: strict, which fails, and lax, which passes."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            case["success"] = True
            entry = case["metricsData"][0]
            case["metricsData"].append({**entry, "threshold": 0.01, "success": True, "score": 1.0})
        restate(document)


@doctored(DEEPEVAL, "12 unscored", ends=BLOCKED)
def deepeval_not_a_number(scene: Scene) -> None:
    """Twelve scores are NaN."""
    with scene.json() as document:
        for case in cases(document)[:12]:
            case["metricsData"][0]["score"] = float("nan")
        restate(document)


@doctored(DEEPEVAL_SCORED, "a score is not a finite number")
def deepeval_infinity(scene: Scene) -> None:
    """Failed cases have a score of Infinity, which is above every threshold."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            case["success"] = True
            case["metricsData"][0].update(score=float("inf"), success=True)
        restate(document)


@doctored(DEEPEVAL, "a score is not a finite number")
def deepeval_scores_are_words(scene: Scene) -> None:
    """The scores are strings."""
    with scene.json() as document:
        for case in cases(document):
            case["metricsData"][0]["score"] = "1.0"


@doctored(DEEPEVAL, "a score is not a finite number")
def deepeval_scores_are_truths(scene: Scene) -> None:
    """The scores are true, which Python takes for the number 1."""
    with scene.json() as document:
        for case in cases(document):
            case["metricsData"][0]["score"] = True


@doctored(DEEPEVAL, "a test case has no name")
def deepeval_nameless(scene: Scene) -> None:
    """The cases have neither names nor inputs."""
    with scene.json() as document:
        for case in cases(document):
            case["name"] = case["input"] = None


@doctored(DEEPEVAL, "more rows than are declared")
def deepeval_case_twice(scene: Scene) -> None:
    """A case is in the file twice, in place of a harder one."""
    with scene.json() as document:
        cases(document)[150] = {**cases(document)[0], "order": 150}


@doctored(DEEPEVAL, "its totals are 196 passed")
def deepeval_failures_among_conversations(scene: Scene) -> None:
    """The failed cases were moved to the list of conversations, where nobody looks."""
    with scene.json() as document:
        run = document["testRunData"]
        extra = [{**case, "name": f"c-{case['name']}"} for case in cases(document)[:50]]
        for case in extra:
            case["success"] = False
            case["metricsData"] = [{**case["metricsData"][0], "success": False, "score": 0.0}]
        run["conversationalTestCases"] = extra


@doctored(DEEPEVAL_ALONE, "does not say when the evaluation ran", attest=False)
def deepeval_without_a_time(scene: Scene) -> None:
    """The policy asks for a fresh run, and the format has no time."""
    policy = scene.folder / "gate.yaml"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace('"cases": 200', '"cases": 200, "max_age": "24h"'))


@doctored(DEEPEVAL_ALONE, "is about another commit")
def deepeval_other_commit(scene: Scene) -> None:
    """The run found no cases, and the file of the commit before is still there."""
    scene.replace(scene.head, OTHER_COMMIT)


@doctored(DEEPEVAL_ALONE, "does not say which commit it is about")
def deepeval_without_a_commit(scene: Scene) -> None:
    """The run has no hyperparameters, and nobody attested to the file."""
    with scene.json() as document:
        document["testRunData"]["hyperparameters"] = {}


@doctored(DEEPEVAL, "its attestation that it is about")
def deepeval_commit_and_attestation_differ(scene: Scene) -> None:
    """The file names the commit before, and the run attests that it is about this one."""
    scene.replace(scene.head, OTHER_COMMIT)


@doctored(DEEPEVAL, "not complete JSON")
def deepeval_truncated(scene: Scene) -> None:
    """The job was ended while the file was written."""
    scene.write(scene.file.read_bytes()[:-100])


@doctored(DEEPEVAL, "it is empty")
def deepeval_empty(scene: Scene) -> None:
    """The file is there and has no content."""
    scene.write(b"")


@doctored(DEEPEVAL, "totals of its metrics disagree")
def deepeval_no_cases(scene: Scene) -> None:
    """The list of cases is empty."""
    with scene.json() as document:
        cases(document).clear()
        restate(document)


@doctored(DEEPEVAL, "two values of one name")
def deepeval_success_twice(scene: Scene) -> None:
    """Each failed case has success twice, first false and then true."""
    scene.take("deepeval/fail.latest_test_run.json")
    scene.replace('"success":false', '"success":false,"success":true')


@doctored(DEEPEVAL, "bar inside the file")
def deepeval_threshold_lowered_and_no_bar(scene: Scene) -> None:
    """The threshold was lowered to 0.1, and the policy does not say which score is enough."""
    scene.take("deepeval/fail.latest_test_run.json")
    with scene.json() as document:
        for case in cases(document):
            entry = case["metricsData"][0]
            if not case["success"]:
                entry["score"] = 0.2
            case["success"] = True
            entry.update(threshold=0.1, success=True)
        restate(document)


@doctored(DEEPEVAL_ALL, "150 of 200 cases passed", ends=BLOCKED)
def deepeval_second_metric_fails(scene: Scene) -> None:
    """All checks count, and every fourth case fails the second one."""
    with scene.json() as document:
        run = document["testRunData"]
        for number, case in enumerate(cases(document)):
            case["metricsData"] = [
                {**case["metricsData"][0], "score": 1.0, "success": True},
                {
                    **case["metricsData"][0],
                    "name": "Tone",
                    "score": float(number % 4 > 0),
                    "success": number % 4 > 0,
                },
            ]
            case["success"] = number % 4 > 0
        run["metricsScores"] = [
            {"metric": "Faithfulness", "scores": [1.0] * 200, "passes": 200, "fails": 0},
            {
                "metric": "Tone",
                "scores": [float(number % 4 > 0) for number in range(200)],
                "passes": 150,
                "fails": 50,
            },
        ]
        for totals in run["metricsScores"]:
            totals["errors"] = 0
        run.update(testPassed=150, testFailed=50)
