"""Everything that can go wrong with CloudWatch, by a fake over events of known truth."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from unittest.mock import patch

from gate.http import Clock
from gate.measure import Cause
from tests.backends.cases import OVER_HTTP, Case, Contract, Failure, Play, Setup
from tests.backends.loopback import Handle, serving
from tests.backends.platform_cases import Played, on_the_way
from tests.backends.prometheus.played import AT
from tests.servers.cloudwatch import FakeCloudWatch, Misbehaviour, key_of

HOURS = 720
HOUR = timedelta(hours=1)
TOTAL, BAD = key_of("Chat", "Requests", Service="a"), key_of("Chat", "Errors", Service="a")
TOTAL_TEXT, BAD_TEXT = 'Chat Requests{Service="a"}', 'Chat Errors{Service="a"}'
RATIO: Mapping[str, Any] = {"objective": "99%", "sli": {"bad": BAD_TEXT, "total": TOTAL_TEXT}}
NO_STATUS = "a metric of all requests has no outcome beside it"
COUNTED_ONCE = "sums of a period have no value before the first"


def setup(url: str, *, timeout: str = "20s", slo: Mapping[str, Any] = RATIO) -> Setup:
    return Setup(
        backend={
            "type": "cloudwatch",
            "region": "eu-central-1",
            "url": url,
            "access_key": "${PASSWORD}",
            "secret_key": "${PASSWORD}",
            "retries": 0,
        },
        slo=slo,
        timeout=timeout,
    )


def month(
    hours: Iterable[int] = range(HOURS), *, each: float = 100, bad: bool = True, **wrong: Any
) -> FakeCloudWatch:
    """Return a server with events in these hours before the instant, of which 0.1% are bad."""
    fake = FakeCloudWatch(now=lambda: AT, wrong=Misbehaviour(**wrong))
    # Half a minute before the hour, so that the newest is in the newest minute.
    fake.publish(TOTAL, ((AT - place * HOUR - timedelta(seconds=30), each) for place in hours))
    failing = (place for place in hours if bad and not place % 10)
    fake.publish(
        BAD, ((AT - place * HOUR - timedelta(seconds=30), each / 100) for place in failing)
    )
    return fake


@contextmanager
def at_that_time() -> Iterator[None]:
    """Have the backend read the age of a window from a clock that shows the tests' instant."""
    with patch("gate.backends.cloudwatch.client.Clock", lambda: Clock(now=lambda: AT)):
        yield


def served(fake: Handle, slo: Mapping[str, Any] = RATIO) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with serving(fake) as port, at_that_time():
            yield setup(f"http://127.0.0.1:{port}", slo=slo)

    return play


