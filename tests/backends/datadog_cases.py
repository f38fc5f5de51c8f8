"""Everything that can go wrong with Datadog, by a small one and by what stands before it."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from gate.measure import Cause
from tests.backends.cases import OVER_HTTP, SECRET, Case, Contract, Failure, Play, Setup
from tests.backends.platform_cases import Played, on_the_way
from tests.backends.prometheus.played import AT
from tests.servers.datadog import Body, Event, FakeDatadog, FakeSlo, running

END, HOUR, DAY = int(AT.timestamp()), 3600, 86400
AVAILABILITY, UPTIME = "a" * 32, "b" * 32
RATIO: Mapping[str, Any] = {"objective": "99%", "sli": {"slo": "Chat availability"}}
TIME: Mapping[str, Any] = {"objective": "99%", "sli": {"slo": "Chat uptime"}}
TARGETS = {"30d": 99.0}


def setup(url: str, *, timeout: str = "20s", slo: Mapping[str, Any] = RATIO) -> Setup:
    backend = {"type": "datadog", "url": url, "retries": 0}
    keys = {"api_key": "${PASSWORD}", "application_key": "${PASSWORD}"}
    return Setup(backend=backend | keys, slo=slo, timeout=timeout)


def events(hours: int = 720, *, skip: range = range(0), before: int = 0) -> list[Event]:
    """Return 1,000 requests in each hour, of which one is bad: a tenth of the budget."""
    return [
        Event(END - before - hour * HOUR - 1, 1000, 1)
        for hour in reversed(range(hours))
        if hour not in skip
    ]


def availability(**more: Any) -> FakeSlo:
    given = {"id": AVAILABILITY, "name": "Chat availability", "targets": TARGETS}
    return FakeSlo(**given | {"events": events()} | more)


def uptime(*states: tuple[int, int]) -> FakeSlo:
    return FakeSlo(id=UPTIME, name="Chat uptime", kind="time_slice", targets=TARGETS, states=states)


def fake(*slos: FakeSlo) -> FakeDatadog:
    """Return a small Datadog whose two keys are the secret of the runs."""
    return FakeDatadog(slos=slos or [availability()], keys=(SECRET, SECRET))


def served(made: Callable[[], FakeDatadog], slo: Mapping[str, Any] = RATIO) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with running(made()) as url:
            yield setup(url, slo=slo)

    return play


def kept(*slos: FakeSlo, slo: Mapping[str, Any] = RATIO) -> Play:
    return served(lambda: fake(*slos), slo)


def twisted(twist: Callable[[Body], None]) -> Play:
    """Change each history before it is sent."""

    def made() -> FakeDatadog:
        datadog = fake()

        def on_histories(path: str, body: Body) -> None:
            if path.endswith("/history"):
                twist(body["data"])

        datadog.twist = on_histories
        return datadog

    return served(made)


def summing(**sums: float) -> Play:
    def twist(data: Body) -> None:
        for part, value in sums.items():
            data["series"][part]["sum"] = value

    return twisted(twist)


def previewing(data: Body) -> None:
    data["overall"]["preview"] = True


def with_sli(data: Body) -> None:
    data["overall"]["sli_value"] = 98.5


def with_text(data: Body) -> None:
    data["series"]["numerator"]["sum"] = "719280"


def is_history(handler: BaseHTTPRequestHandler, _body: bytes) -> bool:
    return "/history" in handler.path


def refusal(_status: int, words: str) -> bytes:
    return json.dumps({"errors": [words]}).encode()


NEVER_BORN = "Datadog counts events and has no counters that can begin above zero"
KNOWN = "an event of a metric-based SLO is good, or it is not"
NAMED = "an SLO is found by its name or id, and what it counts is Datadog's own affair"
invalid = partial(Case, cause=Cause.INVALID)
PLAYED = Played(setup=setup, fake=fake, counts=is_history, refusal=refusal)
NUMBERS = (
    Case(failure=Failure.EMPTY, play=kept(uptime()), cause=Cause.NO_DATA, words="has no SLO with"),
    Case(
        failure=Failure.EMPTY,
        variant="states",
        play=kept(uptime((END - 40 * DAY, 2)), slo=TIME),
        cause=Cause.NO_DATA,
        words="knows no state of the SLO",
    ),
    invalid(
        failure=Failure.SEVERAL,
        play=kept(availability(), availability(id=UPTIME)),
        words=f'have the name "Chat availability": {AVAILABILITY}, {UPTIME}; write one of',
    ),
    invalid(
        failure=Failure.NAN, play=summing(numerator=float("nan")), words="numerator.sum is nan"
    ),
    invalid(
        failure=Failure.INFINITE,
        play=summing(denominator=float("inf")),
        words="denominator.sum is inf",
    ),
    invalid(
        failure=Failure.MINUS_INFINITE,
        play=summing(numerator=float("-inf")),
        words="numerator.sum is -inf",
    ),
    invalid(
        failure=Failure.NEGATIVE,
        play=summing(numerator=-5),
        words="its sums have -5 good of 720,000",
    ),
    invalid(
        failure=Failure.BAD_OVER_TOTAL,
        variant="as a good count below zero",
        play=summing(numerator=-1, denominator=1),
        words="its sums have -1 good of 1",
    ),
    invalid(
        failure=Failure.BAD_OVER_TOTAL,
        variant="as more good than there is",
        play=summing(denominator=10),
        words="719,280 good of 10 events",
    ),
    invalid(
        failure=Failure.WRONG_SHAPE,
        play=twisted(with_text),
        words="numerator.sum is '719280' and not a number",
    ),
    Case(
        failure=Failure.NO_TRAFFIC,
        play=kept(availability(events=[])),
        cause=Cause.NO_TRAFFIC,
        words="counts no event in the window",
    ),
    Case(
        failure=Failure.LOW_TRAFFIC,
        play=kept(availability(events=[Event(END - d * DAY - 1, 2) for d in range(29, -1, -1)])),
        cause=Cause.LOW_TRAFFIC,
        words="60 events are fewer than 100",
        in_doubt=True,
    ),
    Case(
        failure=Failure.LOW_COVERAGE,
        play=kept(uptime((END - 25 * DAY, 0)), slo=TIME),
        cause=Cause.LOW_COVERAGE,
        words="only 83.3% of the window has data",
        in_doubt=True,
    ),
    Case(
        failure=Failure.LOW_COVERAGE,
        variant="of events",
        play=kept(availability(events=events(25 * 24))),
        cause=Cause.LOW_COVERAGE,
        words="only 83.3% of the window has data",
        in_doubt=True,
    ),
    Case(
        failure=Failure.MOSTLY_UNCOVERED,
        play=kept(uptime((END - 3 * DAY, 0)), slo=TIME),
        cause=Cause.MOSTLY_UNCOVERED,
        words="coverage_floor is",
        in_doubt=True,
    ),
    Case(
        failure=Failure.STALE,
        play=kept(availability(events=events(672, before=2 * DAY))),
        cause=Cause.STALE,
        words="the newest sample is 2d old",
        in_doubt=True,
    ),
    Case(
        failure=Failure.PARTIAL,
        play=twisted(previewing),
        cause=Cause.PARTIAL,
        words="still replays the past",
        in_doubt=True,
    ),
    Case(
        failure=Failure.CONTRADICTED,
        play=twisted(with_sli),
        cause=Cause.CONTRADICTED,
        words="Datadog's own SLI is 98.5%, and what it counts makes 99.9%",
        suspected=True,
    ),
    Case(
        failure=Failure.HOLE,
        play=kept(availability(events=events(skip=range(240, 264)))),
        cause=Cause.LOST,
        words="no event from 2025-12-21 00:00 to 2025-12-22 00:00 UTC (1d), in 3.4% of the window",
        suspected=True,
    ),
)
DATADOG = Contract(
    healthy=kept(),
    failures=OVER_HTTP,
    cases=(*NUMBERS, *on_the_way(PLAYED)),
    never={
        Failure.RENAMED: NAMED,
        Failure.BORN: NEVER_BORN,
        Failure.UNKNOWN_OUTCOME: KNOWN,
    },
    never_said={
        Cause.UNMATCHED: NAMED,
        Cause.BORN: NEVER_BORN,
        Cause.UNKNOWN_OUTCOME: KNOWN,
        Cause.ROUNDED: "a history has counts; what a share comes to is a matter of every platform",
    },
)
