"""Inspect's logs after an accident or by the hand of a cheater."""

from fractions import Fraction
from typing import Any

import pytest

from gate.evaluations import CaseOutcome, EvaluationRun
from gate.evaluations.cases import cases_of
from tests.evaluations.documents import Change, Document, changed
from tests.evaluations.honest import outcomes, run_of


def doctored(
    change: Change,
    name: str = "small",
    metric: str | None = "match",
    score: Fraction | None = None,
) -> EvaluationRun:
    return changed(f"inspect/{name}.json", change, metric, score)


def scored(value: Any, **more: Any) -> EvaluationRun:
    def change(document: Document) -> None:
        document["samples"][0]["scores"]["match"]["value"] = value
        document["results"]["scores"] = []  # its accuracy would contradict

    return doctored(change, **more)


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (lambda d: d.update(version=3), "its version is 3, and only 2"),
        (lambda d: d.update(status="started"), "its status is 'started'"),
        (lambda d: d.update(invalidated=True), "invalidated"),
        (lambda d: d.update(error={"message": "503"}), "ended with an error"),
        (
            lambda d: d["samples"][0].update(invalidation={"author": "x"}),
            "a sample was invalidated",
        ),
        (lambda d: d.pop("results"), "no results"),
        (lambda d: d["results"].update(early_stopping={"reason": ""}), "stopped early"),
        (lambda d: d["results"].update(completed_samples=9), "counts 9 of 10"),
        (lambda d: d["results"].update(total_samples="10"), "counts 10 of 10 samples as completed"),
        (lambda d: d["samples"].pop(), "counts 10 of 10 samples as completed, and has 9 of 9"),
        (lambda d: d["eval"]["dataset"].update(samples=200), "only 10 of 200 samples"),
        (lambda d: d["eval"]["dataset"].pop("samples"), "does not say which samples"),
        (lambda d: d["eval"]["dataset"].pop("sample_ids"), "does not say which samples"),
        (lambda d: d["samples"][0].update(id="q-999"), "samples that it does not announce"),
        (lambda d: d["samples"][0].pop("id"), "a sample has no id"),
        (lambda d: d["samples"][1].update(id="q-001"), "two samples of the same id and epoch"),
        (lambda d: d["samples"][0].update(scores={}), "lack the scorer 'match', and have none"),
        (lambda d: d["samples"][0]["scores"]["match"].update(value="I"), "its accuracy is not"),
        (lambda d: d["metadata"].update(git_sha="b" * 40), "it names two commits"),
        (lambda d: d.update(samples=[]), "does not announce"),
    ],
)
def test_a_log_that_contradicts_itself_is_flawed(change: Change, clause: str) -> None:
    if clause == "does not announce":
        clause = "has 0 of 0"

    assert clause in " ".join(doctored(change).flaws)


def test_a_log_without_samples_is_flawed() -> None:
    def empty(document: Document) -> None:
        document["samples"] = []
        document["eval"]["dataset"].update(samples=0, sample_ids=[])
        document["results"].update(total_samples=0, completed_samples=0)

    assert "it has no samples" in doctored(empty).flaws


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        ("C", CaseOutcome.PASSED),
        ("P", CaseOutcome.FAILED),
        ("I", CaseOutcome.FAILED),
        ("N", CaseOutcome.FAILED),
        (True, CaseOutcome.PASSED),
        (False, CaseOutcome.FAILED),
        (1, CaseOutcome.PASSED),
        (0.0, CaseOutcome.FAILED),
        (float("nan"), CaseOutcome.UNSCORED),
        (None, CaseOutcome.UNSCORED),
    ],
)
def test_a_grade_is_a_pass_only_where_it_is_the_full_one(value: Any, outcome: CaseOutcome) -> None:
    run = scored(value)

    assert run.rows[0].outcome is outcome
    assert run.flaws == ()


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        ("correct", "not a finite number"),
        (["C"], "not a finite number"),
        (-1, "negative"),
        (0.5, "the policy has no `score`"),
        (5, "the policy has no `score`"),
    ],
)
def test_a_grade_that_tells_nothing_is_a_flaw(value: Any, clause: str) -> None:
    run = scored(value)

    assert run.rows[0].outcome is not CaseOutcome.PASSED
    assert clause in run.flaws[0]


@pytest.mark.parametrize(
    ("value", "bar", "outcome"),
    [
        ("P", "0.5", CaseOutcome.PASSED),
        ("P", "0.51", CaseOutcome.FAILED),
        ("C", "1", CaseOutcome.PASSED),
        (0.7, "0.7", CaseOutcome.PASSED),  # exactly, although 0.7 is not a binary fraction
        (0.69, "0.7", CaseOutcome.FAILED),
    ],
)
def test_the_bar_of_the_policy_decides_where_it_has_one(
    value: Any, bar: str, outcome: CaseOutcome
) -> None:
    run = scored(value, score=Fraction(bar))

    assert run.rows[0].outcome is outcome
    assert run.flaws == ()


@pytest.mark.parametrize("score", [None, Fraction(1, 2)])
def test_a_partial_credit_is_half_of_one_in_the_accuracy(score: Fraction | None) -> None:
    def change(document: Document) -> None:
        document["samples"][0]["scores"]["match"].update(value="P")
        document["results"]["scores"][0]["metrics"]["accuracy"]["value"] = 0.95

    assert doctored(change, score=score).flaws == ()


