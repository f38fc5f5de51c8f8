"""The metrics that CloudWatch lists, and the reason why a metric has no points."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from gate.backends.cloudwatch.client import CloudWatch, MetricList
from gate.backends.cloudwatch.metrics import Metric, MetricStatistic
from gate.backends.cloudwatch.pages import Number
from gate.backends.cloudwatch.periods import PeriodRun
from gate.errors import nearest
from gate.measure import MeasurementError

_RARE: Final[Mapping[str, frozenset[str]]] = {
    # These are reported only if there is a nonzero value:
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
    "AWS/ApplicationELB": frozenset(
        {
            *(f"HTTPCode_ELB_{code}_Count" for code in ("4XX", "5XX", "500", "502", "503", "504")),
            *(f"HTTPCode_Target_{code}_Count" for code in ("2XX", "3XX", "4XX", "5XX")),
            *("ClientTLSNegotiationErrorCount", "TargetTLSNegotiationErrorCount"),
            *("RejectedConnectionCount", "TargetConnectionErrorCount", "LambdaUserError"),
            *("LambdaInternalError", "ELBAuthError", "ELBAuthFailure"),
        }
    ),
    # https://docs.aws.amazon.com/elasticloadbalancing/latest/classic/elb-cloudwatch-metrics.html
    "AWS/ELB": frozenset(
        {
            *(f"HTTPCode_Backend_{code}" for code in ("2XX", "3XX", "4XX", "5XX")),
            *("HTTPCode_ELB_4XX", "HTTPCode_ELB_5XX", "BackendConnectionErrors"),
            *("SpilloverCount", "SurgeQueueLength"),
        }
    ),
    # https://docs.aws.amazon.com/bedrock/latest/userguide/monitoring-runtime-metrics.html
    "AWS/Bedrock": frozenset(
        {"InvocationClientErrors", "InvocationServerErrors", "InvocationThrottles"}
    ),
}
"""Metrics that AWS itself publishes only if there are events."""
_MOST_SHOWN: Final = 3


class MetricCatalog:
    """The metrics that CloudWatch lists, requested once."""

    def __init__(self, cloudwatch: CloudWatch) -> None:
        self._cloudwatch = cloudwatch
        self._lists: dict[tuple[object, ...], MetricList | None] = {}

    def named(self, namespace: str, name: str = "") -> MetricList | None:
        """Return the metrics with a name, or with all names; None: the list is not available."""
        return self._listing(namespace, name, ())

    def with_dimensions(self, metric: Metric) -> MetricList | None:
        """Return the metrics of a namespace that have at least these dimensions."""
        return self._listing(metric.namespace, "", metric.dimensions)

    def points(self, counted: MetricStatistic, pieces: Sequence[PeriodRun]) -> Mapping[int, Number]:
        """Return the points of a metric; empty if they are missing."""
        fetched = self._cloudwatch.fetch({counted: pieces})
        try:
            return dict(chain.from_iterable(fetched.points(counted, piece) for piece in pieces))
        except MeasurementError:
            return {}

    def _listing(
        self, namespace: str, name: str, dimensions: tuple[tuple[str, str], ...]
    ) -> MetricList | None:
        key = (namespace, name, dimensions)
        if key not in self._lists:
            try:
                self._lists[key] = self._cloudwatch.metrics(namespace, name, dimensions)
            except MeasurementError:
                self._lists[key] = None
        return self._lists[key]


def why_nothing(metrics: Sequence[Metric], catalog: MetricCatalog, region: str) -> str:
    """Say why the total has no points: which metrics CloudWatch lists instead."""
    metric = metrics[0]
    lead = f"CloudWatch in {region} has no point of {metric}"
    return f"{lead}; {listed_instead(metric, catalog)}"


def listed_instead(metric: Metric, catalog: MetricCatalog) -> str:
    """Name the metrics with this name, or in this namespace, that CloudWatch lists."""
    named = catalog.named(metric.namespace, metric.name)
    if named is None:
        return (
            "which others there are is not known, as cloudwatch:ListMetrics is not allowed; check"
            " namespace, name, dimensions and region"
        )
    if metric in named.metrics:
        return "it is listed, so it had points in the last two weeks; see when it last had any"
    if named.metrics:
        sets = sorted({_dimensions(other) for other in named.metrics})
        some = "; ".join(sets[:_MOST_SHOWN])
        more = f" and {len(sets) - _MOST_SHOWN} more" if len(sets) > _MOST_SHOWN else ""
        return f"it is listed with other dimensions: {some}{more}; name all of one set, exactly"
    others = catalog.named(metric.namespace)
    if others is not None and others.metrics:
        names = {other.name for other in others.metrics} | _RARE.get(metric.namespace, frozenset())
        return f"{metric.namespace} has no metric of this name{nearest(metric.name, names)}"
    return (
        f"nothing of the namespace {metric.namespace} is listed in the last two weeks; check its"
        " spelling, upper and lower case, the region and the account"
    )


def _dimensions(metric: Metric) -> str:
    pairs = ", ".join(f'{name}="{text}"' for name, text in metric.dimensions)
    return f"{{{pairs}}}"


def is_rare(metric: Metric) -> bool:
    """Return whether AWS publishes a metric only if there are events."""
    return metric.name in _RARE.get(metric.namespace, ())
