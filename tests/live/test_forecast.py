"""Recovery and what is left at a reset, foretold by the command on real servers."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.command import gate
from tests.live.command import NOW, availability, check, policy
from tests.servers.history import services, truth
from tests.servers.metrics import Server
from tests.servers.proxy import counting_proxy
from tests.servers.series import END, LAST, STEP

pytestmark = pytest.mark.slow

MONTH = timedelta(days=30)
HOUR = timedelta(hours=1)
CALENDAR = {"window": {"calendar": "month"}}


def foretold(path: Path, *, at: str = NOW, code: int = 0) -> dict[str, dict[str, Any]]:
    done = gate("forecast", str(path), "--at", at, "--format", "json")
    assert done.exit_code == code, done.stderr
    (service,) = json.loads(done.stdout)["services"]
    return {one["name"]: one for one in service["slos"]}


def leaving(service: str, share: float) -> datetime:
    """Return the minute in which so large a share of the month's failures has left the window."""
    (counter,) = services()[service].bad
    month = counter.events[LAST - MONTH // STEP + 1 :]
    gone, wanted = 0, share * sum(month)
    for minute, bad in enumerate(month, start=1):
        gone += bad
        if gone > wanted:
            return END + minute * STEP
    raise AssertionError("it never leaves")


@pytest.fixture(scope="module")
def both(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a policy on two services."""
    folder = tmp_path_factory.mktemp("forecast")
    return policy(folder, url, [availability("peak"), availability("resets")])


@pytest.fixture(scope="module")
def found(both: Path) -> dict[str, dict[str, Any]]:
    """Return what is foretold of them."""
    return foretold(both)


def test_a_budget_is_back_within_a_step_of_when_its_failures_truly_leave(
    both: Path, found: dict[str, dict[str, Any]]
) -> None:
    consumed = truth("peak", MONTH).bad / truth("peak", MONTH).total / 0.001

    calm = found["peak"]["projections"][0]

    for tier, left in (("healthy", 0.5), ("caution", 0.1)):
        back = datetime.fromisoformat(calm["reaches_tier_at"][tier])
        truly = leaving("peak", 1 - (1 - left) / consumed)
        assert truly <= back < truly + HOUR, tier
    # What a block says of a canary, which caution allows, is the same instant.
    (decided,) = check(both).decision["policies"]
    assert decided["allowed_again_at"] == calm["reaches_tier_at"]["caution"]


def test_what_fails_at_the_rate_that_leaves_does_not_run_out(
    found: dict[str, dict[str, Any]],
) -> None:
    # Three of 18,000 an hour, all month: a sixth of the budget.
    one = found["resets"]

    assert one["remaining"] == pytest.approx(5 / 6, rel=1e-3)
    recent = [truth("resets", hours * HOUR) for hours in (1, 6, 72, 168)]
    rates = [course["burn_rate"] for course in one["projections"]]
    assert rates == pytest.approx([0, *(one.bad / one.total / 0.001 for one in recent)], rel=1e-3)
    assert {course["exhausted_at"] for course in one["projections"]} == {None}


def test_a_month_has_rates_and_no_interval_in_its_first_weeks(url: str, tmp_path: Path) -> None:
    # On October 22nd three weeks are known, and an interval needs 60 days.
    at = END - timedelta(days=10)
    path = policy(tmp_path, url, [availability("resets", **CALENDAR)])

    one = foretold(path, at=at.isoformat())["resets"]

    gone, calm = 21 / 31, one["projections"][0]
    assert calm["left_at_reset"] == pytest.approx(1 - gone / 6, rel=1e-3)
    assert one["expected"] is None
    assert one["limitation"].startswith("only 21d")
    assert one["limitation"].endswith("of history are known; an interval needs 60d")


def test_several_budgets_need_two_rounds(history_prometheus: Server, tmp_path: Path) -> None:
    with counting_proxy(history_prometheus.url) as proxy:
        slos = [availability("peak"), availability("nobody"), availability("trough", **CALENDAR)]
        found = foretold(policy(tmp_path, proxy.url, slos), at=(END - HOUR).isoformat(), code=3)

    assert found["nobody"]["unmeasured"]["cause"] == "no_data"
    assert found["trough"]["projections"]
    assert proxy.traffic.requests <= 4
