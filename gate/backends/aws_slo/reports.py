"""Budget reports of Application Signals: the share that was bad, and how exactly it is known.

https://docs.aws.amazon.com/applicationsignals/latest/APIReference/API_ServiceLevelObjectiveBudgetReport.html

A report has the budget, and what is left of it, as whole numbers of seconds or requests, and does
not say how they were rounded: what they stand for is less than one away. The budget of requests is
the share that the goal grants of the requests so far:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-ServiceLevelObjectives.html#CloudWatch-ServiceLevelObjectives-budget-request
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from gate.backends.aws_slo.client import invalid, number, whole
from gate.backends.aws_slo.definitions import granted_of, promise_of
from gate.dataclass import dataclass
from gate.measure import Cause, Definition, Granted, MeasurementError
from gate.slo.objective import CalendarWindow
from gate.wording import percent

_STATUSES: Final = ("OK", "WARNING", "BREACHED")
_NONE: Final = "INSUFFICIENT_DATA"
_MICROSECOND: Final = timedelta(microseconds=1)
_HALF: Final = Fraction(1, 2)
_FLOAT: Final = Fraction(1, 100_000)
"""Percentage points by which an attainment may be off however many digits it has: the documentation
shows one that was computed with the seven digits of a small floating-point number."""
_POINT: Final = Fraction(1, 100)
"""The least that an attainment is told to, in percentage points; or a tenth of the budget."""
_ALL: Final = 100
"""Percent."""
_FINEST: Final = Fraction(1, 10**12)
_NAMES: Final = {
    Granted.SECONDS: ("TotalBudgetSeconds", "BudgetSecondsRemaining", "seconds"),
    Granted.EVENTS: ("TotalBudgetRequests", "BudgetRequestsRemaining", "requests"),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """The numbers between which the true one is, both included."""

    low: Fraction
    high: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """The share that was bad."""

    bounds: Bounds
    """Within 0 and 1; of what is counted so far."""
    note: str
    """What the report says, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Report:
    total: int
    left: int
    attainment: Bounds
    """The bad share of requests, or of periods with data, if the attainment is rounded to the
    digits that it has: 99.9 may be any of 99.8 to 100."""
    expected: Bounds
    """The same, if its double is told with more digits where it has more, as AWS does."""
    status: str
    unit: str


def bad_share(report: Mapping[str, Any], definition: Definition, at: datetime) -> Bad:
    """Return the share of time or requests that was bad, in the SLO's own window.

    Args:
        report: of this SLO.
        definition: of the SLO, which the report must agree with.
        at: the instant of the report.

    Raises:
        MeasurementError: there is no budget to speak of, or the report contradicts itself.
    """
    name, (promise,) = definition.name, definition.promises
    read = _read(report, definition)
    budget = 1 - promise.objective
    if not read.total and not read.left and not read.expected.low:
        raise MeasurementError(Cause.NO_TRAFFIC, _nothing(name, definition.granted, budget))
    spent = (_of_time if definition.granted is Granted.SECONDS else _of_requests)(read)
    bounds = Bounds(spent.low * budget, spent.high * budget)
    if definition.granted is Granted.EVENTS:
        bounds = _both(bounds, read, name)
    else:
        _check_time(bounds, read, definition, at)
        bounds = _so_far(bounds, definition, at)
    if bounds.low > 1:
        raise invalid(f"{name} has more {read.unit} that were bad than there were")
    bounds = Bounds(bounds.low, min(bounds.high, Fraction(1)))
    note = (
        f"Application Signals says {read.status}, {read.left} of {read.total} {read.unit} of the"
        f" budget left, attainment {report['Attainment']}%"
    )
    return Bad(bounds=bounds, note=note)


def middle(bounds: Bounds) -> tuple[Fraction, Fraction]:
    """Return the middle, and how far the true number may be from it: above 0."""
    error = (bounds.high - bounds.low) / 2
    return (bounds.low + bounds.high) / 2, max(error, _FINEST)


def _read(report: Mapping[str, Any], definition: Definition) -> _Report:
    """Return what is in a report, each number of which is there and possible by itself."""
    name, status = definition.name, report.get("BudgetStatus")
    if status == _NONE or (status in _STATUSES and report.get("Attainment") is None):
        raise MeasurementError(
            Cause.NO_DATA,
            f"Application Signals has no attainment of {name} for this instant ({status}): the SLO"
            " was created later, or its metric has no data",
        )
    if status not in _STATUSES:
        raise invalid(f"the report of {name} has the unknown status {status!r:.60}")
    _check_definition(report, definition)
    total_name, left_name, unit = _NAMES[definition.granted]
    try:
        total, left = whole(report, total_name), whole(report, left_name)
        attainment = number(report, "Attainment")
    except MeasurementError as error:
        raise invalid(f"the report of {name} cannot be read: {error.reason}") from None
    if not 0 <= attainment <= _ALL:
        raise invalid(f"the attainment of {name} is {attainment}% and must be within 0% and 100%")
    if total < 0 or left > total:
        raise invalid(f"{name} has {left} of a budget of {total} {unit} left, which cannot be")
    if left and (left < 0) != (status == "BREACHED"):
        raise invalid(f"{name} has {left} of {total} {unit} of its budget left and is {status}")
    return _Report(
        total=total,
        left=left,
        attainment=_bad_by(attainment),
        expected=_bad_by(attainment, min(_POINT, (1 - definition.promises[0].objective) * 10)),
        status=str(status),
        unit=unit,
    )


