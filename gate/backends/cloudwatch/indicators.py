"""The indicators of a policy: sums of metrics by role, or the values of a latency."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final

from gate.backends.cloudwatch.metrics import (
    SAMPLE_COUNT,
    Metric,
    MetricStatistic,
    Term,
    Total,
    shown_sum,
)
from gate.backends.cloudwatch.selectors import SelectorError, read_metric, read_sum
from gate.dataclass import dataclass
from gate.slo.indicator import Sli, Slices
from gate.slo.quantities import format_duration
from gate.wording import exact

_MINUTE: Final = timedelta(minutes=1)
"""The shortest period whose data CloudWatch keeps for longer than three hours."""
_MOST_DECIMALS: Final = 10
"""The maximum number of decimals in the boundaries of a trimmed count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricIndicator:
    """The sums that an indicator counts; None for those that are not given."""

    total: Total | None = None
    bad: Total | None = None
    good: Total | None = None
    spent: Total | None = None
    threshold: str | None = None
    """The bound of a latency, as the statistic has it; ``good`` is then the trimmed count."""

    @property
    def roles(self) -> Iterator[tuple[str, Total]]:
        """Yield each given sum, with its role."""
        for role in ("total", "bad", "good", "spent"):
            terms: Total | None = getattr(self, role)
            if terms is not None:
                yield role, terms

    @property
    def metric(self) -> Metric:
        """The first metric."""
        return next(terms for _, terms in self.roles)[0].counted.metric

    def __str__(self) -> str:
        return "; ".join(f"{role}: {shown_sum(terms)}" for role, terms in self.roles)


def read_indicator(sli: Sli) -> MetricIndicator:
    """Read the sums of an indicator.

    Raises:
        SelectorError: it cannot be counted, regardless of data.
    """
    if sli.column is not None and sli.threshold is not None:
        return _latency(sli.column, sli.threshold, sli.total)
    if sli.spent is not None:
        return MetricIndicator(spent=read_sum(sli.spent, "spent"))
    sums = {
        role: read_sum(text, role)
        for role in ("total", "bad", "good")
        if (text := getattr(sli, role)) is not None
    }
    if len(sums) == 1:
        missing = "total, the metric of all requests" if "total" not in sums else "bad"
        raise SelectorError(f"the key {missing.partition(',')[0]!r} is missing; add {missing}")
    if "good" in sums and "bad" in sums and "total" in sums:
        raise SelectorError("good, bad and total do not go together; remove good")
    return MetricIndicator(total=sums.get("total"), bad=sums.get("bad"), good=sums.get("good"))


def _latency(column: str, threshold: Fraction, total: str | None) -> MetricIndicator:
    if total is not None:
        message = "'total' does not go with 'column': every value of the metric is one request"
        raise SelectorError(f"{message}; remove it")
    metric = read_metric(column, "column")
    bound = exact(threshold)
    if Fraction(bound) != threshold or len(bound.partition(".")[2]) > _MOST_DECIMALS:
        raise SelectorError(f"threshold: CloudWatch takes at most {_MOST_DECIMALS} decimals")
    # The range includes its upper boundary and has no lower boundary, so that a value of 0
    # counts: "TC(0.005:0.030) returns the number of data points with values between 0.005
    # (exclusive) and 0.030 (inclusive)", in
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html
    return MetricIndicator(
        total=(Term(counted=MetricStatistic(metric=metric, statistic=SAMPLE_COUNT)),),
        good=(Term(counted=MetricStatistic(metric=metric, statistic=f"TC(:{bound})")),),
        threshold=bound,
    )


def mistake_in(sli: Sli, slices: Slices | None) -> str | None:
    """Return a mistake in an indicator that does not depend on data; None: no mistake."""
    try:
        read_indicator(sli)
    except SelectorError as error:
        return str(error)
    if slices is None or not slices.length % _MINUTE:
        return None
    return (
        f"timeslices of {format_duration(slices.length)} cannot be counted, since CloudWatch has"
        " whole minutes; write 1m, or a multiple of it"
    )


def counted_in(readings: Sequence[MetricIndicator]) -> list[MetricStatistic]:
    """Return each statistic of a metric that any of these need, once, in the order of the text."""
    return list(
        dict.fromkeys(
            term.counted for reading in readings for _, terms in reading.roles for term in terms
        )
    )
