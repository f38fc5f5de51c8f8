"""Ragas' results, as its users write them: ``to_pandas().to_csv()``, ``.to_json()``, ``.scores``.

Source: ``SingleTurnSample`` and ``MultiTurnSample`` of ragas, and files of 0.4.3.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from gate.evaluations import CaseRow, EvaluationRun, UnreadableResultsError
from gate.evaluations.documents import Flaws, ResultsQuery, by_score, identity, score_of, worst

_SAMPLE: Final = frozenset(
    {
        *("user_input", "retrieved_contexts", "reference_contexts", "retrieved_context_ids"),
        *("reference_context_ids", "response", "multi_responses", "reference", "rubrics"),
        *("persona_name", "query_style", "query_length", "reference_tool_calls"),
        *("reference_topics", "Unnamed: 0", ""),
    }
)
"""The columns of a sample, and the index that pandas writes; all others are metrics."""
_INPUT: Final = "user_input"
_LOWER_IS_BETTER: Final = "noise_sensitivity"
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_ROWS: Final = 200_000
"""The maximum number of rows of a table, with its header."""
_CELL: Final = 64 << 20
"""The maximum number of characters in a cell: contexts are long."""


def is_records(documents: Sequence[Any]) -> bool:
    """Return whether a list is that of a table's rows, or of ``.scores``."""
    if not documents or not all(isinstance(each, dict) and each for each in documents):
        return False
    first = documents[0]
    has_input = isinstance(first.get(_INPUT), str | list)
    has_samples = has_input and any(name not in _SAMPLE for name in first)
    return has_samples or all(
        value is None or (isinstance(value, int | Decimal) and not isinstance(value, bool))
        for each in documents
        for value in each.values()
    )


def rows_of(document: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the rows of a table that pandas has written by columns; empty for other data."""
    columns = document.values()
    if _INPUT not in document or not all(isinstance(column, dict) for column in columns):
        return ()
    places = document[_INPUT].keys()
    if any(column.keys() != places for column in columns):
        raise UnreadableResultsError("its columns are not of one length")
    return [{name: column[place] for name, column in document.items()} for place in places]


def read_table(text: str, query: ResultsQuery) -> EvaluationRun | None:
    """Return the rows of a table in CSV; None if it is not one of Ragas.

    Raises:
        UnreadableResultsError: its rows differ in length from its header.
    """
    csv.field_size_limit(_CELL)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        lines = list(islice(reader, _ROWS + 1))
    except csv.Error:
        return None
    header, rows = lines[0], lines[1:]
    if _INPUT not in header:
        return None
    if len(lines) > _ROWS:
        raise UnreadableResultsError(f"it has more than {_ROWS:,} rows")
    if len(set(header)) < len(header):
        raise UnreadableResultsError("two of its columns have one name")
    if any(len(row) != len(header) for row in rows):
        raise UnreadableResultsError("its rows are not as long as its header")
    if not text.endswith("\n"):
        raise UnreadableResultsError("its last line is not complete")
    cells = [dict(zip(header, row, strict=True)) for row in rows]
    return read([{name: _cell(name, cell) for name, cell in row.items()} for row in cells], query)


def _cell(name: str, cell: str) -> Any:
    """Return the text of a sample, or the score of a metric."""
    if name in _SAMPLE:
        return cell
    if cell in ("", "nan", "NaN"):
        return None
    return Decimal(cell) if _NUMBER.fullmatch(cell) else cell


def read(records: Sequence[Mapping[str, Any]], query: ResultsQuery) -> EvaluationRun:
    """Return the run in the rows of a table. The id of a case is its question.

    The table has no time, no commit and no threshold, and does not show whether the run finished.
    """
    flaws = Flaws()
    names = sorted({name for record in records for name in record if name not in _SAMPLE})
    metric = query.metric_among(names, flaws) if records else None
    chosen = names if query.metric is None else [metric] if metric is not None else []
    for name in chosen:
        if name.startswith(_LOWER_IS_BETTER):
            flaws.add(f"a low {name} is good, so a minimum score does not apply to it")
    if not records:
        flaws.add("it has no rows")
    return EvaluationRun(
        tool="ragas",
        file_name=query.file_name,
        rows=tuple(_row(record, chosen, query, flaws) for record in records),
        flaws=flaws.clauses(),
        metrics=tuple(names),
    )


def _row(
    record: Mapping[str, Any], metrics: Sequence[str], query: ResultsQuery, flaws: Flaws
) -> CaseRow:
    question = record.get(_INPUT)
    case_id = identity(question) if isinstance(question, str | list) else None
    named = case_id or "without a question"
    lacking = [name for name in metrics if name not in record]
    for name in lacking:
        flaws.add(f"rows lack the metric {name!r}", named)
    scores = [score_of(record.get(name), flaws, named) for name in metrics]
    outcome = worst([by_score(score, query, flaws, named) for score in scores])
    return CaseRow(case_id=case_id, outcome=outcome, score=scores[0] if len(scores) == 1 else None)
