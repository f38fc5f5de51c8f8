"""How many requests of a run wait for one another: one if it allows, two if it blocks."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.live.asking import counts, indicator, measure, request_for
from tests.live.command import check, policy
from tests.servers.history import truth
from tests.servers.metrics import Server
from tests.servers.proxy import Traffic, counting_proxy

SERVICES = ("peak", "trough", "resets", "unaligned", "flawless", "born", "latency", "isolated")
WINDOWS = (timedelta(days=30), timedelta(hours=6), timedelta(hours=1), timedelta(minutes=5))
LATENCY = 0.5


def preset(name: str, objective: str = "10%", **more: str) -> dict[str, Any]:
    """Return an SLO by a preset, of which the pages of LLM servers fail a part."""
    server = name.partition("/")[0]
    # Of llm-d the newest version, which still exports its older names as well.
    labels = {"fixture": server, **({"job": server} if server == "llm-d" else {})}
    return {
        "name": name.replace("/", "-"),
        "objective": objective,
        "window": "6h",
        "sli": {"preset": name, "labels": labels, **more},
    }


PRESETS = (
    preset("vllm/errors"),
    preset("vllm/time-to-first-token", threshold="2.5s"),
    preset("vllm/inter-token-latency", threshold="100ms"),
    preset("dynamo/errors"),
    preset("dynamo/latency", threshold="8s"),
    preset("llm-d/latency", threshold="10s"),
)
"""Counters and histograms, several of them under more than one name."""


@pytest.mark.variants(1)
@pytest.mark.parametrize(("objective", "code", "trips"), [("10%", 0, 1), ("99.99%", 10, 2)])
def test_failures_that_the_total_shows_itself_take_no_more_round_trips(
    pages_prometheus: Server, tmp_path: Path, objective: str, code: int, trips: int
) -> None:
    with counting_proxy(pages_prometheus.url, 0.3) as proxy:
        path = policy(tmp_path, proxy.url, [preset("litellm/errors", objective)])
        outcome = check(path)

    assert outcome.code == code, outcome.slos
    assert proxy.traffic.round_trips == trips


@pytest.mark.parametrize(("objective", "code", "trips"), [("10%", 0, 1), ("99.99%", 10, 2)])
def test_presets_take_one_round_trip_if_the_change_is_allowed_and_two_if_not(
    pages_prometheus: Server, tmp_path: Path, objective: str, code: int, trips: int
) -> None:
    slos = [*PRESETS, {**preset("vllm/latency", objective, threshold="10s"), "name": "deciding"}]
    with counting_proxy(pages_prometheus.url, 0.3) as proxy:
        path = policy(tmp_path, proxy.url, slos, burn_rates="google-30d")
        outcome = check(path)

    assert outcome.code == code, outcome.slos
    assert {slo["status"] for slo in outcome.slos.values()} == {"measured"}
    assert proxy.traffic.round_trips == trips


def test_eight_slos_over_four_windows_take_one_round_trip(
    history_prometheus: Server,
) -> None:
    keys = [(name, window) for name in SERVICES for window in WINDOWS]
    asked = [request_for(indicator(name), w, probe=w == WINDOWS[0]) for name, w in keys]
    with counting_proxy(history_prometheus.url, LATENCY) as proxy:
        answers = measure(proxy.url, asked)
    for (name, window), answer in zip(keys, answers, strict=True):
        assert round(counts(answer).total) == truth(name, window).total
    assert proxy.traffic.round_trips == 1
    # One batch, or a few side by side; 8 x 4 x 2 would be slo-generator's way.
    assert proxy.traffic.requests <= 8


def test_a_hole_in_the_data_takes_a_second_round_trip(history_prometheus: Server) -> None:
    with counting_proxy(history_prometheus.url, LATENCY) as proxy:
        measure(proxy.url, [request_for(indicator("gap"), WINDOWS[0], probe=True)])

    assert proxy.traffic.round_trips == 2


def test_a_chain_is_as_long_as_the_requests_that_waited_for_one_another() -> None:
    # Two at once, then one that began after the first of them, then one after that.
    traffic = Traffic(spans=[(0.0, 1.0), (0.0, 1.5), (1.2, 2.0), (2.1, 3.0)])
    assert (traffic.requests, traffic.round_trips, traffic.most_at_once) == (4, 3, 2)
