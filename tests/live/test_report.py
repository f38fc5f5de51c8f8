"""The report and the burn-downs by the command, held against what truly happened."""

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.command import gate
from tests.live.command import NOW, availability, policy
from tests.servers.history import OUTAGE, PEAK_OUTAGE, truth
from tests.servers.metrics import Server
from tests.servers.proxy import counting_proxy
from tests.servers.series import END

MONTH = timedelta(days=30)
PAGE = "<!DOCTYPE html>"


def run(*arguments: str, code: int = 0) -> str:
    done = gate(*arguments)
    assert done.exit_code == code, done.stderr
    return done.stdout


def left(at: datetime) -> float:
    """Return what was left of the budget of peak's window, of what has failed by this instant."""
    whole = truth("peak", MONTH)
    since = at - (END - MONTH)
    return 1 - truth("peak", since, at).bad / (0.001 * whole.total)


def test_the_report_shows_what_truly_happened(url: str, tmp_path: Path) -> None:
    path = policy(tmp_path, url, [availability("peak"), availability("gap")])
    page, data = tmp_path / "report.html", tmp_path / "report.json"

    asked = ["--at", NOW, "-o", str(page), "--output", f"json={data}"]
    # Of a third of the month nothing is known for one of them.
    assert run("report", str(path), *asked, code=3) == ""

    (service,) = json.loads(data.read_text(encoding="utf-8"))["services"]
    peak, gap = (one["trace"] for one in service["slos"])
    for text, value in peak["remaining"]:
        at = datetime.fromisoformat(text)
        assert value == pytest.approx(1 if at == END - MONTH else left(at), abs=1e-4)
    assert sum(one["bad"] for one in peak["intervals"]) == pytest.approx(truth("peak", MONTH).bad)
    worst = max(peak["intervals"], key=lambda one: one["peak_burn_rate_1h"])
    assert worst["from"] == f"{PEAK_OUTAGE:%Y-%m-%d}T00:00:00Z"
    # Ten days were not scraped, from 22 days ago on.
    (hole,) = gap["unknown_intervals"]
    begin, end = (datetime.fromisoformat(hole[key]) for key in ("from", "to"))
    assert end - begin == pytest.approx(timedelta(days=10), abs=timedelta(minutes=15))
    text = page.read_text(encoding="utf-8")
    assert all(f"Burn-down of the budget of {name} of chat" in text for name in ("peak", "gap"))


def test_what_has_no_data_is_undecided_and_the_rest_is_reported(
    history_prometheus: Server, tmp_path: Path
) -> None:
    path = policy(tmp_path, history_prometheus.url, [availability("peak"), availability("nobody")])

    page = run("report", str(path), "--at", NOW, "--last", "1d", "--step", "1h", code=3)

    assert page.startswith(PAGE)
    assert "Burn-down of the budget of peak of chat" in page
    assert "Burn-down of the budget of nobody of chat" not in page
    assert "The history could not be measured: no data, " in page


def test_the_status_draws_how_a_budget_came_down(url: str, tmp_path: Path) -> None:
    path = policy(tmp_path, url, [availability("peak"), availability("nobody")])

    asked = ["--at", NOW, "--format", "json"]
    (known,) = json.loads(run("status", str(path), *asked, code=3))["policies"]
    peak, nobody = (one["burn_down"] for one in known["slos"])
    step = timedelta(seconds=peak["step_seconds"])
    start = datetime.fromisoformat(peak["start"])

    assert (start, step, len(peak["left"])) == (END - MONTH, timedelta(hours=36), 20)
    for place, value in enumerate(peak["left"], start=1):
        assert value == pytest.approx(left(start + place * step), abs=1e-4)
    assert nobody is None
    drop = (PEAK_OUTAGE + OUTAGE - start) // step
    assert peak["left"][drop - 1] - peak["left"][drop] > 1


def test_a_status_costs_one_more_round_and_none_where_it_is_left_out(
    history_prometheus: Server, tmp_path: Path
) -> None:
    rounds = []
    for option in ("--no-burn-down", "--burn-down"):
        with counting_proxy(history_prometheus.url, 0.3) as proxy:
            path = policy(tmp_path, proxy.url, [availability(name) for name in ("peak", "trough")])
            run("status", str(path), "--at", NOW, option)
        rounds.append(proxy.traffic.round_trips)

    without, drawn = rounds
    assert drawn == without + 1


def test_what_is_made_of_five_minutes_is_what_the_commands_find_by_the_hour(
    url: str, tmp_path: Path
) -> None:
    path = policy(tmp_path, url, [availability("peak"), availability("isolated")])
    asked = [str(path), "--at", NOW, "--format", "json"]
    made = json.loads(run("report", *asked))

    ((foretold,), (charted,)) = (made[part]["services"] for part in ("forecast", "anomalies"))
    (alone,) = json.loads(run("forecast", *asked))["services"]
    for one, other in zip(foretold["slos"], alone["slos"], strict=True):
        assert [course["reaches_tier_at"] for course in one["projections"]] == [
            course["reaches_tier_at"] for course in other["projections"]
        ]
    (by_hour,) = json.loads(run("anomalies", *asked, "--last", "30d"))["services"]
    for one, other in zip(charted["slos"], by_hour["slos"], strict=True):
        for chart, same in zip(one["charts"], other["charts"], strict=True):
            assert chart["not_drawn"] == same["not_drawn"]
            if chart["not_drawn"] is None:
                assert chart["centre"] == pytest.approx(same["centre"], rel=1e-3)
