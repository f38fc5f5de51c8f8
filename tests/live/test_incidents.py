"""Incidents of histories whose truth is known, found by the command on real servers."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.command import gate
from tests.live.command import NOW, availability, policy
from tests.servers.github import REPOSITORY, TOKEN, Deployment, github
from tests.servers.history import OUTAGE, PEAK_OUTAGE, TROUGH_OUTAGE, services, truth
from tests.servers.metrics import Server
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

pytestmark = pytest.mark.slow

MONTH = timedelta(days=30)
STEP = timedelta(minutes=5)
BEGAN = {"peak": PEAK_OUTAGE, "trough": TROUGH_OUTAGE}


def incidents(
    path: Path,
    *options: str,
    at: str = NOW,
    code: int = 0,
    env: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    asked = ["incidents", str(path), "--last", "30d", "--min-share", "0%"]
    asked += ["--at", at, "--format", "json", *options]
    done = gate(*asked, env=env)
    assert done.exit_code == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def only(found: dict[str, Any]) -> dict[str, Any]:
    (service,) = found["services"]
    assert isinstance(service, dict)
    return service


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def share(service: str, begin: datetime, end: datetime) -> tuple[int, float]:
    """Return what truly failed, and the share of the 30 days' 99.9% budget that this is."""
    bad = truth(service, end - begin, end).bad
    return bad, bad / (0.001 * truth(service, MONTH).total)


@pytest.mark.parametrize("service", ["peak", "trough"])
def test_an_outage_is_found_where_it_was_with_what_it_cost(
    url: str, tmp_path: Path, service: str
) -> None:
    found = only(incidents(policy(tmp_path, url, [availability(service)])))
    (incident,) = found["incidents"]
    (felt,) = incident["slos"]
    began = BEGAN[service]
    bad, budget = share(service, began, began + OUTAGE)

    assert instant(felt["start"]) == began
    assert instant(felt["end"]) == began + OUTAGE
    assert felt["bad"] == pytest.approx(bad, rel=1e-6)
    assert felt["budget_share"] == pytest.approx(budget, rel=1e-4)
    assert felt["peak_burn_rate"] == pytest.approx(1000, rel=1e-6)  # all fail, of 0.1%
    assert found["mttr_seconds"] == found["longest_seconds"] == OUTAGE.total_seconds()
    assert found["mtbf_seconds"] == (MONTH - OUTAGE).total_seconds()
    assert found["drain"]["budget_share_per_window"] == pytest.approx(budget, rel=1e-4)


@pytest.mark.parametrize("service", ["peak", "trough"])
def test_where_steps_do_not_fall_on_its_ends_it_is_found_to_the_step(
    url: str, tmp_path: Path, service: str
) -> None:
    path = policy(tmp_path, url, [availability(service)])
    at = (END - timedelta(minutes=2)).isoformat()
    (incident,) = only(incidents(path, at=at))["incidents"]
    (felt,) = incident["slos"]
    start, end = instant(felt["start"]), instant(felt["end"])
    began = BEGAN[service]

    assert began - STEP < start <= began
    assert began + OUTAGE <= end < began + OUTAGE + STEP
    assert felt["bad"] == pytest.approx(share(service, start, end)[0], rel=1e-6)


def test_two_outages_of_one_day_are_two_incidents_of_the_service(url: str, tmp_path: Path) -> None:
    path = policy(tmp_path, url, [availability("peak"), availability("trough")])

    found = only(incidents(path))

    assert [[felt["name"] for felt in one["slos"]] for one in found["incidents"]] == [
        ["trough"],
        ["peak"],
    ]
    assert found["mtbf_seconds"] == (MONTH - 2 * OUTAGE).total_seconds() / 2
    assert found["drain"]["slo"] == "peak"


@pytest.mark.variants(1)
@pytest.mark.parametrize("last", ["77d", "90d", "200d"])
def test_more_steps_than_a_server_answers_at_once_are_requested_in_pieces(
    url: str, tmp_path: Path, last: str
) -> None:
    # Prometheus answers 11,000 steps at most, which are 38 days.
    found = only(incidents(policy(tmp_path, url, [availability("peak")]), "--last", last))
    (incident,) = found["incidents"]
    assert instant(incident["slos"][0]["start"]) == PEAK_OUTAGE


def test_small_failures_are_found_below_a_low_threshold_only(url: str, tmp_path: Path) -> None:
    # One failure among the 4,500 requests of 15 minutes burns at 0.22; three a month.
    path = policy(tmp_path, url, [availability("isolated")])

    found = only(incidents(path, "--threshold", "0.2"))["incidents"]

    assert [one["slos"][0]["bad"] for one in found] == pytest.approx([1, 1, 1])
    truly = [END - timedelta(days=days, minutes=7) for days in (25, 11, 1)]
    for one, failed in zip(found, truly, strict=True):
        assert instant(one["start"]) < failed <= instant(one["end"])
    assert only(incidents(path, "--threshold", "0.23"))["incidents"] == []


