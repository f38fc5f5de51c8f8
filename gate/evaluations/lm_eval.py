"""lm-eval's results: ``results_*.json`` with totals, and ``samples_*.jsonl`` with cases.

Source: ``evaluator_utils`` and ``EvaluationTracker`` of lm_eval, and files of 0.4.13.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.evaluations import CaseRow, EvaluationRun, Tally
from gate.evaluations.documents import (
    Flaws,
    ResultsQuery,
    agreed_commit,
    by_score,
    few_of,
    identity,
    score_of,
    worst,
)
from gate.evaluations.values import count, exact, mapping, sequence, words

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TOLERANCE: Final = Fraction(1, 10**6)
_LATEST: Final = 1 << 34
"""The latest time in seconds, in the year 2514."""


def is_document(document: Mapping[str, Any]) -> bool:
    """Return whether a document is ``results_*.json``."""
    return {"results", "n-samples", "versions"} <= document.keys()


def is_row(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a line of ``samples_*.jsonl``."""
    return {"doc_id", "filter", "metrics"} <= document.keys()


def read(document: Mapping[str, Any], query: ResultsQuery) -> EvaluationRun:
    """Return the run in a results file: the number of cases of a metric, and how many passed.

    The metric is ``METRIC,FILTER``, or ``TASK/METRIC,FILTER`` if several tasks have it. The name of
    a task with a single metric means that metric, too.
    """
    flaws = Flaws()
    metrics = dict(_metrics(document))
    name = _choose(metrics, query, flaws)
    seconds = exact(document.get("date"))
    is_dated = seconds is not None and 0 <= seconds < _LATEST
    return EvaluationRun(
        tool="lm-eval",
        file_name=query.file_name,
        tally=None if name is None else _tally(document, name, metrics[name], query, flaws),
        started_at=_EPOCH + timedelta(seconds=float(seconds)) if seconds and is_dated else None,
        commit=agreed_commit([document.get("git_hash")], flaws),
        flaws=flaws.clauses(),
        metrics=tuple(sorted(metrics)),
        digests={
            task: digest
            for task, digest in mapping(document.get("task_hashes")).items()
            if isinstance(digest, str)
        },
    )


def _metrics(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield ``TASK/METRIC,FILTER`` and the value of each metric."""
    for task, results in mapping(document.get("results")).items():
        for key, value in mapping(results).items():
            if "," in key and not key.partition(",")[0].endswith("_stderr"):
                yield f"{task}/{key}", value


def _choose(metrics: Mapping[str, Any], query: ResultsQuery, flaws: Flaws) -> str | None:
    tasks = [name.rpartition("/")[0] for name in metrics]
    names = [
        name
        for name, task in zip(metrics, tasks, strict=True)
        if query.metric in {None, name, name.rpartition("/")[2]}
        or (query.metric == task and tasks.count(task) == 1)
    ]
    if len(names) == 1:
        return names[0]
    listed = few_of(sorted(metrics))
    what = "no metric" if query.metric is None else f"no metric {query.metric!r}"
    if names:
        flaws.add(f"several metrics may be meant: name one of {listed}")
    else:
        flaws.add(f"there is {what} in it: it has {listed}")
    return None


def _tally(
    document: Mapping[str, Any], name: str, value: Any, query: ResultsQuery, flaws: Flaws
) -> Tally | None:
    """Return how many cases passed, if the mean of the metric proves it."""
    task, _, key = name.rpartition("/")
    metric, _, chosen_filter = key.partition(",")
    results = mapping(mapping(document["results"]).get(task))
    samples = mapping(mapping(document["n-samples"]).get(task))
    cases, original = count(samples.get("effective")), count(samples.get("original"))
    mean = exact(value)
    if cases is None or not cases or original is None:
        flaws.add("it does not say how many cases the task has")
        return None
    limit = exact(mapping(document.get("config")).get("limit"))
    if cases != original or (limit is not None and 1 <= limit < cases):
        flaws.add(f"only {cases} of {original} cases of the task were evaluated")
    if count(results.get("sample_len")) != cases:
        flaws.add("it gives two numbers of cases")
    if mapping(mapping(document.get("higher_is_better")).get(task)).get(metric) is not True:
        flaws.add(f"it does not say that a high {metric} is good")
    stderr = exact(results.get(f"{metric}_stderr,{chosen_filter}"))
    if mean is None or not 0 <= mean <= 1:
        flaws.add(f"{metric} is not a number between 0 and 1")
        return None
    passed = round(mean * cases)
    if abs(mean * cases - passed) > _TOLERANCE * cases or not _is_share(mean, stderr, cases):
        flaws.add(f"{metric} is not the share of cases that passed: use samples_*.jsonl instead")
        return None
    if query.score is not None and not 0 < query.score <= 1:
        flaws.add("cases are either right or wrong in it, so the policy's `score` does not apply")
    return Tally(cases=cases, passed=passed)


def _is_share(mean: Fraction, stderr: Fraction | None, cases: int) -> bool:
    """Return whether each case scored either 0 or 1.

    Only then is the variance of values between 0 and 1 equal to mean x (1 - mean), which is its
    maximum. lm-eval computes the standard error from the variance of a sample (n - 1).
    """
    if stderr is None or cases == 1:
        return cases == 1 and mean in {0, 1}
    return abs(stderr**2 * (cases - 1) - mean * (1 - mean)) <= _TOLERANCE


def read_rows(documents: Sequence[Mapping[str, Any]], query: ResultsQuery) -> EvaluationRun:
    """Return the run in lines of samples; their file has neither a time nor a commit."""
    flaws = Flaws()
    names = sorted(
        {
            f"{metric},{document['filter']!s}"
            for document in documents
            for metric in sequence(document["metrics"])
        }
    )
    wanted = None if query.metric is None else query.metric.rpartition("/")[2]
    chosen = names if wanted is None else [name for name in names if name == wanted]
    if not chosen:
        flaws.add(f"there is no metric {wanted!r} in it: it has {few_of(names)}")
    filters = {name.rpartition(",")[2] for name in chosen}
    rows = [
        _row(document, chosen, query, flaws)
        for document in documents
        if not chosen or str(document["filter"]) in filters
    ]
    return EvaluationRun(
        tool="lm-eval",
        file_name=query.file_name,
        rows=tuple(rows),
        repeats=max(1, len(filters)),
        flaws=flaws.clauses(),
        metrics=tuple(names),
    )


def _row(
    document: Mapping[str, Any], chosen: Sequence[str], query: ResultsQuery, flaws: Flaws
) -> CaseRow:
    place = count(document.get("doc_id"))
    case_id = words(document.get("doc_hash")) or (None if place is None else str(place))
    case_id = identity(case_id)
    named = case_id or "without an id"
    pairs = [name.rpartition(",") for name in chosen]
    metrics = [metric for metric, _, each in pairs if each == str(document["filter"])]
    for metric in metrics:
        if metric not in document:
            flaws.add(f"rows lack the metric {metric!r}", named)
    scores = [score_of(document.get(metric), flaws, named) for metric in metrics]
    outcome = worst([by_score(score, query, flaws, named) for score in scores])
    return CaseRow(case_id=case_id, outcome=outcome, score=scores[0] if len(scores) == 1 else None)
