"""Evaluation results: what the files of evaluation tools say, in one form.

The functions, in modules of their own so that a check without requirements imports none of them:

* ``gate.evaluations.reading.read_file(path, limit=LIMIT) -> bytes``: what a regular file holds.
* ``gate.evaluations.reading.read_run(content, *, file_name, metric=None, score=None) ->
  EvaluationRun``: what the bytes of a result file say, whichever tool wrote them.
* ``gate.evaluations.cases.cases_of(runs, repeats=1) -> Cases``: distinct cases, and what became of
  each.
* ``gate.evaluations.cases.case_digest(ids) -> str``: the hash of a set of cases.
* ``gate.evaluations.cases.describe(outcomes) -> str``: ``4 errored, 2 failed``, for messages.

The first two raise `UnreadableResultsError`, and nothing else. A file that can be read, and not
relied on, is a run with ``flaws``.

Rows are not cases: a tool that runs each case twice writes two rows of it. A case has passed only
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
"""Instead of the name of a metric: a row passes if every check of it does."""


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
    """It passed only when it was tried again."""
    UNCHECKED = "unchecked"
    """It counts as a success, and nothing was asserted."""
    MISSING = "missing"
    """The file announces it, and has no row of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One row of a result file."""

    case_id: str | None
    """The id of the case, the same in every run, in one line without control characters; None: the
    file has none."""
    outcome: CaseOutcome
    score: Fraction | None = None
    """In the metric's own unit; None: the tool gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The totals of a file without rows: how many cases there were, and how many passed."""

    cases: int
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRun:
    """One run of an evaluation, as its file has it."""

    tool: str
    """``promptfoo``, ``deepeval``, ``ragas``, ``inspect``, ``lm-eval``, ``braintrust``,
    ``evidently`` or ``junit``."""
    file_name: str = ""
    """As it was given, for messages."""
    rows: tuple[CaseRow, ...] = ()
    """In the order of the file; empty where the file has none (`tally`)."""
    tally: Tally | None = None
    """Given where the file has no rows, and only what they come to."""
    repeats: int = 1
    """How often the file declares that each case was run."""
    started_at: datetime | None = None
    """The time of the run, in UTC: the earliest of all times inside the file. None: it has none."""
    zoned: bool = True
    """False: the file's time has no zone, and ``started_at`` is the earliest instant that it can
    mean (in the zone UTC+14)."""
    commit: str | None = None
    """At least the first 7 hexadecimal digits of the commit that was evaluated, in lower case.
    None: it is not in the file, or the checkout had other changes."""
    commit_note: str | None = None
    """A clause that says why ``commit`` is None where the file says more than nothing about it."""
    flaws: tuple[str, ...] = ()
    """The reason why the file cannot be relied on, one clause each: it is not finished, or
    contradicts itself.
    """
    metrics: tuple[str, ...] = ()
    """The names of the metrics in the file, for messages."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Hashes that the tool itself took of the questions (lm-eval's ``task_hashes``), by task."""


class UnreadableResultsError(Exception):
    """A file cannot be read as the results of an evaluation; the message says why, in a clause."""
