"""Servers that refuse large or slow queries still answer a 30-day budget, and answer it right."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import requests

from gate.measure import Cause
from tests.live.asking import counts, indicator, measure, plain_query, request_for, unmeasured
from tests.servers.fixtures import Data
from tests.servers.history import GAP, truth
from tests.servers.metrics import Server, prometheus
from tests.servers.processes import free_port
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

pytestmark = pytest.mark.slow

MONTH = timedelta(days=30)
SERVICES = ("peak", "trough", "resets", "flawless", "born", "isolated", "unaligned")
SUM = "sum(increase(llm_requests_total[30d]))"


@contextmanager
def small_server(blocks: Path, folder: Path, *flags: str) -> Iterator[Server]:
    shutil.copytree(blocks, folder / "data")
    with prometheus(folder, folder / "data", flags=flags) as server:
        yield server


def assert_right(url: str, windows: Sequence[timedelta] = (MONTH,)) -> None:
    cases = [(name, window) for name in SERVICES for window in windows]
    answers = measure(url, [request_for(indicator(n), window, probe=True) for n, window in cases])
    for (name, window), answer in zip(cases, answers, strict=True):
        counted, true = counts(answer), truth(name, window)
        # Cut at a scrape, two halves of a window add up exactly. Where they are cut between two
        # scrapes each half extrapolates its ends: 60 s of traffic a cut at the very most, and of
        # at most 32 pieces; a burst of errors that a cut falls into is as short as that.
        assert float(counted.total) == pytest.approx(true.total, rel=1e-3)
        assert float(counted.bad) == pytest.approx(true.bad, rel=1e-3, abs=1)
        assert [s for s in counted.evidence.suspicions if s.cause is Cause.LOST] == []


def refusal(url: str, query: str) -> str:
    form = {"query": query, "time": str(END.timestamp())}
    answer = requests.post(f"{url}/api/v1/query", data=form, timeout=60)
    assert answer.status_code >= 400
    return str(answer.json()["error"])


def test_a_window_with_too_many_samples_for_one_query_is_cut(
    history_data: Data, tmp_path: Path
) -> None:
    # A single series has 43,201 samples in thirty days.
    with small_server(history_data.blocks, tmp_path, "--query.max-samples=20000") as server:
        one = 'increase(llm_requests_total{service="peak",code="500"}[30d])'
        assert "too many samples" in refusal(server.url, one)
        assert_right(server.url)


def test_a_batch_that_is_too_slow_is_cut(history_data: Data, tmp_path: Path) -> None:
    # The whole batch takes some three times as long as it may; a single part, a thirtieth of that.
    windows = [MONTH - timedelta(days=days) for days in range(16)]
    with (
        small_server(history_data.blocks, tmp_path, "--query.timeout=400ms") as server,
        counting_proxy(server.url) as proxy,
    ):
        assert "timed out" in refusal(server.url, " + ".join([SUM] * 60))
        assert_right(proxy.url, windows)
        assert proxy.traffic.requests > 1


def test_cutting_counts_no_event_twice_and_leaves_none_out(
    history_data: Data, history_prometheus: Server, tmp_path: Path
) -> None:
    request = request_for(indicator("peak"), MONTH)
    with small_server(history_data.blocks, tmp_path, "--query.max-samples=20000") as server:
        (cut,) = measure(server.url, [request])
    (whole,) = measure(history_prometheus.url, [request])
    assert float(counts(cut).bad) == pytest.approx(float(counts(whole).bad), abs=0.5)
    assert float(counts(cut).total) == pytest.approx(float(counts(whole).total), rel=1e-6)


def test_what_was_counted_while_no_data_came_in_is_not_lost_where_a_piece_ends_there(
    history_data: Data, history_prometheus: Server, tmp_path: Path
) -> None:
    request = request_for(indicator("gap"), MONTH, probe=True)
    begin, end = GAP
    with small_server(history_data.blocks, tmp_path, "--query.max-samples=6000") as server:
        counted = counts(measure(server.url, [request])[0])
    whole = counts(measure(history_prometheus.url, [request])[0])
    causes = [
        [suspicion.cause for suspicion in each.evidence.suspicions] for each in (counted, whole)
    ]

    assert causes[0] == causes[1]
    assert float(counted.total) == pytest.approx(float(whole.total), rel=1e-3)
    assert float(counted.total) == pytest.approx(truth("gap", MONTH).total, rel=1e-3)
    assert truth("gap", end - begin, end).total > truth("gap", MONTH).total / 4
    assert counted.evidence.coverage is not None
    assert float(counted.evidence.coverage) == pytest.approx(2 / 3, abs=0.01)


def test_a_server_that_is_not_there_is_an_error_for_every_request() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    answers = measure(url, [request_for(indicator(name), MONTH) for name in SERVICES])
    assert {unmeasured(answer).cause for answer in answers} == {Cause.BACKEND_ERROR}


def test_the_plain_server_does_answer_the_query_that_the_small_ones_refuse(
    history_prometheus: Server,
) -> None:
    assert plain_query(history_prometheus.url, SUM) > 0
