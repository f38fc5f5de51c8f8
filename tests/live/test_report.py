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

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)
MONTH, WEEK = 30 * DAY, 7 * DAY
PAGE = "<!DOCTYPE html>"


def run(*arguments: str, code: int = 0) -> str:
    done = gate(*arguments)
    assert done.exit_code == code, done.stderr
    return done.stdout


def left(at: datetime) -> float:
    """Return what was left of peak's budget of the week before an instant."""
    week = truth("peak", WEEK, at)
    return 1 - week.bad / (0.001 * week.total)


def status_at(path: Path, at: datetime) -> dict[str, float]:
    """Return what ``gate status`` says is left at an instant, by SLO."""
    asked = ["--at", at.isoformat(), "--no-burn-down", "--format", "json"]
    (told,) = json.loads(run("status", str(path), *asked))["policies"]
    return {slo["name"]: slo["remaining"] for slo in told["slos"]}


def test_the_report_shows_what_truly_happened(url: str, tmp_path: Path) -> None:
    path = policy(tmp_path, url, [availability("peak", window="7d"), availability("gap")])
    page, data = tmp_path / "report.html", tmp_path / "report.json"

    asked = ["--at", NOW, "-o", str(page), "--write", f"json={data}"]
    # Of a third of the month nothing is known for one of them.
    assert run("report", str(path), *asked, code=3) == ""

    (service,) = json.loads(data.read_text(encoding="utf-8"))["services"]
    peak, gap = (one["trace"] for one in service["slos"])
    line = [(datetime.fromisoformat(text), value) for text, value in peak["remaining"]]
    # There are 31 days of history, of which the first seven only say what was left after them.
    assert END - 25 * DAY <= line[0][0] < END - 23 * DAY
    assert line[-1][0] == END
    for at, value in line:
        assert value == pytest.approx(left(at), abs=1e-3), at
    only = policy(tmp_path, url, [availability("peak", window="7d")])
    for at, value in line[:: len(line) // 8]:
        assert value == pytest.approx(status_at(only, at)["peak"], abs=1e-3), at
    assert sum(one["bad"] for one in peak["intervals"]) == pytest.approx(truth("peak", MONTH).bad)
    worst = max(peak["intervals"], key=lambda one: one["peak_burn_rate_1h"])
    assert worst["from"] == f"{PEAK_OUTAGE:%Y-%m-%d}T00:00:00Z"
    # Ten days were not scraped, from 22 days ago on.
    (hole,) = gap["unknown_intervals"]
    begin, end = (datetime.fromisoformat(hole[key]) for key in ("from", "to"))
    assert end - begin == pytest.approx(timedelta(days=10), abs=timedelta(minutes=15))
    text = page.read_text(encoding="utf-8")
    assert "Burn-down of the budget of peak of chat" in text
    # Of thirty days before an instant of the last month nothing is known but on its last day.
    assert all(datetime.fromisoformat(text) >= END - DAY for text, _ in gap["remaining"])


def test_what_has_no_data_is_undecided_and_the_rest_is_reported(
    history_prometheus: Server, tmp_path: Path
) -> None:
    slos = [availability(name, window="7d") for name in ("peak", "nobody")]
    path = policy(tmp_path, history_prometheus.url, slos)

    page = run("report", str(path), "--at", NOW, "--last", "1d", "--step", "1h", code=3)

    assert page.startswith(PAGE)
    assert "Burn-down of the budget of peak of chat" in page
    assert "Burn-down of the budget of nobody of chat" not in page
    assert "The history could not be measured: no data, " in page


def test_the_status_draws_how_a_budget_came_down(url: str, tmp_path: Path) -> None:
    slos = [availability(name, window="7d") for name in ("peak", "nobody")]
    path = policy(tmp_path, url, slos)
    now = PEAK_OUTAGE + 3 * DAY + timedelta(minutes=37)

    asked = ["--at", now.isoformat(), "--format", "json"]
    (known,) = json.loads(run("status", str(path), *asked, code=3))["policies"]
    peak, nobody = (one["burn_down"] for one in known["slos"])
    step, start = timedelta(seconds=peak["step_seconds"]), datetime.fromisoformat(peak["start"])
    only = policy(tmp_path, url, slos[:1])

    assert now - WEEK <= start < now - WEEK + timedelta(minutes=15)
    assert start + (len(peak["left"]) - 1) * step < now <= start + len(peak["left"]) * step
    for place, value in enumerate(peak["left"], start=1):
        at = min(start + place * step, now)
        assert value == pytest.approx(left(at), abs=1e-3), at
        assert value == pytest.approx(status_at(only, at)["peak"], abs=1e-3), at
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