def _check_definition(report: Mapping[str, Any], definition: Definition) -> None:
    """See that the report is about what was defined a moment ago."""
    name, (promise,) = definition.name, definition.promises
    if report.get("EvaluationType") is not None and (
        granted_of(report, name) is not definition.granted
    ):
        raise invalid(f"the report of {name} is {report['EvaluationType']}, and the SLO is not")
    goal = report.get("Goal")
    if goal is None:
        return
    if not isinstance(goal, dict):
        raise invalid(f"the report of {name} has an unreadable Goal")
    reported = promise_of(goal, name)
    if reported != promise:
        raise invalid(
            f"the report of {name} is for {percent(reported.objective)} over {reported.window}, and"
            f" the SLO promises {percent(promise.objective)} over {promise.window}: it was changed"
        )


def _bad_by(attainment: float, most: Fraction | None = None) -> Bounds:
    """Return the bad share by an attainment in percent, which may be off in its last digit.

    Args:
        attainment: of the report.
        most: percentage points by which it is off at most; None: as many as its digits leave open.
    """
    exponent = Decimal(str(attainment)).as_tuple().exponent
    shown = Fraction(10) ** min(int(exponent), 0)
    error = max(shown if most is None else min(shown, most), _FLOAT)
    bad = _ALL - Fraction(str(attainment))
    return Bounds(max((bad - error) / _ALL, Fraction(0)), (bad + error) / _ALL)


def _nothing(name: str, granted: Granted, budget: Fraction) -> str:
    if granted is Granted.SECONDS:
        return f"{name} has a budget of 0 seconds: no time of its interval is judged"
    return (
        f"{name} has a budget of 0 requests: there were none, or fewer than the {-(-1 // budget)}"
        " of which one may fail"
    )


def _of_time(read: _Report) -> Bounds:
    """Return the share of the budget that is spent.

    The documentation's own examples are no whole number of periods, nor of seconds.
    """
    bad = read.total - read.left
    return _spent(Bounds(Fraction(max(bad - 1, 0)), Fraction(bad + 1)), read)


def _of_requests(read: _Report) -> Bounds:
    """Return the share of the budget that is spent; what has failed is a whole number of requests.

    What is left is what is granted less what has failed, and both were rounded alike: the
    difference is exact, but where the one is rounded down and the other, below zero, up.
    """
    bad = read.total - read.left
    truncated = 1 if read.left <= 0 else 0
    return _spent(Bounds(Fraction(bad), Fraction(bad + truncated) or _HALF), read)


def _spent(bad: Bounds, read: _Report) -> Bounds:
    """Divide what was bad by a budget that is less than one away from the one that is told."""
    low = bad.low / (read.total + 1)
    high = bad.high / (read.total - 1) if read.total > 1 else None
    if read.left > 0:
        return Bounds(low, Fraction(1) if high is None else min(high, Fraction(1)))
    if read.left < 0:
        low = max(low, Fraction(1))
    # Of a budget that may be nearly nothing, any number of times may be spent.
    return Bounds(low, Fraction(10**9) if high is None else max(high, low))


def _both(bounds: Bounds, read: _Report, name: str) -> Bounds:
    """Return what the budget and the attainment of requests, which say the same, leave open."""
    if bounds.low > read.expected.high or bounds.high < read.expected.low:
        raise _contradiction(bounds, read, name)
    return Bounds(max(bounds.low, read.attainment.low), min(bounds.high, read.attainment.high))


def _contradiction(bounds: Bounds, read: _Report, name: str) -> MeasurementError:
    return invalid(
        f"the budget of {name} says that {percent(bounds.low)} to {percent(bounds.high)} was bad,"
        f" and its attainment {percent(read.expected.low)} to {percent(read.expected.high)}"
    )


def _check_time(bounds: Bounds, read: _Report, definition: Definition, at: datetime) -> None:
    """See that no more is granted than the interval has, and that the attainment is no better.

    The attainment is of periods with data, and the budget of the whole interval: so more may have
    been bad by the attainment.
    """
    name, (promise,) = definition.name, definition.promises
    granted = (1 - promise.objective) * _seconds(promise.window.whole(at).length)
    if read.total > granted + 1:
        raise invalid(
            f"{name} has a budget of {read.total} seconds, and its interval grants no more than"
            f" {percent(1 - promise.objective)} of itself, which is {float(granted):g}"
        )
    unspent = read.left == read.total and read.expected.low > 0
    if bounds.low > read.expected.high or unspent:
        raise _contradiction(bounds, read, name)


def _so_far(bounds: Bounds, definition: Definition, at: datetime) -> Bounds:
    """Return the share of the time that has passed, by that of the whole interval."""
    (promise,) = definition.promises
    if not isinstance(promise.window, CalendarWindow):
        return bounds
    passed = _seconds(promise.window.counted(at).length)
    if not passed:
        reason = f"the interval of {definition.name} has just begun: no time of it has passed"
        raise MeasurementError(Cause.NO_DATA, reason)
    scale = _seconds(promise.window.whole(at).length) / passed
    return Bounds(bounds.low * scale, bounds.high * scale)


def _seconds(length: timedelta) -> Fraction:
    return Fraction(length // _MICROSECOND, 1_000_000)
