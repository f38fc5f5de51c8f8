"""The gate's reading of real tools' files: the figures of tests/data/evaluations/README.md."""

from datetime import UTC, datetime

import pytest

from gate.evaluations import CaseOutcome
from gate.evaluations.cases import cases_of
from gate.evaluations.reading import read_run
from tests.evaluations.honest import content, outcomes, run_of

COMMIT = "46c34f6b8f3fe90c303ccc3e1cca1a21079c6849"


@pytest.mark.variants(12)
@pytest.mark.parametrize(
    ("name", "passed", "failed", "errored"),
    [
        ("promptfoo/pass.json", 196, 4, 0),
        ("promptfoo/fail.json", 150, 50, 0),
        ("promptfoo/errors.json", 192, 2, 6),
        ("promptfoo/small.json", 10, 0, 0),
        ("promptfoo/pass.junit.xml", 196, 4, 0),
        ("promptfoo/errors.junit.xml", 192, 2, 6),
        ("promptfoo/small.junit.xml", 10, 0, 0),
        ("promptfoo/subset_meta.json", 100, 0, 0),
        ("inspect/pass.json", 196, 4, 0),
        ("inspect/fail.json", 150, 50, 0),
        ("inspect/errors.json", 192, 4, 4),  # two failures are time limits, which Inspect scores
        ("inspect/small.json", 10, 0, 0),
        ("inspect/all_errored.json", 0, 2, 198),
        ("junit/pass.xml", 196, 4, 0),
        ("junit/fail.xml", 150, 50, 0),
        ("junit/errors.xml", 192, 4, 4),
        ("junit/small.xml", 10, 0, 0),
        ("junit/xdist.xml", 196, 4, 0),
        ("junit/subset.xml", 19, 0, 0),
        ("junit/maxfail.xml", 19, 1, 0),
        ("deepeval/pass.latest_test_run.json", 196, 4, 0),
        ("deepeval/fail.latest_test_run.json", 150, 50, 0),
        ("deepeval/errors.latest_test_run.json", 192, 2, 6),
        ("deepeval/testrun_errors.latest_test_run.json", 192, 2, 6),
        ("deepeval/small.latest_test_run.json", 10, 0, 0),
        ("inspect/pass.eval", 196, 4, 0),
        ("inspect/errors.eval", 192, 4, 4),
        ("inspect/small.eval", 10, 0, 0),
    ],
)
def test_every_case_of_a_finished_run_is_counted(
    name: str, passed: int, failed: int, errored: int
) -> None:
    run = run_of(name)
    cases = cases_of([run])

    figures = {"passed": passed, "failed": failed, "errored": errored}
    assert run.flaws == ()
    assert run.file_name == name
    assert outcomes(run) == {outcome: rows for outcome, rows in figures.items() if rows}
    assert (cases.passed, cases.total, cases.doubts) == (passed, passed + failed + errored, ())


@pytest.mark.parametrize(
    ("name", "commit", "time"),
    [
        ("promptfoo/pass.json", COMMIT, "2026-11-28T22:51:51"),
        ("promptfoo/small.json", None, "2026-11-28T22:52:34"),
        ("promptfoo/pass.junit.xml", None, "2026-11-28T22:51:51"),
        ("inspect/pass.json", COMMIT[:7], "2026-11-28T22:49:15"),
        ("inspect/all_errored.json", "50edd5c", "2026-11-28T22:48:29"),
        ("junit/pass.xml", None, "2026-11-28T22:54:11"),
        ("inspect/pass.eval", COMMIT[:7], "2026-11-28T22:49:15"),
        ("lmeval/pass/results_2026-11-28T22-56-06.190442.json", COMMIT[:7], "2026-11-28T22:56:05"),
    ],
)
def test_a_run_has_the_commit_and_the_time_that_its_tool_has_written(
    name: str, commit: str | None, time: str
) -> None:
    run = run_of(name)

    assert run.commit == commit
    assert run.zoned
    assert run.started_at is not None
    assert run.started_at.replace(microsecond=0) == datetime.fromisoformat(time).replace(tzinfo=UTC)


def test_what_is_skipped_is_not_passed() -> None:
    assert outcomes(run_of("junit/skip.xml")) == {"skipped": 200}
    assert outcomes(run_of("junit/zero.xml")) == {"skipped": 1}


@pytest.mark.parametrize(
    "name",
    [
        "junit/collecterr.xml",
        "junit/zerok.xml",
        "promptfoo/zerofilter.junit.xml",
        "promptfoo/zerofilter.json",
    ],
)
def test_a_run_without_cases_is_flawed(name: str) -> None:
    run = run_of(name, metric=None)

    assert run.rows == ()
    assert len(run.flaws) == 1
    assert "no " in run.flaws[0]


@pytest.mark.parametrize("name", ["promptfoo/noassert.json", "promptfoo/tests_empty.json"])
def test_a_success_without_an_assertion_is_not_a_pass(name: str) -> None:
    assert {row.outcome for row in run_of(name, metric="all").rows} == {CaseOutcome.UNCHECKED}


