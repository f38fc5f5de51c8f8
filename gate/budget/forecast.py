"""The future of a budget: when it runs out or recovers, and how much may still fail."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import accumulate
from typing import Final

from gate.budget.ratio import seconds
from gate.dataclass import dataclass
from gate.measure.history import Series
from gate.slo.indicator import EmptySlice, Slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The future of a budget if nothing changes."""

    exhausted_at: datetime | None
    """The time at which nothing is left; None: never at the present rate, or it is past already."""
    resets_at: datetime | None
    """The time at which a calendar budget renews; None for a rolling window, which recovers bit by
    bit."""
    lasts_until_reset: bool | None
    """None for a rolling window."""
    seconds_left: Fraction | None
    """How long what is left lasts at the present rate, exactly, reset or not; None where it never
    runs out, or has already."""


def forecast(
    *,
    at: datetime,
    remaining: Fraction,
    spending: Fraction,
    period: timedelta,
    resets_at: datetime | None,
) -> Forecast:
    """Carry the present rate on.

    Args:
        at: the instant of the run.
        remaining: share of the budget that is left; may be negative.
        spending: whole budgets spent per ``period`` now; 0 or less never exhausts it.
        period: usually the SLO's window, and ``spending`` its burn rate.
        resets_at: the next start of a calendar period.

    For a rolling window this leaves out that old failures fall out of it, so it may come later.
    """
    exhausted_at = lasts = seconds_left = None
    if remaining > 0 and spending > 0:
        seconds_left = seconds(period) * remaining / spending
        try:
            exhausted_at = at + period * float(remaining / spending)
        except OverflowError:
            exhausted_at = None  # after the year 9999
    if resets_at is not None:
        # Not by comparing instants: those are rounded to the microsecond.
        needed = spending * seconds(resets_at - at)
        lasts = remaining > 0 and remaining * seconds(period) >= needed
    return Forecast(
        exhausted_at=exhausted_at,
        resets_at=resets_at,
        lasts_until_reset=lasts,
        seconds_left=seconds_left,
    )


