"""A month on real servers: what the gate counts is what truly happened.

How near is near enough: these series are scraped on whole minutes, at the window's very ends, so
that ``increase`` has nothing to extrapolate and the counts are exact but for floating point. The
exceptions say so: where a series begins or ends inside the window, Prometheus extrapolates by up to
half a scrape interval at that end (30 s of traffic), and VictoriaMetrics never does.
https://github.com/prometheus/prometheus/blob/v2.42.0/promql/functions.go (extrapolatedRate)
"""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction

import pytest

from gate.measure import Answer, Cause, CountRequest, Spent
from gate.slo.indicator import EmptySlice, Sli, Slices
from gate.slo.objective import RollingWindow
from tests.live.asking import (
    consumed,
    counts,
    indicator,
    measure,
    plain_query,
    request_for,
    unmeasured,
)
from tests.servers.history import BORN, GAP, PEAK_OUTAGE, YOUNG, probe_values, services, truth
from tests.servers.series import END, LAST, STEP

FLOAT = 1e-9
WINDOWS = {
    "30d": timedelta(days=30),
    "3d": timedelta(days=3),
    "1d": timedelta(days=1),
    "6h": timedelta(hours=6),
    "1h": timedelta(hours=1),
    "30m": timedelta(minutes=30),
    "5m": timedelta(minutes=5),
}
MONTH = WINDOWS["30d"]
EXACT = (
    "peak", "trough", "resets", "gap", "young", "flawless", "born", "latency", "isolated",
    "unaligned",
)  # fmt: skip
Answers = Mapping[tuple[str, str], Answer]


@pytest.fixture(scope="session")
def answers(url: str) -> Answers:
    """Ask for every service over every window, all in one batch as a run does."""
    ratios = [name for name in services() if name not in {"probe", "spend"}]
    keys = [(name, window) for name in ratios for window in WINDOWS]
    asked = [
        request_for(indicator(name), WINDOWS[window], probe=window == "30d")
        for name, window in keys
    ]
    return dict(zip(keys, measure(url, asked), strict=True))


@pytest.mark.crossed
@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("service", EXACT)
def test_counts_are_the_events_that_happened(answers: Answers, service: str, window: str) -> None:
    counted, true = counts(answers[service, window]), truth(service, WINDOWS[window])
    assert float(counted.total) == pytest.approx(true.total, rel=FLOAT)
    assert float(counted.bad) == pytest.approx(true.bad, rel=FLOAT, abs=1e-6)


def test_the_same_outage_spends_the_budget_by_the_requests_that_it_hit(answers: Answers) -> None:
    peak, trough = (counts(answers[name, "30d"]) for name in ("peak", "trough"))
    # 20% by the ordinary failures; the outage adds 131.9% at 38 requests a second, 6.9% at 2.
    assert float(consumed(peak, "0.999")) == pytest.approx(1.52, abs=0.01)
    assert float(consumed(trough, "0.999")) == pytest.approx(0.27, abs=0.01)


@pytest.mark.parametrize("service", ["peak", "trough"])
def test_a_mean_of_ratios_would_not_tell_the_outages_apart(url: str, service: str) -> None:
    def rate(more: str) -> str:
        return f'sum(increase(llm_requests_total{{service="{service}"{more}}}[5m]))'

    failed = rate(',code="500"')
    mean = plain_query(url, f"avg_over_time(({failed} / {rate('')})[30d:5m])")
    assert mean / 0.001 == pytest.approx(0.89, abs=0.005)


def test_an_earlier_instant_sees_only_what_had_happened_by_then(url: str) -> None:
    before = PEAK_OUTAGE
    asked = [request_for(indicator("peak"), WINDOWS["3d"], before)]
    counted, true = counts(measure(url, asked, before)[0]), truth("peak", WINDOWS["3d"], before)
    assert (float(counted.total), float(counted.bad)) == pytest.approx((true.total, true.bad))
    assert consumed(counted, "0.999") < Fraction(1, 2)


def test_no_error_series_means_no_errors_while_there_is_traffic(answers: Answers) -> None:
    assert counts(answers["flawless", "30d"]).bad == 0


def test_standing_counters_are_not_a_traffic_and_not_a_full_budget(answers: Answers) -> None:
    assert {unmeasured(answers["idle", window]).cause for window in WINDOWS} == {Cause.NO_TRAFFIC}


