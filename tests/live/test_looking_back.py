"""Rules that look back and ahead, over histories whose truth is known, by the installed command."""

import json
from datetime import UTC, datetime, timedelta
from math import ceil
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.repository import begin, commit
from tests.live.command import Outcome, availability, check, policy
from tests.servers.history import OUTAGE, PEAK_OUTAGE, TROUGH_OUTAGE, truth
from tests.servers.metrics import Server
from tests.servers.proxy import counting_proxy

pytestmark = pytest.mark.slow

ALLOW, UNDECIDED, BLOCK = 0, 3, 10
MONTH, HOUR = timedelta(days=30), timedelta(hours=1)
RULE = {"share": "5%", "known_incidents": "incidents/*.yaml"}


def record(began: datetime, length: timedelta = OUTAGE, **fields: str) -> dict[str, str]:
    whole = {
        "id": "INC-42",
        "title": "The queue ran full",
        "service": "chat",
        "start": began.isoformat(),
        "end": (began + length).isoformat(),
        "status": "reviewed",
        "cause": "a batch job without a limit",
        "remediation": "batch jobs have a quota",
    }
    return whole | fields


def write(folder: Path, says: dict[str, str]) -> None:
    """Write a record beside the policy; JSON is YAML."""
    (folder / "incidents").mkdir(exist_ok=True)
    (folder / "incidents" / "42.yaml").write_text(json.dumps(says), encoding="utf-8")


def said(outcome: Outcome, rule: str) -> dict[str, Any]:
    """Return the only finding of a rule."""
    (decided,) = outcome.decision["policies"]
    (finding,) = [one for one in decided["findings"] if one["rule"] == rule]
    assert isinstance(finding, dict)
    return finding


def consumed(service: str, bad: int) -> float:
    """Return the share of the 30 days' 99.9% budget that so many failures are."""
    return bad / (0.001 * truth(service, MONTH).total)


def test_a_costly_incident_stops_features_until_its_record_is_reviewed(
    url: str, tmp_path: Path
) -> None:
    path = policy(tmp_path, url, [availability("trough")], postmortems=RULE)
    lost = consumed("trough", truth("trough", OUTAGE, TROUGH_OUTAGE + OUTAGE).bad)
    assert 0.05 < lost < 0.5, "more than the rule's share, and the tier still allows everything"

    without = check(path, change="full-rollout")
    assert without.code == BLOCK
    assert said(without, "tier")["verdict"] == "allow"
    finding = said(without, "postmortem")
    assert finding["reason"] == (
        "the incident chat-20261027-0145 of 2026-10-27 01:45 to 02:15 UTC (30m) took"
        f" {ceil(lost * 1000) / 10}% of"
        " the budget, more than 5%: no record in incidents/*.yaml explains it; write one with id,"
        " title, service: chat, start, end, cause, remediation and status: reviewed"
    )
    assert finding["until"] == "2026-11-26T02:15:00Z"
    repairs = ["bug-fix", "reliability-fix", "rollback", "security-patch"]
    assert without.decision["policies"][0]["allowed_now"] == repairs

    write(tmp_path, record(TROUGH_OUTAGE))
    reviewed = check(path, change="full-rollout")
    assert reviewed.code == ALLOW
    assert said(reviewed, "postmortem")["reason"].endswith("INC-42 explains it, reviewed")
    before, after = (one.decision["policies"][0]["source"]["sha256"] for one in (without, reviewed))
    assert before != after, "the records are the policy's own text"


def test_an_outage_of_a_gauge_is_an_incident_in_minutes(url: str, tmp_path: Path) -> None:
    # Down for 30 minutes nine days ago, of the 43.2 that a month has: 69.4%.
    up = {
        "name": "up",
        "objective": "99.9%",
        "window": "30d",
        "sli": {"gauge": 'llm_up{service="probe"}'},
    }
    began = datetime(2026, 10, 23, tzinfo=UTC)
    rule = {**RULE, "share": "50%"}
    path = policy(tmp_path, url, [up, availability("flawless")], postmortems=rule)

    without = check(path, change="full-rollout")
    assert without.code == BLOCK
    reason = said(without, "postmortem")["reason"]
    assert "the incident chat-20261023-0000 of 2026-10-23 00:00 to 00:3" in reason
    assert any(f"took {shown}% of the budget, more than 50%" in reason for shown in (69.5, 71.8))

    write(tmp_path, record(began))
    assert said(check(path, change="full-rollout"), "postmortem")["verdict"] == "allow"


