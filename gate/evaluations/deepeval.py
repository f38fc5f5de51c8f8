"""DeepEval's test runs: ``.deepeval/.latest_test_run.json`` and ``.latest_run_full.json``.

Source: ``TestRun`` and ``LLMApiTestCase`` of deepeval, and files of 4.3.1.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gate.evaluations import CaseOutcome, CaseRow, EvaluationRun
from gate.evaluations.documents import (
    Flaws,
    ResultsQuery,
    agreed_commit,
    by_own_bar,
    by_score,
    commits_in,
    identity,
    score_of,
    worst,
)
from gate.evaluations.values import count, exact, mapping, sequence, words

_BY_ORDER: Final = re.compile(r"(conversational_)?test_case_\d+")
"""The names that DeepEval gives to unnamed cases; they depend on the order."""


def is_document(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a test run, with or without ``testRunData``."""
    return {"testCases", "metricsScores"} <= _data(document).keys()


def _data(document: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(document.get("testRunData")) or document


def read(document: Mapping[str, Any], query: ResultsQuery) -> EvaluationRun:
    """Return the run in a document: it has neither a time nor a commit of its own."""
    data = _data(document)
    cases = [
        mapping(case)
        for name in ("testCases", "conversationalTestCases")
        for case in sequence(data.get(name))
    ]
    flaws = Flaws()
    names = sorted({name for case in cases for name in map(_name, _checks(case))})
    metric = query.metric_among(names, flaws)
    rows = tuple(_row(case, metric, query, flaws) for case in cases)
    if not cases:
        flaws.add("it has no test cases")
    _check_totals(data, cases, flaws)
    return EvaluationRun(
        tool="deepeval",
        file_name=query.file_name,
        rows=rows,
        commit=agreed_commit(commits_in(data.get("hyperparameters")), flaws),
        flaws=flaws.clauses(),
        metrics=tuple(names),
    )


def _checks(case: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [mapping(check) for check in sequence(case.get("metricsData"))]


def _name(check: Mapping[str, Any]) -> str:
    return words(check.get("name")) or "without a name"


def _row(case: Mapping[str, Any], metric: str | None, query: ResultsQuery, flaws: Flaws) -> CaseRow:
    name = words(case.get("name"))
    is_numbered = name is None or _BY_ORDER.fullmatch(name)
    case_id = (identity(case.get("input")) if is_numbered else None) or identity(name)
    if case_id is None:
        flaws.add("a test case has no name")
    named = case_id or "without a name"
    checks = _checks(case)
    _check_success(case, checks, flaws, named)
    chosen = [check for check in checks if query.metric is None or _name(check) == metric]
    if checks and not chosen and metric is not None:
        flaws.add(f"cases lack the metric {metric!r}", named)
    outcome = worst([_outcome(check, query, flaws, named) for check in chosen])
    by_tool = query.metric is None and query.score is None
    if not checks:
        outcome = CaseOutcome.UNCHECKED
    elif outcome is CaseOutcome.PASSED and by_tool and case.get("success") is False:
        outcome = CaseOutcome.FAILED  # by an expectation
    elif outcome is CaseOutcome.PASSED and case.get("flaky"):
        outcome = CaseOutcome.FLAKY
    score = exact(chosen[0].get("score")) if len(chosen) == 1 else None
    return CaseRow(case_id=case_id, outcome=outcome, score=score)


def _check_success(
    case: Mapping[str, Any], checks: Sequence[Mapping[str, Any]], flaws: Flaws, case_id: str
) -> None:
    """Note a case whose success contradicts that of its metrics.

    Flaky metrics do not decide, but expectations do, which are not among the metrics.
    """
    decisive = [check.get("success") for check in checks if check.get("flaky") is not True]
    is_failed = any(each is False for each in decisive)
    may_fail = case.get("expectationsData") is not None and case.get("success") is False
    if (is_failed or True in decisive) and case.get("success") is is_failed and not may_fail:
        flaws.add("the `success` of a case contradicts that of its metrics", case_id)


def _outcome(
    check: Mapping[str, Any], query: ResultsQuery, flaws: Flaws, case_id: str
) -> CaseOutcome:
    """Return the outcome of a case by one metric."""
    success, bar = check.get("success"), exact(check.get("threshold"))
    if check.get("error") or check.get("score") is None:
        # `deepeval test run` also leaves out the error.
        if success is True:
            flaws.add("a metric is a success without a score", case_id)
        return CaseOutcome.ERRORED
    score = score_of(check.get("score"), flaws, case_id)
    if score is None or score < 0:
        return by_score(score, query, flaws, case_id)
    if success is not None and (bar is None or success is not (score >= bar)):
        flaws.add("the `success` of a metric contradicts its score and threshold", case_id)
        return CaseOutcome.UNSCORED
    if query.score is not None or success is None:
        outcome = by_score(score, query, flaws, case_id)
    elif success:
        outcome = by_own_bar(score, [check.get("threshold")], flaws, case_id)
    else:
        outcome = CaseOutcome.FAILED
    is_flaky = bool(check.get("flaky")) and outcome is CaseOutcome.PASSED
    return CaseOutcome.FLAKY if is_flaky else outcome


def _check_totals(
    data: Mapping[str, Any], cases: Sequence[Mapping[str, Any]], flaws: Flaws
) -> None:
    """Note an unfinished run, and totals that contradict the cases."""
    declared = (count(data.get("testPassed")), count(data.get("testFailed")))
    scores = [mapping(score) for score in sequence(data.get("metricsScores"))]
    if None in declared or not scores:
        flaws.add("the run is not finished: its totals are missing")
        return
    successes = [case.get("success") for case in cases]
    counted = (successes.count(True), successes.count(False))
    if declared != counted:
        flaws.add(
            f"its totals are {declared[0]} passed and {declared[1]} failed, and its cases"
            f" {counted[0]} and {counted[1]}"
        )
    if any(case.get("trace") for case in cases):
        return  # the metrics of its spans are in these totals, too
    totals = {_metric_of(score): _total(score) for score in scores}
    counts = _counts([check for case in cases for check in _checks(case)])
    if totals != counts:
        flaws.add("the totals of its metrics disagree with its cases")


def _metric_of(score: Mapping[str, Any]) -> str:
    return words(score.get("metric")) or "without a name"


def _total(score: Mapping[str, Any]) -> tuple[int | None, ...]:
    numbers = tuple(count(score.get(name)) for name in ("passes", "fails", "errors"))
    return (*numbers, len(sequence(score.get("scores"))))


def _counts(checks: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int | None, ...]]:
    """Return the passes, fails, errors and scores of each metric."""
    counts: dict[str, list[int]] = {}
    for check in checks:
        numbers = counts.setdefault(_name(check), [0, 0, 0, 0])
        success = check.get("success")
        is_scored = check.get("score") is not None and success is not None
        numbers[(0 if success else 1) if is_scored else 2] += 1
        numbers[3] += is_scored
    return {name: tuple(numbers) for name, numbers in counts.items()}
