"""The recording rules that gate exports, evaluated by a real Prometheus, and counted by."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import gate
from tests.live.command import Outcome, availability, check, policy
from tests.servers.fixtures import Data
from tests.servers.history import truth
from tests.servers.metrics import Server, backfill_rules, prometheus
from tests.servers.proxy import counting_proxy
from tests.servers.series import END, START

pytestmark = pytest.mark.slow

MONTH = timedelta(days=30)
SERVICES = ("peak", "isolated", "gap")
USED = "counted by its recording rules"


def exported(path: Path, format_: str) -> str:
    """Return what the command writes."""
    done = gate("export", str(path), "--format", format_)
    assert done.exit_code == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def recorded(
    history_prometheus: Server, history_data: Data, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Give the address of a server on which the exported rules have run for a month."""
    folder = tmp_path_factory.mktemp("rules")
    slos = [availability(service) for service in SERVICES]
    document = yaml.safe_load(
        exported(policy(folder, history_prometheus.url, slos), "prometheus-rules")
    )
    for group in document["groups"]:
        # What follows from the counts is not asked for, and a month of it takes long to evaluate.
        group["rules"] = [rule for rule in group["rules"] if "gate_expr" in rule["labels"]]
    (folder / "rules.yml").write_text(yaml.safe_dump(document))
    shutil.copytree(history_data.blocks, folder / "blocks")
    backfill_rules(history_prometheus.url, folder / "rules.yml", folder / "blocks", START, END)
    with prometheus(folder / "server", folder / "blocks") as server:
        yield server.url


def asked(folder: Path, url: str, *slos: dict[str, Any]) -> Outcome:
    return check(policy(folder, url, slos))


def notes(measured: dict[str, Any], said: str) -> list[str]:
    return [note for note in measured["notes"] if said in note]


def test_a_month_is_counted_by_its_rules_within_one_percent(recorded: str, tmp_path: Path) -> None:
    measured = asked(tmp_path, recorded, availability("peak")).slos["peak"]

    events = truth("peak", MONTH)
    assert notes(measured, USED)
    assert "gate:sli_bad:increase5m" in measured["query"]
    assert "llm_requests_total" not in measured["query"]
    assert measured["total"] == pytest.approx(events.total, rel=0.001)
    assert measured["bad"] == pytest.approx(events.bad, rel=0.01)
    assert measured["status"] == "measured"


def test_three_failures_in_a_month_are_counted_by_the_raw_query(
    recorded: str, tmp_path: Path
) -> None:
    measured = asked(tmp_path, recorded, availability("isolated")).slos["isolated"]

    assert truth("isolated", MONTH).bad == 3
    assert measured["bad"] == pytest.approx(3)
    assert notes(measured, "fewer than 100 failures are counted by the raw query")


def test_rules_and_raw_queries_agree_on_the_budget(
    recorded: str, history_prometheus: Server, tmp_path: Path
) -> None:
    by_rules = asked(tmp_path, recorded, availability("peak")).slos["peak"]
    raw = asked(tmp_path, history_prometheus.url, availability("peak")).slos["peak"]

    assert by_rules["consumed"] == pytest.approx(raw["consumed"], rel=0.01)
    assert not notes(raw, "recording rules")


def test_rules_that_do_not_cover_the_window_are_not_used(recorded: str, tmp_path: Path) -> None:
    measured = asked(tmp_path, recorded, availability("gap")).slos["gap"]

    (note,) = notes(measured, "recording rules")
    assert note.endswith("of 43,200 samples of this window, so they were not used")
    assert "gate:sli" not in measured["query"]


def test_a_rule_of_another_expression_is_never_used(recorded: str, tmp_path: Path) -> None:
    other = availability("peak")
    other["sli"]["bad"] = other["sli"]["bad"].replace("500", "200")

    measured = asked(tmp_path, recorded, other).slos["peak"]

    (note,) = notes(measured, "recording rules")
    assert note == "the recording rules of this SLO are of another expression: export them again"
    assert "gate:sli" not in measured["query"]
    assert measured["bad"] > measured["total"] / 2


def test_rules_of_another_slo_are_not_examined(recorded: str, tmp_path: Path) -> None:
    renamed = {**availability("peak"), "name": "renamed"}
    measured = asked(tmp_path, recorded, renamed).slos["renamed"]
    assert not notes(measured, "recording rules")


@pytest.mark.parametrize(("change", "code", "trips"), [("rollback", 0, 1), ("canary", 10, 2)])
def test_looking_for_rules_takes_no_round_trip_of_its_own(
    recorded: str, tmp_path: Path, change: str, code: int, trips: int
) -> None:
    with counting_proxy(recorded, 0.3) as proxy:
        path = policy(
            tmp_path, proxy.url, [availability(service) for service in ("peak", "isolated")]
        )
        outcome = check(path, change=change)
    assert outcome.code == code
    assert notes(outcome.slos["peak"], USED)
    assert proxy.traffic.round_trips == trips
