"""The access log of a real nginx under load: the gate counts what plain Python counts, exactly."""

import json
import random
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import requests

from gate.backends import open_backend
from gate.backends.logs.settings import LogsSettings
from gate.backends.records import Records
from gate.measure import Answer, CountRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.live.asking import LIMITS, counts
from tests.servers.nginx import WebServer, nginx

pytest.importorskip("duckdb", reason="the extra `logs` is not installed")

REQUESTS = 600
PATHS = ("/chat/hello", '/chat/ünïcode "quoted"', "/chat/429", "/chat/503", "/broken/upstream")
WEIGHTS = (80, 10, 4, 3, 3)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    """Run an nginx, and put load on it for a few seconds."""
    with nginx(tmp_path_factory.mktemp("nginx")) as server:
        paths = random.Random(7).choices(PATHS, WEIGHTS, k=REQUESTS)
        with ThreadPoolExecutor(4) as pool:
            for path in pool.map(lambda path: _visit(server.url + path), paths):
                assert path
        _wait_for_lines(server.log, REQUESTS)
        yield server


def _visit(url: str) -> int:
    # A user agent that only survives in JSON if nginx escapes it.
    return requests.get(url, headers={"User-Agent": 'bot "x" \\ y'}, timeout=10).status_code


def _wait_for_lines(log: Path, lines: int) -> None:
    deadline = time.monotonic() + 10
    while len(log.read_bytes().splitlines()) < lines:
        assert time.monotonic() < deadline, "nginx has not written its log"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def rows(web: WebServer) -> list[dict[str, Any]]:
    """Return the log as plain Python reads it."""
    return [json.loads(line) for line in web.log.read_text(encoding="utf-8").splitlines()]


def ask(web: WebServer, sli: Sli, span: Span) -> Answer:
    records = Records(timestamp="time")
    settings = LogsSettings(path=web.log.name, directory=web.log.parent, records=records)
    request = CountRequest(sli=sli, span=span)
    return open_backend(settings, LIMITS).measure([request], span.end)[0]


def whole(rows: list[dict[str, Any]]) -> Span:
    """Return a span with every row in it; the log's times are whole seconds."""
    times = [datetime.fromisoformat(row["time"]) for row in rows]
    return Span(min(times) - timedelta(seconds=1), max(times))


def test_there_was_load_with_failures(rows: list[dict[str, Any]]) -> None:
    statuses = {row["status"] for row in rows}
    assert len(rows) == REQUESTS
    assert {200, 429, 502, 503} <= statuses


def test_failures_are_the_5xx_that_python_counts(
    web: WebServer, rows: list[dict[str, Any]]
) -> None:
    counted = counts(ask(web, Sli(bad="status >= 500"), whole(rows)))
    assert counted.total == REQUESTS
    assert counted.bad == sum(row["status"] >= 500 for row in rows) > 0


def test_a_total_leaves_rows_out(web: WebServer, rows: list[dict[str, Any]]) -> None:
    sli = Sli(good="status < 500", total="status <> 429 AND uri LIKE '/chat/%'")
    counted = counts(ask(web, sli, whole(rows)))
    valid = [row for row in rows if row["status"] != 429 and row["uri"].startswith("/chat/")]
    assert counted.total == len(valid) < REQUESTS
    assert counted.bad == sum(row["status"] >= 500 for row in valid) > 0


def test_a_threshold_on_the_request_time(web: WebServer, rows: list[dict[str, Any]]) -> None:
    seconds = sorted(row["seconds"] for row in rows)
    threshold = Fraction(str(seconds[len(seconds) // 2]))
    counted = counts(ask(web, Sli(column="seconds", threshold=threshold), whole(rows)))
    assert counted.total == REQUESTS
    assert counted.bad == sum(Fraction(str(row["seconds"])) > threshold for row in rows)


def test_only_the_rows_of_the_window_count(web: WebServer, rows: list[dict[str, Any]]) -> None:
    span = whole(rows)
    late = [row for row in rows if datetime.fromisoformat(row["time"]) == span.end]
    counted = counts(
        ask(web, Sli(bad="status >= 500"), Span(span.end - timedelta(seconds=1), span.end))
    )
    assert counted.total == len(late) > 0
