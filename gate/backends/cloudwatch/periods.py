"""The periods that CloudWatch has for a stretch of time, by its age, and how to cut it.

It keeps points of a minute for 15 days, of 5 minutes for 63 days and of an hour for 455 days:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html. A request
with a shorter period than its start allows gets an answer without points that seems complete, and a
start between two periods is moved back. So all starts are on the clock here.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import gcd
from typing import Final

from gate.dataclass import dataclass
from gate.slo.objective import Span

MINUTE: Final = 60
HOUR: Final = 3600
_DAY: Final = 86_400
_KEPT: Final = ((15 * _DAY, MINUTE), (63 * _DAY, 5 * MINUTE))
"""The number of seconds for which CloudWatch keeps points, and the seconds of their period."""
KEPT: Final = timedelta(days=455)
"""The age after which CloudWatch has no points."""
_EARLY: Final = HOUR
"""The number of seconds before its end from which a period is no longer requested: its age grows on
the way, and this machine's clock may be late."""
_NEWEST: Final = 6 * HOUR
"""The number of seconds at the end of a stretch that are requested in the shortest period."""
FINE: Final = timedelta(hours=12)
"""The maximum length of a stretch that is requested by the minute."""


@dataclass(frozen=True, slots=True, order=True)
class PeriodRun:
    """A stretch of time in whole periods, in seconds since 1970; the start is included."""

    start: int
    end: int
    period: int

    @property
    def points(self) -> int:
        """The maximum number of points."""
        return (self.end - self.start) // self.period


def seconds(at: datetime) -> int:
    """Return the whole seconds since 1970."""
    return int(at.timestamp())


def moment(number: int) -> datetime:
    """Return the instant of a Unix time, in UTC."""
    return datetime.fromtimestamp(number, UTC)


def finest(start: int, now: datetime) -> int:
    """Return the shortest period whose points CloudWatch has from an instant on."""
    age = seconds(now) - start
    return next((period for kept, period in _KEPT if age <= kept - _EARLY), HOUR)


def usual_period(length: timedelta) -> int:
    """Return the period for requests of a stretch of this length, except for its two ends."""
    return MINUTE if length <= FINE else HOUR


def period_within(step: timedelta) -> int:
    """Return the longest period, up to an hour, that divides a step on the clock."""
    return gcd(int(step.total_seconds()), HOUR)


def pieces_of(span: Span, now: datetime, period: int) -> tuple[PeriodRun, ...]:
    """Cut a stretch of time into pieces without overlap, the oldest first.

    Its start is rounded down to the shortest period for its age, and so is its end, since the
    newest period is not over yet. Between them, the requested period is used, or the shortest
    available one if that is longer. The two ends use the shortest period, so that little time
    beyond the stretch is counted, and so do the last hours, so that the age of the newest point is
    known.

    Args:
        span: the stretch to count.
        now: the present time, which determines its age; the instant of the run may be in the past.
        period: seconds, a divisor of an hour.
    """
    start, end = (_down(seconds(at), finest(seconds(at), now)) for at in (span.start, span.end))
    borders = [_up(seconds(now) - kept + _EARLY, HOUR) for kept, _ in reversed(_KEPT)]
    cuts = [start, *(cut for cut in borders if start < cut < end), end]
    return tuple(
        piece
        for first, last in pairwise(cuts)
        for piece in _in_age(first, last, finest(first, now), period, _NEWEST * (last == end))
    )


def _in_age(start: int, end: int, shortest: int, period: int, newest: int) -> Iterator[PeriodRun]:
    """Cut a stretch that has one shortest period, that of its newest part."""
    period = period if not period % shortest else shortest
    first, last = _up(start, period), _down(end - newest, period)
    if first >= last:
        first = last = end
    for piece in (
        PeriodRun(start, first, shortest),
        PeriodRun(first, last, period),
        PeriodRun(last, end, shortest),
    ):
        if piece.start < piece.end:
            yield piece


def joined(pieces: Iterable[PeriodRun]) -> list[PeriodRun]:
    """Return as few stretches as possible that contain all of these."""
    whole = list[PeriodRun]()
    for piece in sorted(set(pieces), key=lambda piece: (piece.period, piece.start)):
        last = whole[-1] if whole else None
        if last is not None and last.period == piece.period and piece.start <= last.end:
            whole[-1] = PeriodRun(last.start, max(last.end, piece.end), piece.period)
        else:
            whole.append(piece)
    return whole


def widened(piece: PeriodRun, now: datetime) -> PeriodRun | None:
    """Return a past stretch extended into the time after it; None: it is not entirely past.

    Requests for one instant of the past are often followed by the next one, and CloudWatch charges
    for a metric, not for its points.
    """
    settled = _down(seconds(now) - HOUR, piece.period)
    if piece.end > settled:
        return None
    end = settled if piece.period == HOUR else min(piece.end + _DAY, settled)
    return PeriodRun(piece.start, _down(end, piece.period), piece.period)


def counted_span(pieces: Sequence[PeriodRun]) -> Span:
    """Return the stretch of time that these pieces form together; at least one."""
    return Span(moment(pieces[0].start), moment(pieces[-1].end))


def _down(number: int, period: int) -> int:
    return number - number % period


def _up(number: int, period: int) -> int:
    return -(-number // period) * period