def altered(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Play:
    """Change every result of an answer."""
    return served(month(result=change))


def of_value(value: object) -> Play:
    return served(month(value=lambda _: value))


def asks_for_numbers(handler: BaseHTTPRequestHandler, _body: bytes) -> bool:
    return handler.headers["X-Amz-Target"].endswith(".GetMetricData")


def refusal(status: int, words: str) -> bytes:
    return f'{{"__type": "com.amazon#Refused{status}", "message": "{words}"}}'.encode()


NEVER_COUNT = "which cannot be a count"
invalid = partial(Case, cause=Cause.INVALID)
error = partial(Case, cause=Cause.BACKEND_ERROR)
doubtful = partial(Case, in_doubt=True)
suspected = partial(Case, suspected=True)
ANSWERS = (
    Case(
        failure=Failure.EMPTY,
        cause=Cause.NO_DATA,
        play=served(FakeCloudWatch(now=lambda: AT)),
        words="nothing of the namespace Chat is listed",
    ),
    Case(
        failure=Failure.EMPTY,
        variant="in the window",
        cause=Cause.NO_DATA,
        play=served(month(range(HOURS + 24, 2 * HOURS))),
        words="CloudWatch in eu-central-1 has no point of Chat Requests",
    ),
    error(
        failure=Failure.SEVERAL,
        play=altered(
            lambda result: {
                **result,
                "Timestamps": result["Timestamps"] * 2,
                "Values": result["Values"] * 2,
            }
        ),
        words="two points of",
    ),
    invalid(failure=Failure.NAN, play=of_value(float("nan")), words=NEVER_COUNT),
    invalid(failure=Failure.INFINITE, play=of_value(float("inf")), words=NEVER_COUNT),
    invalid(failure=Failure.MINUS_INFINITE, play=of_value(float("-inf")), words=NEVER_COUNT),
    invalid(failure=Failure.NEGATIVE, play=of_value(-1.0), words=NEVER_COUNT),
    invalid(failure=Failure.WRONG_SHAPE, play=of_value("12"), words=NEVER_COUNT),
    invalid(failure=Failure.WRONG_SHAPE, variant="null", play=of_value(None), words=NEVER_COUNT),
    invalid(failure=Failure.WRONG_SHAPE, variant="true", play=of_value(True), words=NEVER_COUNT),
    error(
        failure=Failure.WRONG_SHAPE,
        variant="fewer times than values",
        play=altered(lambda result: {**result, "Timestamps": result["Timestamps"][1:]}),
        words="times and",
    ),
    error(
        failure=Failure.WRONG_SHAPE,
        variant="without status",
        play=altered(lambda result: {**result, "StatusCode": None}),
        words="is not one of CloudWatch's",
    ),
    invalid(
        failure=Failure.BAD_OVER_TOTAL,
        play=served(month(), {**RATIO, "sli": {"bad": TOTAL_TEXT, "total": BAD_TEXT}}),
        words="72,000 bad events are more than 72 in total",
    ),
    Case(
        failure=Failure.NO_TRAFFIC,
        cause=Cause.NO_TRAFFIC,
        play=of_value(0),
        words="every point of the total is 0",
    ),
    doubtful(
        failure=Failure.LOW_TRAFFIC,
        play=served(month(each=0.1)),
        cause=Cause.LOW_TRAFFIC,
        words="72 events are fewer than 100",
    ),
    doubtful(
        failure=Failure.LOW_COVERAGE,
        play=served(month(range(HOURS * 85 // 100))),
        cause=Cause.LOW_COVERAGE,
        words="only 85% of the window has data",
    ),
    doubtful(
        failure=Failure.MOSTLY_UNCOVERED,
        play=served(month(range(36))),
        cause=Cause.MOSTLY_UNCOVERED,
        words="are measured (5%; coverage_floor is",
    ),
    doubtful(
        failure=Failure.STALE,
        play=served(month(range(48, HOURS))),
        cause=Cause.STALE,
        words="the newest sample is 2d old",
    ),
    suspected(
        failure=Failure.RENAMED,
        play=served(month(bad=False)),
        cause=Cause.UNMATCHED,
        words="CloudWatch has no point of Chat Errors",
    ),
    suspected(
        failure=Failure.HOLE,
        play=served(month([*range(200), *range(220, HOURS)])),
        cause=Cause.LOST,
        words="the total has no point from",
    ),
    Case(
        failure=Failure.PARTIAL,
        cause=Cause.PARTIAL,
        play=served(month(page=100, without_token=True)),
        words="(PartialData)",
    ),
    Case(
        failure=Failure.PARTIAL,
        variant="messages",
        cause=Cause.PARTIAL,
        play=served(month(messages=({"Code": "MaxMetricsExceeded", "Value": "too many"},))),
        words="CloudWatch says: MaxMetricsExceeded: too many",
    ),
    error(
        failure=Failure.SERVER_ERROR,
        variant="inside an answer",
        play=served(month(status="InternalError")),
        words="(InternalError)",
    ),
    error(
        failure=Failure.FORBIDDEN,
        variant="inside an answer",
        play=served(month(status="Forbidden")),
        words="(Forbidden)",
    ),
    error(
        failure=Failure.TOO_MANY_REQUESTS,
        variant="with the status 400",
        play=served(month(throttled=1000)),
        words="400 Bad Request: ThrottlingException: Rate exceeded",
    ),
)
CLOUDWATCH = Contract(
    healthy=served(month()),
    failures=OVER_HTTP,
    cases=(
        *ANSWERS,
        *on_the_way(Played(setup=setup, fake=month, counts=asks_for_numbers, refusal=refusal)),
    ),
    never={
        Failure.BORN: COUNTED_ONCE,
        Failure.CONTRADICTED: NO_STATUS,
        Failure.UNKNOWN_OUTCOME: NO_STATUS,
    },
    never_said={
        Cause.BORN: COUNTED_ONCE,
        Cause.CONTRADICTED: NO_STATUS,
        Cause.UNKNOWN_OUTCOME: NO_STATUS,
    },
)
