"""The run in a result file, read such that nothing counts for more than it is.

Numbers are exact, an object with duplicate keys is refused, and a value of another type than the
tool writes is never a number, a word or a pass.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from gate.dataclass import dataclass
from gate.evaluations import ALL_CHECKS, CaseOutcome, UnreadableResultsError
from gate.evaluations.values import exact, mapping

_WORST_FIRST: Final = (
    *(CaseOutcome.ERRORED, CaseOutcome.UNSCORED, CaseOutcome.FAILED, CaseOutcome.UNCHECKED),
    *(CaseOutcome.FLAKY, CaseOutcome.PASSED),
)
NO_METRIC: Final = "there is no metric"
"""The start of a flaw that depends on the requirement."""
_SHOWN: Final = 60
"""The maximum number of characters of a name in a message: a case may be named by its whole
question."""
_COMMIT: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_COMMIT_KEYS: Final = frozenset(
    {
        *("commit", "commitsha", "commithash", "commitid", "gitcommit", "gitcommitsha", "gitsha"),
        *("githash", "gitrevision", "sha", "revision", "githubsha", "cicommitsha"),
    }
)
"""The labels under which people write the commit, in lower case and without punctuation."""
_EARLIEST_ZONE: Final = timezone(timedelta(hours=14))
_LENGTH_OF_INSTANT: Final = len("2026-11-28T22:51:51")


@dataclass(slots=True)
class Flaws:
    """The flaws of a file, each once, with its cases."""

    cases: dict[str, dict[str, None]] = field(default_factory=dict)
    """The ids of cases, in the order of the file, by the clause of the flaw."""

    def add(self, clause: str, case_id: str | None = None) -> None:
        """Note a flaw, and its case."""
        ids = self.cases.setdefault(clause, {})
        if case_id is not None:
            ids[case_id] = None

    def check_version(self, version: object, only: int) -> None:
        """Note where the file has another version of its format than the one that can be read."""
        if version != only:
            self.add(f"its version is {version!r:.20}, and only {only} is supported")

    def clauses(self) -> tuple[str, ...]:
        """Return a clause for each flaw."""
        return tuple(
            f"{clause} ({'case' if len(ids) == 1 else 'cases'} {few_of(list(ids), 3)})"
            if ids
            else clause
            for clause, ids in self.cases.items()
        )


def few_of(names: Sequence[str], most: int = 10) -> str:
    """Return some names for a message, and the number of the others; ``none`` without names."""
    shown = [name if len(name) <= _SHOWN else f"{name[:_SHOWN]}..." for name in names[:most]]
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return f"{', '.join(shown) or 'none'}{more}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsQuery:
    """The query for a file."""

    file_name: str
    metric: str | None
    """None: every check of a row."""
    score: Fraction | None
    """The score that a case needs; None: the tool's own result counts."""

    def metric_among(self, names: Iterable[str], flaws: Flaws) -> str | None:
        """Return the file's name of the metric that counts, or note that it is missing.

        Case is ignored unless two metrics differ only in case.
        """
        names = sorted(set(names))
        if self.metric is None or self.metric in names:
            return self.metric
        alike = [name for name in names if name.casefold() == self.metric.casefold()]
        if len(alike) == 1:
            return alike[0]
        others = f"it has {few_of(names)}" if names else "it names none"
        flaws.add(f"{NO_METRIC} {self.metric!r} in it: {others}")
        return None


def results_query(file_name: str, metric: str | None, score: Fraction | None) -> ResultsQuery:
    """Return the query for a file; the metric ``all`` is every check."""
    name = None if metric == ALL_CHECKS else metric
    return ResultsQuery(file_name=file_name, metric=name, score=score)


