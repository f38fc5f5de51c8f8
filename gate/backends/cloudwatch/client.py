"""CloudWatch's API in JSON: points of metrics in as few calls as possible, and lists of metrics.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from gate.backends.aws_login import aws_secrets
from gate.backends.cloudwatch.metrics import Metric, MetricStatistic
from gate.backends.cloudwatch.pages import Pages, listed, next_token, unreadable
from gate.backends.cloudwatch.periods import PeriodRun, joined, widened
from gate.backends.cloudwatch.settings import CloudWatchSettings
from gate.backends.cloudwatch.timeline import Fetched
from gate.backends.platforms.api import Api
from gate.backends.platforms.messages import ApiError, Call, Dialogue, JsonObject
from gate.dataclass import dataclass
from gate.http import Clock
from gate.measure import MeasurementError

MOST_METRICS: Final = 500
"""The maximum number of metrics in one call."""
MOST_POINTS: Final = 100_800
"""The maximum number of points of all metrics in one call."""
_MOST_LISTED: Final = 5000
"""The number of listed metrics after which further pages are not read."""
_AT_ONCE: Final = 4
_TARGET: Final = "GraniteServiceVersion20100801"
_BUSY: Final = frozenset(
    {
        *("Throttling", "ThrottlingException", "ThrottledException", "RequestLimitExceeded"),
        *("LimitExceededException", "TooManyRequestsException", "ServiceUnavailable"),
        *("InternalServiceFault", "InternalServiceError", "InternalFailure"),
    }
)
"""The kinds of refusals that are temporary; CloudWatch sends most of them with the status 400."""
_LOGIN: Final = (
    "let the login have cloudwatch:GetMetricData and cloudwatch:ListMetrics, and check"
    " AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and backend.region"
)
HINTS: Final = {
    400: "check backend.region, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the selectors, or wait"
    " where AWS throttles",
    401: _LOGIN,
    403: _LOGIN,
}
"""The remedy for a refusal by its status, at the end of the reason."""


def _kind(body: JsonObject) -> str:
    """Return the kind of a refusal, without the text before its # and after its colon."""
    kind = body.get("__type") or body.get("code") or ""
    return str(kind).rpartition("#")[2].partition(":")[0]


def _words(body: JsonObject) -> str:
    message = body.get("message") or body.get("Message") or ""
    return ": ".join(str(part) for part in (_kind(body), message) if part)


_DIALOGUE: Final = Dialogue(words=_words, hints=HINTS, transient=lambda body: _kind(body) in _BUSY)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricList:
    """The metrics that CloudWatch lists: those with points in the last two weeks."""

    metrics: tuple[Metric, ...]
    whole: bool = True
    """Whether the list is complete."""


