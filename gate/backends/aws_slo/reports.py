"""Budget reports of Application Signals: the bad share, and its precision.

https://docs.aws.amazon.com/applicationsignals/latest/APIReference/API_ServiceLevelObjectiveBudgetReport.html
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from gate.backends.aws_slo.budgets import (
    ALL,
    POINT,
    ReportedBudget,
    ShareBounds,
    bad_by,
    spent_of_requests,
    spent_of_time,
)
from gate.backends.aws_slo.client import invalid, number, whole
from gate.backends.aws_slo.definitions import granted_of, promise_of
from gate.dataclass import dataclass
from gate.measure import Cause, Definition, Granted, MeasurementError
from gate.slo.objective import CalendarWindow
from gate.wording import percent, percent_left

_STATUSES: Final = ("OK", "WARNING", "BREACHED")
_NONE: Final = "INSUFFICIENT_DATA"
_MICROSECOND: Final = timedelta(microseconds=1)
_DISCREPANCY: Final = Fraction(1, 20)
"""The tolerated difference between budget and attainment: 0.4% in an example of the
documentation."""
_LONGEST: Final = Fraction(11, 10)
"""The largest ratio between an average month and a month of 28 days."""
_NAMES: Final = {
    Granted.SECONDS: ("TotalBudgetSeconds", "BudgetSecondsRemaining", "seconds"),
    Granted.EVENTS: ("TotalBudgetRequests", "BudgetRequestsRemaining", "requests"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """The bad share."""

    bounds: ShareBounds
    """Within 0 and 1; of the counted part so far."""
    covered: Fraction
    """The maximum share of the window so far that has data, according to the report."""
    note: str
    """The report in words."""


def bad_share(report: Mapping[str, Any], definition: Definition, at: datetime) -> Bad:
    """Return the bad share of time or requests in the SLO's own window.

    Args:
        report: the report on this SLO.
        definition: the definition of the SLO, which the report must agree with.
        at: the instant of the report.

    Raises:
        MeasurementError: the SLO has no usable budget, or the report contradicts itself.
    """
    name, (promise,) = definition.name, definition.promises
    read = _read(report, definition)
    budget = 1 - promise.objective
    if not read.total and not read.left and not read.expected.low:
        raise MeasurementError(Cause.NO_TRAFFIC, _nothing(name, definition.granted, budget))
    spent = (spent_of_time if definition.granted is Granted.SECONDS else spent_of_requests)(read)
    bounds, covered = ShareBounds(spent.low * budget, spent.high * budget), Fraction(1)
    if definition.granted is Granted.EVENTS:
        bounds = _both(bounds, read, name)
    else:
        granted = _check_time(bounds, read, definition, at)
        bounds = _so_far(bounds, definition, at)
        covered = _covered(bounds, read, granted)
    if bounds.low > 1:
        raise invalid(f"{name} has more {read.unit} that were bad than there were")
    bounds = ShareBounds(bounds.low, min(bounds.high, Fraction(1)))
    note = (
        f"Application Signals says {read.status}, {read.left} of {read.total} {read.unit} of the"
        f" budget left, attainment {report['Attainment']:.8g}%"
    )
    if covered < 1:
        note += f"; by these, {percent_left(covered)} of the interval so far has data at most"
    return Bad(bounds=bounds, covered=covered, note=note)


def _read(report: Mapping[str, Any], definition: Definition) -> ReportedBudget:
    """Return the values in a report; each must exist and be possible."""
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
    if not 0 <= attainment <= ALL:
        raise invalid(f"the attainment of {name} is {attainment}% and must be within 0% and 100%")
    if total < 0 or left > total:
        raise invalid(f"{name} has {left} of a budget of {total} {unit} left, which cannot be")
    if left and (left < 0) != (status == "BREACHED"):
        raise invalid(f"{name} has {left} of {total} {unit} of its budget left and is {status}")
    return ReportedBudget(
        total=total,
        left=left,
        attainment=bad_by(attainment),
        expected=bad_by(attainment, min(POINT, (1 - definition.promises[0].objective) * 10)),
        status=str(status),
        unit=unit,
    )


def _check_definition(report: Mapping[str, Any], definition: Definition) -> None:
    """Check that the report agrees with the definition that was just read."""
    name, (promise,) = definition.name, definition.promises
    if report.get("Name", name) != name:
        raise invalid(f"the report of {name} is named {report['Name']!r:.60}")
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


def _nothing(name: str, granted: Granted, budget: Fraction) -> str:
    if granted is Granted.SECONDS:
        return f"{name} has a budget of 0 seconds: no time of its interval is judged"
    return (
        f"{name} has a budget of 0 requests: there were none, or fewer than the {-(-1 // budget)}"
        " of which one may fail"
    )


def _both(bounds: ShareBounds, read: ReportedBudget, name: str) -> ShareBounds:
    """Return the range that both the budget and the attainment of requests leave open.

    If they differ slightly, either may be right.
    """
    apart = max(bounds.low - read.expected.high, read.expected.low - bounds.high)
    if apart > max(bounds.high, read.expected.high) * _DISCREPANCY:
        raise _contradiction(bounds, read, name)
    if apart > 0:
        lows, highs = (bounds.low, read.expected.low), (bounds.high, read.expected.high)
        return ShareBounds(min(lows), max(highs))
    return ShareBounds(max(bounds.low, read.attainment.low), min(bounds.high, read.attainment.high))


def _contradiction(bounds: ShareBounds, read: ReportedBudget, name: str) -> MeasurementError:
    return invalid(
        f"the budget of {name} says that {percent(bounds.low)} to {percent(bounds.high)} was bad,"
        f" and its attainment {percent(read.expected.low)} to {percent(read.expected.high)}"
    )


def _check_time(
    bounds: ShareBounds, read: ReportedBudget, definition: Definition, at: datetime
) -> Fraction:
    """Check that the budget does not exceed that of the interval, nor contradict the attainment.

    Return the seconds that the interval grants.

    The attainment is for periods with data, and the budget for the whole interval: so by the
    attainment, more may have been bad.
    """
    name, (promise,) = definition.name, definition.promises
    granted = (1 - promise.objective) * _seconds(promise.window.whole(at).length)
    if read.total > granted * _LONGEST + 1:
        raise invalid(
            f"{name} has a budget of {read.total} seconds, and its interval grants no more than"
            f" {percent(1 - promise.objective)} of itself, which is {float(granted):g}"
        )
    unspent = read.left == read.total and read.expected.low > 0
    if bounds.low > read.expected.high * (1 + _DISCREPANCY) or unspent:
        raise _contradiction(bounds, read, name)
    return granted


def _covered(bounds: ShareBounds, read: ReportedBudget, granted: Fraction) -> Fraction:
    """Return the maximum share of the time so far that has data.

    The budget gives the bad time, and the attainment its share of the time with data: together they
    give the time with data, unless nothing was bad. A budget that is smaller than the interval
    grants is that of a part of it.
    """
    covered = Fraction(1)
    if read.attainment.low:
        covered = min(covered, bounds.high / read.attainment.low * (1 + _DISCREPANCY))
    if read.total + 1 < granted / _LONGEST:
        covered = min(covered, (read.total + 1) / granted)
    return covered


def _so_far(bounds: ShareBounds, definition: Definition, at: datetime) -> ShareBounds:
    """Return the elapsed share of the interval."""
    (promise,) = definition.promises
    if not isinstance(promise.window, CalendarWindow):
        return bounds
    passed = _seconds(promise.window.counted(at).length)
    if not passed:
        reason = f"the interval of {definition.name} has just begun: no time of it has passed"
        raise MeasurementError(Cause.NO_DATA, reason)
    scale = _seconds(promise.window.whole(at).length) / passed
    return ShareBounds(bounds.low * scale, bounds.high * scale)


def _seconds(length: timedelta) -> Fraction:
    return Fraction(length // _MICROSECOND, 1_000_000)
