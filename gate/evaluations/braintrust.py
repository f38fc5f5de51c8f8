"""Braintrust's JSON lines (``braintrust eval --jsonl``): means, and never cases.

Source: ``ExperimentSummary`` of braintrust, and files of 0.48.1.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from gate.evaluations import EvaluationRun
from gate.evaluations.documents import Flaws, ResultsQuery
from gate.evaluations.values import mapping, sequence


def is_line(document: Mapping[str, Any]) -> bool:
    """Return whether a document is the summary of an experiment, or of one that failed."""
    return {"experiment_name", "comparison"} <= document.keys() or is_failure(document)


def is_failure(document: Mapping[str, Any]) -> bool:
    """Return whether a document says that tasks of an evaluation raised exceptions."""
    return {"eval_name", "errors"} == document.keys()


def read(documents: Sequence[Mapping[str, Any]], query: ResultsQuery) -> EvaluationRun:
    """Return what the lines say, which is never enough to rely on.

    They have means, and neither how many cases there were nor how many were left out of the mean: a
    scorer that raises an exception on 4 of 10 has a score of 1.0.
    """
    flaws = Flaws()
    flaws.add(
        "lines of Braintrust have means, and not how many cases passed: write JUnit XML or rows"
    )
    failures = [len(sequence(line["errors"])) for line in documents if is_failure(line)]
    if failures:
        flaws.add(f"{sum(failures)} tasks raised exceptions")
    names = sorted(
        {
            name
            for line in documents
            for scores in (line, mapping(line.get("comparison")))
            for name in mapping(scores.get("scores"))
        }
    )
    query.metric_among(names, flaws)
    return EvaluationRun(
        tool="braintrust",
        file_name=query.file_name,
        flaws=flaws.clauses(),
        metrics=tuple(names),
    )