def by_score(
    score: Fraction | None, query: ResultsQuery, flaws: Flaws, case_id: str
) -> CaseOutcome:
    """Return the outcome of a score if the tool has no result of its own.

    Without a threshold in the policy, only 1 is a pass and only 0 a failure.
    """
    if score is None:
        return CaseOutcome.UNSCORED
    if score < 0:
        flaws.add("a score is negative", case_id)
        return CaseOutcome.UNSCORED
    if query.score is None:
        if score not in {0, 1}:
            flaws.add("scores are neither 0 nor 1, and the policy has no `score` to pass", case_id)
        return CaseOutcome.PASSED if score == 1 else CaseOutcome.FAILED
    return CaseOutcome.PASSED if score >= query.score else CaseOutcome.FAILED


def by_own_bar(score: Fraction, bars: Iterable[Any], flaws: Flaws, case_id: str) -> CaseOutcome:
    """Return the outcome of a success by the tool's own result and by the thresholds in the file.

    A threshold of zero checks nothing. A threshold below the full score must be set by the policy:
    the author of the evaluation may have lowered the one in the file.
    """
    if score <= 0:
        return CaseOutcome.UNCHECKED
    numbers = sorted({str(bar) for bar in bars if bar is not None})
    if score < 1 and numbers:
        flaws.add(
            f"cases pass only by a bar inside the file ({few_of(numbers)}): the policy has to"
            " say `score`",
            case_id,
        )
    return CaseOutcome.PASSED


def worst(outcomes: Iterable[CaseOutcome]) -> CaseOutcome:
    """Return the outcome of several checks of a row; without checks it is not scored."""
    present = set(outcomes)
    return next((each for each in _WORST_FIRST if each in present), CaseOutcome.UNSCORED)


def score_of(value: Any, flaws: Flaws, case_id: str) -> Fraction | None:
    """Return the score, or None if it is missing or NaN; any other invalid score is a flaw."""
    if value is None or (isinstance(value, Decimal) and value.is_nan()):
        return None
    score = exact(value)
    if score is None:
        flaws.add("a score is not a finite number", case_id)
    return score


def identity(value: Any) -> str | None:
    """Return the id of a case on one line: a text as it is, anything else as JSON.

    Blanks around a text are removed: a file of ids would lose them.

    Raises:
        UnreadableResultsError: it is nested too deeply.
    """
    value = value.strip() if isinstance(value, str) else value
    if value is None or value in ("", {}, []):
        return None
    if isinstance(value, str) and value.isprintable():
        return value
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    except RecursionError as error:  # some versions of Python read deeper nesting than they write
        raise UnreadableResultsError("it is nested too deeply") from error


def earliest(
    times: Iterable[Any], flaws: Flaws, apart: timedelta = timedelta(days=1)
) -> tuple[datetime | None, bool]:
    """Return the earliest valid time (ISO 8601) in UTC, and whether all times have a zone.

    Times of one run that are further apart than this limit are a flaw.
    """
    instants = [instant for instant in map(instant_of, times) if instant is not None]
    if not instants:
        return None, True
    if max(instants) - min(instants) > apart:
        flaws.add("its times contradict each other")
    zoned = all(instant.tzinfo is not _EARLIEST_ZONE for instant in instants)
    return min(instants).astimezone(UTC), zoned


def instant_of(time: Any) -> datetime | None:
    """Return an instant; without a zone, it is in the zone where it is the earliest."""
    if not isinstance(time, str) or len(time) < _LENGTH_OF_INSTANT:
        return None
    try:
        instant = datetime.fromisoformat(time)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=_EARLIEST_ZONE)
        instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return instant


def commits_in(labels: Any) -> list[str]:
    """Return the commits in the labels of a run."""
    return [
        value
        for key, value in mapping(labels).items()
        if re.sub(r"[^a-z]", "", key.lower()) in _COMMIT_KEYS and isinstance(value, str)
    ]


def agreed_commit(names: Iterable[Any], flaws: Flaws) -> str | None:
    """Return the commit that all names agree on, in the longest form."""
    commits = [name.lower() for name in names if isinstance(name, str) and _COMMIT.fullmatch(name)]
    longest = max(commits, key=len, default=None)
    if longest is not None and not all(longest.startswith(commit) for commit in commits):
        flaws.add(f"it names two commits: {' and '.join(sorted(set(commits)))}")
        return None
    return longest
