"""Everything that can go wrong with Kibana's SLOs, by a server that speaks its API."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from gate.measure import Cause
from tests.backends.cases import OVER_HTTP, Case, Contract, Failure, Play, Setup
from tests.backends.loopback import serving
from tests.backends.platform_cases import LATE, Played, on_the_way
from tests.backends.prometheus.played import AT
from tests.servers.elastic import Kibana, KibanaSlo

ID = "chat-availability"
HOURS = 720
NO_ROWS = "Kibana tells two numbers for a window, and nothing of what they are made of"
NO_GAPS = "Kibana does not say where in a window data are missing"


def events(good: float, total: float, hours: int = HOURS) -> list[Any]:
    """Return so many events in each of the last hours, the newest a minute ago."""
    newest = AT - timedelta(minutes=1)
    return [(newest - place * timedelta(hours=1), good, total) for place in range(hours)]


def slo(**changes: Any) -> KibanaSlo:
    """Return an SLO with 90% of its budget left: 1 of 10,000 events fails."""
    values: dict[str, Any] = {
        "id": ID,
        "name": "Chat availability",
        "events": {"*": events(1249.875, 1250)},
    }
    return KibanaSlo(**values | changes)


def sliced(hours: int = HOURS) -> KibanaSlo:
    """Return an SLO of hourly slices, all of them good."""
    return slo(timeslice="1h", target=0.99, events={"*": events(1000, 1000, hours)})


def setup(url: str, *, timeout: str = "20s", objective: str = "99.9%", **sli: Any) -> Setup:
    return Setup(
        backend={"type": "elastic", "url": url, "api_key": "${PASSWORD}", "retries": 0},
        slo={"objective": objective, "sli": {"slo": "Chat availability", **sli}},
        timeout=timeout,
    )


def kept(*slos: KibanaSlo, objective: str = "99.9%", **attributes: Any) -> Play:
    """Let Kibana have these SLOs."""

    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        kibana = Kibana(list(slos), now=AT, **attributes)
        with serving(kibana) as port:
            yield setup(f"http://127.0.0.1:{port}", objective=objective)

    return play


def summing(**numbers: Any) -> Callable[[str, dict[str, Any]], object]:
    """Put numbers in the place of those of a snapshot."""

    def spoil(kind: str, body: dict[str, Any]) -> object:
        for result in body["results"] if kind == "snapshot" else ():
            result["summary"] |= numbers
        return body

    return spoil


def saying(good: Any, total: Any = 720_000.0) -> Play:
    return kept(slo(), spoil=summing(good=good, total=total))


def twice(kind: str, body: dict[str, Any]) -> object:
    if kind == "snapshot":
        body["results"] *= 2
    return body


def failing(status: int, message: str) -> Callable[[str, dict[str, Any]], object]:
    def spoil(kind: str, body: dict[str, Any]) -> object:
        for result in body["results"] if kind == "snapshot" else ():
            del result["summary"]
            result["error"] = {"statusCode": status, "message": message}
        return body

    return spoil


def counts(handler: BaseHTTPRequestHandler, _body: bytes) -> bool:
    return handler.command == "POST"


def refusal(status: int, words: str) -> bytes:
    return json.dumps({"statusCode": status, "error": "Error", "message": words}).encode()


invalid = partial(Case, cause=Cause.INVALID)
doubtful = partial(Case, in_doubt=True)
old = {"*": (AT - timedelta(days=2)).isoformat()}

NUMBERS = (
    Case(
        failure=Failure.EMPTY,
        play=kept(slo(events={"*": []})),
        cause=Cause.NO_DATA,
        words="Kibana has no events in the window",
    ),
    Case(
        failure=Failure.EMPTY,
        variant="no SLO of this name",
        play=kept(slo(name="Chat availability (old)")),
        cause=Cause.NO_DATA,
        words='no SLO with the name or id "Chat availability"',
    ),
    Case(
        failure=Failure.EMPTY,
        variant="deleted meanwhile",
        play=kept(slo(), spoil=failing(404, f"SLO [{ID}] not found")),
        cause=Cause.NO_DATA,
        words="Kibana answers 404",
    ),
    invalid(
        failure=Failure.SEVERAL,
        play=kept(slo(), slo(id="other-availability")),
        words=f'have the name "Chat availability": {ID}, other-availability',
    ),
    invalid(
        failure=Failure.SEVERAL,
        variant="results",
        play=kept(slo(), spoil=twice),
        words="has 2 results for it",
    ),
    invalid(failure=Failure.NAN, play=saying(float("nan")), words="good is nan"),
    invalid(failure=Failure.INFINITE, play=saying(1.0, float("inf")), words="total is inf"),
    invalid(failure=Failure.MINUS_INFINITE, play=saying(float("-inf")), words="good is -inf"),
    invalid(failure=Failure.NEGATIVE, play=saying(-1.0), words="cannot be a count"),
    invalid(
        failure=Failure.BAD_OVER_TOTAL,
        variant="good more than total",
        play=saying(720_001.0),
        words="720,001 good of 720,000 cannot be a count",
    ),
    invalid(failure=Failure.WRONG_SHAPE, play=saying("719928"), words="good is '719928'"),
    invalid(failure=Failure.WRONG_SHAPE, variant="null", play=saying(None), words="good is None"),
    invalid(
        failure=Failure.WRONG_SHAPE, variant="true", play=saying(True, 1.0), words="good is True"
    ),
    doubtful(
        failure=Failure.LOW_TRAFFIC,
        play=kept(slo(events={"*": events(1, 1, 3)})),
        cause=Cause.LOW_TRAFFIC,
        words="3 events are fewer than 1,000",
    ),
    doubtful(
        failure=Failure.LOW_COVERAGE,
        play=kept(sliced(HOURS * 85 // 100), objective="99%"),
        cause=Cause.LOW_COVERAGE,
        words="only 85% of the window has data",
    ),
    doubtful(
        failure=Failure.MOSTLY_UNCOVERED,
        play=kept(sliced(36), objective="99%"),
        cause=Cause.MOSTLY_UNCOVERED,
        words="coverage_floor is",
    ),
    doubtful(
        failure=Failure.STALE,
        play=kept(slo(updated=old)),
        cause=Cause.STALE,
        words="the newest sample is 2d old",
    ),
    Case(
        failure=Failure.STALE,
        variant="disabled",
        play=kept(slo(enabled=False)),
        cause=Cause.STALE,
        words="is disabled",
    ),
)
PLAYED = Played(setup=setup, fake=lambda: Kibana([slo()], now=AT), counts=counts, refusal=refusal)
# A Kibana without the path of snapshots is an older one: tests/backends/elastic/test_traps.py.
ON_THE_WAY = tuple(
    case for case in on_the_way(PLAYED) if (case.failure, case.variant) != (Failure.NOT_FOUND, LATE)
)
ITEMS = (
    Case(
        failure=Failure.SERVER_ERROR,
        variant="of one SLO within a good answer",
        play=kept(slo(), spoil=failing(500, "search_phase_execution_exception")),
        cause=Cause.BACKEND_ERROR,
        words="Kibana answers 500: search_phase_execution_exception",
    ),
)
NEVER: Mapping[Failure, str] = {
    Failure.NO_TRAFFIC: "no events and no data are the same to Kibana: it says NO_DATA",
    Failure.PARTIAL: "Kibana warns of no missing part; an older one is asked in test_traps",
    Failure.RENAMED: NO_ROWS,
    Failure.BORN: NO_ROWS,
    Failure.CONTRADICTED: NO_ROWS,
    Failure.HOLE: NO_GAPS,
    Failure.UNKNOWN_OUTCOME: NO_ROWS,
}
ELASTIC = Contract(
    healthy=kept(slo()),
    failures=OVER_HTTP,
    cases=(*NUMBERS, *ON_THE_WAY, *ITEMS),
    never=NEVER,
    never_said={
        Cause.NO_TRAFFIC: NEVER[Failure.NO_TRAFFIC],
        Cause.PARTIAL: NEVER[Failure.PARTIAL],
        Cause.UNMATCHED: NO_ROWS,
        Cause.BORN: NO_ROWS,
        Cause.CONTRADICTED: NO_ROWS,
        Cause.LOST: NO_GAPS,
        Cause.UNKNOWN_OUTCOME: NO_ROWS,
    },
)
