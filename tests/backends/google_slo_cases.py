"""Everything that can go wrong with Google Cloud Monitoring, by a server that plays it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from gate.measure import Cause
from tests.backends.cases import OVER_HTTP, Case, Contract, Failure, Play, Setup
from tests.backends.platform_cases import Played, on_the_way
from tests.backends.prometheus.played import AT
from tests.servers.google_monitoring import (
    FakeMonitoring,
    FakeSlo,
    Sample,
    Samples,
    Spoil,
    every,
    refusal,
    served,
)

MINUTE = timedelta(minutes=1)
HOUR = 60 * MINUTE
DAY = 24 * HOUR
MONTH = 30 * DAY
JsonObject = dict[str, Any]


def setup(
    url: str, *, timeout: str = "20s", objective: str = "99%", name: str = "Chat availability"
) -> Setup:
    backend = {"type": "google-slo", "project": "acme-prod", "url": url, "retries": 0}
    backend["auth"] = {"bearer": "${PASSWORD}"}
    slo = {"objective": objective, "sli": {"slo": name}}
    return Setup(backend=backend, slo=slo, timeout=timeout)


def healthy_samples(**hours: float) -> list[Sample]:
    """Return 1,000 events each hour of the month, of which one has failed.

    Args:
        hours: ``since`` and ``until``: how many hours ago they begin and end.
    """
    since, until = hours.get("since", MONTH / HOUR), hours.get("until", 0)
    return every(HOUR, AT - since * HOUR, AT - until * HOUR, good=999, bad=1)


def fake(samples: list[Sample] | None = None, spoil: Spoil | None = None) -> FakeMonitoring:
    own = healthy_samples() if samples is None else samples
    slo = FakeSlo(samples=Samples(own))
    return FakeMonitoring([slo]) if spoil is None else FakeMonitoring([slo], spoil)


def kept(samples: list[Sample], **more: Any) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with served(fake(samples)) as url:
            yield setup(url, **more)

    return play


def spoiled(change: Callable[[JsonObject], object]) -> Play:
    """Change every answer with numbers; a new one is sent in its place where one is returned."""

    def spoil(path: str, _params: Mapping[str, str], answer: JsonObject) -> JsonObject:
        if not path.endswith("/timeSeries"):
            return answer
        changed = change(answer)
        return changed if isinstance(changed, dict) else answer

    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with served(fake(spoil=spoil)) as url:
            yield setup(url)

    return play


def of_bad(answer: JsonObject) -> JsonObject:
    """Return the series of bad events."""
    (series,) = (
        each
        for each in answer.get("timeSeries", ())
        if each["metric"]["labels"]["event_type"] == "bad"
    )
    return dict(series)


def with_value(value: Any) -> Play:
    """Let the newest point of the bad events have another value."""
    return spoiled(lambda answer: of_bad(answer)["points"][0].update(value=value))


def doubled(answer: JsonObject) -> JsonObject:
    """Return an answer with two series of bad events."""
    return {**answer, "timeSeries": [*answer["timeSeries"], of_bad(answer)]}


def counts(handler: BaseHTTPRequestHandler, _body: bytes) -> bool:
    return "/timeSeries" in handler.path


def said_refusal(status: int, words: str) -> bytes:
    return refusal(status, "REFUSED", words)


NOT_SEEN = "Google counts the events; what its metrics are made of is not asked for"
invalid = partial(Case, cause=Cause.INVALID)
doubtful = partial(Case, in_doubt=True)
PLAYED = Played(setup=setup, fake=fake, counts=counts, refusal=said_refusal)
NUMBERS = (
    Case(failure=Failure.EMPTY, cause=Cause.NO_DATA, play=kept([]), words="no good and no bad"),
    Case(
        failure=Failure.EMPTY,
        variant="no SLO of this name",
        cause=Cause.NO_DATA,
        play=kept([], name="Chat latency"),
        words='the project acme-prod has no SLO with the name or id "Chat latency"',
    ),
    invalid(failure=Failure.SEVERAL, play=spoiled(doubled), words="two series of bad events"),
    invalid(failure=Failure.NAN, play=with_value({"doubleValue": "NaN"}), words="'NaN'"),
    invalid(
        failure=Failure.INFINITE, play=with_value({"doubleValue": "Infinity"}), words="'Infinity'"
    ),
    invalid(
        failure=Failure.MINUS_INFINITE,
        play=with_value({"doubleValue": "-Infinity"}),
        words="'-Infinity'",
    ),
    invalid(failure=Failure.NEGATIVE, play=with_value({"doubleValue": -1.0}), words="-1.0"),
    invalid(failure=Failure.WRONG_SHAPE, play=with_value({"boolValue": True}), words="boolValue"),
    Case(
        failure=Failure.NO_TRAFFIC,
        cause=Cause.NO_TRAFFIC,
        play=kept(every(HOUR, AT - MONTH, AT, good=0)),
        words="0 good and 0 bad events",
    ),
    doubtful(
        failure=Failure.LOW_TRAFFIC,
        play=kept(every(10 * HOUR, AT - MONTH, AT, good=1)),
        cause=Cause.LOW_TRAFFIC,
        words="72 events are fewer than 100",
    ),
    doubtful(
        failure=Failure.LOW_COVERAGE,
        play=kept(healthy_samples(since=720 * 0.85)),
        cause=Cause.LOW_COVERAGE,
        words="only 85% of the window has data",
    ),
    doubtful(
        failure=Failure.MOSTLY_UNCOVERED,
        play=kept(healthy_samples(since=36)),
        cause=Cause.MOSTLY_UNCOVERED,
        words="are measured (5%; coverage_floor is",
    ),
    Case(
        failure=Failure.HOLE,
        play=kept(healthy_samples(until=520) + healthy_samples(since=500)),
        cause=Cause.LOST,
        suspected=True,
        words="Google Cloud Monitoring has no data from",
    ),
    doubtful(
        failure=Failure.STALE,
        play=kept(healthy_samples(until=48)),
        cause=Cause.STALE,
        words="the newest sample is 2d1h old",
    ),
    doubtful(
        failure=Failure.PARTIAL,
        play=spoiled(lambda answer: {**answer, "unreachable": ["europe-west1"]}),
        cause=Cause.PARTIAL,
        words="partial answer: europe-west1 cannot be reached",
    ),
)
GOOGLE_SLO = Contract(
    healthy=kept(healthy_samples()),
    failures=OVER_HTTP,
    cases=(*NUMBERS, *on_the_way(PLAYED)),
    never={
        Failure.BAD_OVER_TOTAL: "good and bad are counted apart, and the total is their sum",
        Failure.RENAMED: NOT_SEEN,
        Failure.BORN: NOT_SEEN,
        Failure.CONTRADICTED: NOT_SEEN,
        Failure.UNKNOWN_OUTCOME: "an event is good or bad: any other event_type is invalid",
    },
    never_said={
        Cause.UNMATCHED: NOT_SEEN,
        Cause.BORN: NOT_SEEN,
        Cause.CONTRADICTED: NOT_SEEN,
        Cause.UNKNOWN_OUTCOME: "as above",
    },
)
