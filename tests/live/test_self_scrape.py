"""A Prometheus that scrapes itself under load: real counters that nobody made up for us.

The truth is its own /metrics page, read before and after the load without any query. The load
begins after a scrape and ends before another, so only extrapolation stands between the two: over
a window w with samples at most one interval i from each end, ``increase`` stretches the count by
at most w / (w - 2 i), and never shrinks it.
"""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import requests

from gate.slo.indicator import Sli
from tests.live.asking import counts, measure, request_for
from tests.servers.metrics import prometheus

pytestmark = pytest.mark.slow  # it scrapes for half a minute

INTERVAL = timedelta(milliseconds=500)
WINDOW = timedelta(seconds=24)
STRETCH = WINDOW / (WINDOW - 2 * INTERVAL)
QUIET = timedelta(seconds=4)
LOAD = timedelta(seconds=8)
CONFIG = """
global: {scrape_interval: 500ms, scrape_timeout: 500ms}
scrape_configs:
- {job_name: self, static_configs: [{targets: ["127.0.0.1:{port}"]}]}
"""
GOOD = "sum_over_time(prometheus_http_requests_total[1m])"
SLOW = "sum_over_time(vector(1)[7d:500ms])"
BAD = "sum("
REQUESTS = "prometheus_http_requests_total"
BUCKET = "prometheus_http_request_duration_seconds_bucket"
HANDLER = 'handler="/api/v1/query"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A server that has been under load, what that was, and the instant after it."""

    url: str
    at: datetime
    grown: dict[str, float]
    """By series: by how much the raw page's value has grown."""
    sent: dict[str, int]
    """By query: how often it was sent."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Run a Prometheus that scrapes itself, and query it for a while."""
    folder = tmp_path_factory.mktemp("self")
    with prometheus(folder, folder / "data", CONFIG) as server:
        _wait_for_series(server.url)
        time.sleep(QUIET.total_seconds())
        began, before = time.monotonic(), _raw(server.url)
        sent = _load(server.url)
        time.sleep(3 * INTERVAL.total_seconds())
        after = _raw(server.url)
        since = timedelta(seconds=time.monotonic() - began)
        # Now the window begins in the middle of the quiet time before the load.
        time.sleep((WINDOW - QUIET / 2 - since).total_seconds())
        grown = {name: value - before.get(name, 0.0) for name, value in after.items()}
        yield Loaded(url=server.url, at=datetime.now(UTC), grown=grown, sent=sent)


def _wait_for_series(url: str) -> None:
    """Wait until the series have been scraped: those born under load would be seen too late.

    A Prometheus takes 5 s before it scrapes a new target for the first time.
    """
    deadline = time.monotonic() + 30
    born = f'count({REQUESTS}{{{HANDLER},code="400"}}) + count({REQUESTS}{{{HANDLER},code="200"}})'
    for query in (GOOD, BAD):
        _send(url, query)
    while not _result(url, born):
        assert time.monotonic() < deadline, "the server does not scrape itself"
        time.sleep(0.2)


def _result(url: str, query: str) -> list[object]:
    answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=30)
    result: list[object] = answer.json()["data"]["result"]
    return result


def _send(url: str, query: str) -> str:
    requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=30)
    return query


def _load(url: str) -> dict[str, int]:
    """Send at most 50 queries a second, four at a time; of 20, one is bad and one is slow."""
    sent = dict.fromkeys((GOOD, SLOW, BAD), 0)
    end = time.monotonic() + LOAD.total_seconds()
    batch = [BAD, *[GOOD] * 18, SLOW]
    with ThreadPoolExecutor(4) as pool:
        while time.monotonic() < end:
            for query in pool.map(lambda query: _send(url, query), batch):
                sent[query] += 1
            time.sleep(0.4)
    return sent


def _raw(url: str) -> dict[str, float]:
    """Read the values of the query endpoint's series from the page itself."""
    page = requests.get(f"{url}/metrics", timeout=10).text
    line = re.compile(rf"^((?:{REQUESTS}|{BUCKET}){{.*{HANDLER}.*}}) (\S+)$", re.MULTILINE)
    return {name: float(value) for name, value in line.findall(page)}


def about(true: float) -> tuple[float, float]:
    """Return the least and the most that a count of so many events may be."""
    return true * (1 - 1e-9), true * STRETCH * (1 + 1e-9)


def series(name: str, label: str) -> str:
    return f"{name}{{{HANDLER},{label}}}"


def test_the_raw_page_saw_the_queries_that_were_sent(loaded: Loaded) -> None:
    failed = next(v for k, v in loaded.grown.items() if k.startswith(REQUESTS) and '"400"' in k)
    answered = next(v for k, v in loaded.grown.items() if k.startswith(REQUESTS) and '"200"' in k)
    assert failed == loaded.sent[BAD] > 0
    assert answered == loaded.sent[GOOD] + loaded.sent[SLOW] > 15


def test_request_counters_agree_with_the_raw_page(loaded: Loaded) -> None:
    sli = Sli(bad=series(REQUESTS, 'code=~"4.."'), total=f"{REQUESTS}{{{HANDLER}}}")
    (answer,) = measure(loaded.url, [request_for(sli, WINDOW, loaded.at)], loaded.at)
    counted, bad = counts(answer), loaded.sent[BAD]
    least, most = about(sum(loaded.sent.values()))
    assert least <= counted.total <= most
    least, most = about(bad)
    assert least <= counted.bad <= most


def test_the_duration_histogram_agrees_with_the_raw_page(loaded: Loaded) -> None:
    within = {
        match[1]: value
        for name, value in loaded.grown.items()
        if name.startswith(BUCKET) and (match := re.search(r'le="([^"]+)"', name))
    }
    everything = within["+Inf"]
    # The lowest boundary that parts the queries in two, so that neither side is empty.
    bound = next(le for le, value in within.items() if 0 < value < everything)
    sli = Sli(good=series(BUCKET, f'le="{bound}"'), total=series(BUCKET, 'le="+Inf"'))
    (answer,) = measure(loaded.url, [request_for(sli, WINDOW, loaded.at)], loaded.at)
    counted = counts(answer)
    least, most = about(everything)
    assert least <= counted.total <= most
    least, most = about(everything - within[bound])
    assert least * (1 - 1e-9) <= counted.bad <= most
