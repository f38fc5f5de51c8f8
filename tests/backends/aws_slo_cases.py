"""Everything that can go wrong with Application Signals, by a server that plays it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from gate.measure import Cause
from tests.backends.cases import OVER_HTTP, Case, Contract, Failure, Play, Setup
from tests.backends.loopback import serving
from tests.backends.platform_cases import Played, on_the_way
from tests.backends.prometheus.played import AT
from tests.servers.application_signals import (
    REGION,
    ApplicationSignals,
    Event,
    FakeSlo,
    Spoil,
    rolling,
)

HOUR = timedelta(hours=1)
NAME = "Chat availability"


def setup(url: str, *, timeout: str = "20s", name: str = NAME) -> Setup:
    backend = {"type": "aws-slo", "region": REGION, "url": url, "retries": 0}
    backend |= {"access_key": "${PASSWORD}", "secret_key": "${PASSWORD}"}
    slo = {"objective": "99%", "sli": {"slo": name}}
    return Setup(backend=backend, slo=slo, timeout=timeout)


def hourly() -> list[Event]:
    """Return 1,000 requests each hour of the month, of which one has failed."""
    return [(AT - hour * HOUR, 1000, 1) for hour in range(720)]


def fake(spoil: Spoil | None = None, **slo: Any) -> ApplicationSignals:
    own = FakeSlo(**{"name": NAME, "goal": rolling(30, 99.0), "events": hourly(), **slo})
    return ApplicationSignals([own]) if spoil is None else ApplicationSignals([own], spoil)


def kept(name: str = NAME, **slo: Any) -> Play:
    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with serving(fake(**slo)) as port:
            yield setup(f"http://127.0.0.1:{port}", name=name)

    return play


def spoiled(fields: Mapping[str, Any] | None = None, **answer: Any) -> Play:
    """Let the report have other fields, or the answer other parts."""

    def spoil(path: str, good: Any) -> Any:
        if path != "/budget-report":
            return good
        reports = [{**report, **(fields or {})} for report in good["Reports"]]
        parts = {key: part(reports) for key, part in answer.items()}
        return {**good, "Reports": reports, **parts}

    @contextmanager
    def play(_folder: Path) -> Iterator[Setup]:
        with serving(fake(spoil)) as port:
            yield setup(f"http://127.0.0.1:{port}")

    return play


def counts(handler: BaseHTTPRequestHandler, _body: bytes) -> bool:
    return handler.path == "/budget-report"


def refusal(_status: int, words: str) -> bytes:
    return json.dumps({"Message": words}).encode()


NOT_SEEN = "Application Signals counts; what its metrics are made of is not asked for"
NO_COUNT = "the report has a budget, and not how many requests there were"
OF_NOW = "a report is of the requested instant, or invalid"
WHOLE = "a report is whole, or its SLO is among the errors"
invalid = partial(Case, cause=Cause.INVALID)
PLAYED = Played(setup=setup, fake=fake, counts=counts, refusal=refusal)
NUMBERS = (
    Case(
        failure=Failure.EMPTY,
        cause=Cause.NO_DATA,
        play=kept(events=()),
        words="INSUFFICIENT_DATA",
    ),
    Case(
        failure=Failure.EMPTY,
        variant="no SLO of this name",
        cause=Cause.NO_DATA,
        play=kept("Chat latency"),
        words='has no SLO with the name or id "Chat latency"; it has',
    ),
    Case(
        failure=Failure.EMPTY,
        variant="before the SLO was created",
        cause=Cause.NO_DATA,
        play=kept(created=AT + HOUR),
        words="the SLO was created later",
    ),
    invalid(
        failure=Failure.SEVERAL,
        play=spoiled(Reports=lambda reports: reports * 2),
        words="answers with 2 reports",
    ),
    invalid(
        failure=Failure.NAN, play=spoiled({"TotalBudgetRequests": float("nan")}), words="is nan"
    ),
    invalid(failure=Failure.INFINITE, play=spoiled({"Attainment": float("inf")}), words="is inf"),
    invalid(
        failure=Failure.MINUS_INFINITE,
        play=spoiled({"BudgetRequestsRemaining": float("-inf")}),
        words="is -inf",
    ),
    invalid(
        failure=Failure.NEGATIVE,
        play=spoiled({"TotalBudgetRequests": -5}),
        words="of a budget of -5 requests",
    ),
    invalid(
        failure=Failure.BAD_OVER_TOTAL,
        play=spoiled(
            {"BudgetRequestsRemaining": -9_000_000, "BudgetStatus": "BREACHED", "Attainment": 0}
        ),
        words="and its attainment",
    ),
    invalid(
        failure=Failure.WRONG_SHAPE,
        play=spoiled({"TotalBudgetRequests": "7200"}),
        words="TotalBudgetRequests is '7200'",
    ),
    invalid(
        failure=Failure.WRONG_SHAPE,
        variant="a report on something else",
        play=spoiled({"Arn": "arn:aws:something:else"}),
        words="neither a report nor an error",
    ),
    Case(
        failure=Failure.NO_TRAFFIC,
        cause=Cause.NO_TRAFFIC,
        play=spoiled({"TotalBudgetRequests": 0, "BudgetRequestsRemaining": 0, "Attainment": 100.0}),
        words="has a budget of 0 requests",
    ),
    Case(
        failure=Failure.LOW_COVERAGE,
        cause=Cause.LOW_COVERAGE,
        in_doubt=True,
        play=kept(created=AT - 720 * HOUR * 85 // 100),
        words="only 85% of the window has data",
    ),
    Case(
        failure=Failure.MOSTLY_UNCOVERED,
        cause=Cause.MOSTLY_UNCOVERED,
        in_doubt=True,
        play=kept(created=AT - 36 * HOUR),
        words="are measured (5%; coverage_floor is",
    ),
    Case(
        failure=Failure.UNPROCESSABLE,
        variant="an error inside a 200",
        cause=Cause.BACKEND_ERROR,
        play=spoiled(
            Reports=lambda _: [],
            Errors=lambda reports: [
                {**reports[0], "ErrorCode": "InternalError", "ErrorMessage": "boom"}
            ],
        ),
        words="cannot report on Chat availability: InternalError: boom",
    ),
)
AWS_SLO = Contract(
    healthy=kept(),
    failures=OVER_HTTP,
    cases=(*NUMBERS, *on_the_way(PLAYED)),
    never={
        Failure.LOW_TRAFFIC: NO_COUNT,
        Failure.STALE: OF_NOW,
        Failure.PARTIAL: WHOLE,
        Failure.HOLE: "the report does not say which time has no data",
        Failure.RENAMED: NOT_SEEN,
        Failure.BORN: NOT_SEEN,
        Failure.CONTRADICTED: NOT_SEEN,
        Failure.UNKNOWN_OUTCOME: "what is not bad is good",
    },
    never_said={
        Cause.LOW_TRAFFIC: NO_COUNT,
        Cause.STALE: OF_NOW,
        Cause.PARTIAL: WHOLE,
        Cause.LOST: "as above",
        Cause.UNMATCHED: NOT_SEEN,
        Cause.BORN: NOT_SEEN,
        Cause.CONTRADICTED: NOT_SEEN,
        Cause.UNKNOWN_OUTCOME: "as above",
    },
)