def test_the_accuracy_of_another_scorer_is_not_compared() -> None:
    def second(document: Document) -> None:
        for sample in document["samples"]:
            sample["scores"]["style"] = {"value": "I"}
        figures = {"name": "style", "scorer": "style", "metrics": {"accuracy": {"value": 0.5}}}
        document["results"]["scores"].append(figures)

    assert doctored(second).flaws == ()
    assert doctored(second, metric="style").flaws == ("its accuracy is not that of its samples",)


@pytest.mark.parametrize("completed", [9, 10])
def test_a_sample_with_an_error_and_a_score_may_count_as_completed(completed: int) -> None:
    def change(document: Document) -> None:
        document["samples"][0].update(error={"message": "503"})
        document["results"].update(completed_samples=completed)

    run = doctored(change)

    assert (outcomes(run), run.flaws) == ({"errored": 1, "passed": 9}, ())


@pytest.mark.parametrize("score", [None, Fraction(1, 2)], ids=["no bar", "a bar"])
@pytest.mark.parametrize(("accuracy", "is_right"), [(0.95, True), (1.0, False), (0.9, False)])
def test_an_accuracy_counts_half_of_what_is_partially_right(
    score: Fraction | None, accuracy: float, is_right: bool
) -> None:
    def change(document: Document) -> None:
        document["samples"][0]["scores"]["match"]["value"] = "P"
        document["results"]["scores"][0]["metrics"]["accuracy"]["value"] = accuracy

    run = doctored(change, score=score)

    assert (run.flaws == ()) == is_right


def test_a_sample_that_passed_when_it_was_tried_again_is_flaky() -> None:
    run = doctored(lambda d: d["samples"][0].update(error_retries=[{"message": "503"}]))

    assert outcomes(run) == {"flaky": 1, "passed": 9}


def test_a_sample_with_an_error_is_errored_whatever_its_score() -> None:
    run = doctored(lambda d: d["samples"][0].update(error={"message": "503"}))

    assert outcomes(run) == {"errored": 1, "passed": 9}


def test_a_sample_that_is_announced_and_lacks_is_missing() -> None:
    run = doctored(lambda d: d["samples"].pop())

    assert outcomes(run) == {"passed": 9, "missing": 1}
    assert cases_of([run]).total == 10


def test_a_case_that_lacks_an_epoch_has_not_passed() -> None:
    cases = cases_of([doctored(lambda d: d["samples"].pop(), name="epochs")])

    assert (cases.passed, cases.counts[CaseOutcome.MISSING]) == (9, 1)


def test_every_scorer_counts_where_all_do() -> None:
    def second(document: Document) -> None:
        for sample in document["samples"]:
            sample["scores"]["style"] = {"value": "I" if sample["id"] == "q-001" else "C"}

    run = doctored(second, metric=None)

    assert run.metrics == ("match", "style")
    assert run.rows[0].outcome is CaseOutcome.FAILED
    assert outcomes(run) == {"failed": 1, "passed": 9}
    assert outcomes(doctored(second)) == {"passed": 10}
    # The task has this name, and two scorers: which of them counts is not said.
    assert "lack the scorer 'faithfulness'" in doctored(second, metric="faithfulness").flaws[0]


def test_a_scorer_may_give_several_values() -> None:
    def several(document: Document) -> None:
        for sample in document["samples"]:
            sample["scores"] = {"judge": {"value": {"correct": 1, "polite": 0}}}
        document["results"]["scores"] = []

    assert doctored(several, metric="correct").metrics == ("judge/correct", "judge/polite")
    assert outcomes(doctored(several, metric="correct")) == {"passed": 10}
    assert outcomes(doctored(several, metric="judge/polite")) == {"failed": 10}
    assert outcomes(doctored(several, metric="all")) == {"failed": 10}


@pytest.mark.parametrize("metric", ["match", "Match", "faithfulness", "all", None])
def test_a_scorer_is_meant_by_its_name_or_that_of_the_task(metric: str | None) -> None:
    assert outcomes(run_of("inspect/small.json", metric=metric)) == {"passed": 10}


def test_a_checkout_with_changes_binds_no_commit() -> None:
    run = doctored(lambda d: d["eval"]["revision"].update(dirty=True))

    assert run.commit is None
    assert run.commit_note is not None
    assert "not committed" in run.commit_note
    assert run.flaws == ()


@pytest.mark.parametrize("commit", ["", "46c34f", "main", None, 1234567, "46c34f6b", "46C34F6"])
def test_a_commit_has_at_least_seven_hexadecimal_digits(commit: Any) -> None:
    run = doctored(lambda d: d["eval"]["revision"].update(commit=commit))
    good = {"46c34f6b": "46c34f6b", "46C34F6": "46c34f6"}

    assert run.commit == good.get(commit)


def dated(header: str, *samples: str) -> EvaluationRun:
    """Read a log with times of the header, and of the first samples."""

    def change(document: Document) -> None:
        document["eval"].update(created=header)
        document["stats"].update(started_at=header)
        for sample in document["samples"]:
            sample.update(started_at=header, completed_at=header)
        for sample, time in zip(document["samples"], samples, strict=False):
            sample.update(started_at=time, completed_at=time)

    return doctored(change)


def test_a_run_is_as_old_as_its_oldest_sample() -> None:
    run = dated("2026-11-28T22:49:40+00:00", "2026-11-20T12:00:00+02:00")

    assert run.started_at is not None
    assert run.started_at.isoformat() == "2026-11-20T10:00:00+00:00"
    assert run.flaws == ()


def test_a_run_is_not_younger_than_all_its_samples() -> None:
    run = dated("2026-11-28T22:49:40Z", *["2026-11-28T22:48:39Z"] * 10)

    assert run.flaws == ("all its samples are older than the run",)


def test_a_log_without_times_has_none() -> None:
    assert dated("").started_at is None
