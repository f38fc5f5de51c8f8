"""When runs came, against when they were due; and which cases they left out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final

from gate.dataclass import dataclass
from gate.measure.coverage import NO_GAPS, Gaps, StepCoverage
from gate.slo.objective import Span

_LOOK_BACK: Final = 7
"""Rounds that say which cases belong to the set: of nightly runs a week."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRun:
    """The result of one run for one metric."""

    file: str
    """As people know it; the first by name, where several are of the same run."""
    at: datetime
    """The start of the run, in UTC."""
    tool: str
    passed: Mapping[str, bool]
    """Whether every row of a case passed, by the id of the case."""
    unnamed: int = 0
    """Cases without an id."""
    unnamed_bad: int = 0
    """How many of these did not pass."""
    flaw: str | None = None
    """The reason why it cannot be counted, in a clause; None: it can."""
    rerun: int = 0
    """Cases with more rows than the file declares, which have not passed."""
    disputed: int = 0
    """Cases that have passed in one file of the run, and not in another, which have not passed."""

    @property
    def cases(self) -> int:
        """How many distinct cases it has."""
        return len(self.passed) + self.unnamed

    @property
    def bad(self) -> int:
        """How many of them did not pass."""
        return sum(not passed for passed in self.passed.values()) + self.unnamed_bad


def coverage(times: Sequence[datetime], span: Span, every: timedelta) -> StepCoverage:
    """Return how much of a span runs speak for, and where one was due and did not come.

    A run speaks for as long after it as until the next is due; the first of all also for as long
    before it. So each run that does not come is as much of the span as lies between two runs.

    Args:
        times: when each run was, the oldest first, those before the span and after it, too.
        span: of any length.
        every: how often a run is due.
    """
    times = [at for at in times if at <= span.end]
    missing = tuple(_missing(times, span, every)) if span.length else ()
    if not missing:
        return StepCoverage(share=Fraction(1), gaps=NO_GAPS)
    late = [stretch for stretch in missing if times and stretch.end < times[0]]
    holes = [stretch for stretch in missing if times and times[0] < stretch.end <= times[-1]]
    return StepCoverage(
        share=1 - _share(missing, span),
        missing=missing,
        gaps=Gaps(
            late=_share(late, span),
            holes=_share(holes, span),
            since=times[0] if late else None,
            longest=max(holes, key=lambda hole: hole.length, default=None),
            between=Span(holes[0].start, holes[-1].end) if holes else None,
        ),
    )


def _missing(times: Sequence[datetime], span: Span, every: timedelta) -> Iterator[Span]:
    """Yield the stretches of a span for which no run speaks, the oldest first."""
    speaks_until = times[0] - every if times else span.start
    if speaks_until > span.start:
        yield Span(span.start, speaks_until)
    speaks_until += every if times else timedelta()
    for at in [*times, span.end]:
        start = max(speaks_until, span.start)
        if start < at:
            yield Span(start, at)
        speaks_until = at + every


def _share(stretches: Sequence[Span], span: Span) -> Fraction:
    """Return what share of a span these are, which lie in it and do not overlap."""
    total = sum((stretch.length for stretch in stretches), timedelta())
    return Fraction(total // _FINEST, span.length // _FINEST)


_FINEST: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Runs that came at about the same time: one, parts of one, or what was run again."""

    runs: tuple[CountedRun, ...]
    """The oldest first; at least one."""
    left_out: int
    """How many cases it lacks that most of the rounds before it had."""
    examples: tuple[str, ...]
    """The ids of a few of them; empty where the cases have none."""

    @property
    def at(self) -> datetime:
        """The start of its first run."""
        return self.runs[0].at

    @property
    def cases(self) -> int:
        """How many distinct cases it has."""
        return len(self.ids) + max(run.unnamed for run in self.runs)

    @property
    def ids(self) -> frozenset[str]:
        """The ids of its cases; some cases may have no id."""
        return frozenset().union(*(run.passed for run in self.runs))


def rounds_of(
    runs: Sequence[CountedRun], every: timedelta, since: datetime | None = None
) -> tuple[Round, ...]:
    """Return the rounds that runs make up, the oldest first.

    Runs of less than half of ``every`` are of one round. What a run lacks is not left out where
    another run of its round has it.

    Args:
        runs: the oldest first.
        every: how often a run is due.
        since: when the set of cases was changed on purpose; earlier rounds do not say what belongs
            to it. None: never.
    """
    rounds: list[Round] = []
    for group in _groups(runs, every):
        whole = Round(runs=group, left_out=0, examples=())
        changed = since is not None and since <= whole.at
        before = [each for each in rounds if not changed or (since and each.at >= since)]
        number, examples = _left_out(whole, before[-_LOOK_BACK:])
        rounds.append(Round(runs=group, left_out=number, examples=examples))
    return tuple(rounds)


def _groups(runs: Sequence[CountedRun], every: timedelta) -> Iterator[tuple[CountedRun, ...]]:
    group: list[CountedRun] = []
    for run in runs:
        if group and run.at - group[0].at >= every / 2:
            yield tuple(group)
            group = []
        group.append(run)
    if group:
        yield tuple(group)


_EXAMPLES: Final = 3


def _left_out(whole: Round, before: Sequence[Round]) -> tuple[int, tuple[str, ...]]:
    """Return how many cases a round lacks that more than half of those before it had."""
    counts: dict[str, int] = {}
    for each in before:
        for case in each.ids:
            counts[case] = counts.get(case, 0) + 1
    lacking = sorted(
        case for case, count in counts.items() if 2 * count > len(before) and case not in whole.ids
    )
    fewer = 0
    if before and not any(2 * count > len(before) for count in counts.values()):
        # Cases without ids, or with other ones each time: their number alone can be compared.
        fewer = max(sorted(each.cases for each in before)[len(before) // 2] - whole.cases, 0)
    return len(lacking) + fewer, tuple(lacking[:_EXAMPLES])