_TIE: Final = 1e-12
"""A slice that meets its target exactly is not bad by the last digit of an extrapolated count."""
PACE: Final = timedelta(days=7)
"""The newest time whose failures go on where a budget recovers at its usual pace: a week has every
hour of every day of the week in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """How much of what was consumed is still in the window, if nothing more fails."""

    at: datetime
    step: timedelta
    left: tuple[Fraction, ...]
    """After one step, two steps and so on, at least one: the share of today's bad events that is
    left, 1 to 0, which never grows."""
    added: Fraction | None = None
    """The bad events that each step adds at the pace of the last 7 days, as a share of today's, 0
    or more; None: not known."""

    def consumed(self, *, paced: bool = False) -> Iterator[tuple[datetime, Fraction]]:
        """Yield, step by step, when how much is consumed, as a share of what is consumed now.

        What has left the window is given back. The traffic is taken to stay what it was, so that
        the budget's size stays.

        Args:
            paced: whether as much fails as in the last 7 days, which is known; else nothing does.
        """
        added = self._added(paced=paced)
        for place, left in enumerate(self.left, start=1):
            yield self.at + place * self.step, left + place * added

    def first(
        self, suits: Callable[[Fraction, Fraction], bool], *, paced: bool = False
    ) -> datetime | None:
        """Return the first step at which what is consumed is as it is looked for; None: at none.

        What is left of today's events only falls and what is added only grows, so the ends of a
        stretch of steps bound all within it. It is divided where something in it may suit.

        Args:
            suits: tells whether a share between two, both included, is looked for; of a share and
                itself, whether that is.
            paced: as `consumed` has it.
        """
        added, stretches = self._added(paced=paced), [(1, len(self.left))]
        while stretches:
            first, last = stretches.pop()
            least = self.left[last - 1] + first * added
            if not suits(least, self.left[first - 1] + last * added):
                continue
            if first == last:
                return self.at + first * self.step
            middle = (first + last) // 2
            stretches += [(middle + 1, last), (first, middle)]
        return None

    def _added(self, *, paced: bool) -> Fraction:
        return (self.added or Fraction(0)) if paced else Fraction(0)

    def remaining(self, remaining: Fraction) -> Iterator[tuple[datetime, Fraction]]:
        """Yield, step by step, when how much of the budget will be left if nothing more fails."""
        for instant, share in self.consumed():
            yield instant, 1 - (1 - remaining) * share

    @property
    def end(self) -> datetime:
        """The time at which all of it will have left the window."""
        return self.at + len(self.left) * self.step

    def left_at(self, instant: datetime) -> Fraction:
        """Return the share of today's bad events that is left at an instant."""
        place = min((instant - self.at) // self.step, len(self.left))
        return self.left[place - 1] if place > 0 else Fraction(1)


def _in_units(number: float, unit: int) -> int:
    """Return how many parts of one, of which there are ``unit``, a number has exactly."""
    numerator, denominator = number.as_integer_ratio()
    return numerator * (unit // denominator)


def recovery(series: Series, at: datetime, step: timedelta) -> Recovery | None:
    """Return how the bad events of a whole window leave it; None where none is known of.

    Args:
        series: the events of the window that ends at ``at``; a step that is not known has none.
        at: the instant of the run.
        step: of the series.
    """
    bad = [value or 0.0 for value in series.bad]
    total = Fraction(sum(bad))
    if not total:
        return None
    gone, newest = list(accumulate(bad)), bad[-max(PACE // step, 1) :]
    # As whole numbers of one unit, and one fraction for the steps in which nothing leaves.
    unit = max(number.as_integer_ratio()[1] for number in (*gone, float(total)))
    whole = int(total * unit)
    left = {
        sofar: Fraction(max(whole - _in_units(sofar, unit), 0), whole)
        for sofar in dict.fromkeys(gone)
    }
    return Recovery(
        at=at,
        step=step,
        left=tuple(left[sofar] for sofar in gone),
        added=Fraction(sum(newest)) / total / len(newest),
    )


def renewal(reset: datetime, step: timedelta) -> Recovery:
    """Return how a calendar budget comes back: all at once, at the reset."""
    return Recovery(at=reset - step, step=step, left=(Fraction(0),))


def composed(parts: Sequence[tuple[Fraction, Recovery]]) -> Recovery:
    """Return how a composite comes back, by the longest of its members' steps.

    Args:
        parts: what each member took of the composite's budget (weight x consumed), above 0, and how
            that member comes back; at least one.
    """
    step = max(part.step for _, part in parts)
    start, end = min(part.at for _, part in parts), max(part.end for _, part in parts)
    total = sum(share for share, _ in parts)
    left = tuple(
        sum((share * part.left_at(start + place * step) for share, part in parts), Fraction(0))
        / total
        for place in range(1, -((start - end) // step) + 1)
    )
    paces = [
        share * part.added * seconds(step) / seconds(part.step)
        for share, part in parts
        if part.added is not None
    ]
    added = sum(paces, Fraction(0)) / total if len(paces) == len(parts) else None
    return Recovery(at=start, step=step, left=left, added=added)


Future = Iterable[tuple[datetime, Fraction]]
"""The shares of the budget that will be left, step by step."""


def affordable_failures(
    future: Future,
    now: Fraction,
    *,
    at: datetime,
    until: datetime,
    threshold: Fraction,
    share: Fraction,
) -> Fraction | None:
    """Return how many events an hour may fail from now until an instant, at a constant rate.

    As many that at the instant so much of the budget is left as a threshold asks for; and, where so
    much is left now, at every step until then. None: not even if none failed.

    Args:
        future: what will be left if nothing more fails (`Assessment.recovering`, or for a calendar
            budget what is left now, at the instant); up to one window from now, in which nothing
            that fails from now on leaves it. A later ``until`` is that of its last step.
        now: what is left now.
        at: now.
        until: the instant, at least one step of the future from now.
        threshold: of what is left, as a share of the budget.
        share: the share of the budget that one bad event spends, above 0.
    """
    rates = [
        (left - threshold) / (share * seconds(instant - at) / _HOUR)
        for instant, left in future
        if at < instant <= until
    ]
    least = (min(rates) if now >= threshold else rates[-1]) if rates else Fraction(-1)
    return least if least >= 0 else None


_HOUR: Final = 3600


def bad_slices(series: Series, slices: Slices) -> Series:
    """Return a series of slices, each step of which is one, out of that of their events."""
    judged = [
        None if total is None or bad is None else float(_is_bad(total, bad, slices))
        for total, bad in zip(series.total, series.bad, strict=True)
    ]
    total = tuple(None if bad is None else 1.0 for bad in judged)
    return replace(series, total=total, bad=tuple(judged))


def _is_bad(total: float, bad: float, slices: Slices) -> bool:
    if not total:
        return slices.empty is EmptySlice.BAD
    return (total - bad) / total < float(slices.target) - _TIE
