"""lm-eval's results and samples after an accident or by the hand of a cheater."""

import json
from fractions import Fraction
from statistics import mean, stdev
from typing import Any

import pytest

from gate.evaluations import EvaluationRun, Tally, UnreadableResultsError
from gate.evaluations.reading import read_run
from tests.evaluations.documents import Change, Document, changed
from tests.evaluations.honest import content, outcomes, run_of

PASS = "lmeval/pass/results_2026-11-28T22-56-06.190442.json"
SMALL = "lmeval/small/results_2026-11-28T22-56-56.005655.json"
SAMPLES = "lmeval/pass/samples_sums_2026-11-28T22-56-06.190442.jsonl"


def doctored(
    change: Change, metric: str | None = "exact_match,none", score: Fraction | None = None
) -> EvaluationRun:
    return changed(PASS, change, metric, score)


def with_values(*values: float) -> Change:
    """Give the task these values of its cases, with the figures that lm-eval makes of them."""
    error: Any = stdev(values) / len(values) ** 0.5 if len(values) > 1 else "N/A"

    def change(document: Document) -> None:
        figures = {"exact_match,none": mean(values), "exact_match_stderr,none": error}
        document["results"]["sums"].update(figures, sample_len=len(values))
        document["n-samples"]["sums"] = {"original": len(values), "effective": len(values)}

    return change


@pytest.mark.parametrize(
    ("values", "tally"),
    [
        ([1.0] * 150 + [0.0] * 50, Tally(cases=200, passed=150)),
        ([1.0] * 2 + [0.0], Tally(cases=3, passed=2)),
        ([0.0] * 7, Tally(cases=7, passed=0)),
        ([1.0] * 7, Tally(cases=7, passed=7)),
        ([1.0], Tally(cases=1, passed=1)),
        ([0.5], None),
        ([1.0] * 199 + [0.5], None),
        ([0.5] * 200, None),
        ([1.0, 1.0, 0.5, 0.5, 0.0], None),
    ],
)
def test_a_mean_is_a_share_only_where_its_error_proves_it(
    values: list[float], tally: Tally | None
) -> None:
    run = doctored(with_values(*values))

    assert run.tally == tally
    assert bool(run.flaws) is (tally is None)


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (lambda d: d["n-samples"]["sums"].update(effective=50), "only 50 of 200 cases"),
        (lambda d: d["config"].update(limit=50.0), "only 200 of 200 cases"),
        (lambda d: d["config"].update(limit=1), "only 200 of 200 cases"),
        (lambda d: d["n-samples"].pop("sums"), "does not say how many cases"),
        (lambda d: d["n-samples"]["sums"].update(effective=0), "does not say how many cases"),
        (lambda d: d["n-samples"]["sums"].update(effective=-200), "does not say how many cases"),
        (lambda d: d["results"]["sums"].update(sample_len=199), "two numbers of cases"),
        (lambda d: d["higher_is_better"]["sums"].update(exact_match=False), "a high exact_match"),
        (lambda d: d.pop("higher_is_better"), "a high exact_match is good"),
        (lambda d: d["results"]["sums"].update({"exact_match,none": 1.5}), "between 0 and 1"),
        (lambda d: d["results"]["sums"].update({"exact_match,none": -1}), "between 0 and 1"),
        (lambda d: d["results"]["sums"].update({"exact_match,none": "1"}), "between 0 and 1"),
        (lambda d: d["results"]["sums"].update({"exact_match,none": float("nan")}), "between 0"),
        (
            lambda d: d["results"]["sums"].update({"exact_match,none": 0.99}),
            "not the share",
        ),
        (
            lambda d: d["results"]["sums"].update({"exact_match_stderr,none": "N/A"}),
            "not the share",
        ),
        (lambda d: d["results"]["sums"].pop("exact_match,none"), "no metric 'exact_match,none'"),
        (lambda d: d.update(results=[]), "it has none"),
    ],
)
def test_results_that_prove_nothing_are_flawed(change: Change, clause: str) -> None:
    assert clause in " ".join(doctored(change).flaws)


@pytest.mark.parametrize(
    "metric", ["exact_match,none", "sums/exact_match,none", "sums", None, "all"]
)
def test_a_metric_has_its_filter_and_perhaps_its_task(metric: str | None) -> None:
    assert run_of(PASS, metric).tally == Tally(cases=200, passed=196)


