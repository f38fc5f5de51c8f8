"""Past periods on real servers, reviewed by the command, beside what truly happened."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.command import gate
from tests.live.command import NOW, availability, policy
from tests.servers.history import PEAK_OUTAGE, YOUNG, truth
from tests.servers.metrics import Server
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

pytestmark = pytest.mark.slow

WINDOW = timedelta(days=5)
FIVE_DAYS = {"window": "5d", "sla": "99.5%"}


def reviewed(path: Path, *options: str, code: int = 0) -> dict[str, dict[str, Any]]:
    done = gate("review", str(path), "--at", NOW, "--format", "json", *options)
    assert done.exit_code == code, done.stderr
    (service,) = json.loads(done.stdout)["services"]
    return {one["name"]: one for one in service["slos"]}


@pytest.fixture(scope="module")
def found(url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what one run says of several SLOs: one has too young a history to be reviewed."""
    week = {"window": {"calendar": "week", "time_zone": "Europe/Berlin"}}
    slos = [
        *(availability(name, **FIVE_DAYS) for name in ("peak", "resets")),
        availability("young", window="1d"),
        availability("young") | {"name": "whole"},
        availability("trough", **week),
    ]
    path = policy(tmp_path_factory.mktemp("review"), url, slos)
    return reviewed(path, code=3)


@pytest.mark.parametrize("name", ["peak", "resets"])
def test_each_period_consumed_what_truly_failed_in_it(
    found: dict[str, dict[str, Any]], name: str
) -> None:
    for back, period in enumerate(reversed(found[name]["review"]["periods"])):
        at = END - back * WINDOW
        true = truth(name, WINDOW, at)
        assert datetime.fromisoformat(period["end"]) == at
        # On whole minutes a server extrapolates nothing, and restarts lose nothing.
        assert period["total"] == pytest.approx(true.total, rel=1e-6)
        assert period["bad"] == pytest.approx(true.bad, rel=1e-6)
        assert period["consumed"] == pytest.approx(true.bad / true.total / 0.001, rel=1e-5)
        spare = 0.005 * true.total - true.bad
        assert period["sla_spare_events"] == pytest.approx(spare, rel=1e-5)


def test_objectives_fit_by_what_the_periods_consumed(found: dict[str, dict[str, Any]]) -> None:
    # Half an hour in which all failed took 9 budgets of five days; a sixth is used without.
    assert [row["periods_met"] for row in found["peak"]["review"]["candidates"]][:2] == [5, 5]
    assert found["peak"]["review"]["fit"] == "about right"
    assert found["resets"]["review"]["fit"] == "too loose"


def test_a_budget_was_gone_for_as_long_as_the_outage_was_in_its_window(
    found: dict[str, dict[str, Any]],
) -> None:
    # The outage of October 27th stays in the window of five days until the end.
    candidates = found["peak"]["review"]["candidates"]

    (present,) = [row for row in candidates if row["kind"] == "present"]
    assert present["exhausted_share"] == pytest.approx(
        (END - PEAK_OUTAGE) / (5 * WINDOW), abs=0.002
    )
    assert present["tier_shares"]["healthy"] == pytest.approx(
        1 - present["exhausted_share"], abs=0.001
    )


def test_a_server_that_has_no_older_data_says_which_periods_do_not_count(
    found: dict[str, dict[str, Any]],
) -> None:
    young = found["young"]["review"]
    *lost, edge = [one["not_counted"] for one in young["periods"][:3]]
    assert lost == ["no_data"] * 2
    # The first scrape falls on the end of a step: to VictoriaMetrics that is something known.
    assert edge in {"no_data", "low_coverage", "no_traffic"}
    assert [one["not_counted"] for one in young["periods"][3:]] == [None] * 3
    begins = datetime.fromisoformat(young["history_begins"])
    assert abs(begins - (END - YOUNG)) <= timedelta(minutes=5)
    assert found["whole"]["unmeasured"]["cause"] == "mostly_uncovered"


def test_calendar_weeks_are_those_of_their_zone(found: dict[str, dict[str, Any]]) -> None:
    # Summer time ended on Sunday the 25th: that week has an hour more.
    ends = ["2026-10-11T22:00:00+00:00", "2026-10-18T22:00:00+00:00", "2026-10-25T23:00:00+00:00"]
    for period, end in zip(found["trough"]["review"]["periods"][3:], ends, strict=True):
        start, at = (datetime.fromisoformat(period[key]) for key in ("start", "end"))
        assert at.isoformat() == end
        true = truth("trough", at - start, at)
        assert period["bad"] == pytest.approx(true.bad, rel=1e-6)
        assert period["total"] == pytest.approx(true.total, rel=1e-6)


def test_all_periods_of_all_slos_are_requested_at_once(
    history_prometheus: Server, tmp_path: Path
) -> None:
    with counting_proxy(history_prometheus.url, 0.3) as proxy:
        slos = [availability(name, **FIVE_DAYS) for name in ("peak", "trough", "isolated")]
        reviewed(policy(tmp_path, proxy.url, slos))

    assert proxy.traffic.round_trips == 1
