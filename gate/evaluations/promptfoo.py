"""promptfoo's results: JSON (``-o results.json``), or only rows (``-o rows.jsonl``).

Source: its types ``EvaluateResult`` and ``EvaluateSummaryV3``, and files of 0.121.20.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final

from gate.evaluations import CaseOutcome, CaseRow, EvaluationRun
from gate.evaluations.documents import (
    Flaws,
    ResultsQuery,
    agreed_commit,
    by_own_bar,
    commits_in,
    earliest,
    identity,
    score_of,
)
from gate.evaluations.values import count, exact, mapping, sequence, words

_VERSION: Final = 3
_NO_FAILURE, _ERROR = 0, 2
"""The values of ``ResultFailureReason``: none, an assertion (1), an error."""
_CLOCK: Final = timedelta(seconds=2)
"""The tolerated difference between two times of one creation."""


def is_document(document: Mapping[str, Any]) -> bool:
    """Return whether a document is that of ``-o results.json``."""
    results = _results(document)
    return isinstance(results.get("results"), list) and ("stats" in results or "evalId" in document)


def _results(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the object with the rows: ``results``, or the document itself if it is a summary."""
    results = document.get("results")
    return document if isinstance(results, list) else mapping(results)


def is_row(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a line of ``-o rows.jsonl``."""
    return {"success", "testCase", "promptIdx"} <= document.keys()


def read(document: Mapping[str, Any], query: ResultsQuery) -> EvaluationRun:
    """Return the run in the JSON file of an evaluation."""
    flaws = Flaws()
    results = _results(document)
    flaws.check_version(results.get("version", document.get("version")), _VERSION)
    rows = [mapping(row) for row in sequence(results["results"])]
    repeats = _repeats(document, results)
    run = _rows(rows, query, repeats, flaws)
    _check_totals(results, rows, flaws)
    metadata, config = mapping(document.get("metadata")), mapping(document.get("config"))
    # The time when the evaluation was created; the time of the export is later.
    times = [results.get("timestamp"), metadata.get("evaluationCreatedAt")]
    labels = [*commits_in(config.get("tags")), *commits_in(config.get("metadata"))]
    started_at, zoned = earliest(times, flaws, _CLOCK)
    return EvaluationRun(
        tool="promptfoo",
        file_name=query.file_name,
        rows=run,
        repeats=repeats,
        started_at=started_at,
        zoned=zoned,
        commit=agreed_commit(labels, flaws),
        flaws=flaws.clauses(),
        metrics=_metrics(rows),
    )


def read_rows(documents: Sequence[Mapping[str, Any]], query: ResultsQuery) -> EvaluationRun:
    """Return the run in rows alone, which an interrupted run has as well as a finished one."""
    flaws = Flaws()
    flaws.add("it has rows only, so that an interrupted run looks the same: write -o results.json")
    return EvaluationRun(
        tool="promptfoo",
        file_name=query.file_name,
        rows=_rows(documents, query, 1, flaws),
        flaws=flaws.clauses(),
        metrics=_metrics(documents),
    )


def _repeats(document: Mapping[str, Any], results: Mapping[str, Any]) -> int:
    """Return the number of rows of a case: repeats, for each prompt with each provider."""
    repeat = count(mapping(document.get("runtimeOptions")).get("repeat")) or 1
    return repeat * max(1, len(sequence(results.get("prompts"))))


def _metrics(rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(sorted({name for row in rows for name in mapping(row.get("namedScores"))}))


def _rows(
    rows: Sequence[Mapping[str, Any]], query: ResultsQuery, repeats: int, flaws: Flaws
) -> tuple[CaseRow, ...]:
    metric = query.metric_among(_metrics(rows), flaws)
    ids = _case_ids(rows, repeats)
    return tuple(
        _row(row, case_id, metric, query, flaws) for row, case_id in zip(rows, ids, strict=True)
    )


def _case_ids(rows: Sequence[Mapping[str, Any]], repeats: int) -> list[str]:
    """Return the id of the case of each row.

    It is the description. If several cases share one, their variables are added: ``testIdx`` and
    ``id`` differ between repeats.
    """
    cases = [mapping(row.get("testCase")) for row in rows]
    names = [words(case.get("description")) for case in cases]
    rows_of, ids = Counter(names), list[str]()
    for row, case, name in zip(rows, cases, names, strict=True):
        values = identity(case.get("vars")) or identity(row.get("vars"))
        if name is None:
            ids.append(values or identity(case.get("metadata")) or "{}")
        elif values is not None and rows_of[name] > repeats:
            ids.append(identity(f"{name} {values}") or name)
        else:
            ids.append(identity(name) or name)
    return ids


def _row(
    row: Mapping[str, Any], case_id: str, metric: str | None, query: ResultsQuery, flaws: Flaws
) -> CaseRow:
    score = _score(row, case_id, metric, query, flaws)
    outcome = _outcome(row, case_id, flaws)
    if outcome in {CaseOutcome.ERRORED, CaseOutcome.UNCHECKED, CaseOutcome.UNSCORED}:
        return CaseRow(case_id=case_id, outcome=outcome, score=score)
    if score is None:
        return CaseRow(case_id=case_id, outcome=CaseOutcome.UNSCORED)
    if query.score is not None:
        outcome = CaseOutcome.PASSED if score >= query.score else CaseOutcome.FAILED
    elif outcome is CaseOutcome.PASSED:
        outcome = _by_file(row, score, metric, case_id, flaws)
    return CaseRow(case_id=case_id, outcome=outcome, score=score)


def _score(
    row: Mapping[str, Any], case_id: str, metric: str | None, query: ResultsQuery, flaws: Flaws
) -> Fraction | None:
    """Return the score of the metric that counts, or that of all checks."""
    named = mapping(row.get("namedScores"))
    failed_early = row.get("failureReason") == _ERROR
    if query.metric is None:
        score = score_of(row.get("score"), flaws, case_id)
    elif metric is None or metric not in named:
        if metric is not None and not failed_early:
            flaws.add(f"rows lack the metric {metric!r}", case_id)
        return None
    else:
        score = score_of(named[metric], flaws, case_id)
    for number in (row.get("score"), *named.values()):
        if number is not None and exact(number) is None:
            flaws.add("a score is not a finite number", case_id)  # promptfoo writes null for NaN
    if score is not None and score < 0:
        flaws.add("a score is negative", case_id)
        return None
    return score


def _outcome(row: Mapping[str, Any], case_id: str, flaws: Flaws) -> CaseOutcome:
    """Return the outcome of a row, and note its contradictions."""
    success, reason = row.get("success"), row.get("failureReason")
    grading = mapping(row.get("gradingResult"))
    if not isinstance(success, bool):
        flaws.add("`success` is neither true nor false", case_id)
        return CaseOutcome.UNSCORED
    graded = grading.get("pass", success)
    bar, score = exact(mapping(row.get("testCase")).get("threshold")), exact(row.get("score"))
    below = bar is not None and score is not None and score < bar
    if (graded is not success and reason != _ERROR) or (
        success and (below or reason not in (_NO_FAILURE, None) or row.get("error"))
    ):
        flaws.add("`success` contradicts the rest of the row", case_id)
        return CaseOutcome.UNSCORED
    if reason == _ERROR or (not success and reason is None and not grading):
        return CaseOutcome.ERRORED
    if success and not _is_checked(row, grading):
        return CaseOutcome.UNCHECKED
    return CaseOutcome.PASSED if success else CaseOutcome.FAILED


def _is_checked(row: Mapping[str, Any], grading: Mapping[str, Any]) -> bool:
    """Return whether an assertion was evaluated: without one, promptfoo counts a success."""
    parts = grading.get("componentResults")
    declared = mapping(row.get("testCase")).get("assert")
    if grading.get("reason") == "No assertions" or (declared == [] and not parts):
        return False
    return bool(row.get("namedScores") or parts)


def _by_file(
    row: Mapping[str, Any], score: Fraction, metric: str | None, case_id: str, flaws: Flaws
) -> CaseOutcome:
    """Return the outcome of a success: whether each check has passed, by a threshold above zero.

    A threshold of the whole test lets it succeed even if a check fails.
    """
    test = mapping(row.get("testCase"))
    graded = sequence(mapping(row.get("gradingResult")).get("componentResults"))
    parts = [
        part
        for part in map(mapping, graded)
        if metric is None or mapping(part.get("assertion")).get("metric") == metric
    ]
    if any(part.get("pass") is not True for part in parts):
        return CaseOutcome.FAILED
    # promptfoo passes an assertion with the weight 0 whatever its score, since it only measures.
    weights = [exact(mapping(part.get("assertion")).get("weight")) for part in parts]
    if score < 1 and weights and not any(weight != 0 for weight in weights):
        return CaseOutcome.UNCHECKED
    checks = [mapping(check) for check in (test, *sequence(test.get("assert")))]
    return by_own_bar(score, [check.get("threshold") for check in checks], flaws, case_id)


def _check_totals(
    results: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], flaws: Flaws
) -> None:
    """Note totals of the file that contradict its rows."""
    errors = sum(row.get("failureReason") == _ERROR for row in rows)
    successes = sum(row.get("success") is True for row in rows)
    counted = (successes, len(rows) - successes - errors, errors)
    stats = mapping(results.get("stats"))
    by_prompt = [mapping(mapping(p).get("metrics")) for p in sequence(results.get("prompts"))]
    declared = [tuple(count(stats.get(name)) for name in ("successes", "failures", "errors"))]
    names = ("testPassCount", "testFailCount", "testErrorCount")
    if any(name in prompt for prompt in by_prompt for name in names):
        declared.append(tuple(sum(count(p.get(name)) or 0 for p in by_prompt) for name in names))
    places = [(str(row.get("testIdx")), str(row.get("promptIdx"))) for row in rows]
    ids = [row["id"] for row in rows if isinstance(row.get("id"), str)]
    if len(set(places)) < len(places) or len(set(ids)) < len(ids):
        flaws.add("it has two rows of one test")
    for totals in declared:
        if totals != counted:
            own = f"its totals are {_listed(totals)}"
            flaws.add(f"{own}, and its rows {_listed(counted)} (passed, failed, errored)")
    if not rows:
        flaws.add("it has no cases")


def _listed(totals: Sequence[int | None]) -> str:
    return ", ".join("none" if total is None else str(total) for total in totals)
