"""Histories from real servers, compared with the generator's record of every minute."""

from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from gate.backends import open_backend
from gate.backends.prometheus.settings import PrometheusSettings
from gate.measure import Unmeasured
from gate.measure.capabilities import history_of
from gate.measure.history import Series, SeriesAnswer, SeriesRequest
from gate.slo.indicator import Sli
from gate.slo.objective import Span
from tests.live.asking import LIMITS, counts, indicator, measure, request_for
from tests.live.command import availability, check, policy
from tests.servers.history import PEAK_OUTAGE, services, truth
from tests.servers.metrics import Server
from tests.servers.proxy import counting_proxy
from tests.servers.series import END, Counter, tick_at

pytestmark = pytest.mark.slow

MONTH = timedelta(days=30)
HOUR = timedelta(hours=1)
EVEN = ("peak", "trough", "resets", "flawless", "latency", "isolated")
"""Services that are scraped on the whole minute all month."""


def ask(url: str, *slis: Sli, step: timedelta = HOUR) -> list[SeriesAnswer]:
    history = history_of(open_backend(PrometheusSettings(url=url), LIMITS))
    assert history is not None
    span = Span(END - MONTH, END)
    return history.history([SeriesRequest(sli=sli, span=span, step=step) for sli in slis])


def series(answer: SeriesAnswer) -> Series:
    assert isinstance(answer, Series), answer
    return answer


