"""The run that a result file reports, read so that nothing in it is taken for more than it is.

Numbers are exact, an object with two values of one name is refused, and what has another type than
the tool writes is never a number, a word or a pass.
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
"""How a flaw begins that another requirement would not have."""
_SHOWN: Final = 60
"""Characters of a name in a message: a case may be called by its whole question."""
_COMMIT: Final = re.compile(r"[0-9a-fA-F]{7,64}")
_COMMIT_KEYS: Final = frozenset(
    {
        *("commit", "commitsha", "commithash", "commitid", "gitcommit", "gitcommitsha", "gitsha"),
        *("githash", "gitrevision", "sha", "revision", "githubsha", "cicommitsha"),
    }
)
"""Names under which people write the commit, in small letters and without marks."""
_EARLIEST_ZONE: Final = timezone(timedelta(hours=14))
_LENGTH_OF_INSTANT: Final = len("2026-11-28T22:51:51")


@dataclass(slots=True)
class Flaws:
    """The flaws of a file, each once, with the cases that it concerns."""

    cases: dict[str, dict[str, None]] = field(default_factory=dict)
    """The ids of cases, in the order of the file, by the clause that says what is wrong."""

    def add(self, clause: str, case_id: str | None = None) -> None:
        """Note that something is wrong, and in which case."""
        ids = self.cases.setdefault(clause, {})
        if case_id is not None:
            ids[case_id] = None

    def check_version(self, version: object, only: int) -> None:
        """Note where the file has another version of its format than the one that can be read."""
        if version != only:
            self.add(f"its version is {version!r:.20}, and only {only} is supported")

    def clauses(self) -> tuple[str, ...]:
        """Return a clause for each."""
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
    """The query that a file is read for."""

    file_name: str
    metric: str | None
    """None: every check of a row."""
    score: Fraction | None
    """The score that a case needs; None: the tool's own word counts."""

    def metric_among(self, names: Iterable[str], flaws: Flaws) -> str | None:
        """Return the name, as the file writes it, of the metric that counts, or note that it lacks.

        Upper and lower case make no difference where no two metrics differ in that alone.
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
    """Return what a score comes to where the tool has no word of its own for it.

    Without a bar of the policy only 1 is a pass and only 0 a failure.
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
    """Return what a success is worth by the tool's own word, and by the bars that the file has.

    A bar of nothing checks nothing. Below the full score a bar decides, and that is for the policy
    to set: whoever writes the evaluation may have lowered that of the file.
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
    """Return what several checks of a row come to; without one it is not scored."""
    present = set(outcomes)
    return next((each for each in _WORST_FIRST if each in present), CaseOutcome.UNSCORED)


def score_of(value: Any, flaws: Flaws, case_id: str) -> Fraction | None:
    """Return a score, or None if it is missing or NaN; what cannot be a score is a flaw."""
    if value is None or (isinstance(value, Decimal) and value.is_nan()):
        return None
    score = exact(value)
    if score is None:
        flaws.add("a score is not a finite number", case_id)
    return score


def identity(value: Any) -> str | None:
    """Return what identifies a case, in one line: a text as it is, anything else as JSON.

    Blanks around a text do not count: they would be lost in a file of ids.

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
    except RecursionError as error:  # some versions of Python read deeper than they write
        raise UnreadableResultsError("it is nested too deeply") from error


def earliest(
    times: Iterable[Any], flaws: Flaws, apart: timedelta = timedelta(days=1)
) -> tuple[datetime | None, bool]:
    """Return the earliest of the times (ISO 8601) that are such, in UTC, and if all have a zone.

    Times of one run that are further apart than this are a flaw.
    """
    instants = [instant for instant in map(instant_of, times) if instant is not None]
    if not instants:
        return None, True
    if max(instants) - min(instants) > apart:
        flaws.add("its times contradict each other")
    zoned = all(instant.tzinfo is not _EARLIEST_ZONE for instant in instants)
    return min(instants).astimezone(UTC), zoned


def instant_of(time: Any) -> datetime | None:
    """Return an instant; one without a zone is that of the zone where it is the earliest."""
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
    """Return the commits among labels that people give to a run."""
    return [
        value
        for key, value in mapping(labels).items()
        if re.sub(r"[^a-z]", "", key.lower()) in _COMMIT_KEYS and isinstance(value, str)
    ]


def agreed_commit(names: Iterable[Any], flaws: Flaws) -> str | None:
    """Return the commit that all names of one stand for, as long as it is written anywhere."""
    commits = [name.lower() for name in names if isinstance(name, str) and _COMMIT.fullmatch(name)]
    longest = max(commits, key=len, default=None)
    if longest is not None and not all(longest.startswith(commit) for commit in commits):
        flaws.add(f"it names two commits: {' and '.join(sorted(set(commits)))}")
        return None
    return longest
