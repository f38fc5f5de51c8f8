"""Past periods on real servers, reviewed by the installed command, beside what truly happened."""

import json
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.installed import command, environment
from tests.live.command import NOW, availability, policy
from tests.servers.history import truth
from tests.servers.metrics import Server
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

WINDOW = timedelta(days=5)
FIVE_DAYS = {"window": "5d", "sla": "99.5%"}


def reviewed(path: Path, *options: str, code: int = 0) -> dict[str, dict[str, Any]]:
    done = subprocess.run(
        command("review", str(path), "--at", NOW, "--format", "json", *options),
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    (service,) = json.loads(done.stdout)["services"]
    return {one["name"]: one for one in service["slos"]}


def test_each_period_consumed_what_truly_failed_in_it(url: str, tmp_path: Path) -> None:
    path = policy(tmp_path, url, [availability(name, **FIVE_DAYS) for name in ("peak", "resets")])

    found = reviewed(path)

    for name, one in found.items():
        for back, period in enumerate(reversed(one["review"]["periods"])):
            at = END - back * WINDOW
            true = truth(name, WINDOW, at)
            assert datetime.fromisoformat(period["end"]) == at
            # On whole minutes a server extrapolates nothing, and restarts lose nothing.
            assert period["total"] == pytest.approx(true.total, rel=1e-6)
            assert period["bad"] == pytest.approx(true.bad, rel=1e-6)
            assert period["consumed"] == pytest.approx(true.bad / true.total / 0.001, rel=1e-5)
            spare = 0.005 * true.total - true.bad
            assert period["sla_spare_events"] == pytest.approx(spare, rel=1e-5)
    # Half an hour in which all failed took 9 budgets of five days; without it a fifth is used.
    assert [row["met"] for row in found["peak"]["review"]["candidates"]][:2] == [5, 5]
    assert found["peak"]["review"]["fit"] == "about right"
    assert found["resets"]["review"]["fit"] == "too loose"


def test_a_budget_was_gone_for_as_long_as_the_outage_was_in_its_window(
    url: str, tmp_path: Path
) -> None:
    # The outage of October 27th, 13:45, stays in the window of five days until the end.
    found = reviewed(policy(tmp_path, url, [availability("peak", **FIVE_DAYS)]))["peak"]["review"]

    (present,) = [row for row in found["candidates"] if row["kind"] == "present"]
    gone = END - datetime.fromisoformat("2026-10-27T13:45Z")
    assert present["exhausted"] == pytest.approx(gone / (5 * WINDOW), abs=0.002)
    assert present["tiers"]["healthy"] == pytest.approx(1 - present["exhausted"], abs=0.001)


def test_a_server_that_has_no_older_data_says_which_periods_do_not_count(
    url: str, tmp_path: Path
) -> None:
    young = availability("young", window="1d")
    whole = availability("young")

    found = reviewed(policy(tmp_path, url, [young]))["young"]["review"]
    none = reviewed(policy(tmp_path, url, [whole]), code=3)["young"]

    *lost, edge = [one["not_counted"] for one in found["periods"][:3]]
    assert lost == ["no_data"] * 2
    # The first scrape falls on the end of a step: to VictoriaMetrics that is something known.
    assert edge in {"no_data", "low_coverage"}
    assert [one["not_counted"] for one in found["periods"][3:]] == [None] * 3
    begins = datetime.fromisoformat(found["begins"])
    assert abs(begins - (END - timedelta(days=3))) <= timedelta(minutes=5)
    assert none["unmeasured"]["cause"] == "low_coverage"


def test_calendar_weeks_are_those_of_their_zone(url: str, tmp_path: Path) -> None:
    week = {"window": {"calendar": "week", "time_zone": "Europe/Berlin"}}
    found = reviewed(policy(tmp_path, url, [availability("trough", **week)]), "--periods", "3")

    # Summer time ended on Sunday the 25th: that week has an hour more.
    ends = ["2026-10-11T22:00:00+00:00", "2026-10-18T22:00:00+00:00", "2026-10-25T23:00:00+00:00"]
    for period, end in zip(found["trough"]["review"]["periods"], ends, strict=True):
        start, at = (datetime.fromisoformat(period[key]) for key in ("start", "end"))
        assert at.isoformat() == end
        true = truth("trough", at - start, at)
        assert period["bad"] == pytest.approx(true.bad, rel=1e-6)
        assert period["total"] == pytest.approx(true.total, rel=1e-6)


def test_all_periods_of_all_slos_are_asked_for_at_once(
    prometheus_server: Server, tmp_path: Path
) -> None:
    with counting_proxy(prometheus_server.url) as proxy:
        slos = [availability(name, **FIVE_DAYS) for name in ("peak", "trough", "isolated")]
        reviewed(policy(tmp_path, proxy.url, slos))

    assert proxy.traffic.requests == 1
