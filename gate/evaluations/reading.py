"""Result files: the tool that wrote a file, recognised by its content, and the run in it."""

import os
import stat
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from gate.evaluations import EvaluationRun, UnreadableResultsError
from gate.evaluations.documents import ResultsQuery, results_query
from gate.evaluations.values import decode, mapping, parse_json, sequence

LIMIT: Final = 64 << 20
"""The maximum size of a result file in bytes."""
_OTHER: Final = "it is not the result file of a tool that is supported"

_Recognition = Callable[[Mapping[str, Any]], bool]
_Reading = Callable[[Mapping[str, Any], ResultsQuery], EvaluationRun]


def read_file(path: Path | str, limit: int = LIMIT) -> bytes:
    """Return the content of a regular file.

    Raises:
        UnreadableResultsError: it cannot be read, is not a regular file, or is larger than the
            limit.
    """
    try:
        # Without this flag, opening a pipe without a writer would block.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise UnreadableResultsError("it is not a regular file")
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its name is not valid"
        raise UnreadableResultsError(f"it cannot be read: {reason}") from error
    if len(content) > limit:
        raise UnreadableResultsError(f"it has more than {limit >> 20} MiB")
    return content


def read_run(
    content: bytes, *, file_name: str, metric: str | None = None, score: Fraction | None = None
) -> EvaluationRun:
    """Return the run in a result file, whichever tool wrote it and whatever its name is.

    ``metric`` is the metric, scorer or column that counts, as the file names it; None and ``all``
    mean every check of a row. ``score`` is the score that a case needs to pass; None: the tool's
    own result counts, or, if it has none, the full score of 1.

    Raises:
        UnreadableResultsError: it is damaged, too deep, or of an unsupported tool.
    """
    query = results_query(file_name, metric, score)
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not start:
        raise UnreadableResultsError("it is empty")
    if start == b"<" or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        from gate.evaluations import junit  # noqa: PLC0415 - each format where it is used

        return junit.read(content, query)
    if content.startswith(b"PK"):
        from gate.evaluations import archive  # noqa: PLC0415 - as above

        return archive.read(content, query)
    from gate.evaluations import ragas  # noqa: PLC0415 - as above

    text = decode(content)
    if start not in {b"{", b"["}:
        run = ragas.read_table(text, query)
        if run is None:
            raise UnreadableResultsError(_OTHER)
        return run
    documents = _documents(text)
    if len(documents) > 1:
        return _read_lines(documents, query)
    rows = sequence(documents[0]) or ragas.rows_of(mapping(documents[0]))
    if ragas.is_records(rows):
        return ragas.read(rows, query)
    return _read_document(mapping(documents[0]), query)


def _documents(text: str) -> Sequence[Any]:
    """Return the document of a file, or those of its lines if each line has one."""
    try:
        return [parse_json(text)]
    except UnreadableResultsError:
        lines = text.strip().split("\n")
        if len(lines) == 1 or not lines[0].rstrip().endswith("}"):
            raise
    return [parse_json(line) for line in lines if line.strip()]


def _read_document(document: Mapping[str, Any], query: ResultsQuery) -> EvaluationRun:
    from gate.evaluations import deepeval, evidently, inspect_log, lm_eval, promptfoo  # noqa: PLC0415 - as above

    readers: tuple[tuple[_Recognition, _Reading], ...] = (
        (promptfoo.is_document, promptfoo.read),
        (inspect_log.is_document, inspect_log.read),
        (deepeval.is_document, deepeval.read),
        (lm_eval.is_document, lm_eval.read),
        (evidently.is_document, evidently.read),
    )
    reading = [read for recognises, read in readers if recognises(document)]
    if len(reading) > 1:
        raise UnreadableResultsError("it looks like the result file of several tools")
    return reading[0](document, query) if reading else _read_lines([document], query)


def _read_lines(documents: Sequence[Any], query: ResultsQuery) -> EvaluationRun:
    """Return the run in a file of JSON lines, or in a single line of it."""
    from gate.evaluations import braintrust, lm_eval, promptfoo, ragas  # noqa: PLC0415 - as above

    lines = [mapping(document) for document in documents]
    if all(promptfoo.is_row(line) for line in lines):
        return promptfoo.read_rows(lines, query)
    if all(lm_eval.is_row(line) for line in lines):
        return lm_eval.read_rows(lines, query)
    if all("user_input" in line for line in lines) and ragas.is_records(lines):
        return ragas.read(lines, query)
    if all(braintrust.is_line(line) for line in lines):
        return braintrust.read(lines, query)
    raise UnreadableResultsError(_OTHER)
