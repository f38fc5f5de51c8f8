"""Evidently's reports and snapshots after an accident or by the hand of a cheater."""

from fractions import Fraction
from typing import Any

import pytest

from gate.evaluations import EvaluationRun, Tally
from tests.evaluations.documents import Change, Document, changed
from tests.evaluations.honest import run_of

COUNT = "CategoryCount(column=passed,categories=True)"


def doctored(
    change: Change, metric: str | None = "passed", score: Fraction | None = None
) -> EvaluationRun:
    return changed("evidently/pass.json", change, metric, score)


def value(document: Document, **more: Any) -> None:
    document["metrics"][2]["value"].update(more)


@pytest.mark.parametrize("metric", ["passed", COUNT, None, "all"])
@pytest.mark.parametrize("name", ["pass.json", "pass.snapshot.json"])
def test_a_count_is_meant_by_its_column_or_its_name(name: str, metric: str | None) -> None:
    run = run_of(f"evidently/{name}", metric)

    assert run.tally == Tally(cases=200, passed=196)
    assert run.flaws == ()


def test_missing_values_stay_in_the_denominator() -> None:
    # The share of the file is 192/194, and its test a success.
    assert run_of("evidently/errors.json", "passed").tally == Tally(cases=200, passed=192)


def test_a_snapshot_has_a_time_without_a_zone() -> None:
    run = run_of("evidently/pass.snapshot.json", "passed")

    assert run.started_at is not None
    assert run.started_at.isoformat(timespec="seconds") == "2026-11-28T09:00:33+00:00"
    assert not run.zoned
    assert run.commit == "46c34f6b8f3fe90c303ccc3e1cca1a21079c6849"


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (lambda d: d["metrics"].pop(0), "add RowCount() to the report"),
        (lambda d: d["metrics"][0].update(value=0), "add RowCount() to the report"),
        (lambda d: d["metrics"][0].update(value=-200), "add RowCount() to the report"),
        (lambda d: d["metrics"].append(d["metrics"][0]), "add RowCount() to the report"),
        (lambda d: d["metrics"][0].update(value=100), "is not a count of rows"),
        (lambda d: value(d, count=float("nan")), "is not a count of rows"),
        (lambda d: value(d, count="196"), "is not a count of rows"),
        (lambda d: value(d, share=None), "is not a count of rows"),
        (lambda d: d["metrics"][2].update(value=0.98), "is not a count of rows"),
        (lambda d: value(d, share=0.97), "contradict each other"),
        (lambda d: value(d, share=1.01), "contradict each other"),
        (lambda d: d["metrics"].pop(2), "how many rows passed"),
        (lambda d: d["metrics"].append(d["metrics"][2]), "which count of passes"),
        (lambda d: d["metrics"][2]["config"].update(categories=["False"]), "is not known"),
        (lambda d: d["tests"][2].update(status="FAIL"), "contradicts its value"),
        (lambda d: d["tests"][1].update(status="ERROR"), "could not be calculated"),
        (lambda d: value(d, share=0.9), "contradicts its value"),
    ],
)
def test_a_report_that_proves_nothing_is_flawed(change: Change, clause: str) -> None:
    assert clause in " ".join(doctored(change).flaws)


def test_a_category_that_the_policy_names_is_counted() -> None:
    def fails(document: Document) -> None:
        document["metrics"][2]["config"].update(categories=["False"])

    assert doctored(fails, "CategoryCount(column=passed,categories=False)").flaws == ()


def test_a_mean_is_not_a_share_of_passes() -> None:
    run = run_of("evidently/pass.json", "faithfulness")

    assert run.tally is None
    assert "name a CategoryCount as `metric`; it has CategoryCount(column=passed" in run.flaws[0]


def test_a_report_has_no_scores_of_cases() -> None:
    run = doctored(lambda d: None, score=Fraction(1, 2))  # noqa: ARG005

    assert run.flaws == ("it has no scores of cases: leave `score` out",)


@pytest.mark.parametrize("status", ["WARNING", "SKIPPED", None])
def test_what_the_tests_of_the_author_say_decides_nothing(status: Any) -> None:
    def change(document: Document) -> None:
        for test in document["tests"]:
            test["status"] = status

    assert doctored(change).tally == Tally(cases=200, passed=196)
