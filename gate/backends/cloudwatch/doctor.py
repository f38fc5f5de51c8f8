"""The checks of ``gate doctor`` for CloudWatch: login, rights, and each metric of an SLO."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Final, cast

from gate.backends.cloudwatch.backend import CloudWatchBackend
from gate.backends.cloudwatch.catalog import is_rare, listed_instead
from gate.backends.cloudwatch.client import HINTS, CloudWatch
from gate.backends.cloudwatch.indicators import MetricIndicator, counted_in, read_indicator
from gate.backends.cloudwatch.metrics import Metric, MetricStatistic
from gate.backends.cloudwatch.selectors import SelectorError
from gate.dataclass import dataclass
from gate.measure import Answer, Cause, Counts, Evidence, MeasurementError, Spent, Unmeasured
from gate.measure.diagnosis import (
    Check,
    CheckedSlo,
    CheckResult,
    Diagnosis,
    Level,
    account_for,
    suspicion_results,
)
from gate.measure.remedies import remedy_of, with_advice
from gate.slo.quantities import format_duration
from gate.wording import amount, percent_left

_EXPECTED: Final = (
    *(Check.METRIC, Check.LABELS, Check.COUNTED, Check.PARTIAL),
    *(Check.FRESHNESS, Check.COVERAGE, Check.GAPS),
)
"""The checks that each SLO needs; a skipped check has a reason."""
_SECOND: Final = timedelta(seconds=1)
_LISTING: Final = "cloudwatch:ListMetrics"


@dataclass(frozen=True, slots=True)
class CloudWatchDoctor:
    """Lists the metrics, and measures like for a budget."""

    backend: CloudWatchBackend

    def examine(self, slos: Sequence[CheckedSlo], at: datetime) -> Diagnosis:
        """Examine every SLO; never raises for a failure of CloudWatch."""
        cloudwatch = self.backend.cloudwatch
        answers = self.backend.measure([slo.request for slo in slos], at)
        refused = [answer for answer in answers if _is_refused(answer)]
        if refused and len(refused) == len(answers):
            return Diagnosis(backend=(_failure(Check.REACH, refused[0]),), slos=((),) * len(slos))
        readings = [_reading(slo) for slo in slos]
        outcomes = [
            account_for(_EXPECTED, tuple(self._of_slo(slo, reading, answer, at)), ())
            for slo, reading, answer in zip(slos, readings, answers, strict=True)
        ]
        first = next((reading.metric for reading in readings if reading is not None), None)
        return Diagnosis(
            backend=tuple(_of_login(cloudwatch, first)),
            slos=tuple(results for results, _ in outcomes),
            skipped=tuple(skipped for _, skipped in outcomes),
        )

    def _of_slo(
        self, slo: CheckedSlo, reading: MetricIndicator | None, answer: Answer, at: datetime
    ) -> Iterator[CheckResult]:
        if reading is not None:
            metrics = dict.fromkeys(counted.metric for counted in counted_in([reading]))
            yield from (self._of_metric(metric) for metric in metrics)
        if isinstance(answer, Unmeasured):
            yield _failure(Check.COUNTED, answer)
            return
        # CloudWatch has counts, never only a share.
        yield _counted(cast("Counts | Spent", answer), self._mean(slo, answer))
        yield CheckResult(check=Check.PARTIAL)
        doubts = list(suspicion_results(answer))
        yield from doubts
        for check in (Check.LABELS, Check.GAPS):
            if all(doubt.check is not check for doubt in doubts):
                yield CheckResult(check=check)
        yield from _when(slo, answer.evidence, at)

    def _mean(self, slo: CheckedSlo, answer: Answer) -> str:
        """Report the mean of a latency's values, which indicates the unit."""
        question = self.backend.plan(slo.request)
        sliced = slo.request.slices is not None
        if sliced or isinstance(question, Unmeasured) or question.reading.threshold is None:
            return ""
        statistic = MetricStatistic(metric=question.reading.metric)
        points = self.backend.catalog.points(statistic, question.pieces)
        mean = float(sum(points.values()) / cast("Counts", answer).total)
        return f"; the mean is {mean:g}, and values up to {question.reading.threshold} are good"

    def _of_metric(self, metric: Metric) -> CheckResult:
        """Report whether CloudWatch lists a metric, and what it lists instead."""
        listing = self.backend.catalog.named(metric.namespace, metric.name)
        if listing is not None and metric in listing.metrics:
            message = f"{metric} had points in the last two weeks"
            return CheckResult(check=Check.METRIC, message=message, examined=_LISTING)
        if listing is not None and is_rare(metric):
            message = f"{metric} had no point in the last two weeks: AWS publishes it only where"
            message += " there is something to count"
            return CheckResult(check=Check.METRIC, message=message, examined=_LISTING)
        return CheckResult(
            check=Check.METRIC,
            level=Level.DOUBT,
            message=f"{metric} had no point in the last two weeks, as far as CloudWatch lists it",
            remedy=listed_instead(metric, self.backend.catalog),
            examined=_LISTING,
        )


