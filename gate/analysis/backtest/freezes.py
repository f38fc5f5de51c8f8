"""The times in which a policy would have been closed to a class of changes."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby

from gate.analysis.backtest.verdicts import PastVerdict
from gate.dataclass import dataclass
from gate.policy.findings import Verdict
from gate.slo.objective import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A stretch of time with one verdict, on the class that is judged throughout."""

    span: Span
    verdict: Verdict
    reasons: tuple[str, ...]
    """The reasons of the verdict at its start; empty if it allows the change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenMonth:
    """How long a policy was closed in a month."""

    start: datetime
    """The first instant of the month, in UTC."""
    judged: timedelta
    """The part of the month that was replayed."""
    frozen: timedelta
    undecided: timedelta


def standings(verdicts: Sequence[PastVerdict], end: datetime) -> tuple[Standing, ...]:
    """Return how long each verdict lasted: each until the next instant, the last until the end.

    Args:
        verdicts: the verdicts, the oldest first.
        end: the end of the replayed time, not before the last verdict.
    """
    ends = [*(past.at for past in verdicts[1:]), end]
    parts = list(zip(verdicts, ends, strict=False))
    joined = []
    for verdict, group in groupby(parts, key=lambda part: part[0].usual):
        first, *others = group
        last = others[-1] if others else first
        joined.append(
            Standing(
                span=Span(first[0].at, last[1]),
                verdict=verdict,
                reasons=first[0].usual_reasons,
            )
        )
    return tuple(standing for standing in joined if standing.span.length > timedelta())


def months(standing: Iterable[Standing]) -> tuple[FrozenMonth, ...]:
    """Return how long the policy was closed in each month of UTC, the oldest first."""
    total: dict[datetime, dict[Verdict, timedelta]] = {}
    for stretch in standing:
        for month, length in _by_month(stretch.span):
            lengths = total.setdefault(month, {})
            lengths[stretch.verdict] = lengths.get(stretch.verdict, timedelta()) + length
    return tuple(
        FrozenMonth(
            start=month,
            judged=sum(lengths.values(), timedelta()),
            frozen=lengths.get(Verdict.BLOCK, timedelta()),
            undecided=lengths.get(Verdict.UNDECIDED, timedelta()),
        )
        for month, lengths in sorted(total.items())
    )


def _by_month(span: Span) -> Iterator[tuple[datetime, timedelta]]:
    start = span.start.astimezone(UTC)
    while start < span.end:
        month = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (month + timedelta(days=32)).replace(day=1)
        end = min(following, span.end.astimezone(UTC))
        yield month, end - start
        start = end
