"""Result files: which tool has written one, by what it says, and what it says."""

import os
import stat
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from gate.evaluations import EvaluationRun, UnreadableResultsError
from gate.evaluations.documents import Wanted, decode, mapping, parse_json, wanted

LIMIT: Final = 64 << 20
"""Bytes that a result file may have."""


def read_file(path: Path | str, limit: int = LIMIT) -> bytes:
    """Return what a regular file holds.

    Raises:
        UnreadableResultsError: it cannot be read, is not a regular file, or is larger than this.
    """
    try:
        # A pipe without a writer would be waited for.
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
    """Return what a result file says, whichever tool has written it and whatever it is called.

    ``metric`` is the metric, scorer or column that counts, as the file names it; None and ``all``:
    every check of a row. ``score`` is what a case needs to pass; None: the tool's own word counts,
    or, where it has none, the full score of 1.

    Raises:
        UnreadableResultsError: it is damaged, too deep, or of no tool that is supported.
    """
    want = wanted(file_name, metric, score)
    try:
        return _read(content, want)
    except RecursionError as error:
        raise UnreadableResultsError("it is nested too deeply") from error


def _read(content: bytes, want: Wanted) -> EvaluationRun:
    if not content.strip():
        raise UnreadableResultsError("it is empty")
    start = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if start == b"<" or content.startswith((b"\xff\xfe", b"\xfe\xff")):
        from gate.evaluations import junit  # noqa: PLC0415 - each format where it is used

        return junit.read(content, want)
    return _read_document(parse_json(decode(content)), want)


def _read_document(document: Any, want: Wanted) -> EvaluationRun:
    for is_written_by, read in _documents():
        if is_written_by(mapping(document)):
            return read(document, want)
    raise UnreadableResultsError("it is not the result file of a tool that is supported")


def _documents() -> tuple[tuple[Callable[[Mapping[str, Any]], bool], "Read"], ...]:
    from gate.evaluations import inspect_log, promptfoo  # noqa: PLC0415 - as above

    return (
        (promptfoo.is_document, promptfoo.read),
        (inspect_log.is_document, inspect_log.read),
    )


Read = Callable[[Mapping[str, Any], Wanted], EvaluationRun]
