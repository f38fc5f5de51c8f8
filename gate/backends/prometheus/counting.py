"""From numbers to counts that can be believed, or to why there are none."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import EVENTS, SECOND, Role
from gate.measure.counts import Cause, MeasurementError
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.quantities import format_duration
from gate.slo.window import Span

_HAIR: Final = Fraction(1, 10**9)
"""Of the total: what floats and extrapolation may be off."""


_NONE_BAD: Final = "bad: nothing came back, counted as 0 beside the events that there are"


Numbers = Mapping[Role, Fraction | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Counts without their evidence."""

    total: Fraction
    bad: Fraction
    notes: tuple[str, ...] = ()


def amount_spent(amount: Fraction | None, span: Span) -> Counted:
    """Return an amount as a total of which nothing is bad; zero is an amount.

    Raises:
        NotMeasuredError: absent or negative.
    """
    if amount is None:
        raise _no_data(Role.SPENT, span)
    if amount < 0:
        raise _negative(Role.SPENT, amount)
    return Counted(total=amount, bad=Fraction())


def count_events(numbers: Numbers, span: Span) -> Counted:
    """Return the events over a span, from two of total, good and bad.

    An absent bad is zero only beside a total (or a good) that is there. An absent good is never
    zero: a wrong label or histogram boundary would look like a total outage.

    Raises:
        NotMeasuredError: no data, no traffic, or numbers that cannot be counts.
    """
    for role in (Role.TOTAL, Role.GOOD):
        number = numbers.get(role)
        if number is not None and number < 0:
            raise _negative(role, number)
    if Role.TOTAL in numbers:
        return _of_total(numbers, numbers[Role.TOTAL], span)
    return _without_total(numbers[Role.GOOD], numbers[Role.BAD], span)


def count_slices(numbers: Numbers, slices: Slices, span: Span) -> Counted:
    """Return the timeslices over a span; those without events as the policy says.

    Raises:
        NotMeasuredError: no slice has data, or some slices could not be judged.
    """
    if numbers[Role.SLICES] is None and not EVENTS & numbers.keys():
        raise _no_data(Role.GAUGE, span)
    seen = numbers[Role.SLICES] or Fraction()
    judged = numbers[Role.JUDGED_SLICES] or Fraction()
    bad = numbers[Role.BAD_SLICES] or Fraction()
    if judged != seen:
        reason = (
            f"slices: {float(seen - judged):,.0f} of {float(seen):,.0f} have events but no good"
            " ratio from 0 to 1 (a series is missing there, or it is NaN)"
        )
        raise MeasurementError(Cause.INVALID, reason)
    empty = max(span.length // slices.length - seen, Fraction())
    notes = (f"{float(empty):,.0f} slices without events: {slices.empty}",) if empty else ()
    if slices.empty is not EmptySlice.LEFT_OUT:
        seen += empty
        bad += empty if slices.empty is EmptySlice.BAD else 0
    if not seen:
        reason = f"slices: none of {format_duration(slices.length)} in the window has data"
        raise MeasurementError(Cause.NO_DATA, reason)
    return _checked(seen, bad, *notes)


def _of_total(numbers: Numbers, total: Fraction | None, span: Span) -> Counted:
    if total is None:
        raise _no_data(Role.TOTAL, span)
    if Role.BAD in numbers:
        bad = numbers[Role.BAD]
        return _checked(total, Fraction(), _NONE_BAD) if bad is None else _checked(total, bad)
    good = numbers[Role.GOOD]
    if good is None:
        raise _good_is_missing("total", total) if total else _no_traffic()
    return _checked(total, total - good)


def _without_total(good: Fraction | None, bad: Fraction | None, span: Span) -> Counted:
    if good is None:
        raise _no_data(Role.GOOD, span) if bad is None else _good_is_missing("bad", bad)
    if bad is None:
        return _checked(good, Fraction(), _NONE_BAD)
    return _checked(good + bad, bad)


def _checked(total: Fraction, bad: Fraction, *notes: str) -> Counted:
    hair = total * _HAIR
    if bad < -hair:
        raise _negative(Role.BAD, bad)
    if bad > total + hair:
        reason = f"bad is {float(bad):,.2f} and more than total, which is {float(total):,.2f}"
        raise MeasurementError(Cause.INVALID, reason)
    if not total:
        raise _no_traffic()
    return Counted(total=total, bad=min(max(bad, Fraction()), total), notes=notes)


def _negative(role: Role, number: Fraction) -> MeasurementError:
    reason = f"{role}: the value is {float(number):g}, and a count cannot be negative"
    if role is Role.BAD:
        reason += " (is good more than total?)"
    return MeasurementError(Cause.INVALID, reason)


def _no_traffic() -> MeasurementError:
    return MeasurementError(Cause.NO_TRAFFIC, "total is 0: no event, good or bad")


def _no_data(role: Role, span: Span) -> MeasurementError:
    window = format_duration(span.length // SECOND * SECOND)
    reason = f"{role}: nothing came back; no series matches, or none has samples in the {window}"
    return MeasurementError(Cause.NO_DATA, reason)


def _good_is_missing(other: str, count: Fraction) -> MeasurementError:
    reason = (
        f"good: nothing came back, though {other} counts {float(count):,.0f} events; check the"
        " labels (le must be a boundary that the histogram has); if really nothing was good,"
        " add: or vector(0)"
    )
    return MeasurementError(Cause.NO_DATA, reason)