@pytest.mark.parametrize(
    ("name", "clause"),
    [
        ("inspect/half_INT.json", "status is 'cancelled'"),
        ("inspect/half_KILL.json", "status is 'started'"),
        ("inspect/fail_on_error.json", "status is 'error'"),
        ("inspect/limit.json", "only 50 of 200 samples"),
        ("inspect/sampleid.json", "only 2 of 200 samples"),
        ("junit/half_INT.xml", "test case without a name"),
        ("junit/flaky.xml", "tests='10'"),
        ("promptfoo/noassert.json", "no metric 'faithfulness' in it: it names none"),
    ],
)
def test_a_run_that_is_not_whole_is_flawed(name: str, clause: str) -> None:
    assert clause in " ".join(run_of(name).flaws)


def test_rows_are_not_cases() -> None:
    epochs, repeated = run_of("inspect/epochs.json"), run_of("promptfoo/repeat.json")

    assert (epochs.repeats, len(epochs.rows), cases_of([epochs]).total) == (2, 20, 10)
    assert (repeated.repeats, len(repeated.rows), cases_of([repeated]).total) == (2, 400, 200)
    assert cases_of([repeated]).passed == 192
    assert not cases_of([epochs]).doubts
    assert not cases_of([repeated]).doubts


def test_a_case_with_a_success_and_an_error_has_not_passed() -> None:
    # promptfoo's time limit of the whole evaluation: 201 rows for 200 cases.
    cases = cases_of([run_of("promptfoo/maxtime.json")])

    assert cases.total == 200
    assert cases.outcomes["q-040"] is CaseOutcome.ERRORED
    assert cases.duplicates == ("q-040",)


def test_reruns_that_nobody_declares_are_duplicates() -> None:
    cases = cases_of([run_of("junit/flaky.xml")])

    assert cases.duplicates == ("test_flaky::test_flaky[q-004]", "test_flaky::test_flaky[q-008]")
    assert "more rows than are declared" in cases.doubts[0]


@pytest.mark.parametrize(
    ("name", "metric", "passed", "total"),
    [
        ("ragas/pass.csv", "exact_match", 196, 200),
        ("ragas/fail.json", "exact_match", 150, 200),
        ("ragas/errors.csv", "exact_match", 192, 200),
        ("ragas/errors.json", "exact_match", 192, 200),
        ("ragas/small.csv", "exact_match", 10, 10),
        ("ragas/all_errored.csv", "exact_match", 0, 200),
        ("lmeval/pass/results_2026-11-28T22-56-06.190442.json", "exact_match,none", 196, 200),
        ("lmeval/pass/samples_sums_2026-11-28T22-56-06.190442.jsonl", "exact_match,none", 196, 200),
        ("lmeval/fail/results_2026-11-28T22-56-39.755039.json", "sums", 150, 200),
        ("lmeval/small/results_2026-11-28T22-56-56.005655.json", "sums10", 10, 10),
        ("evidently/pass.json", "passed", 196, 200),
        ("evidently/pass.snapshot.json", "passed", 196, 200),
        ("evidently/fail.json", "passed", 150, 200),
        ("evidently/errors.json", "passed", 192, 200),
        ("evidently/small.json", "passed", 10, 10),
    ],
)
def test_a_metric_that_is_not_called_like_the_evaluation_is_named(
    name: str, metric: str, passed: int, total: int
) -> None:
    run = run_of(name, metric)
    cases = cases_of([run])

    assert run.flaws == ()
    assert (cases.passed, cases.total, cases.doubts) == (passed, total, ())


@pytest.mark.parametrize("name", ["errors", "fail", "pass", "scorer_errors", "small", "zero"])
def test_lines_of_braintrust_never_have_cases(name: str) -> None:
    run = run_of(f"braintrust/{name}.jsonl", metric=None)

    assert run.tool == "braintrust"
    assert cases_of([run]).total == 0
    assert "but not the number of passed cases" in run.flaws[0]


def test_lines_of_braintrust_name_what_they_have() -> None:
    assert run_of("braintrust/scorer_errors.jsonl", metric=None).metrics == ("f", "g")
    assert "6 tasks raised exceptions" in run_of("braintrust/errors.jsonl", metric=None).flaws
    assert (
        "no metric 'x' in it: it has faithfulness" in run_of("braintrust/pass.jsonl", "x").flaws[1]
    )


def test_several_lines_of_braintrust_are_read_together() -> None:
    lines = content("braintrust/scorer_errors.jsonl") + content("braintrust/errors.jsonl")
    run = read_run(lines, file_name="x")

    assert run.metrics == ("f", "g")
    assert len(run.flaws) == 2


def test_an_interrupted_run_of_deepeval_is_flawed() -> None:
    run = run_of("deepeval/half_INT.temp_test_run_data.json")

    assert run.flaws == ("the run is not finished: its totals are missing",)
