"""Braintrust's JSON lines (``braintrust eval --jsonl``): means, never cases.

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
    """Return the run in the lines, which can never be relied on.

    They have means, but neither the number of cases nor the number of cases without a score: a
    scorer that raises an exception on 4 of 10 cases has a score of 1.0.
    """
    flaws = Flaws()
    flaws.add(
        "lines of Braintrust have means, but not the number of passed cases: write JUnit XML or"
        " rows"
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