def test_a_service_that_nobody_has_heard_of_is_no_data(url: str) -> None:
    (answer,) = measure(url, [request_for(indicator("misspelt"), MONTH, probe=True)])
    assert unmeasured(answer).cause is Cause.NO_DATA


def test_the_newest_sample_of_a_service_that_is_alive_is_recent(answers: Answers) -> None:
    newest = counts(answers["peak", "30d"]).evidence.newest
    assert newest is not None
    assert timedelta(0) <= END - newest <= STEP


def test_a_service_that_ended_two_hours_ago_is_not_fresh(answers: Answers) -> None:
    newest = counts(answers["stale", "30d"]).evidence.newest
    # None is as good: the policy reader's guard then has nothing recent to believe. An age must
    # be the true one, in so far as the probe looks back that far.
    assert newest is None or END - newest >= timedelta(hours=2)


@pytest.mark.parametrize("window", ["1h", "30m", "5m"])
def test_a_window_after_the_last_sample_is_no_data(answers: Answers, window: str) -> None:
    assert unmeasured(answers["stale", window]).cause is Cause.NO_DATA


def test_a_series_that_ended_is_counted_to_within_half_a_scrape(answers: Answers) -> None:
    counted, true = counts(answers["stale", "30d"]), truth("stale", MONTH)
    half_a_scrape = 30 * 5  # seconds x requests a second
    assert true.total - 0.01 <= float(counted.total) <= true.total + half_a_scrape + 0.01
    assert float(counted.bad) == pytest.approx(true.bad, abs=30 * 3 / 3600 + 0.01)


@pytest.mark.parametrize(
    ("service", "share"),
    [
        ("peak", Fraction(1)),
        ("unaligned", Fraction(1)),
        ("gap", 1 - (GAP[1] - GAP[0]) / MONTH),
        ("young", YOUNG / MONTH),
    ],
)
def test_coverage_is_the_share_of_the_window_that_was_scraped(
    answers: Answers, service: str, share: float
) -> None:
    coverage = counts(answers[service, "30d"]).evidence.coverage
    assert coverage is not None
    # A gap's edges and the length of a probe's step blur it by some hours in thirty days.
    assert float(coverage) == pytest.approx(float(share), abs=0.01)


def test_errors_older_than_their_series_are_invisible_to_both_servers(url: str) -> None:
    """The trap: a crash of 40,000 errors is over by the first scrape, at which they are the value.

    ``increase`` is then 0 on either server, of a truth of 308% of the budget at 99.9%.
    """
    born_high = 'llm_requests_total{service="born-high",code="500"}'
    assert truth("born-high", MONTH).bad == 40_000
    assert plain_query(url, f"sum(increase({born_high}[30d]))") == 0
    # What gives it away: the series is younger than the window, and began above zero.
    assert plain_query(url, f"sum(min_over_time({born_high}[30d]) unless {born_high} offset 30d)")


def test_errors_after_a_birth_at_zero_are_all_counted(answers: Answers) -> None:
    assert BORN > END - MONTH
    assert float(counts(answers["born", "30d"]).bad) == pytest.approx(100, rel=FLOAT)


@pytest.mark.parametrize("window", ["30d", "6h"])
def test_an_up_and_down_gauge_is_counted_in_minutes(url: str, window: str) -> None:
    slices = Slices(length=STEP, target=Fraction(1), empty=EmptySlice.LEFT_OUT)
    asked = CountRequest(
        sli=Sli(gauge='llm_up{service="probe"}'),
        span=RollingWindow(WINDOWS[window]).counted(END),
        slices=slices,
        probe=True,
    )
    counted = counts(measure(url, [asked])[0])
    minutes = WINDOWS[window] // STEP
    down = probe_values()[LAST - minutes + 1 :].count(0)
    assert float(counted.total) == pytest.approx(minutes, abs=1)
    # A slice is judged by all its samples; one at the border may belong to both neighbours.
    outages = 2 if window == "30d" else 1
    assert down <= counted.bad <= down + outages


@pytest.mark.parametrize("window", WINDOWS)
def test_what_was_spent_is_the_sum_of_what_each_minute_cost(url: str, window: str) -> None:
    asked = request_for(Sli(spent="llm_spend_cents_total"), WINDOWS[window])
    (answer,) = measure(url, [asked])
    assert isinstance(answer, Spent), answer
    true = truth("spend", WINDOWS[window]).total
    assert float(answer.amount) == pytest.approx(true, rel=FLOAT)