@pytest.mark.variants(2)
@pytest.mark.parametrize("seconds", [0, 1, 59, 60, 150, 299])
def test_in_every_minute_of_the_run_there_is_one_verdict(
    history_prometheus: Server, tmp_path: Path, seconds: int
) -> None:
    slos = [availability("trough"), availability("flawless")]
    path = policy(tmp_path, history_prometheus.url, slos, postmortems=RULE)
    at = datetime(2026, 10, 31, 18, tzinfo=UTC) + timedelta(seconds=seconds)

    outcome = check(path, change="full-rollout", at=at.isoformat())

    lost = truth("trough", OUTAGE, TROUGH_OUTAGE + OUTAGE).bad
    budget = 0.001 * truth("trough", MONTH, at - timedelta(seconds=seconds)).total
    share = ceil(lost / budget * 1000) / 10
    assert outcome.code == BLOCK
    assert said(outcome, "postmortem")["reason"].startswith(
        "the incident chat-20261027-0145 of 2026-10-27 01:45 to 02:15 UTC (30m) took"
        f" {share}% of the budget, more than 5%"
    )


def test_after_exhaustion_the_reviewed_record_releases(url: str, tmp_path: Path) -> None:
    asked = policy(
        tmp_path, url, [availability("peak")], postmortems=RULE | {"excuse_reviewed": True}
    )
    write(tmp_path, record(PEAK_OUTAGE))
    all_bad = truth("peak", MONTH).bad
    bad = truth("peak", OUTAGE, PEAK_OUTAGE + OUTAGE).bad
    without = 1 - consumed("peak", all_bad - bad)
    assert consumed("peak", all_bad) > 1
    assert without > 0.5

    outcome = check(asked, change="full-rollout")

    assert outcome.code == ALLOW
    assert outcome.decision["verdict"] == "warn"
    assert outcome.decision["policies"][0]["tier"] == "exhausted"
    assert outcome.slos["peak"]["remaining"] == pytest.approx(1 - consumed("peak", all_bad))
    told = said(outcome, "tier")["reason"]
    assert f"; but {int(consumed('peak', bad) * 1000) / 10}% of the budget went in INC-42" in told
    assert f"without it {int(without * 1000) / 10}% would be left (tier healthy)" in told


def test_in_the_middle_of_an_outage_the_budget_runs_out_soon_and_no_record_counts(
    history_prometheus: Server, tmp_path: Path
) -> None:
    write(tmp_path, record(PEAK_OUTAGE - HOUR, 2 * HOUR))
    rules = {"postmortems": RULE, "exhaustion": {"within": "3d", "effect": "block"}}
    path = policy(tmp_path, history_prometheus.url, [availability("peak")], **rules)
    at = PEAK_OUTAGE + timedelta(minutes=10)
    month = truth("peak", MONTH, at)
    # A twelfth and a third of 3 days, and the slower of both rates.
    parts = [truth("peak", window, at) for window in (6 * HOUR, 24 * HOUR)]
    remaining = 1 - month.bad / (0.001 * month.total)
    lasts = MONTH * remaining / min(part.bad / part.total / 0.001 for part in parts)
    assert timedelta(0) < lasts < HOUR * 24

    outcome = check(path, change="full-rollout", at=at.isoformat())

    assert outcome.code == BLOCK
    hours, seconds = divmod(int(lasts.total_seconds()), 3600)
    shown = f"{hours}h{seconds // 60}m"
    assert said(outcome, "exhaustion")["reason"].startswith(f"runs out in about {shown} at the")
    assert said(outcome, "exhaustion")["verdict"] == "block"
    going_on = said(outcome, "postmortem")["reason"]
    assert "2026-10-27 13:45 UTC (10m so far)" in going_on
    assert going_on.endswith("it goes on, and no record counts before it has ended")