def test_failures_of_every_hour_are_as_many_incidents_and_the_last_is_open(
    url: str, tmp_path: Path
) -> None:
    path = policy(tmp_path, url, [availability("resets")])
    at = END - timedelta(minutes=50)  # ten minutes after the newest of them

    found = only(incidents(path, "--threshold", "0.6", at=at.isoformat()))
    *ended, last = found["incidents"]

    assert len(ended) == 30 * 24 - 1
    assert {one["ending"] for one in ended} == {"calm"}
    assert (last["ending"], last["end"]) == ("open", None)
    total = sum(one["slos"][0]["bad"] for one in found["incidents"])
    assert total == pytest.approx(truth("resets", MONTH, at).bad, rel=1e-4)
    within = len(ended) * STEP + timedelta(minutes=15)
    assert found["mtbf_seconds"] == pytest.approx((MONTH - within).total_seconds() / 720)


def test_time_that_was_not_scraped_is_unknown(history_prometheus: Server, tmp_path: Path) -> None:
    path = policy(tmp_path, history_prometheus.url, [availability("gap")])
    # A third of the month is missing between data: what happened then is anybody's guess.
    found = only(incidents(path, code=3))

    assert found["incidents"] == []
    (slo,) = found["slos"]
    assert slo["unknown_share"] == pytest.approx(10 / 30, abs=0.001)


def test_what_has_no_data_is_undecided(url: str, tmp_path: Path) -> None:
    path = policy(tmp_path, url, [availability("peak"), availability("nobody")])

    found = only(incidents(path, code=3))

    assert len(found["incidents"]) == 1
    assert [one["unmeasured"] and one["unmeasured"]["cause"] for one in found["slos"]] == [
        None,
        "no_data",
    ]


def test_known_incidents_and_deploys_are_put_to_what_was_found(url: str, tmp_path: Path) -> None:
    known = tmp_path / "incidents"
    known.mkdir()
    (known / "2026.yaml").write_text(
        f"- id: INC-1\n  title: peak\n  service: chat\n  start: {PEAK_OUTAGE.isoformat()}\n"
        f"  end: {(PEAK_OUTAGE + OUTAGE).isoformat()}\n  status: resolved\n"
        "- id: INC-2\n  title: felt by nobody\n  service: chat\n  start: 2026-10-20T00:00:00Z\n"
        "  end: 2026-10-20T01:00:00Z\n  status: reviewed\n"
    )
    deploys = tmp_path / "deploys.jsonl"
    before = PEAK_OUTAGE - timedelta(minutes=10)
    deploys.write_text(json.dumps({"time": before.isoformat(), "revision": "abc"}) + "\n")
    path = policy(tmp_path, url, [availability("peak"), availability("trough")])

    found = incidents(path, "--known-incidents", str(known), "--deploys", str(deploys))
    trough, peak = only(found)["incidents"]

    assert [one["id"] for one in peak["records"]] == ["INC-1"]
    assert [one["revision"] for one in peak["deploys"]] == ["abc"]
    assert (trough["records"], trough["deploys"]) == ([], [])
    assert [one["id"] for one in found["records_without_impact"]] == ["INC-2"]


def test_deployments_that_github_knows_are_put_to_what_was_found(
    history_prometheus: Server, tmp_path: Path
) -> None:
    path = policy(tmp_path, history_prometheus.url, [availability("peak")])
    began = (PEAK_OUTAGE - timedelta(minutes=20)).isoformat()
    live = (PEAK_OUTAGE - timedelta(minutes=3)).isoformat()
    with github() as fake:
        fake.deployments = [
            Deployment(sha="a" * 40, created=began, statuses=(("success", live),)),
            Deployment(sha="b" * 40, created=began, environment="staging"),
        ]
        runner = {
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_API_URL": fake.url,
        }
        found = only(incidents(path, "--deploys", "github:production", env=runner))

    (deploy,) = found["incidents"][0]["deploys"]
    assert deploy["revision"] == "a" * 40
    assert instant(deploy["time"]) == PEAK_OUTAGE - timedelta(minutes=3)


def test_several_slos_are_requested_at_once(history_prometheus: Server, tmp_path: Path) -> None:
    with counting_proxy(history_prometheus.url) as proxy:
        path = policy(
            tmp_path, proxy.url, [availability(name) for name in services() if "r" in name]
        )
        incidents(path, "--step", "1h", code=3)

    # The histories of all at once, and then the labels of their failures.
    assert proxy.traffic.requests == 2