def _reading(slo: CheckedSlo) -> MetricIndicator | None:
    try:
        return read_indicator(slo.request.sli)
    except SelectorError:
        return None  # the answer names the problem


def _is_refused(answer: Answer) -> bool:
    return isinstance(answer, Unmeasured) and answer.cause is Cause.BACKEND_ERROR


def _of_login(cloudwatch: CloudWatch, metric: Metric | None) -> Iterator[CheckResult]:
    """Report the permissions of the login, and whether the clocks agree."""
    answered = f"{cloudwatch.shown} has answered cloudwatch:GetMetricData"
    yield CheckResult(check=Check.REACH, message=answered, examined="cloudwatch:GetMetricData")
    signed = "the signature was accepted, which AWS refuses when clocks differ by minutes"
    yield CheckResult(check=Check.CLOCK, message=signed)
    if metric is None:
        return
    try:
        cloudwatch.metrics(metric.namespace, metric.name)
    except MeasurementError as error:
        yield CheckResult(
            check=Check.RIGHTS,
            level=Level.DOUBT,
            message=f"metrics cannot be listed: {error.reason}",
            remedy=f"allow {_LISTING}, without which an error metric that never had a point"
            " cannot be distinguished from a misspelt one",
            examined=_LISTING,
        )
        return
    yield CheckResult(
        check=Check.RIGHTS,
        message=f"the login may read metrics and list them; whether it may do more is not known to"
        f" {_LISTING}",
        examined=_LISTING,
    )


def _failure(check: Check, answer: Answer) -> CheckResult:
    """Return an answer without a number as a fault."""
    assert isinstance(answer, Unmeasured)  # noqa: S101 - for the type checker
    message, remedy = with_advice(answer.reason, remedy_of(answer.cause).hint)
    for hint in HINTS.values():
        if answer.reason.endswith(f"; {hint}"):
            message, remedy = answer.reason.removesuffix(f"; {hint}"), hint
    return CheckResult(
        check=check,
        level=Level.FAULT,
        message=message,
        remedy=remedy,
        examined=answer.query or "",
    )


def _counted(answer: Counts | Spent, mean: str) -> CheckResult:
    if isinstance(answer, Spent):
        message = f"{amount(answer.amount)} spent"
    else:
        message = f"{amount(answer.bad)} bad of {amount(answer.total)} events{mean}"
    return CheckResult(check=Check.COUNTED, message=message, examined=answer.evidence.query)


def _when(slo: CheckedSlo, evidence: Evidence, at: datetime) -> Iterator[CheckResult]:
    """Report the age of the points, and the share of the window with points."""
    age = max(at - (evidence.newest or at), timedelta()) // _SECOND * _SECOND
    old = age > slo.max_age
    yield CheckResult(
        check=Check.FRESHNESS,
        level=Level.FAULT if old else Level.OK,
        message=f"the newest point of the total ends {format_duration(age)} ago",
        remedy=f"see who publishes it; max_age is {format_duration(slo.max_age)}" if old else "",
    )
    share = evidence.coverage or Fraction(0)
    low = share < slo.min_coverage
    yield CheckResult(
        check=Check.COVERAGE,
        level=Level.DOUBT if low else Level.OK,
        message=f"{percent_left(share)} of the window has points, or has few events usually",
        remedy="choose a shorter window, or wait until the window is filled" if low else "",
    )
