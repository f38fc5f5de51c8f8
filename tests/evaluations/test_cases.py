"""Distinct cases of several rows and several files."""

import os
import subprocess
from pathlib import Path

import pytest

from gate.evaluations import CaseOutcome, CaseRow, EvaluationRun, Tally
from gate.evaluations.cases import case_digest, cases_of, describe

PASSED, FAILED, ERRORED = CaseOutcome.PASSED, CaseOutcome.FAILED, CaseOutcome.ERRORED


def run(*rows: tuple[str | None, CaseOutcome], repeats: int = 1) -> EvaluationRun:
    cases = tuple(CaseRow(case_id=name, outcome=outcome) for name, outcome in rows)
    return EvaluationRun(tool="junit", rows=cases, repeats=repeats)


def test_the_cases_of_several_files_are_united() -> None:
    cases = cases_of([run(("b", PASSED), ("c", FAILED)), run(("a", PASSED))])

    assert dict(cases.outcomes) == {"a": PASSED, "b": PASSED, "c": FAILED}
    assert (cases.passed, cases.total, cases.doubts) == (2, 3, ())


def test_without_runs_there_are_no_cases() -> None:
    assert cases_of([]).total == 0


@pytest.mark.parametrize("other", [PASSED, FAILED])
def test_a_case_in_two_files_is_a_duplicate(other: CaseOutcome) -> None:
    cases = cases_of([run(("a", PASSED)), run(("a", other))])

    assert cases.duplicates == ("a",)
    assert cases.total == 1
    assert cases.doubts == (
        "cases have more rows than are declared (a): reruns have to be declared with `repeats`",
    )


def test_repeats_of_the_policy_are_declared() -> None:
    rows = (("a", PASSED), ("a", FAILED), ("b", PASSED), ("b", PASSED))
    cases = cases_of([run(*rows)], repeats=2)

    assert dict(cases.outcomes) == {"a": FAILED, "b": PASSED}
    assert cases.doubts == ()


def test_a_case_that_lacks_a_declared_row_has_not_passed() -> None:
    cases = cases_of([run(("a", PASSED), ("a", PASSED), ("b", PASSED), ("c", ERRORED))], repeats=2)

    assert dict(cases.outcomes) == {"a": PASSED, "b": CaseOutcome.MISSING, "c": ERRORED}


def test_each_file_declares_its_own_repeats() -> None:
    cases = cases_of([run(("a", PASSED), ("a", PASSED), repeats=2), run(("b", PASSED))])

    assert (cases.passed, cases.doubts) == (2, ())


def test_long_lists_of_duplicates_are_cut() -> None:
    cases = cases_of([run(*[(name, PASSED) for name in "aabbccddee"])])

    assert cases.duplicates == ("a", "b", "c", "d", "e")
    assert "(a, b, c and 2 more)" in cases.doubts[0]


def test_rows_without_an_id_cannot_be_counted() -> None:
    cases = cases_of([run((None, PASSED), (None, FAILED), ("a", PASSED))])

    assert (cases.passed, cases.total) == (2, 3)
    assert cases.doubts == ("2 rows have no id, so that distinct cases cannot be counted",)


def totals(cases: int, passed: int) -> EvaluationRun:
    return EvaluationRun(tool="lm-eval", tally=Tally(cases=cases, passed=passed))


def test_totals_alone_are_taken_as_they_are() -> None:
    cases = cases_of([totals(200, 196)])

    assert (cases.passed, cases.total, cases.doubts) == (196, 200, ())
    assert cases.counts == {PASSED: 196, FAILED: 4}


@pytest.mark.parametrize("other", [totals(200, 196), run(("a", PASSED))])
def test_totals_beside_another_file_are_in_doubt(other: EvaluationRun) -> None:
    assert "may be those of the other files" in cases_of([totals(200, 196), other]).doubts[0]


def test_the_worst_is_what_counts_and_what_is_described() -> None:
    outcomes = [ERRORED, ERRORED, FAILED, CaseOutcome.SKIPPED, PASSED]
    cases = cases_of([run(*[(str(place), each) for place, each in enumerate(outcomes)])])

    assert describe(cases.counts) == "2 errored, 1 failed, 1 skipped"
    assert describe({PASSED: 3}) == ""


def test_the_digest_of_cases_is_what_the_shell_makes_of_their_ids(tmp_path: Path) -> None:
    ids = ["q-2", "Q-1", "q-10", "é", "q-2"]
    (tmp_path / "ids.txt").write_text("".join(f"{case_id}\n" for case_id in ids), encoding="utf-8")
    printed = subprocess.run(
        "sort -u ids.txt | sha256sum",
        shell=True,
        cwd=tmp_path,
        env={**os.environ, "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert case_digest(ids) == printed.split()[0]
    assert case_digest(reversed(ids)) == case_digest(ids)
    assert case_digest(["q-2"]) != case_digest(["q-1"])
