"""A run of 8 SLOs x 4 windows costs the user at most two round trips to the server."""

from datetime import timedelta

from tests.live.asking import counts, indicator, measure, request_for
from tests.servers.history import truth
from tests.servers.metrics import Server
from tests.servers.proxy import Traffic, counting_proxy

SERVICES = ("peak", "trough", "resets", "gap", "flawless", "born", "latency", "isolated")
WINDOWS = (timedelta(days=30), timedelta(hours=6), timedelta(hours=1), timedelta(minutes=5))
LATENCY = 0.5


def test_eight_slos_over_four_windows_take_at_most_two_round_trips(
    history_prometheus: Server,
) -> None:
    keys = [(name, window) for name in SERVICES for window in WINDOWS]
    asked = [request_for(indicator(name), w, probe=w == WINDOWS[0]) for name, w in keys]
    with counting_proxy(history_prometheus.url, LATENCY) as proxy:
        answers = measure(proxy.url, asked)
    for (name, window), answer in zip(keys, answers, strict=True):
        assert round(counts(answer).total) == truth(name, window).total
    assert 1 <= proxy.traffic.round_trips <= 2
    # One batch, or a few side by side; 8 x 4 x 2 would be slo-generator's way.
    assert proxy.traffic.requests <= 8


def test_a_chain_is_as_long_as_the_requests_that_waited_for_one_another() -> None:
    # Two at once, then one that began after the first of them, then one after that.
    traffic = Traffic(spans=[(0.0, 1.0), (0.0, 1.5), (1.2, 2.0), (2.1, 3.0)])
    assert (traffic.requests, traffic.round_trips, traffic.most_at_once) == (4, 3, 2)