def by_step(counters: tuple[Counter, ...], step: timedelta = HOUR) -> list[int]:
    """Return the true events of every step of the month."""
    ticks = [tick_at(END - MONTH + place * step) for place in range(MONTH // step + 1)]
    return [
        sum(sum(one.events[after + 1 : until + 1]) for one in counters)
        for after, until in pairwise(ticks)
    ]


@pytest.mark.parametrize("service", EVEN)
def test_every_step_holds_what_happened_in_it(url: str, service: str) -> None:
    case = services()[service]

    found = series(ask(url, indicator(service))[0])

    assert found.total == pytest.approx(by_step(case.total), rel=1e-9)
    assert found.bad == pytest.approx(by_step(case.bad), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("service", [*EVEN, "unaligned"])
def test_the_steps_add_up_to_what_is_counted_over_the_whole(url: str, service: str) -> None:
    sli = indicator(service)
    whole = counts(measure(url, [request_for(sli, MONTH)])[0])

    found = series(ask(url, sli)[0])

    total, bad = (sum(x or 0 for x in values) for values in (found.total, found.bad))
    assert total == pytest.approx(float(whole.total), rel=1e-4)
    assert bad == pytest.approx(float(whole.bad), rel=1e-4)


def test_what_nobody_saw_happen_belongs_to_the_step_that_saw_it_first(url: str) -> None:
    # Ten of thirty days were not scraped; a count over the whole month spans them.
    case, found = services()["gap"], series(ask(url, indicator("gap"))[0])

    unknown = [place for place, total in enumerate(found.total) if total is None]
    assert len(unknown) == pytest.approx(10 * 24, abs=2)
    assert sum(bad or 0 for bad in found.bad) == sum(by_step(case.bad))
    # An hour more: of that in which the gap begins, the last minute was not seen, either.
    assert max(bad or 0 for bad in found.bad) == 3 * (24 * 10 + 1)


def test_steps_without_any_scrape_are_not_known(url: str) -> None:
    found = series(ask(url, indicator("young"))[0])

    unknown = [place for place, total in enumerate(found.total) if total is None]
    # The first scrape falls on the end of a step: to VictoriaMetrics that is something known.
    assert unknown in ([*range(27 * 24)], [*range(27 * 24 - 1)])
    assert [found.bad[place] for place in unknown] == [None] * len(unknown)


def test_more_steps_than_a_server_gives_at_once_are_requested_in_pieces(
    history_prometheus: Server,
) -> None:
    minutes = timedelta(minutes=2)
    with counting_proxy(history_prometheus.url) as proxy:
        answers = ask(proxy.url, *map(indicator, EVEN), step=minutes)

    # Of 11,000 at most; so many histories are more queries than would be refused before all others
    # are given up.
    assert [len(series(answer).total) for answer in answers] == [21_600] * len(EVEN)
    found = series(answers[EVEN.index("resets")])
    case = services()["resets"]
    assert sum(found.bad or ()) == pytest.approx(sum(by_step(case.bad, minutes)), rel=1e-6)  # type: ignore[arg-type]  # all are known
    assert proxy.traffic.requests > 2


def test_six_histories_are_requested_at_once(history_prometheus: Server) -> None:
    with counting_proxy(history_prometheus.url) as proxy:
        ask(proxy.url, *map(indicator, EVEN))

    assert proxy.traffic.requests == 1


def test_a_gauge_has_no_events_to_tell_step_by_step(url: str) -> None:
    (found,) = ask(url, Sli(gauge='llm_up{service="probe"}'))

    assert isinstance(found, Unmeasured)


def recovers_at(service: str, share: float) -> timedelta:
    """Return the first whole hour from now when so large a share of the failures has gone."""
    bad = by_step(services()[service].bad)
    gone, place = 0, 0
    while gone < share * sum(bad):
        gone += bad[place]
        place += 1
    return place * HOUR


def test_a_block_says_when_old_failures_will_have_left_the_window(url: str, tmp_path: Path) -> None:
    consumed = truth("peak", MONTH).bad / truth("peak", MONTH).total / 0.001
    assert 1.5 < consumed < 2  # the outage of October 27th and a steady trickle

    outcome = check(policy(tmp_path, url, [availability("peak")]), change="canary")

    (decided,) = outcome.decision["policies"]
    # A canary is allowed above 10%: once all but 0.9 budgets have gone.
    expected = END + recovers_at("peak", 1 - 0.9 / consumed)
    assert PEAK_OUTAGE + MONTH < expected <= PEAK_OUTAGE + MONTH + 2 * HOUR
    assert decided["allowed_again_at"] == expected.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert decided["allowed_again_if_calm"] is True


def test_a_block_by_timeslices_or_by_a_composite_says_so_as_well(
    history_prometheus: Server, tmp_path: Path
) -> None:
    slices = {"timeslices": {"length": "5m", "target": "95%"}, "objective": "99.95%"}
    sliced = check(
        policy(tmp_path, history_prometheus.url, [availability("peak", **slices)]), change="canary"
    )
    # 4.32 of 8,640 slices may be bad, and the outage made 6; above 10% are left with 3.
    assert sliced.slos["peak"]["bad"] == pytest.approx(6)
    expected = PEAK_OUTAGE + timedelta(minutes=15) + MONTH
    (decided,) = sliced.decision["policies"]
    assert decided["allowed_again_at"] == expected.strftime("%Y-%m-%dT%H:%M:%SZ")

    parts = [{"slo": "peak"}, {"slo": "flawless"}]
    slos = [
        availability("peak", advisory=True),
        availability("flawless"),
        {"name": "all", "composite": parts},
    ]
    together = check(policy(tmp_path, history_prometheus.url, slos), change="canary")
    (decided,) = together.decision["policies"]
    consumed = truth("peak", MONTH).bad / truth("peak", MONTH).total / 0.001
    expected = END + recovers_at("peak", 1 - 0.9 / consumed)
    assert decided["worst_slo"] == "all"
    assert decided["allowed_again_at"] == expected.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_an_allowed_change_asks_for_no_history(history_prometheus: Server, tmp_path: Path) -> None:
    with counting_proxy(history_prometheus.url) as proxy:
        outcome = check(policy(tmp_path, proxy.url, [availability("flawless")]))

    assert outcome.code == 0
    assert [body for body in proxy.traffic.bodies if b"&step=" in body] == []