class CloudWatch:
    """CloudWatch in one region, with one login."""

    def __init__(
        self, settings: CloudWatchSettings, timeout: float, clock: Clock | None = None
    ) -> None:
        """Prepare; no request is sent yet.

        Args:
            settings: the address and the login.
            timeout: the time limit in seconds of everything between two calls of `begin`.
            clock: the clock of the run.
        """
        self.settings, self._timeout = settings, timeout
        self._past = Fetched()
        self.clock = clock or Clock()
        self.region = settings.access.login.region
        self.shown = f"CloudWatch in {self.region} ({settings.access.shown})"
        self._data, self._list = self._api("GetMetricData"), self._api("ListMetrics")

    def _api(self, operation: str) -> Api:
        access = self.settings.access
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"{_TARGET}.{operation}",
        }
        return Api(
            url=access.url,
            shown=self.shown,
            headers=headers,
            secrets=aws_secrets(access),
            dialogue=_DIALOGUE,
            timeout=self._timeout,
            login=access.login,
            retries=self.settings.retries,
            clock=self.clock,
        )

    def begin(self) -> None:
        """Start the time limit of the next questions together."""
        self._data.begin()
        self._list.begin()

    def fetch(self, wanted: Mapping[MetricStatistic, Sequence[PeriodRun]]) -> Fetched:
        """Request the points of each metric in some stretches of time; never raises.

        Points of the past are kept for the next question.
        """
        fetched, missing = Fetched(), dict[MetricStatistic, list[PeriodRun]]()
        now = self.clock.now()
        for counted, pieces in wanted.items():
            for piece in joined(pieces):
                if (points := self._past.kept(counted, piece)) is not None:
                    fetched.add(piece, {counted: points})
                else:
                    wide = widened(piece, now) or piece
                    missing.setdefault(counted, []).append(wide)
        self._ask(missing, fetched)
        for counted, pieces in missing.items():
            for piece in pieces:
                if widened(piece, now) is not None:
                    self._past.keep(counted, piece, fetched)
        return fetched

    def _ask(self, wanted: Mapping[MetricStatistic, Sequence[PeriodRun]], fetched: Fetched) -> None:
        """Request all pages, and add their results."""
        questions = [(piece, Pages(piece, some)) for piece, some in _questions(wanted)]
        while questions:
            answers = self._data.ask_all([pages.call for _, pages in questions], _AT_ONCE)
            following = []
            for (piece, pages), answer in zip(questions, answers, strict=True):
                if isinstance(answer, ApiError):
                    fetched.add(piece, dict.fromkeys(pages.counted, answer))
                    continue
                try:
                    more = pages.read(answer)
                except MeasurementError as error:
                    fetched.add(piece, dict.fromkeys(pages.counted, error))
                    continue
                if more:
                    following.append((piece, pages))
                else:
                    fetched.add(piece, pages.outcomes())
            questions = following

    def metrics(
        self, namespace: str, name: str = "", dimensions: Sequence[tuple[str, str]] = ()
    ) -> MetricList:
        """Return the listed metrics of a namespace.

        Args:
            namespace: the namespace of the metrics.
            name: the name of the metrics; empty: any.
            dimensions: dimensions that they must have, beside any others.

        Raises:
            MeasurementError: the list cannot be read.
        """
        body: JsonObject = {"Namespace": namespace}
        if name:
            body["MetricName"] = name
        if dimensions:
            body["Dimensions"] = [{"Name": key, "Value": text} for key, text in dimensions]
        metrics, tokens, token = list[Metric](), set[str](), ""
        while True:
            page = body | ({"NextToken": token} if token else {})
            answer = self._list.ask(Call(path="/", method="POST", body=page))
            metrics += map(_read_metric, listed(answer, "Metrics"))
            token = next_token(answer, tokens)
            if not token or len(metrics) >= _MOST_LISTED:
                return MetricList(metrics=tuple(metrics), whole=not token)


def _questions(
    wanted: Mapping[MetricStatistic, Sequence[PeriodRun]],
) -> Iterator[tuple[PeriodRun, Sequence[MetricStatistic]]]:
    """Yield the metrics that are requested in one call: with the same stretch and period."""
    together = dict[PeriodRun, list[MetricStatistic]]()
    for counted, pieces in wanted.items():
        for piece in pieces:
            together.setdefault(piece, []).append(counted)
    for piece, some in together.items():
        most = max(min(MOST_METRICS, MOST_POINTS // piece.points), 1)
        for first in range(0, len(some), most):
            yield piece, some[first : first + most]


def _read_metric(metric: object) -> Metric:
    if not isinstance(metric, dict):
        raise unreadable("a metric of the list is not an object")
    try:
        pairs = ((each["Name"], each["Value"]) for each in metric.get("Dimensions") or ())
        return Metric(
            namespace=str(metric["Namespace"]),
            name=str(metric["MetricName"]),
            dimensions=tuple(sorted((str(name), str(text)) for name, text in pairs)),
        )
    except (KeyError, TypeError):
        raise unreadable("a metric of the list has another form") from None