def test_a_change_cannot_release_itself_by_a_record_of_its_own(
    history_prometheus: Server, tmp_path: Path
) -> None:
    repository = begin(tmp_path)
    path = policy(repository, history_prometheus.url, [availability("trough")], postmortems=RULE)
    base = commit(repository, "the policy, and no record", {})
    write(repository, record(TROUGH_OUTAGE))
    commit(repository, "a record in the change", {})

    by_itself = check(path, change="full-rollout")
    pinned = check(path, "--policy-ref", base, change="full-rollout")

    assert by_itself.code == ALLOW
    assert pinned.code == BLOCK
    (decided,) = pinned.decision["policies"]
    assert decided["source"]["revision"] == base
    assert decided["proposed_policy"]["verdict"] == "allow"
    assert (
        decided["proposed_policy"]["sha256"]
        == (by_itself.decision["policies"][0]["source"]["sha256"])
    )


def test_looking_back_costs_one_round_trip_for_all_slos_and_not_looking_back_costs_none(
    history_prometheus: Server, tmp_path: Path
) -> None:
    slos = [availability("trough"), availability("flawless")]
    passed = {}
    for rules in ({"exhaustion": {"within": "3d"}}, {"postmortems": RULE}):
        with counting_proxy(history_prometheus.url) as proxy:
            check(policy(tmp_path, proxy.url, slos, **rules))
        passed[tuple(rules)] = proxy.traffic.round_trips
    # One counts everything, and one looks back.
    assert passed == {("exhaustion",): 1, ("postmortems",): 2}


@pytest.fixture
def log(tmp_path: Path) -> dict[str, Any]:
    """A day of a request every 20 seconds, of which all fail for ten minutes: 30 of 4,320."""
    began = datetime(2026, 10, 31, 6, tzinfo=UTC)
    outage = range(3 * 60 * 6, 3 * 60 * 6 + 30)
    with (tmp_path / "requests.jsonl").open("w", encoding="utf-8") as file:
        for place in range(4320):
            at = began - timedelta(hours=6) + timedelta(seconds=20 * place + 1)
            row = {"ts": at.isoformat(), "status": 500 if place in outage else 200}
            file.write(json.dumps(row) + "\n")
    slo = {
        "name": "availability",
        "objective": "99%",
        "window": "1d",
        "sli": {"bad": "status >= 500"},
    }
    backend = {"type": "logs", "path": "requests.jsonl", "timestamp": "ts"}
    return {"url": "", "slos": [slo], "backend": backend}


def test_request_logs_are_looked_back_at_as_well(tmp_path: Path, log: dict[str, Any]) -> None:
    # 43.2 of 4,320 may fail: the outage took 69.4%, and 30.6% are left.
    rule = RULE | {"share": "20%", "excuse_reviewed": True}
    path = policy(tmp_path, **log, postmortems=rule, exhaustion={"within": "1d"})

    without = check(path, change="full-rollout")
    assert without.code == BLOCK
    assert said(without, "postmortem")["reason"].startswith(
        "the incident chat-20261031-0600 of 2026-10-31 06:00 to 06:10 UTC (10m) took 69.5% of the"
        " budget"
    )
    assert said(without, "exhaustion")["verdict"] == "allow"

    write(tmp_path, record(datetime(2026, 10, 31, 6, tzinfo=UTC)))
    released = check(path, change="full-rollout")
    assert (released.code, released.decision["verdict"]) == (ALLOW, "warn")
    assert "69.4% of the budget went in INC-42" in said(released, "tier")["reason"]
    assert "without it 100.0% would be left" in said(released, "tier")["reason"]


def test_a_backend_without_a_history_is_undecided(tmp_path: Path) -> None:
    (tmp_path / "counts.json").write_text('{"counts": {"a": {"total": 1000000, "bad": 1}}}')
    slo = {"name": "a", "objective": "99.9%", "window": "30d"}
    backend = {"type": "static", "path": "counts.json"}
    path = policy(tmp_path, "", [slo], backend=backend, postmortems=RULE)

    outcome = check(path, change="full-rollout")

    assert outcome.code == UNDECIDED
    assert "postmortems needs a history, which the static backend does not keep" in outcome.stderr
    assert said(outcome, "measurement")["reason"] == (
        "incidents of the past: this backend keeps no history"
    )
    assert outcome.decision["policies"][0]["allowed_now"] == [
        "bug-fix",
        "reliability-fix",
        "rollback",
        "security-patch",
    ]
