"""Counts from the numbers of the parts: what an absent number means, and which cannot be counts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final

from gate.backends.prometheus.query import EVENTS, Role
from gate.measure import Cause, MeasurementError
from gate.promql.moving import SECOND
from gate.slo.indicator import EmptySlice, Slices
from gate.slo.objective import Span
from gate.slo.quantities import format_duration

_HAIR: Final = Fraction(1, 10**9)
"""The share of the total by which floats and extrapolation may be wrong."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
Numbers = Mapping[Role, Fraction | None]
TotalAndBad = tuple[Fraction, Fraction]


def amount_spent(amount: Fraction | None, span: Span) -> Fraction:
    """Return the amount that was spent; zero is a valid amount.

    Raises:
        MeasurementError: absent or negative.
    """
    if amount is None:
        raise _no_data(Role.SPENT, span)
    if amount < 0:
        raise _negative(Role.SPENT, amount)
    return amount


def count_events(numbers: Numbers, span: Span) -> TotalAndBad:
    """Return the total and the bad events of a span, from two of total, good and bad.

    An absent bad count is zero only if a total (or a good count) is present. An absent good count
    is never zero: a wrong label or histogram boundary would look like a total outage.

    Raises:
        MeasurementError: no data, no traffic, or numbers that cannot be counts.
    """
    for role in (Role.TOTAL, Role.GOOD):
        number = numbers.get(role)
        if number is not None and number < 0:
            raise _negative(role, number)
    if Role.TOTAL in numbers:
        return _of_total(numbers, numbers[Role.TOTAL], span)
    return _without_total(numbers[Role.GOOD], numbers[Role.BAD], span)


def count_slices(numbers: Numbers, slices: Slices, span: Span) -> TotalAndBad:
    """Return the total and the bad timeslices of a span; empty ones count as the policy says.

    Raises:
        MeasurementError: no slice has data, or some slices could not be judged.
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
    empty = _empty_slices(numbers, slices, span)
    if slices.empty is not EmptySlice.LEFT_OUT:
        seen += empty
        bad += empty if slices.empty is EmptySlice.BAD else 0
    if not seen:
        reason = f"slices: none of {format_duration(slices.length)} in the window has data"
        raise MeasurementError(Cause.NO_DATA, reason)
    return _checked(seen, bad)


def count_notes(numbers: Numbers, slices: Slices | None, span: Span) -> tuple[str, ...]:
    """Return the notes on how absent numbers were counted."""
    if slices is None:
        if numbers.get(Role.BAD, Fraction()) is not None:
            return ()
        other = Role.TOTAL if Role.TOTAL in numbers else Role.GOOD
        return (f"no 'bad' series found; counted as 0 because '{other}' has data",)
    empty = _empty_slices(numbers, slices, span)
    done = "excluded" if slices.empty is EmptySlice.LEFT_OUT else f"counted as {slices.empty}"
    noun, verb = ("slice", "was") if empty == 1 else ("slices", "were")
    return (f"{float(empty):,.0f} {noun} had no data and {verb} {done}",) if empty else ()


def slices_ended(span: Span, slices: Slices) -> int:
    """Return how many slices end in a span; they end at multiples of their length since 1970."""
    return (span.end - _EPOCH) // slices.length - (span.start - _EPOCH) // slices.length


def _empty_slices(numbers: Numbers, slices: Slices, span: Span) -> Fraction:
    return max(slices_ended(span, slices) - (numbers[Role.SLICES] or Fraction()), Fraction())


def _of_total(numbers: Numbers, total: Fraction | None, span: Span) -> TotalAndBad:
    if total is None:
        raise _no_data(Role.TOTAL, span)
    if Role.BAD in numbers:
        return _checked(total, numbers[Role.BAD] or Fraction())
    good = numbers[Role.GOOD]
    if good is None:
        raise _good_is_missing("total", total) if total else _no_traffic()
    return _checked(total, total - good)


def _without_total(good: Fraction | None, bad: Fraction | None, span: Span) -> TotalAndBad:
    if good is None:
        raise _no_data(Role.GOOD, span) if bad is None else _good_is_missing("bad", bad)
    bad = bad or Fraction()
    return _checked(good + bad, bad)


def _checked(total: Fraction, bad: Fraction) -> TotalAndBad:
    hair = total * _HAIR
    if bad < -hair:
        raise _negative(Role.BAD, bad)
    if bad > total + hair:
        reason = f"bad is {float(bad):,.2f} and more than total, which is {float(total):,.2f}"
        raise MeasurementError(Cause.INVALID, reason)
    if not total:
        raise _no_traffic()
    return total, min(max(bad, Fraction()), total)


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
