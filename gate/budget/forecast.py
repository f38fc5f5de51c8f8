"""The future of a budget: when it runs out or recovers, and how much may still fail."""

from collections.abc import Callable, Iterable, Iterator
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
    """The time when nothing is left; None: never at the current rate, or it has passed already."""
    resets_at: datetime | None
    """The time when a calendar budget resets; None for a rolling window, which recovers
    gradually."""
    lasts_until_reset: bool | None
    """None for a rolling window."""
    seconds_left: Fraction | None
    """How long the remaining budget lasts at the current rate, exactly, without regard to a reset;
    None if it never runs out, or has already."""


def forecast(
    *,
    at: datetime,
    remaining: Fraction,
    spending: Fraction,
    period: timedelta,
    resets_at: datetime | None,
) -> Forecast:
    """Extrapolate the current rate.

    Args:
        at: the instant of the run.
        remaining: the remaining share of the budget; may be negative.
        spending: the number of whole budgets spent per ``period`` at present; 0 or less never
            exhausts it.
        period: usually the SLO's window, and ``spending`` its burn rate.
        resets_at: the next start of a calendar period.

    For a rolling window this ignores that old failures leave it, so the budget may last longer.
    """
    exhausted_at = lasts = seconds_left = None
    if remaining > 0 and spending > 0:
        seconds_left = seconds(period) * remaining / spending
        try:
            exhausted_at = at + period * float(remaining / spending)
        except OverflowError:
            exhausted_at = None  # after the year 9999
    if resets_at is not None:
        # Instants are not compared, since they are rounded to the microsecond.
        needed = spending * seconds(resets_at - at)
        lasts = remaining > 0 and remaining * seconds(period) >= needed
    return Forecast(
        exhausted_at=exhausted_at,
        resets_at=resets_at,
        lasts_until_reset=lasts,
        seconds_left=seconds_left,
    )


_TIE: Final = 1e-12
"""The tolerance for a slice that meets its target exactly, against rounding of an extrapolated
count."""
PACE: Final = timedelta(days=7)
"""The newest time whose failures continue in a forecast at the usual pace: a week has every hour of
every weekday."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The consumed part that is still in the window after each step, if nothing more fails."""

    at: datetime
    step: timedelta
    left: tuple[Fraction, ...]
    """After one step, two steps and so on, at least one: the share of today's bad events in the
    window, 1 to 0, never growing."""
    added: Fraction | None = None
    """The bad events that each step adds at the pace of the last 7 days, as a share of today's, 0
    or more; None: unknown."""

    def consumed(self, *, paced: bool = False) -> Iterator[tuple[datetime, Fraction]]:
        """Yield the instants and the consumed budget at them, as a share of the present one.

        Events that have left the window are given back. The traffic is assumed to stay the same,
        and with it the size of the budget.

        Args:
            paced: whether as much fails as in the last 7 days, which must be known; otherwise
                nothing more fails.
        """
        added = self._added(paced=paced)
        for place, left in enumerate(self.left, start=1):
            yield self.at + place * self.step, left + place * added

    def first(
        self, suits: Callable[[Fraction, Fraction], bool], *, paced: bool = False
    ) -> datetime | None:
        """Return the first step at which the consumed share suits; None: none exists.

        Today's remaining events only decrease and added events only increase, so the ends of a
        range of steps bound all steps in it. A range is divided if a step in it may suit.

        Args:
            suits: returns whether a suitable share lies between two, both included; for two equal
                shares, whether this share is suitable.
            paced: as for `consumed`.
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
        """Yield the instants and the remaining budget at them if nothing more fails."""
        for instant, share in self.consumed():
            yield instant, 1 - (1 - remaining) * share

    @property
    def end(self) -> datetime:
        """The time when all of it will have left the window."""
        return self.at + len(self.left) * self.step

    def left_at(self, instant: datetime) -> Fraction:
        """Return the share of today's bad events that is in the window at an instant."""
        place = min((instant - self.at) // self.step, len(self.left))
        return self.left[place - 1] if place > 0 else Fraction(1)


def _in_units(number: float, unit: int) -> int:
    """Return the exact number of parts of size 1 / ``unit`` in a number."""
    numerator, denominator = number.as_integer_ratio()
    return numerator * (unit // denominator)


def recovery(series: Series, at: datetime, step: timedelta) -> Recovery | None:
    """Return how the bad events of a whole window leave it; None without known bad events.

    Args:
        series: the events of the window that ends at ``at``; an unknown step counts as none.
        at: the instant of the run.
        step: the step of the series.
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
    """Return the recovery of a calendar budget: all at once, at the reset."""
    return Recovery(at=reset - step, step=step, left=(Fraction(0),))


Future = Iterable[tuple[datetime, Fraction]]
"""The remaining shares of the budget, step by step."""


def affordable_failures(
    future: Future,
    now: Fraction,
    *,
    at: datetime,
    until: datetime,
    threshold: Fraction,
    share: Fraction,
) -> Fraction | None:
    """Return how many events per hour may fail until an instant, at a constant rate.

    With that many failures, the remaining budget at the instant equals the threshold; and if it is
    above the threshold now, it is at least the threshold at every step until then. None: not even
    without failures.

    Args:
        future: the remaining budget if nothing more fails (`Assessment.recovering`, or for a
            calendar budget the present one, at the instant); up to one window from now, so that no
            new failure leaves it. A later ``until`` counts as its last step.
        now: the present remaining budget.
        at: the present instant.
        until: the instant, at least one step of the future from now.
        threshold: the threshold for the remaining share of the budget.
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
    """Return a series of slices, one for each step, from the series of their events."""
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