@pytest.mark.parametrize("limit", [None, 0.5, 200.0, 500])
def test_a_limit_that_is_not_reached_limits_nothing(limit: Any) -> None:
    assert doctored(lambda d: d["config"].update(limit=limit)).flaws == ()


def test_of_several_filters_and_tasks_one_is_to_be_named() -> None:
    def second(document: Document) -> None:
        results = document["results"]["sums"]
        results.update({"exact_match,strict": 0.5, "exact_match_stderr,strict": 0.1})
        document["results"]["other"] = {"exact_match,none": 1.0}

    assert doctored(second, "sums/exact_match,none").tally == Tally(cases=200, passed=196)
    for metric in (None, "exact_match,none"):
        assert "several metrics may be meant" in doctored(second, metric).flaws[0]
    for metric in ("exact_match", "sums"):
        assert "there is no metric" in doctored(second, metric).flaws[0]


def test_without_a_metric_there_is_none_to_name() -> None:
    assert doctored(lambda d: d.update(results={}), None).flaws == (
        "there is no metric in it: it has none",
    )


@pytest.mark.parametrize(("score", "flaws"), [("0.5", 0), ("1", 0), ("0", 1), ("2", 1)])
def test_cases_are_right_or_wrong_whatever_the_bar(score: str, flaws: int) -> None:
    assert len(doctored(lambda d: None, score=Fraction(score)).flaws) == flaws  # noqa: ARG005


def test_results_have_the_hashes_of_their_questions() -> None:
    digest = run_of(SMALL, None).digests["sums10"]

    assert len(digest) == 64
    assert doctored(lambda d: d.update(task_hashes={"sums": 1})).digests == {}


@pytest.mark.parametrize("date", [None, "1795906565", -1, 1e30, float("nan"), True])
def test_what_is_not_an_instant_is_not_a_time(date: Any) -> None:
    assert doctored(lambda d: d.update(date=date)).started_at is None


@pytest.mark.parametrize("commit", [None, "", "46c34f", 46])
def test_a_commit_is_one_or_there_is_none(commit: Any) -> None:
    assert doctored(lambda d: d.update(git_hash=commit)).commit is None


def samples(*changes: Document, metric: str | None = "exact_match,none") -> EvaluationRun:
    lines = [json.loads(line) for line in content(SAMPLES).splitlines()[: len(changes)]]
    text = "\n".join(
        json.dumps({**line, **each}) for line, each in zip(lines, changes, strict=True)
    )
    return read_run(text.encode(), file_name="x", metric=metric)


def test_samples_are_cases() -> None:
    run = run_of(SAMPLES, "exact_match,none")

    assert outcomes(run) == {"passed": 196, "failed": 4}
    assert len({row.case_id for row in run.rows}) == 200


def test_a_single_sample_is_a_case() -> None:
    assert outcomes(samples({})) == {"passed": 1}


def test_a_sample_without_a_proof_is_not_a_pass() -> None:
    nan = float("nan")
    run = samples({"exact_match": nan}, {"exact_match": "1"}, {"exact_match": -1}, {})

    assert outcomes(run) == {"unscored": 3, "passed": 1}
    assert len(run.flaws) == 2


def test_a_sample_may_lack_a_metric() -> None:
    run = samples({}, {"metrics": ["exact_match", "f1"]}, metric=None)

    assert outcomes(run) == {"unscored": 2}
    assert "rows lack the metric 'f1'" in run.flaws[0]


def test_a_metric_that_samples_lack_is_named_beside_those_that_they_have() -> None:
    run = samples({}, metric="acc,none")

    assert run.flaws == ("there is no metric 'acc,none' in it: it has exact_match,none",)
    assert outcomes(run) == {"unscored": 1}


def test_a_filter_that_does_not_count_makes_no_rows() -> None:
    other = {"filter": "strict"}

    assert len(samples({}, other, {}).rows) == 2
    assert samples({}, other, metric=None).repeats == 2


@pytest.mark.parametrize(
    ("change", "case_id"),
    [
        ({"doc_hash": "abc"}, "abc"),
        ({"doc_hash": None}, "0"),
        ({"doc_hash": None, "doc_id": "x"}, None),
    ],
)
def test_a_sample_is_identified_by_its_question(change: Document, case_id: str | None) -> None:
    assert samples(change).rows[0].case_id == case_id


def test_a_line_that_is_cut_is_refused() -> None:
    with pytest.raises(UnreadableResultsError, match="not complete JSON"):
        read_run(content(SAMPLES)[:1000], file_name="x")
