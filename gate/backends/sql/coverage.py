"""The share of a window that has rows, and the usual silence in it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Final

from gate.backends.sql.rows import RowSource
from gate.backends.sql.times import EPOCH, MICROSECOND, instant
from gate.dataclass import dataclass
from gate.measure import Cause, Suspicion
from gate.measure.coverage import FEWEST, StepCoverage, coverage_by_steps, usual_within
from gate.measure.history import MOST_PARTS, clock_part, clock_start
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.wording import amount, percent_spent, stretch

_HOUR: Final = timedelta(hours=1)
_LOOK_BACK: Final = timedelta(days=30)
"""The span before a window, four weekends, that shows which days are usually quiet."""


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of time of a span: they lie between whole multiples of their length since 1970."""

    span: Span
    step: timedelta
    """The length of a part."""

    @property
    def whole(self) -> range:
        """The parts that lie completely within the span, numbered from 1970."""
        span = self.span
        return range(-((EPOCH - span.start) // self.step), (span.end - EPOCH) // self.step)

    @property
    def inner(self) -> Span | None:
        """The time of the whole parts; None without whole parts."""
        whole = self.whole
        if not whole:
            return None
        return Span(EPOCH + whole.start * self.step, EPOCH + whole.stop * self.step)

    @property
    def around(self) -> Span:
        """The time of all parts, whole or not, from the start of the first."""
        return Span(clock_start(self.span.start, self.step), self.span.end)

    def end_after(self, moment: int) -> datetime:
        """Return the end of the part that contains an instant.

        Args:
            moment: Unix time in microseconds.
        """
        step = self.step // MICROSECOND
        return EPOCH + ((moment - 1) // step + 1) * self.step

    def coverage(self, rows: Mapping[int, float], usual: "UsualRows") -> StepCoverage:
        """Return the share of the span that has rows.

        The incomplete parts at the ends of the span are judged with the part beside them.

        Args:
            rows: the rows of the span, by their part.
            usual: the usual numbers at other times.
        """
        whole, span, excused = self.whole, self.inner, usual.excuse(self.span)
        if span is None:
            return coverage_by_steps([sum(rows.values()) or None], self.span, excused=excused)
        numbers = [rows.get(place, 0) for place in whole]
        numbers[0] += rows.get(whole.start - 1, 0)
        numbers[-1] += rows.get(whole.stop, 0)
        events = [number or None for number in numbers]
        return coverage_by_steps(events, span, most=MOST_PARTS, excused=excused)


def parts_of(span: Span) -> Parts:
    """Return the parts in which a span is searched for rows."""
    return Parts(span, clock_part(span.length))


def bounds_of(parts: Iterable[Parts]) -> Iterator[datetime]:
    """Yield the boundaries of whole parts, each instant once for each length."""
    numbers: dict[timedelta, set[int]] = {}
    for some in parts:
        numbers.setdefault(some.step, set()).update(range(some.whole.start, some.whole.stop + 1))
    for step, places in numbers.items():
        yield from (EPOCH + place * step for place in places)


def time_around(spans: Iterable[Span]) -> Span:
    """Return the time from the first start to the last end; there must be a span."""
    starts, ends = zip(*((span.start, span.end) for span in spans), strict=True)
    return Span(min(starts), max(ends))


def times_by_step(every: Iterable[Parts]) -> dict[timedelta, Span]:
    """Return the time covered by the parts of each length."""
    spans: dict[timedelta, list[Span]] = {}
    for parts in every:
        spans.setdefault(parts.step, []).append(parts.around)
    return {step: time_around(some) for step, some in spans.items()}


class UsualRows:
    """The usual number of rows at each hour of the day and the week, from the time before.

    A short window does not show that the service sleeps at the weekend. The log before it is read
    only if the window seems to lack rows, and only once.
    """

    def __init__(self, rows: RowSource, time: Span, oldest: datetime | None = None) -> None:
        """Prepare; give the rows, the span, and the time of the oldest row if it is known."""
        self._rows, self._oldest = rows, oldest
        self._time = Span(time.start - max(rows.look_back, _LOOK_BACK) - _HOUR, time.end)

    def excuse(self, span: Span) -> Callable[[Span], bool]:
        """Return a function that says whether a stretch of a span may have no rows.

        A span of this number of days shows by itself what is usual, and a log that begins later
        than a span has no information about the time before.
        """
        if span.length >= _LOOK_BACK or (self._oldest is not None and self._oldest > span.start):
            return lambda _: False
        end = clock_start(span.end, _HOUR)
        before = Span(end - _LOOK_BACK, end)

        def usual(gap: Span) -> bool:
            oldest, rows = self._by_hour
            first = (before.start - EPOCH) // _HOUR
            hours = [rows.get(first + place) for place in range(_LOOK_BACK // _HOUR)]
            return oldest <= span.start and usual_within(hours, before, gap) < FEWEST

        return usual

    @cached_property
    def _by_hour(self) -> tuple[datetime, Mapping[int, int]]:
        """The time of the oldest row, which must exist, and the number of rows by hour."""
        hour = self._rows.dialect.floor_divide("(_at - 1)", _HOUR // MICROSECOND)
        hours = f"(SELECT _at, {hour} AS _hour FROM {self._rows.times(self._time)}) AS rows"  # noqa: S608
        rows = self._rows.engine.rows(
            f"SELECT _hour, count(*), min(_at) FROM {hours} GROUP BY _hour"  # noqa: S608 - as above
        )
        oldest = min(moment for _, _, moment in rows)
        by_hour = {int(hour): int(number) for hour, number, _ in rows}
        return instant(oldest), by_hour


def lost_rows(
    seen: StepCoverage, span: Span, per_row: Fraction, slices: Slices | None, rows: RowSource
) -> tuple[Suspicion, ...]:
    """Return the suspicion that rows were lost in the gaps of a log; None without gaps.

    Args:
        seen: the share of the span with rows.
        span: the counted span.
        per_row: the mean number of events, or the mean amount, of a row.
        slices: given: slices are counted instead, and each in a hole may have been bad.
        rows: the rows that were read.
    """
    gaps = seen.gaps
    if gaps.longest is None:
        return ()
    hidden = gaps.usual * per_row
    if slices is not None:
        bad = slices.empty is EmptySlice.BAD
        hidden = Fraction(0) if bad else gaps.holes * Fraction(span.length / slices.length)
    longest = stretch(gaps.longest.start, gaps.longest.end, open_=False)
    several = "" if gaps.between == gaps.longest else ", and in other holes"
    reason = (
        f"{rows.noun} no row from {longest}{several}, in {percent_spent(gaps.holes)} of the"
        f" window, where about {amount(gaps.usual)} rows are usual"
    )
    return (
        Suspicion(
            cause=Cause.LOST, reason=reason, remedy=rows.lost, hidden=hidden, within=gaps.between
        ),
    )
