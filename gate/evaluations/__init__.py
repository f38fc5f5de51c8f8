"""Evaluation results: the contents of result files of evaluation tools, in one form.

The functions are in modules of their own, so that a check without requirements imports none:

* ``gate.evaluations.reading.read_file(path, limit=LIMIT) -> bytes``: the content of a regular file.
* ``gate.evaluations.reading.read_run(content, *, file_name, metric=None, score=None) ->
  EvaluationRun``: the run in the bytes of a result file, whichever tool wrote them.
* ``gate.evaluations.cases.cases_of(runs, repeats=1) -> Cases``: distinct cases, and the outcome of
  each.
* ``gate.evaluations.cases.case_digest(ids) -> str``: the hash of a set of cases.
* ``gate.evaluations.cases.describe(outcomes) -> str``: ``4 errored, 2 failed``, for messages.

The first two raise only `UnreadableResultsError`. A file that can be read, but not relied on, is a
run with ``flaws``.

Rows are not cases: a tool that runs each case twice writes two rows for it. A case has passed only
if every row of it has.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass

ALL_CHECKS: Final = "all"
"""Used instead of the name of a metric: a row passes if every check of it does."""


class CaseOutcome(StrEnum):
    """The outcome of one row. Only the first is a pass; all others stay in the denominator."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    """The case, or the scorer, raised an exception or ran into a time limit."""
    SKIPPED = "skipped"
    UNSCORED = "unscored"
    """The score is missing, or is not a finite number."""
    FLAKY = "flaky"
    """The case passed only on a further try."""
    UNCHECKED = "unchecked"
    """The case counts as a success, but nothing was asserted."""
    MISSING = "missing"
    """The file announces the case, but has no row for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One row of a result file."""

    case_id: str | None
    """The id of the case, the same in every run, on one line without control characters; None: the
    file has none."""
    outcome: CaseOutcome
    score: Fraction | None = None
    """The score in the metric's own unit; None: the tool gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The totals of a file without rows: the number of cases, and of passed cases."""

    cases: int
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRun:
    """One run of an evaluation, as its file describes it."""

    tool: str
    """One of ``promptfoo``, ``deepeval``, ``ragas``, ``inspect``, ``lm-eval``, ``braintrust``,
    ``evidently`` and ``junit``."""
    file_name: str = ""
    """The name as it was given, for messages."""
    rows: tuple[CaseRow, ...] = ()
    """The rows in the order of the file; empty if the file has none (`tally`)."""
    tally: Tally | None = None
    """The totals if the file has no rows; otherwise None."""
    repeats: int = 1
    """How many times each case was run, as the file declares it."""
    started_at: datetime | None = None
    """The time of the run, in UTC: the earliest of all times inside the file. None: there are
    none."""
    zoned: bool = True
    """Whether the file's time has a zone; if not, ``started_at`` is the earliest instant that it
    can mean (in the zone UTC+14)."""
    commit: str | None = None
    """At least the first 7 hexadecimal digits of the evaluated commit, in lower case. None: it is
    not in the file, or the checkout had other changes."""
    commit_note: str | None = None
    """A clause that says why ``commit`` is None, if the file mentions a commit."""
    flaws: tuple[str, ...] = ()
    """The reasons why the file cannot be relied on, one clause each: it is unfinished, or
    contradicts itself."""
    metrics: tuple[str, ...] = ()
    """The names of the metrics in the file, for messages."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """The tool's own hashes of the questions (lm-eval's ``task_hashes``), by task."""


class UnreadableResultsError(Exception):
    """A file cannot be read as the results of an evaluation; the message says why, in a clause."""
