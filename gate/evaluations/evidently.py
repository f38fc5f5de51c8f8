"""Evidently's reports: ``run.json()``, and snapshots (``run.dumps()``), which have a time.

Source: ``MetricResult`` and ``MetricTest`` of evidently, and files of 0.7.23.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from operator import eq, ge, gt, le, lt
from typing import Any, Final

from gate.dataclass import dataclass
from gate.evaluations import EvaluationRun, Tally
from gate.evaluations.documents import (
    Flaws,
    ResultsQuery,
    agreed_commit,
    commits_in,
    earliest,
    few_of,
)
from gate.evaluations.values import count, exact, mapping, sequence, words

_PASSES: Final = frozenset({"true", "1", "1.0", "pass", "passed", "ok", "yes", "correct"})
"""The categories that count as passed without being named in the policy, in lower case."""
_TESTS: Final[Mapping[str, Callable[[Fraction, Fraction], bool]]] = {
    "GreaterOrEqualMetricTest": ge,
    "GreaterThanMetricTest": gt,
    "LessOrEqualMetricTest": le,
    "LessThanMetricTest": lt,
    "EqualMetricTest": eq,
}
_TOLERANCE: Final = Fraction(1, 10**9)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metric:
    """A metric of a report, in either form."""

    name: str
    """``CategoryCount(column=passed,categories=True)``."""
    kind: str
    """``CategoryCount``."""
    column: str | None
    categories: tuple[str, ...]
    value: Any
    """A number, or an object of count and share."""
    tests: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def is_document(document: Mapping[str, Any]) -> bool:
    """Return whether a document is a report or a snapshot."""
    return "metric_results" in document or (
        {"metrics", "tests"} <= document.keys() and isinstance(document["metrics"], list)
    )


def read(document: Mapping[str, Any], query: ResultsQuery) -> EvaluationRun:
    """Return the run in a report: the number of rows, and of rows that passed by a column.

    The metric is a ``CategoryCount``, by its name or its column; the rows are those of a
    ``RowCount``. A mean is not a share of passes, and Evidently leaves missing values out of both.
    """
    flaws = Flaws()
    metrics = _of_snapshot(document) if "metric_results" in document else _of_report(document)
    for metric in metrics:
        _check_tests(metric, flaws)
    started_at, zoned = earliest([document.get("timestamp")], flaws)
    return EvaluationRun(
        tool="evidently",
        file_name=query.file_name,
        tally=_tally(metrics, query, flaws),
        started_at=started_at,
        zoned=zoned,
        commit=agreed_commit(commits_in(document.get("metadata")), flaws),
        flaws=flaws.clauses(),
        metrics=tuple(sorted(metric.name for metric in metrics)),
    )


def _of_report(document: Mapping[str, Any]) -> list[_Metric]:
    tests = [mapping(test) for test in sequence(document["tests"])]
    metrics = []
    for result in map(mapping, sequence(document["metrics"])):
        own = [
            test
            for test in tests
            if mapping(test.get("metric_config")).get("metric_id") == result.get("id")
        ]
        metrics.append(_metric(mapping(result.get("config")), result.get("value"), own))
    return metrics


def _of_snapshot(document: Mapping[str, Any]) -> list[_Metric]:
    metrics = []
    for result in map(mapping, mapping(document["metric_results"]).values()):
        location = mapping(mapping(result.get("metric_value_location")).get("metric"))
        parts = {name: mapping(result.get(name)).get("value") for name in ("count", "share")}
        value = parts if "count" in result else result.get("value")
        tests = [mapping(test) for test in sequence(result.get("tests"))]
        metrics.append(_metric(mapping(location.get("params")), value, tests))
    return metrics


def _metric(config: Mapping[str, Any], value: Any, tests: Sequence[Mapping[str, Any]]) -> _Metric:
    kind = str(config.get("type")).rpartition(":")[2]
    column = words(config.get("column"))
    categories = tuple(str(each) for each in sequence(config.get("categories")))
    inside = [f"column={column}"] if column else []
    inside += [f"categories={','.join(categories)}"] if categories else []
    name = f"{kind}({','.join(inside)})"
    return _Metric(
        name=name, kind=kind, column=column, categories=categories, value=value, tests=tests
    )


def _tally(metrics: Sequence[_Metric], query: ResultsQuery, flaws: Flaws) -> Tally | None:
    rows = [count(metric.value) for metric in metrics if metric.kind == "RowCount"]
    counted = _choose(metrics, query, flaws)
    if len(rows) != 1 or not rows[0]:
        flaws.add("it does not say how many rows there were: add RowCount() to the report")
        return None
    if counted is None:
        return None
    value = mapping(counted.value)
    passed, share = count(value.get("count")), exact(value.get("share"))
    if passed is None or share is None or not passed <= rows[0]:
        flaws.add(f"{counted.name} is not a count of rows")
        return None
    # The share ignores missing values, so it is at least that of all rows.
    if not Fraction(passed, rows[0]) - _TOLERANCE <= share <= 1:
        flaws.add(f"count and share of {counted.name} contradict each other")
    if query.score is not None:
        flaws.add("it has no scores of cases: leave `score` out")
    return Tally(cases=rows[0], passed=passed)


def _choose(metrics: Sequence[_Metric], query: ResultsQuery, flaws: Flaws) -> _Metric | None:
    """Return the intended count of passes, or note why it is missing."""
    counts = [metric for metric in metrics if metric.kind == "CategoryCount"]
    exactly = [metric for metric in counts if metric.name == query.metric]
    by_column = [metric for metric in counts if query.metric in {None, metric.column}]
    meant = exactly or by_column
    listed = few_of([metric.name for metric in counts])
    if len(meant) != 1:
        what = "which count of passes is meant" if meant else "how many rows passed"
        flaws.add(f"it does not say {what}: name a CategoryCount as `metric`; it has {listed}")
        return None
    if not exactly and not all(each.lower() in _PASSES for each in meant[0].categories):
        flaws.add(f"whether {meant[0].name} counts passes is not known: name it as `metric`")
    return meant[0]


def _check_tests(metric: _Metric, flaws: Flaws) -> None:
    """Note a test that could not be calculated, or whose status contradicts its value."""
    for test in metric.tests:
        config = mapping(test.get("test_config"))
        status = test.get("status")
        if status == "ERROR":
            flaws.add(f"a test of {metric.name} could not be calculated")
        compare = _TESTS.get(str(config.get("type")).rpartition(":")[2])
        bar = exact(config.get("threshold", config.get("expected")))
        parts = mapping(metric.value)
        is_count = mapping(test.get("bound_test")).get("is_count")
        value = exact(parts.get("count" if is_count else "share") if parts else metric.value)
        if compare is None or bar is None or value is None or status not in ("SUCCESS", "FAIL"):
            continue
        if compare(value, bar) is not (status == "SUCCESS"):
            flaws.add(f"the status of a test of {metric.name} contradicts its value")
