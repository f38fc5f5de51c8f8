"""Evaluation results: what the files of evaluation tools say, in one form.

Rows are not cases: a tool that runs each case twice writes two rows of it. A case has passed only
if every row of it has.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from gate.dataclass import dataclass


class CaseOutcome(StrEnum):
    """What became of one row. Only the first is a pass; all others stay in the denominator."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    """The case, or the scorer, raised an exception or ran into a time limit."""
    SKIPPED = "skipped"
    UNSCORED = "unscored"
    """There is no score, or it is not a finite number."""
    FLAKY = "flaky"
    """It passed only when it was tried again."""
    UNCHECKED = "unchecked"
    """It counts as a success, and nothing was asserted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One row of a result file."""

    case_id: str | None
    """What identifies the case, the same in every run; None: the file does not have it."""
    outcome: CaseOutcome
    score: Fraction | None = None
    """In the metric's own unit; None: the tool gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a file without rows says: how many cases there were, and how many passed."""

    cases: int
    passed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationRun:
    """One run of an evaluation, as its file has it."""

    tool: str
    """``promptfoo``, ``deepeval``, ``ragas``, ``inspect``, ``lm-eval``, ``braintrust``,
    ``evidently`` or ``junit``."""
    rows: tuple[CaseRow, ...] = ()
    """In the order of the file; empty where the file has none (`tally`)."""
    tally: Tally | None = None
    """Given where the file has no rows, and only what they come to."""
    repeats: int = 1
    """How often the file declares that each case was run."""
    started_at: datetime | None = None
    """When it ran, in UTC, from inside the file; None: the file does not say."""
    commit: str | None = None
    """At least the first 7 hexadecimal digits of the commit that was evaluated; None: it is not in
    the file, or the checkout had other changes."""
    flaws: tuple[str, ...] = ()
    """Why the file cannot be relied on, one clause each: it is not finished, or contradicts itself.
    """
    metrics: tuple[str, ...] = ()
    """The names of the metrics in the file, for messages."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Hashes that the tool itself took of the questions (lm-eval's ``task_hashes``), by task."""


class UnreadableResultsError(Exception):
    """A file cannot be read as the results of an evaluation; the message says why, in a clause."""
