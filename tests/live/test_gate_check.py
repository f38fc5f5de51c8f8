"""``gate check`` as a user runs it, against real servers with a month of history."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.live.command import availability, check, policy
from tests.servers.history import OUTAGE, PEAK_OUTAGE, TROUGH_OUTAGE, truth
from tests.servers.metrics import Server, prometheus
from tests.servers.processes import free_port
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

MONTH = timedelta(days=30)
ALLOW, UNDECIDED, BLOCK, WARN = 0, 3, 10, 11
BURN_RATES = {"burn_rates": "google-30d"}
LATENCY: dict[str, Any] = {
    "name": "p95-within-2s",
    "objective": "95%",
    "window": "30d",
    "sli": {
        "good": 'llm_request_duration_seconds_bucket{service="latency",le="2"}',
        "total": 'llm_request_duration_seconds_bucket{service="latency",le="+Inf"}',
    },
}


def true_consumed(service: str, budget: float = 0.001) -> float:
    true = truth(service, MONTH)
    return true.bad / true.total / budget


@pytest.mark.variants(6)
@pytest.mark.parametrize(
    ("service", "code", "tier"),
    [
        ("peak", BLOCK, "exhausted"),
        ("trough", ALLOW, "healthy"),
        ("resets", ALLOW, "healthy"),
        ("flawless", ALLOW, "healthy"),
        ("born", ALLOW, "healthy"),
        ("isolated", ALLOW, "healthy"),
        ("unaligned", BLOCK, "exhausted"),
    ],
)
def test_the_month_decides_by_what_truly_happened(
    url: str, tmp_path: Path, service: str, code: int, tier: str
) -> None:
    outcome = check(policy(tmp_path, url, [availability(service)]))
    slo = outcome.slos[service]
    assert (outcome.code, outcome.decision["policies"][0]["tier"]) == (code, tier)
    assert slo["consumed"] == pytest.approx(true_consumed(service), rel=1e-6, abs=1e-9)
    assert slo["remaining"] == pytest.approx(1 - true_consumed(service), rel=1e-6)
    assert slo["status"] == "measured"


def test_a_spent_budget_still_lets_a_rollback_through(url: str, tmp_path: Path) -> None:
    path = policy(tmp_path, url, [availability("peak")])
    assert [check(path, change=c).code for c in ("rollback", "full-rollout")] == [ALLOW, BLOCK]


def test_a_past_instant_gives_the_decision_of_that_day(url: str, tmp_path: Path) -> None:
    path = policy(tmp_path, url, [availability("peak")])
    before, after = PEAK_OUTAGE, PEAK_OUTAGE + OUTAGE
    outcomes = [check(path, at=instant.isoformat()) for instant in (before, after)]
    assert [outcome.code for outcome in outcomes] == [ALLOW, BLOCK]
    for outcome, instant in zip(outcomes, (before, after), strict=True):
        written = instant.isoformat().replace("+00:00", "Z")
        assert outcome.decision["evaluated_at"] == written
        # The history begins inside these windows: half a scrape of extrapolation there.
        true = truth("peak", MONTH, instant)
        assert outcome.slos["peak"]["bad"] == pytest.approx(true.bad, rel=1e-4)


def test_an_outage_blocks_by_its_burn_rate_while_it_lasts(url: str, tmp_path: Path) -> None:
    path = policy(tmp_path, url, [availability("trough")], **BURN_RATES)
    during = TROUGH_OUTAGE + timedelta(minutes=20)
    code = {at: check(path, at=at.isoformat()).code for at in (during, END)}
    # Some 22% of the budget is gone: the tier still allows it, all requests failing does not.
    assert code == {during: BLOCK, END: ALLOW}


@pytest.mark.parametrize(
    ("service", "cause"),
    [("idle", "no_traffic"), ("misspelt", "no_data"), ("stale", "stale")],
)
def test_what_cannot_be_measured_is_undecided(
    url: str, tmp_path: Path, service: str, cause: str
) -> None:
    outcome = check(policy(tmp_path, url, [availability("trough"), availability(service)]))
    assert outcome.code == UNDECIDED
    assert outcome.slos[service]["status"] == cause
    if cause != "stale":
        assert outcome.slos[service]["remaining"] is None


def test_a_hole_that_the_counters_bridge_is_a_warning_that_names_the_share(
    url: str, tmp_path: Path
) -> None:
    outcome = check(policy(tmp_path, url, [availability("gap")]), "--fail-on", "warn")
    assert (outcome.code, outcome.slos["gap"]["status"]) == (WARN, "low_coverage")
    assert outcome.slos["gap"]["coverage"] == pytest.approx(2 / 3, abs=0.01)
    assert "the counters went on" in " ".join(outcome.slos["gap"]["notes"])
    assert outcome.slos["gap"]["suspicions"] == []


def test_three_days_of_a_month_are_no_budget_unless_the_policy_lets_them_pass(
    url: str, tmp_path: Path
) -> None:
    outcome = check(policy(tmp_path, url, [availability("young")]))
    young = outcome.slos["young"]
    assert (outcome.code, young["status"], young["remaining"]) == (
        UNDECIDED,
        "mostly_uncovered",
        None,
    )
    assert young["coverage"] == pytest.approx(0.1, abs=0.01)
    lenient = policy(tmp_path, url, [availability("young")], on={"mostly_uncovered": "warn"})
    assert check(lenient).code == ALLOW


def test_a_slow_p95_is_counted_in_requests(url: str, tmp_path: Path) -> None:
    outcome = check(policy(tmp_path, url, [LATENCY]))
    slo = outcome.slos["p95-within-2s"]
    assert outcome.code == BLOCK
    assert slo["consumed"] == pytest.approx(true_consumed("latency", 0.05), rel=1e-9)


def test_money_is_compared_with_its_allowance(url: str, tmp_path: Path) -> None:
    cents = truth("spend", MONTH).total
    spend = {
        "name": "spend",
        "allowance": f"{cents * 4} cents",
        "window": "30d",
        "sli": {"spent": "llm_spend_cents_total"},
    }
    outcome = check(policy(tmp_path, url, [spend]))
    assert outcome.code == ALLOW
    assert outcome.slos["spend"]["consumed"] == pytest.approx(0.25, rel=1e-9)


def test_forty_three_minutes_of_downtime_leave_next_to_nothing(url: str, tmp_path: Path) -> None:
    up = {
        "name": "up",
        "objective": "99.9%",
        "window": "30d",
        "sli": {"gauge": 'llm_up{service="probe"}'},
    }
    outcome = check(policy(tmp_path, url, [up]))
    assert outcome.code == BLOCK
    # 43 of 43.2 minutes; a slice at each outage's border may be counted too.
    assert 43 / 43.2 - 1e-4 <= outcome.slos["up"]["consumed"] <= 45 / 43.2


def test_the_worst_of_several_slos_decides(url: str, tmp_path: Path) -> None:
    slos = [availability(name) for name in ("flawless", "peak", "trough")]
    outcome = check(policy(tmp_path, url, slos))
    assert (outcome.code, outcome.decision["policies"][0]["worst_slo"]) == (BLOCK, "peak")


def test_a_crash_whose_counter_was_born_with_it_never_passes_unremarked(
    url: str, tmp_path: Path
) -> None:
    # 40,000 failures before the first scrape: 308% of the budget, of which increase sees none.
    outcome = check(policy(tmp_path, url, [availability("born-high")]), "--fail-on", "warn")
    assert outcome.code != ALLOW


@pytest.mark.parametrize(("change", "code", "most"), [("rollback", ALLOW, 2), ("canary", BLOCK, 3)])
def test_eight_slos_with_all_burn_rates_take_two_round_trips_and_a_block_one_more(
    history_prometheus: Server, tmp_path: Path, change: str, code: int, most: int
) -> None:
    # What the server has, the counts; and when the budgets that block will have recovered.
    names = ("peak", "trough", "resets", "gap", "flawless", "born", "isolated", "unaligned")
    with counting_proxy(history_prometheus.url, latency=0.5) as proxy:
        slos = [availability(name) for name in names]
        outcome = check(policy(tmp_path, proxy.url, slos, **BURN_RATES), change=change)
    assert outcome.code == code
    assert [slo["total"] for slo in outcome.slos.values()] == pytest.approx(
        [truth(name, MONTH).total for name in names]
    )
    windows = {"5m", "30m", "1h", "2h", "6h", "1d", "3d"}
    assert all(set(slo["burn_rates"]) == windows for slo in outcome.slos.values())
    assert 1 <= proxy.traffic.round_trips <= most


def test_a_server_that_dies_is_undecided_and_never_a_pass(tmp_path: Path) -> None:
    scrape = "scrape_configs: [{job_name: self, static_configs: [{targets: ['127.0.0.1:{port}']}]}]"
    with prometheus(tmp_path / "server", tmp_path / "data", scrape) as server:
        path = policy(tmp_path, server.url, [availability("peak")])
        alive = check(path)
        os.kill(server.pid, signal.SIGKILL)
        dead = check(path)
    assert (alive.code, alive.slos["peak"]["status"]) == (UNDECIDED, "no_data")
    assert (dead.code, dead.slos["peak"]["status"]) == (UNDECIDED, "backend_error")


def test_a_closed_port_is_undecided_unless_the_policy_lets_it_pass(tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    slos = [availability("peak")]
    strict = check(policy(tmp_path, url, slos))
    lax = check(policy(tmp_path, url, slos, on={"backend_error": "allow"}))
    assert (strict.code, lax.code) == (UNDECIDED, ALLOW)
    for outcome in (strict, lax):
        assert outcome.slos["peak"]["status"] == "backend_error"
        assert outcome.slos["peak"]["remaining"] is None
